#!/bin/bash
# agent.sh BUILD: a node behind a real sshd, its tenants, and what may befall its agent: crowds, nonsense, lost
# connections, a reboot, a full disk, a damaged registry. Needs root.
set -uo pipefail
build=$(realpath "$1")
root=$(realpath "$(dirname "$0")/../..")
zplan=$build/zplan
[ "$(id -u)" = 0 ] || { echo "skipped: sandbox nodes need root"; exit 0; }
box=$(mktemp -d /tmp/zplan-agent.XXXXXX)
export ZPLAN_SANDBOX=$box/s NO_COLOR=1 ASAN_OPTIONS=detect_leaks=0
unset TF_CLI_CONFIG_FILE ZPLAN_NODES
failures=0 sshd=

ok() { echo "ok $1"; }
failed() { echo "FAILED $1"; failures=$((failures + 1)); tail -n 30 "$box/out"; }
check() { local name=$1; shift; if "$@" >"$box/out" 2>&1; then ok "$name"; else failed "$name"; fi; }
fails() { # NAME TEXT COMMAND...
	local name=$1 text=$2; shift 2
	if "$@" >"$box/out" 2>&1; then failed "$name"
	elif tr '\n' ' ' <"$box/out" | tr -s ' ' | grep -qF "$text"; then ok "$name"; else failed "$name"; fi
}
finish() {
	[ -n "$sshd" ] && kill "$sshd" 2>/dev/null
	"$zplan" sandbox down >/dev/null 2>&1
	mountpoint -q "$ZPLAN_SANDBOX/n2" && umount "$ZPLAN_SANDBOX/n2"
	rm -rf "$box"
}
trap finish EXIT
trap 'exit 130' INT TERM
# z WHO COMMAND...: in the folder of WHO, with the inventory of WHO, from the client's namespace
z() { local who=$1; shift; (cd "$box/$who" && ZPLAN_NODES=$box/$who/nodes.hcl timeout -k 10 100 ip netns exec "$client" "$zplan" "$@"); }
agent() { cat "$ZPLAN_SANDBOX/${1:-n1}/agent.pid"; }
workloads() { "$zplan" sandbox status -json | jq ".nodes[] | select(.name == \"${1:-n1}\") | .workloads"; }
up() { "$zplan" sandbox up -nodes 2; }

ip netns list | cut -d' ' -f1 | sort >"$box/before"
# The second node's folder is small.
mkdir -p "$ZPLAN_SANDBOX/n2" && chmod 700 "$ZPLAN_SANDBOX" && mount -t tmpfs -o size=16m,mode=700 none "$ZPLAN_SANDBOX/n2"
check "two nodes" up
client=$("$zplan" sandbox status -json | jq -r .client_namespace)
tag=${client%-client}

# --- a real sshd, with keys and host keys ---
mkdir -p "$box/ssh" /run/sshd
for key in host owner team stranger; do ssh-keygen -q -t ed25519 -N "" -f "$box/ssh/$key"; done
{
	echo "command=\"$zplan agent dial -root $ZPLAN_SANDBOX/n1\",restrict $(cat "$box/ssh/owner.pub")"
	echo "command=\"$zplan agent dial -root $ZPLAN_SANDBOX/n1 -tenant team\",restrict $(cat "$box/ssh/team.pub")"
} >"$box/ssh/authorized_keys"
cat >"$box/ssh/config" <<-C
ListenAddress 198.18.0.11:2222
HostKey $box/ssh/host
AuthorizedKeysFile $box/ssh/authorized_keys
PidFile none
StrictModes no
UsePAM no
UseDNS no
PasswordAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100
C
ip netns exec "$tag-n1" /usr/sbin/sshd -D -e -f "$box/ssh/config" >"$box/ssh/log" 2>&1 & sshd=$!
for _ in $(seq 50); do grep -q "Server listening" "$box/ssh/log" && break; sleep 0.1; done
echo "[198.18.0.11]:2222 $(cut -d' ' -f1,2 "$box/ssh/host.pub")" >"$box/ssh/known"
echo "[198.18.0.11]:2222 $(cut -d' ' -f1,2 "$box/ssh/stranger.pub")" >"$box/ssh/known-other"
inventory() { # WHO KEY KNOWN
	mkdir -p "$box/$1"
	cat >"$box/$1/nodes.hcl" <<-TF
	node "n1" {
	  id            = 1
	  connect       = "ssh://root@198.18.0.11:2222"
	  identity_file = "../ssh/$2"
	  known_hosts   = "../ssh/$3"
	}
	TF
}
inventory owner owner known
inventory team team known
inventory lost stranger known
inventory fooled owner known-other
cat >"$box/owner/main.tf" <<-TF
variable "disks" { default = 1 }
resource "zos_network" "main" { nodes = ["n1"] }
resource "zos_disk" "d" {
  count = var.disks
  node  = "n1"
  size  = 1
}
TF
cp "$box/owner/main.tf" "$box/lost"; cp "$box/owner/main.tf" "$box/fooled"
for who in owner lost fooled; do z $who init >/dev/null 2>&1; done
check "an apply over ssh" z owner apply -auto-approve
check "no changes after it" z owner plan -detailed-exitcode
fails "a key the node does not know" "Permission denied" z lost apply -auto-approve
fails "a node whose host key is another one" "can not be reached" z fooled apply -auto-approve
grep -qi "host key" "$box/out" && ok "says what is wrong with it" || failed "says what is wrong with it"

# --- tenants ---
cat >"$box/team/main.tf" <<-TF
variable "size" { default = 1 }
resource "zos_disk" "d" {
  node = "n1"
  size = var.size
}
TF
z team init >/dev/null 2>&1
check "a tenant's apply" z team apply -auto-approve
rpc() { # KEY MESSAGE...: answers, one a line
	local key=$1; shift
	printf '%s\n' "$@" | ip netns exec "$client" ssh -T -p 2222 -i "$box/ssh/$key" -o IdentitiesOnly=yes -o BatchMode=yes \
		-o "UserKnownHostsFile=$box/ssh/known" root@198.18.0.11 "zplan agent dial"
}
call() { printf '{"jsonrpc":"2.0","id":%d,"method":"%s","params":%s}' "$1" "$2" "$3"; }
owners=$(jq -r '.resources[] | select(.type == "zos_disk") | .instances[0].attributes.id' "$box/owner/terraform.tfstate")
teams=$(jq -r '.resources[] | select(.type == "zos_disk") | .instances[0].attributes.id' "$box/team/terraform.tfstate")
rpc team "$(call 1 workload.list {})" >"$box/out" 2>&1
[ "$(jq '.result | length' "$box/out")" = 1 ] && [ "$(jq -r '.result[0].id' "$box/out")" = "$teams/disk" -o "$(jq -r '.result[0].id' "$box/out" | cut -d/ -f1)" = "$teams" ] && ok "sees only its own" || failed "sees only its own"
id=$(rpc owner "$(call 1 workload.list {})" 2>/dev/null | jq -r --arg o "$owners" '.result[].id | select(startswith($o))')
rpc team "$(call 1 workload.read "{\"ids\":[\"$id\"]}")" >"$box/out" 2>&1
[ "$(jq -r '.result[0].status' "$box/out")" = absent ] && ok "others' do not exist for it" || failed "others' do not exist for it"
rpc team "$(call 1 workload.ensure "{\"id\":\"$id\",\"type\":\"zmount\",\"spec\":{\"size\":2147483648}}")" >"$box/out" 2>&1
[ "$(jq .error.code "$box/out")" = -32004 ] && ok "changes none of them" || failed "changes none of them"
rpc team "$(call 1 workload.remove "{\"id\":\"$id\"}")" >"$box/out" 2>&1
check "removes none of them" z owner plan -detailed-exitcode
rpc team "$(call 1 session.tenant '{"tenant":"other"}')" >"$box/out" 2>&1
[ "$(jq .error.code "$box/out")" = -32004 ] && ok "can not become another" || failed "can not become another"
rpc team "$(call 1 workload.ensure '{"id":"x/net","type":"network","tenant":"","spec":{"ip_range":"10.9.0.0/16","subnet":"10.9.1.0/24"}}')" "$(call 2 workload.list '{"tenant":""}')" >"$box/out" 2>&1
[ "$(jq -s 'map(select(.id == 2))[0].result | length' "$box/out")" -le 2 ] && ok "nor name itself the owner" || failed "nor name itself the owner"
rpc team "$(call 1 workload.remove '{"id":"x/net"}')" >/dev/null 2>&1
call_team_ensure() { rpc team "$(call 1 workload.ensure "{\"id\":\"big/disk\",\"type\":\"zmount\",\"spec\":{\"size\":$(($(df --output=size -B1 "$box" | tail -1) / 2))}}")" | tee /dev/stderr | grep -q '"result"'; }
fails "it does not get more than its share" "asks node n1 for" z team plan -var size=$(($(df --output=size -BG "$box" | tail -1 | tr -dc 0-9) / 2))
fails "nor at the node" "grants tenant team is full" call_team_ensure
check "the owner still gets something" z owner apply -auto-approve -var disks=2

# --- a node for one tenant ---
serve() { # LINE: the agent of n1 again, with a line more in its settings
	kill -9 "$(agent)"; sleep 0.2
	{ cat "$ZPLAN_SANDBOX/n1.hcl"; echo "$1"; } >"$box/n1.hcl"
	ip netns exec "$tag-n1" "$zplan" agent serve -root "$ZPLAN_SANDBOX/n1" -config "$box/n1.hcl" >/dev/null 2>&1 &
	for _ in $(seq 50); do rpc owner "$(call 1 node.facts {})" 2>/dev/null | grep -q '"result"' && return 0; sleep 0.1; done
	return 1
}
check "the node is reserved for somebody else" serve 'dedicated = "other"'
fails "a tenant hears of it in the plan" "Node n1 is reserved for tenant other" z team plan -var size=2
rpc team "$(call 1 workload.ensure '{"id":"y/disk","type":"zmount","spec":{"size":1073741824}}')" >"$box/out" 2>&1
[ "$(jq .error.code "$box/out")" = -32004 ] && grep -q "reserved for another tenant" "$box/out" && ok "and from the node" || failed "and from the node"
check "its owner uses it" z owner apply -auto-approve -var disks=3
check "the node is reserved for the tenant" serve 'dedicated = "team"'
check "who uses it" z team apply -auto-approve -var size=2
kill -9 "$(agent)"; sleep 0.2; up >/dev/null 2>&1
check "as before" z owner apply -auto-approve -var disks=2

# --- crowds and nonsense ---
python3 "$root/tests/e2e/agent_abuse.py" "$ZPLAN_SANDBOX/n1/agent.sock" || failures=$((failures + 1))

# --- connections lost, agents killed, while it works ---
consistent() { # DISKS: state, registry and kernel agree
	z owner plan -detailed-exitcode -var "disks=$1" && [ "$(workloads)" = $(($1 + 2)) ] && z owner state recover -dry-run | grep -q "has all that the nodes know"
}
for victim in connection connection agent agent; do
	disks=$(($(jq '[.resources[] | select(.type == "zos_disk") | .instances[]] | length' "$box/owner/terraform.tfstate") + 30))
	: >"$box/log"
	z owner apply -auto-approve -var "disks=$disks" >"$box/log" 2>&1 & apply=$!
	for _ in $(seq 300); do grep -q "Creating" "$box/log" && break; sleep 0.01; done
	if [ $victim = connection ]; then # sshd has a child for each
		for child in $(pgrep -P "$sshd"); do pkill -P "$child"; kill "$child" 2>/dev/null; done
	else
		kill -9 "$(agent)"; sleep 0.1; up >/dev/null 2>&1
	fi
	wait $apply; resumed=$?
	cp "$box/log" "$box/out"
	[ $resumed = 0 ] || grep -q "lost\|reached" "$box/log" && ok "the $victim was lost in the middle of an apply" || failed "the $victim was lost in the middle of an apply"
	[ $resumed = 0 ] || check "the next apply completes it" z owner apply -auto-approve -var "disks=$disks"
	check "nothing is orphaned or made twice" consistent "$disks"
done

# --- a reboot: nothing runs, nothing is linked, the disks are what is left ---
cat >>"$box/owner/main.tf" <<-TF
resource "zos_machine" "web" {
  node       = "n1"
  network    = zos_network.main.id
  flist      = "file://$build/rootfs/"
  entrypoint = "/bin/httpd -f -p 80 -h /etc"
}
resource "zos_gateway_name" "web" {
  node     = "n1"
  name     = "web"
  network  = zos_network.main.id
  backends = ["http://\${zos_machine.web.ip}:80"]
}
TF
page() { for _ in $(seq 100); do ip netns exec "$client" curl -sf -m 2 --resolve web.n1.sandbox.test:80:198.18.0.11 http://web.n1.sandbox.test/passwd | grep -q root && return 0; sleep 0.2; done; return 1; }
check "a machine behind a gateway" z owner apply -auto-approve -var disks=2
check "answers" page
kill "$sshd"; wait "$sshd" 2>/dev/null; sshd=
networks=$(ip netns list | cut -d' ' -f1 | sort | comm -13 "$box/before" - | grep '^n-')
kill -9 "$(agent)"
for _ in $(seq 40); do pids=$(for ns in "$tag-n1" $networks; do ip netns pids "$ns" 2>/dev/null; done); [ -z "$pids" ] && break; kill -9 $pids 2>/dev/null; sleep 0.1; done
for ns in $networks; do ip netns del "$ns"; done
for link in $(ip -n "$tag-n1" -o link | sed 's/^[0-9]*: \([^:@]*\).*/\1/' | grep -v '^lo$'); do ip -n "$tag-n1" link del "$link" 2>/dev/null; done
ip netns exec "$tag-n1" nft flush ruleset
rm -rf "$ZPLAN_SANDBOX/n1/run"
check "the node comes up again" up
check "everything is as it was: the page answers" page
cat >"$box/owner/nodes.hcl" <<-TF
node "n1" { connect = "unix://$ZPLAN_SANDBOX/n1/agent.sock" }
TF
check "and nothing is to be done" z owner plan -detailed-exitcode -var disks=2

# --- a damaged registry ---
sleep 4 # a copy is made every three seconds
z owner apply -auto-approve -var disks=3 >/dev/null 2>&1 # and this one comes after it
registry=$ZPLAN_SANDBOX/n1/registry.db
kill -9 "$(agent)"; sleep 0.2
head -c 65536 /dev/urandom | dd of="$registry" conv=notrunc status=none; rm -f "$registry-wal" "$registry-shm"
check "an agent with a damaged registry starts" up
grep -q "the registry was damaged" "$ZPLAN_SANDBOX/n1/agent.log" && [ -s "$registry.damaged" ] && ok "says so, and keeps it" || failed "says so, and keeps it"
check "nothing is lost, not even what came after the last copy" z owner plan -detailed-exitcode -var disks=3
check "what is registered is what there is" z owner apply -auto-approve -var disks=2
check "the page answers" page
sleep 4
kill -9 "$(agent)"; sleep 0.2
mv "$registry.copy" "$box/registry"
head -c 65536 /dev/urandom >"$registry"; rm -f "$registry-wal" "$registry-shm"
fails "without a copy it does not start with nothing" "is damaged" up
cp "$box/registry" "$registry"
check "brought back from a backup, it does" up
check "and knows all of it" z owner plan -detailed-exitcode -var disks=2
check "all of it goes" z owner destroy -auto-approve -var disks=2

# --- a full disk ---
inventory small owner known
cat >"$box/small/nodes.hcl" <<-TF
node "n2" { connect = "unix://$ZPLAN_SANDBOX/n2/agent.sock" }
TF
cat >"$box/small/main.tf" <<-TF
resource "zos_network" "n" {
  count = 20
  nodes = ["n2"]
}
TF
z small init >/dev/null 2>&1
head -c 20000000 /dev/zero >"$ZPLAN_SANDBOX/n2/filler" 2>/dev/null
fails "a full disk is an error" "registry" z small apply -auto-approve
rm "$ZPLAN_SANDBOX/n2/filler"
check "with room again it goes on" z small apply -auto-approve
check "and all is as it should be" z small plan -detailed-exitcode
[ "$(workloads n2)" = 20 ] && ok "nothing is there twice" || { workloads n2 >"$box/out"; failed "nothing is there twice"; }
check "it goes too" z small destroy -auto-approve
[ "$failures" = 0 ]
