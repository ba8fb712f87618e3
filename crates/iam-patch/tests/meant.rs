//! What an edit may take a source to mean: cases in which a plausible reading is a wrong one.

#![cfg(test)]

use iam_model::change;
use iam_model::snapshot::{Snapshot, SnapshotIndex};
use iam_model::text::{SourceName, SourceText};
use iam_patch::{Disposition, PatchSet, Project, patch};

const ROLE: &str = r#"{"principal_arn": "arn:aws:iam::123456789012:role/app"}"#;
const LOGICAL: &str = r#"{"logical_id": "R", "policy_name": "main"}"#;

fn source(name: &str, text: &str) -> SourceText {
    SourceText { name: SourceName::new(name), text: text.to_owned() }
}

fn run(file: (&str, &str), attachment: &str, before: &str, after: &str) -> PatchSet {
    let attachment = attachment.replacen('{', r#"{"kind": "identity", "#, 1);
    let text = format!(
        r#"{{"schema": "paring-changes/1", "changes": [{{"attachment": {attachment}, "before": {before}, "after": {after}, "reasons": []}}]}}"#
    );
    let changes = change::read(&source("changes.json", &text)).unwrap().0;
    let (project, _) = Project::read(vec![source(file.0, file.1)]);
    let snapshot = Snapshot::default();
    let (index, _) = SnapshotIndex::new(&snapshot);
    patch(&project, &index, &changes.changes)
}

/// `safe`, `review: …` or a refusal's code, and the lines that are new.
fn outcome(set: &PatchSet) -> String {
    if let Some(refused) = set.refused.first() {
        return format!("refused {}", refused.refusal.code);
    }
    let Some(patch) = set.patches.first() else { return "unchanged".into() };
    assert_ne!(patch.before, patch.after, "a patch that changes nothing");
    let new = patch.diff.lines().skip(2).filter_map(|line| line.strip_prefix('+')).map(str::trim);
    let new = new.collect::<Vec<_>>().join(" | ");
    match &patch.disposition {
        Disposition::Safe => format!("safe: {new}"),
        Disposition::NeedsReview(reasons) => format!("review ({}): {new}", reasons.join("; ")),
    }
}

fn statement(actions: &str, resource: &str) -> String {
    format!(r#"{{"Effect": "Allow", "Action": {actions}, "Resource": {resource}}}"#)
}

fn document(statements: &[String]) -> String {
    format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(", "))
}

fn one(resource: &str) -> String {
    document(&[statement(r#""s3:GetObject""#, resource)])
}

const HEAD: &str = "AWSTemplateFormatVersion: '2010-09-09'
Parameters:
  Arn1: {Type: String}
  Arn2: {Type: String}
  Arns: {Type: CommaDelimitedList}
  Env: {Type: String}
  Stage: {Type: String, AllowedValues: [dev, prod]}
Mappings:
  M: {dev: {b: bdev}, prod: {b: bprod}}
Conditions:
  P: !Equals [!Ref Env, prod]
Resources:
  R:
    Type: AWS::IAM::Role
    Properties:
      RoleName: app
      Policies:
        - PolicyName: main
          PolicyDocument:
";

/// A template whose one statement has this resource.
fn template(resource: &str) -> String {
    format!(
        "{HEAD}            Version: '2012-10-17'
            Statement:
              - Effect: Allow
                Action: s3:GetObject
                Resource: {resource}
"
    )
}

fn terraform(resource: &str) -> String {
    format!(
        r#"variable "a" {{}}
variable "b" {{}}
variable "env" {{}}
resource "aws_iam_role" "r" {{
  name = "app"
}}
resource "aws_iam_role_policy" "p" {{
  name = "main"
  role = aws_iam_role.r.id
  policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [
      {{ Effect = "Allow", Action = "s3:GetObject", Resource = {resource} }},
    ]
  }})
}}
"#
    )
}

#[track_caller]
fn check(file: (&str, &str), attachment: &str, before: &str, after: &str, wanted: &str) {
    let said = outcome(&run(file, attachment, before, after));
    assert!(said.starts_with(wanted), "wanted {wanted}, was {said}\n{}", file.1);
}

#[track_caller]
fn yaml(resource: &str, before: &str, after: &str, wanted: &str) {
    check(("t.yaml", &template(resource)), LOGICAL, &one(before), &one(after), wanted);
}

#[track_caller]
fn hcl(resource: &str, before: &str, after: &str, wanted: &str) {
    check(("main.tf", &terraform(resource)), ROLE, &one(before), &one(after), wanted);
}

const A_B: &str = r#"["arn:aws:s3:::b/*", "arn:aws:s3:::a/*"]"#;
const A: &str = r#""arn:aws:s3:::a/*""#;

#[test]
fn unknown_list_items_are_not_paired_by_position() {
    yaml("[!Ref Arn1, !Ref Arn2]", A_B, A, "refused ambiguous-source");
    hcl("[var.a, var.b]", A_B, A, "refused ambiguous-source");
    hcl(r#"["${var.a}/*", "${var.b}/*"]"#, A_B, A, "refused ambiguous-source");
    // What only one item can mean is told, in whatever order it is deployed.
    hcl(r#"["arn:aws:s3:::${var.env}a/*", "arn:aws:s3:::${var.env}b/*"]"#, A_B, A, "safe: ");
    yaml("['arn:aws:s3:::b/*', !Ref Arn2]", A_B, A, "safe: Resource: [!Ref Arn2]");
    yaml("[!Ref Arn2, 'arn:aws:s3:::b/*']", A_B, r#""arn:aws:s3:::b/*""#, "safe: Resource: ['arn:aws:s3:::b/*']");
}

#[test]
fn one_expression_does_not_swallow_several_values() {
    yaml("!Ref Arn1", A_B, A, "refused drift");
    yaml("!Sub '${Arn1}/*'", A_B, A, "refused drift");
    hcl("each.value", A_B, A, "refused conditional-source");
    yaml("!Ref Arns", A_B, A, "refused conditional-source");
    yaml("!Split [',', !ImportValue X]", A_B, A, "refused conditional-source");
}

#[test]
fn a_narrowed_expression_keeps_the_parts_that_still_hold() {
    let (dev, orders) = (r#""arn:aws:s3:::dev-*""#, r#""arn:aws:s3:::dev-orders""#);
    yaml("!Sub 'arn:aws:s3:::${Env}-*'", dev, orders, "safe: Resource: !Sub 'arn:aws:s3:::${Env}-orders'");
    yaml("!Sub 'arn:aws:s3:::${Env}-*'", dev, r#""arn:aws:s3:::other""#, "review (`${Env}` gives way to a literal)");
    yaml("!ImportValue X", dev, orders, "review (`!ImportValue X` gives way to a literal)");
    hcl(
        r#""arn:aws:s3:::${var.env}-*""#,
        dev,
        orders,
        "safe: { Effect = \"Allow\", Action = \"s3:GetObject\", Resource = \"arn:aws:s3:::${var.env}-orders\"",
    );
}

#[test]
fn closed_values_explain_only_themselves() {
    let files = |bucket: &str| format!(r#""arn:aws:s3:::{bucket}/*""#);
    let images = |bucket: &str| format!(r#""arn:aws:s3:::{bucket}/i/*""#);
    let map = "!Join ['', ['arn:aws:s3:::', !FindInMap [M, !Ref Env, b], '/*']]";
    for (source, known, other) in [("!Sub 'arn:aws:s3:::${Stage}/*'", "prod", "qa"), (map, "bprod", "other")] {
        yaml(source, &files(other), &images(other), "refused drift");
        let set = run(("t.yaml", &template(source)), LOGICAL, &one(&files(known)), &one(&images(known)));
        assert_eq!(set.refused, [], "{source}");
    }
}

#[test]
fn the_version_is_compared_and_written() {
    let source = template("'arn:aws:s3:::b/*'");
    let (old, new) = (source.replace("'2012-10-17'", "'2008-10-17'"), one(r#""arn:aws:s3:::b/${aws:username}""#));
    let before = one(r#""arn:aws:s3:::b/*""#);
    let before_2008 = before.replace("2012", "2008");
    check(("t.yaml", &old), LOGICAL, &before, &new, "refused drift");
    check(("t.yaml", &old), LOGICAL, &before_2008, &before, "safe: Version: '2012-10-17'");
    check(("t.yaml", &old), LOGICAL, &before_2008, &new, "review (`Version` becomes 2012-10-17");
}

#[test]
fn a_key_that_stands_twice_is_refused() {
    let source = template("'arn:aws:s3:::b/*'");
    let (before, after) = (one(r#""arn:aws:s3:::b/*""#), one(r#""arn:aws:s3:::b/x""#));
    let line = "                Action: s3:GetObject\n";
    let twice = source.replace(line, &format!("{line}                Action: '*'\n"));
    check(("t.yaml", &twice), LOGICAL, &before, &after, "refused ambiguous-source");
    let twice = format!("{source}  R:\n    Type: AWS::IAM::Role\n    Properties: {{Policies: []}}\n");
    check(("t.yaml", &twice), LOGICAL, &before, &after, "refused ambiguous-source");
}

#[test]
fn statements_that_could_each_be_the_deployed_one_are_refused() {
    let both = r#"["s3:GetObject", "s3:PutObject"]"#;
    let of = |bucket: &str, actions: &str| statement(actions, &format!(r#""arn:aws:s3:::{bucket}/*""#));
    let before = document(&[of("dev", both), of("prod", both)]);
    let after = document(&[of("dev", r#""s3:GetObject""#), of("prod", both)]);
    let import = |name: &str| {
        format!(
            "              - Effect: Allow\n                Action: [s3:GetObject, s3:PutObject]\n                Resource: !ImportValue {name}\n"
        )
    };
    let head = format!("{HEAD}            Version: '2012-10-17'\n            Statement:\n");
    let source = format!("{head}{}{}", import("prod"), import("dev"));
    check(("t.yaml", &source), LOGICAL, &before, &after, "refused ambiguous-source");
    let inside =
        |name: &str| import(name).replace("\n  ", "\n      ").replace("              - ", "                  - ");
    let source = format!("{head}              - !If\n                  - P\n{}{}", inside("prod"), inside("dev"));
    let (before, after) = (document(&[of("dev", both)]), document(&[of("dev", r#""s3:GetObject""#)]));
    check(("t.yaml", &source), LOGICAL, &before, &after, "refused ambiguous-source");
}

#[test]
fn a_policy_is_not_removed_uncompared() {
    let source = template("'arn:aws:s3:::b/*'");
    check(("t.yaml", &source), LOGICAL, "null", &document(&[]), "refused empty-change");
    check(("main.tf", &terraform("\"*\"")), ROLE, "null", &document(&[]), "refused empty-change");
}

#[test]
fn a_module_called_twice_is_for_the_roles_of_its_calls_alone() {
    let call =
        |label: &str, role: &str| format!("module \"{label}\" {{\n  source = \"./role\"\n  name = \"{role}\"\n}}\n");
    let module = terraform("\"*\"").replace("name = \"app\"", "name = var.name") + "variable \"name\" {}\n";
    let main = call("a", "app") + &call("b", "app2");
    let (project, _) = Project::read(vec![source("main.tf", &main), source("role/main.tf", &module)]);
    let snapshot = Snapshot::default();
    let (index, _) = SnapshotIndex::new(&snapshot);
    let found = |name: &str| iam_patch::locate_in_source(&project, &index, name).0.len();
    assert_eq!((found("app"), found("app2"), found("zzz")), (1, 1, 0));
}

const SERVERLESS: &str = "service: shop
provider:
  name: aws
  stage: dev
  iamRoleStatements:
    - Effect: Allow
      Action: s3:GetObject
      Resource: 'arn:aws:s3:::b/*'
functions:
  hello: {handler: h.x}
";

#[test]
fn the_role_of_the_older_keys_is_found_from_the_source_alone() {
    let role = |name: &str| {
        format!(r#"{{"principal_arn": "arn:aws:iam::123456789012:role/{name}", "policy_name": "shop-dev-lambda"}}"#)
    };
    let (before, after) = (one(r#""arn:aws:s3:::b/*""#), one(r#""arn:aws:s3:::b/x""#));
    for region in ["eu-west-1", "us-gov-west-1"] {
        let role = role(&format!("shop-dev-{region}-lambdaRole"));
        check(("serverless.yml", SERVERLESS), &role, &before, &after, "safe: Resource: 'arn:aws:s3:::b/x'");
    }
    check(
        ("serverless.yml", SERVERLESS),
        &role("other-dev-eu-west-1-lambdaRole"),
        &before,
        &after,
        "refused not-in-source",
    );
    let after = one(r#""arn:aws:s3:::b/${aws:username}/*""#);
    let role = role("shop-dev-eu-west-1-lambdaRole");
    check(("serverless.yml", SERVERLESS), &role, &before, &after, "refused form-unsupported");
}

#[test]
fn a_role_whose_name_is_partly_open_is_found() {
    let (before, after) = (one(r#""arn:aws:s3:::b/*""#), one(r#""arn:aws:s3:::b/x""#));
    for (name, wanted) in [
        ("!Sub 'ap${Env}'", "safe: "),
        ("!Sub '${AWS::StackName}pp'", "safe: "),
        ("!Sub 'x-${Env}'", "refused not-in-source"),
    ] {
        let source = template("'arn:aws:s3:::b/*'").replace("RoleName: app", &format!("RoleName: {name}"));
        check(("t.yaml", &source), ROLE, &before, &after, wanted);
    }
}

#[test]
fn the_only_policy_of_the_only_property_leaves_an_empty_list() {
    let source = template("'arn:aws:s3:::b/*'").replace("      RoleName: app\n", "");
    let before = one(r#""arn:aws:s3:::b/*""#);
    check(("t.yaml", &source), LOGICAL, &before, "null", "safe: []");
}
