#!/bin/bash
# state.sh BUILD: reading and writing states, the journal, and one change applied in a large state.
set -euo pipefail
build=$(realpath "$1")
zplan=$build/zplan
speed=$build/tests/state/test_speed
[ -x "$speed" ] || make -s B="$1" "$1/tests/state/test_speed"
"$speed" "${INSTANCES:-1000000}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export NO_COLOR=1
large=${LARGE:-100000}
cat >main.tf <<TF
variable "v" { default = "a" }
resource "terraform_data" "many" { count = $large }
resource "terraform_data" "one" { input = var.v }
TF
"$zplan" apply -auto-approve >/dev/null
took() { /usr/bin/time -f '%e' -o t "$@" >/dev/null; printf '%8.2f s\n' "$(cat t)"; }
printf '%-34s' "state of $large: pull"; took "$zplan" state pull
printf '%-34s' "apply of one change"; took "$zplan" apply -auto-approve -var v=b
printf '%-34s' "the same, -refresh=false"; took "$zplan" apply -auto-approve -refresh=false -var v=c
printf '%-34s' "state mv of one object"; took "$zplan" state mv terraform_data.one terraform_data.two
