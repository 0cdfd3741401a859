#!/bin/sh
# rootfs.sh DIR [PROGRAM...]: a root file system out of Debian's busybox-static, content for examples and tests;
# with programs of this machine and the libraries they need.
set -eu
dir=$1
shift
busybox=$(command -v busybox)
rm -rf "$dir"
mkdir -p "$dir/bin" "$dir/sbin" "$dir/etc" "$dir/root" "$dir/proc" "$dir/sys" "$dir/dev" "$dir/run" \
	"$dir/usr" "$dir/var"
mkdir -m 1777 "$dir/tmp"
ln -s ../bin "$dir/usr/bin"
ln -s ../sbin "$dir/usr/sbin"
cp "$busybox" "$dir/bin/busybox"
# init is left out: what runs is the machine's entrypoint.
"$busybox" --list | while read -r applet; do
	case $applet in
	busybox | init | linuxrc) ;;
	*) ln -s busybox "$dir/bin/$applet" ;;
	esac
done
echo "root:x:0:0:root:/root:/bin/sh" >"$dir/etc/passwd"
echo "root:x:0:" >"$dir/etc/group"
for program in "$@"; do
	path=$(realpath "$(command -v "$program")")
	rm -f "$dir/bin/$program" "$dir/sbin/$program"
	cp "$path" "$dir/bin/$program"
	ldd "$path" | grep -o '/[^ ]*' | while read -r library; do
		mkdir -p "$dir$(dirname "$library")"
		cp -L "$library" "$dir$library"
	done
done
