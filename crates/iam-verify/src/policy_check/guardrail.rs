//! What goes wrong with guardrails: what they leave open, whom they lock out, and what was left to fill in.
//!
//! For policies that deny what others allow: service control policies, resource control policies and policies of
//! endpoints. What is wrong with any policy is found beside this.

mod conditions;
mod coverage;
mod paths;
mod placeholders;
mod style;
mod workloads;

use iam_model::catalog::Catalog;
use iam_model::condition::Condition;
use iam_model::policy::{Effect, PolicyDocument, Statement};
use iam_model::text::{SourceText, Span};

use super::PolicyKind;
use super::report::Report;

pub(super) fn check(
    document: &PolicyDocument,
    kind: PolicyKind,
    catalog: &Catalog,
    source: &SourceText,
    report: &mut Report<'_>,
) {
    let control = matches!(kind, PolicyKind::ServiceControl | PolicyKind::ResourceControl);
    if control || matches!(kind, PolicyKind::VpcEndpoint | PolicyKind::Resource) {
        placeholders::check(document, report);
    }
    if !control && kind != PolicyKind::VpcEndpoint {
        return;
    }
    style::check(document, catalog, source, report);
    for statement in denies(document) {
        conditions::check(statement, document, report);
        paths::check(statement, report);
    }
    if control {
        workloads::check(document, kind, report);
        coverage::check(document, kind, catalog, report);
    }
}

fn denies(document: &PolicyDocument) -> impl Iterator<Item = &Statement> {
    document.statements.iter().filter(|statement| statement.effect == Effect::Deny && statement.unknown.is_empty())
}

/// Every text of a statement in which something can be left to fill in, with its place.
fn texts(statement: &Statement) -> impl Iterator<Item = (&str, Span)> {
    let actions = statement.action.patterns().iter().map(|p| (p.value.as_str(), p.span));
    let resources = statement.resource.patterns().iter().map(|p| (p.value.as_str(), p.span));
    let keys = statement.conditions.iter().map(|condition| (condition.key.as_str(), condition.span));
    let values = statement.conditions.iter().flat_map(|c| &c.values).map(|v| (v.value.as_str(), v.span));
    let principals = statement.principal.iter().flat_map(|principal| principal.patterns());
    let principals = principals.map(|pattern| (pattern.value.text(), pattern.span));
    actions.chain(resources).chain(keys).chain(values).chain(principals)
}

fn is_key(condition: &Condition, key: &str) -> bool {
    condition.key.as_str().eq_ignore_ascii_case(key)
}

#[cfg(test)]
mod tests;
