# Content of every kind for machines, made with the tools people make it with. Sourced; needs $build and $root.

# tree FOLDER MARK: a root file system that says MARK at /mark, and serves /www
tree() {
	cp -a "$build/rootfs" "$1"
	mkdir "$1/www"
	echo "$2" >"$1/www/mark"
	cat >"$1/bin/serve" <<-'SH'
	#!/bin/sh
	cp /proc/sys/kernel/random/boot_id /proc/mounts /www/
	nproc >/www/cpus
	hostname >/www/name
	sed -n 's/MemTotal: *\([0-9]*\).*/\1/p' /proc/meminfo >/www/memory
	echo "$GREETING" >/www/greeting
	for d in /data /data/inner; do
		[ -d $d ] || continue
		[ -e $d/first ] || cat /www/mark >$d/first
		cat $d/first >>/www/first
		[ -e $d/stopped ] && cp $d/stopped /www/
	done
	stop() { echo gracefully >/data/stopped; sync; exit 0; }
	trap stop TERM
	echo "SERVING $1"
	httpd -f -p 80 -h /www &
	wait
	SH
	chmod 755 "$1/bin/serve"
}

# system FOLDER MARK: the same with a kernel, an initrd and an init of its own, which reads the NoCloud seed as cloud-init
# would, and ends when the power button is pressed
system() {
	local version initrd=$box/initrd
	version=$(sh "$root/mk/kernel-version.sh")
	tree "$1" "$2"
	mkdir -p "$1/boot" "$1/etc/acpi/PWRF" "$1/modules" "$1/seed" "$1/var/log" "$1/var/run"
	cp "/boot/vmlinuz-$version" "$1/boot/vmlinuz-$version"
	ln -s "vmlinuz-$version" "$1/boot/vmlinuz"
	for module in drivers/cdrom/cdrom fs/isofs/isofs; do cp "/lib/modules/$version/kernel/$module.ko" "$1/modules/"; done
	printf '#!/bin/sh\npoweroff -f\n' >"$1/etc/acpi/PWRF/00000080"
	chmod 755 "$1/etc/acpi/PWRF/00000080"
	cat >"$1/sbin/init" <<-'SH'
	#!/bin/sh
	export PATH=/sbin:/bin
	[ -e /dev/vda ] || mount -t devtmpfs dev /dev
	mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t tmpfs tmp /run
	insmod /modules/cdrom.ko; insmod /modules/isofs.ko
	for disk in /dev/vd?; do mount -t iso9660 -o ro $disk /seed 2>/dev/null && break; done
	value() { tr '{,' '\n\n' </seed/$2 | sed -n "s/.*\"$1\":[^\"]*\"\([^\"]*\)\".*/\1/p" | head -n 1; }
	hostname "$(value local-hostname meta-data)"
	ip link set eth0 up
	ip addr add "$(value addresses network-config)" dev eth0
	ip route add default via "$(value via network-config)"
	cat /proc/cmdline >/www/cmdline
	cp /seed/user-data /seed/network-config /seed/meta-data /www/
	echo "$0 $*" >/www/started
	acpid -c /etc/acpi
	exec serve system
	SH
	chmod 755 "$1/sbin/init"
	cp "$1/sbin/init" "$1/sbin/other"
	make_initrd "$initrd" && cp "$initrd" "$1/boot/initrd.img"
}

# As a distribution's: drivers for the root, and the program the command line names.
make_initrd() {
	local folder
	folder=$(mktemp -d "$box/initrd.XXXXXX")
	(cd "$folder" && cpio --quiet -i <"$build/guest/initramfs") || return 1
	mkdir -p "$folder/bin" "$folder/new"
	cp "$build/rootfs/bin/busybox" "$folder/bin/"
	cat >"$folder/init" <<-'SH'
	#!/bin/busybox sh
	/bin/busybox --install -s /bin
	mount -t devtmpfs dev /dev; mount -t proc proc /proc
	while read -r module; do insmod "/modules/$module"; done </modules/order
	init=/sbin/init
	for word in $(cat /proc/cmdline); do
		case $word in root=*) disk=${word#root=} ;; init=*) init=${word#init=} ;; esac
	done
	while [ ! -e "$disk" ]; do sleep 0.1; done
	mount -t ext4 "$disk" /new
	umount /proc
	mount -o move /dev /new/dev
	exec switch_root /new "$init" "$@"
	SH
	(cd "$folder" && find . | cpio --quiet -o -H newc) >"$1"
}

# disk FILE FOLDER: a disk with a partition of the folder, and GRUB
disk() {
	local i386=/usr/lib/grub/i386-pc
	truncate -s 160M "$1"
	mkfs.ext4 -q -E offset=1048576 -d "$2" "$1" 158M || return 1
	cat >"$box/grub.cfg" <<-'GRUB'
	set root=(hd0,msdos1)
	linux /boot/vmlinuz root=/dev/vda1 rw console=ttyS0 quiet
	initrd /boot/initrd.img
	boot
	GRUB
	grub-mkimage -O i386-pc -d "$i386" -p / -c "$box/grub.cfg" -o "$box/core.img" biosdisk part_msdos ext2 linux boot || return 1
	# A partition from the first MiB on, of Linux's type, to be booted.
	dd if="$i386/boot.img" of="$1" bs=440 count=1 conv=notrunc status=none
	printf '\200\0\0\0\203\0\0\0\0\010\0\0\0\360\004\0' | dd of="$1" bs=1 seek=446 conv=notrunc status=none
	printf '\125\252' | dd of="$1" bs=1 seek=510 conv=notrunc status=none
	dd if="$box/core.img" of="$1" bs=512 seek=1 conv=notrunc status=none
}
