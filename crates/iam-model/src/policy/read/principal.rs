//! Reading a principal element: `"*"`, or an object of lists by type.
//!
//! Follows the IAM User Guide topic "AWS JSON policy elements: Principal". Entries are kept as written; whom they name
//! is for evaluation to say.

use super::report::{Report, quote};
use crate::json::{Node, NodeKind};
use crate::policy::{PrincipalPattern, UnknownElement};
use crate::text::Spanned;

const TYPES: &str = "the types are AWS, Service, Federated and CanonicalUser";

pub(super) fn patterns(
    value: &Node<'_>,
    unknown: &mut Vec<UnknownElement>,
    report: &mut Report<'_>,
) -> Vec<Spanned<PrincipalPattern>> {
    let mut patterns = Vec::new();
    match &value.kind {
        NodeKind::String(text) if *text == "*" => {
            patterns.push(Spanned::new(PrincipalPattern::Everyone, report.span(value.span)));
        }
        NodeKind::Object(members) => {
            for member in *members {
                if !matches!(member.key, "AWS" | "Service" | "Federated" | "CanonicalUser") {
                    report.not_known(member.key_span, &format!("the principal type {}", quote(member.key)), TYPES);
                }
                for item in member.value.one_or_many() {
                    match item.as_str() {
                        Some(text) => patterns.push(Spanned::new(pattern(member.key, text), report.span(item.span))),
                        None => unknown.push(report.misread(
                            item.span,
                            format!("a principal that is {}", item.describe()),
                            "write a string",
                        )),
                    }
                }
            }
        }
        _ => unknown.push(report.misread(
            value.span,
            match value.as_str() {
                Some(text) => format!("the principal {} without a type", quote(text)),
                None => format!("a principal element that is {}", value.describe()),
            },
            "write \"*\", or an object such as {\"AWS\": \"111122223333\"}",
        )),
    }
    patterns
}

fn pattern(kind: &str, value: &str) -> PrincipalPattern {
    match kind {
        "AWS" if value == "*" => PrincipalPattern::Everyone,
        "AWS" => PrincipalPattern::Aws(value.into()),
        "Service" => PrincipalPattern::Service(value.into()),
        "Federated" => PrincipalPattern::Federated(value.into()),
        "CanonicalUser" => PrincipalPattern::CanonicalUser(value.into()),
        _ => PrincipalPattern::Unknown { kind: kind.into(), value: value.into() },
    }
}
