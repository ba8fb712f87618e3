//! A shared role taken apart: a role for each function, proved, and nothing cut for a function without evidence.

use serde_json::{Value, json};

use crate::run::{Folder, Output};

const SHARED: &str = "arn:aws:iam::111122223333:role/app/shared";

fn function(name: &str) -> Value {
    let arn = format!("arn:aws:lambda:eu-west-1:111122223333:function:{name}");
    json!({"kind": "lambda.function", "arn": arn, "role_arn": SHARED, "api": {"FunctionName": name, "FunctionArn": arn, "Role": SHARED}})
}

fn snapshot(resource_policies: &Value) -> String {
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]}, "Action": "sts:AssumeRole"},
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/ops"}, "Action": "sts:AssumeRole"}]});
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["dynamodb:*", "codebuild:StartBuild"], "Resource": "*"},
        {"Effect": "Deny", "Action": "dynamodb:DeleteTable", "Resource": "*"}]});
    json!({"schema": "paring-snapshot/1", "organization": null, "accounts": {"111122223333": {
        "authorization_details": {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [{
            "Path": "/app/", "RoleName": "shared", "RoleId": "AROAEXAMPLE", "Arn": SHARED, "InstanceProfileList": [],
            "AssumeRolePolicyDocument": trust, "RolePolicyList": [{"PolicyName": "all", "PolicyDocument": policy}],
            "AttachedManagedPolicies": [{"PolicyName": "AWSLambdaBasicExecutionRole",
                "PolicyArn": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}]}],
          "Policies": [{"PolicyName": "AWSLambdaBasicExecutionRole", "DefaultVersionId": "v1",
            "Arn": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
            "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true, "Document": {"Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}]}}]}]},
        "resources": [function("orders"), function("builds"), function("quiet")],
        "resource_policies": resource_policies,
        "trails": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/t", "Name": "t", "IsMultiRegionTrail": true,
            "event_selectors": {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true,
                "DataResources": [{"Type": "AWS::DynamoDB::Table", "Values": ["arn:aws:dynamodb"]}]}]}}]}}})
    .to_string()
}

fn call(id: u32, session: &str, source: &str, name: &str, day: u32, parameters: &Value) -> Value {
    json!({"eventVersion": "1.11", "eventID": format!("e{id}"), "eventTime": format!("2026-{:02}-{:02}T08:00:00Z", 3 + day / 28, 1 + day % 28),
        "eventSource": source, "eventName": name, "awsRegion": "eu-west-1", "recipientAccountId": "111122223333", "eventType": "AwsApiCall",
        "requestParameters": parameters, "userIdentity": {"type": "AssumedRole",
            "arn": format!("arn:aws:sts::111122223333:assumed-role/shared/{session}"), "accountId": "111122223333",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": SHARED, "accountId": "111122223333"}}}})
}

fn run(resource_policies: &Value, extra: &[Value]) -> (Folder, Output) {
    let folder = Folder::new();
    let mut records = vec![
        call(1, "orders", "dynamodb.amazonaws.com", "PutItem", 0, &json!({"tableName": "Orders"})),
        call(2, "orders", "dynamodb.amazonaws.com", "PutItem", 80, &json!({"tableName": "Orders"})),
        call(3, "builds", "codebuild.amazonaws.com", "StartBuild", 40, &json!({"projectName": "site"})),
        call(4, "alice", "dynamodb.amazonaws.com", "GetItem", 41, &json!({"tableName": "Orders"})),
    ];
    records.extend_from_slice(extra);
    folder.write("trail/one.json", json!({"Records": records}).to_string());
    folder.write("snapshot.json", snapshot(resource_policies));
    let output =
        folder.paring(&["tighten", "--split", "--snapshot", "snapshot.json", "--trail", "trail", "--out", "out"]);
    (folder, output)
}

/// The parts of the only split, by function.
fn parts(folder: &Folder) -> Vec<Value> {
    let changes: Value = serde_json::from_str(&folder.read("out/changes.json")).unwrap();
    changes["splits"][0]["parts"].as_array().unwrap().clone()
}

#[test]
fn each_function_gets_a_role_of_its_own_proved_inside_the_old_one() {
    let (folder, output) = run(&json!({}), &[]);
    // The function without evidence keeps what the rules object to: that part is not proved, and said so.
    assert_eq!(output.code, 1, "{}", output.stderr);
    insta::assert_snapshot!("split", output.stdout);
    let parts = parts(&folder);
    let roles: Vec<&str> = parts.iter().map(|part| part["role"].as_str().unwrap()).collect();
    assert_eq!(
        roles,
        ["builds", "orders", "quiet"].map(|name| format!("arn:aws:iam::111122223333:role/app/{name}-role"))
    );
    for part in &parts {
        let trust = part["trust"]["Statement"].as_array().unwrap();
        assert_eq!(trust.len(), 1, "who else assumed the shared role stays with it: {trust:?}");
        assert_eq!(trust[0]["Principal"]["Service"], "lambda.amazonaws.com");
        assert_eq!(part["managed_policies"][0], "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole");
        let text = part["policies"].to_string();
        assert!(text.contains("dynamodb:DeleteTable"), "denies are carried over: {text}");
    }
    let (builds, orders, quiet) = (&parts[0]["policies"], &parts[1]["policies"], &parts[2]["policies"]);
    assert!(builds.to_string().contains("codebuild:StartBuild") && !builds.to_string().contains("PutItem"));
    assert!(orders.to_string().contains("dynamodb:PutItem") && !orders.to_string().contains("dynamodb:*"));
    assert!(quiet.to_string().contains("dynamodb:*"), "nothing is cut for a function without evidence");
}

#[test]
fn a_policy_that_names_the_shared_role_refutes_the_split() {
    let queue = "arn:aws:sqs:eu-west-1:111122223333:jobs";
    let names = json!({queue: {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": SHARED}, "Action": "sqs:GetQueueAttributes", "Resource": queue}]}});
    let url = json!({"queueUrl": "https://sqs.eu-west-1.amazonaws.com/111122223333/jobs"});
    let (_, output) = run(&names, &[call(9, "orders", "sqs.amazonaws.com", "GetQueueAttributes", 42, &url)]);
    assert_eq!(output.code, 1, "{}", output.stdout);
    assert!(output.stdout.contains("policy that names the shared role"), "{}", output.stdout);
}

#[test]
fn without_being_asked_nothing_is_taken_apart() {
    let (folder, _) = run(&json!({}), &[]);
    let output = folder.paring(&["tighten", "--snapshot", "snapshot.json", "--trail", "trail", "--out", "whole"]);
    assert!(!output.stdout.contains("taken apart"), "{}", output.stdout);
    assert!(!folder.read("whole/changes.json").contains("splits"));
}

#[test]
fn a_split_needs_as_many_days_as_a_cut() {
    let (folder, _) = run(&json!({}), &[]);
    let output =
        folder.paring(&["tighten", "--split", "--snapshot", "snapshot.json", "--trail", "trail", "--min-days", "400"]);
    assert!(output.stdout.contains("shared, and not taken apart"), "{}", output.stdout);
}
