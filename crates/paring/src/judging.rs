//! What is read before rules or claims are asked: snapshot, logs, rules, waivers, settings.
//!
//! Reads in the order of the arguments and judges nothing.

use std::path::{Path, PathBuf};

use iam_model::action::Action;
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::catalog::Catalog;
use iam_model::change::{self, Change, ChangeSet, RoleSplit};
use iam_model::placing::place_identities;
use iam_model::snapshot::Snapshot;
use iam_model::time::Timestamp;
use iam_model::usage::{self, Coverage, LastAccessed, UsageLog, Visibility};
use iam_usage::Options;
use iam_verify::guardrails::{Guardrails, PermissionGroups, Waiver};
use iam_verify::obeys_guardrails::{Evidence, Rulebook, Settings};

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
    /// What stands in where no evidence was given.
    nothing: (UsageLog, LastAccessed),
}

impl Ground {
    /// Reads all of it.
    pub(crate) fn load(snapshot: &Path, judging: &Judging, terminal: &mut Terminal) -> Result<Self, CliError> {
        let config = config::load(judging.config.as_deref())?;
        let guardrails = rulebook::guardrails(judging.rules.as_deref().or(config.guardrails.as_deref()))?;
        let waivers = waivers::load(judging.waivers.as_deref().or(config.waivers.as_deref()))?;
        let settings = rulebook::settings_for(&config, judging)?;
        let catalog = crate::catalog::embedded()?;
        let (snapshot, mut diagnostics) = input::read_snapshot(snapshot)?;
        let mut usage = match (&judging.usage, judging.trail.is_empty()) {
            (Some(file), _) => {
                let read = usage::read(&input::read_text(file)?);
                Some(read.map_err(|error| CliError::user(error.to_string()).hint(error.hint))?)
            }
            (None, true) => None,
            (None, false) => {
                Some(logs::read(&judging.trail, &catalog, &Options::default(), terminal, &mut diagnostics)?)
            }
        };
        if let Some(usage) = &mut usage {
            place_identities(usage, &snapshot);
        }
        terminal.diagnostics(&diagnostics);
        let seen = UsageLog::default();
        let coverage = pipeline::facts::coverage(&snapshot, (usage.as_ref().unwrap_or(&seen), 0), &catalog);
        let end = usage.as_ref().and_then(|usage| usage.window).map(|(_, last)| last);
        let now = judging.now.or(end).unwrap_or_else(clock);
        let groups = rulebook::groups()?;
        let nothing = <(UsageLog, LastAccessed)>::default();
        Ok(Self { snapshot, usage, catalog, coverage, settings, guardrails, groups, waivers, now, nothing })
    }

    /// Whether each call of a role on a resource would have been logged.
    pub(crate) fn recorded(&self) -> impl Fn(&Arn, &Action, &ResourcePattern) -> Visibility + Sync + '_ {
        let usage = self.usage.as_ref().unwrap_or(&self.nothing.0);
        pipeline::facts::recorded(pipeline::facts::evidence((usage, 0), &self.coverage, &self.nothing.1, &self.catalog))
    }

    /// What was seen, as the rules take it. What is needed without a call, nobody worked out.
    pub(crate) fn evidence<'a>(
        &'a self,
        visibility: &'a (dyn Fn(&Arn, &Action, &ResourcePattern) -> Visibility + Sync),
    ) -> Evidence<'a> {
        let days = self.coverage.days;
        Evidence { usage: self.usage.as_ref(), days, visibility, needed: &|_, _| false }
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
fn changes(path: &Path, terminal: &mut Terminal) -> Result<ChangeSet, CliError> {
    let source = input::read_text(path)?;
    let (set, diagnostics) = change::read(&source).map_err(|error| CliError::changes(&error))?;
    let broken = diagnostics.iter().any(|d| d.severity == iam_model::diagnostic::Severity::Error);
    terminal.diagnostics(&diagnostics);
    if set.changes.is_empty() && !broken && set.splits.is_empty() {
        return Err(
            CliError::user(format!("`{}` holds no changes to judge", source.name)).hint("give a file with `changes`")
        );
    }
    // A change that is left out is not proved by the others.
    if broken {
        return Err(CliError::user(format!("`{}` holds changes that cannot be read", source.name))
            .hint("correct them, or remove them from the file"));
    }
    Ok(set)
}

/// One file of changes, by name.
pub(crate) struct ChangeFile {
    pub(crate) name: String,
    pub(crate) changes: Vec<Change>,
    /// Shared roles taken apart.
    pub(crate) splits: Vec<RoleSplit>,
}

/// The changes of several files. One that cannot be read ends the run where it is the only one; of several it is told,
/// the others are judged, and `Unread` ends the run afterwards.
pub(crate) fn change_files(paths: &[PathBuf], terminal: &mut Terminal) -> Result<(Vec<ChangeFile>, Unread), CliError> {
    let (mut files, mut unread) = (Vec::new(), 0);
    for path in paths {
        match changes(path, terminal) {
            Ok(ChangeSet { changes, splits }) => {
                files.push(ChangeFile { name: path.display().to_string(), changes, splits });
            }
            Err(error) if paths.len() == 1 => return Err(error),
            Err(error) => {
                unread += 1;
                terminal.refused("error", &error.to_string(), error.hints().first().map(String::as_str));
            }
        }
    }
    Ok((files, Unread { unread, of: paths.len() }))
}

/// How many files of changes could not be read.
pub(crate) struct Unread {
    unread: usize,
    of: usize,
}

impl Unread {
    /// An error where some were not read.
    pub(crate) fn end(&self) -> Result<(), CliError> {
        match self.unread {
            0 => Ok(()),
            unread => Err(CliError::user(format!("{unread} of {} files of changes could not be read", self.of))),
        }
    }
}

/// The moment of the run, where neither the arguments nor the logs say one.
fn clock() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_epoch_seconds(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
