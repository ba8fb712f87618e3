#!/usr/bin/env python3
"""Judges patched templates without any code of ours: `judge_patches.py CASES.jsonl`.

Each case holds a file before and after, the diff, and what was asked of one statement. The file is read with PyYAML
(tags and key order kept, duplicate keys too) or `json`; the change is made to the tree read *before*, and the tree read
*after* must be that tree: the same everywhere else, and the statement as asked. `git apply` must turn before into after.
Exit 0: none wrong, 1: some, 77: PyYAML is not there.
"""
import json
import os
import subprocess
import sys
import tempfile

try:
    import yaml
except ImportError:
    print("PyYAML is not installed", file=sys.stderr)
    sys.exit(77)

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
TABLE = "arn:aws:dynamodb:eu-west-1:444455556666:table/Orders"


def from_node(node, seen=()):
    """A YAML node as (kind, tag, content); plain scalars are texts."""
    tag = node.tag if node.tag.startswith("!") else None
    if any(node is one for one in seen):
        return ("scalar", tag, "<loop>")
    seen = seen + (node,)
    if isinstance(node, yaml.ScalarNode):
        return ("scalar", tag, node.value)
    if isinstance(node, yaml.SequenceNode):
        return ("seq", tag, [from_node(item, seen) for item in node.value])
    return ("map", tag, [(from_node(key, seen)[2], from_node(value, seen)) for key, value in node.value])


def from_json(value):
    if isinstance(value, Pairs):
        return ("map", None, [(key, from_json(item)) for key, item in value.pairs])
    if isinstance(value, list):
        return ("seq", None, [from_json(item) for item in value])
    return ("scalar", None, value if isinstance(value, str) else json.dumps(value))


class Pairs:
    def __init__(self, pairs):
        self.pairs = pairs


def read_json(text):
    return from_json(json.loads(text.lstrip("\ufeff"), object_pairs_hook=Pairs))


def read(name, text):
    if name.endswith(".json") or text.lstrip("\ufeff").lstrip().startswith("{"):
        return read_json(text)
    return from_node(yaml.compose(text.lstrip("\ufeff"), Loader=LOADER))


def get(tree, path):
    for step in path:
        index = int(step[1] if isinstance(step, list) else step)
        item = tree[2][index]
        tree = item[1] if tree[0] == "map" else item
    return tree


def put(tree, path, value):
    if not path:
        return value
    step, rest = path[0], path[1:]
    index = int(step[1] if isinstance(step, list) else step)
    items = list(tree[2])
    if tree[0] == "map":
        items[index] = (items[index][0], put(items[index][1], rest, value))
    else:
        items[index] = put(items[index], rest, value)
    return (tree[0], tree[1], items)


def text(value):
    return ("scalar", None, value)


def entry(tree, key):
    return next((value for name, value in tree[2] if name == key), None)


def many(tree):
    """A value or list of values as a list, so that `x` and `[x]` compare equal."""
    return tree[2] if tree[0] == "seq" and tree[1] is None else [tree]


def asked(statement, change):
    """The statement as it was asked for: entries by key."""
    entries = dict(statement[2])
    if change == "drop":
        key = "Action" if "Action" in entries else "NotAction"
        entries[key] = ("seq", None, entries[key][2][:-1])
    elif change == "narrow":
        entries["Resource"] = text(TABLE)
    else:
        kept = {key: entries[key] for key in ("Principal", "NotPrincipal") if key in entries}
        had_resource = "Resource" in entries or "NotResource" in entries
        entries = {"Sid": text("Orders"), "Effect": text("Allow"), "Action": text("dynamodb:PutItem"), **kept}
        if had_resource:
            entries["Resource"] = text(TABLE)
    return entries


def flat(entries):
    return {key: many(value) for key, value in entries.items()}


def document_wrong(before, after, case):
    """Whether a document does not say after what was asked of it before; a word for what is wrong."""
    at = int(case["statement"])
    lists = []
    for tree in (before, after):
        found = tree if tree[0] == "seq" else entry(tree, "Statement")
        if found is None:
            return "no statements"
        lists.append(found[2] if found[0] == "seq" else [found])
    old, new = lists
    if case["change"] == "remove":
        # Of two statements that say the same, either may go.
        if sorted(map(repr, old[:at] + old[at + 1:])) != sorted(map(repr, new)):
            return f"not the statements but for statement {at}: {new}"
        return beside(before, after)
    if len(old) != len(new):
        return f"{len(old)} statements became {len(new)}"
    for index, (one, other) in enumerate(zip(old, new)):
        if index != at and one != other:
            return f"statement {index} changed too"
    if flat(asked(old[at], case["change"])) != flat(dict(new[at][2])):
        return f"asked for {asked(old[at], case['change'])}, got {new[at]}"
    return beside(before, after)


def beside(before, after):
    """A word if anything of a document but its statements changed."""
    if before[0] == "map":
        rest = [[item for item in tree[2] if item[0] != "Statement"] for tree in (before, after)]
        if rest[0] != rest[1]:
            return "something beside the statements changed"
    return None


def permission_wrong(old, new):
    """Whether a function's permission does not name the topic and the account, or says anything else anew."""
    wanted = {"SourceArn": "arn:aws:sns:eu-west-1:444455556666:t", "SourceAccount": "444455556666"}
    if entry(old, "Statement") is not None:
        # A bus policy holds one statement: it keeps all but its conditions.
        rest = [{k: v for k, v in entry(tree, "Statement")[2] if k != "Condition"} for tree in (old, new)]
        return None if rest[0] == rest[1] and all(t in scalars(new) for t in wanted.values()) else f"got {new}"
    rest = [[item for item in tree[2] if item[0] not in wanted] for tree in (old, new)]
    if rest[0] != rest[1]:
        return f"other properties changed: {new}"
    got = {name: entry(new, name) for name in wanted}
    return None if got == {name: text(value) for name, value in wanted.items()} else f"got {got}"


def item_wrong(tree):
    """Whether a replaced item is not the document it was replaced by."""
    if tree[0] == "seq" and len(tree[2]) == 1:
        tree = tree[2][0]
    statements = entry(tree, "Statement") if tree[0] == "map" else None
    if statements is None or len(many(statements)) != 1:
        return "no document"
    entries = flat(dict(many(statements)[0][2]))
    wanted = {"Effect": [text("Allow")], "Action": [text("dynamodb:PutItem")], "Resource": [text(TABLE)]}
    return None if entries == wanted else f"got {entries}"


def scalars(tree):
    if tree[0] == "scalar":
        return [tree[2]]
    items = [value for _, value in tree[2]] if tree[0] == "map" else tree[2]
    return [text for item in items for text in scalars(item)]


def wrong(case):
    before, after = read(case["file"], case["before"]), read(case["file"], case["after"])
    path = case["path"]
    if case["elsewhere"]:
        # The item goes from one list, the document comes into another: nothing else may be lost.
        gone, left = scalars(before), scalars(after)
        for value in left:
            if value in gone:
                gone.remove(value)
        return None if len(gone) <= 2 and TABLE in left else f"lost {gone}"
    old, new = get(before, path), get(after, path)
    if put(before, path, text("")) != put(after, path, text("")):
        return "something else changed"
    if case["change"] == "permission":
        return permission_wrong(old, new)
    if case["change"] == "item":
        return item_wrong(new)
    if case["text"]:
        if old[1] != new[1]:
            return "the tag changed"
        old, new = read_json(old[2]), read_json(new[2])
    return document_wrong(old, new, case)


def applies(case):
    """Whether `git apply` makes the after from the before."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, case["file"])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(case["before"])
        done = subprocess.run(["git", "apply", "-"], cwd=folder, input=case["diff"].encode(), capture_output=True)
        with open(path, encoding="utf-8", newline="") as file:
            return done.returncode == 0 and file.read() == case["after"]


def main():
    found, unread, count = [], set(), 0
    for line in open(sys.argv[1], encoding="utf-8"):
        case = json.loads(line)
        count += 1
        try:
            why = wrong(case)
        except yaml.YAMLError:
            # Not a template to PyYAML even before: `git apply` is all that can be judged.
            unread.add(case["file"])
            why = None
        except (KeyError, IndexError, TypeError, ValueError) as error:
            why = f"not judged: {error!r}"
        if why is None and not applies(case):
            why = "git apply does not make it"
        if why is not None:
            found.append(f"{case['label']}: {why}")
    print(f"{count} patches judged by PyYAML, json and git apply: {len(found)} wrong; not read: {sorted(unread)}")
    print("\n".join(found))
    sys.exit(1 if found else 0)


main()
