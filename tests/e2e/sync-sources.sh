#!/bin/bash
# sync-sources.sh BUILD: where zplan sync gets configurations from: refs, https with a token, ssh with known hosts, and
# signed commits.
set -uo pipefail
build=$(realpath "$1")
root=$(realpath "$(dirname "$0")/../..")
zplan=$build/zplan
box=$(mktemp -d /tmp/zplan-sources.XXXXXX)
https=
sshd=
finish() {
	[ -z "$https" ] || kill "$https"
	[ -z "$sshd" ] || kill "$sshd"
	GNUPGHOME=$box/gpg gpgconf --kill gpg-agent 2>/dev/null
	rm -rf "$box"
}
trap finish EXIT
export NO_COLOR=1 ASAN_OPTIONS=detect_leaks=0 GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null HOME=$box
unset TF_CLI_CONFIG_FILE SSH_AUTH_SOCK
umask 077

check() { # NAME COMMAND...: ok when the command succeeds
	local name=$1
	shift
	if "$@" >"$box/out" 2>&1; then
		echo "ok $name"
	else
		echo "FAILED $name"
		tail -n 12 "$box/out" | cut -c1-800
		tail -n 6 "$box/log" | cut -c1-800
	fi
}

git init -q -b main "$box/work"
cd "$box/work" || exit 1
git config user.email t@example.org && git config user.name t
echo 'resource "terraform_data" "a" {}' >main.tf
git add . && git commit -qm one
git clone -q --bare . "$box/repo.git"
git remote add origin "$box/repo.git"
commit() { # MESSAGE [GIT'S OPTIONS]: an empty commit, pushed
	git "${@:2}" commit -q --allow-empty -m "$1" && git push -q origin main 2>"$box/push"
	head=$(git rev-parse HEAD)
}

# One turn of a stack with these lines in its repository and stack blocks; true when the commit is applied.
turn() { # COMMIT REPOSITORY STACK
	rm -rf "$box/data"
	printf 'data_dir = "%s/data"\nrepository "r" {\n%s\n}\nstack "s" {\n  repo = "r"\n  approve = "auto"\n%s\n}\n' \
		"$box" "$2" "$3" >"$box/sync.hcl"
	timeout -k 10 60 "$zplan" sync -config="$box/sync.hcl" -once 2>"$box/log"
	[ $? = "$([ "$1" = null ]; echo $((1 - $?)))" ] || return
	[ "$("$zplan" sync status -config="$box/sync.hcl" -json | jq -r '.stacks[0].applied')" = "$1" ]
}
# The same for a commit that must not be taken, and what is said of it.
refused() { # WORDS REPOSITORY STACK
	turn null "$2" "$3" && "$zplan" sync status -config="$box/sync.hcl" -json | jq -e --arg words "$1" \
		'.stacks[0].problem | contains($words)' || { cat "$box/log"; return 1; }
}

# ---- refs ----
file="url = \"file://$box/repo.git\""
head=$(git rev-parse HEAD)
check "the default branch" turn "$head" "$file" ""
check "a path is an address" turn "$head" "url = \"$box/repo.git\"" ""
git tag v1.9.0 && git tag -am annotated v1.10.0 && git tag v1.11.0-rc1 && git push -q origin --tags 2>"$box/push"
tagged=$head
commit two
check "a branch" turn "$head" "$file" 'ref = "main"'
check "a tag" turn "$tagged" "$file" 'ref = "v1.9.0"'
check "the newest tag of a pattern" turn "$tagged" "$file" 'ref = "v1.1?.?"'
check "a commit" turn "$tagged" "$file" "ref = \"$tagged\""
check "a branch that is not there" refused 'no branch or tag "nothing"' "$file" 'ref = "nothing"'
check "a commit that is not there" refused 'is not in any branch' "$file" 'ref = "0123456789012345678901234567890123456789"'
check "a folder that is not there" refused 'no folder "nothing"' "$file" 'path = "nothing"'
check "a repository that is not there" refused 'nothing.git' 'url = "file:///nothing.git"' ""

# Every fetch brings a pack: they are joined once they are many, and nothing is lost.
ask_fetch() { jq -n --arg url "file://$box/repo.git" --arg cache "$box/cache.git" "$1" | "$zplan" sync fetch; }
many() {
	ask_fetch '{operation: "fetch", url: $url, cache: $cache, ref: "v1.10.0"}' >/dev/null || return
	for n in $(seq 25); do
		commit "pack $n"
		ask_fetch '{operation: "fetch", url: $url, cache: $cache, ref: "main"}' >/dev/null || return
	done
	[ "$(find "$box/cache.git/objects/pack" -name '*.pack' | wc -l)" -le 20 ] && git -C "$box/cache.git" fsck --connectivity-only &&
		[ "$(git -C "$box/cache.git" cat-file -t refs/zplan/tags/v1.10.0)" = tag ] &&
		mkdir "$box/tree" && ask_fetch '{operation: "checkout", url: $url, cache: $cache, commit: "'"$head"'", tree: "'"$box/tree"'"}' &&
		cmp main.tf "$box/tree/main.tf"
}
check "packs of the copy are joined" many

# ---- https ----
mkdir "$box/tls"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
	-keyout "$box/tls/key.pem" -out "$box/tls/cert.pem" 2>/dev/null
python3 "$root/tests/e2e/git_https.py" "$box" "$box/tls" right-token & https=$!
for _ in $(seq 100); do [ -s "$box/tls/port" ] && break; sleep 0.1; done
port=$(cat "$box/tls/port")
address="url = \"https://localhost:$port/repo.git\""
check "https with a token" turn "$head" "$address"$'\ntoken = "right-token"\n'"ca_file = \"$box/tls/cert.pem\"" ""
wrong_token() {
	refused 'did not accept the credentials' "$address"$'\ntoken = "wrong-token"\n'"ca_file = \"$box/tls/cert.pem\"" "" &&
		! grep -r wrong-token "$box/log" "$box/data"
}
check "a wrong token, which is not shown" wrong_token
check "no token" refused 'set token' "$address"$'\n'"ca_file = \"$box/tls/cert.pem\"" ""
check "a certificate nobody vouches for" refused 'ca_file' "$address"$'\ntoken = "right-token"' ""

warned() {
	chmod 644 "$box/sync.hcl" && "$zplan" sync status -config="$box/sync.hcl" -json 2>"$box/warning" | jq -e .stacks &&
		grep -q 'Others can read this secret' "$box/warning"
}
check "warnings are apart from what programs read" warned

# ---- ssh ----
mkdir "$box/ssh"
for key in host user other; do ssh-keygen -q -t ed25519 -N '' -f "$box/ssh/$key"; done
if [ -x /usr/sbin/sshd ] && [ "$(id -u)" = 0 ]; then
	mkdir -p /run/sshd
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	cat >"$box/ssh/config" <<-END
		ListenAddress 127.0.0.1:$port
		HostKey $box/ssh/host
		AuthorizedKeysFile $box/ssh/user.pub
		StrictModes no
		PermitRootLogin prohibit-password
		PasswordAuthentication no
		UsePAM no
		PidFile none
	END
	/usr/sbin/sshd -D -e -f "$box/ssh/config" 2>"$box/ssh/log" & sshd=$!
	for _ in $(seq 50); do (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.1; done
	echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$box/ssh/host.pub")" >"$box/ssh/known"
	echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$box/ssh/other.pub")" >"$box/ssh/changed"
	cp "$box/ssh/known" "$box/ssh/hashed" && ssh-keygen -q -H -f "$box/ssh/hashed" >/dev/null 2>&1
	address="url = \"ssh://root@127.0.0.1:$port$box/repo.git\""
	with() { printf '%s\nssh_key = "%s/ssh/%s"\nknown_hosts = "%s/ssh/%s"' "$address" "$box" "$1" "$box" "$2"; }
	check "ssh with a key and known hosts" turn "$head" "$(with user known)" ""
	check "known hosts that are hashed" turn "$head" "$(with user hashed)" ""
	check "a server with another key" refused 'is not the one in' "$(with user changed)" ""
	check "a key the server does not take" refused 'repo.git' "$(with other known)" ""
else
	echo "skipped ssh (no sshd, or not root)"
fi

# ---- signatures ----
ssh-keygen -q -t ed25519 -N '' -f "$box/ssh/signer"
ssh-keygen -q -t ed25519 -N '' -f "$box/ssh/stranger"
echo "t@example.org $(cut -d' ' -f1,2 "$box/ssh/signer.pub")" >"$box/ssh/allowed"
signed="require_signed = true"$'\n'"allowed_signers = \"$box/ssh/allowed\""
check "a commit without a signature" refused 'is not signed' "$file"$'\n'"$signed" ""
commit three -c gpg.format=ssh -c commit.gpgsign=true -c "user.signingkey=$box/ssh/signer"
check "signed with ssh" turn "$head" "$file"$'\n'"$signed" ""
check "asked for by the stack" turn "$head" "$file" "$signed"
commit four -c gpg.format=ssh -c commit.gpgsign=true -c "user.signingkey=$box/ssh/stranger"
check "signed by somebody else" refused 'is not among those' "$file"$'\n'"$signed" ""
export GNUPGHOME=$box/gpg
mkdir "$GNUPGHOME"
if gpg --batch --quiet --passphrase '' --quick-generate-key 't <t@example.org>' ed25519 sign 2>"$box/out"; then
	gpg --armor --export t@example.org >"$box/keys.asc"
	gpg --batch --quiet --passphrase '' --quick-generate-key 'u <u@example.org>' ed25519 sign 2>"$box/out"
	gpg --export u@example.org >"$box/others.gpg"
	commit five -c commit.gpgsign=true -c user.signingkey=t@example.org
	check "signed with gpg" turn "$head" "$file"$'\nrequire_signed = true\n'"allowed_gpg_keys = \"$box/keys.asc\"" ""
	check "signed by another key" refused 'is not signed by a key of' \
		"$file"$'\nrequire_signed = true\n'"allowed_gpg_keys = \"$box/others.gpg\"" ""
	check "signed with gpg where ssh is wanted" refused 'allowed_gpg_keys is not set' "$file"$'\n'"$signed" ""
else
	echo "skipped gpg (no key can be made)"
fi
