"""Writes sam-templates.txt from SAM's policy_templates.json: python3 sam_templates.py FILE > sam-templates.txt"""
import json
import sys


def text(node):
    """The node with `Fn::Sub` and `Ref` as one text that names the parameters."""
    if isinstance(node, list):
        return [text(item) for item in node]
    if not isinstance(node, dict):
        return node
    if set(node) == {"Ref"}:
        return "${%s}" % node["Ref"]
    if set(node) != {"Fn::Sub"}:
        return {key: text(value) for key, value in node.items()}
    sub = node["Fn::Sub"]
    if isinstance(sub, str):
        return sub
    out, variables = sub
    for name, value in variables.items():
        out = out.replace("${%s}" % name, text(value))
    return out


templates = json.load(open(sys.argv[1]))["Templates"]
for name in sorted(templates):
    print(name, json.dumps(text(templates[name]["Definition"]["Statement"]), separators=(",", ":")))
