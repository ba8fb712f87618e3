//! Calls that the old grant does not explain as they stand: wider than it, named otherwise, or under conditions.

use iam_model::condition::ConditionKey;
use iam_model::usage::Folded;

use super::*;

fn table(name: &str) -> String {
    format!("arn:aws:dynamodb:us-east-1:111122223333:table/{name}")
}

fn allow(action: &str, resource: &str, condition: &str) -> String {
    let condition = if condition.is_empty() { String::new() } else { format!(r#", "Condition": {condition}"#) };
    format!(r#"{{"Effect": "Allow", "Action": {action}, "Resource": {resource}{condition}}}"#)
}

/// Proposes for these statements, and gives the statements that are left, or `same`.
fn left(statements: &[String], observations: Vec<Observation>) -> (String, RoleProposal) {
    let policy = format!("[{}]", statements.join(", "));
    let proposal = propose(&snapshot(&[&policy], BASIC, FUNCTION), observations);
    (after(&proposal).pop().unwrap_or_else(|| "same".to_owned()), proposal)
}

#[test]
fn a_call_that_no_statement_explains_keeps_what_grants_its_action() {
    let statements = [
        allow(r#"["dynamodb:GetItem", "dynamodb:PutItem"]"#, &format!(r#""{}""#, table("Other")), ""),
        allow(r#""dynamodb:*""#, &format!(r#""{}""#, table("Third")), ""),
    ];
    let (left, proposal) = left(&statements, vec![seen("dynamodb:GetItem", TABLE)]);
    let other = table("Other");
    let third = table("Third");
    assert_eq!(
        left,
        format!(
            r#"{{"Statement":[{{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"{other}"}},{{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"{third}"}}]}}"#
        )
    );
    let need = proposal.needs.iter().find(|need| need.grade() == Grade::Retained).unwrap();
    assert!(need.because.contains(TABLE), "{}", need.because);
}

#[test]
fn what_the_old_grant_has_within_any_of_a_kind_stays_all_of_it() {
    let own = format!(r#"["{}", "{QUEUE}"]"#, table("A*"));
    let statements = [
        allow(r#"["dynamodb:GetItem", "dynamodb:PutItem"]"#, &own, ""),
        allow(r#"["dynamodb:GetItem", "dynamodb:DeleteItem"]"#, &format!(r#""{}""#, table("B")), ""),
    ];
    let (left, _) = left(&statements, vec![seen("dynamodb:GetItem", &table("*"))]);
    let (a, b) = (table("A*"), table("B"));
    assert_eq!(
        left,
        format!(
            r#"{{"Statement":[{{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"{a}"}},{{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"{b}"}}]}}"#
        )
    );
}

#[test]
fn what_is_left_out_stays_left_out_for_any_of_a_kind() {
    let statement = format!(r#"{{"Effect": "Allow", "Action": "dynamodb:*", "NotResource": "{}"}}"#, table("Secret"));
    let (left, _) = left(&[statement], vec![seen("dynamodb:GetItem", &table("*"))]);
    let secret = table("Secret");
    assert_eq!(
        left,
        format!(r#"{{"Statement":[{{"Effect":"Allow","Action":"dynamodb:GetItem","NotResource":"{secret}"}}]}}"#)
    );
}

#[test]
fn a_statement_whose_condition_the_logs_contradict_explains_no_call() {
    let vpce = |id: &str| format!(r#"{{"StringEquals": {{"aws:SourceVpce": "{id}"}}}}"#);
    let statements = [
        allow(r#""dynamodb:GetItem""#, &format!(r#""{TABLE}""#), &vpce("vpce-1")),
        allow(r#""dynamodb:*""#, r#""*""#, r#"{"Bool": {"aws:SecureTransport": "true"}}"#),
    ];
    let narrow = format!(
        r#"{{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"{TABLE}","Condition":{{"StringEquals":{{"aws:SourceVpce":"vpce-1"}}}}}}"#
    );
    let wide = format!(
        r#"{{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"{TABLE}","Condition":{{"Bool":{{"aws:SecureTransport":"true"}}}}}}"#
    );
    // Nothing is known, or the key has a value that lets one through, or one that does not.
    let cases = [
        (None, format!(r#"{{"Statement":[{narrow},{wide}]}}"#)),
        (Some("vpce-1"), format!(r#"{{"Statement":[{narrow}]}}"#)),
        (Some("vpce-2"), format!(r#"{{"Statement":[{wide}]}}"#)),
    ];
    for (endpoint, expected) in cases {
        let mut call = seen("dynamodb:GetItem", TABLE);
        let key = ConditionKey::new("aws:SourceVpce");
        call.context.extend(endpoint.map(|endpoint| (key, vec![endpoint.to_owned()])));
        let (left, _) = left(&statements, vec![call]);
        assert_eq!(left, expected, "{endpoint:?}");
    }
    let from = |endpoint: &str| {
        let mut call = seen("dynamodb:GetItem", TABLE);
        call.context.insert(ConditionKey::new("aws:SourceVpce"), vec![endpoint.to_owned()]);
        call
    };
    let (left, _) = left(&statements, vec![from("vpce-1"), from("vpce-2")]);
    assert_eq!(left, format!(r#"{{"Statement":[{narrow},{wide}]}}"#));
}

#[test]
fn names_too_many_to_tell_apart_are_a_rule_and_reach_over_nothing_else() {
    let tables = |existing: &str| FUNCTION.to_owned() + existing;
    let other =
        r#", {"kind": "dynamodb.table", "arn": "arn:aws:dynamodb:us-east-1:111122223333:table/Untouched", "api": {}}"#;
    let own = format!(r#"["{}", "{}"]"#, table("Or*"), table("Un*"));
    let policy = format!("[{}]", allow(r#"["dynamodb:GetItem", "dynamodb:PutItem"]"#, &own, ""));
    let any = format!("[{}]", allow(r#""dynamodb:*""#, r#""*""#, ""));
    for (policy, existing, expected) in [
        (&any, "", format!(r#""{}""#, table("*"))),
        (&any, other, r#""*""#.to_owned()),
        (&policy, other, format!(r#"["{}","{}"]"#, table("Or*"), table("Un*"))),
    ] {
        let snapshot = snapshot(&[policy], BASIC, &tables(existing));
        let proposal = propose_folded(&snapshot, vec![seen("dynamodb:GetItem", &table("*"))]);
        assert_eq!(
            after(&proposal),
            [format!(r#"{{"Statement":[{{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":{expected}}}]}}"#)]
        );
        assert!(proposal.folds.iter().all(|fold| fold.rule == crate::FoldRule::TooManyNames), "{:?}", proposal.folds);
        assert!(!proposal.folds.is_empty());
    }
}

#[test]
fn days_of_other_accounts_are_no_evidence() {
    let policy = format!("[{}]", allow(r#""dynamodb:*""#, r#""*""#, ""));
    let mut short = seen("dynamodb:GetItem", TABLE);
    short.last = Timestamp::from_epoch_seconds(3 * 86_400);
    let proposal = propose_of(&snapshot(&[&policy], BASIC, FUNCTION), vec![short], |usage| {
        let other: Arn = "arn:aws:iam::222233334444:role/other".parse().unwrap();
        usage.principals.insert(other, PrincipalUsage { observations: vec![seen("dynamodb:GetItem", TABLE)] });
    });
    let why = "the logs of account 111122223333 span 3 days, and 30 are asked for";
    assert!(matches!(&proposal.judgement, Judgement::Refused(own) if own == why), "{:?}", proposal.judgement);
}

#[test]
fn keep_rules_keep_what_the_catalogue_does_not_know_as_they_are_written() {
    let policy = format!("[{}]", allow(r#"["newsvc:*", "s3:*", "dynamodb:*"]"#, r#""*""#, ""));
    let actions = ["newsvc:Do*", "s3:Typo", "s3:PutObject", "other:*"];
    let actions = actions.iter().map(|action| ActionPattern::new(action)).collect();
    let keep = vec![KeepRule { role: None, actions, reason: "x".into() }];
    let rules = Rules { min_days: 30, keep, ..Rules::default() };
    let snapshot = snapshot(&[&policy], BASIC, FUNCTION);
    let proposal = propose_with(&snapshot, vec![seen("dynamodb:GetItem", TABLE)], &rules, 90);
    assert_eq!(
        after(&proposal),
        [format!(
            r#"{{"Statement":[{{"Effect":"Allow","Action":["newsvc:Do*","s3:PutObject","s3:Typo"],"Resource":"*"}},{{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"{TABLE}"}}]}}"#
        )]
    );
}

/// Proposes with logs in which every observation stands for more names than are told apart.
fn propose_folded(snapshot: &Snapshot, observations: Vec<Observation>) -> RoleProposal {
    let folded = Folded { depth: Some(0), ..Folded::default() };
    let folded = (0..observations.len()).map(|at| (at, folded)).collect();
    propose_of(snapshot, observations, |usage| {
        usage.merging.folded.insert(ROLE.parse().unwrap(), folded);
    })
}

#[test]
fn an_action_that_was_seen_in_part_keeps_the_names_it_was_granted_on() {
    let other = table("Other");
    let policy = format!(r#"[{}]"#, allow(r#""dynamodb:GetItem""#, &format!(r#"["{TABLE}", "{other}"]"#), ""));
    let wide = format!("[{}]", allow(r#""dynamodb:*""#, r#""*""#, ""));
    let rules = Rules { min_days: 30, ..Rules::default() };
    let calls = || vec![seen("dynamodb:GetItem", TABLE)];
    let hides = |action: &Action| action.as_str() == "dynamodb:GetItem";
    let named = propose_hiding(&snapshot(&[&policy], BASIC, FUNCTION), calls(), &rules, 90, &hides);
    assert_eq!(named.judgement, Judgement::Tight, "{:#?}", after(&named));
    let retained = named.needs.iter().find(|need| need.rule == crate::NeedRule::NotShown).unwrap();
    assert!(retained.because.contains("not every use of it could have been seen"), "{}", retained.because);
    // A wildcard goes, and what of it could not be seen is asked about.
    let wild = propose_hiding(&snapshot(&[&wide], BASIC, FUNCTION), calls(), &rules, 90, &hides);
    let asked: Vec<&str> = wild.blind_spots.iter().flat_map(|spot| spot.actions.iter()).map(Action::as_str).collect();
    assert!(asked.contains(&"dynamodb:GetItem"), "{asked:?}");
    let visible = propose(&snapshot(&[&wide], BASIC, FUNCTION), calls());
    let asked = visible.blind_spots.iter().flat_map(|spot| spot.actions.iter());
    assert!(!asked.map(Action::as_str).any(|name| name == "dynamodb:GetItem"));
}
