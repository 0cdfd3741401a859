#!/bin/bash
# Modules from git repositories and archives, and required_version. Usage: modules.sh BUILD
set -u
zplan=$(realpath "$1")/zplan
root=$(realpath "$(dirname "$0")/../..")
work=$(mktemp -d /tmp/zplan-e2e-modules-XXXXXX)
trap 'rm -rf "$work"' EXIT
unset TF_CLI_CONFIG_FILE TF_DATA_DIR GIT_SSL_CAINFO
export NO_COLOR=1 GIT_CONFIG_GLOBAL=/dev/null
# libgit2's regular expressions leave some behind.
echo leak:libpcre2-8.so >"$work/leaks"
export LSAN_OPTIONS=suppressions=$work/leaks:print_suppressions=0
failed=0

result() { # NAME STATUS
	if [ "$2" = 0 ]; then echo "ok $1"; else echo "FAILED $1"; tail -20 "$work/out" 2>/dev/null; failed=1; fi
}
run() { timeout -k 10 60 "$zplan" "$@" >"$work/out" 2>&1; }
said() { tr -s ' \n' ' ' <"$work/out" | grep -qF -- "$1"; }
commit() { git -C "$work/tree" add -A && git -C "$work/tree" -c user.name=t -c user.email=t@t commit -qm "$1"; }
push() { git -C "$work/tree" push -q "$work/bare.git" HEAD:main --tags; }

git init -q -b main "$work/tree"
git init -q -b main --bare "$work/bare.git"
mkdir -p "$work/tree/sub" "$work/tree/deep"
cat >"$work/tree/main.tf" <<-'END'
	module "deep" { source = "./deep" }
	output "v" { value = "one-${module.deep.v}" }
END
echo 'output "v" { value = "deep" }' >"$work/tree/deep/main.tf"
echo 'output "v" { value = file("${path.module}/text") }' >"$work/tree/sub/main.tf"
echo -n sub >"$work/tree/sub/text"
commit one && git -C "$work/tree" tag v1
first=$(git -C "$work/tree" rev-parse HEAD)
sed -i s/one-/two-/ "$work/tree/main.tf"
commit two && git -C "$work/tree" tag v2
mkdir "$work/tree/out" && echo 'module "x" { source = "../../outside" }' >"$work/tree/out/main.tf"
ln -s /etc/passwd "$work/tree/link" && commit links && git -C "$work/tree" tag links
git -C "$work/tree" rm -q link && commit rest && push

config() { # SOURCE...
	local n=0
	rm -rf "$work/c" && mkdir "$work/c" && cd "$work/c" || exit 1
	for source in "$@"; do
		n=$((n + 1))
		printf 'module "m%d" { source = "%s" }\noutput "v%d" { value = module.m%d.v }\n' $n "$source" $n $n
	done >main.tf
}
repo=git::file://$work/bare.git

config "$repo?ref=v1" "$repo?ref=v2&depth=1" "$repo//sub" "$repo?ref=$first"
run plan
[ $? = 1 ] && said "Error: Module not installed" && said 'Run "zplan init"'
result module-not-installed $?
run init && said "Downloading $repo?ref=v1 for m1... - m1 in .terraform/modules/m1" &&
	said "- m1.deep in .terraform/modules/m1/deep" && said "- m3 in .terraform/modules/m3/sub"
result module-init $?
run apply -auto-approve && [ "$("$zplan" output -raw v1) $("$zplan" output -raw v2) $("$zplan" output -raw v3) \
$("$zplan" output -raw v4)" = "one-deep two-deep sub one-deep" ]
result module-refs-and-subfolder $?
[ "$(jq -r '.Modules[] | select(.Key == "m3") | .Source + " " + .Dir' .terraform/modules/modules.json)" = \
	"$repo//sub .terraform/modules/m3/sub" ]
result module-list $?
if command -v terraform >/dev/null; then
	timeout -k 10 60 terraform validate -no-color >"$work/out" 2>&1
	result module-list-read-by-terraform $?
	rm -rf .terraform && timeout -k 10 60 terraform init -no-color >"$work/out" 2>&1 && run validate
	result module-list-of-terraform $?
fi
run plan -out=p && mv .terraform aside && mkdir -p .terraform/modules/m3/sub && cp aside/modules/m3/sub/text .terraform/modules/m3/sub/
run apply p
result module-plan-file-holds-modules $?
rm -rf .terraform && mv aside .terraform
run init && ! said Downloading && run get -update && said "Downloading $repo?ref=v1 for m1..."
result module-only-when-asked $?
run init -upgrade && said "Upgrading modules... Downloading $repo?ref=v1 for m1..."
result module-upgrade $?
sed -i s/ref=v1/ref=v2/ main.tf
run validate
[ $? = 1 ] && said "Error: Module source has changed" && run init && said "for m1..." && ! said "for m2..." && run validate
result module-source-changed $?

refused() { # NAME SOURCE TEXT
	config "$2"
	run init
	[ $? = 1 ] && said "$3" && [ -z "$(find . -path '*/modules/.fetch*')" ]
	result "$1" $?
}
refused module-no-such-ref "$repo?ref=none" 'no branch, tag or commit "none"'
refused module-no-such-repository "git::file://$work/nothing.git" 'Could not download module "m1"'
refused module-no-such-folder "$repo//none" 'no folder "none"'
refused module-link-outside "$repo?ref=links" "the link link in it leads out of it"
refused module-call-outside "$repo//out" "Local module path escapes module package"
refused module-subfolder-outside "$repo//../x" "can not lead out of it"
refused module-nobody-there "git::https://u:geheim@127.0.0.1:9/x.git" 'https://u:xxxxx@127.0.0.1:9/x.git": git fetch'
refused module-other-kind "s3::https://bucket/x.zip" "Unsupported module source"
refused module-registry "127.0.0.1:1/vpc/aws/x" "Error accessing remote module registry"
refused module-unknown "foo" "Invalid module source address"

# An https server with an authority of its own; archives good and bad.
mkdir "$work/www"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1 \
	-addext subjectAltName=IP:127.0.0.1 -keyout "$work/key" -out "$work/cert" 2>/dev/null
python3 - "$work" <<-'END'
	import io, os, sys, tarfile, zipfile
	www = sys.argv[1] + "/www/"
	text = b'output "v" { value = "packed" }\n'
	def tar(name, mode, *members):
	    with tarfile.open(www + name, "w:" + mode) as out:
	        for path, kind, link in members:
	            info = tarfile.TarInfo(path)
	            info.type, info.linkname = kind, link
	            info.size = len(text) if kind == tarfile.REGTYPE else 0
	            out.addfile(info, io.BytesIO(text))
	good = ("sub/main.tf", tarfile.REGTYPE, "")
	for name, mode in (("a.tar.gz", "gz"), ("a.tar.xz", "xz"), ("a.tbz2", "bz2"), ("unnamed", "gz")):
	    tar(name, mode, good)
	with zipfile.ZipFile(www + "a.zip", "w") as out:
	    out.writestr("sub/main.tf", text)
	tar("dots.tgz", "gz", ("../x", tarfile.REGTYPE, ""))
	tar("absolute.tgz", "gz", (sys.argv[1] + "/escaped", tarfile.REGTYPE, ""))
	tar("link.tgz", "gz", good, ("link", tarfile.SYMTYPE, "../../.."))
	tar("through.tgz", "gz", ("link", tarfile.SYMTYPE, sys.argv[1]), ("link/escaped", tarfile.REGTYPE, ""))
	tar("hard.tgz", "gz", ("hard", tarfile.LNKTYPE, "/etc/passwd"))
	tar("device.tgz", "gz", ("null", tarfile.CHRTYPE, ""))
	open(www + "broken.zip", "w").write("no archive")
END
export ZPLAN_MODULE_CACHE=$work/cache
timeout 120 python3 "$root/tests/e2e/registry.py" "$work" >/dev/null 2>&1 &
server=$!
https=
trap 'kill $server $https 2>/dev/null; rm -rf "$work"' EXIT
for _ in $(seq 100); do [ -s "$work/port" ] && break; sleep 0.1; done
web=https://127.0.0.1:$(cat "$work/port")
refused module-archive-unknown-authority "$web/a.zip" 'Could not download module "m1"'
export SSL_CERT_FILE=$work/cert
sum=$(sha256sum <"$work/www/a.zip" | cut -d' ' -f1)
config "$web/a.tar.gz//sub" "$web/a.tar.xz//sub" "$web/a.tbz2//sub" "$web/a.zip//sub?checksum=sha256:$sum" \
	"$web/unnamed//sub?archive=tar.gz&checksum=$(md5sum <"$work/www/unnamed" | cut -d' ' -f1)"
run init && run apply -auto-approve && [ "$("$zplan" output -json | jq -r '[.[].value] | join(" ")')" = \
	"packed packed packed packed packed" ]
result module-archives $?
refused module-archive-checksum "$web/a.zip?checksum=sha256:${sum%?}x" "the checksum of what was downloaded is $sum"
refused module-archive-bad-checksum "$web/a.zip?checksum=sha256:1" "is no checksum"
refused module-archive-missing "$web/none.zip" "404"
refused module-archive-broken "$web/broken.zip" "unpacking:"
refused module-archive-dots "$web/dots.tgz" "would lie outside of the module"
refused module-archive-absolute "$web/absolute.tgz" "would lie outside of the module"
refused module-archive-link "$web/link.tgz" "leads out of it"
refused module-archive-through-link "$web/through.tgz" "unpacking:"
refused module-archive-hard-link "$web/hard.tgz" "neither file, folder nor symbolic link"
refused module-archive-device "$web/device.tgz" "neither file, folder nor symbolic link"
[ ! -e "$work/escaped" ]
result module-archive-no-escape $?

# --- registries ---
mkdir -p "$work/www/packs"
for version in 1.0.0 1.2.0 1.10.1; do
	mkdir -p "$work/pack/inner"
	echo "output \"v\" { value = \"$version\" }" >"$work/pack/main.tf"
	echo "output \"v\" { value = \"inner $version\" }" >"$work/pack/inner/main.tf"
	tar -C "$work/pack" -czf "$work/www/packs/$version.tar.gz" .
done
host=${web#https://}
versioned() { # SOURCE VERSION
	rm -rf "$work/c" && mkdir "$work/c" && cd "$work/c" || exit 1
	printf 'module "m" {\n  source = "%s"\n  version = "%s"\n}\noutput "v" { value = module.m.v }\n' "$1" "$2" >main.tf
}
value() { run apply -auto-approve && [ "$("$zplan" output -raw v)" = "$1" ]; }
versioned "$host/team/pack/any" "~> 1.0"
run init && said "Downloading $host/team/pack/any 1.10.1 for m..." && value 1.10.1 &&
	[ "$(jq -c '.Modules[] | select(.Key == "m") | [.Source, .Version, .Dir]' .terraform/modules/modules.json)" = \
		"[\"$host/team/pack/any\",\"1.10.1\",\".terraform/modules/m\"]" ]
result registry-newest-version $?
: >"$work/asked"
run init && [ ! -s "$work/asked" ]
result registry-nothing-asked-twice $?
sed -i 's/~> 1.0/< 1.10/' main.tf
run plan
[ $? = 1 ] && said "Module version requirements have changed" && run init && value 1.2.0
result registry-changed-constraint $?
versioned "$host/team/pack/any//inner" "1.0.0"
run init && value "inner 1.0.0"
result registry-subfolder $?
versioned "$host/team/body/any" ">= 1.1, != 1.10.1"
run init && value "inner 1.2.0" && [ "$(jq -r '.Modules[] | select(.Key == "m").Dir' .terraform/modules/modules.json)" = .terraform/modules/m/inner ]
result registry-location-in-body $?
versioned "$host/team/pack/any" "2.0.0-beta2"
run init
[ $? = 1 ] && said "Unresolvable module version constraint" && said "The newest available version is 1.10.1."
result registry-no-such-version $?
versioned "$host/team/none/any" "1.0.0"
run init
[ $? = 1 ] && said "Error: Module not found" && said "Module \"m\" (from main.tf:1) cannot be found in the module registry at $host"
result registry-no-such-module $?
versioned "$host/team/lost/any" "1.0.0"
run init
[ $? = 1 ] && said "does not say where the module is"
result registry-without-location $?
versioned "$host/private/pack/any" "1.0.0"
run init
[ $? = 1 ] && said "the server answered 401"
result registry-without-token $?
printf 'credentials "%s" {\n  token = "secret"\n}\nplugin_cache_dir = "/nowhere"\n' "$host" >"$work/rc"
TF_CLI_CONFIG_FILE=$work/rc run init && value 1.0.0
result registry-token $?
printf 'host "modules.example.test" {\n  services = { "modules.v1" = "%s/v1/modules/" }\n}\n' "$web" >"$work/rc"
versioned modules.example.test/private/pack/any "1.0.0"
TF_CLI_CONFIG_FILE=$work/rc TF_TOKEN_modules_example_test=secret run init && value 1.0.0
result registry-host-settings $?
printf 'credentials "x.y" {\n  token = "secret\n' >"$work/rc"
TF_CLI_CONFIG_FILE=$work/rc run init
[ $? = 1 ] && said "$work/rc, line 2" && ! said secret
result registry-broken-settings $?
versioned 127.0.0.1:1/team/pack/any 1.0.0
run init
[ $? = 1 ] && said "failed to discover the services of 127.0.0.1:1"
result registry-out-of-reach $?
config "$web/page" "$web/header"
run init && run apply -auto-approve && [ "$("$zplan" output -json | jq -r '[.[].value] | join(" ")')" = "1.2.0 inner 1.0.0" ]
result pages $?
config "$web/circle"
run init
[ $? = 1 ] && said "Unsupported module source"
result page-in-a-circle $?

# --- the cache ---
: >"$work/asked"
versioned "$host/team/pack/any" 1.2.0
run init && value 1.2.0 && ! grep -q packs "$work/asked"
result cache-spares-the-download $?
for tar in "$work"/cache/*.tar; do echo x >>"$tar"; done
rm -rf .terraform && : >"$work/asked"
run init && value 1.2.0 && grep -q packs "$work/asked"
result cache-damaged $?
rm -rf .terraform && : >"$work/asked"
run init && ! grep -q packs "$work/asked" && ls -ld "$work/cache" | grep -q '^drwx------'
result cache-again $?

# --- git over https, with submodules ---
git init -q -b main --bare "$work/part.git"
git init -q -b main "$work/part" && echo -n part >"$work/part/text"
git -C "$work/part" add -A && git -C "$work/part" -c user.name=t -c user.email=t@t commit -qm part
git -C "$work/part" push -q "$work/part.git" HEAD:main
git -C "$work/tree" -c protocol.file.allow=always submodule --quiet add "$work/part.git" lib/part 2>/dev/null
git -C "$work/tree" config -f .gitmodules submodule.lib/part.url ../part.git
mkdir "$work/tree/whole" && echo 'output "v" { value = file("${path.module}/../lib/part/text") }' >"$work/tree/whole/main.tf"
commit submodule && push
config "$repo//whole"
run init && run apply -auto-approve && [ "$("$zplan" output -raw v1)" = part ]
result git-submodule $?
mkdir "$work/tls"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
	-keyout "$work/tls/key.pem" -out "$work/tls/cert.pem" 2>/dev/null
export SSL_CERT_FILE=$work/tls/cert.pem
timeout 120 python3 "$root/tests/e2e/git_https.py" "$work" "$work/tls" word >/dev/null 2>&1 &
https=$!
for _ in $(seq 100); do [ -s "$work/tls/port" ] && break; sleep 0.1; done
git=git::https://x:word@localhost:$(cat "$work/tls/port")/bare.git
config "$git//whole"
run init && ! said word@ && run apply -auto-approve && [ "$("$zplan" output -raw v1)" = part ]
result git-https $?
config "$(echo "$git" | sed s/word/wrong/)//whole"
run init
[ $? = 1 ] && said "Could not download" && ! said wrong@
result git-https-wrong-password $?
config "git::https://x:word@127.0.0.1:1/bare.git"
run plan
[ $? = 1 ] && said "Module not installed" && ! said word@
result password-not-shown $?
run validate -json
! said word@
result password-not-in-json $?

mkdir -p "$work/v" && cd "$work/v" || exit 1
echo 'terraform { required_version = ">= 1.3, < 2.0" }' >main.tf
run init && run validate
result version-fits $?
echo 'terraform { required_version = "~> 1.2.0" }' >main.tf
run validate
[ $? = 1 ] && said "This configuration does not support Terraform version"
result version-does-not-fit $?
mkdir child && echo 'terraform { required_version = "> 99" }' >child/main.tf
echo 'module "a" { source = "./child" }' >main.tf
run validate
[ $? = 1 ] && said "Module module.a (from ./child) does not support Terraform version"
result version-of-module $?
exit $failed
