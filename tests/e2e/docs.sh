#!/bin/bash
# docs.sh BUILD: the example on each page of docs/resources and docs/data-sources is a whole configuration with what
# it refers to; those of zos types are planned against sandbox nodes, and the main ones are applied. Needs root for that.
set -uo pipefail
build=$(realpath "$1")
zplan=$build/zplan
root=$(realpath "$(dirname "$0")/../..")
box=$(mktemp -d /tmp/zplan-docs.XXXXXX)
export ZPLAN_SANDBOX=$box/sandbox ZPLAN_NODES=$box/sandbox/nodes.hcl NO_COLOR=1 ASAN_OPTIONS=detect_leaks=0
export HOME=$box/home # some read a key there
unset TF_CLI_CONFIG_FILE
mkdir -p "$HOME/.ssh" && echo "ssh-ed25519 AAAA someone" >"$HOME/.ssh/id_ed25519.pub"
failures=0

ok() { echo "ok $1"; }
failed() { echo "FAILED $1"; failures=$((failures + 1)); tail -n 30 "$box/out"; }
check() { local name=$1; shift; if "$@" >"$box/out" 2>&1; then ok "$name"; else failed "$name"; fi; }
finish() {
	[ -d "$box/sandbox" ] && "$zplan" sandbox down >/dev/null 2>&1
	rm -rf "$box"
}
trap finish EXIT
trap 'exit 130' INT TERM
z() { local folder=$1; shift; (cd "$box/$folder" && timeout -k 10 120 "$zplan" "$@"); }

# What examples refer to and leave to the reader.
machine() {
	printf 'resource "zos_machine" "%s" {\n  node    = "n1"\n  network = zos_network.main.id\n  flist   = "file://%s/rootfs/"\n  entrypoint = "/bin/httpd -f -p 443 -h /etc"\n}\n' "$1" "$build"
}
context() { # NAME
	case $1 in
	zos_network.main) printf 'resource "zos_network" "main" {\n  nodes = ["n1", "n2"]\n}\n' ;;
	zos_disk.data) printf 'resource "zos_disk" "data" {\n  node = "n1"\n  size = 1\n}\n' ;;
	zos_machine.*) machine "${1#*.}" ;;
	random_password.*) printf 'resource "random_password" "%s" {\n  length  = 20\n  special = false\n}\n' "${1#*.}" ;;
	var.*) printf 'variable "%s" {\n  default = "1"\n}\n' "${1#*.}" ;;
	local.hosts) printf 'locals {\n  hosts = ["a", "b"]\n}\n' ;;
	*) return 1 ;;
	esac
}
names() { grep -ohE '\b(data\.)?(var|local|random_password|zos_[a-z_]+)\.[a-z_]+' "$@" | sort -u; }
is_there() { # NAME FOLDER
	local type=${1%%.*} name=${1#*.}
	case $1 in
	data.*) return 0 ;;
	var.*) grep -q "^variable \"$name\"" "$2"/*.tf ;;
	local.*) grep -qE "^ +$name +=" "$2"/context.tf 2>/dev/null ;;
	*) grep -q "^resource \"$type\" \"$name\"" "$2"/*.tf ;;
	esac
}
# The first block of the page; content that nobody has here is the one that was built.
example() { # PAGE FOLDER
	mkdir -p "$box/$2"
	awk '/^```/ { n++; next } n == 1' "$1" | sed "s#file:///srv/[a-z./]*#file://$build/rootfs/#" >"$box/$2/example.tf"
}
complete() { # FOLDER: until nothing is missing
	for _ in 1 2 3; do
		local missing
		for missing in $(names "$box/$1"/*.tf); do
			is_there "$missing" "$box/$1" || context "$missing" >>"$box/$1/context.tf" || { echo "$missing is not there"; return 1; }
		done
	done
}
valid() { complete "$1" && z "$1" init && z "$1" validate; }

pages=()
for page in "$root"/docs/resources/*.md "$root"/docs/data-sources/*.md; do
	name=$(basename "$page" .md)
	pages+=("$name")
	example "$page" "$name"
	check "the example of $name is valid" valid "$name"
done

[ "$(id -u)" = 0 ] || { echo "skipped: sandbox nodes need root"; [ "$failures" = 0 ]; exit; }
check "two nodes" "$zplan" sandbox up -nodes 2
# No sandbox node has this much, nor labels.
sed -i '/labels/d; s/cru *= 2/cru = 1/; s/mru *= 2048/mru = 256/; s/mru *= 1024/mru = 256/' "$box"/zos_*/example.tf
for name in "${pages[@]}"; do
	case $name in
	zos_*) check "the example of $name can be planned" z "$name" plan ;;
	esac
done

# The primitives together, as a reader would have them in one folder.
mkdir "$box/all"
for name in zos_network zos_disk zos_machine zos_gateway_name; do cp "$box/$name/example.tf" "$box/all/$name.tf"; done
sed -i 's/size = 10/size = 1/' "$box/all/zos_disk.tf"
check "the main examples in one folder" valid all
check "are applied" z all apply -auto-approve
check "and stay" z all plan -detailed-exitcode
check "and go" z all destroy -auto-approve
[ "$failures" = 0 ]
