#!/usr/bin/env python3
"""Whether `paring synthesize` says the same as JSON, YAML and HCL, as read by json, PyYAML and python-hcl2.

  compare_formats.py PARING [--roles 200] [--seed 1]

Makes an account of roles whose policies hold what formats trip over (quotes, `${`, `%{`, `yes`, `1e3`, backslashes, letters
of other scripts, NotAction, NotResource, conditions with sets), gives each a call, and compares role by role.
Needs PyYAML and python-hcl2. Exit code 1 where any role differs.
"""
import argparse
import datetime
import json
import os
import random
import re
import subprocess
import sys
import tempfile

import hcl2
import yaml

ACCOUNT = "111122223333"
ODD = ["yes", "no", "null", "~", "1e3", "0x1f", "2026-01-01", "a: b", "# x", "- x", "a\"b", "a'b", "back\\slash", "é日本",
       "${aws:username}", "${aws:PrincipalTag/team}", "%{x}", "$${x}", "tab\tx", " lead", "trail ", "*", "&x", "!x", "{}", "[]", "@"]
KEYS = ["aws:PrincipalTag/team", "aws:SourceVpce", "s3:prefix", "aws:RequestTag/a:b"]
OPERATORS = ["StringEquals", "StringLike", "StringNotEqualsIfExists", "ForAllValues:StringLike", "ForAnyValue:StringEquals"]


def statement(draw, number):
    one = {"Effect": draw.choice(["Allow", "Allow", "Deny"])}
    if draw.random() < 0.5:
        one["Sid"] = f"S{number}"
    deny = one["Effect"] == "Deny"
    key = draw.choice(["Action", "NotAction"]) if deny else "Action"
    one[key] = draw.sample(["s3:GetObject", "s3:Put*", "sqs:*", "dynamodb:DeleteTable", "iam:PassRole"], draw.randint(1, 3))
    key = draw.choice(["Resource", "NotResource"]) if deny else "Resource"
    names = [f"arn:aws:s3:::bucket/{draw.choice(ODD)}/{n}" for n in range(draw.randint(1, 3))]
    one[key] = names if len(names) > 1 else names[0]
    if deny or draw.random() < 0.5:
        one["Condition"] = {draw.choice(OPERATORS): {draw.choice(KEYS): draw.sample(ODD, draw.randint(1, 3))}}
    return one


def role(draw, number):
    name = f"role-{number}"
    statements = [statement(draw, n) for n in range(draw.randint(1, 4))]
    statements.append({"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"})
    trust = {"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}}
    return {"Path": "/", "RoleName": name, "RoleId": f"AROA{number}", "Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}",
            "AssumeRolePolicyDocument": trust, "InstanceProfileList": [], "AttachedManagedPolicies": [],
            "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}]}


def record(number, day):
    name, time = f"role-{number}", datetime.datetime(2026, 3, 1) + datetime.timedelta(days=day)
    return {"eventID": f"e{number}-{day}", "eventSource": "dynamodb.amazonaws.com", "eventName": "PutItem",
            "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ"), "awsRegion": "eu-west-1", "recipientAccountId": ACCOUNT,
            "eventType": "AwsApiCall", "requestParameters": {"tableName": f"t{number}"},
            "userIdentity": {"type": "AssumedRole", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/s", "accountId": ACCOUNT,
                             "sessionContext": {"sessionIssuer": {"type": "Role", "arn": f"arn:aws:iam::{ACCOUNT}:role/{name}"}}}}


def world(folder, roles, seed):
    draw = random.Random(seed)
    details = {"UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": [role(draw, n) for n in range(roles)]}
    account = {"authorization_details": details, "resources": [], "resource_policies": {}}
    with open(os.path.join(folder, "snapshot.json"), "w") as out:
        json.dump({"schema": "paring-snapshot/1", "organization": None, "accounts": {ACCOUNT: account}}, out)
    records = [record(n, day) for day in range(0, 61, 3) for n in range(roles)]
    with open(os.path.join(folder, "log.json"), "w") as out:
        json.dump({"Records": records}, out)


def listed(value):
    return value if isinstance(value, list) else [value]


def plain(statement):
    """A statement with lists for single texts, and without the order of keys."""
    out = {}
    for key, value in statement.items():
        if key == "Condition":
            out[key] = sorted((op, name, tuple(listed(values))) for op, by in value.items() for name, values in by.items())
        else:
            out[key] = value if key in ("Effect", "Sid") else listed(value)
    return out


def text(value):
    """A quoted text of HCL: python-hcl2 keeps quotes and escapes. `&{` is the data source's way to write `${`."""
    if value.startswith('"') and value.endswith('"'):
        value = value[1:-1]
    value = re.sub(r'\\(u[0-9a-fA-F]{4}|.)', lambda m: json.loads(f'"\\{m[1]}"'), value)
    return value.replace("$${", "\0").replace("%%{", "%{").replace("&{", "${").replace("\0", "${")


def of_hcl(block):
    names = {"sid": "Sid", "effect": "Effect", "actions": "Action", "not_actions": "NotAction", "resources": "Resource",
             "not_resources": "NotResource"}
    out, conditions = {}, []
    for key, value in block.items():
        if key == "condition":
            conditions += [(text(c["test"]), text(c["variable"]), tuple(text(v) for v in c["values"])) for c in value]
        elif key in names:
            out[names[key]] = [text(v) for v in value] if isinstance(value, list) else text(value)
    if conditions:
        out["Condition"] = sorted(conditions)
    return out


def run(paring, folder, form):
    command = [paring, "synthesize", "--snapshot", "snapshot.json", "--trail", "log.json", "--format", form]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(f"{form}: {done.stderr}")
    return done.stdout


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("paring")
    arguments.add_argument("--roles", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        world(folder, given.roles, given.seed)
        printed = {form: run(os.path.abspath(given.paring), folder, form) for form in ("json", "yaml", "hcl")}
    told = {arn: [plain(s) for s in listed(doc["Statement"])] for arn, doc in json.loads(printed["json"])["policies"].items()}
    other = {arn: [plain(s) for s in listed(doc["Statement"])] for arn, doc in yaml.safe_load(printed["yaml"])["policies"].items()}
    blocks = hcl2.loads(printed["hcl"])["data"]
    by_name = {text(name): body for block in blocks for kind in block.values() for name, body in kind.items()}
    wrong = 0
    for arn, statements in told.items():
        in_hcl = [of_hcl(block) for block in by_name[arn.rsplit("/", 1)[1]]["statement"]]
        for form, found in (("yaml", other.get(arn)), ("hcl", in_hcl)):
            if found != statements:
                wrong += 1
                print(f"{arn}: {form} differs\n  json {statements}\n  {form} {found}")
    print(f"{len(told)} roles, {wrong} differences")
    sys.exit(1 if wrong or len(told) < given.roles * 9 // 10 else 0)


if __name__ == "__main__":
    main()
