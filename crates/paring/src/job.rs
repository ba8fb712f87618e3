//! What the main job reads, for every command that runs it: stops 2 and 3.
//!
//! Reads in a fixed order and judges nothing.

use std::path::{Path, PathBuf};

use iam_model::action::ActionPattern;
use iam_model::catalog::Catalog;
use iam_model::diagnostic::Diagnostic;
use iam_model::placing::place_identities;
use iam_model::snapshot::Snapshot;
use iam_model::text::SourceText;
use iam_model::usage::{AccountCoverage, UsageLog};
use iam_synthesize::{KeepRule, Rules};
use iam_usage::Options;

use crate::cli::{CatalogFile, Engine, EngineChoice, Grounds, LastAccessedFiles, Quota, Window};
use crate::config::{self, Config};
use crate::error::CliError;
use crate::pipeline::{Inputs, facts};
use crate::terminal::Terminal;
use crate::{catalog, example, generated, input, keep, last_accessed, logs, remote_logs, rulebook, waivers};

/// What the arguments say.
pub(crate) struct Job<'a> {
    /// The snapshot; nothing for the built-in example.
    pub(crate) snapshot: Option<&'a Path>,
    pub(crate) trail: &'a [PathBuf],
    /// Which of the logs are read.
    pub(crate) window: Window,
    pub(crate) last_accessed: &'a LastAccessedFiles,
    /// Whose evidence counts; nothing means that of the logs.
    pub(crate) engine: Option<&'a EngineChoice>,
    /// The folder of the source files.
    pub(crate) iac: Option<&'a Path>,
    pub(crate) catalog: &'a CatalogFile,
    pub(crate) config: Option<&'a Path>,
    pub(crate) min_days: Option<u64>,
    pub(crate) quota: Option<Quota>,
    pub(crate) split: bool,
    pub(crate) documents: bool,
    pub(crate) roles: Vec<String>,
}

impl<'a> Job<'a> {
    /// Policies alone: no source files, and nothing but what identities hold.
    pub(crate) fn of_policies(grounds: &'a Grounds, roles: Vec<String>, split: bool) -> Self {
        Self {
            snapshot: Some(&grounds.snapshot),
            trail: &grounds.trail,
            window: Window::default(),
            last_accessed: &grounds.last_accessed,
            engine: None,
            iac: None,
            catalog: &grounds.catalog,
            config: grounds.config.as_deref(),
            min_days: grounds.min_days,
            quota: grounds.quota,
            split,
            documents: false,
            roles,
        }
    }

    /// Reads all of it.
    pub(crate) fn read(self, terminal: &mut Terminal) -> Result<(Inputs, Vec<Diagnostic>), CliError> {
        let config = config::load(self.config)?;
        let catalog = catalog::load(self.catalog)?;
        let (mut snapshot, mut diagnostics) = self.account()?;
        diagnostics.extend(keep::idle(&config, &snapshot, &catalog));
        let sources = self.sources(&mut diagnostics)?;
        let mut rules = rules(&config, self.min_days);
        let mut usage = match self.engine {
            Some(choice) if choice.engine == Engine::AccessAnalyzer => {
                let found = generated::read(choice, self.snapshot, &snapshot, &mut diagnostics)?;
                rules.told.extend(found.keep());
                let usage = found.usage();
                rules
                    .told
                    .extend(found.untold(&catalog, &facts::coverage(&snapshot, (&usage, rules.min_days), &catalog)));
                rules.told_whole.extend(found.told_whole(rules.min_days));
                // What is not among its actions it may not have been able to tell: no absence is evidence.
                let nothing = AccountCoverage::default();
                snapshot.accounts.values_mut().for_each(|account| account.trails = Some(nothing.clone()));
                usage
            }
            Some(choice) => {
                let found = generated::read(choice, self.snapshot, &snapshot, &mut diagnostics)?;
                rules.told.extend(found.keep());
                self.logs(&catalog, terminal, &mut diagnostics)?
            }
            None => self.logs(&catalog, terminal, &mut diagnostics)?,
        };
        place_identities(&mut usage, &snapshot);
        remote_logs::limit_coverage(self.trail, &mut snapshot);
        let known = last_accessed::roles(Some(&snapshot), &usage);
        let mut last_accessed =
            last_accessed::read(&self.last_accessed.files, self.snapshot, &known, &mut diagnostics)?;
        last_accessed::add_findings(&snapshot, &mut last_accessed);
        let inputs = Inputs {
            snapshot,
            usage,
            last_accessed,
            catalog,
            guardrails: rulebook::guardrails(config.guardrails.as_deref())?,
            groups: rulebook::groups()?,
            waivers: waivers::load(config.waivers.as_deref())?,
            settings: rulebook::settings(&config)?,
            sources,
            rules,
            quotas: self.quota.or(config.quota).unwrap_or_default().profile(),
            split: self.split,
            documents: self.documents,
            roles: self.roles,
        };
        Ok((inputs, diagnostics))
    }

    /// What the logs show.
    fn logs(
        &self,
        catalog: &Catalog,
        terminal: &mut Terminal,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Result<UsageLog, CliError> {
        if self.snapshot.is_none() {
            let (usage, unread) = logs::embedded(catalog);
            diagnostics.extend(unread);
            return Ok(usage);
        }
        if self.trail.is_empty() {
            return Err(CliError::user("no logs are named")
                .hint("give `--trail LOGS`; only `--engine access-analyzer` does without"));
        }
        let options = Options { since: self.window.since, until: self.window.until, ..Options::default() };
        logs::read(self.trail, catalog, &options, terminal, diagnostics)
    }

    fn account(&self) -> Result<(Snapshot, Vec<Diagnostic>), CliError> {
        match self.snapshot {
            Some(path) => input::read_snapshot(path),
            None => iam_model::snapshot::read(example::snapshot()?).map_err(|e| CliError::user(e.to_string())),
        }
    }

    fn sources(&self, diagnostics: &mut Vec<Diagnostic>) -> Result<Option<Vec<SourceText>>, CliError> {
        if self.snapshot.is_none() {
            return example::sources().map(Some);
        }
        let Some(folder) = self.iac else { return Ok(None) };
        let (sources, unread) = input::read_sources(folder)?;
        diagnostics.extend(unread);
        Ok(Some(sources))
    }
}

fn rules(config: &Config, min_days: Option<u64>) -> Rules {
    let keep = config.keep.iter().map(|keep| KeepRule {
        role: Some(keep.role.get_ref()).filter(|role| *role != "*").cloned(),
        actions: keep.actions.iter().map(|action| ActionPattern::new(action.get_ref())).collect(),
        reason: keep.reason.clone(),
    });
    Rules {
        min_days: min_days.unwrap_or(config.min_days),
        min_days_of: config.min_days_per_level.levels().collect(),
        keep: keep.collect(),
        ..Rules::default()
    }
}
