//! Waivers: what they excuse, for how long, and which of them are themselves a finding.

use super::questions::{function, grant, permission, role};
use super::*;

fn waiver(rule: &str, object: &str, expires: i64) -> Waiver {
    Waiver {
        rule: RuleId::new(rule),
        object: object.to_owned(),
        owner: "team-orders".to_owned(),
        ticket: "SEC-42".to_owned(),
        reason: "split planned".to_owned(),
        expires: Timestamp::from_epoch_seconds(NOW.epoch_seconds() + expires),
        place: Place::whole(SourceName::new("waivers.toml")),
    }
}

/// Asks about a shared role with the waivers; the use of the only violation and the findings about the waivers.
fn check(waivers: &[Waiver]) -> (WaiverUse, Vec<(usize, WaiverProblem)>) {
    let rules = &RULES;
    let (mut orders, function) = (role("ops-orders"), function("orders"));
    orders.function_count = 2;
    let violations = rules.ask(&Question::Share(Share { role: &orders, function: &function }), NOW, waivers).unwrap();
    assert_eq!(violations.len(), 1);
    assert_eq!(violations[0].refutes(), !matches!(violations[0].waiver, WaiverUse::Waived { .. }));
    let findings = review_waivers(rules, waivers, &violations, NOW);
    (violations[0].waiver, findings.into_iter().map(|finding| (finding.waiver, finding.problem)).collect())
}

const RULE: &str = "one-role-one-function";

#[test]
fn a_waiver_excuses_until_it_expires() {
    assert_eq!(check(&[]), (WaiverUse::None, vec![]));
    for object in [
        "arn:aws:iam::*:role/ops-*",
        "arn:aws:iam::111122223333:role/ops-orders",
        "*",
        "*role/ops-orders share *:orders",
    ] {
        assert_eq!(check(&[waiver(RULE, object, 1)]), (WaiverUse::Waived { waiver: 0 }, vec![]), "{object}");
    }
    let expired = (WaiverUse::Expired { waiver: 0 }, vec![(0, WaiverProblem::Expired)]);
    assert_eq!(check(&[waiver(RULE, "*", 0)]), expired, "the moment of expiry is not covered");
}

#[test]
fn a_waiver_for_something_else_excuses_nothing_and_is_a_finding() {
    let unused = (WaiverUse::None, vec![(0, WaiverProblem::Unused)]);
    assert_eq!(check(&[waiver("no-wildcard-resource", "*", 1)]), unused);
    assert_eq!(check(&[waiver(RULE, "arn:aws:iam::*:role/dev-*", 1)]), unused);
    assert_eq!(check(&[waiver("no-such-rule", "*", 1)]).1, [(0, WaiverProblem::UnknownRule)]);
}

#[test]
fn a_renewed_waiver_counts_and_the_old_one_is_a_finding() {
    let both = [waiver(RULE, "*", -1), waiver(RULE, "*", 1)];
    assert_eq!(check(&both), (WaiverUse::Waived { waiver: 1 }, vec![(0, WaiverProblem::Expired)]));
}

#[test]
fn a_rule_that_cannot_be_waived_insists() {
    let rules = &RULES;
    let admin = RoleFacts { admin: true, ..role("ops") };
    let orders = role("orders");
    let pass = Pass {
        role: &orders,
        passed: &admin,
        pattern: (&admin.arn).into(),
        passed_to_service: Some(ServicePrincipal::new("lambda.amazonaws.com")),
    };
    let waivers = [waiver("no-passing-admin", "*", 1)];
    let violations = rules.ask(&Question::Pass(pass), NOW, &waivers).unwrap();
    assert_eq!(violations[0].waiver, WaiverUse::Refused { waiver: 0 });
    assert!(violations[0].refutes());
    let findings = review_waivers(rules, &waivers, &violations, NOW);
    assert_eq!(findings, [WaiverFinding { waiver: 0, problem: WaiverProblem::NotWaivable }]);
}

#[test]
fn one_waiver_of_two_objections_leaves_the_other() {
    let rules = &RULES;
    let (orders, all) = (role("orders"), permission("dynamodb:Create*"));
    let waivers = [waiver("no-wildcard-resource", "*", 1)];
    let violations = rules.ask(&Question::Grant(grant(&orders, &all, "*")), NOW, &waivers).unwrap();
    let uses: Vec<_> = violations.iter().map(|one| (one.rule.as_str(), one.waiver)).collect();
    assert_eq!(
        uses,
        [("no-wildcard-resource", WaiverUse::Waived { waiver: 0 }), ("no-wildcard-write-action", WaiverUse::None)]
    );
}
