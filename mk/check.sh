#!/bin/bash
# check.sh BUILD TEST...: runs every unit test, then the end-to-end runs, and ends with one line of counts.
set -uo pipefail
build=$1
shift
root=$(realpath "$(dirname "$0")/..")
passed=0
failed=0
log=$(mktemp)
runner=
trap 'rm -f "$log"' EXIT
trap '[ -z "$runner" ] || pkill -TERM -s "$runner"; exit 130' INT TERM
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
cd "$root" || exit 1

# What every process of the build is doing: for a run that does not end.
stacks() {
	for pid in $(pgrep -f "^$(realpath "$build")/"); do
		echo "== $pid: $(tr '\0' ' ' <"/proc/$pid/cmdline")"
		if command -v gdb >/dev/null; then timeout -k 5 60 gdb -p "$pid" -batch -ex "thread apply all bt 12" 2>/dev/null
		else cat /proc/"$pid"/task/*/wchan; echo; fi
	done
}
# SECONDS COMMAND...: into the log, as a session of its own; what has not ended by then is shown and ended.
bounded() {
	local seconds=$1 watch
	shift
	setsid "$@" >"$log" 2>&1 </dev/null & runner=$!
	(
		trap 'kill $! 2>/dev/null; exit' TERM
		sleep "$seconds" & wait $!
		{ echo "FAILED $*: not ended after $seconds s"; stacks; } >>"$log" 2>&1
		pkill -TERM -s "$runner"; sleep 20; pkill -KILL -s "$runner"
	) >/dev/null 2>&1 & watch=$!
	[ -z "${SHOWN:-}" ] || tail -n +1 -s 0.2 -f --pid="$runner" "$log"
	wait "$runner"
	local status=$?
	runner=
	kill "$watch" 2>/dev/null
	wait "$watch" 2>/dev/null
	return $status
}

# Every test of a cmocka group counts; a program that dies counts as one failure.
for test in "$@"; do
	if bounded 300 "$test"; then ok=1; else ok=0; fi
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
	if SHOWN=1 bounded 600 bash "$script" "$build"; then ok=1; else ok=0; fi
	p=$(grep -c '^ok ' "$log")
	f=$(grep -c '^FAILED ' "$log")
	[ $ok = 1 ] || [ "$f" -gt 0 ] || f=1
	passed=$((passed + p))
	failed=$((failed + f))
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
