//! The guard: an edit leaves only if the file reads back as intended, by two parsers, and nothing else moved.
//!
//! Trusts neither planning nor writing.

use iam_model::text::Span;

use crate::diff;
use crate::op::{self, Op};
use crate::read;
use crate::refusal::{Refusal, RefusalCode};
use crate::template::Template;
use crate::tree::Plain;
use crate::write::Splice;

/// A template with what the second parser makes of it, read once.
pub(crate) struct Guard<'t> {
    template: &'t Template,
    first: Plain,
    second: Option<Plain>,
}

/// A text that passed.
pub(crate) struct Passed {
    pub(crate) after: String,
    pub(crate) diff: String,
}

impl<'t> Guard<'t> {
    pub(crate) fn new(template: &'t Template) -> Self {
        let first = template.root.plain();
        let second = read::second(&template.text, template.syntax);
        Self { template, first, second }
    }

    /// Checks the edited text against the operations it should do.
    pub(crate) fn check(&self, ops: &[Op], splices: &[Splice], after: String) -> Result<Passed, Refusal> {
        let failed = |message: &str| Err(Refusal::new(RefusalCode::GuardFailed, message));
        let before = &self.template.text;
        if !only_splices_moved(before, &after, splices) {
            return failed("the edit would move bytes outside its place");
        }
        if line_ends(before) != line_ends(&after) {
            return failed("the edit would change line endings");
        }
        let read = match read::read(&after, self.template.syntax) {
            Ok(node) => node.plain(),
            Err(_) => return failed("the edited file would not parse"),
        };
        if read != op::apply(&self.first, ops) {
            return failed("the edited file would not say what was intended");
        }
        if let Some(second) = &self.second {
            if *second != self.first {
                return failed("two parsers read this file differently");
            }
            if read::second(&after, self.template.syntax) != Some(op::apply(second, ops)) {
                return failed("a second parser reads the edited file differently");
            }
        }
        let diff = diff::unified(&self.template.name, before, &after);
        if diff::applied(before, &diff).as_deref() != Some(after.as_str()) {
            return failed("the diff does not apply");
        }
        Ok(Passed { after, diff })
    }
}

/// Walks both texts beside each other: what is not in a splice must be equal.
fn only_splices_moved(before: &str, after: &str, splices: &[Splice]) -> bool {
    let (mut old, mut new) = (0, 0);
    for splice in splices {
        let kept = Span::new(old, splice.span.start);
        if splice.span.start < old || kept.slice(before) != Span::new(new, new + kept.len()).slice(after) {
            return false;
        }
        new += kept.len() + splice.text.len();
        old = splice.span.end;
    }
    before.get(old..).is_some_and(|rest| after.get(new..) == Some(rest))
}

/// Which line endings a text uses, and whether it ends with one.
fn line_ends(text: &str) -> (bool, bool, bool) {
    let crlf = text.matches("\r\n").count();
    let lf = text.matches('\n').count();
    (crlf > 0, lf > crlf, text.ends_with('\n'))
}
