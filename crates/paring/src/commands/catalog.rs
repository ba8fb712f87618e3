//! `paring catalog`: what AWS publishes about its actions, as this program knows it.

use std::collections::BTreeMap;

use iam_model::catalog::{ActionFacts, Catalog, Logging, Trigger};
use iam_model::json::Value;

use super::Outcome;
use crate::cli::{self, CatalogQuestion, Format};
use crate::error::CliError;
use crate::terminal::Terminal;

/// Answers a question.
pub(crate) fn run(arguments: &cli::Catalog, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let catalog = crate::catalog::load(&arguments.file)?;
    let answer = match &arguments.question {
        CatalogQuestion::Info => info(&catalog),
        CatalogQuestion::Diff { old } => diff(&crate::catalog::read(old)?, &catalog),
        CatalogQuestion::Lookup { name } => lookup(&catalog, name)?,
    };
    terminal.data(&match arguments.format {
        Format::Text => answer.text,
        Format::Json => answer.json.to_pretty(),
    })?;
    Ok(Outcome::Clean)
}

/// An answer, for people and for programs.
struct Answer {
    text: String,
    json: Value,
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn texts<'a>(items: impl IntoIterator<Item = &'a str>) -> Value {
    Value::Array(items.into_iter().map(Value::text).collect())
}

fn number(count: usize) -> Value {
    Value::number(u64::try_from(count).unwrap_or(u64::MAX))
}

fn info(catalog: &Catalog) -> Answer {
    let services = catalog.services().count();
    let mut text = format!(
        "reference of {}: {services} services, {} actions, {} operations\n",
        catalog.date(),
        catalog.action_count(),
        catalog.operation_count()
    );
    catalog.provenance().for_each(|line| text += &format!("  {line}\n"));
    let json = object([
        ("schema", Value::text("paring-catalog-info/1")),
        ("date", Value::text(catalog.date())),
        ("services", number(services)),
        ("actions", number(catalog.action_count())),
        ("operations", number(catalog.operation_count())),
        ("provenance", texts(catalog.provenance())),
    ]);
    Answer { text, json }
}

/// What a change of an action would be seen by.
fn facts_line(facts: ActionFacts<'_>) -> String {
    let kinds: Vec<&str> = facts.resource_types().map(|kind| kind.name()).collect();
    let kinds = if kinds.is_empty() { "no resource type".to_owned() } else { kinds.join(", ") };
    format!("{}; {kinds}; {}", facts.level().as_str(), logged(facts))
}

fn logged(facts: ActionFacts<'_>) -> String {
    match facts.logging() {
        Logging::Management { event_source, .. } => format!("management events of {event_source}"),
        Logging::Data(types) => format!("data events of {}", types.join(", ")),
        Logging::Never => "not in CloudTrail".to_owned(),
    }
}

fn diff(old: &Catalog, new: &Catalog) -> Answer {
    let lines = |catalog: &Catalog| -> BTreeMap<String, String> {
        catalog.actions().map(|facts| (facts.action().to_string(), facts_line(facts))).collect()
    };
    let (before, after) = (lines(old), lines(new));
    let came: Vec<&str> = after.keys().filter(|name| !before.contains_key(*name)).map(String::as_str).collect();
    let went: Vec<&str> = before.keys().filter(|name| !after.contains_key(*name)).map(String::as_str).collect();
    let changed: Vec<(&str, &str, &str)> = after
        .iter()
        .filter_map(|(name, new)| Some((name.as_str(), before.get(name)?.as_str(), new.as_str())))
        .filter(|(_, old, new)| old != new)
        .collect();
    let mut text = format!(
        "{} to {}: {} actions came, {} went, {} changed\n",
        old.date(),
        new.date(),
        came.len(),
        went.len(),
        changed.len()
    );
    came.iter().for_each(|name| text += &format!("+ {name}\n"));
    went.iter().for_each(|name| text += &format!("- {name}\n"));
    changed.iter().for_each(|(name, old, new)| text += &format!("~ {name}\n    was {old}\n    is  {new}\n"));
    let change = |(name, old, new): &(&str, &str, &str)| {
        object([("action", Value::text(*name)), ("was", Value::text(*old)), ("is", Value::text(*new))])
    };
    let json = object([
        ("schema", Value::text("paring-catalog-diff/1")),
        ("from", Value::text(old.date())),
        ("to", Value::text(new.date())),
        ("came", texts(came.iter().copied())),
        ("went", texts(went.iter().copied())),
        ("changed", Value::Array(changed.iter().map(change).collect())),
    ]);
    Answer { text, json }
}

fn lookup(catalog: &Catalog, name: &str) -> Result<Answer, CliError> {
    let unknown = || {
        CliError::user(format!("the catalogue knows no `{name}`"))
            .hint("give an action (s3:GetObject), a service (s3), or an event (s3.amazonaws.com:HeadObject)")
    };
    let answer = match name.split_once(':') {
        Some((source, event)) if source.contains(".amazonaws.com") => event_facts(catalog, source, event),
        Some((service, action)) => catalog.action_named(service, action).map(action_facts),
        None => service_facts(catalog, name),
    };
    answer.ok_or_else(unknown)
}

fn action_facts(facts: ActionFacts<'_>) -> Answer {
    let arns: Vec<String> = facts
        .resource_types()
        .flat_map(|kind| kind.arn_patterns().map(move |arn| format!("{}: {}", kind.name(), arn.as_str())))
        .collect();
    let keys: Vec<&str> = facts.condition_keys().collect();
    let mut text = format!("{}\n  level      {}\n", facts.action(), facts.level().as_str());
    text += &format!("  logged     {}\n", logged(facts));
    arns.iter().for_each(|arn| text += &format!("  resource   {arn}\n"));
    if arns.is_empty() {
        text += "  resource   * only\n";
    }
    if !keys.is_empty() {
        text += &format!("  conditions {}\n", keys.join(", "));
    }
    let json = object([
        ("schema", Value::text("paring-catalog-action/1")),
        ("action", Value::text(facts.action().as_str())),
        ("level", Value::text(facts.level().as_str())),
        ("logged", Value::text(logged(facts))),
        ("resources", texts(arns.iter().map(String::as_str))),
        ("condition_keys", texts(keys)),
        ("in_last_accessed", Value::Bool(facts.in_last_accessed())),
    ]);
    Answer { text, json }
}

fn service_facts(catalog: &Catalog, prefix: &str) -> Option<Answer> {
    let rows: Vec<(String, String)> =
        catalog.service_actions(prefix).map(|facts| (facts.action().to_string(), facts_line(facts))).collect();
    let width = rows.iter().map(|(name, _)| name.len()).max()?;
    let text = rows.iter().map(|(name, line)| format!("{name:<width$}  {line}\n")).collect();
    let json = object([
        ("schema", Value::text("paring-catalog-service/1")),
        ("actions", texts(rows.iter().map(|(name, _)| name.as_str()))),
    ]);
    Some(Answer { text, json })
}

fn event_facts(catalog: &Catalog, source: &str, event: &str) -> Option<Answer> {
    let mut text = String::new();
    let mut rows = Vec::new();
    for operation in catalog.operations(source, event) {
        text += &format!("{}: {}\n", operation.service(), operation.name());
        for authorized in operation.authorized() {
            let when = match authorized.trigger() {
                Trigger::Always => "always".to_owned(),
                Trigger::HasAny(paths) => format!("with {}", paths.join(" or ")),
                Trigger::TemplateResolves => "where its resource is named".to_owned(),
                Trigger::PassesRole { unnamed: false } => "where a role is named".to_owned(),
                Trigger::PassesRole { unnamed: true } => {
                    "where a role is named, or one that stands elsewhere is passed".to_owned()
                }
                Trigger::SqlVerb(verb) => format!("for {verb}"),
                Trigger::NotShown => "not shown by the event".to_owned(),
            };
            text += &format!("  {}  {when}\n", authorized.action());
            rows.push(object([
                ("action", Value::text(authorized.action().as_str())),
                ("primary", Value::Bool(authorized.is_primary())),
                ("when", Value::text(when)),
            ]));
        }
    }
    let json = object([("schema", Value::text("paring-catalog-event/1")), ("authorized", Value::Array(rows))]);
    (!text.is_empty()).then_some(Answer { text, json })
}
