//! Proposals for small accounts: what stays, what goes, and what nothing is said about.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use iam_evaluate::permission_set::{Inclusion, Limits, PermissionSet, Possibility};
use iam_model::action::{Action, ActionPattern};
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::catalog::{Catalog, Logging};
use iam_model::policy::{PrintStyle, compact_len, print};
use iam_model::quota::QuotaProfile;
use iam_model::snapshot::{Snapshot, SnapshotIndex, read};
use iam_model::text::{SourceName, SourceText};
use iam_model::time::Timestamp;
use iam_model::usage::{Coverage, Observation, PrincipalUsage, UsageLog, Visibility};
use proptest::prelude::*;

use crate::{Evidence, Grade, Judgement, KeepRule, RoleProposal, Rules, synthesize};

mod boundaries;
mod bounded;
mod configured;
mod implied;
mod minimal;
mod sources;
mod stable;
mod suggested;
mod unexplained;

const ROLE: &str = "arn:aws:iam::111122223333:role/orders";
const TABLE: &str = "arn:aws:dynamodb:us-east-1:111122223333:table/Orders";
const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:orders";

/// An account with one role that holds these inline policies (JSON statements), and one function that runs as it.
fn snapshot(policies: &[&str], managed: &str, function: &str) -> Snapshot {
    let inline: Vec<String> = (policies.iter().enumerate())
        .map(|(i, statements)| {
            format!(
                r#"{{"PolicyName": "p{i}", "PolicyDocument": {{"Version": "2012-10-17", "Statement": {statements}}}}}"#
            )
        })
        .collect();
    let text = format!(
        r#"{{"schema": "paring-snapshot/1", "organization": null, "accounts": {{"111122223333": {{
        "authorization_details": {{"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [{{"Path": "/", "RoleName": "orders",
          "RoleId": "AROAEXAMPLE", "Arn": "{ROLE}", "InstanceProfileList": [], "AssumeRolePolicyDocument": {{"Version": "2012-10-17",
          "Statement": [{{"Effect": "Allow", "Principal": {{"Service": "lambda.amazonaws.com"}}, "Action": "sts:AssumeRole"}}]}},
          "RolePolicyList": [{}], "AttachedManagedPolicies": [{managed}]}}], "Policies": [
          {{"PolicyName": "AdministratorAccess", "Arn": "arn:aws:iam::aws:policy/AdministratorAccess", "DefaultVersionId": "v1", "PolicyVersionList":
            [{{"VersionId": "v1", "IsDefaultVersion": true, "Document": {{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "*", "Resource": "*"}}]}}}}]}},
          {{"PolicyName": "AWSLambdaBasicExecutionRole", "Arn": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole", "DefaultVersionId": "v1", "PolicyVersionList":
            [{{"VersionId": "v1", "IsDefaultVersion": true, "Document": {{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow",
              "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}}]}}}}]}}]}},
        "resources": [{function}], "resource_policies": {{}}}}}}}}"#,
        inline.join(",")
    );
    let (snapshot, diagnostics) = read(SourceText { name: SourceName::new("test"), text }).unwrap();
    assert!(diagnostics.iter().all(|d| d.severity < iam_model::diagnostic::Severity::Error), "{diagnostics:?}");
    snapshot
}

const FUNCTION: &str = r#"{"kind": "lambda.function", "arn": "arn:aws:lambda:us-east-1:111122223333:function:orders",
  "role_arn": "arn:aws:iam::111122223333:role/orders", "api": {"FunctionName": "orders", "VpcConfig": {"VpcId": "vpc-1"}}}"#;
const ADMIN: &str =
    r#"{"PolicyName": "AdministratorAccess", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}"#;
const BASIC: &str = r#"{"PolicyName": "AWSLambdaBasicExecutionRole", "PolicyArn": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}"#;

fn seen(action: &str, resource: &str) -> Observation {
    Observation {
        action: action.parse().unwrap(),
        resources: vec![ResourcePattern::new(resource)],
        resource_known: true,
        context: BTreeMap::new(),
        function: Some("orders".into()),
        count: 3,
        denied: 0,
        first: Timestamp::from_epoch_seconds(0),
        last: Timestamp::from_epoch_seconds(8_000_000),
        sample_event_ids: vec!["e1".into()],
    }
}

/// Proposes with logs that show management events and DynamoDB items, and nothing else.
fn propose_with(snapshot: &Snapshot, observations: Vec<Observation>, rules: &Rules, days: u64) -> RoleProposal {
    propose_hiding(snapshot, observations, rules, days, &|_| false)
}

/// The same, with logs that do not show some of it.
fn propose_hiding(
    snapshot: &Snapshot,
    observations: Vec<Observation>,
    rules: &Rules,
    days: u64,
    hides: &(dyn Fn(&Action) -> bool + Sync),
) -> RoleProposal {
    let mut usage = UsageLog::default();
    usage.principals.insert(ROLE.parse().unwrap(), PrincipalUsage { observations });
    propose_from(snapshot, &usage, rules, days, hides)
}

/// The same, with logs that say more of themselves.
fn propose_of(snapshot: &Snapshot, observations: Vec<Observation>, more: impl FnOnce(&mut UsageLog)) -> RoleProposal {
    let mut usage = UsageLog::default();
    usage.principals.insert(ROLE.parse().unwrap(), PrincipalUsage { observations });
    more(&mut usage);
    propose_from(snapshot, &usage, &Rules { min_days: 30, ..Rules::default() }, 90, &|_| false)
}

fn propose_from(
    snapshot: &Snapshot,
    usage: &UsageLog,
    rules: &Rules,
    days: u64,
    hides: &(dyn Fn(&Action) -> bool + Sync),
) -> RoleProposal {
    let visibility = |action: &Action| match CATALOG.action(action).map(|facts| facts.logging()) {
        _ if hides(action) => Visibility::Invisible("left out".into()),
        Some(Logging::Management { .. }) => Visibility::Visible,
        Some(Logging::Data(types)) if types.contains(&"AWS::DynamoDB::Table") => Visibility::Visible,
        _ => Visibility::Invisible("not recorded".into()),
    };
    propose_seeing(snapshot, usage, rules, days, &visibility)
}

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::embedded().unwrap());

fn propose_seeing(
    snapshot: &Snapshot,
    usage: &UsageLog,
    rules: &Rules,
    days: u64,
    visibility: &(dyn Fn(&Action) -> Visibility + Sync),
) -> RoleProposal {
    let mut coverage = Coverage { days, ..Coverage::of(BTreeMap::new(), usage) };
    coverage.by_account.values_mut().for_each(|own| own.span = own.span.min(days));
    let evidence = Evidence {
        usage,
        coverage: &coverage,
        catalog: &CATALOG,
        visibility: &|_: &Arn, action: &Action| visibility(action),
        every_use: &|_, _, _| Visibility::Visible,
        has_own_record: &|_| false,
    };
    let (index, _) = SnapshotIndex::new(snapshot);
    let roles: Vec<_> = index.roles().collect();
    synthesize(&roles, &index, &evidence, rules).pop().unwrap()
}

fn propose(snapshot: &Snapshot, observations: Vec<Observation>) -> RoleProposal {
    propose_with(snapshot, observations, &Rules { min_days: 30, ..Rules::default() }, 90)
}

/// The documents after the change, compact, without their version.
fn after(proposal: &RoleProposal) -> Vec<String> {
    let text = |document| print(document, PrintStyle::Compact).replace(r#""Version":"2012-10-17","#, "");
    proposal.changes.iter().map(|c| c.after.as_ref().map_or_else(|| "gone".to_owned(), text)).collect()
}

#[track_caller]
fn check(policies: &[&str], managed: &str, observations: Vec<Observation>, expected: &[&str]) {
    let proposal = propose(&snapshot(policies, managed, FUNCTION), observations);
    assert_eq!(after(&proposal), expected, "{proposal:#?}");
}

#[test]
fn an_administrator_is_cut_to_what_was_seen() {
    let expected =
        format!(r#"{{"Statement":[{{"Effect":"Allow","Action":"dynamodb:PutItem","Resource":"{TABLE}"}}]}}"#);
    let snapshot = snapshot(&[], &format!("{BASIC}, {ADMIN}"), &FUNCTION.replace("vpc-1", ""));
    assert_eq!(after(&propose(&snapshot, vec![seen("dynamodb:PutItem", TABLE)])), [expected]);
}

#[test]
fn an_administrator_alone_keeps_what_lambda_needs() {
    let proposal = propose(&snapshot(&[], ADMIN, FUNCTION), vec![seen("dynamodb:PutItem", TABLE)]);
    let document = proposal.changes[0].after.as_ref().unwrap();
    let set = PermissionSet::of_document(document);
    let stream = ResourcePattern::new("arn:aws:logs:us-east-1:111122223333:log-group:/aws/lambda/orders:log-stream:s");
    assert_eq!(set.allows(&"logs:PutLogEvents".parse().unwrap(), &stream), Possibility::Yes);
    assert_eq!(
        set.allows(&"ec2:CreateNetworkInterface".parse().unwrap(), &ResourcePattern::everything()),
        Possibility::Yes
    );
    assert_eq!(set.allows_action(&"xray:PutTraceSegments".parse().unwrap()), Possibility::No);
}

#[test]
fn what_is_named_and_could_not_be_seen_stays() {
    let wide = format!(
        r#"[{{"Sid": "A", "Effect": "Allow", "Action": ["sqs:SendMessage", "dynamodb:*", "dynamodb:GetItem"], "Resource": ["{QUEUE}", "*"]}}]"#
    );
    let expected = format!(
        r#"{{"Statement":[{{"Sid":"A","Effect":"Allow","Action":"sqs:SendMessage","Resource":["{QUEUE}","*"]}},{{"Sid":"ADynamodbPutItem","Effect":"Allow","Action":"dynamodb:PutItem","Resource":"{TABLE}"}}]}}"#
    );
    check(&[&wide], BASIC, vec![seen("dynamodb:PutItem", TABLE)], &[&expected]);
    let proposal = propose(&snapshot(&[&wide], BASIC, FUNCTION), vec![seen("dynamodb:PutItem", TABLE)]);
    assert!(proposal.needs.iter().any(|n| n.action.as_str() == "sqs:SendMessage" && n.grade() == Grade::Retained));
    let blind: Vec<_> = proposal.blind_spots.iter().flat_map(|s| s.actions.iter()).map(Action::as_str).collect();
    assert!(blind.contains(&"dynamodb:GetRecords"), "streams are data of their own: {blind:?}");
    assert!(!blind.contains(&"dynamodb:GetItem"), "it would have been seen");
}

#[test]
fn lambdas_own_needs_are_never_unused() {
    let plumbing = r#"[{"Effect": "Allow", "Action": ["ec2:CreateNetworkInterface", "ec2:DetachNetworkInterface"], "Resource": "*"}]"#;
    let proposal = propose(&snapshot(&[plumbing], BASIC, FUNCTION), vec![seen("dynamodb:PutItem", TABLE)]);
    assert_eq!((&proposal.judgement, after(&proposal)), (&Judgement::Tight, Vec::new()));
}

#[test]
fn a_role_without_evidence_is_refused_never_emptied() {
    let wide = r#"[{"Effect": "Allow", "Action": "*", "Resource": "*"}]"#;
    let mut denied = seen("dynamodb:PutItem", TABLE);
    (denied.count, denied.denied) = (0, 9);
    for observations in [vec![], vec![denied]] {
        let proposal = propose(&snapshot(&[wide], "", FUNCTION), observations);
        assert!(matches!(&proposal.judgement, Judgement::Refused(why) if why.contains("no authorised call")));
        assert!(proposal.changes.is_empty());
    }
    let rules = Rules { min_days: 30, ..Rules::default() };
    let young = propose_with(&snapshot(&[wide], "", FUNCTION), vec![seen("dynamodb:PutItem", TABLE)], &rules, 29);
    assert!(
        matches!(young.judgement, Judgement::Refused(why) if why == "the logs of account 111122223333 span 29 days, and 30 are asked for")
    );
}

#[test]
fn denies_conditions_and_order_stay() {
    let policy = format!(
        r#"[{{"Effect": "Deny", "Action": "dynamodb:DeleteTable", "Resource": "*"}},
            {{"Effect": "Allow", "Action": ["dynamodb:UpdateItem", "dynamodb:PutItem", "dynamodb:Scan"], "Resource": "{TABLE}",
              "Condition": {{"StringEquals": {{"aws:ResourceTag/team": "orders"}}}}}}]"#
    );
    let expected = format!(
        r#"{{"Statement":[{{"Effect":"Deny","Action":"dynamodb:DeleteTable","Resource":"*"}},{{"Effect":"Allow","Action":["dynamodb:UpdateItem","dynamodb:PutItem"],"Resource":"{TABLE}","Condition":{{"StringEquals":{{"aws:ResourceTag/team":"orders"}}}}}}]}}"#
    );
    check(&[&policy], BASIC, vec![seen("dynamodb:PutItem", TABLE), seen("dynamodb:UpdateItem", TABLE)], &[&expected]);
}

#[test]
fn a_need_is_served_once_by_the_narrowest_statement() {
    let narrow = format!(r#"[{{"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "{TABLE}"}}]"#);
    let wide = r#"[{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]"#;
    check(&[wide, &narrow], BASIC, vec![seen("dynamodb:PutItem", TABLE)], &["gone"]);
}

#[test]
fn a_resource_nobody_was_told_keeps_the_old_words() {
    let wide = r#"[{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "arn:aws:dynamodb:*:*:table/Or*"}]"#;
    let mut unknown = seen("dynamodb:BatchWriteItem", "*");
    unknown.resource_known = false;
    let expected = r#"{"Statement":[{"Effect":"Allow","Action":"dynamodb:BatchWriteItem","Resource":"arn:aws:dynamodb:*:*:table/Or*"}]}"#;
    check(&[wide], BASIC, vec![unknown], &[expected]);
}

#[test]
fn a_keep_rule_keeps_what_is_granted_and_adds_nothing() {
    let wide = r#"[{"Effect": "Allow", "Action": ["dynamodb:*", "kms:*"], "Resource": "*"}]"#;
    let keep = |action: &str, role: Option<&str>| KeepRule {
        role: role.map(Into::into),
        actions: vec![ActionPattern::new(action)],
        reason: "yearly export".into(),
    };
    let rules = Rules {
        min_days: 30,
        keep: vec![keep("kms:Decrypt", None), keep("s3:GetObject", None), keep("kms:Encrypt", Some("other"))],
        ..Rules::default()
    };
    let proposal = propose_with(&snapshot(&[wide], BASIC, FUNCTION), vec![seen("dynamodb:PutItem", TABLE)], &rules, 90);
    let set = PermissionSet::of_document(proposal.changes[0].after.as_ref().unwrap());
    let may = |action: &str| set.allows_action(&action.parse().unwrap()) != Possibility::No;
    assert!(may("kms:Decrypt") && !may("s3:GetObject") && !may("kms:Encrypt"));
}

#[test]
fn what_does_not_fit_moves_into_new_policies_or_keeps_the_old_resources() {
    let policy = r#"[{"Sid": "A", "Effect": "Allow", "Action": "dynamodb:*", "Resource": "arn:aws:dynamodb:*:*:table/app-*"},
        {"Sid": "B", "Effect": "Allow", "Action": "dynamodb:*", "Resource": "arn:aws:dynamodb:*:*:table/Or*"}]"#;
    let table = |n: usize| format!("arn:aws:dynamodb:us-east-1:111122223333:table/app-t{n}x");
    for (count, new, coarse) in [(10, 0, false), (140, 0, false), (180, 1, false), (500, 4, false), (2_000, 0, true)] {
        let mut calls: Vec<_> = (0..count).map(|n| seen("dynamodb:PutItem", &table(n))).collect();
        calls.push(seen("dynamodb:GetItem", TABLE));
        let proposal = propose(&snapshot(&[policy], BASIC, FUNCTION), calls.clone());
        let documents: Vec<_> = proposal.changes.iter().filter_map(|change| change.after.as_ref()).collect();
        assert_eq!(documents.len() - 1, new, "{count}");
        assert!(compact_len(documents[0]) <= QuotaProfile::AWS.inline_of_role, "{count}");
        assert!(documents[1..].iter().all(|document| compact_len(document) <= QuotaProfile::AWS.managed), "{count}");
        let names: Vec<_> = proposal.changes.iter().filter_map(|c| c.attachment.policy_name.as_deref()).collect();
        assert_eq!(names.get(1).copied(), (new > 0).then_some("arn:aws:iam::111122223333:policy/orders-extra-1"));
        let set = PermissionSet::of_documents(documents.iter().copied());
        assert!(calls.iter().all(|c| set.allows(&c.action, &c.resources[0]) == Possibility::Yes), "{count}");
        let text = after(&proposal).concat();
        assert_eq!(text.contains("table/app-*"), coarse, "{count}: {text}");
        assert!(text.contains(TABLE) && !text.contains("table/Or*"), "{text}");
        let told = proposal.changes[0].reasons.iter().any(|r| r.because.contains("do not fit the quota"));
        assert_eq!(told, coarse, "a wider line says why");
        let moved = proposal
            .changes
            .iter()
            .flat_map(|c| &c.reasons)
            .any(|r| r.because.starts_with("new: these statements of p0"));
        assert_eq!(moved, new > 0, "a new policy says what it is for");
    }
}

#[test]
fn statements_that_were_not_understood_stay() {
    let odd = r#"[{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*", "Quantum": true}]"#;
    let snapshot = snapshot(&[odd], BASIC, FUNCTION);
    let proposal = propose(&snapshot, vec![seen("dynamodb:PutItem", TABLE)]);
    assert!(proposal.changes.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever was seen: it is still allowed, nothing is added, and the order of the log does not matter.
    #[test]
    fn what_was_seen_stays_and_nothing_is_added(
        calls in proptest::collection::vec((0..4_usize, 0..3_usize), 1..12),
        wide in 0..4_usize,
    ) {
        let actions = ["dynamodb:PutItem", "dynamodb:GetItem", "s3:GetObject", "sqs:SendMessage"];
        let resources = |service: &str, n: usize| match service {
            "dynamodb" => format!("arn:aws:dynamodb:us-east-1:111122223333:table/T{n}"),
            "s3" => format!("arn:aws:s3:::bucket/folder/{n}"),
            _ => format!("arn:aws:sqs:us-east-1:111122223333:q{n}"),
        };
        let grants = [
            r#"[{"Effect": "Allow", "Action": "*", "Resource": "*"}]"#,
            r#"[{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]"#,
            r#"[{"Effect": "Allow", "Action": ["dynamodb:*", "s3:*"], "Resource": "*"}, {"Effect": "Allow", "Action": "sqs:*", "Resource": "arn:aws:sqs:*"}]"#,
            r#"[{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:sqs:us-east-1:111122223333:secret"}]"#,
        ];
        let snapshot = snapshot(&[grants[wide]], BASIC, FUNCTION);
        let observation = |(a, r): &(usize, usize)| {
            let action = actions[*a];
            seen(action, &resources(action.split(':').next().unwrap(), *r))
        };
        let observations: Vec<_> = calls.iter().map(observation).collect();
        let proposal = propose(&snapshot, observations.clone());
        let change = proposal.changes.first().expect("a wildcard is always cut");
        let (old, new) = (change.before.as_ref().unwrap(), change.after.as_ref().unwrap());
        let (old, new) = (PermissionSet::of_document(old), PermissionSet::of_document(new));
        for call in &observations {
            prop_assert_eq!(new.allows(&call.action, &call.resources[0]), Possibility::Yes, "{:?}", call);
        }
        prop_assert!(matches!(new.included_in(&old, Limits::default()), Inclusion::Included(_)));
        let mut reversed = observations;
        reversed.reverse();
        let again = propose(&snapshot, reversed);
        prop_assert_eq!(after(&proposal), after(&again));
    }
}
