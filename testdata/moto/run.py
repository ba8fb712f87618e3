"""A stand-in for AWS for the tests: moto on loopback, in a virtual environment that this script makes.

    python3 run.py FOLDER

FOLDER keeps the environment between runs. Once the server answers, a line of JSON with its port is printed. Each line
of JSON on standard input is then a request, answered by a line of JSON; the end of standard input ends the server.
"""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

PACKAGES = ["moto[server]==5.2.5", "boto3==1.44.5"]
ACCOUNT, REGION = "123456789012", "us-east-1"


def environment(folder: Path) -> Path:
    """The Python of an environment that holds the packages; made once, whoever comes first."""
    folder.mkdir(parents=True, exist_ok=True)
    venv, made = folder / "venv", folder / "made"
    python = venv / "bin" / "python"
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists() or made.read_text() != json.dumps(PACKAGES) or not python.exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True, stdout=sys.stderr)
            pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES]
            subprocess.run(pip, check=True, stdout=sys.stderr)
            made.write_text(json.dumps(PACKAGES))
    return python


def allow(actions, resource="*", effect="Allow"):
    return {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": actions, "Resource": resource}]}


def trust(service):
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
    }


def granted(action, resource):
    """A policy on a resource that lets another account use it."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999988887777:root"}, "Action": action, "Resource": resource}
        ],
    }


class World:
    """The server, and clients of it."""

    def __init__(self):
        from moto.server import ThreadedMotoServer

        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        self.port = server.get_host_and_port()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.sessions = {}

    def client(self, service, credentials=None):
        import boto3
        from botocore.config import Config

        key = credentials or {"aws_access_key_id": "testing", "aws_secret_access_key": "canary-secret-0123456789"}
        config = Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"})
        return boto3.client(service, region_name=REGION, endpoint_url=self.url, config=config, **key)

    def enforce(self, on):
        import urllib.request

        body = b"0" if on else b"inf"
        request = urllib.request.Request(f"{self.url}/moto-api/reset-auth", data=body, headers={"Content-Type": "text/plain"})
        urllib.request.urlopen(request).read()

    # Requests.

    def seed(self):
        """An organisation, 130 roles, functions, and a resource of each kind with a policy; what it all is."""
        seed = {"roles": {}, "functions": {}, "policies": {}, "sources": {}, "stacks": {}, "account": ACCOUNT}
        seed["scps"], seed["rcps"] = self.organisation()
        self.roles(seed["roles"])
        self.functions(seed)
        self.storage(seed["policies"])
        self.messages(seed["policies"])
        self.others(seed["policies"])
        self.sources(seed)
        self.stacks(seed["stacks"])
        return seed

    def organisation(self):
        client = self.client("organizations")
        client.create_organization(FeatureSet="ALL")
        root = client.list_roots()["Roots"][0]["Id"]
        for kind in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"):
            client.enable_policy_type(RootId=root, PolicyType=kind)
        unit = client.create_organizational_unit(ParentId=root, Name="workloads")["OrganizationalUnit"]["Id"]
        inner = client.create_organizational_unit(ParentId=unit, Name="production")["OrganizationalUnit"]["Id"]
        member = client.create_account(Email="m@example.com", AccountName="member")["CreateAccountStatus"]["AccountId"]
        client.move_account(AccountId=member, SourceParentId=root, DestinationParentId=inner)

        def attach(name, kind, document, target):
            made = client.create_policy(Content=json.dumps(document), Description=name, Name=name, Type=kind)
            client.attach_policy(PolicyId=made["Policy"]["PolicySummary"]["Id"], TargetId=target)
            return document

        scp = "SERVICE_CONTROL_POLICY"
        outer = attach("no-leaving", scp, allow("organizations:LeaveOrganization", effect="Deny"), unit)
        deeper = attach("no-keys", scp, allow("iam:CreateAccessKey", effect="Deny"), inner)
        perimeter = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
                           "Condition": {"Bool": {"aws:SecureTransport": "false"}}}],
        }
        attach("tls", "RESOURCE_CONTROL_POLICY", perimeter, unit)
        # Beside what was made hangs AWS's own policy that allows everything, on every level.
        scps = {member: [[], [outer], [deeper], []], ACCOUNT: [[], []]}
        rcps = {member: [[], [perimeter], [], []], ACCOUNT: [[], []]}
        return scps, rcps

    def roles(self, roles):
        iam = self.client("iam")
        shared = allow(["logs:CreateLogStream", "logs:PutLogEvents"])
        shared_arn = iam.create_policy(PolicyName="shared", PolicyDocument=json.dumps(shared))["Policy"]["Arn"]
        boundary = allow("*")
        boundary_arn = iam.create_policy(PolicyName="boundary", PolicyDocument=json.dumps(boundary))["Policy"]["Arn"]
        for number in range(130):
            name = f"role-{number:03}"
            inline = {f"inline-{n}": allow(f"dynamodb:Get{n}", f"arn:aws:dynamodb:*:*:table/{name}") for n in range(number % 3)}
            more = {"PermissionsBoundary": boundary_arn} if number % 10 == 0 else {}
            trusts = trust("lambda.amazonaws.com" if number % 2 == 0 else "ecs-tasks.amazonaws.com")
            tags = [{"Key": "team", "Value": f"team-{number % 7}"}]
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trusts), Tags=tags, **more)
            for policy, document in inline.items():
                iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))
            if number % 4 == 0:
                iam.attach_role_policy(RoleName=name, PolicyArn=shared_arn)
            roles[name] = {
                "trust": trusts,
                "inline": inline,
                "attached": [shared_arn] if number % 4 == 0 else [],
                "boundary": boundary_arn if more else None,
                "team": f"team-{number % 7}",
            }
        iam.create_user(UserName="ada")
        iam.create_access_key(UserName="ada")
        iam.create_login_profile(UserName="ada", Password="canary-secret-0123456789")

    def functions(self, seed):
        import io
        import zipfile

        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("app.py", "def handler(event, context): return 1\n")
        client = self.client("lambda")
        queue = self.client("sqs").create_queue(QueueName="work")["QueueUrl"]
        for number in range(12):
            name, role = f"function-{number:02}", f"arn:aws:iam::{ACCOUNT}:role/role-{number * 2:03}"
            made = client.create_function(
                FunctionName=name, Runtime="python3.13", Role=role, Handler="app.handler",
                Code={"ZipFile": packed.getvalue()}, Tags={"stage": "prod"},
                Environment={"Variables": {"DB_PASSWORD": "canary-secret-0123456789"}},
            )
            arn = made["FunctionArn"]
            has_policy = number % 3 == 0
            if has_policy:
                client.add_permission(
                    FunctionName=name, StatementId="s3", Action="lambda:InvokeFunction",
                    Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::data",
                )
            if number == 1:
                client.create_function_url_config(FunctionName=name, AuthType="NONE")
            if number == 2:
                source = f"arn:aws:sqs:{REGION}:{ACCOUNT}:work"
                client.create_event_source_mapping(EventSourceArn=source, FunctionName=name)
            seed["functions"][arn] = {"role": role, "policy": has_policy, "url": number == 1, "source": number == 2}
            if number == 3:
                client.publish_version(FunctionName=name)
                alias = client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")["AliasArn"]
                seed["sources"][arn] = {"part": "Aliases", "holds": alias}
        assert queue

    def storage(self, policies):
        s3, dynamo, secrets = self.client("s3"), self.client("dynamodb"), self.client("secretsmanager")
        for name in ("data", "open"):
            s3.create_bucket(Bucket=name)
        policy = granted("s3:GetObject", "arn:aws:s3:::data/*")
        s3.put_bucket_policy(Bucket="data", Policy=json.dumps(policy))
        policies["arn:aws:s3:::data"] = policy
        schema = {"KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
                  "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}]}
        table = dynamo.create_table(TableName="rides", BillingMode="PAY_PER_REQUEST", **schema)["TableDescription"]["TableArn"]
        dynamo.create_table(TableName="bare", BillingMode="PAY_PER_REQUEST", **schema)
        policies[table] = granted("dynamodb:GetItem", table)
        dynamo.put_resource_policy(ResourceArn=table, Policy=json.dumps(policies[table]))
        secret = secrets.create_secret(Name="prod/maps/key", SecretString="canary-secret-0123456789")["ARN"]
        secrets.create_secret(Name="prod_maps_key", SecretString="canary-secret-0123456789")
        policies[secret] = granted("secretsmanager:GetSecretValue", secret)
        secrets.put_resource_policy(SecretId=secret, ResourcePolicy=json.dumps(policies[secret]))

    def messages(self, policies):
        sqs, sns = self.client("sqs"), self.client("sns")
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:jobs"
        policies[arn] = granted("sqs:SendMessage", arn)
        sqs.create_queue(QueueName="jobs", Attributes={"Policy": json.dumps(policies[arn])})
        topic = sns.create_topic(Name="news")["TopicArn"]
        policies[topic] = granted("sns:Publish", topic)
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(policies[topic]))

    def others(self, policies):
        kms, ecr, trails = self.client("kms"), self.client("ecr"), self.client("cloudtrail")
        key = kms.create_key()["KeyMetadata"]
        policies[key["Arn"]] = granted("kms:Decrypt", "*")
        kms.put_key_policy(KeyId=key["KeyId"], PolicyName="default", Policy=json.dumps(policies[key["Arn"]]))
        repository = ecr.create_repository(repositoryName="team/app")["repository"]["repositoryArn"]
        ecr.create_repository(repositoryName="bare")
        statement = granted("ecr:BatchGetImage", "*")
        del statement["Statement"][0]["Resource"]
        policies[repository] = statement
        ecr.set_repository_policy(repositoryName="team/app", policyText=json.dumps(statement))
        self.client("s3").create_bucket(Bucket="logs")
        trails.create_trail(Name="main", S3BucketName="logs", IsMultiRegionTrail=True)
        trails.start_logging(Name="main")
        selectors = [{"ReadWriteType": "All", "IncludeManagementEvents": True,
                      "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::data/"]}]}]
        trails.put_event_selectors(TrailName="main", EventSelectors=selectors)

    def sources(self, seed):
        """What makes services call a function; for each, what its description must hold."""
        function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:function-00"
        made = seed["sources"]
        configuration = {"LambdaFunctionConfigurations": [{"LambdaFunctionArn": function, "Events": ["s3:ObjectCreated:*"]}]}
        # Of a bucket without any, moto answers with the name of another call.
        for bucket in ("data", "open", "logs"):
            self.client("s3").put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
        made["arn:aws:s3:::data"] = {"part": "NotificationConfiguration", "holds": function}
        topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:news"
        self.client("sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function)
        made[topic] = {"part": "Subscriptions", "holds": function}
        events = self.client("events")
        bus = events.create_event_bus(Name="orders")["EventBusArn"]
        assert bus
        for name, more in (("nightly", {"ScheduleExpression": "rate(1 day)"}),
                           ("placed", {"EventBusName": "orders", "EventPattern": json.dumps({"source": ["shop"]})})):
            rule = events.put_rule(Name=name, **more)["RuleArn"]
            of_bus = {"EventBusName": more["EventBusName"]} if "EventBusName" in more else {}
            target = {"Id": "1", "Arn": function, "Input": json.dumps({"password": "canary-secret-0123456789"})}
            events.put_targets(Rule=name, Targets=[target], **of_bus)
            made[rule] = {"part": "Targets", "holds": function}
        gateway = self.client("apigateway")
        policy = granted("execute-api:Invoke", "execute-api:/*")
        api = gateway.create_rest_api(name="shop", policy=json.dumps(policy))["id"]
        root = gateway.get_resources(restApiId=api)["items"][0]["id"]
        gateway.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
        uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations"
        gateway.put_integration(restApiId=api, resourceId=root, httpMethod="GET", type="AWS_PROXY",
                                integrationHttpMethod="POST", uri=uri)
        arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}"
        seed["policies"][arn] = policy
        made[arn] = {"part": "Resources", "holds": function}
        kms = self.client("kms")
        key = kms.list_keys()["Keys"][0]
        kms.create_grant(KeyId=key["KeyId"], GranteePrincipal=f"arn:aws:iam::{ACCOUNT}:role/role-000", Operations=["Decrypt"])
        made[key["KeyArn"]] = {"part": "Grants", "holds": "role/role-000"}

    def stacks(self, stacks):
        """A stack with a role and a queue of its own."""
        resources = {
            "Worker": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "stacked",
                       "AssumeRolePolicyDocument": trust("lambda.amazonaws.com"),
                       "Tags": [{"Key": "team", "Value": "team-0"}]}},
            "Work": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "stacked"}},
        }
        client = self.client("cloudformation")
        template = json.dumps({"Resources": resources, "Parameters": {"Password": {"Type": "String", "NoEcho": True}}})
        parameters = [{"ParameterKey": "Password", "ParameterValue": "canary-secret-0123456789"}]
        stack = client.create_stack(StackName="rides", TemplateBody=template, Parameters=parameters)["StackId"]
        described = client.describe_stack_resources(StackName="rides")["StackResources"]
        stacks[stack] = {r["LogicalResourceId"]: [r["ResourceType"], r["PhysicalResourceId"]] for r in described}

    def small(self):
        """A bucket with two objects, two queues, and a role that may do nothing yet."""
        s3, sqs, iam = self.client("s3"), self.client("sqs"), self.client("iam")
        s3.create_bucket(Bucket="orders")
        for key in ("in/1.json", "private/1.json"):
            s3.put_object(Bucket="orders", Key=key, Body=b"{}")
        urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("jobs", "audit")}
        iam.create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(trust("lambda.amazonaws.com")))
        return {"role": f"arn:aws:iam::{ACCOUNT}:role/worker", "queues": urls}

    def several(self):
        """A bucket, and four roles that policies are generated for."""
        self.client("s3").create_bucket(Bucket="orders")
        for number in range(1, 5):
            document = json.dumps(trust("lambda.amazonaws.com"))
            self.client("iam").create_role(RoleName=f"gen-{number}", AssumeRolePolicyDocument=document)
        everything = json.dumps(allow("*"))
        self.client("iam").put_role_policy(RoleName="gen-1", PolicyName="all", PolicyDocument=everything)
        return {}

    def attach(self, role, policy):
        self.client("iam").put_role_policy(RoleName=role, PolicyName="proposed", PolicyDocument=json.dumps(policy))
        return {}

    def results(self, columns, rows):
        """Queues the rows of Athena's next query."""
        import urllib.request

        names = [{"Name": name, "Label": name, "Type": "varchar"} for name in columns]
        cell = lambda text: {} if text is None else {"VarCharValue": text}
        data = [{"Data": [cell(text) for text in row]} for row in [columns, *rows]]
        body = json.dumps({"results": [{"rows": data, "column_info": names}]}).encode()
        url = f"{self.url}/moto-api/static/athena/query-results"
        urllib.request.urlopen(urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})).read()
        return {}

    def replay(self, role, calls):
        """Makes calls as the role, with the policies enforced; for each, whether it was allowed."""
        from botocore.exceptions import ClientError

        assumed = self.client("sts").assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{role}", RoleSessionName="replay")
        given = assumed["Credentials"]
        credentials = {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }
        outcomes = []
        self.enforce(True)
        try:
            for call in calls:
                operation = getattr(self.client(call["service"], credentials), call["operation"])
                try:
                    operation(**call["arguments"])
                    outcomes.append("allowed")
                except ClientError as error:
                    refused = error.response["ResponseMetadata"]["HTTPStatusCode"] == 403
                    outcomes.append("denied" if refused else str(error))
        finally:
            self.enforce(False)
        return {"outcomes": outcomes}


def serve():
    import logging

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    world = World()
    print(json.dumps({"port": world.port}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        answer = getattr(world, request.pop("do"))(**request)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "--inside":
        os.environ.update(AWS_DEFAULT_REGION=REGION, AWS_EC2_METADATA_DISABLED="true")
        serve()
    else:
        python = environment(Path(sys.argv[1]))
        os.execv(python, [str(python), os.path.abspath(__file__), "--inside"])
