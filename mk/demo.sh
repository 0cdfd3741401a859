#!/bin/bash
# demo.sh BUILD: the main job, from text to a machine that answers, on a sandbox node. KEEP=1 leaves it up.
set -euo pipefail
build=$(realpath "$1")
zplan=$build/zplan
root=$(realpath "$(dirname "$0")/..")
export ZPLAN_SANDBOX=${ZPLAN_SANDBOX:-/var/lib/zplan-sandbox}
export ZPLAN_NODES=$ZPLAN_SANDBOX/nodes.hcl
work=$ZPLAN_SANDBOX/quickstart

say() { printf '\n\033[1m=> %s\033[0m\n' "$*"; }

[ "$(id -u)" = 0 ] || { echo "make demo: a sandbox node is made of kernel objects, and that needs root." >&2; exit 1; }

clean() {
	status=$?
	if [ "${KEEP:-0}" != 1 ] || [ $status != 0 ]; then
		"$zplan" sandbox down || status=1
	fi
	exit $status
}
trap clean EXIT
trap 'exit 130' INT TERM

# What an interrupted demo may have left.
"$zplan" sandbox down

say "zplan sandbox up"
"$zplan" sandbox up

mkdir -p "$work"
cp "$root"/examples/quickstart/*.tf "$work"
cd "$work"
export TF_VAR_content=$build/rootfs

say "zplan init"
"$zplan" init
say "zplan plan"
"$zplan" plan
say "zplan apply -auto-approve"
started=$(date +%s.%N)
"$zplan" apply -auto-approve

client=$("$zplan" sandbox status -json | jq -r .client_namespace)
url=$("$zplan" output -json urls | jq -r '.[]' | head -n 1)
host=${url#http://}; host=${host%/}
say "curl $url (from the namespace $client, through the gateway)"
for try in $(seq 1 150); do
	page=$(ip netns exec "$client" curl -sf -m 5 --resolve "$host:80:198.18.0.11" "$url") && break
	[ "$try" != 150 ] || { echo "the page did not come" >&2; exit 1; }
	sleep 0.2
done
echo "$page"
printf '(%.1f s after apply began)\n' "$(echo "$(date +%s.%N) $started" | awk '{print $1 - $2}')"

if [ "${KEEP:-0}" = 1 ]; then
	cat <<TEXT

It stays up. To look around:
  export ZPLAN_NODES=$ZPLAN_NODES TF_VAR_content=$TF_VAR_content
  cd $work && $zplan show
  $zplan sandbox status
  ip netns exec $client curl --resolve $host:80:198.18.0.11 $url
To take it down:
  cd $work && $zplan destroy; $zplan sandbox down
TEXT
	exit 0
fi

say "zplan destroy -auto-approve"
"$zplan" destroy -auto-approve
say "zplan sandbox down"
"$zplan" sandbox down
echo "Nothing is left."
