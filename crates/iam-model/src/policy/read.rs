//! Reading a policy: a typed document and diagnostics, never a failure that hides part of it.
//!
//! Follows the IAM User Guide topic "Grammar of the IAM JSON policy language". A part that cannot be understood stays
//! in the document as an [`UnknownElement`](super::UnknownElement) beside its diagnostic, and evaluation answers with
//! "unknown" where it matters. What the parts mean is not known here.

mod condition;
mod decode;
mod principal;
mod report;
mod statement;
#[cfg(test)]
mod tests;

use super::{PolicyDocument, PolicyVersion};
use crate::diagnostic::{Code, Diagnostic};
use crate::json::{self, Arena, JsonError, Limits, Node, NodeKind};
use crate::text::{SourceText, Span};
use report::Report;

/// Reads the text of one policy. Text that is no JSON gives a document that is wholly unknown, and an error.
///
/// ```
/// use iam_model::policy::parse;
/// use iam_model::text::{SourceName, SourceText};
/// let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}"#;
/// let source = SourceText { name: SourceName::new("policy.json"), text: text.into() };
/// let (document, diagnostics) = parse(&source);
/// assert_eq!(document.statements.len(), 1);
/// assert!(diagnostics.is_empty());
/// ```
#[must_use]
pub fn parse(source: &SourceText) -> (PolicyDocument, Vec<Diagnostic>) {
    let mut report = Report::new(source, "");
    let document = match json::parse(&Arena::for_text(source.text.len()), &source.text, Limits::POLICY) {
        Ok(node) => document(&node, &mut report),
        Err(error) => unreadable(&error, &mut report),
    };
    (document, report.finish())
}

/// Reads a policy out of a larger JSON text, such as a snapshot; `within` names the part for messages.
///
/// A string is taken for the policy's text, plain or URL-encoded as the IAM API hands it out; spans then point at the
/// whole string.
#[must_use]
pub fn from_json(node: &Node<'_>, source: &SourceText, within: &str) -> (PolicyDocument, Vec<Diagnostic>) {
    let mut report = Report::new(source, within);
    let NodeKind::String(text) = &node.kind else {
        let document = document(node, &mut report);
        return (document, report.finish());
    };
    let inner = decode::policy_text(text);
    report.embed(node.span, &inner);
    let document = match json::parse(&Arena::for_text(inner.len()), &inner, Limits::POLICY) {
        Ok(inner_node) => document(&inner_node, &mut report),
        Err(error) => unreadable(&error, &mut report),
    };
    (document, report.finish())
}

/// A document of which nothing is known, because its text is no JSON.
fn unreadable(error: &JsonError, report: &mut Report<'_>) -> PolicyDocument {
    let span = Span::new(error.offset, error.offset);
    report.error(Code::JsonInvalid, span, format!("the policy is not JSON: {error}"), error.kind.hint());
    let unknown = vec![report.unknown(span, "a document that is not JSON".into())];
    PolicyDocument { unknown, ..PolicyDocument::default() }
}

fn document(node: &Node<'_>, report: &mut Report<'_>) -> PolicyDocument {
    let mut document = PolicyDocument::default();
    if !matches!(node.kind, NodeKind::Object(_)) {
        let what = format!("a document that is {}", node.describe());
        report.error(Code::PolicyInvalid, node.span, "a policy is a JSON object".into(), Some("write `{...}`"));
        document.unknown.push(report.unknown(node.span, what));
        return document;
    }
    let mut statements_seen = false;
    for member in node.members() {
        match member.key {
            "Version" => match version(&member.value) {
                Some(version) => document.version = Some(version),
                None => document.unknown.push(report.misread(
                    member.value.span,
                    "a `Version` that AWS does not know".into(),
                    "write \"2012-10-17\"",
                )),
            },
            "Id" => match member.value.as_str() {
                Some(id) => document.id = Some(id.into()),
                None => document.unknown.push(report.misread(
                    member.value.span,
                    format!("an `Id` that is {}", member.value.describe()),
                    "write a string",
                )),
            },
            "Statement" => {
                statements_seen = true;
                statements(&member.value, &mut document, report);
            }
            other => document.unknown.push(report.element(member.key_span, other, DOCUMENT_ELEMENTS)),
        }
    }
    if !statements_seen {
        let what = "a document without `Statement`".into();
        document.unknown.push(report.misread(node.span, what, "add a `Statement`"));
    }
    document
}

const DOCUMENT_ELEMENTS: &[&str] = &["Version", "Id", "Statement"];

fn version(node: &Node<'_>) -> Option<PolicyVersion> {
    let text = node.as_str()?;
    [PolicyVersion::V2008, PolicyVersion::V2012].into_iter().find(|version| version.as_str() == text)
}

fn statements(node: &Node<'_>, document: &mut PolicyDocument, report: &mut Report<'_>) {
    let nodes = match &node.kind {
        NodeKind::Array(_) | NodeKind::Object(_) => node.one_or_many(),
        _ => {
            let what = format!("a `Statement` that is {}", node.describe());
            document.unknown.push(report.misread(node.span, what, "write a list of objects"));
            return;
        }
    };
    for item in nodes {
        if matches!(item.kind, NodeKind::Object(_)) {
            document.statements.push(statement::statement(item, report));
        } else {
            let what = format!("a statement that is {}", item.describe());
            document.unknown.push(report.misread(item.span, what, "write an object"));
        }
    }
}
