#!/bin/sh
# Prints the version of the newest installed kernel for machines.
set -eu
version=$(ls /boot/vmlinuz-*-cloud-amd64 2>/dev/null | sort -V | tail -n 1)
if [ -z "$version" ]; then
	echo "no /boot/vmlinuz-*-cloud-amd64: install linux-image-cloud-amd64 (make deps)" >&2
	exit 1
fi
echo "${version#/boot/vmlinuz-}"
