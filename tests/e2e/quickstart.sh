#!/bin/bash
# quickstart.sh BUILD: the quickstart on a sandbox node, and what may befall it. One line per thing looked
# at: "ok NAME" or "FAILED NAME". Needs root; without it, it says so and passes nothing.
set -uo pipefail
build=$(realpath "$1")
root=$(realpath "$(dirname "$0")/../..")
zplan=$build/zplan
[ "$(id -u)" = 0 ] || { echo "skipped: a sandbox node needs root"; exit 0; }

box=$(mktemp -d /tmp/zplan-e2e.XXXXXX)
export ZPLAN_SANDBOX=$box/sandbox ZPLAN_NODES=$box/sandbox/nodes.hcl NO_COLOR=1
export TF_VAR_content=$build/rootfs
export ASAN_OPTIONS=detect_leaks=0
work=$box/work
failures=0
ip netns list | cut -d" " -f1 | sort >"$box/before"

ok() { echo "ok $1"; }
failed() { echo "FAILED $1${2:+: $2}"; failures=$((failures + 1)); }
check() { local name=$1; shift; if "$@" >"$box/out" 2>&1; then ok "$name"; else failed "$name"; tail -n 40 "$box/out"; fi; }
# fails NAME TEXT COMMAND...: exit status 1 and the text among what it says
fails() {
	local name=$1 text=$2 status; shift 2
	"$@" >"$box/out" 2>&1; status=$?
	if [ $status = 1 ] && tr '\n' ' ' <"$box/out" | tr -s ' ' | grep -qF "$text"; then ok "$name"
	else failed "$name" "exit status $status, wanted 1 and \"$text\""; tail -n 30 "$box/out"; fi
}
z() { (cd "$work" && "$zplan" "$@"); }
page() { ip netns exec "$client" curl -sf -m 5 --resolve "hello.n1.sandbox.test:80:198.18.0.11" "http://hello.n1.sandbox.test/$1"; }
wait_page() { # PATH TEXT SECONDS
	for _ in $(seq 1 $(($3 * 5))); do page "$1" 2>/dev/null | grep -qF "$2" && return 0; sleep 0.2; done
	return 1
}
qemu() { # pids of machines in the node's namespace
	for p in $(ip netns pids "$(basename "$client" -client)-n1"); do
		grep -qa qemu-system "/proc/$p/comm" 2>/dev/null && echo "$p"
	done
}
agent() { cat "$ZPLAN_SANDBOX/n1/agent.pid"; }
status_of() { (cd "$work" && "$zplan" plan -detailed-exitcode >"$box/out" 2>&1); echo $?; }
state_sum() { sha256sum "$work/terraform.tfstate" 2>/dev/null; }

finish() { "$zplan" sandbox down >/dev/null 2>&1; rm -rf "$box"; }
trap finish EXIT
trap 'exit 130' INT TERM

check "sandbox up" "$zplan" sandbox up
check "sandbox up again changes nothing" "$zplan" sandbox up
client=$("$zplan" sandbox status -json | jq -r .client_namespace)
mkdir -p "$work" && cp "$root"/examples/quickstart/*.tf "$work"

check "init" z init
check "validate" z validate
[ "$(status_of)" = 2 ] && ok "plan has changes" || failed "plan has changes"
check "plan -out" z plan -out=saved
[ "$(stat -c %a "$work/saved")" = 600 ] && ok "the plan file is the owner's only" || failed "the plan file is the owner's only"
check "apply of the saved plan" z apply saved
wait_page "" "Served by a machine" 30 && ok "the page answers through the gateway" || failed "the page answers through the gateway"
fails "the saved plan is stale now" "Saved plan is stale" z apply saved
[ "$(stat -c %a "$work/terraform.tfstate")" = 600 ] && ok "the state is the owner's only" || failed "the state is the owner's only"
[ ! -e "$work/terraform.tfstate.journal" ] && ok "no journal is left" || failed "no journal is left"
[ "$(status_of)" = 0 ] && ok "a second plan has no changes" || { failed "a second plan has no changes"; cat "$box/out"; }
check "a second apply has none either" bash -c "cd $work && $zplan apply -auto-approve | grep -q 'No changes'"
[ "$(z output -json urls | jq -r .hello)" = "http://hello.n1.sandbox.test/" ] && ok "outputs" || failed "outputs"
# What is there now and was not before is this run's, or that of another sandbox, which stays.
ip netns list | cut -d" " -f1 | sort | comm -13 "$box/before" - >"$box/made"
[ "$(z state list | wc -l)" = 4 ] && ok "state list" || failed "state list"

# --- it reconciles ---
old=$(qemu); kill -9 $old
for _ in $(seq 1 150); do new=$(qemu); [ -n "$new" ] && [ "$new" != "$old" ] && break; sleep 0.2; done
[ -n "$new" ] && [ "$new" != "$old" ] && ok "a killed machine is started again" || failed "a killed machine is started again"
wait_page "" "Served by a machine" 40 && ok "and answers" || failed "and answers"

node=$(basename "$client" -client)-n1
bridge=$(ip -n "$node" -o link show type bridge | grep -v ': pub0' | sed 's/^[0-9]*: \([^:@]*\).*/\1/' | head -n 1)
ip -n "$node" link del "$bridge"
[ "$(status_of)" = 2 ] && grep -q "degraded" "$box/out" && ok "a deleted bridge shows as drift" || { failed "a deleted bridge shows as drift"; tail -n 30 "$box/out"; }
check "apply repairs it" z apply -auto-approve
wait_page "" "Served by a machine" 40 && ok "and the page answers again" || failed "and the page answers again"
[ "$(status_of)" = 0 ] && ok "nothing is left to do after it" || { failed "nothing is left to do after it"; cat "$box/out"; }

machine=$(qemu); kill -TERM "$(agent)"
for _ in $(seq 1 100); do kill -0 "$(agent)" 2>/dev/null || break; sleep 0.1; done
[ "$(qemu)" = "$machine" ] && ok "machines run on without the agent" || failed "machines run on without the agent"
fails "an agent that does not answer is said" "can not be reached" z plan
check "the agent is started again" "$zplan" sandbox up
[ "$(qemu)" = "$machine" ] && [ "$(status_of)" = 0 ] && ok "and knows them all" || { failed "and knows them all"; tail -n 30 "$box/out"; }
kill -9 "$(agent)"; sleep 0.3
check "after kill -9 too" "$zplan" sandbox up
[ "$(qemu)" = "$machine" ] && [ "$(status_of)" = 0 ] && ok "everything is known after kill -9" || { failed "everything is known after kill -9"; tail -n 30 "$box/out"; }

z plan -var greeting=moin >"$box/out" 2>&1
grep -q "will be updated in-place" "$box/out" && ! grep -q "must be replaced" "$box/out" && ok "env is an update" || failed "env is an update"
check "apply of it" z apply -auto-approve -var greeting=moin
wait_page greeting.txt moin 40 && ok "and is seen inside" || failed "and is seen inside"

cp -a "$build/rootfs" "$box/other" && echo other >"$box/other/etc/marker"
export TF_VAR_content=$box/other
z plan -var greeting=moin >"$box/out" 2>&1
grep -q "must be replaced" "$box/out" && grep -q "forces replacement" "$box/out" && ok "new content is a replacement" || failed "new content is a replacement"
sed -i 's/that zplan made/that zplan replaced/' "$work/main.tf"
check "apply of it too" z apply -auto-approve -var greeting=moin
wait_page "" "that zplan made" 40 && ok "and the page on the disk is still there" || failed "and the page on the disk is still there"
[ "$(cd "$work" && "$zplan" plan -detailed-exitcode -var greeting=moin >"$box/out" 2>&1; echo $?)" = 0 ] && ok "no changes after the replacement" || { failed "no changes after the replacement"; tail -n 40 "$box/out"; }

# --- wrong input: exit status 1, a clear message, nothing changed ---
sum=$(state_sum)
bad() { # NAME TEXT CONFIG...: one more file beside the configuration
	printf '%s\n' "$3" >"$work/bad.tf"; fails "$1" "$2" z plan; rm -f "$work/bad.tf"
}
bad "a syntax error" "Error:" 'resource "zos_disk" "x" {'
bad "an undeclared reference" "Reference to undeclared" 'output "x" { value = local.nope }'
bad "a cycle" "Cycle:" 'locals { 
  a = local.b
  b = local.a 
}'
bad "a wrong type" "Incorrect attribute value type" 'resource "zos_disk" "x" {
  node = "n1"
  size = [1]
}'
bad "a missing node" 'no node "n9"' 'resource "zos_disk" "x" {
  node = "n9"
  size = 1
}'
printf 'resource "zos_disk" "x" {\n  node = "n1"\n  size = 10240\n}\n' >"$work/bad.tf"
fails "a full node" "No room on node" z apply -auto-approve -var greeting=moin
rm -f "$work/bad.tf"
fails "an invalid variable" "At least one site" z plan -var 'sites=["A B"]'
[ "$(state_sum)" = "$sum" ] && ok "the state is untouched by all that" || failed "the state is untouched by all that"
cp "$work/terraform.tfstate" "$box/state"
sed -i 's/"version": 4/"version": 5/' "$work/terraform.tfstate"; sum=$(state_sum)
fails "a state of a newer version" "was created by a newer version" z plan
[ "$(state_sum)" = "$sum" ] && ok "is left alone" || failed "is left alone"
head -c 700 "$box/state" >"$work/terraform.tfstate"; sum=$(state_sum)
fails "a corrupted state" "is damaged" z plan
[ "$(state_sum)" = "$sum" ] && ok "is left alone too" || failed "is left alone too"
cp "$box/state" "$work/terraform.tfstate"
mkdir "$box/errors" && printf 'locals {\n  a = \n}\n' >"$box/errors/a.tf" && printf 'bad {}\n' >"$box/errors/b.tf" && printf 'variable "x" {\n  type = strin\n}\n' >"$box/errors/c.tf"
(cd "$box/errors" && "$zplan" validate -json) >"$box/out"
[ "$(jq .error_count "$box/out")" = 3 ] && ok "validate -json reports all three errors" || { failed "validate -json reports all three errors"; cat "$box/out"; }

# --- killed in the middle: the next run takes over ---
check "destroy" z destroy -auto-approve -var greeting=moin
[ -z "$(qemu)" ] && ok "no machine is left" || failed "no machine is left"
for wait in 0.05 0.4 1.5; do
	(cd "$work" && exec "$zplan" apply -auto-approve) >/dev/null 2>&1 &
	pid=$!; sleep $wait; kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null
	check "apply after kill -9 at $wait s" z apply -auto-approve
	[ "$(status_of)" = 0 ] && ok "converged after it" || { failed "converged after it"; tail -n 30 "$box/out"; }
	[ "$("$zplan" sandbox status -json | jq '.nodes[0].workloads')" = 4 ] && ok "nothing made twice" || failed "nothing made twice"
	check "destroyed" z destroy -auto-approve
	[ "$("$zplan" sandbox status -json | jq '.nodes[0].workloads')" = 0 ] && ok "nothing orphaned" || failed "nothing orphaned"
done

# --- Ctrl-C: what is under way is finished and recorded ---
(cd "$work" && exec "$zplan" apply -auto-approve) >"$box/interrupted" 2>&1 &
pid=$!
for _ in $(seq 1 500); do grep -q 'zos_disk.*Creating' "$box/interrupted" && break; sleep 0.01; done
kill -INT $pid; wait $pid; status=$?
[ $status = 1 ] && grep -q "Execution halted" "$box/interrupted" && ok "an interrupt ends the run in order" || { failed "an interrupt ends the run in order"; tail -n 20 "$box/interrupted"; }
check "and the next one finishes it" z apply -auto-approve
check "destroy at the end" z destroy -auto-approve

# --- nothing is left ---
check "sandbox down" "$zplan" sandbox down
check "sandbox down again" "$zplan" sandbox down
[ ! -e "$ZPLAN_SANDBOX" ] && ok "no folder" || failed "no folder"
tag=${client%-client}
grep -q "^$client$" "$box/made" && ! ip netns list | grep -q "^$tag-" && ok "no namespace" || failed "no namespace"
! grep -q "$box" /proc/mounts && ok "no mount" || failed "no mount"
! pgrep -f "$ZPLAN_SANDBOX" >/dev/null && ok "no process" || { failed "no process"; pgrep -af "$ZPLAN_SANDBOX"; }
[ "$failures" = 0 ]
