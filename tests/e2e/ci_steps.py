"""ci_steps.py KIND FILE FOLDER: runs what a CI file says, in a copy of FOLDER, as its runner would: each script by
the runner's shell, with the variables a runner sets. Steps of the forge's own (uses:) are left out. Exits with the
status of the first script that fails.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

FORGE = os.environ.get("FORGE", "")
TOKEN = os.environ.get("FORGE_TOKEN", "")


def run(script, folder, environment, shell):
    print("---", script.strip().splitlines()[0], flush=True)
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as file:
        file.write(script)
        file.flush()
        status = subprocess.call(shell + [file.name], cwd=folder, env={**os.environ, **environment})
    if status:
        sys.exit(status)


def expand(text, values):
    return re.sub(r"\$\{\{\s*(.+?)\s*\}\}", lambda found: values.get(found.group(1), ""), str(text))


def github(document, folder):
    values = {"github.token": TOKEN, "github.event.pull_request.number": "7"}
    for job in document["jobs"].values():
        with tempfile.TemporaryDirectory() as work:
            copy = shutil.copytree(folder, os.path.join(work, "repo"))
            runner = {"GITHUB_STEP_SUMMARY": os.path.join(work, "summary"), "GITHUB_API_URL": FORGE,
                      "GITHUB_REPOSITORY": "team/infra", "CI": "true"}
            for step in job["steps"]:
                if "run" not in step:
                    assert re.fullmatch(r"[\w./-]+@v\d+", step["uses"]), step
                    continue
                given = {**job.get("env", {}), **step.get("env", {})}
                run(step["run"], copy, {**runner, **{k: expand(v, values) for k, v in given.items()}},
                    ["bash", "-e"])
            with open(runner["GITHUB_STEP_SUMMARY"], encoding="utf-8") as summary:
                assert "to add" in summary.read()


def gitlab(document, folder):
    variables = {**document.get("variables", {}), "CI_API_V4_URL": FORGE, "CI_PROJECT_ID": "42",
                 "CI_MERGE_REQUEST_IID": "7", "ZPLAN_NOTE_TOKEN": TOKEN, "CI": "true"}
    jobs = {name: job for name, job in document.items() if isinstance(job, dict) and "script" in job}
    for stage in document["stages"]:
        for job in [job for job in jobs.values() if job["stage"] == stage]:
            with tempfile.TemporaryDirectory() as work:
                copy = shutil.copytree(folder, os.path.join(work, "repo"))
                run("set -eo pipefail\n" + "\n".join(job["script"]), copy, variables, ["bash"])
                wanted = job.get("artifacts", {})
                for path in wanted.get("paths", []) + list(wanted.get("reports", {}).values()):
                    assert os.path.exists(os.path.join(copy, path)), path


def main():
    kind, path, folder = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        document = yaml.safe_load(file)
    {"github": github, "gitlab": gitlab}[kind](document, folder)


main()
