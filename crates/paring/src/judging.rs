//! What is read before rules or claims are asked: snapshot, logs, rules, waivers, settings.
//!
//! Reads in the order of the arguments and judges nothing.

use std::path::Path;

use iam_model::catalog::Catalog;
use iam_model::change::{self, Change, ChangesError};
use iam_model::snapshot::Snapshot;
use iam_model::time::Timestamp;
use iam_model::usage::{self, Coverage, UsageLog};
use iam_usage::Options;
use iam_verify::guardrails::{Guardrails, PermissionGroups, Waiver};
use iam_verify::obeys_guardrails::{Rulebook, Settings};

use crate::cli::Judging;
use crate::error::CliError;
use crate::terminal::Terminal;
use crate::{config, input, logs, pipeline, rulebook, waivers};

/// Everything a judgement needs but the changes.
pub(crate) struct Ground {
    pub(crate) snapshot: Snapshot,
    pub(crate) usage: Option<UsageLog>,
    pub(crate) catalog: Catalog,
    pub(crate) coverage: Coverage,
    pub(crate) settings: Settings,
    guardrails: Guardrails,
    groups: PermissionGroups,
    pub(crate) waivers: Vec<Waiver>,
    pub(crate) now: Timestamp,
}

impl Ground {
    /// Reads all of it.
    pub(crate) fn load(snapshot: &Path, judging: &Judging, terminal: &mut Terminal) -> Result<Self, CliError> {
        let config = config::load(judging.config.as_deref())?;
        let guardrails = rulebook::guardrails(judging.rules.as_deref().or(config.guardrails.as_deref()))?;
        let waivers = waivers::load(judging.waivers.as_deref().or(config.waivers.as_deref()))?;
        let settings = rulebook::settings_for(&config, judging)?;
        let catalog =
            Catalog::embedded().map_err(|e| CliError::user(format!("the built-in catalogue cannot be used: {e}")))?;
        let (snapshot, mut diagnostics) = input::read_snapshot(snapshot)?;
        let usage = match (&judging.usage, judging.trail.is_empty()) {
            (Some(file), _) => {
                let read = usage::read(&input::read_text(file)?);
                Some(read.map_err(|error| CliError::user(error.to_string()).hint(error.hint))?)
            }
            (None, true) => None,
            (None, false) => {
                Some(logs::read(&judging.trail, &catalog, &Options::default(), terminal, &mut diagnostics)?)
            }
        };
        terminal.diagnostics(&diagnostics);
        let seen = UsageLog::default();
        let coverage = pipeline::facts::coverage(&snapshot, usage.as_ref().unwrap_or(&seen));
        let end = usage.as_ref().and_then(|usage| usage.window).map(|(_, last)| last);
        let now = judging.now.or(end).unwrap_or_else(clock);
        let groups = rulebook::groups()?;
        Ok(Self { snapshot, usage, catalog, coverage, settings, guardrails, groups, waivers, now })
    }

    /// The rules with what they need to know.
    pub(crate) fn rulebook(&self) -> Rulebook<'_> {
        Rulebook {
            guardrails: &self.guardrails,
            groups: &self.groups,
            catalog: &self.catalog,
            waivers: &self.waivers,
            now: self.now,
        }
    }
}

/// The changes of a file; what could not be read of them is told.
pub(crate) fn changes(path: &Path, terminal: &mut Terminal) -> Result<Vec<Change>, CliError> {
    let source = input::read_text(path)?;
    let (set, diagnostics) = change::read(&source).map_err(|error: ChangesError| {
        let told = CliError::user(error.to_string());
        match error.hint() {
            Some(hint) => told.hint(hint),
            None => told,
        }
    })?;
    let broken = diagnostics.iter().any(|d| d.severity == iam_model::diagnostic::Severity::Error);
    terminal.diagnostics(&diagnostics);
    // A change that is left out is not proved by the others.
    if broken {
        return Err(CliError::user(format!("`{}` holds changes that cannot be read", source.name))
            .hint("correct them, or remove them from the file"));
    }
    if !set.splits.is_empty() {
        return Err(CliError::user(format!(
            "`{}` holds splits of shared roles, which are not judged here",
            source.name
        ))
        .hint("run `paring tighten --split`, which proves what it proposes"));
    }
    Ok(set.changes)
}

/// The moment of the run, where neither the arguments nor the logs say one.
fn clock() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_epoch_seconds(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
