#!/bin/bash
# language.sh BUILD: console, fmt, validate and the library as a user has them; with terraform on this machine, beside it.
set -uo pipefail
build=$(realpath "$1")
root=$(realpath "$(dirname "$0")/../..")
zplan=$build/zplan
box=$(mktemp -d /tmp/zplan-language.XXXXXX)
trap 'rm -rf "$box"' EXIT
export NO_COLOR=1 ASAN_OPTIONS=detect_leaks=0
unset TF_CLI_CONFIG_FILE

ok() { echo "ok $1"; }
failed() { echo "FAILED $1"; [ ! -s "$box/out" ] || tail -n 30 "$box/out"; }
# is NAME WANTED COMMAND...: exit status, and standard output as it is, dots for newlines
is() {
	local name=$1 wanted=$2 got; shift 2
	got=$("$@" 2>"$box/out" | tr '\n' '.'; echo " ${PIPESTATUS[0]}")
	if [ "$got" = "$wanted" ]; then ok "$name"; else failed "$name: wanted $wanted, got $got"; fi
}
check() { local name=$1; shift; if "$@" >"$box/out" 2>&1; then ok "$name"; else failed "$name"; fi; }
in_box() { (cd "$box/work" && "$@"); }
console() { printf '%b' "$1" | in_box "$zplan" console; }
fmt() { in_box "$zplan" fmt "$@"; }
fmt_text() { printf '%b' "$1" | "$zplan" fmt "${@:2}"; }

# --- console ---
mkdir "$box/work" && cat >"$box/work/main.tf" <<'TF'
variable "unset" {}
variable "name" { default = "web" }
locals { list = [for i in range(3) : "${var.name}-${i}"] }
resource "terraform_data" "a" { input = local.list }
TF
is "console prints the last result" '"web-1". 0' console '1\nlocal.list[1]\n'
is "console prints collections over lines" '[.  1,.  "a",.]. 0' console '[1, "a"]\n'
is "console stops at an error" ' 1' console '1\nnosuch()\n2\n'
is "console: what is not set is not known" '(known after apply). 0' console 'var.unset\n'
is "console: what is not made is not known" '(known after apply). 0' console 'terraform_data.a.id\n'
is "console: exit" ' 0' console '1\nexit\n2\n'
is "console: an empty line" '. 0' console '\n'
is "console: types" 'number. 0' console 'type(1)\n'
check "apply" in_box "$zplan" apply -auto-approve -var unset=1
is "console: the state's values" '"web-2". 0' console 'terraform_data.a.output[2]\n'
printf '[1,\n2]\n"${\n3}"\nexit\n' >"$box/typed"
if command -v script >/dev/null; then
	timeout 30 script -qc "cd $box/work && $zplan console" /dev/null <"$box/typed" >"$box/out" 2>&1
	tr -d '\r' <"$box/out" | tr '\n' '.' | grep -qF '[.  1,.  2,.].' && ok "console at a terminal reads on while a bracket is open" || failed "console at a terminal reads on while a bracket is open"
fi
echo 'output "x" { value = 1 / 0 }' >"$box/work/infinite.tf"
if in_box "$zplan" apply -auto-approve -var unset=1 >"$box/out" 2>&1; then failed "an infinite output is refused"; else
	in_box "$zplan" state list >/dev/null && ok "an infinite output is refused" || failed "an infinite output is refused"; fi
rm "$box/work/infinite.tf"

# --- fmt ---
rm -rf "$box/work" && mkdir -p "$box/work/sub/.hidden"
printf 'a=1\nbb = 2 # c\n' >"$box/work/a.tf"; chmod 640 "$box/work/a.tf"
printf 'c=1\n' | tee "$box/work/sub/v.tfvars" "$box/work/sub/t.tftest.hcl" "$box/work/sub/n.hcl" >"$box/work/sub/.hidden/h.tf"
is "fmt -check finds" 'a.tf. 3' fmt -check
is "fmt -check -recursive finds all" 'a.tf.sub/t.tftest.hcl.sub/v.tfvars. 3' fmt -check -recursive
is "fmt -diff" '--- old/a.tf.+++ new/a.tf.@@ -1,2 +1,2 @@.-a=1.+a  = 1. bb = 2 # c. 0' fmt -diff -write=false -list=false
is "fmt writes" 'a.tf. 0' fmt
is "fmt has written" 'a  = 1.bb = 2 # c. 0' cat "$box/work/a.tf"
[ "$(stat -c %a "$box/work/a.tf")" = 640 ] && ok "fmt keeps the mode" || failed "fmt keeps the mode"
is "fmt again has nothing to do" ' 0' fmt
is "fmt of one file" 'sub/v.tfvars. 0' fmt sub/v.tfvars
is "fmt of standard input" 'x = 1. 0' fmt_text 'x=1' -
is "fmt -check of standard input" ' 3' fmt_text 'x=1' -check -
printf 'x = (\n' >"$box/work/bad.tf"
is "fmt leaves what it can not read" ' 2' fmt
is "as it was" 'x = (. 0' cat "$box/work/bad.tf"
is "fmt of what is not there" ' 2' fmt nosuch
is "fmt of what is no configuration" ' 2' fmt sub/n.hcl
check "the examples are formatted" "$zplan" fmt -check -recursive "$root/examples"

# --- the library ---
flags="$(pkg-config --libs libcjson mpfr libutf8proc libpcre2-8 yaml-0.1 libcrypto zlib libcrypt) -lpthread -lm"
# A library built with sanitizers needs them in the program too.
[ "$(nm "$build/libhcl-lite.a" 2>/dev/null | grep -c __asan_init)" = 0 ] || flags="$flags -fsanitize=address,undefined"
# shellcheck disable=SC2086
if [ -e "$build/libhcl-lite.a" ] && ${CC:-cc} -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Werror -I"$root" \
	"$root/examples/embed-hcl/main.c" "$build/libhcl-lite.a" -o "$box/embed" $flags >"$box/out" 2>&1; then
	is "the library in a program" 'greeting: HELLO, you.service web.service mail. 0' env WHO=you "$box/embed" "$root/examples/embed-hcl/app.hcl"
else
	failed "the library in a program"
fi
# shellcheck disable=SC2086
if [ -e "$build/libhcl-lite.a" ] && make -s -C "$root" B="$build" -o "$build/libhcl-lite.a" PREFIX="$box/usr" install-library >"$box/out" 2>&1 &&
	cd "$box" && ${CC:-cc} -std=gnu17 -D_GNU_SOURCE -I"$box/usr/include/hcl-lite" "$root/examples/embed-hcl/main.c" \
	"$box/usr/lib/libhcl-lite.a" -o "$box/embed2" $flags >"$box/out" 2>&1; then
	is "the installed library in a program" 'greeting: HELLO, you.service web.service mail. 0' env WHO=you "$box/embed2" "$root/examples/embed-hcl/app.hcl"
else
	failed "the installed library in a program"
fi

# --- validate ---
check "validate -json says of broken files what the peer says" python3 "$root/tests/compat/validate.py" "$zplan" "$root/tests/compat/validate.jsonl"
rm -rf "$box/work" && mkdir -p "$box/work/tests" "$box/work/other"
echo 'output "a" { value = 1 }' >"$box/work/main.tf"
echo 'run "x" { foo = 1 }' | tee "$box/work/tests/a.tftest.hcl" >"$box/work/other/a.tftest.hcl"
printf 'foo {}\n' >>"$box/work/other/a.tftest.hcl"
errors() { in_box "$zplan" validate -json "$@" | jq .error_count; }
is "validate looks at tests" '1. 1' errors
is "validate -test-directory" '2. 1' errors -test-directory=other
is "validate -no-tests" '0. 0' errors -no-tests

# --- beside the peer ---
if [ -e "$root/../shared/compat/expressions.jsonl" ]; then
	check "the sample expressions" python3 "$root/tests/compat/console.py" "$zplan" "$root/../shared/compat"
fi
if command -v terraform >/dev/null && command -v python3 >/dev/null; then
	for p in terraform zplan; do
		python3 "$root/tests/compat/outputs.py" "$root/tests/hcl-lite/expressions/cases.txt" "$root/tests/hcl-lite/expressions/module" "$box/$p" >/dev/null
		program=$p; [ $p = zplan ] && program=$zplan
		(cd "$box/$p" && "$program" init && "$program" apply -auto-approve) >"$box/$p.log" 2>&1
		(cd "$box/$p" && "$program" output -json) >"$box/$p.json" 2>>"$box/$p.log"
	done
	diff "$box/terraform.json" "$box/zplan.json" >"$box/out" && [ -s "$box/zplan.json" ] && ok "outputs have the peer's values and types" || failed "outputs have the peer's values and types"
	for file in "$root"/tests/fuzz/corpus/fmt/* "$root"/examples/*/*.tf "$root"/tests/hcl-lite/expressions/module/*.tf; do
		terraform fmt - <"$file" >"$box/t.fmt" 2>/dev/null; t=$?
		"$zplan" fmt - <"$file" >"$box/z.fmt" 2>/dev/null; z=$?
		[ "$t" = "$z" ] && cmp -s "$box/t.fmt" "$box/z.fmt" || echo "$file" >>"$box/differ"
	done
	[ ! -e "$box/differ" ] && ok "files are formatted as the peer does" || { cp "$box/differ" "$box/out"; failed "files are formatted as the peer does"; }
fi
exit 0
