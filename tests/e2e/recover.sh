#!/bin/bash
# recover.sh BUILD: a state is lost, and rebuilt from two sandbox nodes. Needs root.
set -uo pipefail
build=$(realpath "$1")
zplan=$build/zplan
[ "$(id -u)" = 0 ] || { echo "skipped: sandbox nodes need root"; exit 0; }
box=$(mktemp -d /tmp/zplan-recover.XXXXXX)
export ZPLAN_SANDBOX=$box/sandbox ZPLAN_NODES=$box/sandbox/nodes.hcl NO_COLOR=1 ASAN_OPTIONS=detect_leaks=0
unset TF_CLI_CONFIG_FILE
finish() { "$zplan" sandbox down >/dev/null 2>&1; rm -rf "$box"; }
trap finish EXIT
trap 'exit 130' INT TERM

ok() { echo "ok $1"; }
failed() { echo "FAILED $1"; tail -n 30 "$box/out"; }
check() { local name=$1; shift; if "$@" >"$box/out" 2>&1; then ok "$name"; else failed "$name"; fi; }
fails() { # NAME TEXT COMMAND...
	local name=$1 text=$2; shift 2
	if "$@" >"$box/out" 2>&1; then failed "$name"; else
		tr '\n' ' ' <"$box/out" | tr -s ' ' | grep -qF "$text" && ok "$name" || failed "$name"; fi
}
in_a() { (cd "$box/a" && timeout -k 10 100 "$zplan" "$@"); }
in_b() { (cd "$box/b" && timeout -k 10 100 "$zplan" "$@"); }
attributes() { jq -S '[.resources[] | select(.type != "terraform_data") | {"module": .module, type, name, i: [.instances[] | {index_key, attributes}]}] | sort_by(.type, .name)' "$1"; }

check "sandbox up" "$zplan" sandbox up -nodes=2
mkdir -p "$box/a/m" "$box/b"
cat >"$box/a/main.tf" <<'TF'
resource "zos_network" "main" { nodes = ["n1", "n2"] }
resource "zos_disk" "data" {
  for_each = toset(["one", "two"])
  node     = "n2"
  size     = 1
}
resource "terraform_data" "note" { input = zos_network.main.id }
module "m" { source = "./m" }
TF
cat >"$box/a/m/main.tf" <<'TF'
resource "zos_ip" "web" { node = "n1" }
TF
echo 'resource "zos_disk" "other" { node = "n1"
size = 1 }' | sed 's/{ /{\n/; s/ }/\n}/' >"$box/b/main.tf"
check "apply" in_a apply -auto-approve
check "another state on the same nodes" in_b apply -auto-approve
attributes "$box/a/terraform.tfstate" >"$box/before"
lineage=$(jq -r .lineage "$box/a/terraform.tfstate")
check "nothing is missing" bash -c "cd $box/a && $zplan state recover | grep -q 'has all that the nodes know'"
rm -f "$box"/a/terraform.tfstate*
fails "which of two states is not guessed" "More than one state" in_a state recover
check "dry run" in_a state recover -lineage="$lineage" -dry-run
[ ! -s "$box/a/terraform.tfstate" ] && ok "a dry run stores nothing" || failed "a dry run stores nothing"
check "state recover" in_a state recover -lineage="$lineage"
attributes "$box/a/terraform.tfstate" >"$box/after"
diff "$box/before" "$box/after" >"$box/out" && ok "every object is as it was" || failed "every object is as it was"
[ "$(jq -r .lineage "$box/a/terraform.tfstate")" = "$lineage" ] && ok "the lineage too" || failed "the lineage too"
(cd "$box/a" && "$zplan" plan -detailed-exitcode >"$box/out" 2>&1); [ $? = 2 ] && grep -q "1 to add, 0 to change, 0 to destroy" "$box/out" && ok "only what no node has is to be made" || failed "only what no node has is to be made"
check "one object is lost" in_a state rm 'zos_disk.data["two"]'
check "and found again" bash -c "cd $box/a && $zplan state recover | grep -q 'recovered 1 resource'"
kill -9 "$(cat "$box/sandbox/n2/agent.pid")"; sleep 0.3
fails "a node that does not answer is said" "out of reach" in_a state recover
check "the node is back" "$zplan" sandbox up -nodes=2
check "destroy" in_a destroy -auto-approve
check "destroy of the other" in_b destroy -auto-approve
exit 0
