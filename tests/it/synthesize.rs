//! `paring synthesize`: the policies alone; each format says the same.

use serde_json::{Value, json};

use crate::run::{Folder, example};

const ROLE: &str = "tuktuk-dispatch-AssignDriverFunctionRole-693B169A42BB";

fn synthesize(folder: &Folder, arguments: &[&str]) -> String {
    let example = example();
    let (snapshot, trail) = (example.join("snapshot.json"), example.join("trail"));
    let files = ["--snapshot", snapshot.to_str().unwrap(), "--trail", trail.to_str().unwrap()];
    let output = folder.paring(&[&["synthesize"], arguments, &files].concat());
    assert_eq!(output.code, 0, "{}", output.stderr);
    output.stdout
}

#[test]
fn several_roles_print_in_one_order() {
    let folder = Folder::new();
    for format in ["json", "yaml", "hcl"] {
        let all = synthesize(&folder, &["--format", format]);
        insta::assert_snapshot!(format!("synthesize_{format}"), all);
    }
}

#[test]
fn yaml_in_a_template_is_the_same_policy() {
    let folder = Folder::new();
    let template = |policy: &str| {
        let policy: String = policy.lines().map(|line| format!("        {line}\n")).collect();
        format!(
            "Resources:\n  P:\n    Type: AWS::IAM::Policy\n    Properties:\n      PolicyName: p\n      Roles: [r]\n      PolicyDocument:\n{policy}"
        )
    };
    let (as_json, as_yaml) =
        (synthesize(&folder, &["--role", ROLE]), synthesize(&folder, &["--role", ROLE, "--format", "yaml"]));
    folder.write("json/template.yaml", template(&as_json));
    folder.write("yaml/template.yaml", template(&as_yaml));
    let same = folder.paring(&["diff", "json", "yaml"]);
    assert!(same.stdout.contains("both allow the same requests"), "{}", same.stdout);
    folder.write("yaml/template.yaml", template(&as_yaml.replace("dynamodb:UpdateItem", "dynamodb:PutItem")));
    assert!(folder.paring(&["diff", "json", "yaml"]).stdout.contains("PutItem"), "a difference would show");
}

/// A change is only written where the source holds the policy it says was there before.
#[test]
fn hcl_in_a_project_is_the_same_policy() {
    let folder = Folder::new();
    let before: Value = serde_json::from_str(&synthesize(&folder, &["--role", ROLE])).unwrap();
    let mut after = before.clone();
    after["Statement"].as_array_mut().unwrap().truncate(2);
    let policy = synthesize(&folder, &["--role", ROLE, "--format", "hcl"]);
    folder.write(
        "t/main.tf",
        format!(
            "resource \"aws_iam_role_policy\" \"p\" {{\n  name   = \"p\"\n  role   = \"r\"\n  policy = data.aws_iam_policy_document.{ROLE}.json\n}}\n\n{policy}"
        ),
    );
    let patch = |before: &Value| {
        let attachment = json!({"kind": "identity", "address": "aws_iam_role_policy.p"});
        let change = json!({"attachment": attachment, "before": before, "after": after, "reasons": []});
        folder.write("changes.json", json!({"schema": "paring-changes/1", "changes": [change]}).to_string());
        folder.paring(&["patch", "--changes", "changes.json", "--iac", "t"])
    };
    let output = patch(&before);
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    assert!(output.stdout.contains("-    actions   = [\"secretsmanager:GetSecretValue\"]"), "{}", output.stdout);
    let mut other = before;
    other["Statement"][0]["Action"] = json!("dynamodb:DeleteItem");
    assert_ne!(patch(&other).code, 0, "another policy would be refused");
}

#[test]
fn out_writes_a_file_for_each_role() {
    let folder = Folder::new();
    let printed = synthesize(&folder, &["--out", "policies", "--format", "yaml"]);
    assert_eq!(printed, "");
    let one = synthesize(&folder, &["--role", ROLE, "--format", "yaml"]);
    assert_eq!(folder.read(&format!("policies/{ROLE}.yaml")), one);
}

/// A role whose statements have conditions and policy variables, and calls of it.
fn with_variables() -> Folder {
    let folder = Folder::new();
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Own", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::files/${aws:PrincipalTag/team}/*",
         "Condition": {"StringEquals": {"aws:ResourceAccount": "111122223333", "aws:PrincipalTag/team": ["a", "b"]},
                       "Bool": {"aws:SecureTransport": "true"}}},
        {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}}},
        {"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::files/*"}]});
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let role = |name: &str| {
        json!({"Path": "/", "RoleName": name, "RoleId": "AROAEXAMPLE", "Arn": format!("arn:aws:iam::111122223333:role/{name}"),
        "InstanceProfileList": [], "AssumeRolePolicyDocument": trust, "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": policy}],
        "AttachedManagedPolicies": [{"PolicyName": "AWSLambdaBasicExecutionRole",
            "PolicyArn": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}]})
    };
    let basic = json!({"PolicyName": "AWSLambdaBasicExecutionRole", "DefaultVersionId": "v1",
        "Arn": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
        "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true, "Document": {"Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}]}}]});
    let snapshot = json!({"schema": "paring-snapshot/1", "organization": null, "accounts": {"111122223333": {
        "authorization_details": {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [role("one"), role("two")], "Policies": [basic]},
        "resources": [], "resource_policies": {}}}});
    folder.write("snapshot.json", snapshot.to_string());
    let call = |id: u32, role: &str, day: u32| {
        json!({"eventVersion": "1.11", "eventID": format!("e{id}"),
        "eventTime": format!("2026-{:02}-01T08:00:00Z", 1 + day), "eventSource": "kms.amazonaws.com", "eventName": "Decrypt",
        "awsRegion": "eu-west-1", "recipientAccountId": "111122223333", "eventType": "AwsApiCall",
        "resources": [{"accountId": "111122223333", "type": "AWS::KMS::Key", "ARN": "arn:aws:kms:eu-west-1:111122223333:key/k"}],
        "requestParameters": {"encryptionAlgorithm": "SYMMETRIC_DEFAULT"},
        "userIdentity": {"type": "AssumedRole", "arn": format!("arn:aws:sts::111122223333:assumed-role/{role}/s"),
            "accountId": "111122223333", "invokedBy": "s3.amazonaws.com", "sessionContext": {"sessionIssuer": {"type": "Role",
            "arn": format!("arn:aws:iam::111122223333:role/{role}"), "accountId": "111122223333"}}}})
    };
    let records = [call(1, "one", 0), call(2, "one", 3), call(3, "two", 2)];
    folder.write("trail/one.json", json!({"Records": records}).to_string());
    folder
}

#[test]
fn conditions_and_variables_are_the_same_in_every_format() {
    let folder = with_variables();
    let run = |arguments: &[&str]| {
        let files = ["--snapshot", "snapshot.json", "--trail", "trail"];
        let output = folder.paring(&[&["synthesize"], arguments, &files].concat());
        assert_eq!(output.code, 0, "{}", output.stderr);
        output
    };
    let one = |format: &str| run(&["--role", "one", "--format", format]).stdout;
    insta::assert_snapshot!("synthesize_variables", [one("json"), one("yaml"), one("hcl")].join("\n"));
    let template = |name: &str, policy: &str| {
        let policy: String = policy.lines().map(|line| format!("        {line}\n")).collect();
        let text = format!(
            "Resources:\n  P:\n    Type: AWS::IAM::Policy\n    Properties:\n      PolicyName: p\n      Roles: [r]\n      PolicyDocument:\n{policy}"
        );
        folder.write(&format!("{name}/template.yaml"), text);
    };
    template("json", &one("json"));
    template("yaml", &one("yaml"));
    let same = folder.paring(&["diff", "json", "yaml"]);
    assert!(same.stdout.contains("both allow the same requests"), "{}", same.stdout);
    // What stands in Terraform is found to be what it says was there before.
    let before: Value = serde_json::from_str(&one("json")).unwrap();
    let mut after = before.clone();
    after["Statement"].as_array_mut().unwrap().truncate(1);
    folder.write(
        "t/main.tf",
        format!(
            "resource \"aws_iam_role_policy\" \"p\" {{\n  name   = \"p\"\n  role   = \"r\"\n  policy = data.aws_iam_policy_document.one.json\n}}\n\n{}",
            one("hcl")
        ),
    );
    let change = json!({"attachment": {"kind": "identity", "address": "aws_iam_role_policy.p"}, "before": before, "after": after, "reasons": []});
    folder.write("changes.json", json!({"schema": "paring-changes/1", "changes": [change]}).to_string());
    let output = folder.paring(&["patch", "--changes", "changes.json", "--iac", "t"]);
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    let both = run(&[]).stderr;
    assert_eq!(both.matches("also keep").count(), 1, "{both}");
    assert!(both.contains("2 roles also keep AWSLambdaBasicExecutionRole: AWS's own policy"), "{both}");
}
