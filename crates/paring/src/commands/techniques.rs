//! `paring techniques`: the catalogue of escalation techniques, and who else knows them.

use iam_graph::technique::{Technique, catalogue};
use iam_model::json::Value;

use super::Outcome;
use crate::cli::{Format, Techniques};
use crate::error::CliError;
use crate::terminal::Terminal;

/// Prints the catalogue.
pub(crate) fn run(arguments: &Techniques, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let techniques = catalogue().techniques();
    let text = match arguments.format {
        Format::Text => techniques.iter().map(line).collect::<String>(),
        Format::Json => {
            let items = techniques.iter().map(value).collect();
            let members = [("schema", Value::text("paring-techniques/1")), ("techniques", Value::Array(items))];
            Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()).to_pretty()
        }
    };
    terminal.data(&text)?;
    Ok(Outcome::Clean)
}

fn actions(technique: &Technique) -> Vec<&str> {
    technique.requires.iter().map(|requirement| requirement.action.as_str()).collect()
}

fn line(technique: &Technique) -> String {
    let known = if technique.known_by.is_empty() { "nobody else".into() } else { technique.known_by.join(", ") };
    let category = technique.category.as_str();
    format!("{:<38} {category:<17} {}  (known by: {known})\n", technique.id, actions(technique).join(" + "))
}

fn value(technique: &Technique) -> Value {
    let texts = |items: &[&str]| Value::Array(items.iter().copied().map(Value::text).collect());
    let known: Vec<&str> = technique.known_by.iter().map(String::as_str).collect();
    let members = [
        ("id", Value::text(&technique.id)),
        ("category", Value::text(technique.category.as_str())),
        ("requires", texts(&actions(technique))),
        ("known_by", texts(&known)),
    ];
    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}
