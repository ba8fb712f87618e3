//! Statements against one another: dead ones, and those that add nothing to the others.
//!
//! Asks permission sets, so wildcards and conditions count; where that is not decided, nothing is said.

use iam_evaluate::permission_set::{Inclusion, Limits, PermissionSet};
use iam_model::diagnostic::Code;
use iam_model::policy::{Effect, PolicyDocument, Statement};

use super::PolicyKind;
use super::report::Report;

/// Documents with more statements are not compared pair by pair: the work grows with the square.
const MOST_STATEMENTS: usize = 200;

/// A step is cheap; a policy is validated while somebody waits.
const LIMITS: Limits = Limits { steps: 20_000, states: 5_000 };

pub(super) fn check(document: &PolicyDocument, kind: PolicyKind, report: &mut Report<'_>) {
    let statements = &document.statements;
    for statement in statements {
        if is_empty(statement, kind) {
            let message = "no request can match this statement: its conditions contradict one another".to_owned();
            report.warning(Code::DeadStatement, statement.span, message, "correct the conditions, or remove it");
        }
    }
    if statements.len() > MOST_STATEMENTS || statements.iter().any(|s| !s.unknown.is_empty()) {
        return;
    }
    let mut redundant = vec![false; statements.len()];
    for effect in [Effect::Allow, Effect::Deny] {
        for (at, statement) in statements.iter().enumerate().rev().filter(|(_, s)| s.effect == effect) {
            let others = statements.iter().enumerate().filter(|(other, s)| {
                *other != at && s.effect == effect && !redundant.get(*other).copied().unwrap_or(false)
            });
            let others: Vec<&Statement> = others.map(|(_, s)| s).collect();
            if !others.is_empty() && included(document, &[statement], &others) {
                if let Some(slot) = redundant.get_mut(at) {
                    *slot = true;
                }
                let does = if effect == Effect::Allow { "allowed" } else { "denied" };
                let message = format!("everything this statement matches is {does} by the others already");
                report.note(Code::RedundantStatement, statement.span, message, "remove it");
            }
        }
    }
    let denies: Vec<&Statement> = statements.iter().filter(|s| s.effect == Effect::Deny).collect();
    for allow in statements.iter().filter(|s| s.effect == Effect::Allow && !denies.is_empty()) {
        if included(document, &[allow], &denies) {
            let message = "everything this statement allows is denied in the same policy".to_owned();
            report.warning(Code::DeadStatement, allow.span, message, "remove it, or narrow the Deny");
        }
    }
}

/// Whether no request at all can match.
pub(super) fn is_empty(statement: &Statement, _kind: PolicyKind) -> bool {
    let matched = PermissionSet::of_document(&PolicyDocument::new(vec![allowing(statement)]));
    statement.unknown.is_empty()
        && !statement.conditions.is_empty()
        && matches!(matched.included_in(&PermissionSet::nothing(), LIMITS), Inclusion::Included(_))
}

/// Whether what the first statements match is matched by the second ones, effects aside.
fn included(document: &PolicyDocument, these: &[&Statement], those: &[&Statement]) -> bool {
    let set = |list: &[&Statement]| {
        let mut alone = PolicyDocument { version: document.version, ..PolicyDocument::default() };
        alone.statements = list.iter().map(|statement| allowing(statement)).collect();
        PermissionSet::of_document(&alone)
    };
    matches!(set(these).included_in(&set(those), LIMITS), Inclusion::Included(_))
}

fn allowing(statement: &Statement) -> Statement {
    Statement { effect: Effect::Allow, ..statement.clone() }
}
