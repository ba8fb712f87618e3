//! A written patch under one more call: one statement changes, and every other byte of the file stays.

use serde_json::{Value, json};

use crate::run::Folder;

const ROLE: &str = "arn:aws:iam::111122223333:role/orders";

const TEMPLATE: &str = "AWSTemplateFormatVersion: '2010-09-09'
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: orders
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]
      Policies:
        - PolicyName: tables
          PolicyDocument:
            Version: '2012-10-17'
            Statement:
              - Sid: Tables
                Effect: Allow
                Action: dynamodb:*
                Resource: '*'
              - Effect: Allow
                Action: dynamodb:*
                Resource: '*'
                Condition: {Bool: {'aws:SecureTransport': 'false'}}
";

fn snapshot() -> String {
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Tables", "Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"},
        {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]});
    json!({"schema": "paring-snapshot/1", "organization": null, "accounts": {"111122223333": {
        "authorization_details": {"UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": [{
            "Path": "/", "RoleName": "orders", "RoleId": "AROAEXAMPLE", "Arn": ROLE, "InstanceProfileList": [],
            "AssumeRolePolicyDocument": trust, "RolePolicyList": [{"PolicyName": "tables", "PolicyDocument": policy}],
            "AttachedManagedPolicies": []}]},
        "resources": [], "resource_policies": {},
        "trails": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/t", "Name": "t", "IsMultiRegionTrail": true,
            "event_selectors": {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true,
                "DataResources": [{"Type": "AWS::DynamoDB::Table", "Values": ["arn:aws:dynamodb"]}]}]}}]}}})
    .to_string()
}

/// The template as it is after calls, each of an action on a table, day after day.
fn patched(calls: &[(&str, &str)]) -> String {
    let folder = Folder::new();
    let call = |(n, (action, table)): (usize, &(&str, &str))| {
        json!({"eventVersion": "1.11", "eventID": format!("e{n}"), "eventSource": "dynamodb.amazonaws.com", "eventName": action,
            "eventTime": format!("2026-{:02}-{:02}T08:00:00Z", 3 + n / 28, 1 + n % 28), "awsRegion": "eu-west-1",
            "recipientAccountId": "111122223333", "eventType": "AwsApiCall",
            "requestParameters": {"tableName": table}, "userIdentity": {"type": "AssumedRole",
            "arn": "arn:aws:sts::111122223333:assumed-role/orders/orders", "accountId": "111122223333",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": ROLE, "accountId": "111122223333"}}}})
    };
    // Eighty days of the first call: long enough to cut by.
    let first = std::iter::repeat_n(&calls[0], 80).chain(&calls[1..]);
    let records: Vec<Value> = first.enumerate().map(call).collect();
    folder.write("trail/one.json", json!({"Records": records}).to_string());
    folder.write("snapshot.json", snapshot());
    folder.write("iac/template.yaml", TEMPLATE);
    let output =
        folder.paring(&["tighten", "--snapshot", "snapshot.json", "--trail", "trail", "--iac", "iac", "--out", "out"]);
    assert!(!output.stdout.contains("no patch"), "{}{}", output.stdout, output.stderr);
    assert!(folder.git(&["init", "-q"]));
    assert!(folder.git(&["apply", "--directory=iac", "out/patches/template.yaml.diff"]));
    folder.read("iac/template.yaml")
}

#[test]
fn one_call_more_adds_one_statement_to_the_written_patch_and_touches_no_other_byte() {
    let calls = [("PutItem", "Orders"), ("UpdateItem", "People"), ("GetItem", "ledger"), ("DeleteItem", "stock")];
    for seen in 1..calls.len() {
        let (before, after) = (patched(&calls[..seen]), patched(&calls[..=seen]));
        let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
        let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
        let rest = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
        assert!(same + rest >= old.len(), "{before}\nbecame\n{after}");
        let added = &new[same..new.len() - (old.len() - same)];
        assert_eq!(added.iter().filter(|line| line.contains("Effect:")).count(), 1, "{added:#?}");
        assert!(after.contains(&format!("Sid: Tables{}", calls[seen].0)), "{after}");
        assert!(after.contains("Sid: Tables\n"), "{after}");
    }
}
