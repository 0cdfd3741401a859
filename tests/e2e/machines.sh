#!/bin/bash
# machines.sh BUILD: machines of every kind of content on a sandbox node, fetched over connections that break; what
# they answer; what is refused; what changes, stops, crashes and stays. Needs root.
set -uo pipefail
build=$(realpath "$1")
root=$(realpath "$(dirname "$0")/../..")
zplan=$build/zplan
[ "$(id -u)" = 0 ] || { echo "skipped: sandbox nodes need root"; exit 0; }
box=$(mktemp -d /tmp/zplan-vm.XXXXXX)
export ZPLAN_SANDBOX=$box/s ZPLAN_NODES=$box/s/nodes.hcl NO_COLOR=1 ASAN_OPTIONS=detect_leaks=0
unset TF_CLI_CONFIG_FILE
work=$box/work files=$box/files
mkdir "$work" "$files"
failures=0 server=
. "$root/tests/e2e/contents.bash"

ok() { echo "ok $1"; }
failed() { echo "FAILED $1"; failures=$((failures + 1)); tail -n 30 "$box/out"; }
check() { local name=$1; shift; if "$@" >"$box/out" 2>&1; then ok "$name"; else failed "$name"; return 1; fi; }
fails() { # NAME TEXT COMMAND...
	local name=$1 text=$2; shift 2
	if "$@" >"$box/out" 2>&1; then failed "$name"
	elif tr '\n│' '  ' <"$box/out" | tr -s ' ' | grep -qF "$text"; then ok "$name"; else failed "$name"; fi
}
is() { # NAME VALUE WANTED
	if [ "$2" = "$3" ]; then ok "$1"; else echo "it is \"$2\", not \"$3\"" >"$box/out"; failed "$1"; fi
}
z() { (cd "$work" && timeout 120 "$zplan" "$@"); }
apply() { z apply -auto-approve "$@"; }
no_changes() { z plan -detailed-exitcode; }
finish() {
	"$zplan" sandbox down >/dev/null 2>&1
	[ -n "$server" ] && kill "$server" 2>/dev/null
	rm -rf "$box"
}
trap finish EXIT
trap 'exit 130' INT TERM

# --- the contents, and where they are ---
contents() {
	tree "$box/folder" folder && tree "$box/packed" tar && tree "$box/squashed" squashfs &&
		tree "$box/plain" ext4 && tree "$box/listed" flist && system "$box/own" kernel &&
		tree "$box/other" other || return 1
	tar -C "$box/packed" --zstd -cf "$files/web.tar.zst" . &&
		mksquashfs "$box/squashed" "$files/x.squashfs" -quiet -no-progress &&
		mkfs.ext4 -q -d "$box/plain" "$files/x.ext4" 60M &&
		disk "$files/x.raw" "$box/own" && cp --sparse=always "$files/x.raw" "$files/large.raw" &&
		truncate -s 600M "$files/large.raw" && qemu-img convert -c -O qcow2 "$files/x.raw" "$files/x.qcow2" &&
		head -c 3000000 /dev/urandom >"$box/listed/large" &&
		python3 "$root/tests/e2e/make_flist.py" "$box/listed" "$files/near.fl" "$files/blocks" "dir://$files/blocks" &&
		python3 "$root/tests/e2e/make_flist.py" "$box/listed" "$files/far.fl" "$files/blocks" \
			"0-127=http://198.18.0.2:8080/blocks" "128-255=http://198.18.0.2:8080/blocks/"
}
check "contents of every kind" contents || exit 1
check "two nodes" "$zplan" sandbox up -nodes 2 || exit 1
client=$("$zplan" sandbox status -json | jq -r .client_namespace)
ip netns exec "$client" python3 "$root/tests/e2e/broken_server.py" "$files" 8080 "$box/requests" >"$box/server" 2>&1 &
server=$!
disown "$server"
for _ in $(seq 100); do ip netns exec "$client" curl -s http://198.18.0.2:8080/up && break; sleep 0.1; done
ip netns list | cut -d' ' -f1 | sort >"$box/before"
sum=$(sha256sum "$files/web.tar.zst" | cut -d' ' -f1)
cat >"$work/main.tf" <<-TF
variable "web" { default = "http://198.18.0.2:8080/breaks/web.tar.zst" }
variable "greeting" { default = "hello" }
variable "cpu" { default = 1 }
variable "memory" { default = 256 }
resource "zos_network" "n" { nodes = ["n1", "n2"] }
resource "zos_disk" "d" {
  count = 2
  node  = "n1"
  size  = 1
}
locals {
  web = {
    squashfs = "file://$files/x.squashfs"
    ext4     = "file://$files/x.ext4"
    flist    = "http://198.18.0.2:8080/breaks/far.fl"
    near     = "file://$files/near.fl"
    twin     = "http://198.18.0.2:8080/breaks/web.tar.zst"
  }
  system = {
    kernel = "file://$box/own/"
    raw    = "file://$files/x.raw"
    qcow2  = "http://198.18.0.2:8080/breaks/x.qcow2"
  }
}
resource "zos_machine" "web" {
  for_each   = local.web
  node       = each.key == "near" ? "n2" : "n1"
  planetary  = contains(["near", "ext4"], each.key)
  network    = zos_network.n.id
  flist      = each.value
  entrypoint = "serve \${each.key}"
}
resource "zos_machine" "system" {
  for_each = local.system
  node     = "n1"
  network  = zos_network.n.id
  flist    = each.value
  env      = { SSH_KEY = "ssh-ed25519 AAAA me" }

  entrypoint = each.key == "kernel" ? "/sbin/other one two" : "/bin/echo once"
}
resource "zos_machine" "tar" {
  node       = "n1"
  network    = zos_network.n.id
  flist      = var.web
  cpu        = var.cpu
  memory     = var.memory
  env        = { GREETING = var.greeting }
  entrypoint = "serve tar"
  mounts {
    disk        = zos_disk.d[1].id
    mount_point = "/data/inner"
  }
  mounts {
    disk        = zos_disk.d[0].id
    mount_point = "/data"
  }
}
resource "zos_machine" "shell" {
  node    = "n1"
  network = zos_network.n.id
  flist   = "file://$box/folder"
  corex   = true
}
output "ip" { value = merge({ for k, v in zos_machine.web : k => v.ip }, { for k, v in zos_machine.system : k => v.ip }, { tar = zos_machine.tar.ip }) }
output "planetary" { value = { for k, v in zos_machine.web : k => v.planetary_ip } }
output "console" { value = zos_machine.shell.console_url }
TF
z init >/dev/null 2>&1
check "machines of every kind" apply || exit 1
# The network's namespace of the first node; it reaches the other by the mesh.
for net in $(ip netns list | cut -d' ' -f1 | sort | comm -13 "$box/before" - | grep '^n-'); do
	ip -n "$net" -4 addr show lan0 2>/dev/null | grep -q '10.1.1.1/' && break
done
z output -json ip >"$box/ip"
get() { ip netns exec "$net" curl -sf -m 2 "http://$(jq -r ".$1" "$box/ip")/$2"; }
page() { # MACHINE PATH TEXT [SECONDS]
	for _ in $(seq $((${4:-40} * 4))); do [ "$(get "$1" "$2" 2>/dev/null | head -n 1)" = "$3" ] && return 0; sleep 0.25; done
	echo "$1 has \"$(get "$1" "$2")\", not \"$3\""; return 1
}
requests() { grep -c "$1" "$box/requests"; }
log() { cat "$ZPLAN_SANDBOX"/n1/workloads/*/console.log; }

# --- each answers with what it was made of ---
for kind in squashfs ext4 flist tar; do check "$kind" page $kind mark $kind; done
check "a flist whose blocks are in a folder" page near mark flist
for kind in kernel raw qcow2; do check "$kind, with a kernel of its own" page $kind mark kernel; done
is "two machines of one URL cost one download" "$(requests ' /breaks/web.tar.zst')" 2
is "which went on where it broke" "$(requests '^206 /breaks/web.tar.zst')" 1
is "as that of the disk did" "$(requests '^206 /breaks/x.qcow2')" 1
[ "$(requests '^200 /blocks/')" -ge 7 ] && ok "blocks were fetched one by one" || failed "blocks were fetched one by one"
is "disks and file systems are there once" "$(find "$ZPLAN_SANDBOX/n1/cache" -maxdepth 2 -name '*.img' | wc -l)" 8
check "nothing is left of downloads" bash -c "! ls $ZPLAN_SANDBOX/n1/cache | grep -E '^(download|archive|unpack)-'"
check "no changes after it" no_changes

# --- what they were told ---
is "the entrypoint is the init of a kernel" "$(get kernel started)" "/sbin/other one two"
is "a system is called as its machine" "$(get raw name)" "system-raw"
check "and knows who may log in" bash -c "ip netns exec $net curl -sf http://$(jq -r .raw "$box/ip")/user-data | grep -q 'ssh-ed25519 AAAA me'"
yaml() { for f in meta-data network-config user-data; do get raw $f | python3 -c 'import sys, yaml; assert yaml.safe_load(sys.stdin)' || return 1; done; }
check "in YAML as its readers take it" yaml
is "several disks, one in another" "$(get tar mounts | grep -c ' /data')" 2
check "what is said goes to the log" bash -c "cat $ZPLAN_SANDBOX/n1/workloads/*/console.log | grep -q 'SERVING tar'"
# --- the planetary network ---
far() { # NODE MACHINE: its page, from that node
	for _ in $(seq 60); do ip netns exec "${client%-client}-$1" curl -sgf -m 2 "http://[$(z output -json planetary | jq -r ".$2")]/mark" && return 0; sleep 0.25; done; return 1
}
check "a planetary address answers on its node" far n1 ext4
check "and on another" far n2 ext4
check "in both directions" far n1 near
[ "$(z output -json planetary | jq -r .flist)" = null ] && ok "those without have none" || failed "those without have none"
console() { # what a shell answers
	ip netns exec "$net" timeout 8 bash -c 'exec 3<>/dev/tcp/${0%:*}/${0#*:}; echo "echo \$((6 * 7)) answers" >&3; grep -m 1 "42 answers" <&3' "$(z output -raw console)"
}
check "a shell answers on the console" console

# --- what is refused, before anything is made ---
bad() { # NAME TEXT FLIST [MORE]
	printf 'resource "zos_machine" "bad" {\n  node = "n1"\n  network = zos_network.n.id\n  flist = "%s"\n  %s\n}\n' "$3" "${4:-}" >"$work/bad.tf"
	fails "$1" "$2" apply -target=zos_machine.bad
	z destroy -auto-approve -target=zos_machine.bad >/dev/null 2>&1
	rm -f "$work/bad.tf"
}
bad "a wrong checksum" "flist_checksum: the content hashes to $sum, not to ${sum//[0-9]/0}" "http://198.18.0.2:8080/whole/web.tar.zst" "flist_checksum = \"${sum//[0-9]/0}\""
bad "a squashfs that was cut off" "the squashfs is cut off: it has " "http://198.18.0.2:8080/cut/x.squashfs"
bad "a disk that was cut off" "the disk image is cut off: it has " "http://198.18.0.2:8080/cut/x.raw"
bad "a qcow2 that was cut off" "the qcow2 image is damaged or cut off" "http://198.18.0.2:8080/cut/x.qcow2"
bad "an archive that was cut off" "flist http://198.18.0.2:8080/cut/web.tar.zst: tar" "http://198.18.0.2:8080/cut/web.tar.zst"
bad "a flist that was cut off" "the flist is damaged: " "http://198.18.0.2:8080/cut/far.fl"
bad "nothing there" "404" "http://198.18.0.2:8080/nothing"
bad "no content at all" "the content is no tar archive, squashfs, flist, ext4 file system, or disk image" "file:///etc/passwd"
bad "a disk larger than the root" "the content needs a root file system of at least 600 MB" "file://$files/large.raw"
bad "no URL" "begins with http://, https:// or file:///" "/srv/x"

# --- what changes ---
boot=$(get tar boot_id)
check "more cores and memory, and another word" apply -var cpu=2 -var memory=512 -var greeting=again
check "are there" page tar cpus 2
is "with the memory" "$([ "$(get tar memory)" -gt 400000 ] && echo more)" more
is "and the environment" "$(get tar greeting)" again
is "after a stop that let it finish" "$(get tar stopped)" gracefully
[ "$(get tar boot_id)" != "$boot" ] && ok "it was restarted" || failed "it was restarted"
boot=$(get tar boot_id)
name=$(basename "$(find "$ZPLAN_SANDBOX/n1/workloads" -name console.log -exec grep -l 'SERVING tar' {} + | xargs dirname)")
pid=$(pgrep -f "$ZPLAN_SANDBOX/n1/workloads/$name/root.qcow2")
kill -9 "$pid"
again() { for _ in $(seq 120); do [ "$(get tar boot_id)" != "$boot" ] && [ -n "$(get tar boot_id)" ] && return 0; sleep 0.25; done; return 1; }
check "one that dies is started again" again
export TF_VAR_cpu=2 TF_VAR_memory=512 TF_VAR_greeting=again TF_VAR_web=file://$box/other/
check "other content replaces it" apply
check "and is what it has" page tar mark other
is "its disks were kept" "$(get tar first | sort | uniq -c | tr -s ' ')" " 2 tar"
check "no changes at the end" no_changes

# --- the end ---
started=$SECONDS
check "everything goes" z destroy -auto-approve
[ $((SECONDS - started)) -lt 30 ] && ok "without waiting for those that end by themselves" || failed "without waiting for those that end by themselves"
is "no workload is left" "$("$zplan" sandbox status -json | jq '[.nodes[].workloads] | add')" 0
is "no machine runs" "$(pgrep -fc "qemu.*$ZPLAN_SANDBOX")" 0
[ "$failures" = 0 ]
