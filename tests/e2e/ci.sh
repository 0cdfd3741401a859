#!/bin/bash
# ci.sh BUILD: what continuous integration uses: reports of validate (SARIF against a schema, JUnit), plans without nodes,
# plans as comments; and the files of examples/ci, whose steps are run as their runners would.
set -uo pipefail
build=$(realpath "$1")
root=$(realpath "$(dirname "$0")/../..")
zplan=$build/zplan
box=$(mktemp -d /tmp/zplan-ci.XXXXXX)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$box"' EXIT
export NO_COLOR=1 TF_IN_AUTOMATION=1 PATH=$box/bin:$PATH
unset TF_CLI_CONFIG_FILE ZPLAN_NODES
python=/usr/bin/python3

check() { # NAME COMMAND...: ok when the command succeeds
	local name=$1
	shift
	if "$@" >"$box/out" 2>&1; then echo "ok $name"; else echo "FAILED $name"; tail -n 30 "$box/out"; fi
}
mkdir "$box/bin" && ln -s "$zplan" "$box/bin/zplan"

# ---- reports ----
mkdir -p "$box/repo/infra/parts" && cd "$box/repo/infra" && git init -q "$box/repo"
cat >main.tf <<'TF'
resource "terraform_data" "a" {
  inputt = "é${var.nothing}"
}
module "parts" {
  source = "./parts"
}
TF
printf 'resource "terraform_data" "é" {\n  input = /* é */ nowhere.x\n}\n' >"parts/odd name.tf"
echo 'locals { fine = 1 }' >fine.tf
findings() { zplan validate -format=sarif >"$box/x.sarif"; [ $? = 1 ]; }
check "sarif: findings exit with 1" findings
sarif_valid() {
	$python - "$root/tests/cli/sarif-2.1.0.json" "$box/x.sarif" <<-'END'
		import json, sys, jsonschema
		schema, document = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:])
		jsonschema.Draft7Validator.check_schema(schema)
		jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker()).validate(document)
		run = document["runs"][0]
		rules = run["tool"]["driver"]["rules"]
		for result in run["results"]:
		    assert rules[result["ruleIndex"]]["id"] == result["ruleId"], result
	END
}
if $python -c 'import jsonschema' 2>/dev/null; then
	check "sarif: valid against the schema" sarif_valid
else
	echo "skipped sarif: valid against the schema (no python3-jsonschema)"
fi
places() {
	jq -r '.runs[0].results[].locations[0].physicalLocation |
		"\(.artifactLocation.uri):\(.region.startLine):\(.region.startColumn)-\(.region.endColumn)"' "$box/x.sarif" |
		sort | tee "$box/places"
	grep -qx 'infra/main.tf:2:16-27' "$box/places" && grep -qx 'infra/parts/odd%20name.tf:2:19-28' "$box/places"
}
check "sarif: places count from the repository's root, in code points" places
junit() {
	zplan validate -format=junit >"$box/x.xml"
	[ $? = 1 ] || return 1
	$python - "$box/x.xml" <<-'END'
		import sys, xml.etree.ElementTree as tree
		suites = tree.parse(sys.argv[1]).getroot()
		suite = suites.find("testsuite")
		cases = suite.findall("testcase")
		failed = [case for case in cases if case.find("failure") is not None]
		assert int(suite.get("tests")) == len(cases) and int(suite.get("failures")) == len(failed) > 0, suite.attrib
		assert [c.get("name") for c in cases if c not in failed] == ["infra/fine.tf"], [c.attrib for c in cases]
		assert any("terraform_data" in case.find("failure").text for case in failed)
	END
}
check "junit: a case for each error and each file without" junit
rm -r main.tf parts
valid() {
	zplan validate -format=sarif | jq -e '.runs[0].results == []' && zplan validate -format=junit | grep -q 'failures="0"'
}
check "reports of a valid configuration" valid
unknown() { ! zplan validate -format=xml && ! zplan show -format=markdown && ! zplan show -format=x; }
check "unknown formats are refused" unknown

# ---- plans where no node can be reached ----
cd "$box/repo/infra" && rm fine.tf
cat >nodes.hcl <<'TF'
node "n1" { connect = "ssh://nobody@192.0.2.1" }
TF
cat >main.tf <<'TF'
variable "password" {
  default   = "hush-hush"
  sensitive = true
}
resource "zos_disk" "data" {
  node = "n1"
  size = 1
}
resource "terraform_data" "many" {
  for_each = toset(concat(["odd|`` ```name"], [for i in range(400) : "n${i}"]))
  input    = { password = var.password, disk = zos_disk.data.id }
}
TF
zplan init >/dev/null
offline() {
	timeout 5 "$zplan" plan -input=false -refresh=false -detailed-exitcode -json -out="$box/p" >"$box/plan.jsonl"
	[ $? = 2 ] && jq -es 'map(select(.type == "change_summary"))[0].changes.add == 402' "$box/plan.jsonl"
}
check "plan -detailed-exitcode -json with no node reachable" offline
bounded() {
	local most=$1
	zplan show -format=markdown -limit="$most" "$box/p" >"$box/plan.md" && [ "$(wc -c <"$box/plan.md")" -le "$most" ] &&
		grep -q '^### Plan: 402 to add, 0 to change, 0 to destroy' "$box/plan.md" &&
		grep -q '^</details>' "$box/plan.md" && grep -q 'that do not fit here' "$box/plan.md"
}
check "markdown is bounded" bounded 60000
check "markdown is bounded, however little room there is" bounded 2000
zplan show -format=markdown "$box/p" >"$box/plan.md"
check "markdown: odd names stay inside their cell" grep -qF '| create | ```` terraform_data.many["odd\|`` ```name"] ```` |' "$box/plan.md"
hidden() { grep -q 'sensitive value' "$box/plan.md" && ! grep -q hush "$box/plan.md"; }
check "markdown hides sensitive values" hidden

# ---- examples/ci ----
if ! $python -c 'import yaml' 2>/dev/null; then
	echo "skipped examples/ci (no python3-yaml)"
	exit 0
fi
rm -rf "$box/repo" && mkdir "$box/repo" && cd "$box/repo" && git init -q -b main .
git config user.email t@example.org && git config user.name t
cat >main.tf <<'TF'
resource "terraform_data" "a" {
  input = "x"
}
TF
git add . && git commit -qm one
$python "$root/tests/e2e/forge.py" "$box/forge" & server=$!
for _ in $(seq 50); do [ -s "$box/forge/port" ] && break; sleep 0.1; done
FORGE=http://127.0.0.1:$(cat "$box/forge/port")
export FORGE FORGE_TOKEN=forge-token-1
steps() { $python "$root/tests/e2e/ci_steps.py" "$@"; }
comment() { # METHOD PATH
	jq -es --arg how "$1" --arg at "$2" 'map(select(.method == $how and .path == $at and .authorized)) | length == 1 and
		(.[0].body.body | contains("1 to add"))' "$box/forge/requests"
}
github() { steps github "$root/examples/ci/github-actions.yml" "$box/repo" && comment POST /repos/team/infra/issues/7/comments; }
check "GitHub Actions: every step runs, the plan is commented" github
gitlab() { steps gitlab "$root/examples/ci/gitlab-ci.yml" "$box/repo" && comment POST /projects/42/merge_requests/7/notes; }
check "GitLab CI: every job runs, the plan is noted" gitlab
again() {
	steps github "$root/examples/ci/github-actions.yml" "$box/repo" && comment PATCH /repos/team/infra/issues/comments/1 &&
		steps gitlab "$root/examples/ci/gitlab-ci.yml" "$box/repo" && comment PUT /projects/42/merge_requests/7/notes/1
}
check "the next run replaces the comment" again
cp "$root/examples/ci/pre-commit-config.yaml" .pre-commit-config.yaml && git add .pre-commit-config.yaml
if command -v pre-commit >/dev/null; then
	export PRE_COMMIT_HOME=$box/pre-commit
	check "pre-commit passes what is well" pre-commit run --all-files
	printf 'resource "terraform_data" "b" {\n    input = nothing.here\n}\n' >b.tf && git add b.tf
	stops() { ! pre-commit run >"$box/hooks" && grep -q '^zplan fmt.*Failed' "$box/hooks" && grep -q '^zplan validate.*Failed' "$box/hooks"; }
	check "pre-commit stops what is not" stops
else
	echo "skipped pre-commit (not installed)"
fi
fails() { ! steps github "$root/examples/ci/github-actions.yml" "$box/repo" && ! steps gitlab "$root/examples/ci/gitlab-ci.yml" "$box/repo"; }
check "the examples fail on a broken configuration" fails
