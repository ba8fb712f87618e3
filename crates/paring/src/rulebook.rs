//! The organisation's rules with what belongs to them: groups, waivers and settings, as the commands load them.
//!
//! Reads and hands over; nothing is judged here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use iam_evaluate::guardrail::GuardrailCase;
use iam_model::arn::AccountId;
use iam_model::json::Arena;
use iam_model::text::SourceText;
use iam_verify::guardrails::{
    Author, BotName, Environment, GuardrailError, Guardrails, PermissionGroups, PersonName, embedded_cases,
    embedded_rules, embedded_schema,
};
use iam_verify::obeys_guardrails::Settings;

use crate::cli::Judging;
use crate::config::Config;
use crate::error::CliError;
use crate::input;

/// The texts of a folder's rules, or of the built-in ones.
pub(crate) fn texts(folder: Option<&Path>) -> Result<Vec<SourceText>, CliError> {
    folder.map_or_else(|| Ok(embedded_rules()), |folder| input::read_with_extension(folder, "cedar"))
}

/// The cases beside a folder's rules, or of the built-in ones.
pub(crate) fn cases(folder: Option<&Path>) -> Result<Vec<SourceText>, CliError> {
    match folder.map(|folder| folder.join("cases")) {
        None => Ok(embedded_cases()),
        Some(cases) if cases.is_dir() => input::read_with_extension(&cases, "json"),
        Some(_) => Ok(Vec::new()),
    }
}

/// A folder's rules, or the built-in ones. One broken file breaks them all.
pub(crate) fn guardrails(folder: Option<&Path>) -> Result<Guardrails, CliError> {
    Guardrails::parse(&texts(folder)?, &embedded_schema()).map_err(|error| broken(&error))
}

/// Everything that is wrong with a rule set, each at its place.
pub(crate) fn broken(error: &GuardrailError) -> CliError {
    let places = error.diagnostics();
    if places.is_empty() {
        return CliError::user(error.to_string());
    }
    let lines: Vec<String> = places
        .iter()
        .map(|d| {
            let hint = d.hint.as_ref().map(|hint| format!("\n    hint: {hint}")).unwrap_or_default();
            format!("{}: {}{hint}", d.place, d.message)
        })
        .collect();
    CliError::user(format!("the rules cannot be used\n  {}", lines.join("\n  ")))
        .hint("nothing is judged by the rest of a broken set")
}

/// The built-in groups of permissions.
pub(crate) fn groups() -> Result<PermissionGroups, CliError> {
    PermissionGroups::embedded().map_err(|e| CliError::user(format!("the built-in groups cannot be used: {e}")))
}

/// What the settings file states about accounts and roles.
pub(crate) fn settings(config: &Config) -> Result<Settings, CliError> {
    let mut environments = BTreeMap::new();
    for (id, account) in &config.accounts {
        let known: AccountId = id.parse().map_err(|e| CliError::user(format!("the settings: {e}")))?;
        let Some(word) = &account.environment else { continue };
        let environment = Environment::parse(word).ok_or_else(|| {
            let words: Vec<&str> = Environment::ALL.iter().map(|e| e.as_str()).collect();
            CliError::user(format!("the settings: `{word}` is no environment of account {id}"))
                .hint(format!("one of {}", words.join(", ")))
        })?;
        environments.insert(known, environment);
    }
    let arn = |text: &String| text.parse().map_err(|e| CliError::user(format!("the settings, break_glass: {e}")));
    let break_glass = config.break_glass.iter().map(arn).collect::<Result<_, CliError>>()?;
    Ok(Settings { environments, break_glass, ..Settings::default() })
}

/// The same, with what the command line says about who asks.
pub(crate) fn settings_for(config: &Config, judging: &Judging) -> Result<Settings, CliError> {
    let author = match judging.author.split_once(':') {
        Some(("bot", name)) if !name.is_empty() => Author::Bot(BotName::new(name)),
        Some(("person", name)) if !name.is_empty() => Author::Person(PersonName::new(name)),
        _ => {
            let message = format!("`{}` says not who brings the change in", judging.author);
            return Err(CliError::user(message).hint("write `bot:NAME` or `person:NAME`"));
        }
    };
    let tests = judging.tests.as_deref().map(input::read_text).transpose()?;
    let tests = tests.as_ref().map(test_requests).transpose()?;
    let approvals = judging.approved_by.iter().map(|name| PersonName::new(name)).collect();
    Ok(Settings { author, approvals, tests, ..settings(config)? })
}

/// The requests of a file of tests, one a line; each once.
fn test_requests(source: &SourceText) -> Result<Vec<GuardrailCase>, CliError> {
    let mut cases = Vec::new();
    let mut known = BTreeSet::new();
    for (number, line) in source.text.lines().enumerate() {
        if line.trim().is_empty() || !known.insert(line.trim()) {
            continue;
        }
        let case = GuardrailCase::read_in(&mut Arena::for_text(line.len()), line).map_err(|error| {
            CliError::user(format!("{}:{}: {error}", source.name, number + 1))
                .hint("a test is a JSON object on a line of its own, as `paring guard replay --cases` takes it")
        })?;
        if case.expect.is_none() {
            return Err(CliError::user(format!("{}:{}: the test expects nothing", source.name, number + 1))
                .hint("add `\"expect\": \"denied\"` or `\"allowed\"`"));
        }
        cases.push(case);
    }
    Ok(cases)
}
