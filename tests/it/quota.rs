//! A role that needs more than one policy may hold: what does not fit moves into new managed policies, proved like the
//! rest, and nothing is written by half.

use serde_json::{Value, json};

use crate::run::{Folder, Output};

const ROLE: &str = "arn:aws:iam::111122223333:role/app/orders";

const TEMPLATE: &str = "AWSTemplateFormatVersion: '2010-09-09'
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      Path: /app/
      RoleName: orders
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]
      Policies:
        - PolicyName: tables
          PolicyDocument:
            Version: '2012-10-17'
            Statement: [{Effect: Allow, Action: 'dynamodb:*', Resource: '*'}]
";

fn snapshot() -> String {
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let policy =
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]});
    json!({"schema": "paring-snapshot/1", "organization": null, "accounts": {"111122223333": {
        "authorization_details": {"UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": [{
            "Path": "/app/", "RoleName": "orders", "RoleId": "AROAEXAMPLE", "Arn": ROLE, "InstanceProfileList": [],
            "AssumeRolePolicyDocument": trust, "RolePolicyList": [{"PolicyName": "tables", "PolicyDocument": policy}],
            "AttachedManagedPolicies": []}]},
        "resources": [], "resource_policies": {},
        "trails": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/t", "Name": "t", "IsMultiRegionTrail": true,
            "event_selectors": {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true,
                "DataResources": [{"Type": "AWS::DynamoDB::Table", "Values": ["arn:aws:dynamodb"]}]}]}}]}}})
    .to_string()
}

/// A name in letters alone.
fn name(n: u32) -> String {
    let letter = |n: u32| char::from(b'a' + u8::try_from(n % 26).unwrap());
    format!("{}{}-{}", letter(n), letter(n / 26), "ledger-of-sales-".repeat(10))
}

/// A role that wrote into so many tables, whose names share nothing that a rule would fold.
fn run(tables: u32, more: &[&str]) -> (Folder, Output) {
    let folder = Folder::new();
    let records: Vec<Value> = (0..tables)
        .map(|n| {
            let day = n % 80;
            json!({"eventVersion": "1.11", "eventID": format!("e{n}"), "eventSource": "dynamodb.amazonaws.com", "eventName": "PutItem",
                "eventTime": format!("2026-{:02}-{:02}T08:00:00Z", 3 + day / 28, 1 + day % 28), "awsRegion": "eu-west-1",
                "recipientAccountId": "111122223333", "eventType": "AwsApiCall",
                "requestParameters": {"tableName": name(n)}, "userIdentity": {"type": "AssumedRole",
                "arn": "arn:aws:sts::111122223333:assumed-role/orders/orders", "accountId": "111122223333",
                "sessionContext": {"sessionIssuer": {"type": "Role", "arn": ROLE, "accountId": "111122223333"}}}})
        })
        .collect();
    folder.write("trail/one.json", json!({"Records": records}).to_string());
    folder.write("snapshot.json", snapshot());
    folder.write("iac/template.yaml", TEMPLATE);
    let always = ["tighten", "--snapshot", "snapshot.json", "--trail", "trail", "--iac", "iac", "--out", "out"];
    let output = folder.paring(&[&always, more].concat());
    (folder, output)
}

#[test]
fn what_does_not_fit_moves_into_a_new_policy_that_is_proved_and_never_written_by_half() {
    let (folder, output) = run(60, &[]);
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    assert!(output.stdout.contains("60 observed calls replayed, all still allowed"), "{}", output.stdout);
    let changes: Value = serde_json::from_str(&folder.read("out/changes.json")).unwrap();
    let changes = changes["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 2, "{}", output.stdout);
    assert_eq!(changes[1]["attachment"]["policy_name"], "arn:aws:iam::111122223333:policy/app/orders-extra-1");
    assert!(changes[1]["before"].is_null());
    // The old policy alone, narrowed in the template, would take away what the new one gives: both come in one patch.
    let diff = folder.read("out/patches/template.yaml.diff");
    assert!(diff.contains("+  RoleExtra1:") && diff.contains("+        - !Ref RoleExtra1"), "{diff}");
    assert!(output.stdout.contains("`RoleExtra1` is a new managed policy"), "{}", output.stdout);
    assert!(folder.git(&["apply", "--directory=iac", "out/patches/template.yaml.diff"]), "{diff}");
    let after = folder.read("iac/template.yaml");
    assert_eq!(after.matches(":table/").count(), 60, "{after}");
    let again = folder.paring(&[
        "tighten",
        "--snapshot",
        "snapshot.json",
        "--trail",
        "trail",
        "--iac",
        "iac",
        "--out",
        "again",
    ]);
    assert!(!folder.path().join("again/patches").exists() && !again.stdout.contains("no patch"), "{}", again.stdout);
    let new: Value = serde_json::from_str(&folder.read("out/policies/orders-extra-1.json")).unwrap();
    let old: Value = serde_json::from_str(&folder.read("out/policies/orders.json")).unwrap();
    let count = |policy: &Value| policy["Statement"][0]["Resource"].as_array().unwrap().len();
    assert_eq!(count(&new) + count(&old), 60);

    let again = folder.paring(&["synthesize", "--snapshot", "snapshot.json", "--trail", "trail"]);
    let printed: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(printed.as_object().unwrap().len(), 2, "{}", again.stdout);
}

#[test]
fn a_profile_keeps_all_in_place() {
    for more in [&["--quota", "in-place"][..], &["--config", "paring.toml"]] {
        let folder = Folder::new();
        folder.write("paring.toml", "version = 1\nquota = \"in-place\"\n");
        let config = folder.path().join("paring.toml");
        let more: Vec<&str> =
            more.iter().map(|word| if *word == "paring.toml" { config.to_str().unwrap() } else { word }).collect();
        let (folder, output) = run(60, &more);
        assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
        let patch = folder.read("out/patches/template.yaml.diff");
        assert!(
            patch.contains("+            Statement: [{Effect: Allow, Action: 'dynamodb:PutItem', Resource: '*'}]"),
            "{patch}"
        );
    }
    let (_, output) = run(1, &["--quota", "azure"]);
    assert_eq!(output.code, 2, "{}", output.stderr);
    assert!(output.stderr.contains("aws-raised"), "{}", output.stderr);
}
