//! Blocks of other accounts and Regions: never edited, and named only where they are what the proof speaks of.

use iam_model::action::ActionPattern;
use iam_model::arn::ResourcePattern;
use iam_model::change::{Attachment, Change};
use iam_model::policy::{PolicyDocument, Statement};
use iam_model::snapshot::{Snapshot, SnapshotIndex};
use iam_model::text::{SourceName, SourceText};

use crate::{Disposition, Project, locate_in_source, patch};

const TRUST: &str = r#"assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }] })"#;

/// A role `app` and its policy, each with a line of its own.
fn role(label: &str, line: &str) -> String {
    format!(
        r#"
resource "aws_iam_role" "{label}" {{
  {line}
  name = "app"
  {TRUST}
}}
resource "aws_iam_role_policy" "{label}" {{
  {line}
  name   = "p"
  role   = aws_iam_role.{label}.id
  policy = jsonencode({{
    Version   = "2012-10-17"
    Statement = [{{ Effect = "Allow", Action = "dynamodb:*", Resource = "*" }}]
  }})
}}
"#
    )
}

fn allow(action: &str, resource: &str) -> PolicyDocument {
    PolicyDocument::new(vec![Statement::allow(vec![ActionPattern::new(action)], vec![ResourcePattern::new(resource)])])
}

fn project(files: &[(&str, &str)]) -> Project {
    let source = |(name, text): &(&str, &str)| SourceText { name: SourceName::new(name), text: (*text).to_owned() };
    Project::read(files.iter().map(source).collect()).0
}

/// What becomes of the role `app` of account 111122223333 when it is cut to one action on one resource: the new resource
/// and the block it is in, or why nothing is written.
fn outcome(files: &[(&str, &str)], resource: &str) -> String {
    let snapshot = Snapshot::default();
    let (index, _) = SnapshotIndex::new(&snapshot);
    let role = "arn:aws:iam::111122223333:role/app".parse().unwrap();
    let change = Change {
        attachment: Attachment::identity(role, "p".into()),
        before: Some(allow("dynamodb:*", "*")),
        after: Some(allow("dynamodb:GetItem", resource)),
        reasons: Vec::new(),
    };
    let set = patch(&project(files), &index, &[change]);
    if let Some(refused) = set.refused.first() {
        return format!("{}: {}", refused.refusal.code, refused.refusal.hint.clone().unwrap_or_default());
    }
    let [file] = set.patches.as_slice() else { return "nothing".into() };
    let before = file.edits[0].start;
    let blocks = file.before.match_indices("resource \"aws_iam_role_policy\" \"");
    let (at, _) = blocks.filter(|(at, _)| *at < before).last().unwrap();
    let label = file.before.get(at..).unwrap().split('"').nth(3).unwrap();
    let new = file.after.lines().find(|line| line.contains("GetItem")).unwrap();
    let new = new.split("Resource = ").nth(1).unwrap().split(" }").next().unwrap();
    let safe = if file.disposition == Disposition::Safe { "safe" } else { "review" };
    format!("{safe} {label}: {new}")
}

const HERE: &str = "arn:aws:dynamodb:us-east-1:111122223333:table/orders";
const DR: &str = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders";
const HUB: &str = "arn:aws:dynamodb:us-east-1:444455556666:table/orders";

const PROVIDERS: &str = r#"
provider "aws" {
  region = "us-east-1"
}
provider "aws" {
  alias  = "dr"
  region = "eu-west-1"
}
provider "aws" {
  alias  = "hub"
  region = "us-east-1"
  assume_role {
    role_arn = "arn:aws:iam::444455556666:role/deploy"
  }
}
provider "aws" {
  alias   = "profile"
  region  = "us-east-1"
  profile = var.profile
}
provider "aws" {
  alias  = "open"
  region = var.second_region
}
variable "profile" {}
variable "second_region" { default = "us-east-1" }
"#;

#[test]
fn a_table_of_another_account_or_region_is_not_what_a_reference_means() {
    let table =
        |line: &str| format!("resource \"aws_dynamodb_table\" \"orders\" {{\n  {line}\n  name = \"orders\"\n}}\n");
    let reference = "aws_dynamodb_table.orders.arn";
    let cases = [
        ("", HERE, reference),
        ("", DR, DR),
        ("", HUB, HUB),
        ("provider = aws", HERE, reference),
        ("provider = aws.dr", HERE, HERE),
        ("provider = aws.dr", DR, reference),
        ("region = \"eu-west-1\"", HERE, HERE),
        ("region = \"eu-west-1\"", DR, reference),
        ("region = var.second_region", HERE, HERE),
        ("provider = aws.hub", HERE, HERE),
        ("provider = aws.hub", HUB, reference),
        ("provider = aws.profile", HERE, HERE),
        ("provider = aws.open", HERE, HERE),
        ("provider = aws.nowhere", HERE, HERE),
    ];
    for (line, arn, expected) in cases {
        let text = format!("{PROVIDERS}{}{}", table(line), role("r", ""));
        let expected = if expected == reference { expected.to_owned() } else { format!("\"{expected}\"") };
        assert_eq!(outcome(&[("main.tf", &text)], arn), format!("safe r: {expected}"), "{line}, {arn}");
    }
}

#[test]
fn a_default_region_that_is_not_written_does_not_make_an_aliased_table_the_one_meant() {
    let text = format!(
        "provider \"aws\" {{}}\nprovider \"aws\" {{\n  alias = \"hub\"\n  assume_role {{ role_arn = \"arn:aws:iam::444455556666:role/hub\" }}\n}}\nresource \"aws_dynamodb_table\" \"orders\" {{\n  provider = aws.hub\n  name = \"orders\"\n}}\n{}",
        role("r", "")
    );
    assert_eq!(outcome(&[("main.tf", &text)], HERE), format!("safe r: \"{HERE}\""));
}

#[test]
fn a_data_source_of_another_account_does_not_give_this_ones_number() {
    let text = format!(
        "{PROVIDERS}data \"aws_caller_identity\" \"me\" {{ provider = aws.hub }}\ndata \"aws_region\" \"here\" {{ region = \"eu-west-1\" }}\n{}",
        role("r", "")
    );
    assert_eq!(outcome(&[("main.tf", &text)], HERE), format!("safe r: \"{HERE}\""));
}

#[test]
fn the_role_of_another_account_is_not_edited() {
    let one = |line: &str| format!("{PROVIDERS}{}", role("r", line));
    let refused = "not-in-source: `aws_iam_role.r` has the name, but its provider works in another account or Region, or does not say in which";
    for line in ["provider = aws.hub", "provider = aws.profile", "provider = aws.nowhere"] {
        assert_eq!(outcome(&[("main.tf", &one(line))], HERE), refused, "{line}");
    }
    // IAM has no Regions: a provider for another one, with the same credentials, is the same account.
    for line in ["provider = aws.dr", "provider = aws.open"] {
        assert_eq!(outcome(&[("main.tf", &one(line))], HERE), format!("safe r: \"{HERE}\""), "{line}");
    }
}

#[test]
fn of_two_roles_of_one_name_the_one_of_the_account_is_edited() {
    let text = format!("{PROVIDERS}{}{}", role("a_hub", "provider = aws.hub"), role("main", ""));
    assert_eq!(outcome(&[("main.tf", &text)], HERE), format!("safe main: \"{HERE}\""));
}

#[test]
fn a_default_provider_of_another_account_owns_no_role() {
    let text = format!(
        "provider \"aws\" {{\n  assume_role {{\n    role_arn = \"arn:aws:iam::444455556666:role/d\"\n  }}\n}}\n{}",
        role("r", "")
    );
    assert!(outcome(&[("main.tf", &text)], HERE).starts_with("not-in-source"));
    let allowed = format!("provider \"aws\" {{\n  allowed_account_ids = [\"444455556666\"]\n}}\n{}", role("r", ""));
    assert!(outcome(&[("main.tf", &allowed)], HERE).starts_with("not-in-source"));
}

#[test]
fn a_module_is_where_its_call_says() {
    let module = role("r", "");
    let call = |name: &str, providers: &str| format!("module \"{name}\" {{\n  source = \"./mod\"\n{providers}\n}}\n");
    let root = |calls: &str| format!("{PROVIDERS}{calls}");
    let run = |calls: &str| outcome(&[("main.tf", &root(calls)), ("mod/main.tf", &module)], HERE);
    let done = format!("safe r: \"{HERE}\"");
    assert_eq!(run(&call("a", "")), done);
    assert_eq!(run(&call("a", "  providers = {\n    aws = aws.dr\n  }")), done);
    assert!(run(&call("a", "  providers = {\n    aws = aws.hub\n  }")).starts_with("not-in-source"));
    // The call of the other account stands for another role.
    let both = call("a", "") + &call("b", "  providers = {\n    aws = aws.hub\n  }");
    assert_eq!(run(&both), done.replace("safe", "review"));
    // One folder for each environment, each with a provider of its own.
    let folder = |name: &str| format!("provider \"aws\" {{}}\nmodule \"{name}\" {{\n  source = \"../../mod\"\n}}\n");
    let (dev, prod) = (folder("dev"), folder("prod"));
    let files = [("envs/dev/main.tf", &*dev), ("envs/prod/main.tf", &*prod), ("mod/main.tf", &*module)];
    assert_eq!(outcome(&files, HERE), done.replace("safe", "review"));
}

#[test]
fn a_role_is_found_by_name_whatever_account_its_provider_names() {
    let snapshot = Snapshot::default();
    let (index, _) = SnapshotIndex::new(&snapshot);
    let text = format!("{PROVIDERS}{}", role("r", "provider = aws.hub"));
    let (found, _) = locate_in_source(&project(&[("main.tf", &text)]), &index, "app");
    assert!(found.iter().any(|location| location.logical_id == "aws_iam_role_policy.r"), "{found:?}");
}
