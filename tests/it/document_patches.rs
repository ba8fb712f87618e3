//! Policies that name principals, narrowed in the sources they come from: each kind in a template and in Terraform, applied
//! with git and read again.

use serde_json::{Value, json};

use crate::run::{Folder, Output};

const ACCOUNT: &str = "111122223333";

fn role_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

fn in_region(service: &str, rest: &str) -> String {
    format!("arn:aws:{service}:eu-west-1:{ACCOUNT}:{rest}")
}

fn key() -> String {
    in_region("kms", "key/0b1c2d3e-0000-4000-8000-000000000001")
}

fn secret() -> String {
    in_region("secretsmanager", "secret:db-AbCdEf")
}

fn endpoint() -> String {
    in_region("ec2", "vpc-endpoint/vpce-0a1b2c3d")
}

fn doc(statements: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// A statement for the two roles that share everything here.
fn both(actions: &[&str], resource: &str) -> Value {
    json!({"Sid": "share", "Effect": "Allow", "Principal": {"AWS": [role_arn("ops"), role_arn("old")]}, "Action": actions, "Resource": resource})
}

fn resource_policies() -> Value {
    let root = json!({"Sid": "owner", "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")}, "Action": "kms:*", "Resource": "*"});
    let queue = in_region("sqs", "jobs");
    let topic = in_region("sns", "news");
    json!({
        "arn:aws:s3:::images": doc(&json!([both(&["s3:GetBucketLocation", "s3:GetBucketTagging"], "arn:aws:s3:::images")])),
        queue.as_str(): doc(&json!([both(&["sqs:SetQueueAttributes", "sqs:PurgeQueue"], &queue)])),
        topic.as_str(): doc(&json!([both(&["sns:GetTopicAttributes", "sns:DeleteTopic"], &topic)])),
        key(): doc(&json!([root, both(&["kms:Decrypt", "kms:Encrypt"], "*")])),
        secret(): doc(&json!([both(&["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"], "*")])),
    })
}

fn snapshot() -> String {
    let lambda =
        json!([{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]);
    let shared = json!([{"Sid": "share", "Effect": "Allow", "Principal": {"AWS": [role_arn("ops"), role_arn("old")]}, "Action": "sts:AssumeRole"}]);
    let role = |name: &str, trust: &Value| {
        let mut statements = json!([{"Effect": "Allow", "Action": ["sts:AssumeRole", "dynamodb:*"], "Resource": "*"}]);
        if name == "old" {
            let regions = json!({"Effect": "Allow", "Action": "ec2:DescribeRegions", "Resource": "*"});
            statements.as_array_mut().unwrap().push(regions);
        }
        json!({"Path": "/", "RoleName": name, "RoleId": format!("AROA{name}"), "Arn": role_arn(name), "InstanceProfileList": [],
            "AttachedManagedPolicies": [], "RolePolicyList": [{"PolicyName": "all", "PolicyDocument": doc(&statements)}],
            "AssumeRolePolicyDocument": doc(trust)})
    };
    let open = json!({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]});
    let gateway = json!({"VpcEndpointId": "vpce-0a1b2c3d", "VpcId": "vpc-1", "ServiceName": "com.amazonaws.eu-west-1.dynamodb",
        "PolicyDocument": open.to_string()});
    let resource = |kind: &str, arn: String| json!({"kind": kind, "arn": arn, "api": {}});
    json!({"schema": "paring-snapshot/1", "organization": null, "accounts": {ACCOUNT: {
        "authorization_details": {"UserDetailList": [], "GroupDetailList": [], "Policies": [],
            "RoleDetailList": [role("target", &shared), role("ops", &lambda), role("old", &lambda)]},
        "resources": [resource("s3.bucket", "arn:aws:s3:::images".into()), resource("sqs.queue", in_region("sqs", "jobs")),
            resource("sns.topic", in_region("sns", "news")), resource("kms.key", key()),
            resource("secretsmanager.secret", secret()), json!({"kind": "ec2.vpc_endpoint", "arn": endpoint(), "api": gateway})],
        "resource_policies": resource_policies(),
        "trails": [{"TrailARN": in_region("cloudtrail", "trail/t"), "Name": "t", "IsMultiRegionTrail": true,
            "event_selectors": {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true,
                "DataResources": [{"Type": "AWS::DynamoDB::Table", "Values": ["arn:aws:dynamodb"]}]}]}}]}}})
    .to_string()
}

fn log() -> String {
    let target = role_arn("target");
    let calls = [
        ("sts", "AssumeRole", json!({"roleArn": target, "roleSessionName": "s"}), Value::Null),
        ("s3", "GetBucketLocation", json!({"bucketName": "images"}), json!("arn:aws:s3:::images")),
        (
            "sqs",
            "SetQueueAttributes",
            json!({"queueUrl": format!("https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/jobs")}),
            Value::Null,
        ),
        ("sns", "GetTopicAttributes", json!({"topicArn": in_region("sns", "news")}), Value::Null),
        ("kms", "Decrypt", json!({"encryptionAlgorithm": "SYMMETRIC_DEFAULT"}), json!(key())),
        ("secretsmanager", "GetSecretValue", json!({"secretId": secret()}), Value::Null),
        ("dynamodb", "GetItem", json!({"tableName": "Orders"}), Value::Null),
    ];
    // The other role is in use, and does none of this.
    let mut records = vec![json!({"eventVersion": "1.11", "eventID": "old", "eventTime": "2026-05-01T08:00:00Z",
        "eventSource": "ec2.amazonaws.com", "eventName": "DescribeRegions", "awsRegion": "eu-west-1", "recipientAccountId": ACCOUNT,
        "eventType": "AwsApiCall", "requestParameters": {}, "userIdentity": {"type": "AssumedRole",
        "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/old/old"), "accountId": ACCOUNT,
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role_arn("old"), "accountId": ACCOUNT}}}})];
    for (n, (service, name, parameters, on)) in calls.iter().enumerate() {
        for month in [3, 6] {
            let mut record = json!({"eventVersion": "1.11", "eventID": format!("e{n}-{month}"), "eventTime": format!("2026-0{month}-01T08:00:0{n}Z"),
                "eventSource": format!("{service}.amazonaws.com"), "eventName": name, "awsRegion": "eu-west-1", "recipientAccountId": ACCOUNT,
                "eventType": "AwsApiCall", "requestParameters": parameters, "userIdentity": {"type": "AssumedRole",
                "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/ops/run"), "accountId": ACCOUNT,
                "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role_arn("ops"), "accountId": ACCOUNT}}}});
            if !on.is_null() {
                record["resources"] = json!([{"ARN": on, "accountId": ACCOUNT}]);
            }
            if *service == "dynamodb" {
                record["vpcEndpointId"] = json!("vpce-0a1b2c3d");
            }
            records.push(record);
        }
    }
    json!({"Records": records}).to_string()
}

const TEMPLATE: &str = include_str!("document_patches/template.yaml");
const TERRAFORM: &str = include_str!("document_patches/main.tf");

fn run(file: &str, text: &str) -> (Folder, Output) {
    let folder = Folder::new();
    folder.write("snapshot.json", snapshot());
    folder.write("trail/one.json", log());
    folder.write(file, text);
    let output = folder.paring(&tighten("out"));
    (folder, output)
}

fn tighten(out: &str) -> [&str; 10] {
    ["tighten", "--documents", "--snapshot", "snapshot.json", "--trail", "trail", "--iac", "iac", "--out", out]
}

#[track_caller]
fn check(file: &str, text: &str, kept: &[&str], gone: &[&str]) {
    let (folder, output) = run(file, text);
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    assert!(!output.stdout.contains("no patch: "), "{}", output.stdout);
    assert!(!output.stdout.contains("refuted") && !output.stdout.contains("undecided"), "{}", output.stdout);
    let name = file.strip_prefix("iac/").unwrap();
    let diff = format!("out/patches/{name}.diff");
    assert!(folder.git(&["apply", "--directory=iac", &diff]), "{}", folder.read(&diff));
    let after = folder.read(file);
    for text in kept {
        assert!(after.contains(text), "`{text}` went:\n{after}");
    }
    for text in gone {
        assert!(!after.contains(text), "`{text}` stayed:\n{after}");
    }
    assert_eq!(after.matches('#').count(), text.matches('#').count(), "comments:\n{after}");
    // Whoever runs it again finds every change in the source.
    let again = folder.paring(&tighten("again"));
    assert_eq!(again.code, 0, "{}{}", again.stdout, again.stderr);
    assert!(!folder.path().join("again/patches").exists(), "{}", again.stdout);
    assert!(!again.stdout.contains("no patch: "), "{}", again.stdout);
}

const GONE: &[&str] = &["GetBucketTagging", "PurgeQueue", "DeleteTopic", "kms:Encrypt", "PutSecretValue", "role/old"];

#[test]
fn every_kind_of_policy_is_narrowed_in_a_template() {
    let kept = [
        "s3:GetBucketLocation",
        "sqs:SetQueueAttributes",
        "sns:GetTopicAttributes",
        "kms:Decrypt",
        "secretsmanager:GetSecretValue",
        "kms:*",
        "dynamodb:GetItem",
        "ArnNotLike",
    ];
    check("iac/template.yaml", TEMPLATE, &kept, GONE);
}

#[test]
fn every_kind_of_policy_is_narrowed_in_terraform() {
    let kept = [
        "s3:GetBucketLocation",
        "sqs:SetQueueAttributes",
        "sns:GetTopicAttributes",
        "kms:Decrypt",
        "secretsmanager:GetSecretValue",
        "kms:*",
        "dynamodb:GetItem",
        "ArnNotLike",
        "resource \"aws_vpc_endpoint_policy\" \"tables\"",
    ];
    check("iac/main.tf", TERRAFORM, &kept, GONE);
}

#[test]
fn what_is_said_of_an_endpoint_reads_well() {
    let (folder, output) = run("iac/template.yaml", TEMPLATE);
    let from = output.stdout.find("vpce-0a1b2c3d").unwrap();
    insta::assert_snapshot!(
        "documents_of_an_endpoint",
        output.stdout[from..].lines().take(60).collect::<Vec<_>>().join("\n")
    );
    let audit = folder.paring(&["audit", "--snapshot", "snapshot.json"]);
    assert!(audit.stdout.contains("open-endpoint"), "{}", audit.stdout);
}
