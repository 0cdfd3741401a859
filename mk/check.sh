#!/bin/bash
# check.sh BUILD TEST...: runs every unit test, then the end-to-end runs, and ends with one line of counts.
set -uo pipefail
build=$1
shift
root=$(realpath "$(dirname "$0")/..")
passed=0
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
cd "$root" || exit 1

# Every test of a cmocka group counts; a program that dies counts as one failure.
for test in "$@"; do
	if timeout 300 "$test" >"$log" 2>&1; then ok=1; else ok=0; fi
	p=$(grep -c '^\[       OK \]' "$log")
	f=$(grep -c '^\[  FAILED  \] .*[^.]$' "$log")
	if [ $ok = 0 ]; then
		[ "$f" -gt 0 ] || f=1
		echo "FAILED $test"
		cat "$log"
	else
		f=0
		echo "ok     $test ($p)"
	fi
	passed=$((passed + p))
	failed=$((failed + f))
done

# End-to-end scripts print "ok NAME" or "FAILED NAME" for each thing they look at.
for script in tests/e2e/*.sh; do
	[ -e "$script" ] || continue
	if timeout 900 bash "$script" "$build" 2>&1 | tee "$log"; then ok=1; else ok=0; fi
	p=$(grep -c '^ok ' "$log")
	f=$(grep -c '^FAILED ' "$log")
	[ $ok = 1 ] || [ "$f" -gt 0 ] || f=1
	passed=$((passed + p))
	failed=$((failed + f))
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
