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
