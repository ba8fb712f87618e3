//! Statements against one another: dead ones, and those that add nothing to the others.
//!
//! Asks permission sets, so wildcards and conditions count; where that is not decided, nothing is said.

use iam_evaluate::budget::{Budget, QUESTION};
use iam_evaluate::permission_set::{Inclusion, Limits, PermissionSet};
use iam_model::diagnostic::Code;
use iam_model::policy::{Effect, PolicyDocument, Statement};

use super::report::Report;

/// Documents with more statements are not compared pair by pair: the work grows with the square.
const MOST_STATEMENTS: usize = 200;

/// What comparing the statements of one policy may cost: it is validated while somebody waits.
pub(super) const WORK: u64 = 2 * QUESTION;

pub(super) fn check(document: &PolicyDocument, report: &mut Report<'_>) {
    let statements = &document.statements;
    let budget = Budget::new(WORK);
    for statement in statements {
        if is_empty(statement, &budget) {
            let message = "no request can match this statement: its conditions contradict one another".to_owned();
            report.warning(Code::DeadStatement, statement.span, message, "correct the conditions, or remove it");
        }
    }
    if statements.len() > MOST_STATEMENTS {
        let message = format!("{} statements are not compared with one another", statements.len());
        return not_compared(document, message, report);
    }
    if statements.iter().any(|s| !s.unknown.is_empty()) {
        return;
    }
    compare(document, &budget, report);
    if budget.is_spent() {
        let message = "not all statements were compared with one another: it takes too many steps".to_owned();
        not_compared(document, message, report);
    }
}

fn not_compared(document: &PolicyDocument, message: String, report: &mut Report<'_>) {
    let span = document.statements.first().map(|s| s.span).unwrap_or_default();
    report.note(Code::NotCompared, span, message, "split the policy, to be told of statements that add nothing");
}

/// Each statement against all others of its kind, and each allow against the denies.
fn compare(document: &PolicyDocument, budget: &Budget, report: &mut Report<'_>) {
    let statements = &document.statements;
    let mut redundant = vec![false; statements.len()];
    for effect in [Effect::Allow, Effect::Deny] {
        for (at, statement) in statements.iter().enumerate().rev().filter(|(_, s)| s.effect == effect) {
            let others = statements.iter().enumerate().filter(|(other, s)| {
                *other != at && s.effect == effect && !redundant.get(*other).copied().unwrap_or(false)
            });
            let others: Vec<&Statement> = others.map(|(_, s)| s).collect();
            if !others.is_empty() && included(document, &[statement], &others, budget) {
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
        if included(document, &[allow], &denies, budget) {
            let message = "everything this statement allows is denied in the same policy".to_owned();
            report.warning(Code::DeadStatement, allow.span, message, "remove it, or narrow the Deny");
        }
    }
}

/// Whether no request at all can match.
pub(super) fn is_empty(statement: &Statement, budget: &Budget) -> bool {
    let matched = PermissionSet::of_document(&PolicyDocument::new(vec![allowing(statement)]));
    statement.unknown.is_empty()
        && !statement.conditions.is_empty()
        && matches!(matched.included_in(&PermissionSet::nothing(), Limits::small(budget)), Inclusion::Included(_))
}

/// Whether what the first statements match is matched by the second ones, effects aside.
fn included(document: &PolicyDocument, these: &[&Statement], those: &[&Statement], budget: &Budget) -> bool {
    let set = |list: &[&Statement]| {
        let mut alone = PolicyDocument { version: document.version, ..PolicyDocument::default() };
        alone.statements = list.iter().map(|statement| allowing(statement)).collect();
        PermissionSet::of_document(&alone)
    };
    matches!(set(these).included_in(&set(those), Limits::small(budget)), Inclusion::Included(_))
}

fn allowing(statement: &Statement) -> Statement {
    Statement { effect: Effect::Allow, ..statement.clone() }
}
