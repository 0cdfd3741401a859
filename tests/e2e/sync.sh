#!/bin/bash
# sync.sh BUILD: the controller from end to end, with a bare repository on disk: what is pushed is applied, what is
# broken is reported and changes nothing, drift is healed, what destroys too much waits, and being killed loses nothing.
set -uo pipefail
build=$(realpath "$1")
root=$(realpath "$(dirname "$0")/../..")
zplan=$build/zplan
box=$(mktemp -d /tmp/zplan-sync.XXXXXX)
pid=
forge=
trap 'stop KILL; [ -z "$forge" ] || kill "$forge"; rm -rf "$box"' EXIT
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
state_of() { sync status -json | jq -er --arg name "$1" '.stacks[] | select(.name == $name).state'; }
push() { # MESSAGE: everything in the work tree
	git -C "$box/work" add -A && git -C "$box/work" commit -qm "$1" && git -C "$box/work" push -q origin HEAD:main
	head=$(git -C "$box/work" rev-parse HEAD)
}

call() { # STATUS ARGUMENT...: the answer's text
	local status=$1
	shift
	[ "$(curl -s -m 10 -o "$box/answer" -w '%{http_code}' "$@")" = "$status" ] && cat "$box/answer"
}

git init -q --bare -b main "$box/repo.git"
git init -q -b main "$box/work"
git -C "$box/work" remote add origin "$box/repo.git"
git -C "$box/work" config user.email t@example.org && git -C "$box/work" config user.name t
python3 "$root/tests/e2e/forge.py" "$box/forge" & forge=$!
for _ in $(seq 50); do [ -s "$box/forge/port" ] && break; sleep 0.1; done
export SYNC_TOKEN=token-of-the-api SYNC_SECRET=secret-of-hooks FORGE_TOKEN=forge-token-1
bearer=(-H "Authorization: Bearer $SYNC_TOKEN")
cat >"$box/sync.hcl" <<HCL
data_dir = "$box/data"
parallel = 3
http {
  listen      = "127.0.0.1:0"
  token       = env.SYNC_TOKEN
  max_payload = 100000
}
repository "infra" {
  url            = "file://$box/repo.git"
  webhook_secret = env.SYNC_SECRET
  forge          = "github"
  api_url        = "http://127.0.0.1:$(cat "$box/forge/port")"
  project        = "team/infra"
  status_token   = env.FORGE_TOKEN
}
stack "hooked" {
  repo       = "infra"
  ref        = "main"
  path       = "hooked"
  interval   = "1h"
  approve    = "auto"
  depends_on = ["app"]
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
mkdir -p "$box/work/app" "$box/work/hooked" "$box/made"
echo 'resource "terraform_data" "one" {}' >"$box/work/hooked/main.tf"
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

check "who depends on it comes after it" await hooked applied "$head"
order() { sync history -json | ask '[.runs[] | {key: .stack, value: .}] | from_entries | .app.finished <= .hooked.created and .app.id < .hooked.id'; }
check "in order" order

echo 'resource "local_file" "x" { filename = nowhere.x }' >"$box/work/app/broken.tf"
push broken
check "a broken commit is reported" await app failed "$head"
reported() { sync status -json | ask --arg head "$head" '.stacks[] | select(.name == "app") | .state == "failed" and .failed == $head and (.problem | contains("broken.tf:1"))'; }
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
url=http://$(cat "$box/data/address")
shown() { call 200 "${bearer[@]}" "$url/api/v1/stacks/app/plan" | grep -q '4 to destroy'; }
check "and by the API" shown
check "another run than the one that waits can not be decided about" call 409 -X POST "${bearer[@]}" "$url/api/v1/stacks/app/reject?run=1"
check "a stack that is not there neither" call 404 -X POST "${bearer[@]}" "$url/api/v1/stacks/nothing/reject"
check "nor without the token" call 401 -X POST "$url/api/v1/stacks/app/reject"
check "it is rejected" call 202 -X POST "${bearer[@]}" "$url/api/v1/stacks/app/reject"
check "and stays so" await app rejected "$head"
sed -i 's/\["a"\]/["a", "z"]/' "$box/work/app/main.tf"
push fewer-again
check "the next commit waits" await app waiting "$head"
sed -i 's/"z"/"y", "z"/' "$box/work/app/main.tf"
push fewer-still
check "the one after that takes its place" await app waiting "$head"
replaced() { sync history -json -limit=2 app | ask '.runs[1].state == "superseded"'; }
check "in the history too" replaced
for name in b c d; do rm "$box/made/$name"; done
smaller() { [ "$(sync status -json | jq '.stacks[] | select(.name == "app").run | select(.state == "waiting").destroy')" = 1 ] || [ "$(state_of app)" = ok ]; }
overtaken() { for _ in $(seq 100); do smaller && return; sleep 0.1; done; return 1; }
check "a plan that waits follows what happens meanwhile" overtaken
check "and is applied once it keeps the rules" await app applied "$head"
sed -i 's/\["a", "y", "z"\]/["a", "b", "c", "d", "e"]/' "$box/work/app/main.tf"
push more
check "more again" await app applied "$head"
sed -i 's/\["a".*\]/["z"]/' "$box/work/app/main.tf"
push fewer-once-more
check "and less" await app waiting "$head"
stop TERM
check "waiting is not lost when the controller ends" [ "$(state_of app)" = waiting ]
start
sync approve app
check "it is approved, and applied" await app applied "$head"
check "what it destroys is gone" made z

# ---- from outside ----
url=http://$(cat "$box/data/address")
check "healthz" call 200 "$url/healthz"
check "the API wants a token" call 401 "$url/api/v1/status"
check "metrics want it too" call 401 "$url/metrics"
check "a wrong token is refused" call 401 -H "Authorization: Bearer wrong" "$url/api/v1/status"
status_told() { call 200 "${bearer[@]}" "$url/api/v1/status" | ask '.stacks | map(.name) == ["hooked", "app"]'; }
check "status" status_told
measured() {
	call 200 "${bearer[@]}" "$url/metrics" >"$box/metrics" && grep -q '^zplan_sync_runs_total{stack="app",state="rejected"} 1$' "$box/metrics" &&
		grep -q '^zplan_sync_run_duration_seconds_count{stack="app",state="applied"} ' "$box/metrics" &&
		grep -q '^zplan_sync_drift{stack="app"} 0$' "$box/metrics" && grep -q '^zplan_sync_queue ' "$box/metrics"
}
check "metrics" measured
runs() { sync history -json -limit=1000 | ask '.runs | length'; }
sign() { printf %s "$1" | openssl dgst -sha256 -hmac "$SYNC_SECRET" -r | cut -d' ' -f1; }
hook() { call "$1" -X POST -H "X-GitHub-Event: ${4:-push}" -H "X-Hub-Signature-256: sha256=$3" --data-raw "$2" "$url/hooks"; }
body='{"ref":"refs/heads/main","repository":{"clone_url":"file://'$box/repo.git'"}}'
check "who depends on it looked again" await hooked unchanged "$head"
echo 'resource "terraform_data" "two" {}' >>"$box/work/hooked/main.tf"
push hooked
await app unchanged "$head" >/dev/null
before=$(runs)
check "a webhook with a wrong signature is refused" hook 401 "$body" "$(sign "$body ")"
check "one without" call 401 -X POST -H "X-GitHub-Event: push" --data-raw "$body" "$url/hooks"
other='{"ref":"refs/heads/main","repository":{"clone_url":"file:///other.git"}}'
check "one for an unknown repository" hook 404 "$other" "$(sign "$other")"
check "one that is no JSON" hook 400 "x" "$(sign x)"
head -c 200000 /dev/zero | tr '\0' ' ' >"$box/large"
check "one that is too large" call 413 -X POST -H "X-GitHub-Event: push" --data-binary "@$box/large" "$url/hooks"
check "a ping is answered" hook 202 "$body" "$(sign "$body")" ping
branch=${body/main/dev}
none() { hook 202 "$branch" "$(sign "$branch")" | ask '.triggered == []'; }
check "another branch triggers nothing" none
nothing_ran() { sleep 1; [ "$(runs)" = "$before" ]; }
check "nothing ran" nothing_ran
others() {
	local named='{"repository":"infra","ref":"refs/heads/elsewhere"}'
	call 202 -X POST -H "X-Gitlab-Event: Push Hook" -H "X-Gitlab-Token: $SYNC_SECRET" --data-raw "$named" "$url/hooks" &&
		call 401 -X POST -H "X-Gitlab-Event: Push Hook" -H "X-Gitlab-Token: x" --data-raw "$named" "$url/hooks" &&
		call 202 -X POST -H "X-Gitea-Event: push" -H "X-Gitea-Signature: $(sign "$named")" --data-raw "$named" "$url/hooks" &&
		call 202 -X POST -H "X-Zplan-Signature: sha256=$(sign "$named")" --data-raw "$named" "$url/hooks/infra" &&
		call 404 -X POST -H "X-Zplan-Signature: sha256=$(sign "$named")" --data-raw "$named" "$url/hooks/nothing"
}
check "webhooks of the other forges" others
good() { hook 202 "$body" "$(sign "$body")" | ask '.triggered == ["hooked", "app"]'; }
check "a webhook with the right one is taken" good
check "what it tells of is applied" await hooked applied "$head"
by_hook() { sync history -json -limit=1 hooked | ask '.runs[0].cause == "webhook"'; }
check "because of the webhook" by_hook
posted() {
	jq -es --arg path "/repos/team/infra/statuses/$head" \
		'map(select(.path == $path and .authorized and .body.context == "zplan/hooked").body.state) | .[-1] == "success" and .[0] == "pending"' "$box/forge/requests"
}
told() { for _ in $(seq 50); do posted >/dev/null && return; sleep 0.1; done; posted; }
check "the forge is told how the commit fares" told
failure_told() { jq -es 'any(.[]; .body.state == "failure" and (.body.description | contains("broken.tf:1")))' "$box/forge/requests"; }
check "and how the broken one fared" failure_told
check "a stack is asked to look again" call 202 -X POST "${bearer[@]}" "$url/api/v1/stacks/hooked/run"
manual() { await hooked unchanged "$head" && sync history -json -limit=1 hooked | ask '.runs[0].cause == "manual"'; }
check "and does" manual
check "nothing waits that could be approved" call 409 -X POST "${bearer[@]}" "$url/api/v1/stacks/app/approve"
secrets() { ! grep -rE "$SYNC_TOKEN|$SYNC_SECRET|$FORGE_TOKEN" "$box/log" "$box/data" "$box/metrics"; }
check "secrets are nowhere to be found" secrets

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
unseen() { ! cat "/proc/${child%%:*}"/{cmdline,environ} "/proc/$pid/cmdline" | tr '\0' '\n' | grep -E "$SYNC_TOKEN|$SYNC_SECRET|$FORGE_TOKEN"; }
check "commands do not see the controller's secrets" unseen
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
rm "$box/made/begun" "$box/made/go"
sed -i 's/"again"/"once more"/' "$box/work/app/slow.tf"
push slow-once-more
check "a long apply begins once more" begun
kill -TERM "$pid"
graceful() { sleep 1; kill -0 "$pid" && grep -q '"ending: 1 stacks at work"' "$box/log" && touch "$box/made/go" && wait "$pid"; }
check "ended while it applies, the controller lets it finish" graceful
pid=
orderly() { sync history -json -limit=1 app | ask --arg head "$head" '.runs[0] | .commit == $head and (.state == "interrupted" or .state == "applied")'; }
check "and says so" orderly
start
taken_up() { for _ in $(seq 100); do [ "$(state_of app)" = ok ] && sync status -json | ask --arg head "$head" '.stacks[1].applied == $head' && return; sleep 0.1; done; return 1; }
check "what is left is done at the next start" taken_up

stop TERM
errors() { ! grep -E 'Sanitizer|runtime error' "$box/log"; }
check "no memory errors" errors
