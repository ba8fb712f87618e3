//! Collecting what went wrong in one policy, with places in the outer text.
//!
//! A hostile document cannot make it say more than [`MOST`] things; the unknown parts themselves are all kept.

use crate::diagnostic::{Code, Diagnostic, Place};
use crate::policy::UnknownElement;
use crate::text::{Position, SourceText, Span};

/// Diagnostics per policy; the rest is only counted.
const MOST: usize = 20;

/// Characters of the user's text that a message quotes.
const QUOTED: usize = 80;

pub(super) struct Report<'s> {
    source: &'s SourceText,
    within: &'s str,
    /// The string the policy stands in and the text decoded from it, where it is not part of the source itself.
    embedded: Option<(Span, String)>,
    diagnostics: Vec<Diagnostic>,
    left_out: usize,
}

impl<'s> Report<'s> {
    pub(super) const fn new(source: &'s SourceText, within: &'s str) -> Self {
        Self { source, within, embedded: None, diagnostics: Vec::new(), left_out: 0 }
    }

    /// From here on, spans are those of a text decoded from the string at `outer`.
    pub(super) fn embed(&mut self, outer: Span, text: &str) {
        self.embedded = Some((outer, text.into()));
    }

    /// The place in the source of a place in the policy's text.
    pub(super) fn span(&self, span: Span) -> Span {
        self.embedded.as_ref().map_or(span, |(outer, _)| *outer)
    }

    pub(super) fn unknown(&self, span: Span, what: String) -> UnknownElement {
        UnknownElement { span: self.span(span), what }
    }

    /// A part of the wrong form: reported, and kept as unknown.
    pub(super) fn misread(&mut self, span: Span, what: String, hint: &str) -> UnknownElement {
        self.push(Code::PolicyInvalid, span, format!("the policy holds {what}"), Some(hint), false);
        self.unknown(span, what)
    }

    /// An element of a name nobody knows: reported, and kept as unknown.
    pub(super) fn element(&mut self, span: Span, name: &str, known: &[&str]) -> UnknownElement {
        let what = format!("the element {}", quote(name));
        let meant = known.iter().find(|k| k.eq_ignore_ascii_case(name.trim()));
        let hint = meant.map_or_else(
            || format!("the elements known here are {}", known.join(", ")),
            |meant| format!("element names are case-sensitive: write `{meant}`"),
        );
        self.push(
            Code::PolicyUnknownElement,
            span,
            format!("the policy holds {what}, which is not known"),
            Some(&hint),
            false,
        );
        self.unknown(span, what)
    }

    /// Something kept as written in the document that evaluation will not understand.
    pub(super) fn not_known(&mut self, span: Span, what: &str, hint: &str) {
        self.push(
            Code::PolicyUnknownElement,
            span,
            format!("the policy holds {what}, which is not known"),
            Some(hint),
            false,
        );
    }

    pub(super) fn error(&mut self, code: Code, span: Span, message: String, hint: Option<&str>) {
        self.push(code, span, message, hint, true);
    }

    fn push(&mut self, code: Code, span: Span, message: String, hint: Option<&str>, error: bool) {
        if self.diagnostics.len() >= MOST {
            self.left_out += 1;
            return;
        }
        let mut within = String::from(self.within);
        let outer = match &self.embedded {
            None => span,
            Some((outer, text)) => {
                let separator = if within.is_empty() { "" } else { ", " };
                within.push_str(&format!("{separator}at {} of the policy's text", Position::of(text, span.start)));
                *outer
            }
        };
        let mut place = Place::at(self.source.name.clone(), &self.source.text, outer.start);
        if !within.is_empty() {
            place = place.within(within);
        }
        let diagnostic =
            if error { Diagnostic::error(code, place, message) } else { Diagnostic::warning(code, place, message) };
        self.diagnostics.push(match hint {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        });
    }

    pub(super) fn finish(mut self) -> Vec<Diagnostic> {
        if self.left_out > 0 {
            let mut place = Place::whole(self.source.name.clone());
            if !self.within.is_empty() {
                place = place.within(self.within);
            }
            let message = format!("{} more parts of the policy could not be read", self.left_out);
            self.diagnostics.push(Diagnostic::warning(Code::PolicyInvalid, place, message));
        }
        self.diagnostics
    }
}

/// The user's text in backticks, cut where it is long.
pub(super) fn quote(text: &str) -> String {
    let mut short: String = text.chars().take(QUOTED).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("`{short}`")
}
