#!/bin/bash
# networks.sh BUILD: private networks, public addresses and the choice of nodes, on three sandbox nodes of which
# one is hidden, looked at from namespaces that play machines, from a machine, and from a laptop. Needs root.
set -uo pipefail
build=$(realpath "$1")
zplan=$build/zplan
root=$(realpath "$(dirname "$0")/../..")
[ "$(id -u)" = 0 ] || { echo "skipped: sandbox nodes need root"; exit 0; }
box=$(mktemp -d /tmp/zplan-net.XXXXXX)
export ZPLAN_SANDBOX=$box/sandbox ZPLAN_NODES=$box/sandbox/nodes.hcl NO_COLOR=1 ASAN_OPTIONS=detect_leaks=0
unset TF_CLI_CONFIG_FILE
work=$box/work
mkdir "$work"
failures=0 machines=() pings=() laptop=

ok() { echo "ok $1"; }
failed() { echo "FAILED $1"; failures=$((failures + 1)); tail -n 30 "$box/out"; }
check() { local name=$1; shift; if "$@" >"$box/out" 2>&1; then ok "$name"; else failed "$name"; fi; }
refused() { local name=$1; shift; if "$@" >"$box/out" 2>&1; then failed "$name"; else ok "$name"; fi; }
fails() { # NAME TEXT COMMAND...
	local name=$1 text=$2; shift 2
	if "$@" >"$box/out" 2>&1; then failed "$name"
	elif tr '\n' ' ' <"$box/out" | tr -s ' ' | grep -qF "$text"; then ok "$name"; else failed "$name"; fi
}
z() { (cd "$work" && timeout -k 10 120 "$zplan" "$@"); }
apply() { z apply -auto-approve; }
no_changes() { z plan -detailed-exitcode; }
finish() {
	for pid in ${pings[@]+"${pings[@]}"} $laptop; do kill "$pid" 2>/dev/null; done
	for name in ${machines[@]+"${machines[@]}"}; do ip netns del "$name" 2>/dev/null; done
	"$zplan" sandbox down >/dev/null 2>&1
	rm -rf "$box"
}
trap finish EXIT
trap 'exit 130' INT TERM

# What a network is called in the kernel of a node: its bridge holds the gateway's veth, so the new one is it.
bridges() { ip -n "$tag-$1" -o link show type bridge | sed 's/^[0-9]*: \([^:@]*\).*/\1/' | grep -v pub0 | sort; }
# machine NAME NODE BRIDGE ADDRESS: a namespace on a network's bridge, as a machine's tap would be
machine() {
	local name=$tag-$1 gateway=${4%.*}.1
	ip netns add "$name" && machines+=("$name") &&
		ip -n "$tag-$2" link add "m-$1" type veth peer name eth0 netns "$name" &&
		ip -n "$tag-$2" link set "m-$1" master "$3" up && ip -n "$name" link set lo up &&
		ip -n "$name" addr add "$4/24" dev eth0 && ip -n "$name" link set eth0 up &&
		ip -n "$name" route add default via "$gateway"
}
ping_from() { ip netns exec "$tag-$1" ping -q -c "${3:-2}" -i 0.2 -W 1 "$2"; }
reaches() { for _ in $(seq 15); do ip netns exec "$tag-$1" ping -q -c 1 -W 1 "$2" && return 0; done; return 1; }

check "three nodes, one hidden" "$zplan" sandbox up -nodes 3 -hidden 1
client=$("$zplan" sandbox status -json | jq -r .client_namespace)
tag=${client%-client}

# --- a mesh ---
config() { # NODES...: a network of theirs with access for a laptop
	local list; list=$(printf '"%s",' "$@")
	cat >"$work/main.tf" <<-TF
	resource "zos_network" "a" {
	  nodes         = [${list%,}]
	  add_wg_access = true
	}
	output "access" {
	  value     = zos_network.a.access_wg_config
	  sensitive = true
	}
	TF
}
config n1 n2
z init >/dev/null 2>&1
check "a network of two nodes" apply
check "no changes after it" no_changes
declare -A first
for n in n1 n2; do first[$n]=$(bridges $n); done
machine a1 n1 "${first[n1]}" 10.1.1.2
machine a2 n2 "${first[n2]}" 10.1.2.2
check "machines on two nodes reach each other" reaches a1 10.1.2.2
check "and the internet, masqueraded" ping_from a1 198.18.0.2
# Nodes come and go while machines talk: not one packet of those that stay is lost.
ip netns exec "$tag-a1" ping -q -i 0.05 10.1.2.2 >"$box/ping" 2>&1 & pings+=($!)
config n1 n2 n3
check "a hidden node joins" apply
first[n3]=$(bridges n3)
machine a3 n3 "${first[n3]}" 10.1.3.2
check "the hidden node reaches a public one" reaches a3 10.1.1.2
check "and the other one" reaches a3 10.1.2.2
check "and is reached" reaches a2 10.1.3.2
config n1 n2
check "it leaves again" apply
refused "and is reached no more" ping_from a2 10.1.3.2 1
kill -INT "${pings[0]}"; wait "${pings[0]}" 2>/dev/null; pings=()
lost=$(sed -n 's/^\([0-9]*\) packets transmitted, \([0-9]*\) received.*/\1 \2/p' "$box/ping")
[ "${lost% *}" -gt 20 ] && [ "${lost% *}" = "${lost#* }" ] && ok "no packet was lost meanwhile" || { cp "$box/ping" "$box/out"; failed "no packet was lost meanwhile: $lost"; }
ip netns del "$tag-a3" 2>/dev/null

# --- a laptop ---
config n1 n2 n3
check "all three nodes again" apply
machine a3 n3 "$(bridges n3)" 10.1.3.2
z output -raw access >"$box/zlap.conf"
ip netns exec "$client" env WG_QUICK_USERSPACE_IMPLEMENTATION=wireguard-go \
	wg-quick up "$box/zlap.conf" >"$box/out" 2>&1 && ok "wg-quick takes the file" || failed "wg-quick takes the file"
laptop=$(pgrep -f "wireguard-go zlap" | head -n 1)
check "the laptop reaches the node it calls" reaches client 10.1.1.2
check "another one" reaches client 10.1.2.2
check "and the hidden one" reaches client 10.1.3.2
stripped() { grep -q 'PrivateKey' "$box/zlap.conf" && ! z plan | grep -q "$(z output -raw access | sed -n 's/PrivateKey = //p')" && ! z show | grep -q PrivateKey; }
check "its key is shown nowhere" stripped
before=$(sha256sum "$box/zlap.conf")
check "an apply changes nothing of it" apply
z output -raw access >"$box/zlap.conf"
[ "$before" = "$(sha256sum "$box/zlap.conf")" ] && ok "the file stays the same" || failed "the file stays the same"
ip netns exec "$client" wg-quick down "$box/zlap.conf" >/dev/null 2>&1; laptop=

# --- the same range twice ---
cat >>"$work/main.tf" <<-TF
resource "zos_network" "b" { nodes = ["n1", "n2"] }
TF
check "a second network of the same range" apply
second() { bridges "$1" | grep -vx "${first[$1]}"; }
machine b1 n1 "$(second n1)" 10.1.1.2
machine b2 n2 "$(second n2)" 10.1.2.3
check "its machines reach each other" reaches b1 10.1.2.3
refused "those of the first do not reach them" ping_from a1 10.1.2.3 1
refused "nor they those of the first" ping_from b1 10.1.2.2 1
check "the first works as before" ping_from a1 10.1.2.2
check "both reach the internet" ping_from b1 198.18.0.2
refused "the internet does not reach in" ping_from client 10.1.1.2 1

# --- choosing nodes, public addresses, and one who pretends ---
cat >"$work/main.tf" <<-TF
data "zos_nodes" "all" {}
data "zos_nodes" "public" { public_config = true }
data "zos_node" "n3" { node = "n3" }
resource "zos_scheduler" "places" {
  requests {
    name             = "web"
    public_config    = true
    public_ips_count = 1
    node_exclude     = ["n2"]
    distinct         = true
  }
  requests {
    name     = "db"
    distinct = true
  }
}
resource "zos_network" "a" { nodes = [zos_scheduler.places.nodes["web"]] }
resource "zos_ip" "web" {
  node = zos_scheduler.places.nodes["web"]
  ipv6 = true
}
resource "zos_machine" "web" {
  node       = zos_scheduler.places.nodes["web"]
  network    = zos_network.a.id
  public_ip  = zos_ip.web.id
  flist      = "file://$build/rootfs/"
  entrypoint = "/bin/sh -c 'eval \"\$SCRIPT\"'"
  env        = { SCRIPT = "\${file("serve.sh")}" }
}
output "facts" { value = [data.zos_nodes.all.names, data.zos_nodes.public.names, data.zos_node.n3.public_address, data.zos_node.n3.free.cru > 0] }
output "places" { value = zos_scheduler.places.nodes }
output "ip" { value = split("/", zos_ip.web.ip)[0] }
output "ip6" { value = split("/", zos_ip.web.ip6)[0] }
TF
# The machine answers under its own addresses, and now and then sends as somebody else.
cat >"$work/serve.sh" <<'SH'
mkdir -p /www; echo own >/www/index.html
httpd -p 80 -h /www
while true; do
  ip addr add 198.18.0.99/24 dev eth1 2>/dev/null
  ping -c 1 -W 1 -I 198.18.0.99 198.18.0.2 >/dev/null 2>&1
  ip addr del 198.18.0.99/24 dev eth1 2>/dev/null
  sleep 1
done
SH
check "a machine with a public address, where the scheduler says" apply
[ "$(z output -json facts | jq -c .)" = '[["n1","n2","n3"],["n1","n2"],"",true]' ] && ok "nodes and what they say" || { z output >"$box/out"; failed "nodes and what they say"; }
[ "$(z output -json places | jq -r .web)" = n1 ] && [ "$(z output -json places | jq -r .db)" != n1 ] && ok "distinct places" || { z output >"$box/out"; failed "distinct places"; }
check "no changes with it" no_changes
address=$(z output -raw ip) address6=$(z output -raw ip6)
page() { for _ in $(seq 40); do ip netns exec "$client" curl -sfg -m 2 "http://$1/" | grep -q own && return 0; sleep 0.3; done; return 1; }
check "it answers at its IPv4 address" page "$address"
check "and at the IPv6 address it made itself" page "[$address6]"
dropped() { # packets the filter of the public bridge has dropped
	ip netns exec "$tag-n1" nft -j list ruleset |
		jq '[.nftables[].rule? | select(.) | select(any(.expr[]; has("drop"))) | .expr[].counter?.packets // 0] | add // 0'
}
spoofed() { # more and more of them, as it goes on trying
	local first; first=$(dropped)
	for _ in $(seq 30); do [ "$(dropped)" -gt $((first + 1)) ] && return 0; sleep 0.2; done
	return 1
}
check "what it sends as somebody else is dropped" spoofed
refused "nobody hears of that one" bash -c "ip netns exec $client ip neigh | grep 198.18.0.99 | grep -v FAILED"
cat >>"$work/main.tf" <<-TF
resource "zos_ip" "more" {
  count = 8
  node  = "n1"
}
TF
fails "the pool ends" "asks node n1 for 8 more public IPv4 addresses than it gives now, for zos_ip.more[0], zos_ip.more[1], zos_ip.more[2] and 5 more; of its 8, 7 are left" z plan
sed -i 's/count = 8/count = 0/' "$work/main.tf"
check "addresses go back" apply
sed -i 's/count = 0/count = 7/' "$work/main.tf"
check "all of it can be had" apply
cat >"$work/big.tf" <<-TF
resource "zos_scheduler" "big" {
  requests {
    name = "huge"
    mru  = 100000000
  }
}
TF
fails "a request that nobody can meet" 'request "huge": no node can take it: n1 has' apply
cat >"$work/big.tf" <<-TF
resource "zos_machine" "big" {
  node    = "n1"
  network = zos_network.a.id
  flist   = "file://$build/rootfs/"
  memory  = 262144

  rootfs_size = 2048
}
TF
fails "a machine that does not fit" "asks node n1 for 262144 MB more memory than it gives now, for zos_machine.big" z plan
rm "$work/big.tf"
check "everything goes" z destroy -auto-approve
left() { for n in n1 n2 n3; do bridges $n; done; ip netns list | grep "^n-" | cut -d' ' -f1; }
[ "$("$zplan" sandbox status -json | jq '[.nodes[].workloads] | add')" = 0 ] && ok "no workload is left" || failed "no workload is left"
[ -z "$(for n in n1 n2 n3; do bridges $n; done)" ] && ok "no bridge is left" || { left >"$box/out"; failed "no bridge is left"; }

# --- the example ---
cp -r "$root/examples/two-nodes" "$box/two" && rm -rf "$box"/two/.terraform* "$box"/two/terraform.tfstate*
export TF_VAR_content=$build/rootfs
two() { (cd "$box/two" && timeout -k 10 120 "$zplan" "$@"); }
two init >/dev/null 2>&1
check "examples/two-nodes" two apply -auto-approve
pinged() { for _ in $(seq 60); do ip netns exec "$client" curl -sf -m 2 --resolve "$1.$2.sandbox.test:80:$3" "http://$1.$2.sandbox.test/" | tee /dev/stderr | grep -q "1 packets received" && return 0; sleep 0.5; done; return 1; }
check "the left machine hears the right one" pinged left n1 198.18.0.11
check "and the right one the left" pinged right n2 198.18.0.12
check "examples/two-nodes goes" two destroy -auto-approve
[ "$failures" = 0 ]
