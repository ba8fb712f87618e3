//! Printing a policy with a fixed key order, so that equal documents print alike whatever crates are linked.
//!
//! Order: Version, Id, Statement; Sid, Effect, Principal, Action, Resource, Condition (or their `Not` forms). A list of
//! one is printed as the string alone. Parts that were not understood cannot be printed; see `PolicyDocument::unknown`.

#[cfg(test)]
mod tests;

use super::{ActionElement, Effect, PolicyDocument, PrincipalElement, PrincipalPattern, ResourceElement, Statement};
use crate::condition::Condition;
use crate::json::Value;
use crate::text::Spanned;

/// How a policy is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrintStyle {
    /// No white space.
    Compact,
    /// Two spaces a level, a value a line, a last newline.
    Pretty,
}

/// Prints a document as JSON.
///
/// ```
/// use iam_model::arn::ResourcePattern;
/// use iam_model::action::ActionPattern;
/// use iam_model::policy::{PolicyDocument, PrintStyle, Statement, print};
/// let get = Statement::allow(vec![ActionPattern::new("s3:GetObject")], vec![ResourcePattern::everything()]);
/// assert_eq!(
///     print(&PolicyDocument::new(vec![get]), PrintStyle::Compact),
///     r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#,
/// );
/// ```
#[must_use]
pub fn print(document: &PolicyDocument, style: PrintStyle) -> String {
    let value = document_value(document);
    match style {
        PrintStyle::Compact => value.to_compact(),
        PrintStyle::Pretty => value.to_pretty(),
    }
}

/// Characters without white space: what AWS counts against the size quotas of identity policies.
#[must_use]
pub fn compact_len(document: &PolicyDocument) -> usize {
    print(document, PrintStyle::Compact).chars().filter(|c| !c.is_whitespace()).count()
}

/// The document as a JSON value, keys in the printed order: for files that hold policies.
#[must_use]
pub fn document_value(document: &PolicyDocument) -> Value {
    let mut members = Vec::new();
    if let Some(version) = document.version {
        members.push(("Version".into(), Value::text(version.as_str())));
    }
    if let Some(id) = &document.id {
        members.push(("Id".into(), Value::text(id)));
    }
    members.push(("Statement".into(), Value::Array(document.statements.iter().map(statement_value).collect())));
    Value::Object(members)
}

fn statement_value(statement: &Statement) -> Value {
    let mut members = Vec::new();
    if let Some(sid) = &statement.sid {
        members.push(("Sid".into(), Value::text(sid)));
    }
    match statement.effect {
        Effect::Allow => members.push(("Effect".into(), Value::text("Allow"))),
        Effect::Deny => members.push(("Effect".into(), Value::text("Deny"))),
        Effect::Unknown => {}
    }
    match &statement.principal {
        Some(PrincipalElement::Principal(patterns)) => members.push(("Principal".into(), principals(patterns))),
        Some(PrincipalElement::NotPrincipal(patterns)) => members.push(("NotPrincipal".into(), principals(patterns))),
        None => {}
    }
    let actions = statement.action.patterns().iter().map(|p| p.value.as_str());
    match &statement.action {
        ActionElement::Action(_) => members.push(("Action".into(), list(actions))),
        ActionElement::NotAction(_) => members.push(("NotAction".into(), list(actions))),
    }
    let resources = statement.resource.patterns().iter().map(|p| p.value.as_str());
    match &statement.resource {
        ResourceElement::Resource(_) => members.push(("Resource".into(), list(resources))),
        ResourceElement::NotResource(_) => members.push(("NotResource".into(), list(resources))),
        ResourceElement::Absent => {}
    }
    if !statement.conditions.is_empty() {
        members.push(("Condition".into(), conditions(&statement.conditions)));
    }
    Value::Object(members)
}

/// One text alone, or a list.
fn list<'a>(texts: impl Iterator<Item = &'a str>) -> Value {
    let mut values: Vec<Value> = texts.map(Value::text).collect();
    match values.pop() {
        Some(only) if values.is_empty() => only,
        Some(last) => {
            values.push(last);
            Value::Array(values)
        }
        None => Value::Array(values),
    }
}

fn principals(patterns: &[Spanned<PrincipalPattern>]) -> Value {
    if let [Spanned { value: PrincipalPattern::Everyone, .. }] = patterns {
        return Value::text("*");
    }
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for pattern in patterns {
        let (kind, value) = match &pattern.value {
            PrincipalPattern::Everyone => ("AWS", "*"),
            PrincipalPattern::Aws(value) => ("AWS", value.as_str()),
            PrincipalPattern::Service(value) => ("Service", value.as_str()),
            PrincipalPattern::Federated(value) => ("Federated", value.as_str()),
            PrincipalPattern::CanonicalUser(value) => ("CanonicalUser", value.as_str()),
            PrincipalPattern::Unknown { kind, value } => (kind.as_str(), value.as_str()),
        };
        match groups.iter_mut().find(|(k, _)| *k == kind) {
            Some((_, values)) => values.push(value),
            None => groups.push((kind, vec![value])),
        }
    }
    Value::Object(groups.into_iter().map(|(kind, values)| (kind.into(), list(values.into_iter()))).collect())
}

/// Conditions grouped by operator, in the order of their first appearance.
fn conditions(conditions: &[Condition]) -> Value {
    let mut groups: Vec<(String, Vec<(String, Value)>)> = Vec::new();
    for condition in conditions {
        let operator = condition.operator.to_string();
        let values = list(condition.values.iter().map(|v| v.value.as_str()));
        match groups.iter_mut().find(|(name, _)| *name == operator) {
            Some((_, keys)) => {
                let key = distinct(condition.key.as_str(), keys);
                keys.push((key, values));
            }
            None => groups.push((operator, vec![(condition.key.as_str().into(), values)])),
        }
    }
    Value::Object(groups.into_iter().map(|(operator, keys)| (operator, Value::Object(keys))).collect())
}

/// The key, spelled in other letter case where it is taken: keys compare without regard to case, JSON's do not, and
/// two conditions on one key must both hold, so neither may be lost.
fn distinct(key: &str, taken: &[(String, Value)]) -> String {
    let mut spelled = String::from(key);
    let flips = key.char_indices().filter(|(_, c)| c.is_ascii_alphabetic()).map(|(at, _)| at);
    for at in flips {
        if !taken.iter().any(|(k, _)| *k == spelled) {
            break;
        }
        spelled = key
            .char_indices()
            .map(|(i, c)| match (i <= at, c.is_ascii_lowercase()) {
                (true, true) => c.to_ascii_uppercase(),
                (true, false) => c.to_ascii_lowercase(),
                (false, _) => c,
            })
            .collect();
    }
    spelled
}
