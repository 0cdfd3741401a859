#!/bin/bash
# stream.sh BUILD: plan, apply and destroy with -json: every line is a document, and with terraform on this machine the
# lines are the peer's (their order, times, ids and what is refreshed apart).
set -uo pipefail
build=$(realpath "$1")
zplan=$build/zplan
box=$(mktemp -d /tmp/zplan-stream.XXXXXX)
trap 'rm -rf "$box"' EXIT
export NO_COLOR=1 ASAN_OPTIONS=detect_leaks=0 TF_IN_AUTOMATION=1
unset TF_CLI_CONFIG_FILE

ok() { echo "ok $1"; }
failed() { echo "FAILED $1"; tail -n 30 "$box/out"; }
lines() {
	jq -c -S 'select(.type | startswith("refresh") or . == "version" | not) | del(."@timestamp")' |
		sed -E 's/[0-9a-f]{8}-[0-9a-f-]{27}/ID/g; s/Terraform/zplan/g; s/terraform (plan|apply)/zplan \1/g' | sort
}
first() { cat <<'TF'
resource "terraform_data" "a" {
  input = "x"
}
resource "terraform_data" "b" {
  count            = 2
  triggers_replace = terraform_data.a.output
}
output "o" {
  value = terraform_data.a.output
}
output "secret" {
  value     = terraform_data.a.id
  sensitive = true
}
TF
}
second() { cat <<'TF'
resource "terraform_data" "a" {
  count = 2
  input = 2
}
resource "terraform_data" "f" {
  provisioner "local-exec" {
    command = "echo hi; exit 1"
  }
}
moved {
  from = terraform_data.b[1]
  to   = terraform_data.c
}
TF
}
play() { # PROGRAM FOLDER
	mkdir -p "$2" && cd "$2" || return
	first >main.tf
	"$1" init >/dev/null 2>&1
	"$1" plan -json -out=p; "$1" apply -json p; "$1" plan -json
	second >main.tf
	"$1" plan -json; "$1" apply -json -auto-approve; "$1" apply -json
	"$1" destroy -json -auto-approve; "$1" destroy -json -auto-approve
}
(play "$zplan" "$box/z") >"$box/z.json" 2>"$box/out"
jq -e . "$box/z.json" >/dev/null 2>>"$box/out" && ok "every line is a document" || failed "every line is a document"
lines <"$box/z.json" >"$box/z.lines"
for type in planned_change change_summary outputs apply_start apply_complete apply_errored provision_start provision_progress provision_errored diagnostic; do
	grep -q "\"type\":\"$type\"" "$box/z.lines" && ok "stream: $type" || failed "stream: $type"
done
[ ! -s "$box/out" ] && ok "nothing is said beside the stream" || failed "nothing is said beside the stream"
if command -v terraform >/dev/null; then
	(play terraform "$box/t") 2>/dev/null | lines >"$box/t.lines"
	diff "$box/t.lines" "$box/z.lines" >"$box/out" && ok "the stream is the peer's" || failed "the stream is the peer's"
fi
exit 0
