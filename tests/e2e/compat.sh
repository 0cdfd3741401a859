#!/bin/bash
# compat.sh BUILD: what tests/compat records of the peer, through the program itself: expressions of several
# lines and a share of the others, layouts; and where terraform is here, a share of them beside it.
set -uo pipefail
build=$(realpath "$1")
root=$(realpath "$(dirname "$0")/../..")
zplan=$build/zplan
box=$(mktemp -d /tmp/zplan-compat.XXXXXX)
trap 'rm -rf "$box"' EXIT
export NO_COLOR=1 CHECKPOINT_DISABLE=1 TF_CLI_CONFIG_FILE=$box/empty.rc ASAN_OPTIONS=detect_leaks=0
: >"$box/empty.rc"

ok() { echo "ok $1"; }
failed() { echo "FAILED $1"; }

# answer PROGRAM CASE: what console prints for the case, or "an error"
answer() {
	local text
	text=$(jq -r .expression <<<"$2")
	rm -f zz.tf
	if [ "$(jq -r .multiline <<<"$2")" = true ]; then
		printf 'locals {\n  zz_x = %s\n}\n' "$text" >zz.tf
		text=local.zz_x
	fi
	"$1" console <<<"$text" 2>/dev/null || echo "an error"
}

# compare NAME FOLDER FILTER: the cases the filter chooses, against what was recorded
compare() {
	local count=0 wrong=0 line
	mkdir "$box/$1" && cp -r "$2/fixture/." "$box/$1" && cd "$box/$1" || return
	"$zplan" init >/dev/null 2>&1
	while IFS= read -r line; do
		count=$((count + 1))
		if [ "$(answer "$zplan" "$line")" != "$(jq -r '.stdout // "an error\n" | rtrimstr("\n")' <<<"$line")" ]; then
			wrong=$((wrong + 1))
			echo "  differs: $(jq -c .expression <<<"$line")"
		fi
	done < <(jq -c "$3" "$2/expressions.jsonl")
	if [ $wrong = 0 ] && [ $count -gt 0 ]; then ok "$1: $count expressions"; else failed "$1: $wrong of $count"; fi
}

compare lines "$root/tests/compat" 'select(.multiline)'
compare share "$root/tests/compat" 'select(input_line_number % 40 == 0)'
if [ -e "$root/../shared/compat/expressions.jsonl" ]; then
	compare shared "$root/../shared/compat" 'select(.multiline)'
fi

for given in "$root"/tests/compat/layout/*.given; do
	name=$(basename "${given%.given}")
	if "$zplan" fmt - <"$given" 2>&1 | cmp -s - "${given%.given}.want"; then
		ok "layout $name"
	else
		failed "layout $name"
	fi
done

command -v terraform >/dev/null || exit 0
cp -r "$root/tests/compat/fixture" "$box/beside" && cd "$box/beside" || exit 1
terraform init >/dev/null 2>&1
"$zplan" init >/dev/null 2>&1
wrong=0
count=0
while IFS= read -r line; do
	count=$((count + 1))
	if [ "$(answer terraform "$line")" != "$(answer "$zplan" "$line")" ]; then
		wrong=$((wrong + 1))
		echo "  differs: $(jq -c .expression <<<"$line")"
	fi
done < <(jq -c 'select(input_line_number % 31 == 0)' "$root/tests/compat/expressions.jsonl")
if [ $wrong = 0 ] && [ $count -gt 0 ]; then ok "beside terraform: $count expressions"; else failed "beside terraform: $wrong of $count"; fi
mkdir "$box/a" "$box/b"
find "$root/examples" "$root/tests/compat" -name '*.tf' | head -n 200 | while IFS= read -r file; do
	name=$(tr / _ <<<"$file")
	sed 's/  */ /g' "$file" | tee "$box/a/$name" >"$box/b/$name" # layout spoilt, heredocs with it, alike
done
terraform fmt -list=false "$box/a" >/dev/null 2>&1
"$zplan" fmt -list=false "$box/b" >/dev/null 2>&1
if diff -r "$box/a" "$box/b" >&2; then ok "fmt beside terraform"; else failed "fmt beside terraform"; fi
