#!/usr/bin/env python3
"""outputs.py CASES MODULE FOLDER: a configuration with an output per expression of CASES that gives a value.

CASES is tests/hcl-lite/expressions/cases.txt; MODULE declares what the expressions refer to. Left out are
those whose value an output can not have: sensitive, ephemeral, unknown, different every time, console's own.
"""
import re
import shutil
import sys

NOT_FOR_OUTPUTS = re.compile(
    r"type\(|secret|one_use|unset|sensitive|ephemeral|terraform_data|timestamp|uuid\(|bcrypt|path\.|"
    r"templatestring|rsadecrypt|known after apply|Inf|1e[0-9]{3}"
)


def cases(path):
    text = open(path, encoding="utf-8", newline="").read()
    for case in re.split(r"(?m)^>>> ", text)[1:]:
        expression, _, result = case.partition("\n")
        yield expression, result.rstrip("\n")


def main():
    source, module, folder = sys.argv[1:4]
    shutil.copytree(module, folder, dirs_exist_ok=True)
    with open(folder + "/unset.auto.tfvars", "w", encoding="utf-8") as values:
        values.write(
            'unset = 1\nunset_string = ""\nunset_number = 0\nunset_bool = false\n'
            'unset_list = []\nunset_set = []\nunset_map = {}\nunset_notnull = ""\n'
            'unset_object = { name = "", size = 0, tags = [] }\n'
        )
    count = 0
    with open(folder + "/outputs.tf", "w", encoding="utf-8", newline="") as out:
        for expression, result in cases(source):
            if result.startswith("Error: ") or NOT_FOR_OUTPUTS.search(expression + result):
                continue
            if "\0" in expression or "\r" in expression:
                continue
            out.write('output "o%d" {\n  value = %s\n}\n' % (count, expression))
            count += 1
    print(count)


if __name__ == "__main__":
    main()
