#!/bin/bash
# scenarios.sh BUILD: configurations planned, applied and changed, with the peer's answers (tests/compat/plan.py).
set -uo pipefail
build=$(realpath "$1")
root=$(realpath "$(dirname "$0")/../..")
export NO_COLOR=1 ASAN_OPTIONS=detect_leaks=0
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 0; }

python3 "$root/tests/compat/plan.py" "$build/zplan" "$root/tests/compat/plan"
if [ -d "$root/../shared/compat/plan" ]; then
	python3 "$root/tests/compat/plan.py" "$build/zplan" "$root/../shared/compat/plan"
fi
exit 0
