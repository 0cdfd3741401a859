#!/bin/bash
# faults.sh BUILD: the process ends at the n-th place where that is worth trying, the node's daemon dies, the
# disk is full; one more apply, and the state, the node's registry and what the node has agree. Needs root,
# and for the first of these a BUILD with -DZP_FAULTS, as with SAN=1. ZPLAN_FAULTS_STEP=1 tries all places.
set -uo pipefail
build=$(realpath "$1")
zplan=$build/zplan
step=${ZPLAN_FAULTS_STEP:-9}
[ "$(id -u)" = 0 ] || { echo "skipped: sandbox nodes need root"; exit 0; }
box=$(mktemp -d /tmp/zplan-faults.XXXXXX)
export ZPLAN_SANDBOX=$box/sandbox ZPLAN_NODES=$box/sandbox/nodes.hcl NO_COLOR=1 ASAN_OPTIONS=detect_leaks=0
unset TF_CLI_CONFIG_FILE
work=$box/work
failures=0
finish() { mountpoint -q "$box/small" && umount "$box/small"; "$zplan" sandbox down >/dev/null 2>&1; rm -rf "$box"; }
trap finish EXIT
trap 'exit 130' INT TERM

z() { (cd "$work" && timeout -k 10 100 "$zplan" "$@"); }
failed() { echo "FAILED $1"; failures=$((failures + 1)); tail -n 25 "$box/out"; cp "$work"/terraform.tfstate* "$box/" 2>/dev/null; }

# config REVISION: its configuration; "none" has nothing in it
config() {
	: >"$work/main.tf"
	[ "$1" = none ] && return
	cat >"$work/main.tf" <<-TF
	resource "terraform_data" "rev" { input = "$1" }
	resource "random_pet" "name" { keepers = { rev = "$1" } }
	resource "zos_network" "main" { nodes = ["n1"] }
	resource "zos_disk" "kept" {
	  node        = "n1"
	  size        = 1
	  description = "revision $1"
	}
	resource "zos_disk" "replaced" {
	  node = "n1"
	  size = 1
	  lifecycle { replace_triggered_by = [terraform_data.rev] }
	}
	resource "zos_disk" "first" {
	  count = 2
	  node  = "n1"
	  size  = 1
	  lifecycle {
	    create_before_destroy = true
	    replace_triggered_by  = [terraform_data.rev]
	  }
	}
	resource "zos_ip" "moves" {
	  node = "n1"
	  lifecycle { replace_triggered_by = [terraform_data.rev] }
	}
	resource "zos_gateway_name" "web" {
	  node     = "n1"
	  name     = "web"
	  backends = ["http://198.18.0.$([ "$1" = a ] && echo 50 || echo 51):80"]
	}
	resource "local_file" "note" {
	  filename = "\${path.module}/note.txt"
	  content  = zos_disk.replaced.id
	}
	resource "zos_disk" "only_$1" {
	  node = "n1"
	  size = 1
	}
	TF
}

# Ids of the disks in the state; of the volumes the node has.
known() { jq -r '.resources[]? | select(.type == "zos_disk") | .instances[].attributes.id' "$work/terraform.tfstate" 2>/dev/null | sort; }
# How many of each the node has: names and addresses are others every time.
kernel() {
	local n1; n1=$(ip netns list | cut -d" " -f1 | grep -- "-n1" | LC_ALL=C sort)
	for name in $n1; do
		echo "links $(ip -n "$name" -o link | wc -l)"
		echo "bridges $(ip -n "$name" -o link show type bridge | wc -l)"
		ip netns exec "$name" nft list ruleset 2>/dev/null | grep -cE '^\s*(table|chain)' | sed 's/^/nft /'
	done
	find "$ZPLAN_SANDBOX/n1" -name '*.raw' -o -name '*.img' -o -path '*/volumes/*' -type f | wc -l | sed 's/^/volumes /'
}
agrees() { # NAME DISKS
	z plan -detailed-exitcode >"$box/out" 2>&1 || { failed "$1: nothing is left to do"; return 1; }
	[ "$(known | wc -l)" = "$2" ] || { known >"$box/out"; failed "$1: $2 disks in the state"; return 1; }
	[ "$(jq '[.resources[].instances[] | select(.deposed)] | length' "$work/terraform.tfstate")" = 0 ] ||
		{ failed "$1: nothing lies deposed"; return 1; }
	if [ "$2" != 0 ]; then
		z state recover -dry-run >"$box/out" 2>&1
		grep -q "has all that the nodes know" "$box/out" || { failed "$1: nothing is orphaned"; return 1; }
	fi
	kernel >"$box/kernel"
	[ ! -e "$box/kernel.$2" ] && cp "$box/kernel" "$box/kernel.$2"
	diff "$box/kernel.$2" "$box/kernel" >"$box/out" || { failed "$1: what the kernel has"; return 1; }
	[ ! -e "$work/terraform.tfstate.journal" ] || { failed "$1: the journal is gone"; return 1; }
}
# From revision $1 (with $2 disks) to $3 (with $4): ended at the n-th place, for every n there is.
sweep() {
	local n=1 status tried=0 before=$failures
	while [ $n -lt 1000 ]; do
		config "$1"; z apply -auto-approve >"$box/out" 2>&1 || { failed "$1 to $3, $n: way back"; break; }
		config "$3"
		(cd "$work" && ZPLAN_FAULT=any:$n timeout -k 10 100 "$zplan" apply -auto-approve) >"$box/out" 2>&1; status=$?
		[ $status = 0 ] && break
		[ $status = 86 ] || { failed "$1 to $3, $n: exit status $status"; break; }
		tried=$((tried + 1))
		z apply -auto-approve >"$box/out" 2>&1 || { failed "$1 to $3, $n: apply again"; break; }
		agrees "$1 to $3, $n" "$4"
		n=$((n + step))
	done
	[ "$failures" = $before ] && [ $tried -gt 0 ] && echo "ok ended at $tried places from $1 to $3"
}

"$zplan" sandbox up >"$box/out" 2>&1 || { failed "sandbox up"; exit 1; }
mkdir -p "$work"
if grep -qa ZPLAN_FAULT "$zplan"; then
	sweep none 0 a 5
	sweep a 5 b 5
	sweep b 5 none 0
else
	echo "skipped: built without -DZP_FAULTS"
fi

# The node's daemon dies while it works.
from=none to=a before=$failures
for delay in 0.00 0.02 0.05 0.10 0.2; do
	config $to
	(cd "$work" && timeout -k 10 100 "$zplan" apply -auto-approve) >"$box/out" 2>&1 & apply=$!
	for _ in $(seq 500); do [ -s "$work/terraform.tfstate.journal" ] && break; kill -0 $apply 2>/dev/null || break; sleep 0.01; done
	sleep $delay
	kill -9 "$(cat "$ZPLAN_SANDBOX/n1/agent.pid")"
	wait $apply
	"$zplan" sandbox up >"$box/out" 2>&1 || failed "the daemon died after $delay: sandbox up"
	z apply -auto-approve >"$box/out" 2>&1 || failed "the daemon died after $delay: apply again"
	agrees "the daemon died after $delay" 5
	from=$to; [ $from = a ] && to=b || to=a
done
[ $failures = $before ] && echo "ok the daemon died"
config none; z apply -auto-approve >"$box/out" 2>&1 || failed "all of it goes"

# No room for the journal, or the state.
before=$failures full=0
mkdir "$box/small" && mount -t tmpfs -o size=256k,mode=700 none "$box/small" || { echo "skipped: no tmpfs"; exit 0; }
work=$box/small
to=a
for room in 0 4 8 12 16 24 32 48; do
	config $to
	head -c $(($(df --output=avail -k "$work" | tail -1) * 1024 - room * 1024)) /dev/zero >"$work/filler"
	z apply -auto-approve >"$box/out" 2>&1 || full=$((full + 1))
	rm -f "$work/filler"
	z apply -auto-approve >"$box/out" 2>&1 || failed "$room KiB of room: apply again"
	agrees "$room KiB of room" 5
	[ $to = a ] && to=b || to=a
done
[ $full -gt 0 ] || failed "the disk was never full"
[ $failures = $before ] && echo "ok the disk was full $full times"
config none; z apply -auto-approve >"$box/out" 2>&1 || failed "all of it goes again"
[ $failures = 0 ]
