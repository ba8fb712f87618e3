//! The guard: an edit leaves only if the file reads back as intended, by two parsers, and nothing else moved.
//!
//! Trusts neither planning nor writing.

use iam_model::text::Span;

use crate::diff;
use crate::op::{self, Op};
use crate::read::{self, Opinion};
use crate::refusal::{Refusal, RefusalCode};
use crate::template::Template;
use crate::write::Splice;

/// A template whose edits are checked.
#[derive(Clone)]
pub(crate) struct Guard<'t> {
    template: &'t Template,
}

/// A text that passed.
#[derive(Clone)]
pub(crate) struct Passed {
    pub(crate) after: String,
    pub(crate) diff: String,
}

impl<'t> Guard<'t> {
    pub(crate) const fn new(template: &'t Template) -> Self {
        Self { template }
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
        let Ok(read) = read::read(&after, self.template.syntax) else {
            return failed("the edited file would not parse");
        };
        let intended = op::apply(&self.template.root, ops);
        if !read.says(&intended) {
            return failed("the edited file would not say what was intended");
        }
        match read::second(&after, self.template.syntax, &intended) {
            Opinion::Same => {}
            Opinion::Differs if self.disputed() => return failed("two parsers read this file differently"),
            Opinion::Differs => return failed("a second parser reads the edited file differently"),
            Opinion::None => return failed("no second parser accepts this file"),
        }
        let diff = diff::unified(&self.template.name, before, &after);
        if diff::applied(before, &diff).as_deref() != Some(after.as_str()) {
            return failed("the diff does not apply");
        }
        Ok(Passed { after, diff })
    }

    /// Whether the parsers disagree about the file as it is.
    fn disputed(&self) -> bool {
        read::second(&self.template.text, self.template.syntax, &self.template.root.plain()) == Opinion::Differs
    }
}

/// An edit after which the text is what it was: nothing of the change is written.
pub(crate) fn unchanged() -> Refusal {
    Refusal::new(RefusalCode::Empty, "the edit would leave the text as it is")
        .hint("make the change by hand; it is printed with this refusal")
}

/// Walks both texts beside each other: what is not in a splice must be equal.
pub(crate) fn only_splices_moved(before: &str, after: &str, splices: &[Splice]) -> bool {
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
pub(crate) fn line_ends(text: &str) -> (bool, bool, bool) {
    let crlf = text.matches("\r\n").count();
    let lf = text.matches('\n').count();
    (crlf > 0, lf > crlf, text.ends_with('\n'))
}
