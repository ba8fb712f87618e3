//! Reading one statement.

use super::report::{Report, quote};
use super::{condition, principal};
use crate::action::ActionPattern;
use crate::arn::ResourcePattern;
use crate::json::Node;
use crate::policy::{ActionElement, Effect, PrincipalElement, ResourceElement, Statement};
use crate::text::{Span, Spanned};

const ELEMENTS: &[&str] =
    &["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

/// Reads a statement; `node` is an object.
pub(super) fn statement(node: &Node<'_>, report: &mut Report<'_>) -> Statement {
    let mut statement = Statement {
        span: report.span(node.span),
        sid: None,
        effect: Effect::Unknown,
        principal: None,
        action: ActionElement::Action(Vec::new()),
        resource: ResourceElement::Absent,
        conditions: Vec::new(),
        unknown: Vec::new(),
    };
    let mut words = Words::default();
    for member in node.members() {
        let value = &member.value;
        match member.key {
            "Sid" => match value.as_str() {
                Some(sid) => statement.sid = Some(sid.into()),
                None => misread(
                    &mut statement,
                    report,
                    value.span,
                    format!("a `Sid` that is {}", value.describe()),
                    "write a string",
                ),
            },
            "Effect" => {
                words.effect = true;
                effect(value, &mut statement, report);
            }
            "Principal" => {
                let patterns = principal::patterns(value, &mut statement.unknown, report);
                principals(PrincipalElement::Principal(patterns), member.key_span, &mut statement, report);
            }
            "NotPrincipal" => {
                let patterns = principal::patterns(value, &mut statement.unknown, report);
                principals(PrincipalElement::NotPrincipal(patterns), member.key_span, &mut statement, report);
            }
            "Action" => words.action = Some(value),
            "NotAction" => words.not_action = Some(value),
            "Resource" => words.resource = Some(value),
            "NotResource" => words.not_resource = Some(value),
            "Condition" => condition::conditions(value, &mut statement, report),
            other => {
                let unknown = report.element(member.key_span, other, ELEMENTS);
                statement.unknown.push(unknown);
            }
        }
    }
    if !words.effect {
        misread(
            &mut statement,
            report,
            node.span,
            "a statement without `Effect`".into(),
            "write \"Allow\" or \"Deny\"",
        );
    }
    actions(node.span, &words, &mut statement, report);
    resources(node.span, &words, &mut statement, report);
    statement
}

/// The elements that are read after the others: which of two there are decides what they mean.
#[derive(Default)]
struct Words<'n, 'a> {
    effect: bool,
    action: Option<&'n Node<'a>>,
    not_action: Option<&'n Node<'a>>,
    resource: Option<&'n Node<'a>>,
    not_resource: Option<&'n Node<'a>>,
}

fn misread(statement: &mut Statement, report: &mut Report<'_>, span: Span, what: String, hint: &str) {
    let unknown = report.misread(span, what, hint);
    statement.unknown.push(unknown);
}

fn effect(value: &Node<'_>, statement: &mut Statement, report: &mut Report<'_>) {
    match value.as_str() {
        Some("Allow") => statement.effect = Effect::Allow,
        Some("Deny") => statement.effect = Effect::Deny,
        other => {
            let what = other.map_or_else(
                || format!("an `Effect` that is {}", value.describe()),
                |text| format!("the effect {}", quote(text)),
            );
            misread(statement, report, value.span, what, "write \"Allow\" or \"Deny\"; the words are case-sensitive");
        }
    }
}

fn principals(element: PrincipalElement, key: Span, statement: &mut Statement, report: &mut Report<'_>) {
    if statement.principal.is_some() {
        let what = "a statement with both `Principal` and `NotPrincipal`".into();
        misread(statement, report, key, what, "keep one of the two");
    } else {
        statement.principal = Some(element);
    }
}

fn actions(span: Span, words: &Words<'_, '_>, statement: &mut Statement, report: &mut Report<'_>) {
    let read = |value: &Node<'_>, statement: &mut Statement, report: &mut Report<'_>| {
        strings(value, statement, report, "an action", ActionPattern::new)
    };
    match (words.action, words.not_action) {
        (Some(value), None) => statement.action = ActionElement::Action(read(value, statement, report)),
        (None, Some(value)) => statement.action = ActionElement::NotAction(read(value, statement, report)),
        (Some(value), Some(_)) => {
            statement.action = ActionElement::Action(read(value, statement, report));
            let what = "a statement with both `Action` and `NotAction`".into();
            misread(statement, report, span, what, "keep one of the two");
        }
        (None, None) => {
            misread(statement, report, span, "a statement without `Action`".into(), "add `Action` or `NotAction`");
        }
    }
}

fn resources(span: Span, words: &Words<'_, '_>, statement: &mut Statement, report: &mut Report<'_>) {
    let read = |value: &Node<'_>, statement: &mut Statement, report: &mut Report<'_>| {
        strings(value, statement, report, "a resource", ResourcePattern::new)
    };
    match (words.resource, words.not_resource) {
        (Some(value), None) => statement.resource = ResourceElement::Resource(read(value, statement, report)),
        (None, Some(value)) => statement.resource = ResourceElement::NotResource(read(value, statement, report)),
        (Some(value), Some(_)) => {
            statement.resource = ResourceElement::Resource(read(value, statement, report));
            let what = "a statement with both `Resource` and `NotResource`".into();
            misread(statement, report, span, what, "keep one of the two");
        }
        (None, None) => {}
    }
}

/// A string, or a list of strings.
fn strings<T>(
    value: &Node<'_>,
    statement: &mut Statement,
    report: &mut Report<'_>,
    what: &str,
    read: impl Fn(&str) -> T,
) -> Vec<Spanned<T>> {
    let items = value.one_or_many();
    let mut texts = Vec::with_capacity(items.len());
    for item in items {
        match item.as_str() {
            Some(text) => texts.push(Spanned::new(read(text), report.span(item.span))),
            None => {
                misread(statement, report, item.span, format!("{what} that is {}", item.describe()), "write a string");
            }
        }
    }
    texts
}
