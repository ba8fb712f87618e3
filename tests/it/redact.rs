//! `--redact`: no report tells whose account it is, in no format.

use crate::run::{Folder, copy, example};

/// What must not be found: account ids, names of the example's and of this file's principals, resources, sessions, addresses.
const RAW: &[&str] = &[
    "111122223333",
    "444455556666",
    "OrdersRole",
    "OrdersTable",
    "aoi@corp.example.jp",
    "203.0.113.9",
    "acme-uploads",
    "PlaceOrder",
];

/// An account with a function that everyone may call, a way to administrator, and a role that trusts a stranger.
fn account() -> Folder {
    let folder = Folder::new();
    folder.write(
        "s.json",
        r#"{"schema": "paring-snapshot/1", "accounts": {"111122223333": {"authorization_details": {"UserDetailList": [], "GroupDetailList": [], "Policies": [],
        "RoleDetailList": [{"RoleName": "OrdersRole", "Arn": "arn:aws:iam::111122223333:role/app/OrdersRole", "AttachedManagedPolicies": [],
          "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
            {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": "sts:AssumeRole"}]},
          "RolePolicyList": [{"PolicyName": "OrdersRole-policy", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "iam:*", "Resource": "*"},
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-uploads/*", "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.9/32"}}},
            {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:DescribeTable"], "Resource": "arn:aws:dynamodb:eu-west-1:111122223333:table/OrdersTable"}]}}]}]},
        "resources": [{"kind": "lambda.function", "arn": "arn:aws:lambda:eu-west-1:111122223333:function:PlaceOrder", "role_arn": "arn:aws:iam::111122223333:role/app/OrdersRole"},
          {"kind": "dynamodb.table", "arn": "arn:aws:dynamodb:eu-west-1:111122223333:table/OrdersTable"}],
        "resource_policies": {"arn:aws:lambda:eu-west-1:111122223333:function:PlaceOrder": {"Version": "2012-10-17", "Statement": [
          {"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:eu-west-1:111122223333:function:PlaceOrder"}]}}}}}"#,
    );
    let event = |day: u32| {
        format!(
            r#"{{"eventVersion": "1.08", "userIdentity": {{"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/OrdersRole/aoi@corp.example.jp",
            "accountId": "111122223333", "sessionContext": {{"sessionIssuer": {{"type": "Role", "arn": "arn:aws:iam::111122223333:role/app/OrdersRole", "userName": "OrdersRole"}}}}}},
            "eventTime": "2026-10-{day:02}T10:00:00Z", "eventSource": "dynamodb.amazonaws.com", "eventName": "DescribeTable", "sourceIPAddress": "203.0.113.9",
            "awsRegion": "eu-west-1", "requestParameters": {{"tableName": "OrdersTable"}}, "eventID": "e-{day}", "eventType": "AwsApiCall", "recipientAccountId": "111122223333"}}"#
        )
    };
    let events: Vec<String> = (1..=31).map(event).collect();
    folder.write("logs/one.json", format!(r#"{{"Records": [{}]}}"#, events.join(",")));
    folder
}

#[test]
fn no_report_tells_whose_account_it_is() {
    let folder = account();
    for command in [
        "audit --snapshot s.json",
        "audit --snapshot s.json --format json",
        "audit --snapshot s.json --format sarif",
        "audit --snapshot s.json --trail logs",
        "tighten --snapshot s.json --trail logs --min-days 1",
        "tighten --snapshot s.json --trail logs --min-days 1 --format json",
        "tighten --snapshot s.json --trail logs --min-days 1 --format sarif",
        "explain OrdersRole --snapshot s.json --trail logs",
        "explain OrdersRole --snapshot s.json --trail logs --format json",
        "usage logs",
        "usage logs --format json",
        "graph --snapshot s.json --format html",
        "graph --snapshot s.json --format dot",
        "graph --snapshot s.json --format graphml",
        "graph --snapshot s.json --format json",
        "paths OrdersRole --snapshot s.json",
        "reach PlaceOrder --snapshot s.json",
        "reach PlaceOrder --snapshot s.json --format json",
        "can OrdersRole dynamodb:GetItem arn:aws:dynamodb:eu-west-1:111122223333:table/OrdersTable --snapshot s.json",
        "who-can dynamodb:GetItem arn:aws:dynamodb:eu-west-1:111122223333:table/OrdersTable --snapshot s.json",
        "rules check --snapshot s.json",
        "synthesize --snapshot s.json --trail logs --min-days 1",
        "reach NoSuchThing111122223333 --snapshot s.json",
    ] {
        let arguments: Vec<&str> = command.split(' ').collect();
        let plain = folder.paring(&arguments);
        let told = folder.paring(&[&arguments[..], &["--redact"]].concat());
        assert_eq!(told.code, plain.code, "{command}: {}", told.stderr);
        assert!(!told.stdout.is_empty() || command.contains("NoSuch"), "{command}: {}", told.stderr);
        let all = format!("{}{}", told.stdout, told.stderr);
        for raw in RAW {
            assert!(!all.contains(raw), "{command} tells `{raw}`:\n{all}");
        }
        if command.ends_with("--format json") || command.ends_with("--format sarif") {
            let json: Result<serde_json::Value, _> = serde_json::from_str(&told.stdout);
            assert!(json.is_ok(), "{command}: {json:?}");
        }
        let again = folder.paring(&[&arguments[..], &["--redact"]].concat());
        assert_eq!(again.stdout, told.stdout, "{command}");
    }
}

#[test]
fn the_redacted_report_of_an_audit() {
    let folder = account();
    let told = folder.paring(&["audit", "--snapshot", "s.json", "--trail", "logs", "--redact"]);
    insta::assert_snapshot!(format!("{}{}= {}\n", told.stdout, told.stderr, told.code));
}

#[test]
fn no_file_is_written_with_stand_ins_or_without_them() {
    let folder = Folder::new();
    copy(&example(), folder.path());
    for arguments in [
        &["tighten", "--snapshot", "snapshot.json", "--trail", "trail", "--iac", ".", "--out", "out"][..],
        &["tighten", "--snapshot", "snapshot.json", "--trail", "trail", "--iac", ".", "--write", "--force"],
        &["collect", "--bundle", ".", "-o", "made.json"],
    ] {
        let told = folder.paring(&[arguments, &["--redact"]].concat());
        assert_eq!(told.code, 2, "{arguments:?}: {}", told.stderr);
        assert!(told.stderr.contains("`--redact` is for what is printed"), "{}", told.stderr);
    }
    assert!(!folder.path().join("out").exists() && !folder.path().join("made.json").exists());
}
