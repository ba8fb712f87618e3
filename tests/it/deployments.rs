//! One template deployed as two stacks, from the logs to the file: the text keeps what either uses, proved for both.

use serde_json::{Value, json};

use crate::run::{Folder, Output};

const ACCOUNT: &str = "111122223333";

const TEMPLATE: &str = "AWSTemplateFormatVersion: '2010-09-09'
Parameters:
  Env: {Type: String}
Resources:
  R:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
      Policies:
        - PolicyName: p
          PolicyDocument:
            Version: '2012-10-17'
            Statement:
              - Effect: Allow
                Action: [sqs:CreateQueue, sqs:DeleteQueue, sqs:SetQueueAttributes]
                Resource: '*'
";

fn role(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

fn snapshot() -> String {
    let document = |statement: Value| json!({"Version": "2012-10-17", "Statement": [statement]});
    let trust = document(
        json!({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}),
    );
    let actions = ["sqs:CreateQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes"];
    let policy = document(json!({"Effect": "Allow", "Action": actions, "Resource": "*"}));
    let role = |name: &str| {
        json!({"Path": "/", "RoleName": name, "RoleId": "AROAEXAMPLE", "Arn": role(name), "InstanceProfileList": [],
            "AssumeRolePolicyDocument": trust, "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": policy}],
            "AttachedManagedPolicies": []})
    };
    let details =
        json!({"UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": [role(DEV), role(PROD)]});
    let account = json!({"authorization_details": details, "resources": [], "resource_policies": {}});
    json!({"schema": "paring-snapshot/1", "organization": null, "accounts": {ACCOUNT: account}}).to_string()
}

const DEV: &str = "app-dev-R-1A2B3C4D5E6F";
const PROD: &str = "app-prod-R-1A2B3C4D5E6F";

fn record(name: &str, event: &str, day: i64) -> Value {
    let time = iam_model::time::Timestamp::from_epoch_seconds((20_454 + day) * 86_400 + 30_000);
    let queue = format!("https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/jobs");
    json!({"eventVersion": "1.11", "eventID": format!("{name}-{day}"), "eventSource": "sqs.amazonaws.com",
        "eventName": event, "eventTime": time.to_string(), "awsRegion": "eu-west-1", "recipientAccountId": ACCOUNT,
        "eventType": "AwsApiCall", "requestParameters": {"queueName": "jobs", "queueUrl": queue},
        "userIdentity": {"type": "AssumedRole", "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{name}/s"),
        "accountId": ACCOUNT, "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role(name)}}}})
}

fn tighten(more: &[&str]) -> (Folder, Output, Value) {
    let folder = Folder::new();
    folder.write("snapshot.json", snapshot());
    folder.write("t/template.yaml", TEMPLATE);
    let of = |name, event| (0..=90).map(move |day| record(name, event, day));
    let records: Vec<Value> = of(DEV, "CreateQueue").chain(of(PROD, "DeleteQueue")).collect();
    folder.write("trail/one.json", json!({"Records": records}).to_string());
    let command = ["tighten", "--snapshot", "snapshot.json", "--trail", "trail", "--iac", "t", "--out", "out"];
    let output = folder.paring(&[&command, more].concat());
    let report = serde_json::from_str(&folder.read("out/report.json")).unwrap();
    (folder, output, report)
}

#[test]
fn a_template_of_two_stacks_keeps_what_either_uses() {
    let (folder, output, report) = tighten(&[]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    for role in report["roles"].as_array().unwrap() {
        assert!(role["claims"].as_array().unwrap().iter().all(|claim| claim["outcome"] == "proved"), "{role}");
    }
    assert!(folder.git(&["apply", "--directory=t", "out/patches/template.yaml.diff"]));
    let after = folder.read("t/template.yaml");
    assert!(after.contains("Action: [sqs:CreateQueue, sqs:DeleteQueue]\n"), "{after}");
    let policy = folder.read(&format!("out/policies/{DEV}.json"));
    assert!(policy.contains("sqs:DeleteQueue") && !policy.contains("sqs:SetQueueAttributes"), "{policy}");
}

#[test]
fn a_template_of_two_stacks_is_not_cut_for_one_of_them() {
    let (folder, output, report) = tighten(&["--role", DEV]);
    assert!(output.stdout.contains("several-deployments") && output.stdout.contains(PROD), "{}", output.stdout);
    assert_eq!(report["patches"].as_array().map(Vec::len), Some(0));
    assert!(!folder.path().join("out/patches/template.yaml.diff").exists());
}
