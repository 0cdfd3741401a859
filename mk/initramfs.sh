#!/bin/sh
# initramfs.sh INIT OUT: the init and the modules machines need, in the order they are to be loaded.
set -eu
init=$1 out=$2
version=$(sh "$(dirname "$0")/kernel-version.sh")
modules="virtio_pci virtio_blk virtio_net squashfs overlay virtiofs qemu_fw_cfg button evdev"
PATH=$PATH:/sbin:/usr/sbin

tree=$(mktemp -d)
trap 'rm -rf "$tree" "$out.new"' EXIT
mkdir "$tree/modules" "$tree/dev" "$tree/proc" "$tree/sys"
cp "$init" "$tree/init"
for module in $modules; do
	modprobe -S "$version" --show-depends "$module"
done | while read -r verb file _; do
	name=$(basename "$file")
	if [ "$verb" = insmod ] && [ ! -e "$tree/modules/$name" ]; then
		strip --strip-debug -o "$tree/modules/$name" "$file"
		echo "$name" >>"$tree/modules/order"
	fi
done
find "$tree" -exec touch -h -d @0 {} +
(cd "$tree" && find . -mindepth 1 | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0 --reproducible) \
	>"$out.new"
mv -f "$out.new" "$out"
