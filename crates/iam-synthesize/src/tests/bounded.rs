//! Patterns reach over nothing that the role did not touch: the old grant, other resources of the account, and what was
//! denied bound them.

use iam_evaluate::glob::{Glob, Reading};
use iam_model::policy::{PolicyDocument, PolicyVersion};

use super::*;
use crate::FoldRule;

/// Names of one kind each, of which some are called, some only exist, and some are denied.
fn name(kind: usize, n: usize) -> (&'static str, String) {
    let at = |service: &str| format!("arn:aws:{service}:us-east-1:111122223333");
    match kind {
        0 => ("ssm:GetParameter", format!("{}:parameter/tenants/t{n}/url", at("ssm"))),
        1 => ("dynamodb:Query", format!("{}:table/T/index/i{}", at("dynamodb"), n % 4)),
        2 => ("secretsmanager:GetSecretValue", format!("{}:secret:db-AbCd{:02}", at("secretsmanager"), n)),
        3 => ("dynamodb:PutItem", format!("{}:table/events_2026-05-{:02}", at("dynamodb"), n + 1)),
        4 => ("s3:GetObject", format!("arn:aws:s3:::lake/{}/part-{n}0123456", n % 3)),
        _ => ("logs:CreateLogStream", format!("{}:log-group:/app/x:log-stream:s{n}", at("logs"))),
    }
}

const GRANTS: &[&str] = &[
    r#"[{"Effect": "Allow", "Action": "*", "Resource": "*"}]"#,
    r#"[{"Effect": "Allow", "Action": ["ssm:*", "s3:*"], "Resource": ["arn:aws:ssm:*:*:parameter/tenants/*", "arn:aws:s3:::lake/1/*"]},
        {"Effect": "Allow", "Action": ["dynamodb:*", "secretsmanager:*", "logs:*"], "Resource": "*"}]"#,
    r#"[{"Effect": "Allow", "Action": "*", "Resource": ["arn:aws:dynamodb:*:*:table/T/index/i1", "arn:aws:dynamodb:*:*:table/events_*",
        "arn:aws:secretsmanager:*:*:secret:db-AbCd01", "arn:aws:logs:*:*:log-group:/app/*"]}]"#,
];

#[test]
fn a_log_group_is_granted_as_policies_have_to_name_it() {
    let group = "arn:aws:logs:us-east-1:111122223333:log-group:/app/x";
    let policy = format!(r#"[{{"Effect": "Allow", "Action": "logs:*", "Resource": "{group}:*"}}]"#);
    check(
        &[&policy],
        BASIC,
        vec![seen("logs:StartQuery", group)],
        &[&format!(r#"{{"Statement":[{{"Effect":"Allow","Action":"logs:StartQuery","Resource":"{group}:*"}}]}}"#)],
    );
}

#[test]
fn names_of_tenants_stop_where_another_resource_would_be_reached() {
    let calls = || (0..8).map(|n| seen("ssm:GetParameter", &name(0, n).1)).collect::<Vec<_>>();
    let wide = r#"[{"Effect": "Allow", "Action": "*", "Resource": "*"}]"#;
    let text = |resources: &str| after(&propose(&snapshot(&[wide], BASIC, resources), calls())).concat();
    assert!(text(FUNCTION).contains("parameter/tenants/*/url"), "{}", text(FUNCTION));
    let other = format!(r#"{FUNCTION}, {{"kind": "ssm.parameter", "arn": "{}", "api": {{}}}}"#, name(0, 99).1);
    assert!(!text(&other).contains("tenants/*"), "{}", text(&other));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn patterns_reach_over_nothing_else(
        grant in 0..GRANTS.len(),
        called in proptest::collection::vec((0..6_usize, 0..12_usize), 1..24),
        existing in proptest::collection::vec((0..4_usize, 0..14_usize), 0..4),
        denied in proptest::collection::vec((0..6_usize, 0..14_usize), 0..4),
    ) {
        let resources: Vec<String> = existing.iter().map(|(kind, n)| {
            format!(r#"{{"kind": "some.thing", "arn": "{}", "api": {{}}}}"#, name(*kind, *n).1)
        }).collect();
        let world = snapshot(&[GRANTS[grant]], "", &[&[FUNCTION.to_owned()], resources.as_slice()].concat().join(","));
        let mut calls: Vec<Observation> = called.iter().map(|(kind, n)| {
            let (action, on) = name(*kind, *n);
            seen(action, &on)
        }).collect();
        let refused = denied.iter().filter(|pair| !called.contains(pair)).map(|(kind, n)| {
            let (action, on) = name(*kind, *n);
            let mut call = seen(action, &on);
            (call.count, call.denied) = (0, 2);
            call
        }).filter(|call| !calls.iter().any(|other| other.resources == call.resources)).collect::<Vec<_>>();
        calls.extend(refused.iter().cloned());
        let proposal = propose(&world, calls.clone());
        let Some(change) = proposal.changes.first() else { return Ok(()) };
        let (old, new) = (change.before.as_ref().unwrap(), change.after.clone().unwrap_or_else(|| PolicyDocument::new(Vec::new())));
        let (before, after) = (PermissionSet::of_document(old), PermissionSet::of_document(&new));
        for call in calls.iter().filter(|call| call.count > 0) {
            let allows = |set: &PermissionSet| set.allows(&call.action, &call.resources[0]);
            prop_assert_eq!(allows(&after), allows(&before), "{:?}", call);
        }
        prop_assert!(matches!(after.included_in(&before, Limits::default()), Inclusion::Included(_)));
        let own = [FoldRule::GrantedPattern, FoldRule::Quota];
        for fold in proposal.folds.iter().filter(|fold| !own.contains(&fold.rule)) {
            let pattern = fold.pattern.as_ref().unwrap();
            let glob = Glob::parse(pattern.as_str(), Reading::resource(PolicyVersion::V2012));
            let touched = |text: &str| calls.iter().any(|call| call.count > 0 && call.resources[0].as_str() == text);
            for (kind, n) in &existing {
                let (_, arn) = name(*kind, *n);
                prop_assert!(touched(&arn) || !glob.matches(&arn), "{} reaches over {}", pattern, arn);
            }
            for call in &refused {
                let granted = new.statements[fold.statement].action.patterns().iter().any(|p| p.value.as_str() == call.action.as_str());
                prop_assert!(!granted || !glob.matches(call.resources[0].as_str()), "{} reaches over {:?}", pattern, call);
            }
        }
    }
}
