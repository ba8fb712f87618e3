//! One text, several deployments: nothing is written that is not meant for all of them.

mod holders;

use iam_model::action::ActionPattern;
use iam_model::arn::ResourcePattern;
use iam_model::change::{Attachment, Change};
use iam_model::policy::{PolicyDocument, Statement};
use iam_model::snapshot::{self, SnapshotIndex};
use iam_model::text::{SourceName, SourceText};

use crate::{Disposition, Project, joined, patch};

/// A deployed role: account, name, and the statements of its policy `p`, each its actions and its resource.
type Deployed<'a> = (&'a str, &'a str, Vec<(&'a str, &'a str)>);

const A: &str = "111122223333";
const B: &str = "444455556666";

fn arn(account: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:role/{name}")
}

fn document(statements: &[(&str, &str)]) -> PolicyDocument {
    let one = |(actions, resource): &(&str, &str)| {
        let actions = actions.split(' ').map(ActionPattern::new).collect();
        Statement::allow(actions, vec![ResourcePattern::new(resource)])
    };
    PolicyDocument::new(statements.iter().map(one).collect())
}

/// An account's functions, each with its Region, stack and role; its logical id is `F`.
type Functions<'a> = &'a [(&'a str, &'a str, &'a str)];

fn snapshot(roles: &[Deployed<'_>]) -> snapshot::Snapshot {
    snapshot_with(roles, &[])
}

fn snapshot_with(roles: &[Deployed<'_>], functions: Functions<'_>) -> snapshot::Snapshot {
    let functions = functions.iter().map(|(region, stack, role)| {
        format!(
            r#"{{"kind": "lambda.function", "arn": "arn:aws:lambda:{region}:{A}:function:{role}", "role_arn": "{}",
            "api": {{"Tags": {{"aws:cloudformation:stack-name": "{stack}", "aws:cloudformation:logical-id": "F"}}}}}}"#,
            arn(A, role)
        )
    });
    let functions = functions.collect::<Vec<_>>().join(", ");
    let of = |account: &str| {
        let one = |(_, name, statements): &Deployed<'_>| {
            let statements = statements.iter().map(|(actions, resource)| {
                let actions = actions.split(' ').map(|action| format!("\"{action}\"")).collect::<Vec<_>>().join(", ");
                format!(r#"{{"Effect": "Allow", "Action": [{actions}], "Resource": "{resource}"}}"#)
            });
            let statements = statements.collect::<Vec<_>>().join(", ");
            format!(
                r#"{{"RoleName": "{name}", "Arn": "{}", "AssumeRolePolicyDocument": {{"Version": "2012-10-17", "Statement": []}},
                "RolePolicyList": [{{"PolicyName": "p", "PolicyDocument": {{"Version": "2012-10-17", "Statement": [{statements}]}}}}]}}"#,
                arn(account, name)
            )
        };
        let own = roles.iter().filter(|(own, ..)| *own == account).map(one).collect::<Vec<_>>().join(", ");
        let functions = if account == A { functions.as_str() } else { "" };
        format!(
            r#""{account}": {{"authorization_details": {{"RoleDetailList": [{own}]}}, "resources": [{functions}]}}"#
        )
    };
    let text = format!(r#"{{"schema": "paring-snapshot/1", "accounts": {{{}, {}}}}}"#, of(A), of(B));
    snapshot::read(SourceText { name: SourceName::new("snapshot.json"), text }).unwrap().0
}

fn project(files: &[(&str, &str)]) -> Project {
    let source = |(name, text): &(&str, &str)| SourceText { name: SourceName::new(name), text: (*text).to_owned() };
    Project::read(files.iter().map(source).collect()).0
}

/// What each role of `wanted` should be left with.
fn changes(roles: &[Deployed<'_>], wanted: &[Deployed<'_>]) -> Vec<Change> {
    let one = |(account, name, after): &Deployed<'_>| {
        let before = roles.iter().find(|(a, n, _)| a == account && n == name).map(|(.., before)| document(before));
        Change {
            attachment: Attachment::identity(arn(account, name).parse().unwrap(), "p".into()),
            before,
            after: Some(document(after)),
            reasons: Vec::new(),
        }
    };
    wanted.iter().map(one).collect()
}

/// `safe` or `review`, with the words that are new, after each refusal's role and code.
fn outcome(files: &[(&str, &str)], roles: &[Deployed<'_>], changes: &[Change]) -> String {
    outcome_in(&snapshot(roles), files, changes)
}

fn outcome_in(snapshot: &snapshot::Snapshot, files: &[(&str, &str)], changes: &[Change]) -> String {
    let (index, _) = SnapshotIndex::new(snapshot);
    let set = patch(&project(files), &index, changes);
    let name = |number: usize| changes[number].attachment.principal_arn.clone().unwrap().name().to_owned();
    let refused = set.refused.iter().map(|one| format!("{}: {}", name(one.change), one.refusal.code));
    let written = set.patches.iter().map(|patch| {
        let new = patch.diff.lines().skip(2).filter_map(|line| line.strip_prefix('+')).map(str::trim);
        let new = new.collect::<Vec<_>>().join(" | ");
        match &patch.disposition {
            Disposition::Safe => format!("safe {new}"),
            Disposition::NeedsReview(_) => format!("review {new}"),
        }
    });
    refused.chain(written).collect::<Vec<_>>().join("; ")
}

/// The changes after they were joined.
fn join(files: &[(&str, &str)], roles: &[Deployed<'_>], changes: &[Change]) -> Vec<Change> {
    let snapshot = snapshot(roles);
    let (index, _) = SnapshotIndex::new(&snapshot);
    let new = joined(&project(files), &index, changes);
    changes.iter().zip(new).map(|(old, new)| new.unwrap_or_else(|| old.clone())).collect()
}

const TEMPLATE: &str = "AWSTemplateFormatVersion: '2010-09-09'
Parameters:
  Env: {Type: String}
Resources:
  Orders:
    Type: AWS::DynamoDB::Table
  R:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyName: p
          PolicyDocument:
            Version: '2012-10-17'
            Statement:
              - Effect: Allow
                Action: [dynamodb:GetItem, dynamodb:PutItem, dynamodb:Scan]
                Resource: '*'
";

const TERRAFORM: &str = r#"variable "env" {}
resource "aws_iam_role" "r" {
  name = "app-${var.env}"
}
resource "aws_iam_role_policy" "p" {
  name   = "p"
  role   = aws_iam_role.r.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan"], Resource = "*" }]
  })
}
"#;

const SERVERLESS: &str = "service: svc
provider:
  name: aws
  stage: ${opt:stage, 'dev'}
  iam:
    role:
      statements:
        - Effect: Allow
          Action: [dynamodb:GetItem, dynamodb:PutItem, dynamodb:Scan]
          Resource: '*'
functions:
  hello: {handler: h.hello}
";

const ALL: &str = "dynamodb:GetItem dynamodb:PutItem dynamodb:Scan";

/// An account and a role's name.
type Role = (&'static str, &'static str);

/// What a world is called, its files, and the two roles that they make.
type World = (&'static str, Vec<(&'static str, String)>, [Role; 2]);

/// Every kind of text that stands for two roles.
fn worlds() -> Vec<World> {
    let one = |name, text: &str| vec![(name, text.to_owned())];
    let loops = TERRAFORM
        .replace("name = \"app-${var.env}\"", "for_each = toset([\"app-dev\", \"app-prod\"])\n  name = each.value")
        .replace("name   = \"p\"", "for_each = toset([\"app-dev\", \"app-prod\"])\n  name   = \"p\"")
        .replace("aws_iam_role.r.id", "aws_iam_role.r[each.value].id");
    let calls = "module \"dev\" {\n  source = \"./mod\"\n  env = \"dev\"\n}\nmodule \"prod\" {\n  source = \"./mod\"\n  env = \"prod\"\n}\n";
    let workspace = TERRAFORM.replace("var.env", "terraform.workspace");
    let named = TEMPLATE.replace("      Policies:", "      RoleName: !Sub 'app-${Env}'\n      Policies:");
    let fixed = TEMPLATE.replace("      Policies:", "      RoleName: app\n      Policies:");
    let fixed_terraform = TERRAFORM.replace("app-${var.env}", "app");
    let apps = [(A, "app-dev"), (A, "app-prod")];
    vec![
        ("two stacks", one("t.yaml", TEMPLATE), [(A, "orders-dev-R-1A2B3C4D5E6F"), (A, "orders-prod-R-1A2B3C4D5E6F")]),
        ("a parameter in the name", one("t.yaml", &named), apps),
        ("one stack in each account", one("t.yaml", &fixed), [(A, "app"), (B, "app")]),
        ("a variable in the name", one("main.tf", TERRAFORM), apps),
        ("a workspace in the name", one("main.tf", &workspace), apps),
        ("one state for each account", one("main.tf", &fixed_terraform), [(A, "app"), (B, "app")]),
        ("a loop", one("main.tf", &loops), apps),
        ("two calls", vec![("main.tf", calls.to_owned()), ("mod/main.tf", TERRAFORM.to_owned())], apps),
        (
            "two stages",
            one("serverless.yml", SERVERLESS),
            [(A, "svc-dev-us-east-1-lambdaRole"), (A, "svc-prod-us-east-1-lambdaRole")],
        ),
    ]
}

/// Runs a check on every world: its name, its files, its roles, and the two roles.
fn everywhere(check: impl Fn(&str, &[(&str, &str)], &[Deployed<'_>], [Role; 2])) {
    for (what, files, two) in worlds() {
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let roles: Vec<Deployed<'_>> = two.iter().map(|(account, name)| (*account, *name, vec![(ALL, "*")])).collect();
        check(what, &files, &roles, two);
    }
}

#[test]
fn a_text_deployed_twice_is_not_cut_to_what_one_deployment_uses() {
    everywhere(|what, files, roles, [dev, prod]| {
        let cut = |(account, name), actions| (account, name, vec![(actions, "*")]);
        let both = changes(roles, &[cut(dev, "dynamodb:GetItem"), cut(prod, "dynamodb:PutItem")]);
        let expected = format!("{}: several-deployments; {}: several-deployments", dev.1, prod.1);
        assert_eq!(outcome(files, roles, &both), expected, "{what}");
        // The other one is in the snapshot, and nobody asked for it.
        let one = changes(roles, &[cut(dev, "dynamodb:GetItem")]);
        assert_eq!(outcome(files, roles, &one), format!("{}: several-deployments", dev.1), "{what}");
    });
}

#[test]
fn a_text_deployed_twice_is_cut_to_what_both_deployments_use() {
    everywhere(|what, files, roles, [dev, prod]| {
        let cut = |(account, name), actions| (account, name, vec![(actions, "*")]);
        let both = changes(roles, &[cut(dev, "dynamodb:GetItem"), cut(prod, "dynamodb:PutItem")]);
        let both = join(files, roles, &both);
        for change in &both {
            let after = change.after.clone().unwrap();
            assert!(after.same_text(&document(&[("dynamodb:GetItem dynamodb:PutItem", "*")])), "{what}: {after:?}");
        }
        let written = outcome(files, roles, &both);
        assert!(!written.contains("several"), "{what}: {written}");
        assert!(written.contains("GetItem") && written.contains("PutItem") && !written.contains("Scan"), "{what}");
        // What is equal is written for both, and stays as it is.
        let same = changes(roles, &[cut(dev, "dynamodb:GetItem"), cut(prod, "dynamodb:GetItem")]);
        assert_eq!(join(files, roles, &same), same, "{what}");
        let written = outcome(files, roles, &same);
        assert!(written.contains("GetItem") && !written.contains("PutItem") && !written.contains("several"), "{what}");
    });
}

/// A template whose function `F` runs as `R`, beside a table with a name of its own.
fn with_function() -> String {
    let table = "AWS::DynamoDB::Table\n    Properties: {TableName: !Sub 'orders-${Env}'}";
    let function = "  F:\n    Type: AWS::Lambda::Function\n    Properties: {Role: !GetAtt R.Arn}\n";
    TEMPLATE.replace("AWS::DynamoDB::Table", table) + function
}

#[test]
fn resources_are_cut_where_the_text_says_them_alike() {
    let text = with_function().replace("orders-${Env}", "${AWS::StackName}-orders");
    let files = [("t.yaml", &*text)];
    let (dev, prod) = ("dev-R-1A2B3C4D5E6F", "prod-R-1A2B3C4D5E6F");
    let table = |env: &str| format!("arn:aws:dynamodb:us-east-1:{A}:table/{env}-orders");
    let roles = [(A, dev, vec![(ALL, "*")]), (A, prod, vec![(ALL, "*")])];
    let (one, other) = (table("dev"), table("prod"));
    let wanted = [(A, dev, vec![("dynamodb:GetItem", &*one)]), (A, prod, vec![("dynamodb:PutItem", &*other)])];
    let wanted = changes(&roles, &wanted);
    let snapshot = snapshot_with(&roles, &[("us-east-1", "dev", dev), ("us-east-1", "prod", prod)]);
    let (index, _) = SnapshotIndex::new(&snapshot);
    let new = joined(&project(&files), &index, &wanted);
    let both: Vec<Change> = new.into_iter().flatten().collect();
    assert_eq!(both.len(), 2);
    assert_eq!(
        outcome_in(&snapshot, &files, &both),
        "safe Action: [dynamodb:GetItem, dynamodb:PutItem] | Resource: !GetAtt Orders.Arn"
    );
    assert!(
        both[0].after.clone().unwrap().same_text(&document(&[("dynamodb:GetItem dynamodb:PutItem", &table("dev"))]))
    );
}

#[test]
fn stacks_of_one_name_in_two_regions_are_two() {
    let text = with_function().replace("!Sub 'orders-${Env}'", "orders");
    let files = [("t.yaml", &*text)];
    let (here, there) = ("app-R-1A2B3C4D5E6F", "app-R-6F5E4D3C2B1A");
    let table = |region: &str| format!("arn:aws:dynamodb:{region}:{A}:table/orders");
    let (own, other) = (table("us-east-1"), table("eu-west-1"));
    let roles = [(A, here, vec![(ALL, "*")]), (A, there, vec![(ALL, "*")])];
    let snapshot = snapshot_with(&roles, &[("us-east-1", "app", here), ("eu-west-1", "app", there)]);
    let cut = |here_on: &str, there_on: &str| {
        let wanted = [(A, here, vec![("dynamodb:GetItem", here_on)]), (A, there, vec![("dynamodb:GetItem", there_on)])];
        outcome_in(&snapshot, &files, &changes(&roles, &wanted))
    };
    assert_eq!(cut(&own, &other), "safe Action: [dynamodb:GetItem] | Resource: !GetAtt Orders.Arn");
    let refused = format!("{here}: several-deployments; {there}: several-deployments");
    assert_eq!(cut(&other, &own), refused);
    assert_eq!(cut(&own, &own), refused);
}

#[test]
fn a_table_of_another_region_is_not_the_templates() {
    let text = with_function().replace("!Sub 'orders-${Env}'", "orders");
    let role = "app-R-1A2B3C4D5E6F";
    let roles = [(A, role, vec![(ALL, "*")])];
    for functions in [&[("us-east-1", "app", role)][..], &[]] {
        let snapshot = snapshot_with(&roles, functions);
        for elsewhere in [
            format!("arn:aws:dynamodb:eu-west-1:{A}:table/orders"),
            format!("arn:aws:dynamodb:us-east-1:{B}:table/orders"),
        ] {
            let wanted = changes(&roles, &[(A, role, vec![("dynamodb:GetItem", &*elsewhere)])]);
            let written = outcome_in(&snapshot, &[("t.yaml", &*text)], &wanted);
            assert!(written.starts_with("safe") && !written.contains("GetAtt"), "{written}");
        }
    }
}

#[test]
fn a_statement_that_only_one_deployment_gives_up_stays() {
    let two = TEMPLATE.to_owned()
        + "              - Effect: Allow\n                Action: sqs:*\n                Resource: arn:aws:sqs:us-east-1:111122223333:jobs\n";
    let files = [("t.yaml", &*two)];
    let queue = "arn:aws:sqs:us-east-1:111122223333:jobs";
    let all = vec![(ALL, "*"), ("sqs:*", queue)];
    let roles = [(A, "o-dev-R-1A2B3C4D5E6F", all.clone()), (A, "o-prod-R-1A2B3C4D5E6F", all)];
    let wanted = changes(
        &roles,
        &[
            (A, roles[0].1, vec![(ALL, "*")]),
            (A, roles[1].1, vec![("dynamodb:GetItem", "*"), ("sqs:SendMessage", queue)]),
        ],
    );
    assert_eq!(
        outcome(&files, &roles, &wanted),
        "o-dev-R-1A2B3C4D5E6F: several-deployments; o-prod-R-1A2B3C4D5E6F: several-deployments"
    );
    let both = join(&files, &roles, &wanted);
    for change in &both {
        let after = change.after.clone().unwrap();
        assert!(after.same_text(&document(&[(ALL, "*"), ("sqs:SendMessage", queue)])), "{after:?}");
    }
}

#[test]
fn a_deployment_that_drifted_from_the_text_waits_for_a_look() {
    let roles = [
        (A, "orders-dev-R-1A2B3C4D5E6F", vec![(ALL, "*")]),
        (A, "orders-prod-R-1A2B3C4D5E6F", vec![("dynamodb:Query", "*")]),
    ];
    let one = changes(&roles, &[(A, roles[0].1, vec![("dynamodb:GetItem", "*")])]);
    let written = outcome(&[("t.yaml", TEMPLATE)], &roles, &one);
    assert!(written.starts_with("review"), "{written}");
}

#[test]
fn roles_of_other_texts_are_no_deployments() {
    let roles = [
        (A, "orders-dev-R-1A2B3C4D5E6F", vec![(ALL, "*")]),
        (A, "orders-dev-S-1A2B3C4D5E6F", vec![(ALL, "*")]),
        (A, "app-dev", vec![(ALL, "*")]),
    ];
    let one = changes(&roles, &[(A, roles[0].1, vec![("dynamodb:GetItem", "*")])]);
    let written = outcome(&[("t.yaml", TEMPLATE)], &roles, &one);
    assert!(written.starts_with("safe"), "{written}");
}

#[test]
fn a_stack_set_reaches_accounts_that_are_not_seen() {
    let name = "StackSet-base-0f0e0d0c-1111-2222-3333-444455556666-R-1A2B3C4D5E6F";
    let roles = [(A, name, vec![(ALL, "*")])];
    let one = changes(&roles, &[(A, name, vec![("dynamodb:GetItem", "*")])]);
    assert!(outcome(&[("t.yaml", TEMPLATE)], &roles, &one).starts_with("review"));
}

#[test]
fn statements_of_the_framework_stay_and_those_of_the_file_are_cut() {
    let logs = "arn:aws:logs:us-east-1:111122223333:log-group:/aws/lambda/svc-dev*:*";
    let role = "svc-dev-us-east-1-lambdaRole";
    let own = "logs:CreateLogStream logs:CreateLogGroup logs:TagResource";
    let roles = [(A, role, vec![(own, logs), ("logs:PutLogEvents", logs), (ALL, "*")])];
    let wanted = changes(
        &roles,
        &[(
            A,
            role,
            vec![("logs:CreateLogStream logs:CreateLogGroup logs:PutLogEvents", logs), ("dynamodb:GetItem", "*")],
        )],
    );
    let files = [("serverless.yml", SERVERLESS)];
    let kept = join(&files, &roles, &wanted);
    let after = kept[0].after.clone().unwrap();
    let actions: Vec<&str> =
        after.statements.iter().flat_map(|s| s.action.patterns()).map(|p| p.value.as_str()).collect();
    assert!(actions.contains(&"logs:TagResource") && !actions.contains(&"dynamodb:Scan"), "{actions:?}");
    let written = outcome(&files, &roles, &kept);
    assert_eq!(written, "safe Action: [dynamodb:GetItem]");
    // Asked of the patch alone, it is refused: nothing is written that was not asked for.
    assert_eq!(outcome(&files, &roles, &wanted), format!("{role}: written-by-sam"));
}
