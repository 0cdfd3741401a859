#!/usr/bin/env python3
"""plan.py PROGRAM FOLDER [NAME...]: scenarios, each a folder of steps applied one after the other over one state.

A step is init, plan -detailed-exitcode -out, show -json of plan, apply, output -json and show -json of the state; what
they give must equal the scenario's answers.json, generated ids and times apart. case.json gives arguments and such per
step (../../../shared/compat/README.md). With "record" in place of PROGRAM, `terraform` is asked and the answers are
written. Scenarios without answers are asked of terraform when there is one, else left out.
"""
import concurrent.futures
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

GENERATED = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
DEPOSED = re.compile(r'("deposed_key": )"[0-9a-f]{8}"')
TIME = re.compile(r"20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-9:.]+Z")


def neutral(value):
    return json.loads(DEPOSED.sub(r'\1"KEY"', TIME.sub("TIME", GENERATED.sub("ID", json.dumps(value)))))


def of_plan(text):
    document = json.loads(text)
    changes = {}
    for change in document.get("resource_changes", []):
        what = change["change"]
        changes[change["address"] + (" deposed" if "deposed" in change else "")] = {
            "actions": what["actions"], "reason": change.get("action_reason"), "replace": what.get("replace_paths"),
            "before": what.get("before"), "after": what.get("after"), "unknown": what.get("after_unknown"),
            "before_sensitive": what.get("before_sensitive"), "after_sensitive": what.get("after_sensitive"),
            "from": change.get("previous_address"), "importing": (what.get("importing") or {}).get("id"),
        }
    outputs = {
        name: {key: what.get(key) for key in ("actions", "before", "after", "after_unknown", "before_sensitive",
                                              "after_sensitive")}
        for name, what in document.get("output_changes", {}).items()
    }
    drift = {
        found["address"]: {key: found["change"].get(key) for key in ("actions", "before", "after", "after_unknown")}
        for found in document.get("resource_drift", [])
    }
    relevant = sorted(document.get("relevant_attributes", []), key=json.dumps)
    return neutral({"changes": changes, "outputs": outputs, "drift": drift, "checks": document.get("checks", []),
                    "relevant": relevant,
                    "configuration": document.get("configuration"), "variables": document.get("variables")})


def of_state(text):
    document = json.loads(text)
    return neutral({"values": document.get("values", {}), "checks": document.get("checks", [])})


class Scenario:
    def __init__(self, folder, program):
        self.folder, self.program = folder, program
        path = os.path.join(folder, "case.json")
        self.case = json.load(open(path, encoding="utf-8")) if os.path.exists(path) else {}
        self.steps = sorted(glob.glob(folder + "/step*"))

    def call(self, arguments, step):
        environment = {**os.environ, **step.get("env", {}), "TF_IN_AUTOMATION": "1"}
        environment.pop("TF_CLI_CONFIG_FILE", None)
        done = subprocess.run([self.program] + arguments, cwd=self.work, env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120, check=False)
        return done.returncode, done.stdout

    def document(self, arguments, step, read):
        status, text = self.call(arguments, step)
        return read(text) if status == 0 and text.strip() else status

    def run_step(self, step):
        found = {"before": [self.call(command, step)[0] for command in step.get("before", [])]}
        if "commands" in step:
            found["commands"] = [self.call(command, step)[0] for command in step["commands"]]
        else:
            found["init"] = self.call(["init"], step)[0]
            arguments = ["plan", "-detailed-exitcode", "-out=p"] + step.get("args", [])
            found["plan"] = self.call(arguments, step)[0]
            if found["plan"] != 1:
                found["document"] = self.document(["show", "-json", "p"], step, of_plan)
                if step.get("apply", True):
                    found["apply"] = self.call(["apply"] + step.get("apply_args", []) + ["p"], step)[0]
        found["outputs"] = self.document(["output", "-json"], step, lambda text: neutral(json.loads(text)))
        found["state"] = self.document(["show", "-json"], step,
                                       of_state)
        found["files"] = {}
        for name in step.get("files", []):
            path = os.path.join(self.work, name)
            found["files"][name] = neutral(open(path, encoding="utf-8").read()) if os.path.exists(path) else None
        return found

    def run(self):
        self.work = tempfile.mkdtemp(prefix="zplan-scenario-")
        try:
            answers = []
            for number, step in enumerate(self.case.get("steps", [{}] * len(self.steps))):
                if number < len(self.steps):
                    shutil.copytree(self.steps[number], self.work, dirs_exist_ok=True, copy_function=shutil.copyfile)
                for name in step.get("remove", []):
                    path = os.path.join(self.work, name)
                    if os.path.exists(path):
                        os.remove(path)
                answers.append(self.run_step(step))
            return answers
        finally:
            shutil.rmtree(self.work)


def difference(wanted, got, where=""):
    if wanted == got:
        return None
    if isinstance(wanted, dict) and isinstance(got, dict):
        for key in sorted(set(wanted) | set(got)):
            found = difference(wanted.get(key), got.get(key), where + "/" + key)
            if found:
                return found
    if isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for number, pair in enumerate(zip(wanted, got)):
            found = difference(*pair, "%s/%d" % (where, number))
            if found:
                return found
    return "%s: wanted %s, got %s" % (where, json.dumps(wanted)[:600], json.dumps(got)[:600])


def main():
    program, folder = sys.argv[1:3]
    names = sys.argv[3:] or sorted(os.listdir(folder))
    names = [name for name in names if os.path.isdir(os.path.join(folder, name))]

    def check(name):
        path = os.path.join(folder, name, "answers.json")
        if program == "record":
            answers = Scenario(os.path.join(folder, name), "terraform").run()
            json.dump(answers, open(path, "w", encoding="utf-8"), separators=(",", ":"), sort_keys=True)
            return "recorded"
        if os.path.exists(path):
            wanted = json.load(open(path, encoding="utf-8"))
        elif shutil.which("terraform"):
            wanted = Scenario(os.path.join(folder, name), "terraform").run()
        else:
            return None
        return difference(wanted, Scenario(os.path.join(folder, name), program).run()) or "ok"

    bad = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, answer in zip(names, pool.map(check, names)):
            if answer == "ok":
                print("ok scenario " + name)
            elif answer and answer != "recorded":
                bad += 1
                print("FAILED scenario %s: %s" % (name, answer))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
