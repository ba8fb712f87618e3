//! Collecting what validation finds, each with its place; knows no rule.

use iam_model::diagnostic::{Code, Diagnostic, Place, Severity};
use iam_model::text::{SourceText, Span};

/// The most findings of one kind about one policy: a generated policy may hold thousands.
const MOST_PER_CODE: usize = 100;

/// What was found so far.
pub(super) struct Report<'s> {
    source: &'s SourceText,
    found: Vec<(usize, Diagnostic)>,
}

impl<'s> Report<'s> {
    pub(super) const fn new(source: &'s SourceText) -> Self {
        Self { source, found: Vec::new() }
    }

    /// AWS refuses this, or it can never do what it says.
    pub(super) fn error(&mut self, code: Code, span: Span, message: String, hint: impl Into<String>) {
        self.add(code, Severity::Error, span, message, hint.into());
    }

    /// This does something else than it seems to.
    pub(super) fn warning(&mut self, code: Code, span: Span, message: String, hint: impl Into<String>) {
        self.add(code, Severity::Warning, span, message, hint.into());
    }

    /// This could go.
    pub(super) fn note(&mut self, code: Code, span: Span, message: String, hint: impl Into<String>) {
        self.add(code, Severity::Note, span, message, hint.into());
    }

    /// Some of a statement's entries were too many to hold each against each.
    pub(super) fn not_compared(&mut self, span: Span, what: &str, count: usize) {
        let message = format!("{count} {what} of this statement are not compared with one another");
        self.note(Code::NotCompared, span, message, "split the statement, to be told of entries that add nothing");
    }

    fn add(&mut self, code: Code, severity: Severity, span: Span, message: String, hint: String) {
        if self.found.iter().filter(|(_, other)| other.code == code).count() >= MOST_PER_CODE {
            return;
        }
        let place = Place::at(self.source.name.clone(), &self.source.text, span.start);
        self.found.push((span.start, Diagnostic { code, severity, place, message, hint: Some(hint) }));
    }

    /// Everything, in the order of the text.
    pub(super) fn finish(mut self) -> Vec<Diagnostic> {
        self.found.sort_by(|(a, left), (b, right)| (a, left.code, &left.message).cmp(&(b, right.code, &right.message)));
        self.found.dedup();
        self.found.into_iter().map(|(_, diagnostic)| diagnostic).collect()
    }
}
