//! A shared role taken apart, where a function needs more than the inline policies of its new role may hold: the rest
//! goes into new managed policies, in every format, proved like the rest.

use serde_json::{Value, json};

use crate::run::{Folder, Output};

const SHARED: &str = "arn:aws:iam::111122223333:role/app/shared";

const CLOUDFORMATION: &str = "AWSTemplateFormatVersion: '2010-09-09'
Resources:
  Shared:
    Type: AWS::IAM::Role
    Properties:
      Path: /app/
      RoleName: shared
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]
      Policies:
        - PolicyName: tables
          PolicyDocument:
            Version: '2012-10-17'
            Statement: [{Effect: Allow, Action: 'dynamodb:*', Resource: '*'}]
  Orders:
    Type: AWS::Lambda::Function
    Properties: {FunctionName: orders, Role: !GetAtt Shared.Arn, Runtime: python3.13, Handler: a.b, Code: {ZipFile: ''}}
  Builds:
    Type: AWS::Lambda::Function
    Properties: {FunctionName: builds, Role: !GetAtt Shared.Arn, Runtime: python3.13, Handler: a.b, Code: {ZipFile: ''}}
";

const SAM: &str = "AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: python3.13
Resources:
  Shared:
    Type: AWS::IAM::Role
    Properties:
      Path: /app/
      RoleName: shared
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal:
              Service: lambda.amazonaws.com
            Action: sts:AssumeRole
      Policies:
        - PolicyName: tables
          PolicyDocument:
            Version: '2012-10-17'
            Statement:
              - Effect: Allow
                Action: dynamodb:*
                Resource: '*'
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: orders
      CodeUri: src/
      Handler: a.b
      Role: !GetAtt Shared.Arn
  Builds:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: builds
      CodeUri: src/
      Handler: a.b
      Role: !GetAtt Shared.Arn
";

const SERVERLESS: &str = "service: shop
provider:
  name: aws
  runtime: python3.13
functions:
  orders:
    name: orders
    handler: a.b
    role: Shared
  builds:
    name: builds
    handler: a.b
    role: Shared
resources:
  Resources:
    Shared:
      Type: AWS::IAM::Role
      Properties:
        Path: /app/
        RoleName: shared
        AssumeRolePolicyDocument:
          Version: '2012-10-17'
          Statement:
            - Effect: Allow
              Principal:
                Service: lambda.amazonaws.com
              Action: sts:AssumeRole
        Policies:
          - PolicyName: tables
            PolicyDocument:
              Version: '2012-10-17'
              Statement:
                - Effect: Allow
                  Action: dynamodb:*
                  Resource: '*'
";

const TERRAFORM: &str = r#"resource "aws_iam_role" "shared" {
  name = "shared"
  path = "/app/"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "tables" {
  name = "tables"
  role = aws_iam_role.shared.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "dynamodb:*"
      Resource = "*"
    }]
  })
}

resource "aws_lambda_function" "orders" {
  function_name = "orders"
  role          = aws_iam_role.shared.arn
  handler       = "a.b"
  runtime       = "python3.13"
  filename      = "a.zip"
}

resource "aws_lambda_function" "builds" {
  function_name = "builds"
  role          = aws_iam_role.shared.arn
  handler       = "a.b"
  runtime       = "python3.13"
  filename      = "a.zip"
}
"#;

fn snapshot() -> String {
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let policy =
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]});
    let function = |name: &str| {
        let arn = format!("arn:aws:lambda:eu-west-1:111122223333:function:{name}");
        json!({"kind": "lambda.function", "arn": arn, "role_arn": SHARED, "api": {"FunctionName": name, "FunctionArn": arn, "Role": SHARED}})
    };
    json!({"schema": "paring-snapshot/1", "organization": null, "accounts": {"111122223333": {
        "authorization_details": {"UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": [{
            "Path": "/app/", "RoleName": "shared", "RoleId": "AROAEXAMPLE", "Arn": SHARED, "InstanceProfileList": [],
            "AssumeRolePolicyDocument": trust, "RolePolicyList": [{"PolicyName": "tables", "PolicyDocument": policy}],
            "AttachedManagedPolicies": []}]},
        "resources": [function("orders"), function("builds")], "resource_policies": {},
        "trails": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/t", "Name": "t", "IsMultiRegionTrail": true,
            "event_selectors": {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true,
                "DataResources": [{"Type": "AWS::DynamoDB::Table", "Values": ["arn:aws:dynamodb"]}]}]}}]}}})
    .to_string()
}

/// A name in letters alone, that shares nothing with others that a rule would fold.
fn name(n: u32) -> String {
    let letter = |n: u32| char::from(b'a' + u8::try_from(n % 26).unwrap());
    format!("{}{}-{}", letter(n), letter(n / 26), "ledger-of-sales-".repeat(10))
}

/// `orders` wrote into so many tables, `builds` into one.
fn world(file: &str, template: &str, tables: u32) -> Folder {
    let folder = Folder::new();
    let call = |n: u32, function: &str, table: String| {
        let day = n % 80;
        json!({"eventVersion": "1.11", "eventID": format!("e{n}"), "eventSource": "dynamodb.amazonaws.com", "eventName": "PutItem",
            "eventTime": format!("2026-{:02}-{:02}T08:00:00Z", 3 + day / 28, 1 + day % 28), "awsRegion": "eu-west-1",
            "recipientAccountId": "111122223333", "eventType": "AwsApiCall",
            "requestParameters": {"tableName": table}, "userIdentity": {"type": "AssumedRole",
            "arn": format!("arn:aws:sts::111122223333:assumed-role/shared/{function}"), "accountId": "111122223333",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": SHARED, "accountId": "111122223333"}}}})
    };
    let mut records: Vec<Value> = (0..tables).map(|n| call(n, "orders", name(n))).collect();
    records.push(call(10_000, "builds", "site".into()));
    folder.write("trail/one.json", json!({"Records": records}).to_string());
    folder.write("snapshot.json", snapshot());
    folder.write(&format!("iac/{file}"), template);
    folder
}

fn tighten(folder: &Folder, out: &str, more: &[&str]) -> Output {
    let always =
        ["tighten", "--split", "--snapshot", "snapshot.json", "--trail", "trail", "--iac", "iac", "--out", out];
    folder.paring(&[&always, more].concat())
}

const TABLES: u32 = 120;

const FORMATS: &[(&str, &str, &str, &str)] = &[
    ("template.yaml", CLOUDFORMATION, "Type: AWS::IAM::ManagedPolicy", "!Ref OrdersRoleExtra1"),
    ("template.yaml", SAM, "Type: AWS::IAM::ManagedPolicy", "!Ref OrdersRoleExtra1"),
    ("serverless.yml", SERVERLESS, "Type: AWS::IAM::ManagedPolicy", "OrdersRoleExtra1"),
    ("main.tf", TERRAFORM, "resource \"aws_iam_policy\"", "aws_iam_policy.orders_extra_1.arn"),
];

#[test]
fn what_does_not_fit_into_a_new_role_goes_into_new_managed_policies_in_every_format() {
    for (file, template, managed, reference) in FORMATS {
        let folder = world(file, template, TABLES);
        let output = tighten(&folder, "out", &[]);
        assert_eq!(output.code, 0, "{file}: {}{}", output.stdout, output.stderr);
        assert!(output.stdout.contains("120 observed calls replayed, all still allowed"), "{}", output.stdout);
        assert!(output.stdout.contains("orders-role-extra-1: a managed policy, "), "{}", output.stdout);
        assert!(!output.stdout.contains("no patch"), "{file}: {}", output.stdout);
        let changes: Value = serde_json::from_str(&folder.read("out/changes.json")).unwrap();
        let parts = changes["splits"][0]["parts"].as_array().unwrap();
        let new = parts[1]["new_managed_policies"].as_array().unwrap();
        assert_eq!(new.len(), 3, "first fit, the fewest");
        assert!(parts[0].get("new_managed_policies").is_none(), "the other function needs none");
        assert!(new[0]["reasons"][0]["because"].as_str().unwrap().starts_with("new: "));
        assert!(folder.git(&["init", "-q"]));
        let diff = format!("out/patches/{file}.diff");
        assert!(folder.git(&["apply", "--directory=iac", &diff]), "{}", folder.read(&diff));
        let after = folder.read(&format!("iac/{file}"));
        assert_eq!(after.matches(":table/").count(), TABLES as usize + 1, "{after}");
        assert_eq!(after.matches(managed).count(), 3, "{after}");
        assert!(after.contains(reference), "{after}");
        // What was written is what was proved: nothing is left to write.
        let again = tighten(&folder, "again", &[]);
        assert!(!folder.path().join("again/patches").exists(), "{file}: {}", again.stdout);
        assert!(!again.stdout.contains("no patch"), "{file}: {}", again.stdout);
    }
}

#[test]
fn new_managed_policies_of_a_new_role_are_judged_by_hand_too() {
    let folder = world("template.yaml", CLOUDFORMATION, TABLES);
    tighten(&folder, "out", &[]);
    let verify =
        |file: &str| folder.paring(&["verify", "--changes", file, "--snapshot", "snapshot.json", "--trail", "trail"]);
    let output = verify("out/changes.json");
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    let changes: Value = serde_json::from_str(&folder.read("out/changes.json")).unwrap();
    let tampered = |name: &str, tamper: &dyn Fn(&mut Value)| {
        let mut changed = changes.clone();
        tamper(&mut changed["splits"][0]["parts"][1]["new_managed_policies"]);
        folder.write(name, changed.to_string());
        verify(name)
    };
    let output = tampered("fewer.json", &|new| drop(new.as_array_mut().unwrap().pop()));
    assert!(output.stdout.contains("observed calls would be denied"), "{}", output.stdout);
    let wider = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"});
    let output = tampered("wider.json", &|new| {
        new[0]["document"]["Statement"].as_array_mut().unwrap().push(wider.clone());
    });
    assert_eq!(output.code, 1, "{}", output.stdout);
    assert!(output.stdout.contains("adds-nothing") && output.stdout.contains("refuted"), "{}", output.stdout);
    // A name of another path would be another policy than the one that is said.
    let output = tampered("name.json", &|new| new[0]["name"] = json!("../extra"));
    assert!(output.stdout.contains("`../extra` is no name of a managed policy"), "{}", output.stdout);
    let output = tampered("twice.json", &|new| new[1]["name"] = json!("ORDERS-role-extra-1"));
    assert_eq!(output.code, 2, "{}", output.stderr);
    assert!(output.stderr.contains("one account holds one"), "{}", output.stderr);
}

#[test]
fn a_profile_keeps_the_new_role_without_managed_policies() {
    let folder = world("template.yaml", CLOUDFORMATION, TABLES);
    let output = tighten(&folder, "out", &["--quota", "in-place"]);
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    assert!(!folder.read("out/changes.json").contains("new_managed_policies"));
}

#[test]
fn synthesize_and_explain_tell_the_new_managed_policies_of_a_part() {
    let folder = world("template.yaml", CLOUDFORMATION, TABLES);
    let grounds = ["--split", "--snapshot", "snapshot.json", "--trail", "trail"];
    let output = folder.paring(&[&["synthesize"][..], &grounds].concat());
    let policies: Value = serde_json::from_str(&output.stdout).unwrap();
    let names: Vec<&String> = policies["policies"].as_object().unwrap().keys().collect();
    assert_eq!(names.len(), 5, "{names:?}");
    assert_eq!(names[0], "arn:aws:iam::111122223333:policy/app/orders-role-extra-1");
    let output = folder.paring(&[&["explain", "shared"][..], &grounds].concat());
    assert!(
        output.stdout.contains("a managed policy, for what does not fit into the role itself"),
        "{}",
        output.stdout
    );
}
