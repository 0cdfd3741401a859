#!/bin/bash
# Backends, workspaces and commands on states, run side by side with terraform where it is there: the same
# words, exit codes and files. Usage: state.sh BUILD
set -u
zplan=$(realpath "$1")/zplan
work=$(mktemp -d /tmp/zplan-e2e-state-XXXXXX)
trap 'rm -rf "$work"' EXIT
export TF_CLI_CONFIG_FILE=/dev/null NO_COLOR=1
failed=0

result() { # NAME STATUS
	if [ "$2" = 0 ]; then echo "ok $1"; else echo "FAILED $1"; failed=1; fi
}

configuration() {
	mkdir -p m
	cat >main.tf <<-'END'
		resource "terraform_data" "a" { input = "x" }
		resource "terraform_data" "b" {
		  count = 2
		  input = count.index
		}
		module "m" { source = "./m" }
		output "w" { value = terraform.workspace }
	END
	cat >m/main.tf <<-'END'
		resource "terraform_data" "c" {
		  for_each = toset(["x","y"])
		  input = each.key
		}
	END
}

# What differs by design: names of the programs, random ids, times, where lines break.
normal() {
	sed -e 's/\x1b\[[0-9;]*m//g' -e 's/[╷│╵]//g' -e 's/Initializing modules\.*//' -e '/^- m in m$/d' -e '/^ *^~*$/d' \
		-e 's/[0-9a-f]\{8\}-[0-9a-f-]\{27\}/ID/g' -e 's/\.[0-9]\{10\}\.backup/.TIME.backup/' \
		-e 's/"serial": [0-9]*/"serial": N/' | tr -s ' \n' '\n' |
		sed -e 's/Terraform/zplan/g' -e 's/^"terraform$/"zplan/' -e 's/^terraform$/zplan/'
}

# Runs the words of a file, one command a line, in a new folder. A line that begins with ! is the shell's.
play() { # PROGRAM FOLDER SCRIPT
	mkdir -p "$2"
	cd "$2" || return
	configuration
	while IFS= read -r line; do
		echo "\$ $line"
		if [ "${line:0:1}" = '!' ]; then
			eval "${line:1}"
		else
			eval "timeout -k 10 60 $1 $line" 2>&1 </dev/null
			echo "=> $?"
		fi
	done <"$3"
	cd /
}

compare() { # NAME, script on standard input
	cat >"$work/$1.script"
	play "$zplan" "$work/$1.z" "$work/$1.script" 2>&1 | normal >"$work/$1.zplan"
	if grep -q Sanitizer "$work/$1.zplan"; then
		cat "$work/$1.zplan"
		result "$1" 1
	elif command -v terraform >/dev/null; then
		play terraform "$work/$1.t" "$work/$1.script" 2>&1 | normal >"$work/$1.terraform"
		diff -U4 "$work/$1.terraform" "$work/$1.zplan" | tr "\n" " " | cut -c1-1500
		result "$1" "${PIPESTATUS[0]}"
	else
		echo "skipped $1 (no terraform)"
	fi
}

compare workspaces <<'END'
init
workspace list
workspace show
workspace new dev
workspace new dev
workspace list
workspace select nope
workspace select default
workspace select -or-create prod
workspace select prod
workspace delete prod
workspace delete nope
workspace delete default
workspace select dev
!"$zplan" apply -auto-approve >/dev/null
output w
workspace new -state=terraform.tfstate.d/dev/terraform.tfstate cp
state list
!TF_WORKSPACE=dev "$zplan" state rm module.m terraform_data.b >/dev/null
workspace delete dev
workspace delete -force dev
!find . -name '*.d' -o -name environment | sort; cat .terraform/environment
workspace new a/b
workspace list x
!export TF_WORKSPACE=cp
workspace new q
workspace select default
workspace show
workspace list
workspace delete cp
!export TF_WORKSPACE='a b'
plan
!unset TF_WORKSPACE
state pull
END

compare state-commands <<'END'
init
state list
state mv a.b c.d
!"$zplan" apply -auto-approve >/dev/null; "$zplan" workspace show
state list
state list module.m
state list terraform_data.nope
state list 'terraform_data.b[7]'
state list module.q
state list -id=xx
state show terraform_data.a
state show terraform_data.b
state mv terraform_data.a terraform_data.z
!ls
state mv -dry-run terraform_data.z terraform_data.y
state mv terraform_data.nope terraform_data.y
state mv terraform_data.z 'terraform_data.b[0]'
state mv terraform_data.z null_resource.b
state mv terraform_data.z module.n.terraform_data.q
state mv module.n module.o
state mv module.m module.o.module.m
state mv terraform_data.b terraform_data.d
state mv 'terraform_data.d[0]' 'terraform_data.d["k"]'
state mv 'terraform_data.d[1]' terraform_data.single
state mv -state-out=other.tfstate terraform_data.single terraform_data.single
state mv module.nope module.q
state mv 'terraform_data.d' 'terraform_data.d[3]'
state mv 'terraform_data.d["k"]' terraform_data.kk
state list
!cat other.tfstate
state rm -dry-run terraform_data.nope
state rm terraform_data.nope
state rm module.m
state rm -dry-run module.o
state rm 'module.o.module.m.terraform_data.c["x"]' 'module.o'
state push other.tfstate
state push -force other.tfstate
state list
!sed -i 's/"serial": [0-9]*/"serial": 0/' other.tfstate
state push other.tfstate
taint terraform_data.single
untaint terraform_data.single
untaint terraform_data.single
taint terraform_data.n
taint -allow-missing terraform_data.n
state replace-provider -auto-approve terraform.io/builtin/terraform registry.acme.corp/acme/aws
state replace-provider a b
force-unlock abc
!ls | grep -v '[0-9]\.backup'
END

compare backend-configuration <<'END'
!printf 'terraform {\n  backend "local" { path = "x/a.tfstate" }\n}\n' > b.tf
plan
init
!cat .terraform/terraform.tfstate
!"$zplan" apply -auto-approve >/dev/null; sed -i s/a.tfstate/b.tfstate/ b.tf
plan
init
init -force-copy
!find x | sort
init -reconfigure
!rm b.tf
plan
init
init -migrate-state -force-copy
!cat .terraform/terraform.tfstate
!printf 'terraform {\n  backend "local" {}\n}\n' > b.tf; echo 'path = "q.tfstate"' > f.hcl
init -reconfigure -backend-config=path=zz.tfstate -input=false
init -reconfigure -backend-config=f.hcl
!cat .terraform/terraform.tfstate
init -backend-config=nope=1
init -backend-config=nofile
init -backend=false
init -reconfigure -migrate-state
!sed -i s/local/nope/ b.tf
plan
END

# Everything that is written is sealed, and reads back with the key only.
mkdir "$work/sealed" && cd "$work/sealed"
cat >main.tf <<'END'
terraform {
  encryption {
    key_provider "env" "k" { variable = "TEST_STATE_KEY" }
    method "aes_gcm" "m" { keys = key_provider.env.k }
    state {
      method   = method.aes_gcm.m
      enforced = true
    }
    plan {
      method   = method.aes_gcm.m
      enforced = true
    }
  }
}
resource "terraform_data" "a" { input = "swordfish" }
output "s" {
  value     = "swordfish"
  sensitive = true
}
END
export TEST_STATE_KEY=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
{
	timeout -k 10 60 "$zplan" init && timeout -k 10 60 "$zplan" plan -out=p.plan && timeout -k 10 60 "$zplan" show p.plan &&
		timeout -k 10 60 "$zplan" apply p.plan && timeout -k 10 60 "$zplan" state show terraform_data.a &&
		timeout -k 10 60 "$zplan" plan -detailed-exitcode && timeout -k 10 60 "$zplan" state mv terraform_data.a terraform_data.b
} >"$work/sealed.log" 2>&1
result encryption-works $?
! grep -q swordfish p.plan terraform.tfstate*
result encryption-hides $?
[ -z "$(find . -name '*.tfstate*' -perm /077)$(find . -name '*.plan' -perm /077)" ]
result files-are-private $?
cp terraform.tfstate before
! TEST_STATE_KEY=ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f \
	timeout -k 10 60 "$zplan" apply -auto-approve >"$work/wrong.log" 2>&1 && cmp -s before terraform.tfstate &&
	tr -s ' \n' ' ' <"$work/wrong.log" | grep -q 'key does not fit'
result wrong-key $?

# From a file into a repository and back, workspaces included.
if command -v git >/dev/null; then
	mkdir "$work/git" && cd "$work/git" && git init -q --bare states.git
	printf 'resource "terraform_data" "a" {\n  input = terraform.workspace\n}\n' >main.tf
	{
		timeout -k 10 60 "$zplan" apply -auto-approve && timeout -k 10 60 "$zplan" workspace new dev &&
			timeout -k 10 60 "$zplan" apply -auto-approve &&
			printf 'terraform {\n  backend "git" {\n    url = "%s/states.git"\n  }\n}\n' "$PWD" >b.tf &&
			! timeout -k 10 60 "$zplan" plan && timeout -k 10 60 "$zplan" init -force-copy &&
			timeout -k 10 60 "$zplan" plan -detailed-exitcode &&
			timeout -k 10 60 "$zplan" workspace select default && timeout -k 10 60 "$zplan" plan -detailed-exitcode &&
			timeout -k 10 60 "$zplan" apply -auto-approve -replace=terraform_data.a
	} >"$work/git.log" 2>&1
	result into-git $?
	git -C states.git log -1 --format=%B zplan-state | grep -q '^apply: serial 2' &&
		git -C states.git log -1 --format=%B zplan-state | grep -q '^1 to add, 0 to change, 1 to destroy' &&
		[ -z "$(git -C states.git for-each-ref refs/zplan)" ]
	result git-history $?
	rm b.tf && timeout -k 10 60 "$zplan" init -force-copy >"$work/git.log" 2>&1 &&
		timeout -k 10 60 "$zplan" plan -detailed-exitcode >>"$work/git.log" 2>&1 &&
		TF_WORKSPACE=dev timeout -k 10 60 "$zplan" plan -detailed-exitcode >>"$work/git.log" 2>&1
	result out-of-git $?
fi

# One takes over where the other stopped.
if command -v terraform >/dev/null; then
	mkdir "$work/both" && cd "$work/both" && configuration
	terraform init >/dev/null && terraform apply -auto-approve >/dev/null &&
		timeout -k 10 60 "$zplan" plan -detailed-exitcode >/dev/null &&
		timeout -k 10 60 "$zplan" apply -auto-approve -replace=terraform_data.a >/dev/null &&
		terraform plan -detailed-exitcode >/dev/null
	result interchange $?
fi
exit $failed
