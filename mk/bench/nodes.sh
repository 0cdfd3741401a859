#!/bin/bash
# nodes.sh BUILD: what nodes take. Networks beside a program that makes the same calls to the kernel and nothing
# else; machines, from apply to entrypoint, beside QEMU by itself; the agent's memory. Needs root.
set -euo pipefail
build=$(realpath "$1")
zplan=$build/zplan
root=$(realpath "$(dirname "$0")/../..")
[ "$(id -u)" = 0 ] || { echo "skipped: sandbox nodes need root"; exit 0; }
box=$(mktemp -d /tmp/zplan-bench.XXXXXX)
export ZPLAN_SANDBOX=$box/s ZPLAN_NODES=$box/s/nodes.hcl NO_COLOR=1
unset TF_CLI_CONFIG_FILE
machines=${MACHINES:-4} networks=${NETWORKS:-500}
pids=()
finish() {
	for pid in ${pids[@]+"${pids[@]}"}; do kill "$pid" 2>/dev/null || true; done
	"$zplan" sandbox down >/dev/null 2>&1 || true
	rm -rf "$box"
}
trap finish EXIT
mkdir "$box/work"
seconds() { # COMMAND...: how long it took, in the work folder
	local start=$EPOCHREALTIME
	(cd "$box/work" && "$@" >"$box/out" 2>&1) || { tail -n 20 "$box/out" >&2; return 1; }
	awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN {printf "%.2f", b - a}'
}
row() { printf '%-34s %10s %10s %10s\n' "$@"; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.2fx", a / b}'; }
memory() { awk '/^VmRSS/ {print $2}' "/proc/$(cat "$ZPLAN_SANDBOX/n1/agent.pid")/status"; }

"$zplan" sandbox up >/dev/null
row what zplan minimal ratio

# --- networks ---
gcc -O2 -D_GNU_SOURCE -o "$box/networks" "$root/tests/bench/networks.c" \
	$(pkg-config --cflags --libs libnl-3.0 libnl-route-3.0 libnftables)
cat >"$box/work/main.tf" <<-TF
resource "zos_network" "n" {
  count = $networks
  nodes = ["n1"]
}
TF
(cd "$box/work" && "$zplan" init >/dev/null)
mkdir "$box/netns"
before=$(memory)
applied=$(seconds "$zplan" apply -auto-approve)
planned=$(seconds "$zplan" plan -detailed-exitcode)
removed=$(seconds "$zplan" destroy -auto-approve)
minimal=$(NETNS=$box/netns unshare -n -m "$box/networks" "$networks")
row "apply of $networks networks, s" "$applied" "$minimal" "$(ratio "$applied" "$minimal")"
row "plan, no changes, s" "$planned" "" ""
row "destroy, s" "$removed" "" ""

# --- machines: what is fetched once, the image, is there already ---
cat >"$box/work/main.tf" <<-TF
resource "zos_network" "n" { nodes = ["n1"] }
resource "zos_machine" "m" {
  count      = $machines
  node       = "n1"
  network    = zos_network.n.id
  flist      = "file://$build/rootfs/"
  entrypoint = "/bin/sh -c 'echo ENTRYPOINT; sleep 100000'"
}
TF
seconds "$zplan" apply -auto-approve >/dev/null
mkdir "$box/plain"
base=$box/plain/base.img
i=0
for folder in "$ZPLAN_SANDBOX"/n1/workloads/*~vm; do
	cp "$folder/config.img" "$box/plain/config$i.img"
	[ -e "$base" ] || cp --sparse=always "$(qemu-img info -U --output=json "$folder/root.qcow2" | jq -r '."full-backing-filename"')" "$base"
	i=$((i + 1))
done
seconds "$zplan" destroy -auto-approve -target=zos_machine.m >/dev/null
applied=$(seconds "$zplan" apply -auto-approve)
seconds "$zplan" destroy -auto-approve >/dev/null
accel=tcg,tb-size=32 cpu=qemu64,+rdrand
[ -w /dev/kvm ] && grep -qE 'vmx|svm' /proc/cpuinfo && accel=kvm cpu=host
size=$(qemu-img info --output=json "$base" | jq '."virtual-size"')
[ "$size" -ge 500000000 ] || size=524288000
start=$EPOCHREALTIME
for i in $(seq 0 $((machines - 1))); do
	(
		qemu-img create -q -f qcow2 -b "$base" -F raw "$box/plain/root$i.qcow2" "$size"
		exec qemu-system-x86_64 -M q35 -accel "$accel" -cpu "$cpu" -m 256 -smp 1 -nodefaults -display none \
			-kernel "$build/guest/vmlinux" -initrd "$build/guest/initramfs" \
			-append "console=ttyS0 quiet panic=-1 cryptomgr.notests noreplace-smp" \
			-serial "file:$box/plain/log$i" \
			-drive "file=$box/plain/root$i.qcow2,format=qcow2,if=none,id=r" \
			-device virtio-blk-pci,drive=r,serial=zplan-root \
			-drive "file=$box/plain/config$i.img,format=raw,readonly=on,if=none,id=c" \
			-device virtio-blk-pci,drive=c,serial=zplan-config \
			-netdev hubport,hubid=0,id=n -device "virtio-net-pci,netdev=n,romfile=,mac=$(grep -aoEm1 '02(:[0-9a-f]{2}){5}' "$box/plain/config$i.img" | head -n 1)"
	) >"$box/plain/qemu$i" 2>&1 &
	pids+=($!)
done
for i in $(seq 0 $((machines - 1))); do
	for _ in $(seq 2000); do grep -qs ENTRYPOINT "$box/plain/log$i" && break; sleep 0.02; done
	grep -q ENTRYPOINT "$box/plain/log$i" || { echo "plain QEMU did not come to its entrypoint"; cat "$box/plain/qemu$i" "$box/plain/log$i"; exit 1; }
done
minimal=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN {printf "%.2f", b - a}')
row "$machines machines to entrypoint, s" "$applied" "$minimal" "$(ratio "$applied" "$minimal")"
for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
wait; pids=()

# --- memory ---
cat >"$box/work/main.tf" <<-TF
resource "zos_ip" "i" {
  count = 2000
  node  = "n1"
  ipv4  = false
  ipv6  = true
}
TF
kill "$(cat "$ZPLAN_SANDBOX/n1/agent.pid")"; sleep 1; "$zplan" sandbox up >/dev/null; sleep 1
before=$(memory)
seconds "$zplan" apply -auto-approve >/dev/null
sleep 4
row "agent without workloads, MB" "$(awk -v a="$before" 'BEGIN {printf "%.1f", a / 1024}')" "" ""
row "per 1,000 workloads, MB" "$(awk -v a="$before" -v b="$(memory)" 'BEGIN {printf "%.1f", (b - a) / 1024 / 2}')" "" ""
