//! `paring patch`: changes written into source files, printed as one diff.
//!
//! Judges nothing: that is for `check` and `tighten`. Nothing is written to a file here.

use iam_model::change::{self, ChangesError};
use iam_model::snapshot::{Snapshot, SnapshotIndex};
use iam_patch::{Disposition, PatchSet, Project, Refused};

use super::Outcome;
use crate::cli::Patch;
use crate::error::CliError;
use crate::input;
use crate::terminal::Terminal;

/// Reads changes and sources, prints the diff, and says what was refused.
pub(crate) fn run(arguments: &Patch, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let source = input::read_text(&arguments.changes)?;
    let (asked, mut diagnostics) = change::read(&source).map_err(|error| unusable(&error))?;
    let unread = !diagnostics.is_empty();
    let snapshot = match &arguments.snapshot {
        Some(path) => {
            let (snapshot, found) = iam_collect::from_path(path).map_err(|error| CliError::collect(&error))?;
            diagnostics.extend(found);
            snapshot
        }
        None => Snapshot::default(),
    };
    let (sources, found) = input::read_sources(&arguments.iac)?;
    diagnostics.extend(found);
    let (project, found) = Project::read(sources);
    diagnostics.extend(found);
    terminal.diagnostics(&diagnostics);
    let (index, _) = SnapshotIndex::new(&snapshot);
    let set = iam_patch::patch(&project, &index, &asked.changes);
    print(&set, terminal)?;
    for split in &asked.splits {
        terminal
            .note(&format!("the split of `{}` is not written: roles are not added to source files yet", split.role));
    }
    Ok(if set.refused.is_empty() && asked.splits.is_empty() && !unread { Outcome::Clean } else { Outcome::Findings })
}

fn unusable(error: &ChangesError) -> CliError {
    CliError::user(error.to_string())
}

fn print(set: &PatchSet, terminal: &mut Terminal) -> Result<(), CliError> {
    for patch in &set.patches {
        terminal.data(&patch.diff)?;
        if let Disposition::NeedsReview(reasons) = &patch.disposition {
            for reason in reasons {
                terminal.note(&format!("review `{}`: {reason}", patch.file));
            }
        }
    }
    for number in &set.unchanged {
        terminal.note(&format!("change {number}: the source already says so"));
    }
    for refused in &set.refused {
        let (head, text) = words(refused);
        terminal.refused(&head, &text, refused.refusal.hint.as_deref());
    }
    Ok(())
}

/// The head and the text of a refusal's line: its code, then the change and where it would have gone.
fn words(refused: &Refused) -> (String, String) {
    let place = refused.refusal.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
    let head = format!("refused[{}]", refused.refusal.code);
    (head, format!("change {}: {place}{}", refused.change, refused.refusal))
}
