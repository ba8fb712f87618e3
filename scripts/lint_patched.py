#!/usr/bin/env python3
"""Compares what cfn-lint says of templates before and after a patch: `lint_patched.py CASES.jsonl [COUNT]`.

The cases are those of `PARING_PATCH_CASES=1 cargo test -p iam-patch no_change_to_a_real_project`, which says where it
leaves them. A sample with a fixed seed is linted; rules that say more after the patch than before are printed. The made-up table and
action of the cases are not cfn-lint's to judge, and it does not.
"""
import collections
import json
import os
import random
import subprocess
import sys
import tempfile


def rules(folder, name, text):
    path = os.path.join(folder, os.path.basename(name))
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    done = subprocess.run(["cfn-lint", "--format", "json", "--", path], capture_output=True, text=True)
    return collections.Counter(found["Rule"]["Id"] for found in json.loads(done.stdout or "[]"))


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    cases = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
    cases = [case for case in cases if "serverless" not in os.path.basename(case["file"])]
    cases = random.Random(8).sample(cases, min(count, len(cases)))
    before, worse = {}, []
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            if case["file"] not in before:
                before[case["file"]] = rules(folder, case["file"], case["before"])
            more = rules(folder, case["file"], case["after"]) - before[case["file"]]
            if more:
                worse.append(f"{case['label']}: {dict(more)}")
    print(f"{len(cases)} patched templates of {len(before)} files linted: {len(worse)} say something new")
    print("\n".join(worse))
    sys.exit(1 if worse else 0)


main()
