#!/bin/bash
# language.sh BUILD: the language on a generated configuration of 50 MB; with terraform on this machine, fmt and
# validate beside it on a smaller one, in the same run.
set -euo pipefail
build=$(realpath "$1")
here=$(realpath "$(dirname "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export NO_COLOR=1
unset TF_CLI_CONFIG_FILE

python3 "$here/generate-config.py" "${MEGABYTES:-50}" >"$work/big.tf"
"$build/tests/bench/language" "$work/big.tf"

command -v terraform >/dev/null || exit 0
mkdir "$work/small"
# Only what both have: built-in resources, so that nothing has to be downloaded.
python3 - >"$work/small/main.tf" <<'PY'
for n in range(4000):
    print('''resource "terraform_data" "r%(n)d" {
  input = {
    name  = "web-%(n)d"
    tags  = ["a", "b", "${local.prefix}-%(n)d"]
    count = max(1, %(n)d %% 7) + length(local.names)
  }
}

output "o%(n)d" {
  value = { for k, v in terraform_data.r%(n)d.input : k => jsonencode(v) }
}
''' % {"n": n})
print('locals {\n  prefix = "x"\n  names  = ["a", "b"]\n}')
PY
seconds() { # COMMAND...
	local start end
	start=$(date +%s.%N); "$@" >/dev/null; end=$(date +%s.%N)
	awk -v a="$start" -v b="$end" 'BEGIN { print b - a }'
}
cd "$work/small"
terraform init >/dev/null
for command in "fmt -check" validate; do
	# shellcheck disable=SC2086
	peer=$(seconds terraform $command) ours=$(seconds "$build/zplan" $command)
	awk -v c="$command" -v p="$peer" -v o="$ours" -v b="$(stat -c %s main.tf)" \
		'BEGIN { printf "%s of %.1f MB: terraform %.2f s, zplan %.3f s: %.0f times\n", c, b / 1e6, p, o, p / o }'
done
