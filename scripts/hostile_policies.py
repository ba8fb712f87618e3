#!/usr/bin/env python3
"""Makes policies that cost a prover most, and accounts around them, to measure how much any command may take.

usage: scripts/hostile_policies.py BYTES FOLDER

Writes for each family FOLDER/<family>/old.json and new.json of about BYTES each (a little of the old one goes, a little is
added), snapshot.json with a role that has the old one (or a bucket, for policies with principals), trail/, and
changes.json that puts the new one in its place. Then for example:

  paring check no-new-access --old FOLDER/globs/old.json --new FOLDER/globs/new.json
  paring tighten --snapshot FOLDER/globs/snapshot.json --trail FOLDER/globs/trail
"""

import json
import pathlib
import random
import sys

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
BUCKET = "arn:aws:s3:::stage"


def allow(action, resource, condition=None, effect="Allow"):
    statement = {"Effect": effect, "Action": action, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


def text(statements):
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def fill(size, make):
    """As many of make(0), make(1) ... as fit the size, with those before and after as two policies."""
    count, total = 0, 0
    while total < size - 60:
        total += len(json.dumps(make(count))) + 2
        count += 1
    return [make(n) for n in range(count)], [make(n + max(1, count // 20)) for n in range(count)]


def listed(size, make, whole):
    """One statement with a list."""
    old, new = fill(size, make)
    return [whole(old)], [whole(new)]


def families(size):
    s3 = "arn:aws:s3:::"
    globs = lambda n: f"{s3}*{n}*x*{n % 97}*"
    every = "s3:GetObject"
    yield "words", fill(size, lambda n: allow(every, f"{s3}bucket{n}/*"))
    yield "globs", fill(size, lambda n: allow(every, globs(n)))
    yield "globs-in-one", listed(size, globs, lambda many: allow(every, many))
    yield "globs-in-all", fill(size, lambda n: allow(f"s3:*{n % 13}*{n}*", [globs(n + k) for k in range(5)]))
    yield "questions", fill(size, lambda n: allow(every, f"{s3}*{'?' * (n % 200)}{n % 7}*{'?' * (n % 31)}"))
    yield "letters", fill(size, lambda n: allow(every, s3 + "*".join("ab"[(n >> k) & 1] for k in range(12)) + "*"))
    yield "long", (lambda a: ([a("ab")], [a("ba")]))(lambda two: allow(every, s3 + "*" + two * (size // 3) + "*"))
    yield "long-stars", (lambda a: ([a("a*b*")], [a("*a*b")]))(lambda two: allow(every, s3 + two * (size // 4) + "c"))
    yield "actions", fill(size, lambda n: allow(f"*{n}*:*{n % 89}*a*{n % 7}*", "*"))
    yield "not-actions", fill(size, lambda n: {"Effect": "Allow", "NotAction": [f"s3:*{n}*", f"*:*{n % 31}"], "Resource": globs(n)})
    yield "not-resources", fill(size, lambda n: {"Effect": "Allow", "Action": f"s3:*{n % 71}*", "NotResource": [globs(n), globs(n + 1)]})
    yield "not-both", fill(size, lambda n: {"Effect": "Allow", "NotAction": f"s3:*{n % 71}*", "NotResource": globs(n)})
    yield "denies", fill(size, lambda n: allow("s3:*", globs(n), effect="Deny" if n % 2 else "Allow"))
    yield "word-denies", fill(size, lambda n: allow("s3:*", f"{s3}b{n // 2}*", effect="Deny" if n % 2 else "Allow"))
    like = lambda key, n, how="StringLike": {how: {key: [f"*{n + k}*y*" for k in range(3)]}}
    yield "one-key", fill(size, lambda n: allow(every, "*", like("aws:PrincipalTag/team", n)))
    yield "one-key-not", fill(size, lambda n: allow(every, "*", like("aws:PrincipalTag/team", n, "StringNotLike")))
    yield "many-keys", fill(size, lambda n: allow(every, "*", like(f"aws:RequestTag/t{n % 40}", n)))
    yield "deny-keys", ([allow("s3:*", "*")] + fill(size, lambda n: allow("s3:*", "*", like(f"aws:RequestTag/t{n}", n), "Deny"))[0],
                        [allow("s3:*", "*")] + fill(size, lambda n: allow("s3:*", "*", like(f"aws:RequestTag/t{n}", n), "Deny"))[1])
    sets = lambda n: {f"For{'All' if n % 2 else 'Any'}Values:StringLike": {"aws:TagKeys": [f"*{n}*{k}*" for k in range(6)]}}
    yield "sets", fill(size, lambda n: allow(every, "*", sets(n)))
    in_one = lambda many, how, key: allow(every, "*", {how: {key: many}})
    yield "values", listed(size, lambda n: f"*{n}*z*", lambda many: in_one(many, "StringLike", "aws:PrincipalTag/team"))
    yield "addresses", listed(size, lambda n: f"10.{n >> 8 & 255}.{n & 255}.{n % 7}/32", lambda many: in_one(many, "IpAddress", "aws:SourceIp"))
    yield "numbers", listed(size, lambda n: str(n * 3), lambda many: in_one(many, "NumericLessThan", "s3:max-keys"))
    yield "ranges", fill(size, lambda n: allow(every, "*", {"NumericGreaterThan": {"s3:max-keys": str(n)}, "NumericLessThan": {"s3:max-keys": str(n + 2)}}))
    yield "moments", fill(size, lambda n: allow(every, "*", {"DateGreaterThan": {"aws:CurrentTime": f"20{n % 90 + 10}-01-01T00:00:00Z"}, "DateLessThan": {"aws:CurrentTime": f"20{n % 90 + 10}-02-01T00:00:0{n % 10}Z"}}))
    yield "variables", fill(size, lambda n: allow(every, f"{s3}b/${{aws:PrincipalTag/t{n % 50}}}/*{n}*"))
    yield "services", fill(size, lambda n: allow([f"s{n % 300}:*{n}*", f"e{n % 77}:Get*"], f"arn:aws:s{n % 300}:*:*:*{n}*"))
    aws = lambda n: f"arn:aws:iam::{n:012}:role/r{n}"
    to = lambda who, what, where: {"Effect": "Allow", "Principal": who, "Action": what, "Resource": where}
    yield "principals", listed(size, aws, lambda many: to({"AWS": many}, every, BUCKET + "/*"))
    yield "principals-each", fill(size, lambda n: to({"AWS": [aws(n), f"{n:012}"]}, every, f"{BUCKET}/*{n}*"))
    yield "not-principals", fill(size, lambda n: {"Effect": "Deny", "NotPrincipal": {"AWS": [aws(n)]}, "Action": "s3:*", "Resource": f"{BUCKET}/*{n}*"} if n else to("*", "s3:*", BUCKET + "/*"))


def call(number, day, source, event, parameters):
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/w"
    issuer = {"type": "Role", "arn": ROLE, "accountId": ACCOUNT}
    return {"eventVersion": "1.11", "eventID": f"e{number}", "eventSource": f"{source}.amazonaws.com", "eventName": event,
            "eventTime": f"2026-{3 + day // 28:02}-{1 + day % 28:02}T08:00:00Z", "awsRegion": "eu-west-1",
            "recipientAccountId": ACCOUNT, "eventType": "AwsApiCall", "requestParameters": parameters,
            "userIdentity": {"type": "AssumedRole", "arn": arn, "accountId": ACCOUNT, "sessionContext": {"sessionIssuer": issuer}}}


def calls():
    rng = random.Random(7)
    objects = [call(n, n % 84, "s3", "GetObject", {"bucketName": f"bucket{n}", "key": f"{n}x{n % 97}/{rng.randrange(10**9)}"}) for n in range(300)]
    return objects + [call(900 + n, n % 84, "s3", "GetBucketLocation", {"bucketName": f"bucket{n}"}) for n in range(60)]


def account(old, of_resource):
    document = lambda statements: {"Version": "2012-10-17", "Statement": statements}
    trust = [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
    own = [allow("s3:*", "*")] if of_resource else old
    role = {"Path": "/", "RoleName": "worker", "RoleId": "AROAWORKER", "Arn": ROLE, "InstanceProfileList": [],
            "CreateDate": "2025-01-01T00:00:00Z", "AssumeRolePolicyDocument": document(trust), "AttachedManagedPolicies": [],
            "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": document(own)}]}
    selectors = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]}
    trail = {"TrailARN": f"arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/t", "Name": "t", "IsMultiRegionTrail": True,
             "event_selectors": {"EventSelectors": [selectors]}}
    details = {"UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": [role]}
    function = {"kind": "lambda.function", "arn": f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:worker", "role_arn": ROLE, "api": {"FunctionName": "worker"}}
    resources = [function, {"kind": "s3.bucket", "arn": BUCKET, "api": {}}]
    return {"authorization_details": details, "resources": resources, "trails": [trail],
            "resource_policies": {BUCKET: document(old)} if of_resource else {}}


def main(size, folder):
    for name, (old, new) in families(size):
        of_resource = any("rincipal" in key for key in old[0])
        here = pathlib.Path(folder) / name
        (here / "trail").mkdir(parents=True, exist_ok=True)
        (here / "old.json").write_text(text(old))
        (here / "new.json").write_text(text(new))
        (here / "trail" / "one.json").write_text(json.dumps({"Records": calls()}))
        snapshot = {"schema": "paring-snapshot/1", "organization": None, "accounts": {ACCOUNT: account(old, of_resource)}}
        (here / "snapshot.json").write_text(json.dumps(snapshot))
        place = {"kind": "resource", "resource_arn": BUCKET} if of_resource else {"kind": "identity", "principal_arn": ROLE, "policy_name": "own"}
        both = {"before": json.loads(text(old)), "after": json.loads(text(new))}
        change = {"attachment": place, **both, "reasons": []}
        (here / "changes.json").write_text(json.dumps({"schema": "paring-changes/1", "changes": [change]}))
        new_account = {"schema": "paring-snapshot/1", "organization": None, "accounts": {ACCOUNT: account(new, of_resource)}}
        (here / "after.json").write_text(json.dumps(new_account))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
