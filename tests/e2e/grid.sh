#!/bin/bash
# grid.sh BUILD: configurations in the style of the ThreeFold Grid's users (tests/grid) on three sandbox nodes, the last
# of them hidden: all are planned as they are, most of them made with real machines, reached, changed and destroyed.
# A mirror stands for hub.grid.tf. Needs root.
set -uo pipefail
build=$(realpath "$1")
root=$(realpath "$(dirname "$0")/../..")
zplan=$build/zplan
[ "$(id -u)" = 0 ] && command -v sshd >/dev/null || { echo "skipped: needs root and sshd"; exit 0; }

box=$(mktemp -d /tmp/zplan-grid.XXXXXX)
export ZPLAN_SANDBOX=$box/sandbox ZPLAN_NODES=$box/grid.hcl NO_COLOR=1 ASAN_OPTIONS=detect_leaks=0
unset TF_CLI_CONFIG_FILE SSH_AUTH_SOCK
failures=0

ok() { echo "ok $1"; }
failed() { echo "FAILED $1${2:+: $2}"; failures=$((failures + 1)); tail -n 40 "$box/out" 2>/dev/null; }
check() { local name=$1; shift; if "$@" >"$box/out" 2>&1; then ok "$name"; else failed "$name"; fi; }
says() { tr '\n' ' ' <"$box/out" | tr -s ' ' | grep -qF -- "$1"; }
z() { (cd "$box/$work" && timeout 120 "$zplan" "$@"); }
output() { z output -json "$1" | jq -r "${2:-.}"; }
from_client() { ip netns exec "$client" "$@"; }
page() { from_client curl -sgf -m 5 "http://$1"; }
wait_page() { # URL [TEXT]
	local until=$((SECONDS + 30))
	while [ $SECONDS -lt $until ]; do page "$1" 2>/dev/null | grep -q "${2:-.}" && return 0; sleep 0.2; done
	page "$1" >"$box/out" 2>&1
	return 1
}
# take NAME: a copy of a configuration to work in
take() { work=$1; mkdir -p "$(dirname "$box/$work")"; cp -a "$root/tests/grid/$work" "$box/$work"; }
applied() { local name=$1; shift; check "$work: $name" z apply -auto-approve "$@"; }
settled() { # NAME ARGUMENTS...: nothing is left to do
	local name=$1 status; shift
	z plan -detailed-exitcode "$@" >"$box/out" 2>&1; status=$?
	[ $status = 0 ] && ok "$work: $name" || failed "$work: $name" "exit status $status"
}
destroyed() { check "$work: destroyed" z destroy -auto-approve "$@"; }
workloads() { "$zplan" sandbox status -json | jq '[.nodes[].workloads] | add'; }

finish() {
	for pid in ${laptop:-} ${redis:-}; do kill "$pid" 2>/dev/null; done
	"$zplan" sandbox down >/dev/null 2>&1
	rm -rf "$box"
}
trap finish EXIT
trap 'exit 130' INT TERM

# --- what hub.grid.tf has, as far as the configurations go; and the numbers of the nodes ---
sh "$root/mk/rootfs.sh" "$box/base" sshd curl
cp "$root/tests/grid/zinit" "$box/base/sbin/zinit"
echo "sshd:x:74:74::/run/sshd:/bin/false" >>"$box/base/etc/passwd"
ssh-keygen -q -t ed25519 -N '' -f "$box/base/etc/host_key"
ssh-keygen -q -t ed25519 -N '' -f "$box/key"
printf 'HostKey /etc/host_key\nUsePAM no\nPermitRootLogin yes\nStrictModes no\n' >"$box/base/etc/sshd_config"
mkdir -p "$box/hub/tf-official-apps" "$box/hub/tf-official-vms"
for name in tf-official-apps/base:latest.flist tf-official-apps/threefolddev-k3s-v1.31.0.flist \
	tf-official-vms/ubuntu-22.04.flist; do
	ln -s "$box/base" "$box/hub/$name"
done
check "sandbox up" "$zplan" sandbox up -nodes=3 -hidden=1 -mirror="https://hub.grid.tf/=file://$box/hub/"
client=$("$zplan" sandbox status -json | jq -r .client_namespace)
for pair in 1:11 2:45 3:7; do
	printf 'node "zos%s" {\n  id      = %s\n  farm    = 1\n  connect = "unix://%s/n%s/agent.sock"\n}\n' \
		"${pair%:*}" "${pair#*:}" "$ZPLAN_SANDBOX" "${pair%:*}"
done >"$ZPLAN_NODES"
export TF_VAR_public_key=$box/key.pub TF_VAR_private_key=$box/key

# --- every one of them is planned as it is ---
while read -r name adds; do
	take "$name"
	mkdir -p "$box/planned/$(dirname "$name")" && mv "$box/$name" "$box/planned/$name" && work=planned/$name
	if z init >"$box/out" 2>&1 && z validate >>"$box/out" 2>&1 && z plan >"$box/out" 2>&1 &&
		says "Plan: $adds to add, 0 to change, 0 to destroy."; then ok "$name is planned"; else failed "$name is planned"; fi
	[ ! -e "$box/$work/.terraform.lock.hcl" ] || failed "$name: a lock file appeared"
done <<'PLANS'
single 4
multinode 3
k8s 4
k8s_module 2
disks 2
gateway_name 4
gateway_fqdn 2
dynamic_vms 2
scheduler 4
wireguard 2
zlogs 2
remote_exec 3
aliases 4
PLANS
while IFS='|' read -r name text; do
	take "$name"
	if ! z plan >"$box/out" 2>&1 && says "$text"; then ok "$name is refused"; else failed "$name is refused" "wanted \"$text\""; fi
done <<'REFUSALS'
invalid/cpu|"cpu" is a whole number of cores from 1 to 32, not 33
invalid/memory|"memory" is a whole number of MB from 256 to 262144, not 128
invalid/name|"not-a-name" is not
invalid/node|has no node "99". It has: "zos1" (11), "zos2" (45), "zos3" (7)
invalid/mount|no disk called "missing" to mount
refused/zdb|Node 11 does not offer key-value stores (zdb)
refused/qsfs|Node 11 does not offer quantum safe file systems (qsfs)
REFUSALS

# --- so are the examples of the pages ---
for page in "$root"/docs/resources/grid_*.md "$root"/docs/data-sources/grid_*.md; do
	work=pages/$(basename "$page" .md)
	mkdir -p "$box/$work" && awk '/^```$/ { on = 0 } on { print } /^```hcl$/ { on = 1 }' "$page" >"$box/$work/main.tf"
	check "the example of $(basename "$page")" z plan
done

# --- content that a mirror's folder does not hold ---
work=escape
mkdir -p "$box/$work" && sed 's|base:latest.flist|../../etc|' "$root/tests/grid/gateway_name/main.tf" >"$box/$work/main.tf"
if ! z apply -auto-approve >"$box/out" 2>&1 && says "leads out of the node's mirror"; then ok "a mirror is not left"; else failed "a mirror is not left"; fi
destroyed

# --- one node: disks, an address, and a sibling that stays as it is ---
take single
z apply -auto-approve -var SSH_KEY="$(cat "$box/key.pub")" >"$box/out" 2>&1
[ "$(grep -c "Settings without meaning" "$box/out")" = 1 ] && ok "single: the provider's settings are warned of once" || failed "single: the provider's settings are warned of once"
says "4 added, 0 changed, 0 destroyed" && ok "single: applied" || failed "single: applied"
ip=$(output vm1_computed_ip) other=$(output vm2_ip)
[ "$(output vm2_computed_ip)" = "" ] && ok "single: no public address is an empty text" || failed "single: no public address is an empty text"
wait_page "$ip/env" "MOTD=welcome" && ok "single: the machine answers at its public address" || failed "single: the machine answers at its public address"
page "$ip/mounts" | grep -q " /data ext4" && ok "single: its disk is mounted" || failed "single: its disk is mounted"
born=$(page "$ip/born")
wait_page "$ip/cgi-bin/get?$other/boot" && ok "single: the other one answers inside the network" || failed "single: the other one answers inside the network"
boot=$(page "$ip/cgi-bin/get?$other/boot")
settled "nothing left to do" -var SSH_KEY="$(cat "$box/key.pub")"
id=$(jq -r '.resources[] | select(.type == "grid_deployment").instances[0].attributes.id' "$box/single/terraform.tfstate")
# A third machine in front of the others, and a change of the first.
awk '/^  vms \{/ && !done { print "  vms {\n    name       = \"newcomer\"\n    flist      = local.hub_base\n    memory     = 256\n    entrypoint = local.entrypoint\n  }\n"; done = 1 } { print }' \
	"$root/tests/grid/single/main.tf" >"$box/single/main.tf"
z plan -var SSH_KEY="$(cat "$box/key.pub")" -var motd=changed >"$box/out" 2>&1
says "will be updated in-place" && says "0 to add, 1 to change, 0 to destroy" && ok "single: machines come and change in place" || failed "single: machines come and change in place"
applied "one more and one changed" -var SSH_KEY="$(cat "$box/key.pub")" -var motd=changed
wait_page "$ip/env" "MOTD=changed" && ok "single: the change is seen inside" || failed "single: the change is seen inside"
[ "$(page "$ip/born")" = "$born" ] && ok "single: the disk kept its data" || failed "single: the disk kept its data"
[ "$(page "$ip/cgi-bin/get?$other/boot")" = "$boot" ] && ok "single: the sibling was not touched" || failed "single: the sibling was not touched"
[ "$(jq -r '.resources[] | select(.type == "grid_deployment").instances[0].attributes.id' "$box/single/terraform.tfstate")" = "$id" ] && ok "single: the id stays" || failed "single: the id stays"
cp "$box/single/terraform.tfstate" "$box/state"
z state rm grid_deployment.d1 >"$box/out" 2>&1
check "single: what a node runs is imported" z import -var SSH_KEY=x grid_deployment.d1 "11/$id"
z plan -var SSH_KEY="$(cat "$box/key.pub")" -var motd=changed >"$box/out" 2>&1
says "0 to add, 1 to change, 0 to destroy" || says "No changes" && ok "single: an import loses nothing" || failed "single: an import loses nothing"
cp "$box/state" "$box/single/terraform.tfstate"
destroyed
[ "$(workloads)" = 0 ] && ok "single: nothing is left" || failed "single: nothing is left"

# --- two nodes and a laptop, through the tunnels ---
take multinode
applied "applied"
output wg_config >"$box/zgrid.conf"; chmod 600 "$box/zgrid.conf"
first=$(output first_ip) second=$(output second_ip)
from_client env WG_QUICK_USERSPACE_IMPLEMENTATION=wireguard-go wg-quick up "$box/zgrid.conf" >"$box/out" 2>&1
laptop=$(pgrep -f "wireguard-go zgrid" | head -n 1)
wait_page "$first/env" "ROLE=first" && ok "multinode: the laptop reaches the first" || failed "multinode: the laptop reaches the first"
wait_page "$second/env" "PEER=$first" && ok "multinode: and the second, on the other node" || failed "multinode: and the second, on the other node"
page "$second/cgi-bin/get?$first/name" | grep -q . && ok "multinode: they reach each other" || failed "multinode: they reach each other"
boot=$(page "$first/boot")
# A node joins, and goes again.
sed -i 's/nodes         = var.nodes/nodes         = concat(var.nodes, [7])/' "$box/multinode/main.tf"
applied "a hidden node joins"
[ "$(output ranges 'length')" = 3 ] && wait_page "$first/boot" "$boot" && ok "multinode: the machines did not notice" || failed "multinode: the machines did not notice"
cp "$root/tests/grid/multinode/main.tf" "$box/multinode/main.tf"
applied "and leaves"
settled "nothing left to do"
from_client wg-quick down "$box/zgrid.conf" >/dev/null 2>&1; laptop=
destroyed

# --- a cluster: workers come and go ---
take k8s
applied "applied"
master=$(output computed_master_public_ip | cut -d/ -f1) inside=$(output computed_master_ip)
wait_page "$master/env" "K3S_NODE_NAME=mr" && ok "k8s: the master answers" || failed "k8s: the master answers"
page "$master/mounts" | grep -q " /mydisk ext4" && ok "k8s: with its disk" || failed "k8s: with its disk"
boot=$(page "$master/boot")
wait_page "$master/cgi-bin/get?$(output worker_ips .w0)/env" "K3S_URL=https://$inside:6443" && ok "k8s: the worker knows the master" || failed "k8s: the worker knows the master"
settled "nothing left to do"
applied "a worker more, one less" -var 'workers={w1=45}'
wait_page "$master/cgi-bin/get?$(output worker_ips .w1)/env" "K3S_NODE_NAME=w1" && ok "k8s: the new worker answers" || failed "k8s: the new worker answers"
[ "$(page "$master/boot")" = "$boot" ] && ok "k8s: the master was not touched" || failed "k8s: the master was not touched"
destroyed -var 'workers={w1=45}'

# --- a name on a gateway ---
take gateway_name
applied "applied"
fqdn=$(output fqdn)
[ "$(output proxy_fqdn)" = "$fqdn" ] && ok "gateway_name: the data source and the proxy agree" || failed "gateway_name: the data source and the proxy agree"
for _ in $(seq 1 100); do from_client curl -sf -m 5 --resolve "$fqdn:80:198.18.0.11" "http://$fqdn/env" >"$box/out" 2>&1 && break; sleep 0.2; done
grep -q "DOMAIN=$fqdn" "$box/out" && ok "gateway_name: the machine answers under its name" || failed "gateway_name: the machine answers under its name"
settled "nothing left to do"
destroyed

# --- nodes that were chosen ---
take scheduler
applied "applied"
[ "$(output nodes '[.node1, .node2] | sort | map(tostring) | join(",")')" = "11,45" ] && ok "scheduler: distinct nodes, without the excluded one" || failed "scheduler: distinct nodes, without the excluded one"
wait_page "$(output public_ip | cut -d/ -f1)/name" && ok "scheduler: the machine answers" || failed "scheduler: the machine answers"
settled "nothing left to do"
destroyed

# --- consoles as streams ---
take zlogs
sed -i '/ws:/d' "$box/zlogs/main.tf"
from_client python3 -c '
import socket, threading, sys
def serve(peer):
	text = peer.makefile("rb")
	while (line := text.readline()):
		if not line.startswith(b"*"): continue
		words = []
		for _ in range(int(line[1:])):
			words.append(text.read(int(text.readline()[1:]))); text.readline()
		if words[0].upper() == b"PUBLISH": sys.stdout.buffer.write(words[2] + b"\n"); sys.stdout.flush()
		peer.sendall(b":1\r\n" if words[0].upper() == b"PUBLISH" else b"+OK\r\n")
server = socket.create_server(("198.18.0.2", 6379))
while True: threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()' >"$box/published" 2>/dev/null &
redis=$!
applied "applied"
for _ in $(seq 1 100); do grep -q "is alive" "$box/published" && break; sleep 0.2; done
grep -q "is alive" "$box/published" && ok "zlogs: what the machine says arrives" || failed "zlogs: what the machine says arrives"
settled "nothing left to do"
destroyed
kill "$redis" 2>/dev/null; redis=

# --- aliases, count, for_each and planetary addresses ---
take aliases
if [ -x /usr/sbin/yggdrasil ]; then
	applied "applied"
	[ "$(output planetary '[.a, .b] | map(select(test("^[23][0-9a-f]*:"))) | unique | length')" = 2 ] && ok "aliases: planetary addresses" || failed "aliases: planetary addresses"
	settled "nothing left to do"
	destroyed
fi

# --- provisioners over ssh, into the machine; zplan runs where the machine can be reached ---
take remote_exec
check "remote_exec: applied" from_client env -C "$box/remote_exec" timeout 120 "$zplan" apply -auto-approve
[ "$(page "$(output public_ip)/made")" = "made by provisioned" ] && ok "remote_exec: the file is there" || failed "remote_exec: the file is there"
[ "$(page "$(output public_ip)/installed" | tr '\n' ' ')" = "installed again " ] && ok "remote_exec: the commands ran" || failed "remote_exec: the commands ran"
destroyed
[ "$(workloads)" = 0 ] && ok "nothing is left on any node" || failed "nothing is left on any node"
check "sandbox down" "$zplan" sandbox down
[ "$failures" = 0 ]
