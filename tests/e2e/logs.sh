#!/bin/bash
# logs.sh BUILD: a machine's console as a stream to redis and to WebSockets, plain and with TLS, while servers and the
# agent go and come. Needs root.
set -uo pipefail
build=$(realpath "$1")
zplan=$build/zplan
root=$(realpath "$(dirname "$0")/../..")
[ "$(id -u)" = 0 ] || { echo "skipped: sandbox nodes need root"; exit 0; }
box=$(mktemp -d /tmp/zplan-logs.XXXXXX)
export ZPLAN_SANDBOX=$box/sandbox ZPLAN_NODES=$box/sandbox/nodes.hcl NO_COLOR=1 ASAN_OPTIONS=detect_leaks=0
unset TF_CLI_CONFIG_FILE
work=$box/work
mkdir "$work"
failures=0 pids=()

ok() { echo "ok $1"; }
failed() { echo "FAILED $1"; failures=$((failures + 1)); tail -n 30 "$box/out"; }
check() { local name=$1; shift; if "$@" >"$box/out" 2>&1; then ok "$name"; else failed "$name"; fi; }
fails() { # NAME TEXT COMMAND...
	local name=$1 text=$2; shift 2
	if "$@" >"$box/out" 2>&1; then failed "$name"
	elif tr '\n' ' ' <"$box/out" | tr -s ' │' ' ' | grep -qF "$text"; then ok "$name"; else failed "$name"; fi
}
z() { (cd "$work" && timeout 120 "$zplan" "$@"); }
finish() {
	for pid in ${pids[@]+"${pids[@]}"}; do kill "$pid" 2>/dev/null; done
	"$zplan" sandbox down >/dev/null 2>&1
	rm -rf "$box"
}
trap finish EXIT
trap 'exit 130' INT TERM

check "sandbox up" "$zplan" sandbox up
client=$("$zplan" sandbox status -json | jq -r .client_namespace)
inside() { ip netns exec "$client" "$@"; }
start() { ip netns exec "$client" "$@" >>"$box/servers" 2>&1 & pids+=($!); last=$!; }
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=logs \
	-addext subjectAltName=IP:198.18.0.2 -keyout "$box/key.pem" -out "$box/cert.pem" 2>/dev/null
websocket() { start python3 "$root/tests/e2e/log_server.py" 198.18.0.2 9001 "$box/plain"; }
websocket; plain=$last
start python3 "$root/tests/e2e/log_server.py" 198.18.0.2 9002 "$box/secure" "$box/cert.pem" "$box/key.pem"
start redis-server --bind 198.18.0.2 --port 6379 --save "" --dir "$box" --requirepass secret
for _ in $(seq 50); do inside redis-cli -h 198.18.0.2 -a secret --no-auth-warning ping 2>/dev/null | grep -q PONG && break; sleep 0.1; done
start stdbuf -oL redis-cli -h 198.18.0.2 -a secret --no-auth-warning subscribe ticks
cp "$box/cert.pem" "$work"
cat >"$work/main.tf" <<-TF
	resource "zos_network" "n" { nodes = ["n1"] }
	resource "zos_machine" "m" {
	  node       = "n1"
	  network    = zos_network.n.id
	  flist      = "file://$build/rootfs/"
	  memory     = 250
	  entrypoint = "/bin/sh -c 'i=0; while true; do echo tick \$i; i=\$((i+1)); usleep 20000; done'"
	}
	resource "zos_logs" "all" {
	  for_each = {
	    redis  = "redis://:secret@198.18.0.2/ticks"
	    plain  = "ws://198.18.0.2:9001/m"
	    secure = "wss://198.18.0.2:9002/m"
	  }
	  node                  = "n1"
	  machine               = zos_machine.m.id
	  output                = each.value
	  certificate_authority = each.key == "secure" ? file("cert.pem") : null
	}
TF
z init >/dev/null 2>&1
check "a machine and three streams" z apply -auto-approve
check "no changes after it" z plan -detailed-exitcode
refused() { printf 'resource "zos_logs" "x" {\n  node = "n1"\n  machine = "x"\n  output = "http://:geheim@x"\n}\n' >"$work/bad.tf"; z plan; }
fails "an unsuitable target" "must begin with redis://, ws:// or wss://" refused
rm -f "$work/bad.tf"
silent() { ! z show | grep -q secret && ! z plan | grep -q secret && ! grep -rq ':secret@' "$ZPLAN_SANDBOX/n1/agent.log"; }
check "passwords are shown nowhere" silent

reached() { for _ in $(seq 150); do grep -q "^tick" "$1" && [ "$(grep -c '^tick' "$1")" -gt "$2" ] && return 0; sleep 0.1; done; tail -n 3 "$1"; return 1; }
check "lines reach redis" reached "$box/servers" 20
check "and the WebSocket" reached "$box/plain" 20
check "and the one with TLS" reached "$box/secure" 20
# The server is away for a while, and the agent dies in the middle.
kill "$plain"; sleep 1.5
kill -9 "$(cat "$ZPLAN_SANDBOX/n1/agent.pid")"; sleep 0.5
check "the agent is back" "$zplan" sandbox up
websocket
check "the stream goes on" reached "$box/plain" $(($(grep -c '^tick' "$box/plain") + 100))
check "no changes after all that" z plan -detailed-exitcode
# Every line from the first to the last is there, in order; lines that were not confirmed come twice.
complete() { awk '/^tick/ {if (!n) n = $2 + 0; else if ($2 > n + 1 && !again) {print "after " n " comes " $2; exit 1} if ($2 > n) n = $2} END {exit !n}' "$1"; }
check "no line is lost on the way to it" complete "$box/plain"
check "nor to the one with TLS" complete "$box/secure"
check "destroy" z destroy -auto-approve
count=$(grep -c '^tick' "$box/plain"); sleep 0.5
[ "$(grep -c '^tick' "$box/plain")" = "$count" ] && ok "nothing comes any more" || failed "nothing comes any more"
[ "$failures" = 0 ]
