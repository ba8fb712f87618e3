//! `paring reach`: what a function reaches, and who reaches it.

use std::fmt::Write as _;

use iam_graph::reach::{Reach as Found, Reached, Reacher, reach};
use iam_model::arn::Arn;
use iam_model::json::Value;
use iam_model::snapshot::{ResourceKind, SnapshotIndex};
use iam_verify::policy_check::nearest;

use super::Outcome;
use crate::cli::{Format, Reach};
use crate::error::CliError;
use crate::input;
use crate::terminal::{Paint, Terminal};

/// The schema name of the output for programs.
const SCHEMA: &str = "paring-reach/1";

/// Works out the blast radius and prints it.
pub(crate) fn run(arguments: &Reach, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let (snapshot, mut diagnostics) = input::read_snapshot(&arguments.snapshot)?;
    let (index, dangling) = SnapshotIndex::new(&snapshot);
    diagnostics.extend(dangling);
    terminal.diagnostics(&diagnostics);
    let function = function(&index, &arguments.function)?;
    let graph = iam_graph::build(&index, &[]);
    let Some(found) = reach(&index, &graph, &function) else {
        return Err(CliError::user(format!("the snapshot does not say which role `{function}` runs as")));
    };
    let text = match arguments.format {
        Format::Text => terminal.paint().clean(&render(&function, &found, terminal.paint())),
        Format::Json => value(&function, &found).to_pretty(),
    };
    terminal.data(&text)?;
    Ok(Outcome::Clean)
}

/// A function by name or ARN.
fn function(index: &SnapshotIndex<'_>, text: &str) -> Result<Arn, CliError> {
    let resources = index.snapshot().accounts.values().flat_map(|account| &account.resources);
    let functions = resources.filter(|resource| resource.kind == ResourceKind::LambdaFunction).map(|r| &r.arn);
    let mut found: Vec<&Arn> = functions.filter(|arn| arn.name() == text || arn.as_str() == text).collect();
    found.sort();
    found.dedup();
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            let resources = index.snapshot().accounts.values().flat_map(|account| &account.resources);
            let functions = resources.filter(|resource| resource.kind == ResourceKind::LambdaFunction);
            let near = nearest(text, functions.flat_map(|function| [function.arn.name(), function.arn.as_str()]));
            let hint = near.map_or_else(
                || {
                    "give the name or ARN of a Lambda function; of a role, `paring paths` tells what it reaches"
                        .to_owned()
                },
                |near| format!("did you mean `{near}`?"),
            );
            Err(CliError::user(format!("no function of the snapshot is called `{text}`")).hint(hint))
        }
        many => Err(CliError::user(format!("{} functions are called `{text}`", many.len())).hint("name it by its ARN")),
    }
}

fn actions(found: &Reached) -> Vec<&str> {
    found.may.iter().map(|action| action.as_str()).collect()
}

fn render(function: &Arn, found: &Found, paint: Paint) -> String {
    let standing = match (found.is_admin, found.becomes_admin) {
        (true, _) => ", an administrator",
        (false, true) => ", which can become administrator",
        (false, false) => "",
    };
    let mut out = format!("{} runs as {}{standing}\n", paint.bold(function.as_str()), found.role);
    for (head, direct) in [("Reaches", true), ("Reaches by becoming others", false)] {
        let mut lines = found.reaches.iter().filter(|reached| reached.by.is_none() == direct).peekable();
        if lines.peek().is_some() {
            let _ = write!(out, "\n{}\n", paint.bold(head));
        }
        for reached in lines {
            let _ = write!(
                out,
                "  {:<9} {}  {}",
                reached.sensitivity.as_str(),
                reached.resource,
                actions(reached).join(", ")
            );
            let keys: Vec<&str> = reached.conditional_on.iter().map(|key| key.as_str()).collect();
            if !keys.is_empty() {
                let _ = write!(out, ", if {} allows", keys.join(", "));
            }
            if let Some(hop) = reached.by.as_ref().and_then(|path| path.hops.last()) {
                let _ = write!(out, "  as {} ({})", hop.to, hop.technique);
            }
            out.push('\n');
        }
    }
    if !found.reached_by.is_empty() {
        let _ = write!(out, "\n{}\n", paint.bold("Is reached by"));
    }
    for reacher in &found.reached_by {
        let _ = match reacher {
            Reacher::Principal(arn, may) => {
                let may: Vec<&str> = may.iter().map(|action| action.as_str()).collect();
                writeln!(out, "  {arn}  {}", may.join(", "))
            }
            Reacher::Service(name) => writeln!(out, "  {name}  named in its policy"),
            Reacher::Role(subject, hops) => writeln!(out, "  {subject}  can become its role, {hops} hops"),
        };
    }
    if !found.not_checked.is_empty() {
        let _ = write!(out, "\n{}\n", paint.bold("Not checked"));
        found.not_checked.iter().for_each(|line| _ = writeln!(out, "  {line}"));
    }
    out
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn texts<'t>(items: impl IntoIterator<Item = &'t str>) -> Value {
    Value::Array(items.into_iter().map(Value::text).collect())
}

fn value(function: &Arn, found: &Found) -> Value {
    object([
        ("schema", Value::text(SCHEMA)),
        ("function", Value::text(function.as_str())),
        ("role", Value::text(found.role.as_str())),
        ("admin", Value::Bool(found.is_admin)),
        ("reaches_admin", Value::Bool(found.becomes_admin)),
        ("becomes", texts(found.becomes.iter().map(|subject| subject.as_str()))),
        ("reaches", Value::Array(found.reaches.iter().map(reached).collect())),
        ("reached_by", Value::Array(found.reached_by.iter().map(reacher).collect())),
        ("not_checked", texts(found.not_checked.iter().map(String::as_str))),
    ])
}

fn reached(found: &Reached) -> Value {
    let hops = found.by.iter().flat_map(|path| &path.hops);
    let hops = hops.map(|hop| Value::text(format!("{} -[{}]-> {}", hop.from, hop.technique, hop.to)));
    object([
        ("sensitivity", Value::text(found.sensitivity.as_str())),
        ("resource", Value::text(found.resource.as_str())),
        ("may", texts(actions(found))),
        ("conditional_on", texts(found.conditional_on.iter().map(|key| key.as_str()))),
        ("path", Value::Array(hops.collect())),
    ])
}

fn reacher(found: &Reacher) -> Value {
    match found {
        Reacher::Principal(arn, may) => {
            object([("principal", Value::text(arn.as_str())), ("may", texts(may.iter().map(|action| action.as_str())))])
        }
        Reacher::Service(name) => object([("service", Value::text(name))]),
        Reacher::Role(subject, hops) => {
            object([("principal", Value::text(subject.as_str())), ("hops", Value::number(*hops as u64))])
        }
    }
}
