#!/bin/bash
# commands.sh BUILD: commands that look at a configuration, and interrupts, as a user has them.
set -uo pipefail
build=$(realpath "$1")
root=$(realpath "$(dirname "$0")/../..")
zplan=$build/zplan
box=$(mktemp -d /tmp/zplan-commands.XXXXXX)
trap 'rm -rf "$box"' EXIT
export NO_COLOR=1 ASAN_OPTIONS=detect_leaks=0
unset TF_CLI_CONFIG_FILE TF_CLI_ARGS TF_DATA_DIR TF_WORKSPACE
failures=0

ok() { echo "ok $1"; }
failed() { echo "FAILED $1"; failures=$((failures + 1)); [ ! -s "$box/out" ] || tail -n 30 "$box/out"; }
z() { (cd "$box/work" && "$zplan" "$@"); }
# same NAME WANTED COMMAND...: standard output as it is
same() {
	local name=$1 wanted=$2; shift 2
	z "$@" >"$box/out" 2>&1
	if diff <(printf '%b' "$wanted") "$box/out" >"$box/diff"; then ok "$name"; else cp "$box/diff" "$box/out"; failed "$name"; fi
}
# holds NAME FILTER COMMAND...: a JSON document of which the filter is true
holds() {
	local name=$1 filter=$2; shift 2
	z "$@" >"$box/out" 2>&1
	if jq -e "$filter" "$box/out" >/dev/null 2>&1; then ok "$name"; else failed "$name"; fi
}

mkdir -p "$box/work/m"
cat >"$box/work/main.tf" <<'TF'
variable "n" { default = 2 }
locals { x = module.m.out }
resource "terraform_data" "one" { input = local.x }
resource "terraform_data" "two" {
  count = var.n
  input = terraform_data.one.id
}
resource "terraform_data" "last" { depends_on = [module.m, terraform_data.two] }
module "m" {
  source = "./m"
  v      = 1
}
output "o" { value = terraform_data.two[*].input }
TF
cat >"$box/work/m/main.tf" <<'TF'
variable "v" {}
resource "terraform_data" "in" { input = var.v }
output "out" { value = terraform_data.in.output }
TF

same "get" '- m in m\n' get
same "get of what is there" '' get
same "get -update" '- m in m\n' get -update
if jq -e '.Modules == [{Key:"",Source:"",Dir:"."},{Key:"m",Source:"./m",Dir:"m"}]' \
	"$box/work/.terraform/modules/modules.json" >/dev/null; then ok "modules.json"; else failed "modules.json"; fi
same "modules" '\nModules declared by configuration:\n.\n└── "m"[./m]\n\n' modules
same "modules -json" '{"format_version":"1.0","modules":[{"key":"m","source":"./m","version":""}]}\n' modules -json
same "providers" '\nProviders required by configuration:\n.\n├── provider[terraform.io/builtin/terraform]\n└── module.m\n    └── provider[terraform.io/builtin/terraform]\n\n' providers
same "graph" 'digraph G {
  rankdir = "RL";
  node [shape = rect, fontname = "sans-serif"];
  "terraform_data.last" [label="terraform_data.last"];
  "terraform_data.one" [label="terraform_data.one"];
  "terraform_data.two" [label="terraform_data.two"];
  subgraph "cluster_module.m" {
    label = "module.m"
    fontname = "sans-serif"
    "module.m.terraform_data.in" [label="terraform_data.in"];
  }
  "terraform_data.last" -> "terraform_data.two";
  "terraform_data.one" -> "module.m.terraform_data.in";
  "terraform_data.two" -> "terraform_data.one";
}
' graph
if command -v dot >/dev/null; then
	if z graph -format=svg 2>"$box/out" | grep -q "<svg"; then ok "graph -format=svg"; else failed "graph -format=svg"; fi
fi
holds "providers schema" '.provider_schemas["terraform.io/builtin/terraform"].resource_schemas.terraform_data.block.attributes.input.optional' \
	providers schema -json
holds "metadata functions" '.function_signatures | .join.return_type == "string" and .max.variadic_parameter.type == "number" and has("core::join")' \
	metadata functions -json

# Every command says what it is for, and unknown ones what is near.
bad=
for command in $(z -help | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p'); do
	z "$command" -help >"$box/out" 2>&1 && grep -q "^Usage: zplan" "$box/out" || bad="$bad $command"
done
if [ -z "$bad" ]; then ok "-help everywhere"; else failed "-help of$bad"; fi
z aply >"$box/out" 2>&1
if grep -q 'Did you mean "apply"' "$box/out"; then ok "did you mean"; else failed "did you mean"; fi

# What changes behind the state's back is taken in by refresh; outputs follow.
z apply -auto-approve >"$box/out" 2>&1 || failed "apply"
if z refresh >"$box/out" 2>&1 && grep -q "^Outputs:" "$box/out" && ! grep -q "Apply complete" "$box/out"; then
	ok "refresh"
else
	failed "refresh"
fi

# The example of modules: as its page says.
cp -r "$root/examples/modules/." "$box/work/"; rm -rf "$box/work/m" "$box"/work/terraform.tfstate*
z init >"$box/out" 2>&1 && z plan -out=p >"$box/out" 2>&1 || failed "examples/modules"
holds "examples/modules" '[.resource_changes[] | select(.change.actions == ["create"])] | length == 5' show -json p
z apply p >"$box/out" 2>&1 || failed "examples/modules: apply"
holds "its outputs" '. == {api:[["api-0:8080"]],web:[["web-0:80","web-0:443"],["web-1:80","web-1:443"]]}' output -json endpoints
z plan -var 'services={web={replicas=3}}' >"$box/out" 2>&1
if grep -q "+/- create replacement and then destroy" "$box/out" && grep -qF 'because module.service["api"] is not in configuration' "$box/out"; then
	ok "its changes"
else
	failed "its changes"
fi
rm -rf "$box"/work/{service,p,README.md} "$box"/work/terraform.tfstate*

# Import blocks without configuration get some, once.
cat >"$box/work/main.tf" <<'TF'
import {
  to = terraform_data.adopted
  id = "abc"
}
TF
rm -rf "$box"/work/terraform.tfstate*
z plan -generate-config-out=made.tf >"$box/out" 2>&1 || failed "plan -generate-config-out"
printf '%s\n' '# __generated__ by zplan from "abc"' 'resource "terraform_data" "adopted" {' '  input            = null' \
	'  triggers_replace = null' '}' >"$box/made"
if grep -q "(config will be generated)" "$box/out" && tail -n 5 "$box/work/made.tf" | diff - "$box/made"; then
	ok "plan -generate-config-out"
else
	failed "plan -generate-config-out"
fi
if ! z plan -generate-config-out=made.tf >"$box/out" 2>&1 && grep -q "already exists" "$box/out"; then
	ok "generated configuration is not written over"
else
	failed "generated configuration is not written over"
fi
z apply -auto-approve >"$box/out" 2>&1
if grep -q "1 imported, 0 added" "$box/out"; then ok "what was generated is applied"; else failed "what was generated is applied"; fi
rm -f "$box/work/made.tf"

# The first interrupt lets what runs come to its end and keeps it; the second one stops at once, and keeps it too.
cat >"$box/work/main.tf" <<'TF'
resource "terraform_data" "slow" {
  provisioner "local-exec" { command = "touch started; sleep 2" }
}
resource "terraform_data" "after" { input = terraform_data.slow.id }
TF
# interrupted TIMES: names and states of what the state has afterwards
interrupted() {
	rm -f "$box/work/started" "$box"/work/terraform.tfstate*
	(cd "$box/work" && exec "$zplan" apply -auto-approve) >"$box/out" 2>&1 &
	local pid=$!
	for _ in $(seq 100); do [ -e "$box/work/started" ] && break; sleep 0.05; done
	for _ in $(seq "$1"); do kill -INT $pid; sleep 0.4; done
	wait $pid
	echo "$? $(jq -c '[.resources[] | .name, .instances[0].status]' "$box/work/terraform.tfstate" 2>/dev/null)"
}
set -m
got=$(interrupted 1)
if [ "$got" = '1 ["slow",null]' ]; then ok "interrupted once"; else failed "interrupted once: $got"; fi
got=$(interrupted 2)
if [ "$got" = '1 ["slow","tainted"]' ]; then ok "interrupted twice"; else failed "interrupted twice: $got"; fi
[ $failures = 0 ]
