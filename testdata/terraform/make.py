#!/usr/bin/env python3
"""Writes `snapshot.json` and `trail/events.json` beside it: what an account looks like after `terraform apply`."""
import json
import pathlib

HERE = pathlib.Path(__file__).parent
ACCOUNT, REGION = "111122223333", "eu-west-1"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/shop-orders"
BUCKET = "shop-reports-111122223333"


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


TRUST = document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}})
S3_FULL = document({"Effect": "Allow", "Action": ["s3:*", "s3-object-lambda:*"], "Resource": "*"})


def role(name, inline, managed):
    return {
        "Path": "/", "RoleName": name, "RoleId": "AROA" + name.upper().replace("-", "")[:10].ljust(10, "X"),
        "Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}", "CreateDate": "2026-01-05T08:00:00+00:00",
        "AssumeRolePolicyDocument": TRUST, "InstanceProfileList": [],
        "RolePolicyList": [{"PolicyName": n, "PolicyDocument": d} for n, d in inline.items()],
        "AttachedManagedPolicies": [{"PolicyName": m.rsplit("/", 1)[-1], "PolicyArn": m} for m in managed],
    }


def function(name):
    return {
        "kind": "lambda.function", "arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}",
        "role_arn": f"arn:aws:iam::{ACCOUNT}:role/{name}",
        "api": {"FunctionName": name, "FunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}",
                "Role": f"arn:aws:iam::{ACCOUNT}:role/{name}", "Runtime": "python3.13"},
    }


def snapshot():
    managed = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
    orders = document({"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"})
    report = document({"Sid": "Orders", "Effect": "Allow", "Resource": TABLE,
                       "Action": ["dynamodb:Scan", "dynamodb:PutItem", "dynamodb:DeleteItem"]})
    selectors = [{"Name": "all", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]},
                                                    {"Field": "resources.type", "Equals": [kind]}]}
                 for kind in ["AWS::DynamoDB::Table", "AWS::S3::Object"]]
    selectors.append({"Name": "management", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]})
    return {"schema": "paring-snapshot/1", "organization": None, "accounts": {ACCOUNT: {
        "authorization_details": {
            "UserDetailList": [], "GroupDetailList": [],
            "RoleDetailList": [role("shop-orders", {"table": orders}, []), role("shop-report", {"orders": report}, [managed])],
            "Policies": [{"PolicyName": "AmazonS3FullAccess", "PolicyId": "ANPAIFIR6V6BVTRAHWINE", "Arn": managed,
                          "Path": "/", "DefaultVersionId": "v2", "AttachmentCount": 1, "IsAttachable": True,
                          "PolicyVersionList": [{"VersionId": "v2", "IsDefaultVersion": True, "Document": S3_FULL,
                                                 "CreateDate": "2021-09-27T20:16:37+00:00"}]}],
        },
        "resources": [function("shop-orders"), function("shop-report")],
        "resource_policies": {},
        "trails": [{"TrailARN": f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/all", "IsMultiRegionTrail": True,
                    "event_selectors": {"AdvancedEventSelectors": selectors}}],
        "iam_extra": {"access_keys": {}, "login_profiles": []},
    }}}


def record(number, day, name, source, event, parameters, resources):
    month, day = 8 + day // 28, day % 28 + 1
    role = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    return {
        "eventVersion": "1.11", "eventID": f"00000000-0000-4000-8000-{number:012d}",
        "eventTime": f"2026-{month:02d}-{day:02d}T06:30:00Z", "eventSource": f"{source}.amazonaws.com", "eventName": event,
        "awsRegion": REGION, "sourceIPAddress": "10.0.0.1", "eventType": "AwsApiCall", "managementEvent": False,
        "eventCategory": "Data", "readOnly": event in ("GetItem", "Scan"), "recipientAccountId": ACCOUNT,
        "requestParameters": parameters, "responseElements": None,
        "resources": [{"accountId": ACCOUNT, **resource} for resource in resources],
        "userIdentity": {
            "type": "AssumedRole", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{name}", "accountId": ACCOUNT,
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role, "accountId": ACCOUNT, "userName": name}},
        },
    }


def trail():
    table = [{"type": "AWS::DynamoDB::Table", "ARN": TABLE}]
    records = []
    for day in range(0, 100, 2):
        def add(*args):
            records.append(record(len(records) + 1, day, *args))
        add("shop-orders", "dynamodb", "PutItem", {"tableName": "shop-orders"}, table)
        add("shop-orders", "dynamodb", "GetItem", {"tableName": "shop-orders"}, table)
        add("shop-report", "dynamodb", "Scan", {"tableName": "shop-orders"}, table)
        key = f"daily/{day}.csv"
        add("shop-report", "s3", "PutObject", {"bucketName": BUCKET, "key": key}, [
            {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{BUCKET}/{key}"},
            {"type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{BUCKET}"}])
    return {"Records": records}


(HERE / "trail").mkdir(exist_ok=True)
(HERE / "snapshot.json").write_text(json.dumps(snapshot(), indent=1) + "\n")
(HERE / "trail/events.json").write_text(json.dumps(trail(), separators=(",", ":")) + "\n")
