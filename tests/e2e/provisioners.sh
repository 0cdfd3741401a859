#!/bin/bash
# provisioners.sh BUILD: file and remote-exec against a real sshd on this machine's loopback, with keys, a password and a
# machine in between. Needs root: the sshd has a mount namespace and a root password of its own.
set -uo pipefail
build=$(realpath "$1")
zplan=$build/zplan
[ "$(id -u)" = 0 ] && command -v sshd >/dev/null || { echo "skipped: needs root and sshd"; exit 0; }
box=$(mktemp -d /tmp/zplan-provisioners.XXXXXX)
daemon=
finish() { [ -z "$daemon" ] || kill "$daemon" 2>/dev/null; wait 2>/dev/null; rm -rf "$box"; }
trap finish EXIT
trap 'exit 130' INT TERM
export NO_COLOR=1 ASAN_OPTIONS=detect_leaks=0
unset TF_CLI_CONFIG_FILE SSH_AUTH_SOCK
failures=0
work=$box/work remote=$box/remote
mkdir -p "$work/tree/sub" "$remote" /run/sshd

ok() { echo "ok $1"; }
failed() { echo "FAILED $1"; failures=$((failures + 1)); tail -n 30 "$box/out" 2>/dev/null; }
z() { (cd "$work" && timeout -k 10 100 "$zplan" "$@"); }
fresh() { rm -rf "$work"/terraform.tfstate* "$remote"; mkdir "$remote"; }
# applies NAME TEXT: it is applied, and its output has the text
applies() {
	if z apply -auto-approve >"$box/out" 2>&1 && grep -qF -- "$2" "$box/out"; then ok "$1"; else failed "$1"; fi
}
# refuses NAME TEXT: it fails, saying the text
refuses() {
	if ! z apply -auto-approve >"$box/out" 2>&1 && tr -s ' \n' ' ' <"$box/out" | grep -qF -- "$2"; then ok "$1"; else failed "$1"; fi
}

ssh-keygen -q -t ed25519 -N '' -f "$box/host"
ssh-keygen -q -t ed25519 -N '' -f "$box/key"
ssh-keygen -q -t ed25519 -N '' -f "$box/other"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$box/sshd_config" <<CONFIG
ListenAddress 127.0.0.1:$port
HostKey $box/host
AuthorizedKeysFile $box/key.pub
PermitRootLogin yes
PasswordAuthentication yes
UsePAM no
StrictModes no
PidFile none
MaxStartups 100
CONFIG
sed "s|^root:[^:]*:|root:$(openssl passwd -6 'pa ss"word'):|" /etc/shadow >"$box/shadow"
chmod 600 "$box/shadow"
unshare -m sh -c 'mount --bind "$1/shadow" /etc/shadow && exec "$(command -v sshd)" -D -e -f "$1/sshd_config"' sh "$box" \
	</dev/null >"$box/sshd.log" 2>&1 &
daemon=$!
for _ in $(seq 50); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.1; done

connection() { # EXTRA...
	printf '  connection {\n    host = "127.0.0.1"\n    port = %s\n    timeout = "2s"\n' "$port"
	printf '    %s\n' "$@"
	printf '  }\n'
}
key='private_key = file("'$box'/key")'

echo plain >"$work/tree/one"; echo "deep 'quoted'" >"$work/tree/sub/two words"
printf '#!/bin/sh\necho from a script $0 >%s/script\n' "$remote" >"$work/script.sh"
{
	echo 'resource "terraform_data" "a" {'
	echo '  input = "v"'
	connection "$key" "host_key = file(\"$box/host.pub\")"
	cat <<TF
  provisioner "file" {
    content     = "it's \${self.output}\n"
    destination = "$remote/content"
  }
  provisioner "file" {
    source      = "tree/one"
    destination = "$remote/"
  }
  provisioner "file" {
    source      = "tree"
    destination = "$remote"
  }
  provisioner "file" {
    source      = "tree/"
    destination = "$remote/contents"
  }
  provisioner "remote-exec" {
    inline = ["echo said by \$(whoami)", "cat $remote/content >$remote/copied"]
  }
  provisioner "remote-exec" {
    script = "script.sh"
  }
  provisioner "remote-exec" {
    when   = destroy
    inline = ["echo \${self.input} >$remote/bye"]
  }
TF
	echo '}'
} >"$work/main.tf"
fresh
applies "inline commands" "terraform_data.a (remote-exec): said by root"
grep -q '(remote-exec):   Host: 127.0.0.1' "$box/out" && grep -q '(remote-exec): Connected!' "$box/out" || failed "the connection is told"
[ "$(cat "$remote/content" "$remote/copied" 2>/dev/null)" = "it's v
it's v" ] && ok "content" || failed "content"
[ "$(cat "$remote/one" 2>/dev/null)" = plain ] && ok "a file" || failed "a file"
diff -r "$work/tree" "$remote/tree" >"$box/out" 2>&1 && diff -r "$work/tree" "$remote/contents" >"$box/out" 2>&1 && ok "folders" || failed "folders"
grep -q "from a script /tmp/zplan_" "$remote/script" 2>/dev/null && ok "a script" || failed "a script"
[ -z "$(ls -d /tmp/zplan-ssh.* 2>/dev/null)" ] && ok "keys do not stay behind" || failed "keys do not stay behind"
z destroy -auto-approve >"$box/out" 2>&1
[ "$(cat "$remote/bye" 2>/dev/null)" = v ] && ok "when = destroy" || failed "when = destroy"

one() { # CONNECTION... : a resource that says hello
	{
		echo 'resource "terraform_data" "a" {'
		connection "$@"
		echo '  provisioner "remote-exec" {'
		echo '    inline = ["echo hello from $SSH_CONNECTION"]'
		echo '  }'
		echo '}'
	} >"$work/main.tf"
	fresh
}
one 'password = "pa ss\"word"'
applies "a password" "hello from"
grep -q 'pa ss' "$box/out" && failed "the password is not shown"
one "$key" 'bastion_host = "127.0.0.1"' "bastion_port = $port"
applies "a machine in between" "Using configured bastion host..."
one "private_key = file(\"$box/other\")"
refuses "a wrong key" "Permission denied"
jq -e '.resources[0].instances[0].status == "tainted"' "$work/terraform.tfstate" >/dev/null && ok "a failed provisioner taints" || failed "a failed provisioner taints"
one "$key" "host_key = file(\"$box/other.pub\")"
refuses "a wrong host key" "Host key verification failed"
one "$key" 'type = "winrm"'
refuses "winrm" "Connections are made by ssh only"
sed -i "s/port = $port/port = 1/" "$work/main.tf"; sed -i 's/type = "winrm"//' "$work/main.tf"; fresh
refuses "nobody there" "Connection refused"
one "$key"; sed -i 's/echo hello.*"/exit 7"/' "$work/main.tf"
refuses "a script that fails" "Process exited with status 7"
sed -i 's/inline = /on_failure = continue\n    inline = /' "$work/main.tf"; fresh
applies "on_failure = continue" "1 added"
[ $failures = 0 ]
