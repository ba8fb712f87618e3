#!/usr/bin/env python3
"""Makes an account of many wide roles and what they did, to measure `paring tighten` on.

usage: scripts/many_roles.py ROLES FOLDER
then:  paring tighten --snapshot FOLDER/snapshot.json --trail FOLDER/trail --out FOLDER/out
"""

import json
import pathlib
import random
import sys

ACCOUNT = "111122223333"
GRANTS = ["*", "dynamodb:*", "s3:*", "sqs:*", "kms:*"]
CALLS = [
    ("dynamodb", "PutItem", lambda n: {"tableName": f"table-{n}"}),
    ("dynamodb", "GetItem", lambda n: {"tableName": f"table-{n}"}),
    ("sqs", "GetQueueAttributes", lambda n: {"queueUrl": f"https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/queue-{n}"}),
    ("kms", "DescribeKey", lambda n: {"keyId": f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/0000-{n}"}),
    ("s3", "GetBucketLocation", lambda n: {"bucketName": f"bucket-{n}"}),
]


def role(name, grants):
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    statement = {"Effect": "Allow", "Action": grants, "Resource": "*"}
    document = lambda one: {"Version": "2012-10-17", "Statement": [one]}
    return {"Path": "/", "RoleName": name, "RoleId": f"AROA{name}", "Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}",
            "InstanceProfileList": [], "AssumeRolePolicyDocument": document(trust), "AttachedManagedPolicies": [],
            "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": document(statement)}]}


def call(number, name, day, source, event, parameters):
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{name}"
    issuer = {"type": "Role", "arn": f"arn:aws:iam::{ACCOUNT}:role/{name}", "accountId": ACCOUNT}
    return {"eventVersion": "1.11", "eventID": f"e{number}", "eventSource": f"{source}.amazonaws.com", "eventName": event,
            "eventTime": f"2026-{3 + day // 28:02}-{1 + day % 28:02}T08:00:00Z", "awsRegion": "eu-west-1",
            "recipientAccountId": ACCOUNT, "eventType": "AwsApiCall", "requestParameters": parameters,
            "userIdentity": {"type": "AssumedRole", "arn": arn, "accountId": ACCOUNT, "sessionContext": {"sessionIssuer": issuer}}}


def main(roles, folder):
    rng = random.Random(7)
    records = []
    for number in range(roles):
        for day in range(0, 84, 4):
            source, event, parameters = rng.choice(CALLS)
            records.append(call(len(records), f"role{number}", day, source, event, parameters(rng.randrange(6))))
    functions = [{"kind": "lambda.function", "arn": f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:role{n}",
                  "role_arn": f"arn:aws:iam::{ACCOUNT}:role/role{n}", "api": {"FunctionName": f"role{n}"}} for n in range(roles)]
    selectors = {"ReadWriteType": "All", "IncludeManagementEvents": True,
                 "DataResources": [{"Type": "AWS::DynamoDB::Table", "Values": ["arn:aws:dynamodb"]}]}
    trail = {"TrailARN": f"arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/t", "Name": "t", "IsMultiRegionTrail": True,
             "event_selectors": {"EventSelectors": [selectors]}}
    details = {"UserDetailList": [], "GroupDetailList": [], "Policies": [],
               "RoleDetailList": [role(f"role{n}", GRANTS[n % 5:n % 5 + 1] + GRANTS[1:3]) for n in range(roles)]}
    account = {"authorization_details": details, "resources": functions, "resource_policies": {}, "trails": [trail]}
    snapshot = {"schema": "paring-snapshot/1", "organization": None, "accounts": {ACCOUNT: account}}
    folder = pathlib.Path(folder)
    (folder / "trail").mkdir(parents=True, exist_ok=True)
    (folder / "snapshot.json").write_text(json.dumps(snapshot))
    (folder / "trail" / "one.json").write_text(json.dumps({"Records": records}))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
