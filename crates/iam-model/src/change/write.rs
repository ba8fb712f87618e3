//! Printing `paring-changes/1`.
//!
//! Keys stand in a fixed order, and optional parts of an attachment that are not known are left out. A policy with
//! parts that were not understood says so under a key AWS refuses, so that no reader takes it for the whole policy.

use super::{Attachment, Change, NewPolicy, Reason, RolePart, RoleSplit, SCHEMA};
use crate::arn::Arn;
use crate::json::Value;
use crate::policy::{PolicyDocument, document_value};

/// Prints changes as JSON, indented, keys in a fixed order; `splits` only where there are any.
///
/// ```
/// use iam_model::change;
/// assert_eq!(change::write(&[], &[]), "{\n  \"schema\": \"paring-changes/1\",\n  \"changes\": []\n}\n");
/// ```
#[must_use]
pub fn write(changes: &[Change], splits: &[RoleSplit]) -> String {
    let mut members = vec![
        ("schema".to_owned(), Value::text(SCHEMA)),
        ("changes".to_owned(), Value::Array(changes.iter().map(change).collect())),
    ];
    if !splits.is_empty() {
        members.push(("splits".to_owned(), Value::Array(splits.iter().map(split).collect())));
    }
    Value::Object(members).to_pretty()
}

fn split(split: &RoleSplit) -> Value {
    object([
        ("role", Value::text(split.role.as_str())),
        ("parts", Value::Array(split.parts.iter().map(part).collect())),
    ])
}

fn part(part: &RolePart) -> Value {
    let text = |arn: &Arn| Value::text(arn.as_str());
    let mut written = object([
        ("function", text(&part.function)),
        ("role", text(&part.role)),
        ("trust", document(&part.trust)),
        ("policies", Value::Array(part.policies.iter().map(new_policy).collect())),
        ("managed_policies", Value::Array(part.managed_policies.iter().map(text).collect())),
        ("boundary", part.boundary.as_ref().map_or(Value::Null, text)),
        ("description", part.description.as_ref().map_or(Value::Null, Value::text)),
    ]);
    // A part without tags or new managed policies is written as it always was.
    if let (false, Value::Object(members)) = (part.new_managed_policies.is_empty(), &mut written) {
        let new = part.new_managed_policies.iter().map(new_policy);
        members.push(("new_managed_policies".to_owned(), Value::Array(new.collect())));
    }
    if let (false, Value::Object(members)) = (part.tags.is_empty(), &mut written) {
        let tags = part.tags.iter().map(|(key, value)| (key.clone(), Value::text(value)));
        members.push(("tags".to_owned(), Value::Object(tags.collect())));
    }
    written
}

fn new_policy(policy: &NewPolicy) -> Value {
    object([
        ("name", Value::text(&policy.name)),
        ("document", document(&policy.document)),
        ("reasons", Value::Array(policy.reasons.iter().map(reason).collect())),
    ])
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn change(change: &Change) -> Value {
    object([
        ("attachment", attachment(&change.attachment)),
        ("before", change.before.as_ref().map_or(Value::Null, document)),
        ("after", change.after.as_ref().map_or(Value::Null, document)),
        ("reasons", Value::Array(change.reasons.iter().map(reason).collect())),
    ])
}

fn attachment(attachment: &Attachment) -> Value {
    let parts = [
        ("kind", Some(Value::text(attachment.kind.as_str()))),
        ("principal_arn", attachment.principal_arn.as_ref().map(|arn| Value::text(arn.as_str()))),
        ("resource_arn", attachment.resource_arn.as_ref().map(|arn| Value::text(arn.as_str()))),
        ("logical_id", attachment.logical_id.as_ref().map(Value::text)),
        ("address", attachment.address.as_ref().map(Value::text)),
        ("policy_name", attachment.policy_name.as_ref().map(Value::text)),
        ("index", attachment.index.map(number)),
    ];
    Value::Object(parts.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect())
}

fn document(document: &PolicyDocument) -> Value {
    let in_statements = document.statements.iter().flat_map(|statement| &statement.unknown);
    let unknown: Vec<Value> = document.unknown.iter().chain(in_statements).map(|u| Value::text(&u.what)).collect();
    let mut value = document_value(document);
    if let (false, Value::Object(members)) = (unknown.is_empty(), &mut value) {
        members.push(("(not understood)".into(), Value::Array(unknown)));
    }
    value
}

fn reason(reason: &Reason) -> Value {
    object([
        ("statement", reason.statement.map_or(Value::Null, number)),
        ("because", Value::text(&reason.because)),
        ("evidence", Value::Array(reason.evidence.iter().map(Value::text).collect())),
    ])
}

fn number(number: usize) -> Value {
    Value::Number(number.to_string())
}
