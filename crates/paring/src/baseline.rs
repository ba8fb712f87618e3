//! Findings that were known before: what an earlier run printed, by fingerprint.

use std::collections::BTreeSet;

use iam_model::finding::Finding;
use iam_model::json::{self, Arena, Limits, Node};

use crate::cli::Baseline;
use crate::error::CliError;
use crate::input;
use crate::report::counted;
use crate::terminal::Terminal;

const FORM: &str = "give what `paring audit` or `paring tighten` printed with `--format json`";

/// Leaves out the findings that the file holds, and says how many.
pub(crate) fn leave_out(
    findings: &mut Vec<Finding>,
    baseline: &Baseline,
    terminal: &mut Terminal,
) -> Result<(), CliError> {
    let Some(path) = &baseline.file else { return Ok(()) };
    let source = input::read_text(path)?;
    let arena = Arena::for_text(source.text.len());
    let root = json::parse(&arena, &source.text, Limits::FILE)
        .map_err(|error| CliError::user(format!("`{}` cannot be read: {error}", source.name)).hint(FORM))?;
    let known = root.get("findings").map(Node::items);
    let prints = |known: &[Node<'_>]| -> Option<BTreeSet<String>> {
        known.iter().map(|one| Some(one.get("fingerprint")?.as_str()?.to_owned())).collect()
    };
    let Some(known) = known.and_then(prints) else {
        return Err(CliError::user(format!("`{}` holds no findings with fingerprints", source.name)).hint(FORM));
    };
    let before = findings.len();
    findings.retain(|finding| !known.contains(&finding.fingerprint()));
    let left_out = before - findings.len();
    if left_out > 0 {
        let what = counted(left_out, "known finding", "known findings");
        terminal.note(&format!("{what} left out: `{}` has them", source.name));
    }
    Ok(())
}
