#!/bin/bash
# faults.sh BUILD: the process ends at the n-th place where that is worth trying; one more apply, and the
# state, the nodes' registries and the node's volumes agree. Needs root, and a BUILD made with
# CC="gcc -DZP_FAULTS". ZPLAN_FAULTS_STEP=N tries every N-th place only (1: all of them).
set -uo pipefail
build=$(realpath "$1")
zplan=$build/zplan
step=${ZPLAN_FAULTS_STEP:-1}
[ "$(id -u)" = 0 ] || { echo "skipped: sandbox nodes need root"; exit 0; }
grep -qa ZPLAN_FAULT "$zplan" || { echo "skipped: built without -DZP_FAULTS"; exit 0; }
box=$(mktemp -d /tmp/zplan-faults.XXXXXX)
export ZPLAN_SANDBOX=$box/sandbox ZPLAN_NODES=$box/sandbox/nodes.hcl NO_COLOR=1 ASAN_OPTIONS=detect_leaks=0
unset TF_CLI_CONFIG_FILE
work=$box/work
failures=0
finish() { "$zplan" sandbox down >/dev/null 2>&1; rm -rf "$box"; }
trap finish EXIT
trap 'exit 130' INT TERM

z() { (cd "$work" && timeout 100 "$zplan" "$@"); }
failed() { echo "FAILED $1"; failures=$((failures + 1)); tail -n 25 "$box/out"; cp "$work"/terraform.tfstate* "$box/" 2>/dev/null; }

# what NAME REVISION: the configuration of that revision
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
	resource "zos_disk" "only_$1" {
	  node = "n1"
	  size = 1
	}
	TF
}

# Ids of the disks in the state; of the volumes the node has.
known() { jq -r '.resources[]? | select(.type == "zos_disk") | .instances[].attributes.id' "$work/terraform.tfstate" 2>/dev/null | sort; }
agrees() { # NAME DISKS
	z plan -detailed-exitcode >"$box/out" 2>&1 || { failed "$1: nothing is left to do"; return 1; }
	[ "$(known | wc -l)" = "$2" ] || { known >"$box/out"; failed "$1: $2 disks in the state"; return 1; }
	[ "$(jq '[.resources[].instances[] | select(.deposed)] | length' "$work/terraform.tfstate")" = 0 ] ||
		{ failed "$1: nothing lies deposed"; return 1; }
	if [ "$2" != 0 ]; then
		z state recover -dry-run >"$box/out" 2>&1
		grep -q "has all that the nodes know" "$box/out" || { failed "$1: nothing is orphaned"; return 1; }
	fi
	local volumes; volumes=$(find "$ZPLAN_SANDBOX/n1" -path '*volumes/*' -type f 2>/dev/null | wc -l)
	[ -z "${per_disk:-}" ] || [ "$volumes" = $(($2 * per_disk)) ] ||
		{ find "$ZPLAN_SANDBOX/n1" -path '*volumes/*' >"$box/out"; failed "$1: volumes of the node"; return 1; }
	[ ! -e "$work/.terraform.tfstate.journal" ] || { failed "$1: the journal is gone"; return 1; }
}
# From revision $1 (with $2 disks) to $3 (with $4): ended at the n-th place, for every n there is.
sweep() {
	local n=1 status tried=0 before=$failures
	while [ $n -lt 1000 ]; do
		config "$1"; z apply -auto-approve >"$box/out" 2>&1 || { failed "$1 to $3, $n: way back"; break; }
		config "$3"
		(cd "$work" && ZPLAN_FAULT=any:$n timeout 100 "$zplan" apply -auto-approve) >"$box/out" 2>&1; status=$?
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
sweep none 0 a 5
sweep a 5 b 5
sweep b 5 none 0
[ $failures = 0 ]
