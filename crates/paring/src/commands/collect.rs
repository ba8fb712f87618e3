//! `paring collect`: a bundle of AWS CLI output, or a live account, to the file form of a snapshot.
//!
//! Reads and writes files and says what is missing; how an account is read is for the collecting room.

use std::path::Path;

use iam_collect::file_form;
use iam_model::diagnostic::{Diagnostic, Severity};
use iam_model::snapshot::Snapshot;

use super::Outcome;
use crate::cli::Collect;
use crate::error::CliError;
use crate::terminal::Terminal;
use crate::write;

/// Runs the command. What could not be read is no failure: it is said now, and again wherever the snapshot is used.
pub(crate) fn run(arguments: &Collect, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let (snapshot, diagnostics) = match &arguments.bundle {
        Some(bundle) => iam_collect::from_path(bundle).map_err(|error| CliError::collect(&error))?,
        None => live(arguments)?,
    };
    terminal.diagnostics(&diagnostics);
    let text = file_form(&snapshot).ok_or_else(|| CliError::user("the snapshot has no file form"))?;
    match &arguments.output {
        Some(path) if path != Path::new("-") => save(path, text)?,
        _ => terminal.data(&text)?,
    }
    terminal.note(&summary(&snapshot, &diagnostics));
    Ok(Outcome::Clean)
}

fn save(path: &Path, text: String) -> Result<(), CliError> {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return Err(CliError::user(format!("`{}` is no name for a file", path.display())));
    };
    write::results(path.parent().unwrap_or(Path::new("")), &[(name.to_owned(), text)])
}

#[cfg(feature = "aws")]
fn live(arguments: &Collect) -> Result<(Snapshot, Vec<Diagnostic>), CliError> {
    let options = iam_collect::live::Options { profile: arguments.profile.clone(), regions: arguments.regions.clone() };
    iam_collect::live::collect(&options).map_err(|error| CliError::collect(&error))
}

#[cfg(not(feature = "aws"))]
fn live(arguments: &Collect) -> Result<(Snapshot, Vec<Diagnostic>), CliError> {
    let profile = arguments.profile.as_deref().unwrap_or("default");
    let regions = arguments.regions.iter().map(|region| format!(" in `{region}`")).collect::<String>();
    let message =
        format!("this build cannot reach the account of profile `{profile}`{regions}: it holds no AWS clients");
    Err(CliError::user(message)
        .hint("take a released binary, or build with `cargo build --release --features aws`")
        .hint("or save what the AWS CLI prints, as `docs/collect.md` says, and run `paring collect --bundle DIR`"))
}

fn summary(snapshot: &Snapshot, diagnostics: &[Diagnostic]) -> String {
    let accounts = snapshot.accounts.values();
    let roles: usize = accounts.clone().map(|account| account.roles.len()).sum();
    let resources: usize = accounts.map(|account| account.resources.len()).sum();
    let missing = diagnostics.iter().filter(|diagnostic| diagnostic.severity > Severity::Note).count();
    let known =
        if missing == 0 { "nothing is missing".to_owned() } else { format!("{} not known", count(missing, "thing")) };
    let counts = [count(snapshot.accounts.len(), "account"), count(roles, "role"), count(resources, "resource"), known];
    counts.join(" · ")
}

fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}
