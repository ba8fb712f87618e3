//! Where the roles that findings are about are written: file, line and column.
//!
//! Asks the room of patches; reads sources only where no other stop did.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use iam_model::diagnostic::Place;
use iam_model::finding::{Finding, Subject};
use iam_model::snapshot::SnapshotIndex;
use iam_model::text::{SourceName, SourceText};
use iam_patch::Project;

use crate::error::CliError;
use crate::input;
use crate::terminal::Terminal;

/// Places in a folder that is still to be read; none without a folder.
pub(crate) fn places(
    findings: &[Finding],
    folder: Option<&Path>,
    index: &SnapshotIndex<'_>,
    terminal: &mut Terminal,
) -> Result<BTreeMap<String, Place>, CliError> {
    let Some(folder) = folder else { return Ok(BTreeMap::new()) };
    let (sources, unread) = input::read_sources(folder)?;
    terminal.diagnostics(&unread);
    Ok(in_sources(findings, folder, sources, index))
}

/// Where each principal of the findings is written, by its ARN; paths begin with the folder.
pub(crate) fn in_sources(
    findings: &[Finding],
    folder: &Path,
    sources: Vec<SourceText>,
    index: &SnapshotIndex<'_>,
) -> BTreeMap<String, Place> {
    let (project, _) = Project::read(sources);
    let names: BTreeSet<&str> =
        findings.iter().filter_map(|finding| finding.principal.as_ref()).map(Subject::as_str).collect();
    let mut places = iam_patch::places_of_roles(&project, index, &names);
    for place in places.values_mut() {
        place.source = SourceName::new(&below(folder, place.source.as_str()));
    }
    places
}

/// The file that stands for a snapshot: its own, or the first of a bundle.
pub(crate) fn of_snapshot(path: &Path) -> String {
    if input::is_standard_input(path) {
        return "snapshot.json".to_owned();
    }
    let folder = path.is_dir();
    if folder { below(path, "account-authorization-details.json") } else { path.to_string_lossy().into_owned() }
}

/// A file of a folder, as the user would name it.
pub(crate) fn below(folder: &Path, file: &str) -> String {
    match folder.to_string_lossy().trim_end_matches('/') {
        "." => file.to_owned(),
        folder => format!("{folder}/{file}"),
    }
}
