//! What a guardrail leaves out: another way to the same harm, services that came later, and an exemption for emergencies.
//!
//! Pairs of ways come from `data/guardrail-gaps.txt`.

use std::collections::BTreeSet;

use iam_evaluate::glob::{Glob, Reading};
use iam_model::catalog::Catalog;
use iam_model::diagnostic::Code;
use iam_model::policy::{ActionElement, PolicyDocument, Statement};

use super::super::PolicyKind;
use super::super::report::Report;
use super::{denies, is_key};

const GAPS: &str = include_str!("../../../data/guardrail-gaps.txt");

/// A list of as many services is meant as the whole of what is allowed.
const MANY_SERVICES: usize = 20;

pub(super) fn check(document: &PolicyDocument, kind: PolicyKind, catalog: &Catalog, report: &mut Report<'_>) {
    gaps(document, report);
    denies(document).for_each(|statement| later_services(statement, catalog, report));
    if kind == PolicyKind::ServiceControl {
        nobody_exempt(document, report);
    }
}

/// Another way to what is denied.
fn gaps(document: &PolicyDocument, report: &mut Report<'_>) {
    let covers = |statement: &Statement, action: &str| {
        let listed = |patterns: &[iam_model::text::Spanned<iam_model::action::ActionPattern>]| {
            patterns.iter().any(|pattern| Glob::parse(pattern.value.as_str(), Reading::ACTION).matches(action))
        };
        match &statement.action {
            ActionElement::Action(patterns) => listed(patterns),
            ActionElement::NotAction(patterns) => !listed(patterns),
        }
    };
    for line in GAPS.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let (Some(action), others) = (words.next(), words) else { continue };
        let Some(statement) = denies(document).find(|statement| covers(statement, action)) else { continue };
        let left: Vec<&str> =
            others.filter(|other| !denies(document).any(|statement| covers(statement, other))).collect();
        if !left.is_empty() {
            let message = format!("`{action}` is denied; what does the same harm is not: {}", left.join(", "));
            report.note(Code::Gap, statement.span, message, "deny it as well, if the statement is there to protect");
        }
    }
}

/// A Deny of everything but a list of services, which nobody will remember when AWS adds one.
fn later_services(statement: &Statement, catalog: &Catalog, report: &mut Report<'_>) {
    let ActionElement::NotAction(patterns) = &statement.action else { return };
    let by_region = statement.conditions.iter().any(|condition| is_key(condition, "aws:RequestedRegion"));
    let listed: BTreeSet<String> = patterns
        .iter()
        .filter_map(|p| p.value.as_str().split_once(':'))
        .map(|(service, _)| service.to_ascii_lowercase())
        .collect();
    if by_region || listed.len() < MANY_SERVICES {
        return;
    }
    let missing = catalog.services().filter(|service| !listed.contains(*service)).count();
    let message = format!(
        "{missing} services of AWS are not in this list (as of {}), and each that is new is denied too",
        catalog.date()
    );
    report.warning(
        Code::StaleNotaction,
        statement.span,
        message,
        "note who looks after the list, and when it was last compared",
    );
}

/// A guardrail that binds even those who would have to repair what it breaks.
fn nobody_exempt(document: &PolicyDocument, report: &mut Report<'_>) {
    const OF_CALLER: &[&str] = &["aws:principal", "aws:userid", "aws:username", "aws:viaawsservice", "aws:calledvia"];
    let exempts = |statement: &Statement| {
        let mut keys = statement.conditions.iter().map(|condition| condition.key.as_str().to_ascii_lowercase());
        keys.any(|key| OF_CALLER.iter().any(|start| key.starts_with(start)))
    };
    let Some(first) = denies(document).next() else { return };
    if !denies(document).any(exempts) {
        let message = "no statement exempts anybody, not even those who repair what it breaks".to_owned();
        let hint = "add `\"ArnNotLike\": {\"aws:PrincipalArn\": …}` for the role that breaks the glass, or say that nobody shall";
        report.note(Code::NoExemption, first.span, message, hint);
    }
}
