//! Reading a condition block: operators, keys, values.
//!
//! An operator nobody knows is kept as [`Operator::Unknown`] and reported; its condition cannot be decided.

use super::report::{Report, quote};
use crate::condition::{Condition, ConditionKey, Operator};
use crate::json::{Node, NodeKind};
use crate::policy::Statement;
use crate::text::Spanned;

pub(super) fn conditions(value: &Node<'_>, statement: &mut Statement, report: &mut Report<'_>) {
    if !matches!(value.kind, NodeKind::Object(_)) {
        let what = format!("a `Condition` that is {}", value.describe());
        statement.unknown.push(report.misread(value.span, what, "write an object of operators"));
    }
    for member in value.members() {
        let operator = Operator::parse(member.key);
        if matches!(operator, Operator::Unknown(_)) {
            let what = format!("the condition operator {}", quote(member.key));
            report.not_known(member.key_span, &what, "whether its statement applies cannot be decided");
        }
        if !matches!(member.value.kind, NodeKind::Object(_)) {
            let what = format!("a condition operator over {}", member.value.describe());
            let hint = "write an object of condition keys and values";
            statement.unknown.push(report.misread(member.value.span, what, hint));
        }
        for key in member.value.members() {
            let values = values(&key.value, statement, report);
            statement.conditions.push(Condition {
                operator: operator.clone(),
                key: ConditionKey::new(key.key),
                values,
                span: report.span(key.key_span),
            });
        }
    }
}

fn values(value: &Node<'_>, statement: &mut Statement, report: &mut Report<'_>) -> Vec<Spanned<String>> {
    let items = value.one_or_many();
    let mut texts = Vec::with_capacity(items.len());
    for item in items {
        let text = match &item.kind {
            NodeKind::String(text) => (*text).into(),
            NodeKind::Number(digits) => (*digits).into(),
            NodeKind::Bool(value) => value.to_string(),
            NodeKind::Null | NodeKind::Array(_) | NodeKind::Object(_) => {
                let what = format!("a condition value that is {}", item.describe());
                statement.unknown.push(report.misread(item.span, what, "write a string"));
                continue;
            }
        };
        texts.push(Spanned::new(text, report.span(item.span)));
    }
    texts
}
