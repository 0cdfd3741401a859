#!/bin/bash
# gateway.sh BUILD: requests a second through a gateway beside HAProxy with a configuration written by hand, and how
# long one more name takes with 1 and with 1,000 present. Needs root.
set -euo pipefail
build=$(realpath "$1")
zplan=$build/zplan
[ "$(id -u)" = 0 ] || { echo "skipped: sandbox nodes need root"; exit 0; }
command -v wrk >/dev/null || { echo "skipped: wrk is needed (make deps)"; exit 0; }
box=$(mktemp -d /tmp/zplan-bench.XXXXXX)
export ZPLAN_SANDBOX=$box/s ZPLAN_NODES=$box/s/nodes.hcl NO_COLOR=1
unset TF_CLI_CONFIG_FILE
names=${NAMES:-1000} seconds=${SECONDS_EACH:-2} rounds=${ROUNDS:-5}
pids=()
finish() {
	for pid in ${pids[@]+"${pids[@]}"}; do kill "$pid" 2>/dev/null || true; done
	"$zplan" sandbox down >/dev/null 2>&1 || true
	rm -rf "$box"
}
trap finish EXIT
row() { printf '%-34s %10s %10s %10s\n' "$@"; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.2fx", a / b}'; }
median() { sort -n | awk '{a[NR] = $1} END {print a[int((NR + 1) / 2)]}'; }
took() { # COMMAND...: seconds
	local start=$EPOCHREALTIME
	"$@" >"$box/out" 2>&1 || { tail -n 20 "$box/out" >&2; return 1; }
	awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN {printf "%.3f\n", b - a}'
}

"$zplan" sandbox up >/dev/null
client=$("$zplan" sandbox status -json | jq -r .client_namespace)
mkdir "$box/one" "$box/more" "$box/many"
one() { (cd "$box/one" && "$zplan" "$@"); }
more() { (cd "$box/more" && "$zplan" "$@"); }
many() { (cd "$box/many" && "$zplan" "$@"); }

# --- requests: the same backend behind both, the same load on both, in turn ---
cat >"$box/backend.cfg" <<-CFG
	defaults
	  mode http
	  timeout client 1m
	  timeout server 1m
	  timeout connect 5s
	frontend f
	  bind 198.18.0.2:8080
	  http-request return status 200 content-type text/plain string "hello\n"
CFG
ip netns exec "$client" haproxy -db -f "$box/backend.cfg" >/dev/null 2>&1 & pids+=($!)
cat >"$box/one/main.tf" <<-TF
	resource "zos_gateway_name" "web" {
	  node     = "n1"
	  name     = "web"
	  backends = ["http://198.18.0.2:8080"]
	}
TF
one init >/dev/null && one apply -auto-approve >/dev/null
cp "$ZPLAN_SANDBOX/n1/gateway/certs/web.n1.sandbox.test.pem" "$box/hand.pem"
cat >"$box/hand.cfg" <<-CFG
	global
	  user haproxy
	  group haproxy
	  fd-hard-limit 32768
	defaults
	  mode http
	  option forwardfor
	  timeout connect 5s
	  timeout client 1m
	  timeout server 1m
	frontend http
	  bind 198.18.0.11:8081
	  bind 198.18.0.11:8444 ssl crt $box/hand.pem alpn h2,http/1.1
	  http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
	  use_backend web if { hdr(host) -i web.n1.sandbox.test }
	backend web
	  balance roundrobin
	  server s1 198.18.0.2:8080 check
CFG
# In a session of its own, as a service is and as the gateway's is: the kernel shares time out by sessions.
setsid -f ip netns exec "${client%-client}-n1" haproxy -db -f "$box/hand.cfg" >/dev/null 2>&1
sleep 1
worker=$(echo "show info" | socat - "UNIX:$ZPLAN_SANDBOX/n1/run/haproxy.sock" | awk '/^Pid:/ {print $2}')
hand=$(ip netns pids "${client%-client}-n1" | xargs ps -o pid=,args= -p | awk -v f="$box/hand.cfg" '/^ *[0-9]+ haproxy/ && $NF == f {print $1}')
pids+=("$hand")
ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; }
load() { # URL HEADER...: requests a second
	local url=$1; shift
	ip netns exec "$client" wrk -t 1 -c 32 -d "${seconds}s" -H "Host: web.n1.sandbox.test" "$@" "$url" >"$box/wrk"
	! grep -E 'Non-2xx|Socket errors' "$box/wrk" >&2 || return 1
	awk '/^Requests\/sec/ {print $2}' "$box/wrk"
}
# measure PID FILE URL HEADER...: requests a second into FILE, microseconds of processor a request into FILE.cpu
measure() {
	local pid=$1 file=$2 before after; shift 2
	before=$(ticks "$pid")
	load "$@" >>"$file"
	after=$(ticks "$pid")
	awk -v t=$((after - before)) -v hz="$(getconf CLK_TCK)" '/requests in/ {print t * 1000000 / hz / $1}' "$box/wrk" >>"$file.cpu"
}
row what gateway "by hand" ratio
compare() { # NAME SCHEME PORT HEADER...
	local name=$1 url=$2://198.18.0.11; local other=$url:$3; shift 3
	rm -f "$box"/ours* "$box"/theirs*
	for _ in $(seq "$rounds"); do
		measure "$worker" "$box/ours" "$url/" "$@"
		measure "$hand" "$box/theirs" "$other/" "$@"
	done
	local ours theirs
	ours=$(median <"$box/ours") theirs=$(median <"$box/theirs")
	row "$name, 1/s" "$ours" "$theirs" "$(ratio "$ours" "$theirs")"
	ours=$(median <"$box/ours.cpu") theirs=$(median <"$box/theirs.cpu")
	row "  its processor, us a request" "$ours" "$theirs" "$(ratio "$ours" "$theirs")"
}
compare "http, kept connections" http 8081
compare "http, one connection each" http 8081 -H "Connection: close"
compare "https, kept connections" https 8444

# --- one more name ---
cat >"$box/more/main.tf" <<-TF
	resource "zos_gateway_name" "more" {
	  node     = "n1"
	  name     = "more"
	  backends = ["http://198.18.0.2:8080"]
	}
TF
more init >/dev/null
add() { # the median of a few adds
	for _ in 1 2 3 4 5 6 7; do
		took more apply -auto-approve
		more destroy -auto-approve >/dev/null
	done | median
}
few=$(add)
cat >"$box/many/main.tf" <<-TF
	resource "zos_gateway_name" "many" {
	  count    = $names
	  node     = "n1"
	  name     = "many-\${count.index}"
	  backends = ["http://198.18.0.2:8080"]
	}
TF
many init >/dev/null
all=$(took many apply -auto-approve)
sleep 3
lots=$(add)
echo
row "" "1 there" "$names there" ratio
row "apply of one more name, s" "$few" "$lots" "$(ratio "$lots" "$few")"
row "apply of all $names, s" "" "$all" ""
