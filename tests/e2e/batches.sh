#!/bin/bash
# batches.sh BUILD: 2,000 workloads on four sandbox nodes; each node hears of them in a handful of messages, which
# are counted on their way. Needs root.
set -uo pipefail
build=$(realpath "$1")
root=$(realpath "$(dirname "$0")/../..")
zplan=$build/zplan
[ "$(id -u)" = 0 ] || { echo "skipped: sandbox nodes need root"; exit 0; }
box=$(mktemp -d /tmp/zplan-batch.XXXXXX)
export ZPLAN_SANDBOX=$box/s ZPLAN_NODES=$box/nodes.hcl NO_COLOR=1 ASAN_OPTIONS=detect_leaks=0
unset TF_CLI_CONFIG_FILE
failures=0 counter=
ok() { echo "ok $1"; }
failed() { echo "FAILED $1"; failures=$((failures + 1)); tail -n 30 "$box/out"; }
check() { local name=$1; shift; if "$@" >"$box/out" 2>&1; then ok "$name"; else failed "$name"; fi; }
finish() { [ -n "$counter" ] && kill "$counter" 2>/dev/null; "$zplan" sandbox down >/dev/null 2>&1; rm -rf "$box"; }
trap finish EXIT
trap 'exit 130' INT TERM
z() { (cd "$box/work" && timeout -k 10 120 "$zplan" "$@"); }
# few NAME MOST: no node was sent more messages than that since the last time
few() {
	rm -f "$ZPLAN_SANDBOX/counts"; kill -USR1 "$counter"
	for _ in $(seq 50); do [ -e "$ZPLAN_SANDBOX/counts" ] && break; sleep 0.1; done
	if [ "$(wc -l <"$ZPLAN_SANDBOX/counts")" = 4 ] && awk -v m="$2" '$2 < 1 || $2 > m {bad = 1} END {exit bad}' "$ZPLAN_SANDBOX/counts"; then
		ok "$1 ($(awk '{printf "%s%s", s, $2; s = ", "}' "$ZPLAN_SANDBOX/counts") messages)"
	else cp "$ZPLAN_SANDBOX/counts" "$box/out"; failed "$1"; fi
}

check "four nodes" "$zplan" sandbox up -nodes 4
python3 "$root/tests/e2e/count_messages.py" "$ZPLAN_SANDBOX" n1 n2 n3 n4 & counter=$!
for _ in $(seq 50); do [ -S "$ZPLAN_SANDBOX/n4.sock" ] && break; sleep 0.1; done
for i in 1 2 3 4; do echo "node \"n$i\" { connect = \"unix://$ZPLAN_SANDBOX/n$i.sock\" }"; done >"$ZPLAN_NODES"
mkdir "$box/work"
cat >"$box/work/main.tf" <<-TF
resource "zos_ip" "i" {
  count = 1500
  node  = "n\${count.index % 4 + 1}"
  ipv4  = false
  ipv6  = true
}
resource "zos_disk" "d" {
  count = 400
  node  = "n\${count.index % 4 + 1}"
  size  = 1
}
resource "zos_network" "n" {
  count = 100
  nodes = ["n\${count.index % 4 + 1}"]
}
TF
z init >/dev/null 2>&1
check "2,000 workloads are made" z apply -auto-approve
few "each node heard of it in a handful of messages" 24
[ "$("$zplan" sandbox status -json | jq '[.nodes[].workloads] | add')" = 2000 ] && ok "and has its share of them" || { "$zplan" sandbox status >"$box/out"; failed "and has its share of them"; }
check "a plan with nothing to do" z plan -detailed-exitcode
few "asks each node once per type" 4
check "all of them go" z destroy -auto-approve
few "in a handful of messages" 24
[ "$("$zplan" sandbox status -json | jq '[.nodes[].workloads] | add')" = 0 ] && ok "and none is left" || failed "and none is left"
[ "$failures" = 0 ]
