//! `paring collect`: a bundle of AWS CLI output, or a live account, to the file form of a snapshot.
//!
//! Reads and writes files and says what is missing; how an account is read is for the collecting room.

#[cfg(feature = "aws")]
mod generate;

use std::path::Path;

use iam_collect::{Plan, file_form, needed_policy};
use iam_model::diagnostic::{Diagnostic, Severity};
use iam_model::snapshot::Snapshot;

use super::Outcome;
use crate::cli::Collect;
use crate::error::CliError;
use crate::terminal::Terminal;
use crate::write;

/// Runs the command. What could not be read is no failure: it is said now, and again wherever the snapshot is used.
pub(crate) fn run(arguments: &Collect, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    // A snapshot is for use.
    crate::redact::allow_files()?;
    if arguments.print_policy {
        let mut policy = needed_policy(&plan(arguments));
        policy.push('\n');
        terminal.data(&policy)?;
        return Ok(Outcome::Clean);
    }
    let (snapshot, diagnostics) = match &arguments.bundle {
        Some(bundle) => iam_collect::from_path(bundle).map_err(|error| CliError::collect(&error))?,
        None => live(arguments, terminal)?,
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

fn plan(arguments: &Collect) -> Plan {
    Plan {
        all_regions: all_regions(arguments),
        last_accessed: arguments.last_accessed,
        access_analyzer: arguments.access_analyzer,
        generate_with: arguments.access_role.clone(),
        role_name: arguments.role_name.clone(),
        ..Plan::default()
    }
}

/// The word that means every region.
const ALL: &str = "all";

fn all_regions(arguments: &Collect) -> bool {
    arguments.regions.iter().any(|region| region == ALL)
}

/// The regions named; the first is where calls of no region are made.
#[cfg(feature = "aws")]
fn named_regions(arguments: &Collect) -> Vec<String> {
    arguments.regions.iter().filter(|region| *region != ALL).cloned().collect()
}

#[cfg(feature = "aws")]
fn live(arguments: &Collect, terminal: &mut Terminal) -> Result<(Snapshot, Vec<Diagnostic>), CliError> {
    use crate::cli::AccountWord;
    use iam_collect::live::{Accounts, Options, Order, Progress, collect};

    let ids = arguments.accounts.iter().filter_map(|word| match word {
        AccountWord::Id(id) => Some(id.clone()),
        AccountWord::All => None,
    });
    let accounts = match arguments.accounts.as_slice() {
        [] => Accounts::Own,
        words if words.contains(&AccountWord::All) => Accounts::All,
        _ => Accounts::These(ids.collect()),
    };
    let order = Order {
        options: Options { profile: arguments.profile.clone(), regions: named_regions(arguments) },
        all_regions: all_regions(arguments),
        accounts,
        role_name: arguments.role_name.clone(),
        record: arguments.record.clone(),
        last_accessed: arguments.last_accessed,
        access_analyzer: arguments.access_analyzer,
    };
    let terminal = std::cell::RefCell::new(terminal);
    let told = |progress: &Progress| terminal.borrow_mut().note(&line(progress));
    let found = collect(&order, &told).map_err(|error| CliError::collect(&error))?;
    if let (Some(record), Some(trail), Some(access_role)) =
        (&arguments.record, &arguments.trail_arn, &arguments.access_role)
    {
        let roles = generate::roles(&found.0, &arguments.generate)?;
        let logs = generate::Logs { trail: trail.clone(), access_role: access_role.clone(), days: generate::DAYS };
        generate::run(&order.options, &roles, &logs, record, &mut |line| terminal.borrow_mut().note(line))?;
    }
    Ok(found)
}

/// How an account went, in a line.
#[cfg(feature = "aws")]
fn line(progress: &iam_collect::live::Progress) -> String {
    let account = &progress.account;
    if let Some(why) = &progress.refused {
        return format!("{account} · not read: {why}");
    }
    let mut parts = vec![format!("{account} · {} answered", count(progress.answered, "call"))];
    if progress.kept > 0 {
        parts.push(format!("{} kept from before", count(progress.kept, "answer")));
    }
    if progress.failed > 0 {
        parts.push(format!("{} refused or failed", progress.failed));
    }
    parts.join(" · ")
}

#[cfg(not(feature = "aws"))]
fn live(arguments: &Collect, _: &mut Terminal) -> Result<(Snapshot, Vec<Diagnostic>), CliError> {
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
