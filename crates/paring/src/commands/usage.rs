//! `paring usage`: what each role did, from logs alone.

use iam_model::catalog::Catalog;
use iam_usage::Options;

use super::Outcome;
use crate::cli::{Format, Usage};
use crate::error::CliError;
use crate::terminal::Terminal;
use crate::{logs, report};

/// Reads the logs and prints what was seen.
pub(crate) fn run(arguments: &Usage, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let catalog =
        Catalog::embedded().map_err(|e| CliError::user(format!("the built-in catalogue cannot be used: {e}")))?;
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
