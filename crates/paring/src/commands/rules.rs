//! `paring rules`: the organisation's rules, listed, explained, tested, formatted, and asked.
//!
//! Reads files and prints; the rules and what they decide live with verification.

mod check;

use std::path::{Path, PathBuf};

use iam_model::json::Value;
use iam_model::text::SourceText;
use iam_verify::guardrails::{Rule, RuleId, case_names, embedded_schema, format_rules};

use super::Outcome;
use crate::cli::{Format, RuleFolder, Rules, RulesAction, RulesExplain, RulesFmt, RulesList, RulesTest};
use crate::error::CliError;
use crate::terminal::Terminal;
use crate::{config, input, rulebook, write};

/// The schema name of the list.
const SCHEMA: &str = "paring-rules/1";

/// Runs the command.
pub(crate) fn run(arguments: &Rules, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    match &arguments.action {
        RulesAction::Check(arguments) => check::run(arguments, terminal),
        RulesAction::Test(arguments) => test(arguments, terminal),
        RulesAction::List(arguments) => list(arguments, terminal),
        RulesAction::Explain(arguments) => explain(arguments, terminal),
        RulesAction::Fmt(arguments) => format(arguments, terminal),
    }
}

/// The folder that the arguments name, else the one that the settings name, as the commands that ask the rules take it.
fn folder(named: &RuleFolder) -> Result<Option<PathBuf>, CliError> {
    let settings = config::load(named.config.as_deref())?;
    Ok(named.rules.clone().or(settings.guardrails))
}

fn list(arguments: &RulesList, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    if arguments.schema {
        terminal.data(&embedded_schema().text)?;
        return Ok(Outcome::Clean);
    }
    let guardrails = rulebook::guardrails(folder(&arguments.rules)?.as_deref())?;
    let rules: Vec<&Rule> = guardrails.rules().collect();
    let asked = |rule: &Rule| guardrails.asked_by(&rule.id).into_iter().map(|kind| kind.as_str()).collect::<Vec<_>>();
    let text = match arguments.format {
        Format::Text => {
            let width = rules.iter().map(|rule| rule.id.as_str().len()).max().unwrap_or_default();
            let row = |rule: &&Rule| {
                let id = rule.id.as_str();
                format!("{id:<width$}  {:<8}  {:<12}  {}\n", rule.severity.as_str(), asked(rule).join(", "), rule.title)
            };
            rules.iter().map(row).collect::<String>()
        }
        Format::Json => {
            let row = |rule: &&Rule| {
                let text = |key: &str, value: &str| (key.to_owned(), Value::text(value));
                Value::Object(vec![
                    text("id", rule.id.as_str()),
                    text("title", &rule.title),
                    text("severity", rule.severity.as_str()),
                    ("on".into(), Value::Array(asked(rule).into_iter().map(Value::text).collect())),
                    ("waivable".into(), Value::Bool(rule.waivable)),
                    text("fix", &rule.fix),
                    ("standard".into(), rule.standard.as_ref().map_or(Value::Null, Value::text)),
                    text("place", &rule.place.to_string()),
                ])
            };
            let members = vec![
                ("schema".to_owned(), Value::text(SCHEMA)),
                ("rules".to_owned(), Value::Array(rules.iter().map(row).collect())),
            ];
            Value::Object(members).to_pretty()
        }
    };
    terminal.data(&text)?;
    Ok(Outcome::Clean)
}

fn explain(arguments: &RulesExplain, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let folder = folder(&arguments.rules)?;
    let guardrails = rulebook::guardrails(folder.as_deref())?;
    let id = RuleId::new(&arguments.id);
    let Some(rule) = guardrails.rule(&id) else {
        let ids: Vec<&str> = guardrails.rules().map(|rule| rule.id.as_str()).collect();
        return Err(
            CliError::user(format!("there is no rule `{}`", arguments.id)).hint(format!("one of {}", ids.join(", ")))
        );
    };
    let paint = terminal.paint();
    let asked: Vec<&str> = guardrails.asked_by(&id).into_iter().map(|kind| kind.as_str()).collect();
    let waiver = if rule.waivable { "can be waived" } else { "cannot be waived" };
    let mut out = format!("{}: {}\n", paint.bold(rule.id.as_str()), rule.title);
    out.push_str(&format!("{}, asked on {}, {waiver}, {}\n", rule.severity, asked.join(", "), rule.place));
    out.push_str(&format!("fix: {}\n", rule.fix));
    if let Some(standard) = &rule.standard {
        out.push_str(&format!("answers to: {standard}\n"));
    }
    out.push_str(&format!("\n{}\n", rule.text.trim()));
    let cases = rulebook::cases(folder.as_deref())?;
    let (refused, passed) = case_names(&cases, &guardrails, &id).map_err(|error| rulebook::broken(&error))?;
    for (title, names) in [("Objects to", refused), ("Lets pass", passed)] {
        out.push_str(&format!("\n{}\n", paint.bold(title)));
        names.iter().for_each(|name| out.push_str(&format!("  {name}\n")));
    }
    terminal.data(&out)?;
    Ok(Outcome::Clean)
}

fn test(arguments: &RulesTest, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let folder = folder(&arguments.rules)?;
    let guardrails = rulebook::guardrails(folder.as_deref())?;
    let cases = if arguments.cases.is_empty() {
        rulebook::cases(folder.as_deref())?
    } else {
        let mut cases = Vec::new();
        for path in &arguments.cases {
            cases.extend(input::read_with_extension(path, "json")?);
        }
        cases
    };
    let report = guardrails.run_cases(&cases).map_err(|error| rulebook::broken(&error))?;
    let paint = terminal.paint();
    let mut out = String::new();
    for outcome in report.failures() {
        let failure = outcome.failure.as_deref().unwrap_or_default();
        out.push_str(&format!("{}: {}: {failure}\n", paint.red("failed"), outcome.place));
    }
    for one in &report.undecided {
        let lacks = match (one.lacks_fail, one.lacks_pass) {
            (true, true) => "no case makes it object, and none asks its question and passes",
            (true, false) => "no case makes it object",
            _ => "no case asks its question and passes",
        };
        let place = guardrails.rule(&one.rule).map(|rule| rule.place.to_string()).unwrap_or_default();
        out.push_str(&format!("{}: {place}: `{}`: {lacks}\n", paint.red("undecided"), one.rule));
    }
    let (rules, failed) = (guardrails.rules().count(), report.failures().count());
    out.push_str(&format!(
        "{rules} rules, {} decided; {} cases, {failed} failed\n",
        rules - report.undecided.len(),
        report.outcomes.len()
    ));
    terminal.data(&out)?;
    Ok(if report.is_clean() { Outcome::Clean } else { Outcome::Findings })
}

fn format(arguments: &RulesFmt, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let mut outcome = Outcome::Clean;
    for source in rule_files(&arguments.files)? {
        let formatted = format_rules(&source).map_err(|error| rulebook::broken(&error))?;
        let changed = formatted != source.text;
        if arguments.check {
            if changed {
                terminal.data(&format!("{}\n", source.name))?;
                outcome = Outcome::Findings;
            }
        } else if !arguments.write {
            terminal.data(&formatted)?;
        } else if changed {
            write::replace_named(Path::new(source.name.as_str()), &source.text, &formatted)?;
            terminal.note(&format!("wrote `{}`", source.name));
        }
    }
    Ok(outcome)
}

fn rule_files(named: &[PathBuf]) -> Result<Vec<SourceText>, CliError> {
    let mut files = Vec::new();
    for path in named {
        if path.is_dir() {
            files.extend(input::read_with_extension(path, "cedar")?);
        } else {
            files.push(input::read_text(path)?);
        }
    }
    Ok(files)
}
