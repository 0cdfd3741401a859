#!/bin/bash
# kubernetes.sh BUILD: the example cluster on two sandbox nodes: members register with the token over the private
# network, workers come and go, and the master is left alone. Needs root.
set -uo pipefail
build=$(realpath "$1")
zplan=$build/zplan
root=$(realpath "$(dirname "$0")/../..")
[ "$(id -u)" = 0 ] || { echo "skipped: sandbox nodes need root"; exit 0; }
box=$(mktemp -d /tmp/zplan-k8s.XXXXXX)
export ZPLAN_SANDBOX=$box/sandbox ZPLAN_NODES=$box/sandbox/nodes.hcl NO_COLOR=1 ASAN_OPTIONS=detect_leaks=0
export TF_VAR_content=$build/rootfs-member
unset TF_CLI_CONFIG_FILE
work=$box/work
cp -r "$root/examples/kubernetes" "$work"
failures=0

ok() { echo "ok $1"; }
failed() { echo "FAILED $1"; failures=$((failures + 1)); tail -n 30 "$box/out"; }
check() { local name=$1; shift; if "$@" >"$box/out" 2>&1; then ok "$name"; else failed "$name"; fi; }
fails() { # NAME TEXT COMMAND...
	local name=$1 text=$2; shift 2
	if "$@" >"$box/out" 2>&1; then failed "$name"
	elif tr '\n' ' ' <"$box/out" | tr -s ' │' ' ' | grep -qF "$text"; then ok "$name"; else failed "$name"; fi
}
z() { (cd "$work" && timeout 120 "$zplan" "$@"); }
finish() { "$zplan" sandbox down >/dev/null 2>&1; rm -rf "$box"; }
trap finish EXIT
trap 'exit 130' INT TERM

check "three nodes" "$zplan" sandbox up -nodes 3
client=$("$zplan" sandbox status -json | jq -r .client_namespace)
page() { ip netns exec "$client" curl -sf -m 5 --resolve cluster.n1.sandbox.test:80:198.18.0.11 "http://cluster.n1.sandbox.test/$1"; }
lists() { # PAGE LINE
	for _ in $(seq 150); do page "$1" 2>/dev/null | grep -q "^$2" && return 0; sleep 0.3; done
	page "$1"; return 1
}
machine() { # NODE: pids of QEMU there
	ip netns pids "${client%-client}-$1" | xargs -r ps -o pid=,comm= -p | awk '/qemu/ {print $1}' | sort | tr '\n' ' '
}

z init >/dev/null 2>&1
check "a cluster of three on two nodes" z apply -auto-approve
check "a worker of another node is in" lists members "worker0 10.40.2."
check "and one of the master's" lists members "worker1 10.40.1."
kubeconfig() { z refresh && z output -raw kubeconfig | grep -q "server: https://10.40.1.[0-9]*:6443"; }
seen() { for _ in $(seq 20); do kubeconfig && return 0; sleep 1; done; return 1; }
check "the master's kubeconfig, with its address" seen
hidden() { ! z show | grep -qE 'apiVersion|K3S_TOKEN' && ! z plan | grep -q apiVersion; }
check "which is shown nowhere" hidden
check "no changes after it" z plan -detailed-exitcode

# --- the page's example, as far as it goes without its image ---
mkdir "$box/page"
awk '/^```/ {n++; next} n == 1' "$root/docs/kubernetes.md" | sed 's/file(".*")/"ssh-ed25519 A"/' >"$box/page/main.tf"
planned() { (cd "$box/page" && "$zplan" init && "$zplan" plan) && grep -q "3 to add" "$box/out"; }
check "the example of docs/kubernetes.md can be planned" planned

# --- a stranger ---
cat >"$work/stranger.tf" <<-'TF'
	resource "zos_machine" "stranger" {
	  node       = var.nodes[1]
	  network    = zos_network.main.id
	  flist      = zos_kubernetes.main.flist
	  entrypoint = "/sbin/member"
	  memory     = 250
	  env = {
	    K3S_URL       = "https://${zos_kubernetes.main.master[0].ip}:6443"
	    K3S_TOKEN     = "wrong"
	    K3S_NODE_NAME = "stranger"
	    K3S_DATA_DIR  = "/tmp"
	  }
	}
TF
check "a machine with another token" z apply -auto-approve
check "is refused" lists refused "stranger 10.40.2."
kept_out() { ! page members | grep -q stranger; }
check "and is no member" kept_out
rm "$work/stranger.tf"
check "it goes" z apply -auto-approve

# --- workers come and go ---
master=$(machine n1)
z plan -var workers=3 >"$box/out" 2>&1
in_place() { grep -q "will be updated in-place" "$box/out" && ! grep -q "must be replaced" "$box/out"; }
in_place && ok "a worker more is an update in place" || failed "a worker more is an update in place"
check "apply of it" z apply -auto-approve -var workers=3
check "it is in" lists members "worker2 10.40.2."
[ "$(machine n1)" = "$master" ] && ok "nobody on the master's node was touched" || failed "nobody on the master's node was touched"
check "two workers less" z apply -auto-approve -var workers=1
[ "$(machine n1)" != "$master" ] && [[ "$master" == *"$(machine n1)"* ]] && ok "the master runs on" || failed "the master runs on"
[ "$("$zplan" sandbox status -json | jq '[.nodes[].workloads] | add')" = 7 ] && ok "and their disks are gone" || failed "and their disks are gone"
check "no changes after it all" z plan -detailed-exitcode -var workers=1

# --- drift ---
kill -9 "$(machine n2)"
for _ in $(seq 50); do [ -n "$(machine n2)" ] && break; sleep 0.2; done
check "a worker that died is back" test -n "$(machine n2)"

# --- what is refused ---
bad() { # NAME TEXT SED-EXPRESSION
	cp "$work/main.tf" "$box/main.tf"; sed -i "$3" "$work/main.tf"; fails "$1" "$2" z plan; cp "$box/main.tf" "$work/main.tf"
}
bad "a token with signs" "letters and digits only" 's/random_password.token.result/"a b"/'
bad "two members of one name" 'are called "master"' 's/"worker${workers.value}"/"master"/'
bad "an unsuitable name" "is not a member's name" 's/name      = "master"/name = "the master"/'
bad "a node that is not there" 'no node "n9"' 's/node      = var.nodes\[0\]/node = "n9"/'
sed -i 's/disk_size = 1/disk_size = 2/' "$work/main.tf"
check "disks grow" z apply -auto-approve -var workers=1
sed -i 's/disk_size = 2/disk_size = 1/' "$work/main.tf"
fails "and never shrink" "without losing data" z plan -var workers=1
check "destroy" z destroy -auto-approve -var workers=1
[ "$("$zplan" sandbox status -json | jq '[.nodes[].workloads] | add')" = 0 ] && ok "nothing is left" || failed "nothing is left"
[ "$failures" = 0 ]
