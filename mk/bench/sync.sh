#!/bin/bash
# sync.sh BUILD: zplan sync from a push to the start of the plan, told by a webhook (goal: under 2 s), and to its end.
set -euo pipefail
build=$(realpath "$1")
zplan=$build/zplan
box=$(mktemp -d /tmp/zplan-bench-sync.XXXXXX)
pid=
trap '[ -z "$pid" ] || kill "$pid"; wait; rm -rf "$box"' EXIT
umask 077
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
git init -q --bare -b main "$box/repo.git"
git init -q -b main "$box/work"
cd "$box/work"
git remote add origin "$box/repo.git"
git config user.email t@example.org && git config user.name t
cat >"$box/sync.hcl" <<HCL
data_dir = "$box/data"
http {
  listen = "127.0.0.1:0"
}
repository "infra" {
  url            = "file://$box/repo.git"
  webhook_secret = "secret-of-hooks"
}
stack "app" {
  repo     = "infra"
  interval = "1h"
  approve  = "auto"
}
HCL
resources=${RESOURCES:-1000}
push() {
	printf 'resource "terraform_data" "many" {\n  count = %d\n  input = "%s"\n}\n' "$resources" "$1" >main.tf
	git add . && git commit -qm "$1" && git push -q origin HEAD:main
	head=$(git rev-parse HEAD)
}
applied() { "$zplan" sync status -config="$box/sync.hcl" -json | jq -e --arg head "$head" '.stacks[0].applied == $head' >/dev/null; }
push first
"$zplan" sync -config="$box/sync.hcl" 2>"$box/log" & pid=$!
wait_for() { # COMMAND...: at most a minute
	local end=$((SECONDS + 60))
	until "$@"; do
		[ $SECONDS -lt $end ] || { cat "$box/log"; exit 1; }
		sleep 0.05
	done
}
wait_for [ -s "$box/data/address" ]
wait_for applied
body='{"repository":"infra","ref":"refs/heads/main"}'
signature=$(printf %s "$body" | openssl dgst -sha256 -hmac secret-of-hooks -r | cut -d' ' -f1)
worst=0
for n in 1 2 3 4 5; do
	push "$n"
	began=$(date +%s%3N)
	curl -sf -X POST -H "X-Zplan-Signature: sha256=$signature" --data-raw "$body" "http://$(cat "$box/data/address")/hooks" >/dev/null
	wait_for applied
	read -r planned finished < <(sqlite3 -separator ' ' "$box/data/sync.db" 'SELECT planned, finished FROM run ORDER BY id DESC LIMIT 1')
	printf 'push %d of %d objects: plan started after %4d ms, applied after %5d ms\n' "$n" "$resources" $((planned - began)) $((finished - began))
	[ $((planned - began)) -le "$worst" ] || worst=$((planned - began))
done
[ "$worst" -lt 2000 ] || { echo "slower than 2000 ms"; exit 1; }
