#!/bin/sh
# lint.sh: the layering. A folder includes headers of its own and of folders below it, nothing else.
set -eu
cd "$(dirname "$0")/.."
status=0

# FOLDER ALLOWED...
allow() {
	folder=$1
	shift
	[ -d "$folder" ] || return 0
	for file in $(find "$folder" -name '*.[ch]'); do
		for used in $(sed -n 's/^#include "\([a-z-]*\)\/.*/\1/p' "$file" | sort -u); do
			case " $folder $* " in
			*" $used "*) ;;
			*)
				echo "$file: includes $used/, which is not below $folder/" >&2
				status=1
				;;
			esac
		done
	done
}

allow base
allow hcl-lite base
allow modules base
allow node base hcl-lite
allow providers base hcl-lite node
allow state base hcl-lite
allow planner base hcl-lite modules node providers state
allow sync base hcl-lite
allow cli base hcl-lite modules node providers state planner sync

# Calls that have no place here: shell strings, unbounded copies.
if grep -rnE '\b(system|popen|strcpy|strcat|sprintf|gets|atoi)[ ]*\(' --include='*.[ch]' \
	base hcl-lite modules node providers state planner sync cli; then
	echo "the calls above are not to be used" >&2
	status=1
fi
exit $status
