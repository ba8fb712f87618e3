//! Trust policies and functions' permissions, narrowed where asked for: proved, replayed, and left alone where unsure.

use serde_json::{Value, json};

use crate::run::{Folder, Output};

const TARGET: &str = "arn:aws:iam::111122223333:role/target";
const RESIZE: &str = "arn:aws:lambda:eu-west-1:111122223333:function:resize";

fn role(name: &str, trust: &Value) -> Value {
    let mut statements = json!([{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": TARGET}]);
    if name == "old" {
        let regions = json!({"Effect": "Allow", "Action": "ec2:DescribeRegions", "Resource": "*"});
        statements.as_array_mut().unwrap().push(regions);
    }
    json!({"Path": "/", "RoleName": name, "RoleId": format!("AROA{name}"), "Arn": format!("arn:aws:iam::111122223333:role/{name}"),
        "InstanceProfileList": [], "AttachedManagedPolicies": [],
        "RolePolicyList": [{"PolicyName": "assume", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}],
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": trust}})
}

fn snapshot() -> Value {
    let lambda =
        json!([{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]);
    let both = json!([{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": [
        "arn:aws:iam::111122223333:role/ops", "arn:aws:iam::111122223333:role/old"]}}]);
    let permission = |sid: &str, service: &str| {
        json!({"Sid": sid, "Effect": "Allow", "Principal": {"Service": service},
        "Action": "lambda:InvokeFunction", "Resource": RESIZE})
    };
    let mut bucket = permission("images", "s3.amazonaws.com");
    bucket["Condition"] = json!({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::images"}});
    json!({"schema": "paring-snapshot/1", "organization": null, "accounts": {"111122223333": {
        "authorization_details": {"UserDetailList": [], "GroupDetailList": [], "Policies": [],
            "RoleDetailList": [role("target", &both), role("ops", &lambda), role("old", &lambda)]},
        "resources": [{"kind": "s3.bucket", "arn": "arn:aws:s3:::images", "api": {}},
            {"kind": "lambda.function", "arn": RESIZE, "role_arn": "arn:aws:iam::111122223333:role/ops", "api": {"FunctionName": "resize"}}],
        "resource_policies": {RESIZE: {"Version": "2012-10-17", "Statement": [bucket, permission("topic", "sns.amazonaws.com")]}},
        "trails": [{"TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/t", "Name": "t", "IsMultiRegionTrail": true,
            "event_selectors": {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true, "DataResources": []}]}}]}}})
}

fn run(options: &[&str]) -> (Folder, Output) {
    let call = |id: u32, time: &str| {
        json!({"eventVersion": "1.11", "eventID": format!("e{id}"), "eventTime": time, "eventSource": "sts.amazonaws.com",
            "eventName": "AssumeRole", "awsRegion": "eu-west-1", "recipientAccountId": "111122223333", "eventType": "AwsApiCall",
            "requestParameters": {"roleArn": TARGET, "roleSessionName": "s"}, "userIdentity": {"type": "AssumedRole",
            "arn": "arn:aws:sts::111122223333:assumed-role/ops/resize", "accountId": "111122223333",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/ops", "accountId": "111122223333"}}}})
    };
    let folder = Folder::new();
    // The other role is in use, and assumes nobody.
    let mut other = call(3, "2026-05-01T08:00:00Z");
    (other["eventSource"], other["eventName"]) = (json!("ec2.amazonaws.com"), json!("DescribeRegions"));
    other["requestParameters"] = json!({});
    other["userIdentity"]["arn"] = json!("arn:aws:sts::111122223333:assumed-role/old/old");
    other["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] = json!("arn:aws:iam::111122223333:role/old");
    let records = [call(1, "2026-03-01T08:00:00Z"), call(2, "2026-06-01T08:00:00Z"), other];
    folder.write("trail/one.json", json!({"Records": records}).to_string());
    folder.write("snapshot.json", snapshot().to_string());
    let always = ["tighten", "--snapshot", "snapshot.json", "--trail", "trail", "--out", "out"];
    let output = folder.paring(&[&always, options].concat());
    (folder, output)
}

#[test]
fn trust_and_permissions_are_narrowed_proved_and_replayed() {
    let (folder, output) = run(&["--documents"]);
    insta::assert_snapshot!("documents", output.stdout);
    let changes: Value = serde_json::from_str(&folder.read("out/changes.json")).unwrap();
    let changes = changes["changes"].as_array().unwrap();
    let trust = changes.iter().find(|change| change["attachment"]["kind"] == "trust").unwrap();
    assert_eq!(trust["after"]["Statement"][0]["Principal"]["AWS"], "arn:aws:iam::111122223333:role/ops");
    let report: Value = serde_json::from_str(&folder.read("out/report.json")).unwrap();
    for document in report["documents"].as_array().unwrap() {
        for claim in document["claims"].as_array().unwrap() {
            assert_eq!(claim["outcome"], "proved", "{}: {claim}", document["subject"]);
        }
    }
    // What was made here is judged the same by the command that takes changes from anyone.
    let again =
        folder.paring(&["verify", "--changes", "out/changes.json", "--snapshot", "snapshot.json", "--trail", "trail"]);
    assert_eq!(again.code, 0, "{}{}", again.stdout, again.stderr);
}

#[test]
fn without_being_asked_only_identity_policies_change() {
    let (folder, _) = run(&[]);
    assert!(!folder.read("out/changes.json").contains("\"trust\""));
    assert!(!folder.read("out/report.json").contains("\"documents\""));
}

const TEMPLATE: &str = "Resources:
  Images:
    Type: AWS::S3::Bucket
    Properties: {BucketName: images}
  Share:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Images
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          # Those who look after it.
          - Effect: Allow
            Principal: {AWS: ['arn:aws:iam::111122223333:role/ops', 'arn:aws:iam::111122223333:role/old']}
            Action: [s3:GetBucketLocation, s3:GetBucketTagging]
            Resource: arn:aws:s3:::images
";
const PERMISSION: &str = "Resources:
  Resize:
    Type: AWS::Lambda::Function
    Properties: {FunctionName: resize, Role: 'arn:aws:iam::111122223333:role/ops', Runtime: python3.13, Handler: a.b, Code: {ZipFile: ''}}
  Uploads:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: !Ref Resize
      Action: lambda:InvokeFunction
      Principal: sns.amazonaws.com
";

/// A bucket's policy that names two roles, and a function that a topic calls; with the templates they come from.
fn run_with_templates() -> (Folder, Output) {
    let (folder, _) = run(&[]);
    let mut snapshot = snapshot();
    let account = &mut snapshot["accounts"]["111122223333"];
    let roles = ["arn:aws:iam::111122223333:role/ops", "arn:aws:iam::111122223333:role/old"];
    account["resource_policies"] = json!({
        "arn:aws:s3:::images": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": roles},
            "Action": ["s3:GetBucketLocation", "s3:GetBucketTagging"], "Resource": "arn:aws:s3:::images"}]},
        RESIZE: {"Version": "2012-10-17", "Statement": [{"Sid": "uploads", "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "lambda:InvokeFunction", "Resource": RESIZE}]}});
    account["resources"].as_array_mut().unwrap().push(
        json!({"kind": "sns.topic", "arn": "arn:aws:sns:eu-west-1:111122223333:uploads", "api": {"Subscriptions": [
            {"Protocol": "lambda", "Endpoint": RESIZE}]}}),
    );
    folder.write("snapshot.json", snapshot.to_string());
    let call = json!({"eventVersion": "1.11", "eventID": "e9", "eventTime": "2026-04-01T08:00:00Z", "eventSource": "s3.amazonaws.com",
        "eventName": "GetBucketLocation", "awsRegion": "eu-west-1", "recipientAccountId": "111122223333", "eventType": "AwsApiCall",
        "requestParameters": {"bucketName": "images"}, "resources": [{"accountId": "111122223333", "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::images"}],
        "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/ops/resize", "accountId": "111122223333",
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/ops", "accountId": "111122223333"}}}});
    folder.write("trail/two.json", json!({"Records": [call]}).to_string());
    folder.write("iac/bucket.yaml", TEMPLATE);
    folder.write("iac/function.yaml", PERMISSION);
    let output = folder.paring(&[
        "tighten",
        "--documents",
        "--snapshot",
        "snapshot.json",
        "--trail",
        "trail",
        "--iac",
        "iac",
        "--write",
        "--force",
    ]);
    (folder, output)
}

#[test]
fn resources_policies_are_narrowed_in_their_templates_and_what_is_not_proved_waits_for_a_person() {
    let (folder, output) = run_with_templates();
    insta::assert_snapshot!("documents_of_resources", output.stdout);
    let bucket = folder.read("iac/bucket.yaml");
    assert!(
        bucket.contains("s3:GetBucketLocation") && !bucket.contains("GetBucketTagging"),
        "{bucket}\n{}",
        output.stdout
    );
    assert!(!bucket.contains("role/old") && bucket.contains("# Those who look after it."), "{bucket}");
    // That no other account's topic calls the function is shown by nothing.
    assert_eq!(output.code, 1, "{}", output.stderr);
    assert!(output.stdout.contains("undecided keeps-used"), "{}", output.stdout);
    assert!(output.stdout.contains("resize: keeps-used is undecided"), "{}", output.stdout);
    assert_eq!(folder.read("iac/function.yaml"), PERMISSION);
    assert!(output.stderr.contains("`iac/function.yaml` was not written: it needs review"), "{}", output.stderr);
}
