#!/usr/bin/env python3
"""console.py ZPLAN SAMPLES: expressions with the peer's answers (../shared/compat/README.md), each its own process.

Prints those that differ, then "EQUAL of ALL". What depends on the user's home folder is left out.
"""
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import tempfile


def main():
    zplan, samples = sys.argv[1:3]
    cases = [json.loads(line) for line in open(samples + "/expressions.jsonl", encoding="utf-8")]
    cases = [case for case in cases if "pathexpand" not in case["expression"]]
    work = tempfile.mkdtemp(prefix="zplan-compat-")
    folder = os.path.join(work, "fixture")
    shutil.copytree(samples + "/fixture", folder, copy_function=shutil.copyfile)

    def run(number, case):
        expression, where = case["expression"], folder
        if case["multiline"]:
            where = os.path.join(work, str(number))
            shutil.copytree(folder, where)
            with open(where + "/case_local.tf", "w", encoding="utf-8") as out:
                out.write("locals {\n  x = %s\n}\n" % expression)
            expression = "local.x"
        done = subprocess.run([zplan, "console"], cwd=where, input=expression + "\n", text=True,
                              capture_output=True, timeout=60, check=False)
        return done.stdout if done.returncode == 0 else None

    try:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(run, range(len(cases)), cases))
    finally:
        subprocess.run(["chmod", "-R", "u+w", work], check=False)
        shutil.rmtree(work)
    equal = 0
    for case, answer in zip(cases, answers):
        if answer == case["stdout"]:
            equal += 1
        else:
            print("%r\n  wanted %r\n  got    %r" % (case["expression"], case["stdout"], answer))
    print("%d of %d" % (equal, len(cases)))
    return 0 if equal == len(cases) else 1


if __name__ == "__main__":
    sys.exit(main())
