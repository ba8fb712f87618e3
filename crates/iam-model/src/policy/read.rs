//! Reading a policy: a typed document and diagnostics, never a failure that hides part of it.

use super::PolicyDocument;
use crate::diagnostic::Diagnostic;
use crate::json::Node;
use crate::text::SourceText;

/// Reads the text of one policy. Text that is no JSON gives a document that is wholly unknown, and an error.
#[must_use]
pub fn parse(source: &SourceText) -> (PolicyDocument, Vec<Diagnostic>) {
    let _ = source;
    (PolicyDocument::default(), Vec::new())
}

/// Reads a policy out of a larger JSON text, such as a snapshot; `within` names the part for messages.
#[must_use]
pub fn from_json(node: &Node<'_>, source: &SourceText, within: &str) -> (PolicyDocument, Vec<Diagnostic>) {
    let _ = (node, source, within);
    (PolicyDocument::default(), Vec::new())
}
