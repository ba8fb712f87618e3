//! `paring.toml`: what a team decides once. Every key is optional; an unknown key or version is refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use iam_model::catalog::AccessLevel;
use iam_model::diagnostic::Place;
use iam_model::text::{SourceName, SourceText};
use serde::Deserialize;
use toml::Spanned;

use crate::cli::Quota;
use crate::error::CliError;
use crate::input;

/// The settings of a run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The version of this file's format; 1.
    version: u32,
    /// Days the logs must span before anything unseen is cut.
    #[serde(default = "default_min_days")]
    pub(crate) min_days: u64,
    /// More days for single access levels.
    #[serde(default)]
    pub(crate) min_days_per_level: DaysPerLevel,
    /// Permissions that stay whatever the logs say.
    #[serde(default)]
    pub(crate) keep: Vec<Keep>,
    /// How long policies may be, and how many a role may have.
    #[serde(default)]
    pub(crate) quota: Option<Quota>,
    /// A folder of guardrails in Cedar to use instead of the built-in ones.
    #[serde(default)]
    pub(crate) guardrails: Option<PathBuf>,
    /// A file of accepted objections.
    #[serde(default)]
    pub(crate) waivers: Option<PathBuf>,
    /// ARNs of roles that must survive every service control policy.
    #[serde(default)]
    pub(crate) break_glass: Vec<String>,
    /// What is stated about accounts, by their ids.
    #[serde(default)]
    pub(crate) accounts: BTreeMap<String, StatedAccount>,
    /// The file it was read from, for messages about what stands in it.
    #[serde(skip)]
    source: Option<SourceText>,
}

/// Days by access level, as AWS classes actions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DaysPerLevel {
    list: Option<u64>,
    read: Option<u64>,
    write: Option<u64>,
    tagging: Option<u64>,
    permissions_management: Option<u64>,
}

impl DaysPerLevel {
    /// The levels that ask for days of their own.
    pub(crate) fn levels(&self) -> impl Iterator<Item = (AccessLevel, u64)> {
        let all = [
            (AccessLevel::List, self.list),
            (AccessLevel::Read, self.read),
            (AccessLevel::Write, self.write),
            (AccessLevel::Tagging, self.tagging),
            (AccessLevel::PermissionsManagement, self.permissions_management),
        ];
        all.into_iter().filter_map(|(level, days)| Some((level, days?)))
    }
}

/// What is stated about an account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatedAccount {
    /// What it is for: production, staging, development or sandbox.
    pub(crate) environment: Option<String>,
}

/// A permission that stays.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Keep {
    /// A role's name or ARN; `*` for every role.
    pub(crate) role: Spanned<String>,
    /// Action patterns.
    pub(crate) actions: Vec<Spanned<String>>,
    /// Why, for the report.
    pub(crate) reason: String,
}

const VERSION: u32 = 1;
const DEFAULT_NAME: &str = "paring.toml";

const fn default_min_days() -> u64 {
    30
}

impl Default for Config {
    fn default() -> Self {
        Self {
            version: VERSION,
            min_days: default_min_days(),
            min_days_per_level: DaysPerLevel::default(),
            keep: Vec::new(),
            quota: None,
            guardrails: None,
            waivers: None,
            break_glass: Vec::new(),
            accounts: BTreeMap::new(),
            source: None,
        }
    }
}

impl Config {
    /// Where something stands in the file of settings.
    pub(crate) fn place<T>(&self, of: &Spanned<T>) -> Place {
        match &self.source {
            Some(source) => Place::at(source.name.clone(), &source.text, of.span().start),
            None => Place::whole(SourceName::new(DEFAULT_NAME)),
        }
    }
}

/// The settings in `path`, else in `paring.toml` of the working folder, else the defaults.
pub(crate) fn load(path: Option<&Path>) -> Result<Config, CliError> {
    let path = match path {
        Some(path) => path,
        None if Path::new(DEFAULT_NAME).is_file() => Path::new(DEFAULT_NAME),
        None => return Ok(Config::default()),
    };
    let source = input::read_text(path)?;
    let read = parse(&source.text);
    let mut config =
        read.map_err(|(message, hint)| CliError::user(format!("`{}`: {message}", source.name)).hint(hint))?;
    // Paths in a file start where the file is: it may be named from anywhere.
    let folder = path.parent().unwrap_or(Path::new(""));
    for named in [&mut config.guardrails, &mut config.waivers].into_iter().flatten() {
        *named = folder.join(&*named);
    }
    Ok(Config { source: Some(source), ..config })
}

fn parse(text: &str) -> Result<Config, (String, &'static str)> {
    let config: Config = toml::from_str(text).map_err(|error| {
        let place = error.span().map(|span| iam_model::text::Position::of(text, span.start));
        let place = place.map(|p| format!("line {}, column {}: ", p.line, p.column)).unwrap_or_default();
        let message = error.message().lines().next().unwrap_or_default().to_owned();
        (format!("{place}{message}"), "docs/config.md lists every key")
    })?;
    if config.version == VERSION {
        Ok(config)
    } else {
        let message = format!("version {} is not known; this paring reads version {VERSION}", config.version);
        Err((message, "write `version = 1`, or use the paring that wrote the file"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_and_mistakes_are_placed() {
        let config = parse(
            "version = 1\nmin_days = 90\n[[keep]]\nrole = \"*\"\nactions = [\"kms:Decrypt\"]\nreason = \"yearly job\"\n",
        );
        assert_eq!(config.unwrap().min_days, 90);
        let levels = parse("version = 1\n[min_days_per_level]\nwrite = 90\npermissions_management = 365\n").unwrap();
        let levels: Vec<_> = levels.min_days_per_level.levels().collect();
        assert_eq!(levels, [(AccessLevel::Write, 90), (AccessLevel::PermissionsManagement, 365)]);
        let message = |text| parse(text).unwrap_err().0;
        let unknown = message("version = 1\n[min_days_per_level]\nadmin = 3\n");
        assert!(unknown.starts_with("line 3, column 1: unknown field `admin`, expected one of `list`"), "{unknown}");
        assert_eq!(message("version = 2\n"), "version 2 is not known; this paring reads version 1");
        assert!(message("version = 1\nmindays = 3\n").starts_with("line 2, column 1: unknown field `mindays`"));
        assert!(message("min_days = 3\n").contains("missing field `version`"));
    }

    #[test]
    fn the_documented_settings_are_read() {
        let page = include_str!("../../../docs/config.md");
        let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let config = parse(example).unwrap();
        assert_eq!((config.keep.len(), config.accounts.len(), config.min_days_per_level.levels().count()), (1, 1, 5));
    }
}
