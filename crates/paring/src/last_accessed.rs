//! AWS's own record of last uses: the reports the user names, and those of a bundle.
//!
//! A report that cannot be used becomes a diagnostic; what it would have said stays unknown.

use std::path::{Path, PathBuf};

use iam_model::arn::{AccountId, Arn};
use iam_model::diagnostic::{Code, Diagnostic, Place};
use iam_model::snapshot::Snapshot;
use iam_model::snapshot::analyzer::{AnalyzerFinding, AnalyzerWord};
use iam_model::usage::{LastAccessed, RoleReport, ServiceReport, UsageLog};

use crate::error::CliError;
use crate::input;

/// Where a bundle keeps its reports, one for each role.
const IN_BUNDLE: &str = "get-service-last-accessed-details";

/// The roles a report may be about.
pub(crate) fn roles(snapshot: Option<&Snapshot>, usage: &UsageLog) -> Vec<Arn> {
    let accounts = snapshot.into_iter().flat_map(|snapshot| snapshot.accounts.values());
    let known = accounts.flat_map(|account| &account.roles).map(|role| role.identity.arn.clone());
    let mut roles: Vec<Arn> = known.chain(usage.principals.keys().cloned()).collect();
    roles.sort();
    roles.dedup();
    roles
}

/// Reads the reports at `paths`, files or folders, and those of the bundle, if the snapshot is one.
pub(crate) fn read(
    paths: &[PathBuf],
    snapshot: Option<&Path>,
    roles: &[Arn],
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<LastAccessed, CliError> {
    let mut found = LastAccessed::default();
    for path in paths {
        add(path, roles, &mut found, diagnostics)?;
    }
    for folder in snapshot.map(in_bundle).unwrap_or_default() {
        add(&folder, roles, &mut found, diagnostics)?;
    }
    Ok(found)
}

/// Adds the last uses that Access Analyzer's findings about unused permissions tell of. That it saw none is no report: what
/// its analyzers look back at is for whoever made them to choose.
pub(crate) fn add_findings(snapshot: &Snapshot, found: &mut LastAccessed) {
    let reports = snapshot.accounts.values().filter_map(|account| account.access_analyzer.as_ref());
    for finding in reports.flat_map(|report| &report.findings) {
        if let Some((role, report)) = uses(finding) {
            found.add(role, report);
        }
    }
}

fn uses(finding: &AnalyzerFinding) -> Option<(Arn, RoleReport)> {
    let role = finding.resource.clone().filter(|arn| arn.resource().starts_with("role/"))?;
    let (AnalyzerWord::UnusedPermissions(services), Some(made)) = (&finding.about, finding.analyzed) else {
        return None;
    };
    let mut report = RoleReport::default();
    for one in services {
        let actions = one.unused.iter().filter(|(_, last)| last.is_some()).cloned();
        let actions = actions.collect::<std::collections::BTreeMap<_, _>>();
        let last = one.last.max(actions.values().copied().flatten().max());
        if last.is_some() {
            report.services.insert(one.service.clone(), ServiceReport { made, last, actions });
        }
    }
    (!report.services.is_empty()).then_some((role, report))
}

/// The folders of reports in a bundle: its own, and those of its accounts.
fn in_bundle(bundle: &Path) -> Vec<PathBuf> {
    let accounts = std::fs::read_dir(bundle).into_iter().flatten().flatten().filter(|entry| {
        let name = entry.file_name();
        let is_account = name.to_str().is_some_and(AccountId::is_number);
        // A link could lead out of the folder named.
        is_account && entry.file_type().is_ok_and(|kind| kind.is_dir())
    });
    let mut folders: Vec<PathBuf> = accounts.map(|entry| entry.path().join(IN_BUNDLE)).collect();
    folders.push(bundle.join(IN_BUNDLE));
    folders.sort();
    folders.retain(|folder| std::fs::symlink_metadata(folder).is_ok_and(|found| found.is_dir()));
    folders
}

fn add(
    path: &Path,
    roles: &[Arn],
    found: &mut LastAccessed,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<(), CliError> {
    let walked = path.is_dir();
    let (files, unread) = input::walk(path, &|_| false)?;
    diagnostics.extend(unread);
    for file in files.iter().filter(|file| !walked || file.relative.ends_with(".json")) {
        let refused = match input::read_text(&file.path) {
            Ok(source) => match iam_usage::last_accessed(&source, roles) {
                Ok((role, report)) => {
                    if report.cut_off {
                        let message = format!(
                            "the report about {role} is cut off: what it would say of other services is not known"
                        );
                        let cut_off =
                            Diagnostic::warning(Code::SnapshotIncomplete, Place::whole(source.name.clone()), message);
                        diagnostics.push(
                            cut_off.hint("ask again with `--max-items 1000`, or for the page after its `Marker`"),
                        );
                    }
                    found.add(role, report);
                    continue;
                }
                Err(error) => Diagnostic::warning(Code::FileUnreadable, error.place, error.message).hint(error.hint),
            },
            Err(error) => {
                let place = Place::whole(input::source_name(&file.path));
                Diagnostic::warning(Code::FileUnreadable, place, error.to_string())
            }
        };
        diagnostics.push(refused);
    }
    Ok(())
}
