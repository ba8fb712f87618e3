//! `paring routes`: every route that calls a function, what it asks for, and what lies behind it.

use std::collections::BTreeMap;

use iam_model::finding::Finding;
use iam_model::json::Value;
use iam_model::route::{Authorization, Route};
use iam_model::snapshot::SnapshotIndex;

use super::Outcome;
use crate::cli::{Format, Routes};
use crate::error::CliError;
use crate::ground;
use crate::terminal::{Paint, Terminal};

/// The schema name of the output for programs.
const SCHEMA: &str = "paring-routes/1";

/// Lists them, the worst first.
pub(crate) fn run(arguments: &Routes, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let ground = ground::read(arguments.snapshot.as_deref(), arguments.iac.as_deref(), terminal)?;
    let (index, dangling) = SnapshotIndex::new(&ground.snapshot);
    if !ground.is_drawn {
        terminal.diagnostics(&dangling);
    }
    let graph = iam_graph::build(&index, &[]);
    let (routes, mut not_checked) = ground.routes(&index);
    let (findings, also) = iam_graph::open_routes(&index, &graph, &routes);
    not_checked.extend(also);
    not_checked.extend(ground.not_checked.iter().cloned());
    let rows = rows(routes, &findings);
    let text = match arguments.format {
        Format::Text => terminal.paint().clean(&render(&rows, &not_checked, terminal.paint())),
        Format::Json => value(&rows, &not_checked).to_pretty(),
    };
    terminal.data(&text)?;
    if rows.is_empty() {
        terminal.note("no routes that call functions");
    }
    let severe = findings.iter().any(|finding| finding.severity >= arguments.fail_on.severity());
    Ok(if severe { Outcome::Findings } else { Outcome::Clean })
}

/// A route, and the finding about it.
struct Row<'f> {
    route: Route,
    finding: Option<&'f Finding>,
}

/// The worst first, then as they are named.
fn rows(routes: Vec<Route>, findings: &[Finding]) -> Vec<Row<'_>> {
    let key = |finding: &Finding| (finding.route.clone(), finding.resource.clone());
    let known: BTreeMap<_, &Finding> = findings.iter().map(|finding| (key(finding), finding)).collect();
    let found = |route: &Route| known.get(&(Some(route.name()), route.function.clone())).copied();
    let mut rows: Vec<Row<'_>> = routes.into_iter().map(|route| Row { finding: found(&route), route }).collect();
    rows.sort_by(|a, b| {
        let severity = |row: &Row<'_>| row.finding.map(|finding| finding.severity);
        severity(b).cmp(&severity(a)).then_with(|| (&a.route.interface, &a.route).cmp(&(&b.route.interface, &b.route)))
    });
    rows
}

fn render(rows: &[Row<'_>], not_checked: &[String], paint: Paint) -> String {
    let mut out = String::new();
    for Row { route, finding } in rows {
        let function = route.function.as_ref().map_or("a function that is not known", |arn| arn.name());
        let asks = match route.authorization {
            Authorization::Nothing => paint.red("asks nobody"),
            Authorization::Unknown(_) => paint.yellow("not known"),
            ref known => paint.green(known.as_str()),
        };
        let severity = finding.map(|finding| format!("{}  ", finding.severity.as_str())).unwrap_or_default();
        out.push_str(&format!("{severity}{}  {asks}  calls {function}\n", paint.bold(&route.name())));
        out.extend(route.place.as_ref().map(|place| format!("  at {place}\n")));
        let evidence = finding.map(|finding| finding.evidence.as_slice()).unwrap_or_default();
        evidence.iter().skip(usize::from(route.authorization == Authorization::Nothing)).for_each(|line| {
            out.push_str(&format!("  {line}\n"));
        });
    }
    if !not_checked.is_empty() {
        out.push_str(&format!("\n{}\n", paint.bold("Not checked")));
        not_checked.iter().for_each(|line| out.push_str(&format!("  {line}\n")));
    }
    out
}

fn value(rows: &[Row<'_>], not_checked: &[String]) -> Value {
    let texts = |lines: &[String]| Value::Array(lines.iter().map(Value::text).collect());
    let row = |Row { route, finding }: &Row<'_>| {
        let mut members = vec![
            ("route", Value::text(route.name())),
            ("interface", Value::text(&route.interface)),
            ("call", Value::text(&route.call)),
            ("authorization", Value::text(route.authorization.as_str())),
        ];
        if let Authorization::Unknown(why) = &route.authorization {
            members.push(("why", Value::text(why)));
        }
        members.push(("narrowed_by", texts(&route.narrowed_by)));
        members.extend(route.function.as_ref().map(|arn| ("function", Value::text(arn.as_str()))));
        members.extend(route.place.as_ref().map(|place| ("place", Value::text(place.to_string()))));
        members.extend(finding.map(|finding| ("severity", Value::text(finding.severity.as_str()))));
        members.extend(finding.map(|finding| ("path", texts(&finding.path))));
        members.extend(finding.map(|finding| ("evidence", texts(&finding.evidence))));
        Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    };
    let members = vec![
        ("schema".to_owned(), Value::text(SCHEMA)),
        ("routes".to_owned(), Value::Array(rows.iter().map(row).collect())),
        ("not_checked".to_owned(), texts(not_checked)),
    ];
    Value::Object(members)
}
