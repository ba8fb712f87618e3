//! The hand that reads: values of an expected shape out of a JSON tree, a diagnostic for each that is not.
//!
//! Knows shapes and places; which keys there are is for the readers of the formats.

use std::collections::BTreeMap;

use crate::arn::Arn;
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::json::{Node, NodeKind};
use crate::policy::{self, PolicyDocument, UnknownElement};
use crate::text::{Positions, SourceText, Span};

/// Reads one source and gathers what is wrong with it.
pub(crate) struct Reader<'s> {
    source: &'s SourceText,
    /// The code of what is wrong with the file's own format.
    code: Code,
    diagnostics: Vec<Diagnostic>,
    positions: Positions<'s>,
    /// Bytes walked to find the lines of what is wrong inside policies.
    walked: u64,
}

/// After so many bytes, diagnostics inside policies name the part and no line: each costs a walk from the file's start,
/// and a large file full of bad policies would take hours.
const WALK_MOST: u64 = 4 << 30;

impl<'s> Reader<'s> {
    pub(crate) fn new(source: &'s SourceText, code: Code) -> Self {
        Self { source, code, diagnostics: Vec::new(), positions: Positions::new(&source.text), walked: 0 }
    }

    pub(crate) fn finish(self) -> Vec<Diagnostic> {
        self.diagnostics
    }

    fn place(&mut self, span: Span, within: &str) -> Place {
        let position = self.positions.at(span.start);
        Place { source: self.source.name.clone(), position: Some(position), within: Some(within.into()) }
    }

    pub(crate) fn note(&mut self, span: Span, within: &str, message: String) {
        let place = self.place(span, within);
        self.diagnostics.push(Diagnostic::note(self.code, place, message));
    }

    pub(crate) fn warn(&mut self, code: Code, span: Span, within: &str, message: String) {
        let place = self.place(span, within);
        self.diagnostics.push(Diagnostic::warning(code, place, message));
    }

    pub(crate) fn warn_hint(&mut self, code: Code, span: Span, within: &str, message: String, hint: &str) {
        let place = self.place(span, within);
        self.diagnostics.push(Diagnostic::warning(code, place, message).hint(hint));
    }

    pub(crate) fn error(&mut self, span: Span, within: &str, message: String) {
        let place = self.place(span, within);
        self.diagnostics.push(Diagnostic::error(self.code, place, message));
    }

    /// One note for each key that is none of `known`: a later version, or a slip of the pen.
    pub(crate) fn note_unknown_keys(&mut self, node: &Node<'_>, known: &[&str], within: &str) {
        for member in node.members() {
            if !known.contains(&member.key) {
                self.note(
                    member.key_span,
                    within,
                    format!("the key `{}` is not known and not used", shown(member.key)),
                );
            }
        }
    }

    /// A string that must be there.
    pub(crate) fn text(&mut self, node: &Node<'_>, key: &str, within: &str) -> Option<String> {
        let text = self.optional_text(node, key, within);
        if node.get(key).is_none() {
            self.warn(self.code, node.span, within, format!("no `{key}`"));
        }
        text
    }

    /// A string that may be absent or null.
    pub(crate) fn optional_text(&mut self, node: &Node<'_>, key: &str, within: &str) -> Option<String> {
        let found = present(node, key)?;
        if found.as_str().is_none() {
            let message = format!("`{key}` is {}; a string is expected", found.describe());
            self.warn(self.code, found.span, within, message);
        }
        found.as_str().map(Into::into)
    }

    /// An ARN that must be there.
    pub(crate) fn arn(&mut self, node: &Node<'_>, key: &str, within: &str) -> Option<Arn> {
        let text = self.text(node, key, within)?;
        self.parse_arn(&text, node.get(key).map_or(node.span, |n| n.span), within)
    }

    /// An ARN that may be absent or null; an empty text counts as absent.
    pub(crate) fn optional_arn(&mut self, node: &Node<'_>, key: &str, within: &str) -> Option<Arn> {
        let text = self.optional_text(node, key, within)?;
        if text.is_empty() { None } else { self.parse_arn(&text, node.get(key).map_or(node.span, |n| n.span), within) }
    }

    pub(crate) fn parse_arn(&mut self, text: &str, span: Span, within: &str) -> Option<Arn> {
        let arn = text.parse().ok();
        if arn.is_none() {
            let message = format!("`{}` is not an ARN (arn:partition:service:region:account:resource)", shown(text));
            self.warn(self.code, span, within, message);
        }
        arn
    }

    /// The items of a list that may be absent or null. Nothing: it is there and is no list.
    pub(crate) fn list<'n, 'a>(&mut self, node: &'n Node<'a>, key: &str, within: &str) -> Option<&'n [Node<'a>]> {
        let Some(found) = present(node, key) else { return Some(&[]) };
        if matches!(found.kind, NodeKind::Array(_)) {
            return Some(found.items());
        }
        let message = format!("`{key}` is {}; a list is expected", found.describe());
        self.warn(self.code, found.span, within, message);
        None
    }

    /// The object under a key that may be absent or null.
    pub(crate) fn object<'n, 'a>(&mut self, node: &'n Node<'a>, key: &str, within: &str) -> Option<&'n Node<'a>> {
        let found = present(node, key)?;
        if matches!(found.kind, NodeKind::Object(_)) {
            return Some(found);
        }
        let message = format!("`{key}` is {}; an object is expected", found.describe());
        self.warn(self.code, found.span, within, message);
        None
    }

    /// `Tags`, a list of `{Key, Value}`.
    pub(crate) fn tags(&mut self, node: &Node<'_>, within: &str) -> BTreeMap<String, String> {
        let mut tags = BTreeMap::new();
        for tag in self.list(node, "Tags", within).unwrap_or_default() {
            let key = self.text(tag, "Key", within);
            let value = self.optional_text(tag, "Value", within).unwrap_or_default();
            tags.extend(key.map(|key| (key, value)));
        }
        tags
    }

    /// A policy document: an object, or a string that holds one.
    pub(crate) fn policy(&mut self, node: &Node<'_>, within: &str) -> PolicyDocument {
        if self.walked > WALK_MOST {
            let nameless = SourceText { name: self.source.name.clone(), text: String::new() };
            let (document, mut diagnostics) = policy::from_json(node, &nameless, within);
            diagnostics.iter_mut().for_each(|d| d.place.position = None);
            self.diagnostics.extend(diagnostics);
            return document;
        }
        let (document, diagnostics) = policy::from_json(node, self.source, within);
        self.walked = self
            .walked
            .saturating_add(u64::try_from(diagnostics.len().saturating_mul(node.span.end)).unwrap_or(u64::MAX));
        self.diagnostics.extend(diagnostics);
        document
    }

    /// A policy that is there and cannot be read: a diagnostic, and a document that is wholly unknown.
    pub(crate) fn unreadable_policy(&mut self, span: Span, within: &str, why: &str) -> PolicyDocument {
        let message = format!("the policy cannot be read, and counts as unknown: {why}");
        self.warn(Code::PolicyInvalid, span, within, message);
        unknown_document(span, why)
    }
}

/// A document of which nothing is known.
pub(crate) fn unknown_document(span: Span, what: &str) -> PolicyDocument {
    PolicyDocument { unknown: vec![UnknownElement { span, what: what.into() }], ..PolicyDocument::default() }
}

/// The value under a key, unless it is null.
pub(crate) fn present<'n, 'a>(node: &'n Node<'a>, key: &str) -> Option<&'n Node<'a>> {
    node.get(key).filter(|found| found.kind != NodeKind::Null)
}

/// A name of the input as it may stand in a message: short, and without control characters.
pub(crate) fn shown(text: &str) -> String {
    printable(text, 120)
}

/// A whole sentence of the input as a message.
pub(crate) fn shown_line(text: &str) -> String {
    printable(text, 1000)
}

fn printable(text: &str, most: usize) -> String {
    let mut out: String = text.chars().take(most).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(most).is_some() {
        out.push('…');
    }
    out
}
