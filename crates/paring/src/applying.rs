//! What becomes of a patched file with `--write`, and what is said of it: the same for `patch` and `tighten`.
//!
//! A file that was to be written and is not is always told, however quiet the run.

use std::path::Path;

use iam_patch::FilePatch;

use crate::committed::{self, Kept};
use crate::error::CliError;
use crate::terminal::Terminal;
use crate::write::{self, Edit};

/// What becomes of a patched file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// Only printed: nobody asked for more.
    Printed,
    /// Written over a text that git keeps, or that the user gave up with `--force`.
    Written,
    /// Written where no repository keeps the text before.
    WrittenUnkept,
    /// Not written: it needs review.
    Review,
    /// Not written: git does not keep what the file says now; why.
    NotCommitted(String),
    /// Not written: the patch says nothing new.
    Nothing,
}

impl State {
    /// What becomes of a patch that is to be written; `fit` where it needs no review, or was reviewed.
    pub(crate) fn of(folder: &Path, patch: &FilePatch, fit: bool, force: bool) -> Self {
        Self::of_edit(folder, &edit(patch), fit, force)
    }

    fn of_edit(folder: &Path, edit: &Edit<'_>, fit: bool, force: bool) -> Self {
        if edit.before == edit.after {
            return Self::Nothing;
        }
        if !fit {
            return Self::Review;
        }
        match if force { Kept::Committed } else { committed::kept(folder, edit.relative) } {
            Kept::Committed => Self::Written,
            Kept::NoRepository => Self::WrittenUnkept,
            Kept::Not(why) => Self::NotCommitted(why),
        }
    }

    /// The word of the JSON form.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Printed => "printed",
            Self::Written | Self::WrittenUnkept => "written",
            Self::Review => "needs-review",
            Self::NotCommitted(_) => "file-not-committed",
            Self::Nothing => "changes-nothing",
        }
    }

    pub(crate) const fn is_written(&self) -> bool {
        matches!(self, Self::Written | Self::WrittenUnkept)
    }

    /// Whether it was to be written and is not.
    pub(crate) const fn is_left(&self) -> bool {
        matches!(self, Self::Review | Self::NotCommitted(_) | Self::Nothing)
    }
}

/// Writes the files that are to be written, all or, where that fails, as few as can be.
pub(crate) fn write(folder: &Path, patches: &[FilePatch], states: &[State]) -> Result<(), CliError> {
    let written = patches.iter().zip(states).filter(|(_, state)| state.is_written());
    let edits: Vec<Edit<'_>> = written.map(|(patch, _)| edit(patch)).collect();
    write::apply(folder, &edits)
}

fn edit(patch: &FilePatch) -> Edit<'_> {
    Edit { relative: patch.file.as_str(), before: &patch.before, after: &patch.after }
}

/// Says what became of a file; `review` is what to do where it needs review.
pub(crate) fn tell(folder: &Path, patch: &FilePatch, state: &State, review: &str, terminal: &mut Terminal) {
    let path = folder.join(patch.file.as_str());
    let path = path.display();
    match state {
        State::Printed => {}
        State::Written => terminal.note(&format!("wrote `{path}`")),
        State::WrittenUnkept => {
            terminal.note(&format!("wrote `{path}`; it is in no git repository: nothing keeps what it said before"));
        }
        State::Review => terminal.warn(&format!("`{path}` was not written: it needs review{review}")),
        State::NotCommitted(why) => {
            terminal.warn(&format!("`{path}` was not written: {why} (--force writes it)"));
        }
        State::Nothing => terminal.warn(&format!("`{path}` was not written: the patch would change nothing")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_that_changes_nothing_is_never_written() {
        let edit = Edit { relative: "t.yaml", before: "a: b\n", after: "a: b\n" };
        let state = State::of_edit(Path::new("."), &edit, true, true);
        assert_eq!((state.as_str(), state.is_written(), state.is_left()), ("changes-nothing", false, true));
    }
}
