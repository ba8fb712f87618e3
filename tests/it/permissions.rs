//! Functions' permissions that gain the sources they are for: found in the snapshot, judged, and written in each kind of
//! source; and what is said of each statement of a resource's policy.

use serde_json::{Value, json};

use crate::run::{Folder, Output};

const ACCOUNT: &str = "111122223333";
const RESIZE: &str = "arn:aws:lambda:eu-west-1:111122223333:function:resize";

fn topic(name: &str) -> String {
    format!("arn:aws:sns:eu-west-1:{ACCOUNT}:{name}")
}

/// A function that two topics, a rule and a bucket call; `sids` are what its permissions are called, for each service.
fn snapshot(sids: &[(&str, &str)]) -> Value {
    let doc = |statements: Value| json!({"Version": "2012-10-17", "Statement": statements});
    let trust =
        json!([{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]);
    let ops = json!({"Path": "/", "RoleName": "ops", "RoleId": "AROAOPS", "Arn": format!("arn:aws:iam::{ACCOUNT}:role/ops"), "InstanceProfileList": [],
        "AttachedManagedPolicies": [], "AssumeRolePolicyDocument": doc(trust), "RolePolicyList": [{"PolicyName": "own",
            "PolicyDocument": doc(json!([{"Effect": "Allow", "Action": "ec2:DescribeRegions", "Resource": "*"}]))}]});
    let of_topic = |name: &str| json!({"kind": "sns.topic", "arn": topic(name), "api": {"Subscriptions": [{"Protocol": "lambda", "Endpoint": RESIZE}]}});
    let permissions: Vec<Value> = sids
        .iter()
        .map(|(sid, service)| {
            json!({"Sid": sid, "Effect": "Allow", "Principal": {"Service": format!("{service}.amazonaws.com")},
                "Action": "lambda:InvokeFunction", "Resource": RESIZE})
        })
        .collect();
    json!({"schema": "paring-snapshot/1", "organization": null, "accounts": {ACCOUNT: {
        "authorization_details": {"UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": [ops]},
        "resources": [
            {"kind": "lambda.function", "arn": RESIZE, "role_arn": format!("arn:aws:iam::{ACCOUNT}:role/ops"), "api": {"FunctionName": "resize"}},
            of_topic("archive"), of_topic("uploads"),
            {"kind": "events.rule", "arn": format!("arn:aws:events:eu-west-1:{ACCOUNT}:rule/nightly"), "api": {"Targets": [{"Id": "1", "Arn": RESIZE}]}},
            {"kind": "s3.bucket", "arn": "arn:aws:s3:::images", "api": {"NotificationConfiguration": {"LambdaFunctionConfigurations":
                [{"LambdaFunctionArn": RESIZE, "Events": ["s3:ObjectCreated:*"]}]}}}],
        "resource_policies": {RESIZE: doc(Value::Array(permissions))},
        "trails": [{"TrailARN": format!("arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/t"), "Name": "t", "IsMultiRegionTrail": true,
            "event_selectors": {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true, "DataResources": []}]}}]}}})
}

fn log() -> String {
    let call = |id: u32, time: &str| {
        json!({"eventVersion": "1.11", "eventID": format!("e{id}"), "eventTime": time, "eventSource": "ec2.amazonaws.com",
            "eventName": "DescribeRegions", "awsRegion": "eu-west-1", "recipientAccountId": ACCOUNT, "eventType": "AwsApiCall",
            "requestParameters": {}, "userIdentity": {"type": "AssumedRole", "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/ops/resize"),
            "accountId": ACCOUNT, "sessionContext": {"sessionIssuer": {"type": "Role", "arn": format!("arn:aws:iam::{ACCOUNT}:role/ops"), "accountId": ACCOUNT}}}})
    };
    json!({"Records": [call(1, "2026-03-01T08:00:00Z"), call(2, "2026-06-01T08:00:00Z")]}).to_string()
}

const FROM_STACK: &[(&str, &str)] = &[
    ("app-FromTopics-ABCDEFGH1234", "sns"),
    ("app-FromRule-ABCDEFGH1235", "events"),
    ("app-FromBucket-ABCDEFGH1236", "s3"),
];

fn run(file: &str, text: &str, sids: &[(&str, &str)]) -> (Folder, Output) {
    let folder = Folder::new();
    folder.write("snapshot.json", snapshot(sids).to_string());
    folder.write("trail/one.json", log());
    folder.write(file, text);
    let output = folder.paring(&tighten("out"));
    (folder, output)
}

fn tighten(out: &str) -> [&str; 10] {
    ["tighten", "--documents", "--snapshot", "snapshot.json", "--trail", "trail", "--iac", "iac", "--out", out]
}

/// The file with the patch applied; run again, nothing is left to patch.
#[track_caller]
fn patched(file: &str, text: &str, sids: &[(&str, &str)]) -> String {
    let (folder, output) = run(file, text, sids);
    assert_eq!(output.code, 1, "{}{}", output.stdout, output.stderr);
    assert!(!output.stdout.contains("no patch: "), "{}", output.stdout);
    // That no other account's source calls the function is shown by nothing.
    assert!(output.stdout.contains("resize: keeps-used is undecided"), "{}", output.stdout);
    let diff = format!("out/patches/{}.diff", file.strip_prefix("iac/").unwrap());
    assert!(folder.git(&["apply", "--directory=iac", &diff]), "{}", folder.read(&diff));
    let after = folder.read(file);
    assert_eq!(after.matches('#').count(), text.matches('#').count(), "comments:\n{after}");
    let again = folder.paring(&tighten("again"));
    assert!(!folder.path().join("again/patches").exists(), "{}", again.stdout);
    assert!(!again.stdout.contains("no patch: "), "{}", again.stdout);
    after
}

#[test]
fn permissions_gain_their_sources_in_a_template() {
    insta::assert_snapshot!(
        "permissions_yaml",
        patched("iac/template.yaml", include_str!("permissions/template.yaml"), FROM_STACK)
    );
    insta::assert_snapshot!(
        "permissions_json",
        patched("iac/template.json", include_str!("permissions/template.json"), FROM_STACK)
    );
}

#[test]
fn permissions_gain_their_sources_in_a_sam_template_and_a_service_of_the_serverless_framework() {
    insta::assert_snapshot!(
        "permissions_sam",
        patched("iac/template.yaml", include_str!("permissions/sam.yaml"), FROM_STACK)
    );
    insta::assert_snapshot!(
        "permissions_serverless",
        patched("iac/serverless.yml", include_str!("permissions/serverless.yml"), FROM_STACK)
    );
}

#[test]
fn permissions_gain_their_sources_in_terraform() {
    let sids = &[("FromTopics", "sns"), ("terraform-20240101", "events"), ("FromBucket", "s3")];
    insta::assert_snapshot!("permissions_terraform", patched("iac/main.tf", include_str!("permissions/main.tf"), sids));
}

#[test]
fn a_permission_that_sam_writes_for_an_event_has_no_text_and_is_named() {
    // Its name is made after the event, which has no resource in the file.
    let sids = &[("app-FnHourlyPermission-ABCDEFGH1234", "events")];
    let (folder, output) = run("iac/template.yaml", include_str!("permissions/sam.yaml"), sids);
    assert!(output.stdout.contains("no patch: "), "{}", output.stdout);
    assert!(output.stdout.contains("SAM writes it for an event"), "{}{}", output.stdout, output.stderr);
    assert!(!folder.path().join("out/patches").exists(), "{}", output.stdout);
}

#[test]
fn each_statement_of_a_resource_is_explained_with_its_evidence() {
    let (folder, _) = run("iac/template.yaml", include_str!("permissions/template.yaml"), FROM_STACK);
    let explain = |asked: &str, more: &[&str]| {
        let all = ["--snapshot", "snapshot.json", "--trail", "trail"];
        folder.paring(&[&["explain", asked], more, &all].concat())
    };
    let text = explain(RESIZE, &[]);
    assert_eq!(text.code, 0, "{}", text.stderr);
    insta::assert_snapshot!("explain_resource", text.stdout);
    let json: Value = serde_json::from_str(&explain(RESIZE, &["--format", "json"]).stdout).unwrap();
    assert_eq!(json["schema"], "paring-explanation/1");
    assert_eq!(json["statements"][0]["fate"], "narrowed");
    assert_eq!(json["statements"][0]["grade"], "shown-by-snapshot");
    let other = explain(&format!("{RESIZE}x"), &[]);
    assert_eq!(other.code, 2);
    assert!(other.stderr.contains(&format!("did you mean `{RESIZE}`?")), "{}", other.stderr);
    let action = explain(RESIZE, &["lambda:InvokeFunction"]);
    assert!(action.code == 2 && action.stderr.contains("leave the action out"), "{}", action.stderr);
}
