#!/bin/bash
# engine.sh BUILD: instances planned and applied; with terraform on this machine, beside it in the same run.
set -euo pipefail
zplan=$(realpath "$1")/zplan
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export NO_COLOR=1

config() { # N: half of the instances refer to the other half
	cat >"$work/main.tf" <<-TF
	resource "terraform_data" "a" {
	  count = $(($1 / 2))
	  input = "item \${count.index}"
	}
	resource "terraform_data" "b" {
	  count = $(($1 / 2))
	  input = terraform_data.a[count.index].id
	}
	TF
	rm -rf "$work"/terraform.tfstate* "$work/.terraform"
}
measure() { # LABEL N COMMAND...: a row
	local label=$1 n=$2; shift 2
	(cd "$work" && /usr/bin/time -f '%e %M' -o "$work/t" "$@" >/dev/null 2>"$work/err") || { echo "$label failed"; cat "$work/err"; return; }
	awk -v l="$label" -v n="$n" '{printf "%-26s %9d %10.2f %10.1f %10.2f\n", l, n, $1, $2 / 1024, $1 * 1e6 / n}' "$work/t"
}
printf '%-26s %9s %10s %10s %10s\n' what instances seconds "peak MB" us/inst
config 2; measure "zplan version" 1 "$zplan" version
run() { # PROGRAM NAME N
	config "$3"
	[ "$2" = zplan ] || (cd "$work" && "$1" init >/dev/null)
	measure "$2 validate" "$3" "$1" validate
	measure "$2 plan" "$3" "$1" plan
	measure "$2 apply" "$3" "$1" apply -auto-approve
	measure "$2 plan, no changes" "$3" "$1" plan
	measure "$2 destroy" "$3" "$1" destroy -auto-approve
}
if command -v terraform >/dev/null; then for n in 250 500; do run "$(command -v terraform)" terraform $n; run "$zplan" zplan $n; done; fi
for n in ${SIZES:-10000 100000 1000000}; do run "$zplan" zplan "$n"; done
