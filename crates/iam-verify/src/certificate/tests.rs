//! Sound certificates are accepted; corrupted ones, and proofs carried over to other documents, are refused.

use iam_evaluate::budget::Budget;
use iam_evaluate::permission_set::{Inclusion, Limits, PermissionSet};
use iam_model::certificate::{Goal, Part, StatementRef};
use iam_model::policy::parse;
use iam_model::text::{SourceName, SourceText};

use super::*;
use crate::digest::seal;

fn documents(statements: &str) -> Vec<PolicyDocument> {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
    vec![parse(&SourceText { name: SourceName::new("test"), text }).0]
}

fn allow(actions: &str, resources: &str, conditions: &str) -> String {
    format!(r#"{{"Effect": "Allow", "Action": {actions}, "Resource": {resources}, "Condition": {{{conditions}}}}}"#)
}

fn deny(actions: &str, resources: &str, conditions: &str) -> String {
    allow(actions, resources, conditions).replace("Allow", "Deny")
}

/// New and old documents of which the new are inside the old, each by another rule of proof.
fn pairs() -> Vec<(Vec<PolicyDocument>, Vec<PolicyDocument>)> {
    let (all, b, c) = (r#""*""#, r#""arn:aws:s3:::b/*""#, r#""arn:aws:s3:::c/*""#);
    let (get, put, both) = (r#""s3:Get""#, r#""s3:Put""#, r#"["s3:Get", "s3:Put"]"#);
    let buckets = r#"["arn:aws:s3:::b/*", "arn:aws:s3:::c/*"]"#;
    let any = [allow(get, b, ""), allow(put, c, ""), allow(put, b, ""), allow(get, c, "")].join(", ");
    let set = |operator: &str, values: &str| format!(r#""{operator}": {{"aws:TagKeys": {values}}}"#);
    let one = |operator: &str, value: &str| format!(r#""{operator}": {{"k:x": "{value}"}}"#);
    let texts = [
        (allow(get, b, ""), allow(r#""s3:*""#, all, "")),
        (allow(both, buckets, ""), any),
        (
            allow(get, r#""arn:aws:s3:::b/${aws:username}/x""#, ""),
            allow(get, r#""arn:aws:s3:::b/${aws:username}/*""#, ""),
        ),
        (allow(get, all, ""), format!("{}, {}", allow(r#""s3:*""#, all, ""), deny(put, all, ""))),
        (
            format!("{}, {}", allow(r#""s3:*""#, all, ""), deny(r#""s3:P*""#, all, "")),
            format!("{}, {}", allow(all, all, ""), deny(put, all, "")),
        ),
        (
            allow(get, all, r#""StringEquals": {"k:x": ["a", "b"]}"#),
            format!("{}, {}", allow(get, all, &one("StringEquals", "a")), allow(get, all, &one("StringLike", "b*"))),
        ),
        (allow(get, all, &one("NumericLessThan", "5")), allow(get, all, &one("NumericLessThanEquals", "5.5"))),
        (allow(get, all, &one("IpAddress", "10.1.0.0/16")), allow(get, all, &one("IpAddress", "10.0.0.0/8"))),
        (
            allow(get, all, &one("DateLessThan", "2024-01-01T01:00:00+01:00")),
            allow(get, all, &one("DateLessThanEquals", "1704067200")),
        ),
        (
            allow(get, all, &format!("{}, {}", set("ForAllValues:StringEquals", r#""a""#), set("Null", r#""false""#))),
            allow(get, all, &set("ForAnyValue:StringLike", r#""a*""#)),
        ),
        (allow(get, all, &one("StringMatches", "a")), allow(get, all, "")),
    ];
    texts.iter().map(|(new, old)| (documents(new), documents(old))).collect()
}

fn proof(old: &[PolicyDocument], new: &[PolicyDocument]) -> Option<Proof> {
    match PermissionSet::of_documents(new).included_in(&PermissionSet::of_documents(old), Limits::default()) {
        Inclusion::Included(proof) => Some(proof),
        _ => None,
    }
}

/// Changes every step of a proof in turn.
fn mutate(step: &Step, change: &mut dyn FnMut(Step)) {
    let other = || Dimension::Key(iam_model::condition::ConditionKey::new("k:other"));
    match step {
        Step::Empty(_) => change(Step::Empty(other())),
        Step::Avoid { statement, ways } => {
            let with = |statement: StatementRef, ways: Vec<Step>| Step::Avoid { statement, ways };
            change(with(StatementRef { index: statement.index + 7, ..*statement }, ways.clone()));
            let side = if statement.side == Whose::Old { Whose::New } else { Whose::Old };
            change(with(StatementRef { side, ..*statement }, ways.clone()));
            change(with(*statement, [&**ways, &[Step::Empty(Dimension::Action)]].concat()));
            for (number, way) in ways.iter().enumerate() {
                let mut without = ways.clone();
                without.remove(number);
                change(with(*statement, without));
                mutate(way, &mut |changed| {
                    let mut ways = ways.clone();
                    ways[number] = changed;
                    change(with(*statement, ways));
                });
            }
        }
        Step::Split { dimension, parts } => {
            let with = |parts: Vec<Part>| Step::Split { dimension: dimension.clone(), parts };
            change(Step::Split { dimension: other(), parts: parts.clone() });
            change(Step::Split { dimension: Dimension::Principal, parts: parts.clone() });
            for (number, part) in parts.iter().enumerate() {
                let mut without = parts.clone();
                without.remove(number);
                change(with(without));
                for at in 0..part.patterns.len() {
                    let mut parts = parts.clone();
                    parts[number].patterns.remove(at);
                    change(with(parts));
                }
                mutate(&part.step, &mut |changed| {
                    let mut parts = parts.clone();
                    parts[number].step = changed;
                    change(with(parts));
                });
            }
        }
    }
}

/// Every certificate that differs from this one in one field.
fn corrupted(certificate: &Certificate) -> Vec<Certificate> {
    let mut all = Vec::new();
    let digit = |text: &str, at: usize| -> Box<str> {
        let other = |c: char| if c == '0' { '1' } else { '0' };
        text.chars().enumerate().map(|(n, c)| if n == at { other(c) } else { c }).collect::<String>().into()
    };
    for at in [0, 31, 63] {
        all.push(Certificate { old: digit(&certificate.old, at), ..certificate.clone() });
        all.push(Certificate { new: digit(&certificate.new, at), ..certificate.clone() });
    }
    for (number, goal) in certificate.proof.goals.iter().enumerate() {
        let mut with = |goals: &dyn Fn(&mut Vec<Goal>)| {
            let mut changed = certificate.clone();
            goals(&mut changed.proof.goals);
            all.push(changed);
        };
        with(&|goals| drop(goals.remove(number)));
        with(&|goals| goals.insert(number, goal.clone()));
        with(&|goals| goals[number].allow += 1);
        with(&|goals| goals[number].deny = goal.deny.map_or(Some(0), |deny| Some(deny + 1)));
        with(&|goals| goals[number].deny = goal.deny.is_none().then_some(7));
        mutate(&goal.step, &mut |step| with(&|goals| goals[number].step = step.clone()));
    }
    all
}

#[test]
fn sound_certificates_are_accepted_and_corrupted_ones_refused() {
    let mut count = 0;
    for (new, old) in pairs() {
        let certificate = seal(&old, &new, proof(&old, &new).expect("included"));
        assert_eq!(check(&old, &new, &certificate), Ok(()), "{certificate}");
        for changed in corrupted(&certificate) {
            assert!(check(&old, &new, &changed).is_err(), "accepted\n{changed}\nwhich was\n{certificate}");
            count += 1;
        }
    }
    assert!(count > 250, "{count}");
}

/// Whatever is written into a certificate, it proves nothing that is false.
#[test]
fn no_proof_makes_a_false_claim_true() {
    let pairs = pairs();
    let proofs: Vec<Proof> = pairs.iter().filter_map(|(new, old)| proof(old, new)).collect();
    assert_eq!(proofs.len(), pairs.len());
    let all: Vec<&Vec<PolicyDocument>> = pairs.iter().flat_map(|(new, old)| [new, old]).collect();
    let mut false_claims = 0;
    for old in &all {
        for new in &all {
            if proof(old, new).is_some() {
                continue;
            }
            false_claims += 1;
            let own = proof(new, new).expect("a policy is inside itself");
            for proof in proofs.iter().chain([&own]) {
                assert!(check(old, new, &seal(old, new, proof.clone())).is_err());
            }
        }
    }
    assert!(false_claims > 50, "{false_claims}");
}

#[test]
fn certificates_print_alike_and_short() {
    let (new, old) = pairs().remove(0);
    let certificate = seal(&old, &new, proof(&old, &new).unwrap());
    let text = certificate.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert_eq!((lines[0], lines[3]), ("paring-proof/2", "new 0: old 0"));
    assert!(lines[1].starts_with("old sha256:") && lines[1].len() == 75);
}

/// The checker searches nothing, but walking the states of patterns takes memory: a cap answers "no", never "yes".
#[test]
fn a_proof_that_takes_more_states_than_the_cap_is_refused() {
    let pattern = |text| Pattern::read(text, crate::reading::pattern::Reading { wild: true, ..Default::default() });
    let (required, one, two, rest) = (pattern("a*"), pattern("a"), pattern("a?"), pattern("a??*"));
    let everything = || vec![pattern("*")];
    let excluded = vec![&one, &two, &rest];
    let is_empty = |units| {
        let budget = Budget::new(units);
        let excluded = excluded.clone();
        Problem { required: vec![vec![&required]], excluded, domain: &everything, budget: &budget }.is_empty()
    };
    assert!(is_empty(1_000_000));
    assert!(!is_empty(300));
}
