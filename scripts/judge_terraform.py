#!/usr/bin/env python3
"""Judges patched Terraform files without any code of ours: `judge_terraform.py FOLDER`.

Each folder below FOLDER is a case: `before/<path>`, `after.txt`, `patch.diff`, and `asked.json`, the effects and actions that
the statements of the policy at an address must have afterwards. Both files are read with python-hcl2, policies in them
with `json`; every block but the touched one must be the same. `git apply` must turn before into after.
Exit 0: none wrong, 1: some, 77: python-hcl2 is not there.
"""
import functools
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

try:
    import hcl2
except ImportError:
    print("python-hcl2 is not installed", file=sys.stderr)
    sys.exit(77)


def clean(value):
    """Without the positions that python-hcl2 may add; names without the quotes some of its versions keep."""
    if isinstance(value, dict):
        return {unquoted(k): clean(v) for k, v in value.items() if not k.startswith("__")}
    return [clean(v) for v in value] if isinstance(value, list) else value


def unquoted(text):
    return text[1:-1] if isinstance(text, str) and len(text) > 1 and text[0] == text[-1] == '"' else text


@functools.lru_cache(maxsize=64)
def blocks(text):
    """Every top-level block by kind and labels."""
    found = {}
    for kind, items in clean(hcl2.loads(text.lstrip("\ufeff").replace("\r\n", "\n") + "\n")).items():
        for item in items if isinstance(items, list) else [items]:
            head, body = [kind], item
            for _ in range({"resource": 2, "data": 2, "module": 1}.get(kind, 0)):
                (label, body), = body.items()
                head.append(label)
            found.setdefault(".".join(head), []).append(body)
    return found


def alone(text):
    """A policy in a file of its own: interpolations in it are texts, or numbers where they stand outside of quotes."""
    inside = re.sub(r"\$\{[^}]*\}", lambda hole: hole.group().replace('"', "'"), text.lstrip("\ufeff"))
    value = json.loads(re.sub(r"(?<=[:\[,])(\s*)\$\{[^}]*\}", r"\1 0", inside))
    return {"file": [value]}


def many(value):
    return value if isinstance(value, list) else [value]


def statement(raw):
    low = {unquoted(k).lower(): v for k, v in raw.items()}
    actions = low.get("action", low.get("actions", low.get("notaction", low.get("not_actions", []))))
    return [unquoted(low.get("effect", "Allow")), sorted(unquoted(a).lower() for a in many(actions))]


def document(value):
    """The statements of a policy: blocks, JSON in a heredoc, or the argument of `jsonencode`."""
    if isinstance(value, dict):
        # The input of a module: statements by a name.
        found = value.get("Statement", value.get("statement", list(value.values())))
        return [statement(s) for s in many(found)]
    text = value.strip()
    if text.startswith("${") and text.endswith("}"):
        text = text[2:-1]
    call = re.match(r"jsonencode\((.*)\)$", text, re.S)
    if call:
        return document(clean(hcl2.loads(f"x = {call.group(1)}\n"))["x"])
    text = re.sub(r"^\"?<<-?\w+\n|\n\s*\w+\"?$", "", text)
    return document(json.loads(text, object_pairs_hook=lambda pairs: dict(pairs)))


def at(found, asked):
    body = found[asked["block"]][0]
    for step in asked["path"]:
        body = body[step] if isinstance(step, int) or not isinstance(body, list) else body[0][step]
    return document(body)


def judge(case):
    asked = json.loads((case / "asked.json").read_text())
    path, = [p for p in (case / "before").rglob("*") if p.is_file()]
    before, after = path.read_bytes(), (case / "after.txt").read_bytes()
    read = blocks if path.suffix in (".tf", ".tofu") else alone
    old, new = read(before.decode()), read(after.decode())
    if {k: v for k, v in old.items() if k != asked["block"]} != {k: v for k, v in new.items() if k != asked["block"]}:
        return "another block changed"
    said, wanted = at(new, asked), list(asked["statements"])
    # What an expression makes is not known here: such a statement must stand as it stood, for one that was asked for.
    made = [s for s in said if any("${" in action for action in s[1])]
    for one in [s for s in said if s not in made]:
        if one not in wanted:
            return f"says {said}, asked for {asked['statements']}"
        wanted.remove(one)
    if len(made) != len(wanted) or any(s not in at(old, asked) for s in made):
        return f"says {said}, asked for {asked['statements']}"
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(case / "before", folder, dirs_exist_ok=True)
        shutil.copy(case / "patch.diff", f"{folder}/p.diff")
        done = subprocess.run(["git", "apply", "p.diff"], cwd=folder, capture_output=True, text=True)
        if done.returncode or (pathlib.Path(folder) / path.relative_to(case / "before")).read_bytes() != after:
            return f"git apply: {done.stderr}"
    return None


def main():
    cases = sorted(p.parent for p in pathlib.Path(sys.argv[1]).glob("*/asked.json"))
    wrong = 0
    for case in cases:
        try:
            why = judge(case)
        except Exception as error:  # a judge that fails to read has not judged
            why = f"{type(error).__name__}: {str(error)[:200]}"
        if why:
            wrong += 1
            print(f"{(case / 'label.txt').read_text()}: {why}")
    print(f"{len(cases)} cases, {wrong} wrong")
    sys.exit(1 if wrong else 0)


main()
