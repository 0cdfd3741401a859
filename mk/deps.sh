#!/bin/sh
# deps.sh: installs every Debian package zplan needs to build, test and run, where one is missing.
set -eu
here=$(dirname "$0")
missing=""
while read -r package; do
	case $package in "" | \#*) continue ;; esac
	status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
	[ "$status" = installed ] || missing="$missing $package"
done <"$here/packages.txt"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
	echo "make deps: these packages are missing, and installing them needs root:$missing" >&2
	exit 1
fi
echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# A fresh machine has no service manager to start daemons with, and none is needed.
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing >/dev/null
