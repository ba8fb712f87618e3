#!/usr/bin/env python3
"""Writes snapshot.json and trail/ beside this file: what `sam deploy` of template.yaml leaves in an account, and what
CloudTrail recorded of it over 95 days. Standard library only, no clock, no randomness: the same bytes on every run
(the .gz files depend on zlib's version; their contents do not).

Some events must not become grants: denied calls, a person's calls, services acting for themselves, events that are no
API call, a second delivery of the same event, and a digest file."""
import gzip
import hashlib
import json
import os
import shutil
from datetime import datetime, timedelta, timezone

HERE = os.path.dirname(os.path.abspath(__file__))
ACCOUNT, REGION, STACK = "111122223333", "ap-northeast-1", "tuktuk-dispatch"
FIRST_DAY = datetime(2026, 8, 3, tzinfo=timezone.utc)
DAYS = 95  # 12 successful calls on each: 1,140


def token(text, length):
    """Letters and digits that look random and are not."""
    return hashlib.sha256(text.encode()).hexdigest().upper()[:length]


def uuid(text):
    h = hashlib.sha256(text.encode()).hexdigest()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:32]}"


def physical(logical):
    return f"{STACK}-{logical}-{token(logical, 12)}"


def arn(service, rest, region=REGION):
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{rest}"


TABLE = physical("RidesTable")
BUCKET = f"{STACK}-receipts-{ACCOUNT}"
QUEUE = physical("DriverNoticeQueue")
TABLE_ARN = arn("dynamodb", f"table/{TABLE}")
QUEUE_ARN = arn("sqs", QUEUE)
BUCKET_ARN = f"arn:aws:s3:::{BUCKET}"
SECRET_ARN = arn("secretsmanager", "secret:prod/tuktuk/maps-api-key-mK4vQz")

# Function -> the logical id of its role. SAM writes `<Function>Role` where the template names none.
FUNCTIONS = {
    "AssignDriverFunction": "AssignDriverFunctionRole",
    "RequestRideFunction": "RideApiRole",
    "TrackRideFunction": "RideApiRole",
    "ArchiveRidesFunction": "ArchiveRidesFunctionRole",
}
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


def role_arn(logical):
    return f"arn:aws:iam::{ACCOUNT}:role/{physical(logical)}"


def doc(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action, resource, sid=None):
    return ({"Sid": sid} if sid else {}) | {"Effect": "Allow", "Action": action, "Resource": resource}


MANAGED = {
    BASIC: doc(allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "*")),
    ADMIN: doc(allow("*", "*")),
}
TRUST = doc({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"})
ROLES = {
    "AssignDriverFunctionRole": {"inline": {}, "managed": [BASIC, ADMIN]},
    "RideApiRole": {
        "inline": {"ride-api": doc(allow(["dynamodb:PutItem", "dynamodb:GetItem"], TABLE_ARN, "Rides"),
                                   allow("sqs:SendMessage", QUEUE_ARN, "TellDrivers"))},
        "managed": [BASIC],
    },
    # SAM names an inline policy after the function and the item's place in the source's list.
    "ArchiveRidesFunctionRole": {"inline": {"ArchiveRidesFunctionRolePolicy0": doc(allow(["dynamodb:*"], "*"))}, "managed": [BASIC]},
}


def stack_tags(logical):
    return {
        "aws:cloudformation:stack-name": STACK,
        "aws:cloudformation:logical-id": logical,
        "aws:cloudformation:stack-id": arn("cloudformation", f"stack/{STACK}/{uuid(STACK)}"),
        "lambda:createdBy": "SAM",
    }


def role_detail(logical):
    role = ROLES[logical]
    # CloudFormation puts its tags on functions, not on roles.
    return {
        "Path": "/", "RoleName": physical(logical), "RoleId": "AROA" + token(logical, 17), "Arn": role_arn(logical),
        "CreateDate": "2026-07-20T09:14:03+00:00", "AssumeRolePolicyDocument": TRUST, "InstanceProfileList": [],
        "RolePolicyList": [{"PolicyName": name, "PolicyDocument": document} for name, document in role["inline"].items()],
        "AttachedManagedPolicies": [{"PolicyName": m.rsplit("/", 1)[1], "PolicyArn": m} for m in role["managed"]],
        "Tags": [], "RoleLastUsed": {"LastUsedDate": "2026-11-05T18:30:11+00:00", "Region": REGION},
    }


def managed_detail(policy_arn, document):
    path = "/service-role/" if "/service-role/" in policy_arn else "/"
    attached = sum(policy_arn in role["managed"] for role in ROLES.values())
    return {
        "PolicyName": policy_arn.rsplit("/", 1)[1], "PolicyId": "ANPA" + token(policy_arn, 17), "Arn": policy_arn, "Path": path,
        "DefaultVersionId": "v1", "AttachmentCount": attached, "PermissionsBoundaryUsageCount": 0, "IsAttachable": True,
        "CreateDate": "2015-04-09T15:03:43+00:00", "UpdateDate": "2015-04-09T15:03:43+00:00",
        "PolicyVersionList": [{"Document": document, "VersionId": "v1", "IsDefaultVersion": True, "CreateDate": "2015-04-09T15:03:43+00:00"}],
    }


def function_arn(logical):
    return arn("lambda", f"function:{physical(logical)}")


def function_resource(logical):
    role = role_arn(FUNCTIONS[logical])
    return {
        "kind": "lambda.function", "arn": function_arn(logical), "role_arn": role,
        "api": {"FunctionName": physical(logical), "FunctionArn": function_arn(logical), "Role": role, "Runtime": "python3.13",
                "Handler": "app.handler", "Timeout": 15, "PackageType": "Zip", "Tags": stack_tags(logical)},
    }


def invoke_permission(logical, service, source):
    return doc({"Sid": f"{STACK}-{logical}Permission-{token(logical + 'Permission', 12)}", "Effect": "Allow",
                "Principal": {"Service": service}, "Action": "lambda:InvokeFunction", "Resource": function_arn(logical),
                "Condition": {"ArnLike": {"AWS:SourceArn": source}}})


def snapshot():
    resources = [function_resource(logical) for logical in FUNCTIONS]
    resources += [
        {"kind": "dynamodb.table", "arn": TABLE_ARN,
         "api": {"TableName": TABLE, "TableArn": TABLE_ARN, "TableStatus": "ACTIVE",
                 "KeySchema": [{"AttributeName": "RideId", "KeyType": "HASH"}]}},
        {"kind": "s3.bucket", "arn": BUCKET_ARN, "api": {"Name": BUCKET, "CreationDate": "2026-07-20T09:13:40+00:00"}},
        {"kind": "sqs.queue", "arn": QUEUE_ARN,
         "api": {"QueueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{QUEUE}", "Attributes": {"QueueArn": QUEUE_ARN}}},
        {"kind": "secretsmanager.secret", "arn": SECRET_ARN, "api": {"ARN": SECRET_ARN, "Name": "prod/tuktuk/maps-api-key"}},
    ]
    api = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:a1b2c3d4e5"
    policies = {
        function_arn("AssignDriverFunction"): invoke_permission(
            "AssignDriverFunction", "events.amazonaws.com", arn("events", f"rule/{STACK}-EveryMinute-{token('EveryMinute', 12)}")),
        function_arn("RequestRideFunction"): invoke_permission("RequestRideFunction", "apigateway.amazonaws.com", f"{api}/*/POST/rides"),
        function_arn("TrackRideFunction"): invoke_permission("TrackRideFunction", "apigateway.amazonaws.com", f"{api}/*/GET/rides/*"),
        function_arn("ArchiveRidesFunction"): invoke_permission(
            "ArchiveRidesFunction", "events.amazonaws.com", arn("events", f"rule/{STACK}-Nightly-{token('Nightly', 12)}")),
    }
    person = {
        "Path": "/", "UserName": "mei", "UserId": "AIDA" + token("mei", 17), "Arn": f"arn:aws:iam::{ACCOUNT}:user/mei",
        "CreateDate": "2025-02-11T02:00:00+00:00", "GroupList": [], "AttachedManagedPolicies": [], "Tags": [],
        "UserPolicyList": [{"PolicyName": "support", "PolicyDocument": doc(allow(["dynamodb:GetItem", "dynamodb:DeleteItem"], TABLE_ARN))}],
    }

    def data_events(name, kind):
        return {"Name": name, "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": [kind]}]}

    trail = {
        "Name": "account-trail", "TrailARN": arn("cloudtrail", "trail/account-trail"), "HomeRegion": REGION, "IsMultiRegionTrail": True,
        "IncludeGlobalServiceEvents": True, "S3BucketName": f"trail-{ACCOUNT}", "LogFileValidationEnabled": True,
        "event_selectors": {"TrailARN": arn("cloudtrail", "trail/account-trail"), "AdvancedEventSelectors": [
            {"Name": "management", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]},
            data_events("items", "AWS::DynamoDB::Table"),
            data_events("objects", "AWS::S3::Object"),
            data_events("invocations", "AWS::Lambda::Function"),
        ]},
    }
    account = {
        "authorization_details": {
            "UserDetailList": [person], "GroupDetailList": [], "RoleDetailList": [role_detail(logical) for logical in ROLES],
            "Policies": [managed_detail(policy_arn, document) for policy_arn, document in MANAGED.items()],
        },
        "resources": resources, "resource_policies": policies, "trails": [trail],
        "iam_extra": {"access_keys": {"mei": 1}, "login_profiles": ["mei"]},
    }
    return {"schema": "paring-snapshot/1", "accounts": {ACCOUNT: account}, "organization": None}


def session(function):
    """`userIdentity` of a function's own call: the role is the session's issuer, the session is named after the function."""
    role = FUNCTIONS[function]
    unique = "AROA" + token(role, 17)
    return {
        "type": "AssumedRole", "principalId": f"{unique}:{physical(function)}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{physical(role)}/{physical(function)}", "accountId": ACCOUNT,
        "accessKeyId": "ASIA" + token(function, 16),
        "sessionContext": {
            "sessionIssuer": {"type": "Role", "principalId": unique, "arn": role_arn(role), "accountId": ACCOUNT, "userName": physical(role)},
            "attributes": {"creationDate": "2026-08-03T00:00:00Z", "mfaAuthenticated": "false"},
        },
    }


def event(when, who, source, name, parameters, *, resources=None, data=False, error=None, kind="AwsApiCall"):
    at = when.strftime("%Y-%m-%dT%H:%M:%SZ")
    key = f"{at} {who.get('arn', who['type'])} {name} {json.dumps(parameters)} {error}"
    record = {
        "eventVersion": "1.11", "userIdentity": who, "eventTime": at, "eventSource": source, "eventName": name, "awsRegion": REGION,
        "sourceIPAddress": "203.0.113.24", "userAgent": "Boto3/1.40.0 lang/python#3.13", "requestParameters": parameters,
        "responseElements": None, "requestID": uuid("request " + key), "eventID": uuid("event " + key),
        "readOnly": name.startswith(("Get", "Scan", "Describe", "List")), "eventType": kind, "managementEvent": not data,
        "recipientAccountId": ACCOUNT, "eventCategory": "Data" if data else "Management",
    }
    if resources:
        record["resources"] = resources
    if error:
        record["errorCode"], record["errorMessage"] = error
    return record


def table_call(when, who, name, error=None):
    parameters = {"tableName": TABLE}
    if name != "Scan":
        parameters["key"] = {"RideId": "HIDDEN_DUE_TO_SECURITY_REASONS"}
    resources = [{"accountId": ACCOUNT, "type": "AWS::DynamoDB::Table", "ARN": TABLE_ARN}]
    return event(when, who, "dynamodb.amazonaws.com", name, parameters, resources=resources, data=True, error=error)


def put_receipt(when, who):
    key = f"{token(f'receipt {when}', 10).lower()}.pdf"
    resources = [{"type": "AWS::S3::Object", "ARN": f"{BUCKET_ARN}/{key}"},
                 {"accountId": ACCOUNT, "type": "AWS::S3::Bucket", "ARN": BUCKET_ARN}]
    parameters = {"bucketName": BUCKET, "Host": f"{BUCKET}.s3.{REGION}.amazonaws.com", "key": key}
    return event(when, who, "s3.amazonaws.com", "PutObject", parameters, resources=resources, data=True)


def denied(role, function, action, resource):
    session_arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{physical(role)}/{physical(function)}"
    return (f"User: {session_arn} is not authorized to perform: {action} on resource: {resource} "
            f"because no identity-based policy allows the {action} action")


def calls(day, number):
    """The 12 successful calls of one day."""
    def at(i):
        return day + timedelta(hours=6, minutes=211 * i + number, seconds=(17 * i + 7 * number) % 60)

    assign = session("AssignDriverFunction")
    for i in range(3):
        # A driver who was taken in the meantime: the call was authorised, then failed for a reason of its own.
        taken = ("ConditionalCheckFailedException", "The conditional request failed") if (i + number) % 11 == 0 else None
        yield table_call(at(i), assign, "UpdateItem", taken)
    for i in range(2):
        yield put_receipt(at(2 * i) + timedelta(seconds=9), assign)
    yield event(at(0) - timedelta(seconds=1), assign, "secretsmanager.amazonaws.com", "GetSecretValue", {"secretId": SECRET_ARN})
    for i in range(2):
        yield table_call(at(i) - timedelta(minutes=1), session("RequestRideFunction"), "PutItem")
    for i in range(3):
        yield table_call(at(i) + timedelta(minutes=2), session("TrackRideFunction"), "GetItem")
    yield table_call(day + timedelta(hours=18, minutes=30, seconds=4), session("ArchiveRidesFunction"), "Scan")


def noise(day, number):
    """What must not become a grant."""
    start = day + timedelta(hours=5)
    if number % 32 == 2:  # an old client cancels rides, and may not
        message = denied("RideApiRole", "TrackRideFunction", "dynamodb:DeleteItem", TABLE_ARN)
        yield table_call(start, session("TrackRideFunction"), "DeleteItem", ("AccessDenied", message))
    if number % 32 == 5:  # an export that was never granted
        message = denied("ArchiveRidesFunctionRole", "ArchiveRidesFunction", "s3:ListAllMyBuckets", "*")
        yield event(start, session("ArchiveRidesFunction"), "s3.amazonaws.com", "ListBuckets", {"Host": f"s3.{REGION}.amazonaws.com"},
                    error=("AccessDenied", message))
    if number % 25 == 4:  # a person
        person = {"type": "IAMUser", "principalId": "AIDA" + token("mei", 17), "arn": f"arn:aws:iam::{ACCOUNT}:user/mei",
                  "accountId": ACCOUNT, "accessKeyId": "AKIA" + token("mei", 16), "userName": "mei"}
        yield table_call(start, person, "DeleteItem")
    if number % 12 == 0:  # Lambda assumes a role: a call about the role, not by it
        service = {"type": "AWSService", "invokedBy": "lambda.amazonaws.com"}
        parameters = {"roleArn": role_arn("RideApiRole"), "roleSessionName": physical("TrackRideFunction")}
        resources = [{"accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": role_arn("RideApiRole")}]
        yield event(start, service, "sts.amazonaws.com", "AssumeRole", parameters, resources=resources)
    if number == 20:  # not an API call
        service = {"accountId": ACCOUNT, "type": "AWSService", "invokedBy": "secretsmanager.amazonaws.com"}
        yield event(start, service, "secretsmanager.amazonaws.com", "RotationStarted", None, kind="AwsServiceEvent")
    if number % 25 == 6:  # needs no permission
        yield event(start, session("AssignDriverFunction"), "sts.amazonaws.com", "GetCallerIdentity", None)


def write_json(path, value):
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        json.dump(value, file, indent=1, ensure_ascii=False)
        file.write("\n")


def write_gzip(path, value):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=9, mtime=0, filename="") as file:
        file.write(json.dumps(value, separators=(",", ":")).encode())


def main():
    write_json(f"{HERE}/snapshot.json", snapshot())
    shutil.rmtree(f"{HERE}/trail", ignore_errors=True)
    logs = f"{HERE}/trail/AWSLogs/{ACCOUNT}"
    previous = []
    for number in range(DAYS):
        day = FIRST_DAY + timedelta(days=number)
        rows = sorted([*calls(day, number), *noise(day, number)], key=lambda e: (e["eventTime"], e["eventID"]))
        name = f"{ACCOUNT}_CloudTrail_{REGION}_{day:%Y%m%d}T2355Z_{token(f'{day}', 16)}.json.gz"
        # CloudTrail delivers some events twice: here one of the day before, every other day.
        write_gzip(f"{logs}/CloudTrail/{REGION}/{day:%Y/%m/%d}/{name}", {"Records": rows + previous[:number % 2]})
        previous = rows
    last = FIRST_DAY + timedelta(days=DAYS)
    digest = f"{ACCOUNT}_CloudTrail-Digest_{REGION}_account-trail_{REGION}_{last:%Y%m%d}T000000Z.json.gz"
    write_gzip(f"{logs}/CloudTrail-Digest/{REGION}/{last:%Y/%m/%d}/{digest}",
               {"awsAccountId": ACCOUNT, "digestStartTime": f"{day:%Y-%m-%d}T23:00:00Z", "digestEndTime": f"{last:%Y-%m-%d}T00:00:00Z",
                "digestS3Bucket": f"trail-{ACCOUNT}", "logFiles": []})


if __name__ == "__main__":
    main()
