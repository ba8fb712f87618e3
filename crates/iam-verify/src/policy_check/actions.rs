//! Actions: their form, and whether AWS publishes them.

use iam_evaluate::budget::{Budget, QUESTION};
use iam_evaluate::glob::{Glob, Reading};
use iam_model::action::ActionPattern;
use iam_model::catalog::{ActionFacts, Catalog};
use iam_model::diagnostic::Code;
use iam_model::policy::{ActionElement, Effect, Statement};
use iam_model::text::{Span, Spanned};

use super::PolicyKind;
use super::report::Report;
use super::similar::nearest;

/// What comparing them may cost.
const WORK: u64 = QUESTION / 4;
/// Actions of one statement that are compared with one another; lists of more are generated.
const MOST_COMPARED: usize = 1_000;

pub(super) fn check(statement: &Statement, kind: PolicyKind, catalog: &Catalog, report: &mut Report<'_>) {
    for pattern in statement.action.patterns() {
        one(pattern.value.as_str(), pattern.span, catalog, report);
    }
    if let ActionElement::Action(patterns) = &statement.action {
        redundant(statement, patterns, report);
    }
    if statement.effect == Effect::Allow {
        passed_to_service(statement, kind, report);
    }
}

/// Patterns that another one beside them includes.
fn redundant(statement: &Statement, patterns: &[Spanned<ActionPattern>], report: &mut Report<'_>) {
    let budget = Budget::new(WORK);
    let few = if patterns.len() <= MOST_COMPARED { patterns } else { &[] };
    let globs: Vec<Glob> = few.iter().map(|p| Glob::parse(p.value.as_str(), Reading::ACTION)).collect();
    for (at, (pattern, glob)) in few.iter().zip(&globs).enumerate() {
        // Of two that are the same, the second one goes.
        let wider = globs.iter().zip(few).enumerate().find(|(other, (wide, _))| {
            *other != at && wide.includes_within(glob, &budget) && (!glob.includes_within(wide, &budget) || *other < at)
        });
        if budget.is_spent() {
            break;
        }
        if let Some((_, (_, wide))) = wider {
            let message = match pattern.value.as_str().eq_ignore_ascii_case(wide.value.as_str()) {
                true => format!("`{}` stands twice", pattern.value),
                false => format!("`{}` is part of `{}`, which stands beside it", pattern.value, wide.value),
            };
            report.note(Code::RedundantEntry, pattern.span, message, "remove it");
        }
    }
    if patterns.len() > MOST_COMPARED || budget.is_spent() {
        report.not_compared(statement.span, "actions", patterns.len());
    }
}

fn one(text: &str, span: Span, catalog: &Catalog, report: &mut Report<'_>) {
    if text == "*" || placeholder(text) {
        return;
    }
    let Some((service, name)) = text.split_once(':') else {
        let hint = "write `service:Name`, or `*` alone for every action";
        return report.error(Code::InvalidAction, span, format!("`{text}` is not an action"), hint);
    };
    if service.contains(['*', '?']) {
        let hint = "name the service; a wildcard may stand after the colon";
        return report.error(Code::InvalidAction, span, format!("the service of `{text}` holds a wildcard"), hint);
    }
    let mut actions = catalog.service_actions(service).peekable();
    if actions.peek().is_none() {
        return unknown_service(service, name, span, catalog, report);
    }
    let date = catalog.date();
    let glob = Glob::parse(name, Reading::ACTION);
    let names: Vec<&str> = actions.map(|facts| facts.name()).collect();
    if names.iter().any(|known| glob.matches(known)) {
        return;
    }
    if name.contains(['*', '?']) {
        let message = format!("`{text}` matches no action that AWS publishes (as of {date})");
        return report.warning(Code::UnknownAction, span, message, "correct it, or remove it");
    }
    let message = format!("AWS publishes no action `{text}` (as of {date})");
    let hint = match nearest(name, names.iter().copied()) {
        Some(known) => format!("did you mean `{service}:{known}`?"),
        None => elsewhere(name, catalog).unwrap_or_else(|| "correct it, or remove it".into()),
    };
    report.warning(Code::UnknownAction, span, message, hint);
}

/// The same action under another service's prefix.
fn elsewhere(name: &str, catalog: &Catalog) -> Option<String> {
    let same = catalog.services().find(|prefix| catalog.action_named(prefix, name).is_some())?;
    Some(format!("did you mean `{same}:{name}`?"))
}

fn unknown_service(service: &str, name: &str, span: Span, catalog: &Catalog, report: &mut Report<'_>) {
    let message = format!("AWS publishes no service prefix `{service}` (as of {})", catalog.date());
    let numbered = || catalog.services().find(|known| known.strip_suffix('2') == Some(service));
    let hint = match numbered().or_else(|| nearest(service, catalog.services())) {
        Some(known) => format!("did you mean `{known}:{name}`?"),
        None => elsewhere(name, catalog).unwrap_or_else(|| "correct it, or remove the action".into()),
    };
    report.warning(Code::UnknownService, span, message, hint);
}

/// Text that a template fills in.
pub(super) fn placeholder(text: &str) -> bool {
    ["${", "{{", "<", "[", "#{", "%"].iter().any(|opening| text.contains(opening))
}

/// Whether every action is spelt out and none of them is one.
pub(super) fn matches_nothing(statement: &Statement, catalog: &Catalog) -> bool {
    let ActionElement::Action(patterns) = &statement.action else { return false };
    patterns.iter().all(|pattern| {
        let text = pattern.value.as_str();
        text != "*" && !placeholder(text) && matched(text, catalog).is_empty()
    })
}

/// The actions AWS publishes that a pattern matches; nothing for `*`, which is no list.
pub(super) fn matched<'c>(text: &str, catalog: &'c Catalog) -> Vec<ActionFacts<'c>> {
    let (service, name) = text.split_once(':').unwrap_or((text, ""));
    let glob = Glob::parse(name, Reading::ACTION);
    catalog.service_actions(service).filter(|facts| glob.matches(facts.name())).collect()
}

/// Passing a role without saying to whom: the caller chooses which service acts as the role.
fn passed_to_service(statement: &Statement, kind: PolicyKind, report: &mut Report<'_>) {
    let grants = matches!(kind, PolicyKind::Identity | PolicyKind::Resource);
    let bound = statement.conditions.iter().any(|c| {
        let key = c.key.as_str().to_ascii_lowercase();
        key == "iam:passedtoservice" || key == "iam:associatedresourcearn"
    });
    let ActionElement::Action(patterns) = &statement.action else { return };
    let every_role = || statement.resource.patterns().iter().any(|r| r.value.as_str() == "*");
    let passes = patterns.iter().find(|p| {
        let text = p.value.as_str().to_ascii_lowercase();
        text.starts_with("iam:pass") || text == "iam:*" && every_role()
    });
    if let (true, false, Some(pattern)) = (grants, bound, passes) {
        let message = format!("`{}` is allowed for every service", pattern.value);
        let hint = "add a condition on `iam:PassedToService` that names the service the role is for";
        report.warning(Code::MissingPassedToService, pattern.span, message, hint);
    }
}
