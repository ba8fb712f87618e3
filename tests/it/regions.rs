//! Logs of one region show nothing of another: what a grant names there, what an account has there, and what runs there.

use serde_json::{Value, json};

use crate::run::Folder;

const ACCOUNT: &str = "111122223333";

fn arn(role: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{role}")
}

fn queue(region: &str) -> Value {
    json!({"kind": "sqs.queue", "arn": format!("arn:aws:sqs:{region}:{ACCOUNT}:q"), "role_arn": null, "api": {}})
}

/// A record of a day in a region.
fn call(role: &str, (region, day): (&str, i64), source: &str, name: &str) -> Value {
    let time = iam_model::time::Timestamp::from_epoch_seconds((20_700 + day) * 86_400 + 30_000);
    json!({"eventVersion": "1.11", "eventID": format!("{role}-{region}-{day}-{name}"),
        "eventSource": format!("{source}.amazonaws.com"), "eventName": name, "eventTime": time.to_string(),
        "awsRegion": region, "recipientAccountId": ACCOUNT, "eventType": "AwsApiCall", "requestParameters": null,
        "userIdentity": {"type": "AssumedRole", "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/fn"),
            "accountId": ACCOUNT, "sessionContext": {"sessionIssuer": {"type": "Role", "arn": arn(role)}}}})
}

/// A role with a statement, resources beside it, ninety days of us-east-1, and so many of eu-west-1.
fn world(actions: &Value, on: &Value, resources: &[Value], days_of_eu: i64) -> Folder {
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"},
        {"Effect": "Allow", "Action": actions, "Resource": on}]});
    let role = json!({"Path": "/", "RoleName": "r", "RoleId": "AROAr", "Arn": arn("r"),
        "CreateDate": "2025-01-01T00:00:00+00:00", "InstanceProfileList": [], "AssumeRolePolicyDocument": trust,
        "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": policy}], "AttachedManagedPolicies": []});
    let trails = json!([{"TrailARN": format!("arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/t"), "IsMultiRegionTrail": true,
        "IncludeGlobalServiceEvents": true, "IsLogging": true, "HomeRegion": "us-east-1", "HasCustomEventSelectors": false}]);
    let account = json!({"authorization_details": {"UserDetailList": [], "GroupDetailList": [], "Policies": [],
        "RoleDetailList": [role]}, "trails": trails, "resources": resources});
    let folder = Folder::new();
    let snapshot = json!({"schema": "paring-snapshot/1", "organization": null, "accounts": {ACCOUNT: account}});
    folder.write("s.json", snapshot.to_string());
    let mut records: Vec<Value> =
        (0..=90).map(|day| call("win", ("us-east-1", day), "ec2", "DescribeRegions")).collect();
    records.extend((0..days_of_eu).map(|day| call("win", ("eu-west-1", day), "ec2", "DescribeRegions")));
    records.push(call("r", ("us-east-1", 4), "s3", "ListBuckets"));
    folder.write("logs/a.json", json!({"Records": records}).to_string());
    folder
}

/// What the role is left with, and what of the cut could not have been seen.
fn tightened(folder: &Folder) -> (String, String) {
    let output = folder.paring(&["tighten", "--snapshot", "s.json", "--trail", "logs", "--format", "json"]);
    let report: Value = serde_json::from_str(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", output.stderr));
    let role = &report["roles"][0];
    let changes = role["changes"].as_array().unwrap();
    let left =
        if changes.is_empty() { "all".to_owned() } else { changes.iter().map(|c| c["after"].to_string()).collect() };
    (left, role["blind_spots"].to_string())
}

const PURGE: &str = "sqs:PurgeQueue";

#[track_caller]
fn check(folder: &Folder, kept: bool, why: &str) {
    let (left, blind) = tightened(folder);
    assert_eq!(left == "all" || left.contains(PURGE), kept, "{left}");
    assert!(
        if why.is_empty() { !blind.contains(PURGE) } else { blind.contains(PURGE) && blind.contains(why) },
        "{blind}"
    );
}

#[test]
fn a_queue_that_a_grant_names_stays_where_no_record_of_its_region_was_read() {
    let both = json!([queue("us-east-1")["arn"], queue("eu-west-1")["arn"]]);
    let folder = world(&json!([PURGE]), &both, &[], 0);
    check(&folder, true, "");
    assert!(!tightened(&folder).0.contains("sqs:us-east-1"), "what the logs would have shown goes");
    let said = folder.paring(&["explain", "r", PURGE, "--snapshot", "s.json", "--trail", "logs"]).stdout;
    assert!(said.contains("no record of eu-west-1 was read"), "{said}");
    check(&world(&json!([PURGE]), &both, &[], 60), false, "");
    check(&world(&json!([PURGE]), &both, &[], 4), true, "");
}

#[test]
fn what_a_wildcard_grants_in_a_region_without_a_record_is_listed_as_unseen() {
    let (wild, all) = (json!(["sqs:*"]), json!("*"));
    check(&world(&wild, &all, &[queue("us-east-1"), queue("eu-west-1")], 0), false, "no record of eu-west-1 was read");
    check(
        &world(&wild, &all, &[queue("eu-west-1")], 5),
        false,
        "the logs of eu-west-1 span 4 days, and 30 are asked for",
    );
    check(&world(&wild, &all, &[queue("eu-west-1")], 60), false, "");
    // Where no queue is known, one may be wherever the account has anything; where some are, they are all there are.
    let topic =
        json!({"kind": "sns.topic", "arn": format!("arn:aws:sns:eu-west-1:{ACCOUNT}:t"), "role_arn": null, "api": {}});
    check(&world(&wild, &all, std::slice::from_ref(&topic), 0), false, "no record of eu-west-1 was read");
    check(&world(&wild, &all, &[topic, queue("us-east-1")], 0), false, "");
    let folder = world(&wild, &all, &[queue("eu-west-1")], 0);
    let said = folder.paring(&["explain", "r", PURGE, "--snapshot", "s.json", "--trail", "logs"]).stdout;
    assert!(said.contains("no record of eu-west-1") && !said.contains("logs that would have shown one"), "{said}");
}

#[test]
fn a_region_of_a_role_s_functions_with_few_days_of_logs_shows_nothing_of_the_role() {
    let function = json!({"kind": "lambda.function", "arn": format!("arn:aws:lambda:eu-west-1:{ACCOUNT}:function:fn"),
        "role_arn": arn("r"), "api": {}});
    let functions = std::slice::from_ref(&function);
    check(&world(&json!([PURGE]), &json!("*"), functions, 3), true, "");
    check(&world(&json!([PURGE]), &json!("*"), functions, 60), false, "");
    let task = json!({"kind": "ecs.task_definition", "arn": format!("arn:aws:ecs:eu-west-1:{ACCOUNT}:task-definition/t:1"),
        "role_arn": arn("r"), "api": {}});
    check(&world(&json!([PURGE]), &json!("*"), &[task], 3), true, "");
}

#[test]
fn services_with_one_address_are_recorded_in_its_home_region() {
    let folder = world(&json!(["iam:ListUsers"]), &json!("*"), &[], 0);
    assert!(!tightened(&folder).0.contains("iam:ListUsers"), "us-east-1 was read");
    let records = (0..=90).map(|day| call("win", ("eu-west-1", day), "ec2", "DescribeRegions"));
    let mut records: Vec<Value> = records.chain([call("r", ("eu-west-1", 4), "s3", "ListBuckets")]).collect();
    folder.write("logs/a.json", json!({"Records": records}).to_string());
    assert_eq!(tightened(&folder).0, "all", "us-east-1 was not read");
    records.push(call("win", ("eu-west-1", 5), "iam", "ListRoles"));
    folder.write("logs/a.json", json!({"Records": records}).to_string());
    assert!(!tightened(&folder).0.contains("iam:ListUsers"), "the logs hold calls of the service all the same");
}

#[test]
fn a_saved_usage_log_tells_the_days_of_each_region() {
    let folder = world(&json!([PURGE]), &json!("*"), &[queue("eu-west-1")], 4);
    let saved = folder.paring(&["usage", "logs", "--format", "json"]).stdout;
    let told: Value = serde_json::from_str(&saved).unwrap();
    assert_eq!(told["coverage"]["region_days"][ACCOUNT]["eu-west-1"], json!(["2026-09-04/2026-09-07"]));
    folder.write("logs/a.json", "");
    folder.write("usage.json", &saved);
    let output = folder.paring(&["usage", "merge", "usage.json"]).stdout;
    let merged: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(merged["coverage"], told["coverage"]);
}
