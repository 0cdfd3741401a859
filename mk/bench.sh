#!/bin/bash
# bench.sh BUILD [NAME...]: how long things take, a table per subject of mk/bench/.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
shift
status=0
for script in mk/bench/*.sh; do
	name=$(basename "$script" .sh)
	[ $# = 0 ] || [[ " $* " == *" $name "* ]] || continue
	printf '\n== %s ==\n' "$name"
	bash "$script" "$build" || status=1
done
exit $status
