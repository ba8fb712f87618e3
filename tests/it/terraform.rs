//! A Terraform project end to end: the patches of `tighten` apply, and nothing is left to do.

use crate::run::{Folder, copy, workspace};

const ARGUMENTS: &[&str] = &["tighten", "--snapshot", "t/snapshot.json", "--trail", "t/trail", "--iac", "t"];

fn project() -> Folder {
    let folder = Folder::new();
    copy(&workspace().join("testdata/terraform"), &folder.path().join("t"));
    folder
}

#[test]
fn tighten_patches_terraform_and_git_applies_it() {
    let folder = project();
    let before = folder.read("t/main.tf");
    let output = folder.paring(&[ARGUMENTS, &["--out", "out"]].concat());
    assert_eq!(output.code, 0, "{}", output.stderr);
    // Fifty objects of one need: some, and how many more.
    assert!(output.stdout.contains("and 44 more (report.json lists them)"), "{}", output.stdout);
    assert_eq!(output.stdout.matches("shop-reports-111122223333/daily/").count(), 6);
    let diff = folder.read("out/patches/main.tf.diff");
    insta::assert_snapshot!("terraform_diff", diff);
    assert!(folder.git(&["apply", "--directory=t", "out/patches/main.tf.diff"]));
    let after = folder.read("t/main.tf");
    assert!(after.contains("# größer als gedacht") && after.contains("# everything, until we know what the code does"));
    assert!(!after.contains("AmazonS3FullAccess") && !after.contains("dynamodb:*"));
    assert_eq!(before.matches("resource \"").count(), after.matches("resource \"").count());
}

#[test]
fn a_change_with_an_address_is_patched_without_an_account() {
    let folder = project();
    let changes = r#"{"schema": "paring-changes/1", "changes": [{"attachment": {"kind": "identity",
        "address": "aws_iam_role_policy.report"}, "before": {"Statement": [{"Sid": "Orders", "Effect": "Allow", "Action":
        ["dynamodb:Scan", "dynamodb:PutItem", "dynamodb:DeleteItem"],
        "Resource": "arn:aws:dynamodb:eu-west-1:111122223333:table/shop-orders"}]}, "after": {"Statement": [{"Sid": "Orders",
        "Effect": "Allow", "Action": "dynamodb:Scan", "Resource": "arn:aws:dynamodb:eu-west-1:111122223333:table/shop-orders"}]},
        "reasons": []}]}"#;
    folder.write("changes.json", changes);
    let output = folder.paring(&["patch", "--changes", "changes.json", "--iac", "t"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let lines: Vec<&str> = output
        .stdout
        .lines()
        .filter(|l| l.starts_with(['-', '+']) && !l.starts_with("---") && !l.starts_with("+++"))
        .collect();
    assert_eq!(
        lines,
        [
            "-    actions   = [\"dynamodb:Scan\", \"dynamodb:PutItem\", \"dynamodb:DeleteItem\"]",
            "+    actions   = [\"dynamodb:Scan\"]"
        ]
    );
}

#[test]
fn a_refused_change_with_an_address_says_whose_policy_it_is() {
    let folder = project();
    let changes = r#"{"schema": "paring-changes/1", "changes": [{"attachment": {"kind": "identity",
        "address": "aws_iam_role_policy.nobody"}, "after": {"Statement": []}, "reasons": []}]}"#;
    folder.write("changes.json", changes);
    let output = folder.paring(&["patch", "--changes", "changes.json", "--iac", "t"]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    assert!(output.stderr.contains("of `aws_iam_role_policy.nobody` should"), "{}", output.stderr);
}
