#!/bin/bash
# gateway.sh BUILD: names whose TLS ends at a gateway and names whose TLS goes on, on two sandbox nodes: the example,
# names that are taken, and requests while other names come and go. Needs root.
set -uo pipefail
build=$(realpath "$1")
zplan=$build/zplan
root=$(realpath "$(dirname "$0")/../..")
[ "$(id -u)" = 0 ] || { echo "skipped: sandbox nodes need root"; exit 0; }
box=$(mktemp -d /tmp/zplan-gw.XXXXXX)
export ZPLAN_SANDBOX=$box/sandbox ZPLAN_NODES=$box/sandbox/nodes.hcl NO_COLOR=1 ASAN_OPTIONS=detect_leaks=0
export TF_VAR_content=$build/rootfs
unset TF_CLI_CONFIG_FILE
work=$box/work more=$box/more
mkdir "$more"
cp -r "$root/examples/gateway" "$work"
failures=0 backend= visitor=

ok() { echo "ok $1"; }
failed() { echo "FAILED $1"; failures=$((failures + 1)); tail -n 30 "$box/out"; }
check() { local name=$1; shift; if "$@" >"$box/out" 2>&1; then ok "$name"; else failed "$name"; fi; }
fails() { # NAME TEXT COMMAND...
	local name=$1 text=$2; shift 2
	if "$@" >"$box/out" 2>&1; then failed "$name"
	elif tr '\n' ' ' <"$box/out" | tr -s ' │' ' ' | grep -qF "$text"; then ok "$name"; else failed "$name"; fi
}
z() { (cd "$work" && timeout 120 "$zplan" "$@"); }
m() { (cd "$more" && timeout 120 "$zplan" "$@"); }
finish() {
	for pid in $backend $visitor; do kill "$pid" 2>/dev/null; done
	"$zplan" sandbox down >/dev/null 2>&1
	rm -rf "$box"
}
trap finish EXIT
trap 'exit 130' INT TERM

check "two nodes" "$zplan" sandbox up -nodes 2
client=$("$zplan" sandbox status -json | jq -r .client_namespace)
inside() { ip netns exec "$client" timeout 10 "$@"; }
get() { # URL CURL-OPTION...
	local url=$1 host=${1#*//}; host=${host%%/*}; shift
	inside curl -s --resolve "$host:80:198.18.0.11" --resolve "$host:443:198.18.0.11" "$@" "$url"
}
says() { local text=$1; shift; for _ in $(seq 60); do get "$@" 2>&1 | grep -q "$text" && return 0; sleep 0.3; done; get "$@" -v; return 1; }

# --- the example ---
z init >/dev/null 2>&1
check "the example" z apply -auto-approve
z output -raw certificate_authority >"$box/ca.pem"
check "TLS ends at the gateway, with a certificate of its authority" says "web" https://web.n1.sandbox.test/ --cacert "$box/ca.pem"
both() { says "web 0" "$@" && says "web 1" "$@"; }
check "requests are shared out" both https://web.n1.sandbox.test/ --cacert "$box/ca.pem"
redirects() { [ "$(get "http://web.n1.sandbox.test/a?b=c" -o /dev/null -w '%{http_code} %{redirect_url}')" = "308 https://web.n1.sandbox.test/a?b=c" ]; }
check "plain HTTP is redirected" redirects
certificate() { inside openssl s_client -connect 198.18.0.11:443 -servername "$1" </dev/null 2>/dev/null | openssl x509; }
own() { # the machine's own certificate answers, and nobody but the machine can read what is said
	certificate secure.n1.sandbox.test >"$box/secure.pem" && grep -q BEGIN "$box/secure.pem" &&
		openssl verify -CAfile "$box/secure.pem" "$box/secure.pem" &&
		says "secure" https://secure.n1.sandbox.test/index.html --cacert "$box/secure.pem"
}
wait_own() { for _ in $(seq 40); do own && return 0; sleep 0.5; done; return 1; }
check "TLS goes on to the machine, at the same port" wait_own
check "which the gateway has no certificate for" test ! -e "$ZPLAN_SANDBOX/n1/gateway/certs/secure.n1.sandbox.test.pem"
check "no changes after it" z plan -detailed-exitcode

# --- a name is given once ---
name() { # NODE NAME ADDRESS
	cat >"$more/main.tf" <<-TF
	resource "zos_gateway_name" "$3" {
	  node     = "$1"
	  name     = "$2"
	  backends = ["http://198.18.0.2:8080"]
	}
	TF
}
name n2 WEB second
m init >/dev/null 2>&1
fails "a name that another node has" 'zos_gateway_name.web on node n1 has the name "web"' m apply -auto-approve
check "leaves nothing behind" test "$("$zplan" sandbox status -json | jq '.nodes[1].workloads')" = 0
name n1 web third
fails "a name that the same node has" 'zos_gateway_name.web on node n1 has the name "web"' m apply -auto-approve
name n2 steady steady
check "a name that is free" m apply -auto-approve
check "is its owner's to change" bash -c "cd $more && sed -i 's/8080/8081/' main.tf && $zplan apply -auto-approve"
check "and to give back" m destroy -auto-approve

# --- requests while others come and go ---
cat >"$box/backend.cfg" <<-CFG
	defaults
	  mode http
	  timeout client 1m
	  timeout server 1m
	  timeout connect 5s
	frontend f
	  bind 198.18.0.2:8080
	  http-request return status 200 content-type text/plain string "steady\n"
CFG
ip netns exec "$client" haproxy -db -f "$box/backend.cfg" >"$box/backend.log" 2>&1 & backend=$!
name n1 steady steady
check "a steady one" m apply -auto-approve
m show -json | jq -r '.values.root_module.resources[0].values.certificate_authority' >"$box/ca.pem"
cat >>"$more/main.tf" <<-'TF'
	variable "others" {
	  default = 0
	}
	resource "zos_gateway_name" "other" {
	  count           = var.others
	  node            = "n1"
	  name            = "other-${count.index}"
	  tls_passthrough = count.index % 5 == 4
	  backends        = [count.index % 5 == 4 ? "198.18.0.2:8443" : "http://198.18.0.2:8080"]
	}
TF
ip netns exec "$client" python3 "$root/tests/e2e/requests.py" 198.18.0.11 steady.n1.sandbox.test "$box/ca.pem" "$box/stop" 10000 >"$box/visits" 2>&1 & visitor=$!
come_and_go() {
	for _ in 1 2 3 4 5; do
		m apply -auto-approve -var others=10 && m apply -auto-approve -var others=0 || return 1
	done
}
check "50 names come and go" come_and_go
restart() { kill -9 "$(cat "$ZPLAN_SANDBOX/n1/agent.pid")"; sleep 0.3; "$zplan" sandbox up && m apply -auto-approve -var others=3; }
check "the agent is killed and comes back" restart
many() { m apply -auto-approve -var others=80 && m apply -auto-approve -var others=0; }
check "more come than there was room for" many
touch "$box/stop"; wait $visitor; visitor=
read -r asked lost <"$box/visits"
cp "$box/visits" "$box/out"
[ "${asked:-0}" -ge 10000 ] && [ "$lost" = 0 ] && ok "10,000 requests meanwhile, and none failed" || failed "10,000 requests meanwhile: ${asked:-0} asked, ${lost:-?} failed"

# --- repair ---
master() { ip netns pids "${client%-client}-n1" | xargs -r ps -o pid=,comm= -p | awk '$2 == "haproxy" {print $1}' | sort -n | head -n 1; }
before=$(master); kill -9 "$before"
again() { for _ in $(seq 50); do [ -n "$(master)" ] && [ "$(master)" != "$before" ] && return 0; sleep 0.2; done; return 1; }
check "HAProxy, killed, comes back" again
check "and answers" says "steady" http://steady.n1.sandbox.test/
check "destroy" m destroy -auto-approve
check "destroy of the example" z destroy -auto-approve
check "HAProxy ends with the last name" test -z "$(master)"
[ "$failures" = 0 ]
