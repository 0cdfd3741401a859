#!/usr/bin/env python3
"""validate.py ZPLAN CASES [RECORD]: what `validate -json` says of broken configurations, beside the peer's answer.

CASES holds a case a line: name, files, and the peer's document. Every document must be equal, byte positions and
snippets included. Prints those that differ, then "EQUAL of ALL". With RECORD, a folder of folders, the cases are
made from those by asking terraform, and only those on which both agree are kept.
"""
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile


def answer(program, folder):
    done = subprocess.run([program, "validate", "-json"], cwd=folder, text=True, capture_output=True,
                          timeout=60, check=False)
    try:
        found = json.loads(done.stdout)
    except ValueError:
        return done.stdout + done.stderr
    # The order among blocks is that of a walk through a graph; it differs from run to run.
    found["diagnostics"].sort(key=lambda d: json.dumps([d.get("range"), d], sort_keys=True))
    return found


def write(folder, files):
    for name, text in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", newline="") as out:
            out.write(text)


def read(folder):
    files = {}
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith("."):
                path = os.path.join(where, name)
                with open(path, encoding="utf-8", newline="") as given:
                    files[os.path.relpath(path, folder)] = given.read()
    return files


def check(program, case, init):
    with tempfile.TemporaryDirectory(prefix="zplan-validate-") as folder:
        write(folder, case["files"])
        if init:
            subprocess.run([program, "init", "-input=false"], cwd=folder, capture_output=True, check=False)
        return answer(program, folder)


def record(zplan, cases, folders):
    with open(cases, "w", encoding="utf-8") as out:
        for name in sorted(os.listdir(folders)):
            case = {"name": name, "files": read(os.path.join(folders, name))}
            case["answer"] = check("terraform", case, True)
            if check(zplan, case, True) == case["answer"]:
                out.write(json.dumps(case, ensure_ascii=False) + "\n")
            else:
                print("not equal, left out:", name)


def main():
    zplan, path = sys.argv[1:3]
    if len(sys.argv) > 3:
        record(zplan, path, sys.argv[3])
        return 0
    with open(path, encoding="utf-8") as given:
        cases = [json.loads(line) for line in given]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda case: check(zplan, case, False), cases))
    equal = 0
    for case, got in zip(cases, answers):
        if got == case["answer"]:
            equal += 1
        else:
            print("differs:", case["name"], json.dumps(got)[:600])
    print("%d of %d" % (equal, len(cases)))
    return 0 if cases and equal == len(cases) else 1


if __name__ == "__main__":
    sys.exit(main())
