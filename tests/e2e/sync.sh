#!/bin/bash
# sync.sh BUILD: the controller from end to end, with a bare repository on disk: what is pushed is applied, what is
# broken is reported and changes nothing, drift is healed, what destroys too much waits, and being killed loses nothing.
set -uo pipefail
build=$(realpath "$1")
root=$(realpath "$(dirname "$0")/../..")
zplan=$build/zplan
box=$(mktemp -d /tmp/zplan-sync.XXXXXX)
pid=
trap 'stop KILL; rm -rf "$box"' EXIT
# libgit2 as Debian builds it leaks what it matches patterns with: leaks are looked for in the unit tests.
export NO_COLOR=1 ASAN_OPTIONS=detect_leaks=0 GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
unset TF_CLI_CONFIG_FILE ZPLAN_NODES

check() { # NAME COMMAND...: ok when the command succeeds
	local name=$1
	shift
	if "$@" >"$box/out" 2>&1; then
		echo "ok $name"
	else
		echo "FAILED $name"
		tail -n 12 "$box/out"
		tail -n 6 "$box/log" | cut -c1-600
		sync history | cut -c1-300
	fi
}
sync() { "$zplan" sync -config="$box/sync.hcl" "$@"; }
start() {
	"$zplan" sync -config="$box/sync.hcl" 2>>"$box/log" &
	pid=$!
}
stop() { # SIGNAL
	[ -n "$pid" ] || return 0
	kill -"$1" "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	pid=
}
ask() { jq -er "$@"; }
# Waits until the newest run of a stack is in this state; for a commit, where one is named.
await() { # STACK STATE [COMMIT]
	for _ in $(seq 200); do
		sync history -json -limit=1 "$1" | ask --arg state "$2" --arg commit "${3:-}" \
			'.runs[0] | .state == $state and ($commit == "" or .commit == $commit)' >/dev/null && return 0
		sleep 0.1
	done
	echo "waited for $1 to be $2"
	return 1
}
state_of() { sync status -json | ask --arg name "$1" '.stacks[] | select(.name == $name).state'; }
push() { # MESSAGE: everything in the work tree
	git -C "$box/work" add -A && git -C "$box/work" commit -qm "$1" && git -C "$box/work" push -q origin HEAD:main
	head=$(git -C "$box/work" rev-parse HEAD)
}

git init -q --bare -b main "$box/repo.git"
git init -q -b main "$box/work"
git -C "$box/work" remote add origin "$box/repo.git"
git -C "$box/work" config user.email t@example.org && git -C "$box/work" config user.name t
cat >"$box/sync.hcl" <<HCL
data_dir = "$box/data"
parallel = 3
repository "infra" {
  url = "file://$box/repo.git"
}
stack "app" {
  repo        = "infra"
  ref         = "main"
  path        = "app"
  interval    = "1s"
  approve     = "auto"
  drift       = "heal"
  max_destroy = 3
  vars        = { folder = "$box/made" }
}
HCL
mkdir -p "$box/work/app" "$box/made"
cat >"$box/work/app/main.tf" <<'TF'
variable "folder" {}
variable "names" { default = ["a", "b", "c", "d", "e"] }
resource "local_file" "f" {
  for_each = toset(var.names)
  filename = "${var.folder}/${each.key}"
  content  = each.key
}
TF
push one
check "sync.hcl is valid" sync validate
check "so is the example" "$zplan" sync validate -config="$root/examples/sync/sync.hcl"
start
check "a commit is applied" await app applied "$head"
made() { [ "$(ls "$box/made")" = "$(printf '%s\n' "$@")" ]; }
check "what it says is there" made a b c d e

echo 'resource "local_file" "x" { filename = nowhere.x }' >"$box/work/app/broken.tf"
push broken
check "a broken commit is reported" await app failed "$head"
reported() { sync status -json | ask --arg head "$head" '.stacks[0] | .state == "failed" and .failed == $head and (.problem | contains("broken.tf:1"))'; }
check "with file and line" reported
check "what was there is untouched" made a b c d e
tight() { sleep 3; sync history -json | ask '[.runs[] | select(.state == "failed")] | length == 1'; }
check "the same broken commit is not tried in a tight loop" tight
git -C "$box/work" rm -q app/broken.tf
push mended
check "the commit after it is applied at once" await app unchanged "$head"

rm "$box/made/c"
healed() { for _ in $(seq 100); do [ -e "$box/made/c" ] && return; sleep 0.1; done; return 1; }
check "drift is healed" healed
check "and is in the history" await app applied
drift_cause() { sync history -json -limit=1 app | ask '.runs[0].cause == "drift"'; }
check "as drift" drift_cause

sed -i 's/\["a".*\]/["a"]/' "$box/work/app/main.tf"
push fewer
check "a plan that destroys more than max_destroy waits" await app waiting "$head"
check "and changes nothing" made a b c d e
check "the plan is shown to who decides" grep -q '| \*\*destroy\*\* | `local_file.f\["b"\]` |' <(sync show app)
sync reject app
check "it is rejected" await app rejected "$head"
sed -i 's/\["a"\]/["a", "z"]/' "$box/work/app/main.tf"
push fewer-again
check "the next commit waits" await app waiting "$head"
stop TERM
check "waiting is not lost when the controller ends" [ "$(state_of app)" = waiting ]
start
sync approve app
check "it is approved, and applied" await app applied "$head"
check "what it destroys is gone" made a z

# Killed in the middle of an apply: the controller, and the command it runs.
cat >"$box/work/app/slow.tf" <<'TF'
resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "touch ${var.folder}/begun; while [ ! -e ${var.folder}/go ]; do sleep 0.1; done"
  }
}
resource "local_file" "after" {
  depends_on = [terraform_data.slow]
  filename   = "${var.folder}/after"
  content    = "x"
}
resource "random_id" "other" { byte_length = 2 }
TF
push slow
begun() { for _ in $(seq 100); do [ -e "$box/made/begun" ] && return; sleep 0.1; done; return 1; }
check "a long apply begins" begun
child=$(sqlite3 "$box/data/sync.db" "SELECT child FROM run WHERE state = 'applying'")
stop KILL
[ -z "$child" ] || kill -KILL -- "-${child%%:*}"
rm "$box/made/begun"
touch "$box/made/go"
start
check "killed while it applies, it is taken up" await app applied "$head"
whole() { [ -e "$box/made/after" ] && sync history -json app | ask 'any(.runs[]; .state == "interrupted")'; }
check "and nothing is lost" whole
rm "$box/made/begun" "$box/made/go"
echo 'resource "terraform_data" "last" { triggers_replace = terraform_data.slow.id }' >"$box/work/app/last.tf"
sed -i 's/resource "terraform_data" "slow" {/&\n  triggers_replace = "again"/' "$box/work/app/slow.tf"
push slow-again
check "a long apply begins again" begun
stop KILL
touch "$box/made/go"
start
ended() { await app unchanged "$head" || await app applied "$head"; }
check "killed alone, what it began is ended well and taken up" ended

stop TERM
errors() { ! grep -E 'Sanitizer|runtime error' "$box/log"; }
check "no memory errors" errors
