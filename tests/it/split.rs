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

pub(crate) fn run(resource_policies: &Value, extra: &[Value]) -> (Folder, Output) {
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
    // The function without evidence keeps what the rules object to; they did before.
    assert_eq!(output.code, 0, "{}", output.stderr);
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

/// Changes to the part of `orders`, made by hand, and what is said of each: the claim it refutes, and why.
type Tampered = (&'static str, fn(&mut Value), &'static str, &'static str);

const TAMPERED: &[Tampered] = &[
    (
        "wider-trust",
        |part| {
            part["trust"]["Statement"][0]["Principal"] =
                json!({"Service": ["glue.amazonaws.com", "lambda.amazonaws.com"]});
        },
        "adds-nothing",
        "trust policy:",
    ),
    (
        "trust-without-lambda",
        |part| part["trust"]["Statement"][0]["Principal"] = json!({"Service": "ec2.amazonaws.com"}),
        "keeps-used",
        "Lambda could not run orders with it",
    ),
    (
        "foreign-attachment",
        |part| part["managed_policies"] = json!(["arn:aws:iam::aws:policy/AdministratorAccess"]),
        "adds-nothing",
        "AdministratorAccess is attached, and the shared role does not have it",
    ),
    (
        "other-boundary",
        |part| part["boundary"] = json!("arn:aws:iam::111122223333:policy/mine"),
        "adds-nothing",
        "the permissions boundary is not the shared role's",
    ),
    (
        "other-account",
        |part| part["role"] = json!("arn:aws:iam::999988887777:role/app/orders-role"),
        "adds-nothing",
        "of another account",
    ),
    ("name-is-taken", |part| part["role"] = json!(SHARED), "adds-nothing", "exists already"),
    ("used-call", |part| part["policies"] = json!([]), "keeps-used", "2 of 2 observed calls would be denied"),
    // Each part is inside the shared role, so that their union is.
    (
        "outside-the-shared-role",
        |part| statements(part).push(json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"})),
        "adds-nothing",
        "",
    ),
    (
        "deny-left-out",
        |part| {
            statements(part).retain(|statement| statement["Effect"] == "Allow");
            statements(part).push(json!({"Effect": "Allow", "Action": "dynamodb:DeleteTable", "Resource": "*"}));
        },
        "adds-nothing",
        "",
    ),
];

fn statements(part: &mut Value) -> &mut Vec<Value> {
    part["policies"][0]["document"]["Statement"].as_array_mut().unwrap()
}

#[test]
fn verify_proves_a_split_and_refutes_what_it_may_not_do() {
    let (folder, _) = run(&json!({}), &[]);
    let mut changes: Value = serde_json::from_str(&folder.read("out/changes.json")).unwrap();
    // The function without evidence keeps what the rules object to; here only `orders` is at stake.
    let parts = changes["splits"][0]["parts"].as_array_mut().unwrap();
    parts.retain(|part| part["role"].as_str().unwrap().ends_with("/orders-role"));
    folder.write("as-made.json", changes.to_string());
    let verify = |files: &[&str], more: &[&str]| {
        let grounds = ["--snapshot", "snapshot.json", "--trail", "trail"];
        folder.paring(&[&["verify", "--changes"], files, &grounds, more].concat())
    };
    let output = verify(&["as-made.json"], &[]);
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    assert!(output.stdout.starts_with("orders with the new role arn:aws:iam::111122223333:role/app/orders-role\n"));
    assert_eq!(output.stdout.lines().filter(|line| line.contains(" proved ")).count(), 4, "{}", output.stdout);
    assert!(output.stdout.contains("2 observed calls replayed"), "{}", output.stdout);

    for (name, tamper, ..) in TAMPERED {
        let mut changed = changes.clone();
        tamper(&mut changed["splits"][0]["parts"][0]);
        folder.write(name, changed.to_string());
    }
    let names: Vec<&str> = TAMPERED.iter().map(|case| case.0).collect();
    let output = verify(&names, &["--format", "json"]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    let verdicts: Value = serde_json::from_str(&output.stdout).unwrap();
    for (at, (name, _, claim, says)) in TAMPERED.iter().enumerate() {
        let claims = verdicts["verdicts"][at]["parts"][0]["claims"].as_array().unwrap();
        let found = claims.iter().find(|one| one["claim"] == *claim).unwrap();
        assert_eq!(found["outcome"], "refuted", "{name}: {claims:#?}");
        assert!(found["because"].as_str().unwrap().contains(says), "{name}: {found}");
    }
}

#[test]
fn the_first_line_counts_a_role_that_is_taken_apart() {
    let (_, output) = run(&json!({}), &[]);
    let first = output.stdout.lines().next().unwrap();
    assert!(
        first.starts_with("1 role (3 new roles for shared ones) · ")
            && first.contains("0 of 3 observed calls would be denied"),
        "{first}"
    );
}

#[test]
fn synthesize_prints_a_policy_for_each_function() {
    let (folder, _) = run(&json!({}), &[]);
    let output = folder.paring(&["synthesize", "--split", "--snapshot", "snapshot.json", "--trail", "trail"]);
    let policies: Value = serde_json::from_str(&output.stdout).unwrap();
    let roles: Vec<&str> =
        policies["policies"].as_object().unwrap().keys().map(|arn| arn.rsplit('/').next().unwrap()).collect();
    assert_eq!(roles, ["builds-role", "orders-role", "quiet-role"], "{}", output.stderr);
}

const TEMPLATE: &str = "AWSTemplateFormatVersion: '2010-09-09'
Resources:
  # Everybody's role.
  Shared:
    Type: AWS::IAM::Role
    Properties:
      Path: /app/
      RoleName: shared
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal: {Service: [lambda.amazonaws.com, ec2.amazonaws.com]}
            Action: sts:AssumeRole
          - Effect: Allow
            Principal: {AWS: 'arn:aws:iam::111122223333:role/ops'}
            Action: sts:AssumeRole
      ManagedPolicyArns: ['arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole']
      Policies:
        - PolicyName: all
          PolicyDocument:
            Version: '2012-10-17'
            Statement:
              - {Effect: Allow, Action: ['dynamodb:*', 'codebuild:StartBuild'], Resource: '*'}
              - {Effect: Deny, Action: 'dynamodb:DeleteTable', Resource: '*'}
  Orders:
    Type: AWS::Lambda::Function
    Properties: {FunctionName: orders, Role: !GetAtt Shared.Arn, Runtime: python3.13, Handler: a.b, Code: {ZipFile: ''}}
  Builds:
    Type: AWS::Lambda::Function
    Properties: {FunctionName: builds, Role: !GetAtt Shared.Arn, Runtime: python3.13, Handler: a.b, Code: {ZipFile: ''}}
  Quiet:
    Type: AWS::Lambda::Function
    Properties: {FunctionName: quiet, Role: !GetAtt Shared.Arn, Runtime: python3.13, Handler: a.b, Code: {ZipFile: ''}}
";

#[test]
fn a_split_is_written_into_the_template_it_came_from() {
    let (folder, _) = run(&json!({}), &[]);
    folder.write("iac/template.yaml", TEMPLATE);
    let output = folder.paring(&[
        "tighten",
        "--split",
        "--snapshot",
        "snapshot.json",
        "--trail",
        "trail",
        "--iac",
        "iac",
        "--out",
        "patched",
    ]);
    assert!(!output.stdout.contains("no patch"), "{}", output.stdout);
    assert!(folder.git(&["init", "-q"]));
    let diff = folder.path().join("patched/patches/template.yaml.diff");
    assert!(folder.git(&["apply", "--directory=iac", diff.to_str().unwrap()]));
    let after = folder.read("iac/template.yaml");
    insta::assert_snapshot!("split_template", after);
    // What was written is what was proved: nothing is left to do, and every function runs with its own role.
    assert_eq!(after.matches("Type: AWS::IAM::Role").count(), 4);
    assert_eq!(after.matches("Role: !GetAtt Shared.Arn").count(), 0, "{after}");
}

/// The patch of a split that a claim refutes lay ready to be applied.
#[test]
fn a_split_that_is_not_proved_is_written_nowhere() {
    let queue = "arn:aws:sqs:eu-west-1:111122223333:jobs";
    let names = json!({queue: {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": SHARED}, "Action": "sqs:GetQueueAttributes", "Resource": queue}]}});
    let url = json!({"queueUrl": "https://sqs.eu-west-1.amazonaws.com/111122223333/jobs"});
    let (folder, _) = run(&names, &[call(9, "orders", "sqs.amazonaws.com", "GetQueueAttributes", 42, &url)]);
    folder.write("iac/template.yaml", TEMPLATE);
    let inputs = ["--snapshot", "snapshot.json", "--trail", "trail", "--iac", "iac", "--out", "patched", "--write"];
    let output = folder.paring(&[["tighten", "--split"].as_slice(), &inputs].concat());
    assert!(output.stdout.contains("no patch: keeps-used of orders-role is refuted"), "{}", output.stdout);
    assert!(output.stdout.contains("[not-proved]") && output.stdout.contains("0 patches"), "{}", output.stdout);
    assert!(!folder.path().join("patched/patches/template.yaml.diff").exists());
    assert_eq!(folder.read("iac/template.yaml"), TEMPLATE);
}
