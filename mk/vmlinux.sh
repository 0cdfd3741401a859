#!/bin/sh
# vmlinux.sh OUT: the uncompressed kernel out of a bzImage. It boots faster than the bzImage and its pages
# are shared between machines. Where the payload is not understood, OUT is the bzImage itself, which
# boots as well.
set -eu
out=$1
image=/boot/vmlinuz-$(sh "$(dirname "$0")/kernel-version.sh")

number() { # OFFSET SIZE
	od -An -t "u$2" -j "$1" -N "$2" "$image" | tr -d ' '
}

unpack() { # PAYLOAD
	case $(od -An -t x1 -N 4 "$1" | tr -d ' ') in
	02214c18) lz4 -d -c "$1" ;;
	1f8b*) gzip -d -c "$1" ;;
	fd377a58) xz -d -c "$1" ;;
	28b52ffd) zstd -d -c "$1" ;;
	*) return 1 ;;
	esac 2>/dev/null
}

# The boot protocol: sectors of the setup at 0x1f1, offset and length of the payload at 0x248. The
# payload's last four bytes are the length of what it unpacks to.
start=$((($(number 497 1) + 1) * 512 + $(number 584 4)))
length=$(($(number 588 4) - 4))
trap 'rm -f "$out.payload" "$out.new"' EXIT
tail -c "+$((start + 1))" "$image" | head -c "$length" >"$out.payload"
if ! unpack "$out.payload" >"$out.new" || [ "$(od -An -t x1 -N 4 "$out.new" | tr -d ' ')" != 7f454c46 ]
then
	cp "$image" "$out.new"
fi
chmod 644 "$out.new"
mv -f "$out.new" "$out"
