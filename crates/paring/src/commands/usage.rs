//! `paring usage`: what each role did, from logs alone.

use iam_usage::Options;

use super::Outcome;
use crate::cli::{Format, Usage};
use crate::error::CliError;
use crate::terminal::Terminal;
use crate::{logs, report};

/// Reads the logs and prints what was seen.
pub(crate) fn run(arguments: &Usage, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let catalog = crate::catalog::load(&arguments.catalog)?;
    let options = Options {
        since: arguments.since,
        until: arguments.until,
        roles: arguments.roles.iter().cloned().collect(),
        accounts: arguments.accounts.iter().cloned().collect(),
        threads: arguments.threads,
    };
    let mut diagnostics = Vec::new();
    let usage = logs::read(&arguments.logs, &catalog, &options, terminal, &mut diagnostics)?;
    terminal.diagnostics(&diagnostics);
    let text = match arguments.format {
        Format::Json => report::usage::json(&usage),
        Format::Text => report::usage::table(&usage, arguments.by, terminal.paint()),
    };
    terminal.data(&text)?;
    Ok(Outcome::Clean)
}
