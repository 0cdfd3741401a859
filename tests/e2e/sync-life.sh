#!/bin/bash
# sync-life.sh BUILD: many stacks of one controller over time: order, reload, locks, commits that overtake each other,
# drift that is reported, stacks that go; two controllers on one PostgreSQL; and a node whose network is taken away.
set -uo pipefail
build=$(realpath "$1")
zplan=$build/zplan
box=$(mktemp -d /tmp/zplan-life.XXXXXX)
pids=()
finish() {
	for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null; done
	[ ! -d "$box/sandbox" ] || ZPLAN_SANDBOX=$box/sandbox "$zplan" sandbox down >/dev/null 2>&1
	rm -rf "$box"
}
trap finish EXIT
trap 'exit 130' INT TERM
export NO_COLOR=1 ASAN_OPTIONS=detect_leaks=0 GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
unset TF_CLI_CONFIG_FILE ZPLAN_NODES

check() { # NAME COMMAND...: ok when the command succeeds
	local name=$1
	shift
	if "$@" >"$box/out" 2>&1; then
		echo "ok $name"
	else
		echo "FAILED $name"
		tail -n 12 "$box/out" | cut -c1-600
		tail -n 8 "$box/$config.log" | cut -c1-600
		sync history | cut -c1-300
	fi
}
config=one
sync() { "$zplan" sync -config="$box/$config.hcl" "$@"; }
start() {
	"$zplan" sync -config="$box/$config.hcl" 2>>"$box/$config.log" &
	pid=$!
	pids+=("$pid")
}
ask() { jq -er "$@" >/dev/null; }
try() { # COMMAND...: until it succeeds, at most 20 s
	for _ in $(seq 200); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done
	"$@"
}
newest() { sync history -json -limit=1 "$1" | ask --arg state "$2" --arg commit "${3:-}" '.runs[0] | .state == $state and ($commit == "" or .commit == $commit)'; }
await() { try newest "$@"; }
push() { # MESSAGE: everything in the work tree
	git -C "$box/work" add -A && git -C "$box/work" commit -qm "$1" && git -C "$box/work" push -q origin HEAD:main
	head=$(git -C "$box/work" rev-parse HEAD)
}

git init -q --bare -b main "$box/repo.git"
git init -q -b main "$box/work"
git -C "$box/work" remote add origin "$box/repo.git"
git -C "$box/work" config user.email t@example.org && git -C "$box/work" config user.name t
mkdir -p "$box/made" "$box/work"/{base,top,report}
cat >"$box/work/base/main.tf" <<'TF'
variable "folder" {}
variable "word" { default = "first" }
resource "terraform_data" "slow" {
  triggers_replace = var.word
  provisioner "local-exec" {
    command = "echo ${var.word} >>${var.folder}/words; while [ -e ${var.folder}/hold ]; do sleep 0.1; done"
  }
}
output "word" { value = var.word }
TF
cat >"$box/work/top/main.tf" <<'TF'
variable "folder" {}
resource "local_file" "top" {
  filename = "${var.folder}/top"
  content  = terraform.workspace
}
TF
cat >"$box/work/report/main.tf" <<'TF'
variable "folder" {}
variable "secret" { sensitive = true }
resource "local_file" "r" {
  filename = "${var.folder}/r"
  content  = var.secret
}
TF
push one
common="  repo     = \"file://$box/repo.git\"
  interval = \"1s\"
  approve  = \"auto\""
export SYNC_VALUE=value-of-a-secret
stacks() { # WORD [EXTRA STACK]
	cat <<-HCL
		data_dir = "$box/one"
		stack "base" {
		$common
		  path = "base"
		  vars = { folder = "$box/made", word = "$1" }
		}
		stack "report" {
		$common
		  path  = "report"
		  drift = "report"
		  vars  = { folder = "$box/made", secret = env.SYNC_VALUE }
		}
		$2
	HCL
}
top=$(cat <<HCL
stack "top" {
$common
  path       = "top"
  workspace  = "above"
  depends_on = ["base"]
  prune      = PRUNE
  vars       = { folder = "$box/made" }
}
HCL
)
stacks first "${top/PRUNE/true}" >"$box/one.hcl"

# ---- order ----
touch "$box/made/hold"
start
check "one stack is at work" try [ -s "$box/made/words" ]
check "another goes on beside it" await report applied
waits() { sleep 1; ! sync history -json top | ask '.runs[0]'; }
check "who depends on the first waits" waits
rm "$box/made/hold"
check "until it is done" await top applied
check "in its workspace" grep -qx above "$box/made/top"

# ---- drift that is only reported ----
echo changed >"$box/made/r"
check "drift is reported" await report drifted
told() { sync status -json | ask '.stacks[] | select(.name == "report") | .state == "drifted" and .drift > 0'; }
check "in the status" told
left() { sleep 2; grep -qx changed "$box/made/r" && sync history -json report | ask '[.runs[] | select(.state == "drifted")] | length == 1'; }
check "once, and left alone" left
hidden() { ! grep -r "$SYNC_VALUE" "$box/one.log" "$box/one/sync.db" "$box/one/stacks/report/log"; }
check "a secret of a variable is in no log" hidden

# ---- reload ----
stacks second "${top/PRUNE/true}" >"$box/one.hcl"
kill -HUP "$pid"
check "settings read again lead to a new plan" try grep -qx second "$box/made/words"
await base applied
echo 'stack "broken" {' >>"$box/one.hcl"
kill -HUP "$pid"
check "broken settings are reported" try grep -q 'stays in force' "$box/one.log"
stacks second "${top/PRUNE/true}" >"$box/one.hcl"

# ---- commits that overtake each other ----
touch "$box/made/hold"
sed -i 's/folder}\/words;/folder}\/words; : 3;/' "$box/work/base/main.tf"
echo 'resource "terraform_data" "three" {}' >>"$box/work/base/main.tf"
sed -i 's/"slow" {/&\n  input = 3/' "$box/work/base/main.tf"
push three
stacks third "${top/PRUNE/true}" >"$box/one.hcl"
kill -HUP "$pid"
check "a long apply begins" try grep -qx third "$box/made/words"
echo 'resource "terraform_data" "four" {}' >>"$box/work/base/main.tf"
push four
echo 'resource "terraform_data" "five" {}' >>"$box/work/base/main.tf"
push five
rm "$box/made/hold"
check "the newest commit is applied after it" await base applied "$head"
skipped() { sync history -json base | ask --arg a "$(git -C "$box/work" rev-parse HEAD~1)" 'all(.runs[]; .commit != $a)'; }
check "what it overtook is not" skipped

# ---- a lock held elsewhere ----
state=$box/one/stacks/base/terraform.tfstate
python3 -c "
import fcntl, os, struct, time
file = open('$state', 'r+')
fcntl.fcntl(file, 37, struct.pack('hhqqi', fcntl.F_WRLCK, 0, 0, 0, 0))
open('$box/locked', 'w').close()
while not os.path.exists('$box/unlock'): time.sleep(0.1)
" & holder=$!
pids+=("$holder")
try [ -e "$box/locked" ]
sed -i 's/path = "base"/path = "base"\n  lock_timeout = "500ms"/' "$box/one.hcl"
kill -HUP "$pid"
echo 'resource "terraform_data" "six" {}' >>"$box/work/base/main.tf"
push six
locked() { sync status -json | ask '.stacks[] | select(.name == "base").problem | contains("lock")'; }
check "a lock held elsewhere is waited for" try locked
quiet() { [ "$(sync history -json -limit=1 base | jq -r '.runs[0].commit')" != "$head" ]; }
check "which leaves no trace in the history" quiet
no_failure() { sync status -json | ask '.stacks[] | select(.name == "base") | .failures == 0 and .failed == null'; }
check "which is no failure" no_failure
touch "$box/unlock"
check "until it is free" await base applied "$head"

# ---- stacks that go ----
stacks third "" >"$box/one.hcl"
kill -HUP "$pid"
gone() { [ ! -e "$box/made/top" ] && [ ! -e "$box/one/stacks/top" ]; }
check "prune destroys what a stack made that is gone" try gone
stacks third "" | sed '/^stack "report"/,/^}/d' >"$box/one.hcl"
kill -HUP "$pid"
sleep 2
check "without it, it is left alone" [ -e "$box/made/r" ]
kill -TERM "$pid"
check "the controller ends when told to" wait "$pid"

# ---- two controllers, one database ----
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1)
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid postgres --regid postgres --clear-groups "$@"; else "$@"; fi; }
if [ -n "$bin" ]; then
	chmod 755 "$box"
	install -d -m 700 "$box/pg"
	[ "$(id -u)" != 0 ] || chown postgres "$box/pg"
	(cd / && as "$bin/initdb" -D "$box/pg/data" -U tester -A trust -N >/dev/null 2>&1)
	(cd / && exec setpriv --pdeathsig KILL --reuid "$(id -u postgres)" --regid "$(id -g postgres)" --clear-groups \
		"$bin/postgres" -D "$box/pg/data" -k "$box/pg" -c listen_addresses= -c fsync=off >/dev/null 2>&1) &
	server=$!
	mkdir -p "$box/work/pair"
	cat >"$box/work/pair/main.tf" <<-'TF'
		variable "folder" {}
		variable "version_" { default = 1 }
		resource "terraform_data" "once" {
		  triggers_replace = var.version_
		  provisioner "local-exec" {
		    command = "mkdir ${var.folder}/alone && sleep 1 && rmdir ${var.folder}/alone && echo ${var.version_} >>${var.folder}/pair"
		  }
		}
	TF
	push pair
	chmod 711 "$box/pg"
	try [ -S "$box/pg/.s.PGSQL.5432" ]
	for config in left right; do
		cat >"$box/$config.hcl" <<-HCL
			data_dir = "$box/$config"
			stack "pair" {
			$common
			  path    = "pair"
			  vars    = { folder = "$box/made" }
			  backend = { type = "pg", conn_str = "postgres:///postgres?host=$box/pg&user=tester" }
			}
		HCL
		start
	done
	agreed() {
		for config in left right; do
			sync status -json | ask --arg head "$head" '.stacks[0] | .applied == $head and .run == null' || return
		done
		sleep 1.5
	}
	check "two controllers come to the same" try agreed
	sed -i 's/default = 1/default = 2/' "$box/work/pair/main.tf"
	push pair-again
	check "and again" try agreed
	check "and each change is made once, by one of them" [ "$(tr '\n' ' ' <"$box/made/pair")" = "1 2 " ]
	never_failed() { for config in left right; do sync history -json | ask 'all(.runs[]; .state != "failed")' || return; done; }
	check "neither calls it a failure" never_failed
	kill "${pids[-1]}" "${pids[-2]}"
	wait "${pids[-1]}" "${pids[-2]}"
	kill -INT "$server" 2>/dev/null
	config=one
else
	echo "skipped two controllers (no PostgreSQL)"
fi

# ---- a node ----
if [ "$(id -u)" = 0 ]; then
	export ZPLAN_SANDBOX=$box/sandbox
	check "sandbox up" "$zplan" sandbox up -nodes=1
	mkdir -p "$box/work/node"
	echo 'resource "zos_network" "net" { nodes = ["n1"] }' >"$box/work/node/main.tf"
	push node
	config=node
	cat >"$box/node.hcl" <<-HCL
		data_dir = "$box/node"
		stack "node" {
		$common
		  path  = "node"
		  drift = "heal"
		  nodes = "$box/sandbox/nodes.hcl"
		}
	HCL
	start
	check "a network on a node" await node applied "$head"
	namespace=$(basename "$("$zplan" sandbox status -json | jq -r .client_namespace)" -client)-n1
	bridge() { ip -n "$namespace" -o link show type bridge | grep -v ': pub0' | sed 's/^[0-9]*: \([^:@]*\).*/\1/' | head -n 1; }
	broken=$(bridge)
	[ -n "$broken" ] && ip -n "$namespace" link del "$broken"
	healed() { newest node applied && sync history -json -limit=1 node | ask '.runs[0].cause == "drift"' && [ "$(bridge)" = "$broken" ]; }
	check "taken away by hand, it is made again" try healed
	kill -TERM "$pid"
	wait "$pid"
	check "sandbox down" "$zplan" sandbox down
else
	echo "skipped a node (sandbox nodes need root)"
fi
# ---- a lock that a killed command leaves ----
config=gone
mkdir -p "$box/work/left"
git init -q --bare "$box/state.git"
cat >"$box/gone.hcl" <<-HCL
	data_dir = "$box/gone"
	stack "left" {
	$common
	  path         = "left"
	  lock_timeout = "500ms"
	  vars    = { folder = "$box/made" }
	  backend = { type = "git", url = "$box/state.git" }
	}
HCL
cat >"$box/work/left/main.tf" <<'TF'
variable "folder" {}
resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "touch ${var.folder}/left; while [ ! -e ${var.folder}/leave ]; do sleep 0.1; done"
  }
}
TF
push left
start
check "an apply begins" try [ -e "$box/made/left" ]
child=$(sqlite3 "$box/gone/sync.db" "SELECT child FROM run WHERE state = 'applying'")
kill -KILL "$pid"
{ wait "$pid"; } 2>/dev/null
kill -KILL -- "-${child%%:*}"
touch "$box/made/leave"
held() { git -C "$box/state.git" for-each-ref | grep -q refs/zplan/locks; }
check "killed, it leaves its lock" held
start
check "which is removed, and the commit applied" await left applied "$head"
few() { sync history -json | ask '.runs | length == 2'; }
check "without a trace in the history" few
kill -TERM "$pid"
wait "$pid"

# ---- killed wherever it writes down what it does ----
config=fault
mkdir -p "$box/work/fault"
cat >"$box/fault.hcl" <<-HCL
	data_dir = "$box/fault"
	stack "fault" {
	$common
	  path = "fault"
	  vars = { folder = "$box/made" }
	}
HCL
cat >"$box/work/fault/main.tf" <<'TF'
variable "folder" {}
resource "terraform_data" "effect" {
  triggers_replace = "0"
  provisioner "local-exec" {
    command = "echo ${self.triggers_replace} >>${var.folder}/effects"
  }
}
TF
push fault
wrong=
for n in $(seq 40); do
	sed -i "s/triggers_replace = .*/triggers_replace = \"$n\"/" "$box/work/fault/main.tf"
	push "fault $n"
	ZPLAN_FAULT=sync:$n sync -once 2>>"$box/fault.log"
	[ $? = 86 ] || break
	sync -once 2>>"$box/fault.log"
	[ "$(sync status -json | jq -r '.stacks[0] | .applied + .state')" = "${head}ok" ] || wrong="$wrong $n"
done
once() { [ -z "$wrong" ] && [ "$(uniq "$box/made/effects" | tr '\n' ' ')" = "$(seq -s ' ' "$n") " ] && [ "$(wc -l <"$box/made/effects")" = "$n" ]; }
if [ "$n" -gt 1 ]; then
	check "killed at any of $((n - 1)) places, every commit is applied, and once" once
else
	echo "skipped being killed at every place (no fault points in this build)"
fi
errors() { ! grep -E 'Sanitizer|runtime error' "$box"/*.log; }
check "no memory errors" errors
