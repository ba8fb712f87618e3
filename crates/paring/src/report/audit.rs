//! Findings of an audit for people: the worst kind first, a table for each kind, nothing where there is nothing.
//!
//! Groups and renders; what a finding says was decided where it was made.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use iam_model::arn::Arn;
use iam_model::finding::{Finding, FindingCode, FindingSeverity, Subject};

use crate::terminal::{Paint, without_control};

/// Rows of one table that are shown.
const SHOWN: usize = 40;
/// A column is made no wider than this for one long name.
const WIDEST: usize = 72;

/// Renders findings and what was not checked; empty where there is neither.
pub(crate) fn render(findings: &[Finding], not_checked: &[String], paint: Paint) -> String {
    let mut out = String::new();
    if !findings.is_empty() {
        out.push_str(&headline(findings));
    }
    let mut groups: BTreeMap<(Reverse<FindingSeverity>, FindingCode), Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        groups.entry((Reverse(finding.severity), finding.code)).or_default().push(finding);
    }
    for ((severity, code), group) in groups {
        let word = match severity.0 {
            FindingSeverity::Critical | FindingSeverity::High => paint.red(severity.0.as_str()),
            FindingSeverity::Medium => paint.yellow(severity.0.as_str()),
            FindingSeverity::Low | FindingSeverity::Info => paint.dim(severity.0.as_str()),
        };
        let head = paint.bold(code.as_str());
        out.push_str(&format!("\n{word}  {head}: {} (docs/findings/{code}.md)\n", code.title()));
        let table = if code == FindingCode::EscalationPath { ways(&group) } else { facts(&group) };
        push_table(&mut out, &table, paint);
    }
    if !not_checked.is_empty() {
        out.push_str(&format!("\n{}\n", paint.bold("Not checked")));
        for line in not_checked.iter().take(SHOWN) {
            out.push_str(&format!("  {}\n", without_control(line, "")));
        }
        push_rest(&mut out, not_checked.len());
    }
    paint.clean(&out)
}

/// Column heads, and rows of as many cells.
struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

fn push_table(out: &mut String, table: &Table, paint: Paint) {
    let shown: Vec<Vec<String>> =
        table.rows.iter().take(SHOWN).map(|row| row.iter().map(|cell| without_control(cell, "")).collect()).collect();
    let widths: Vec<usize> = table
        .head
        .iter()
        .enumerate()
        .map(|(at, head)| {
            let cells = shown.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count());
            cells.max().unwrap_or_default().min(WIDEST).max(head.len())
        })
        .collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    let head = line(&mut table.head.iter().copied());
    out.push_str(&format!("  {}\n", paint.dim(&head)));
    for row in &shown {
        out.push_str(&format!("  {}\n", line(&mut row.iter().map(String::as_str))));
    }
    push_rest(out, table.rows.len());
}

fn push_rest(out: &mut String, all: usize) {
    if all > SHOWN {
        out.push_str(&format!("  and {} more (--format json shows all)\n", all - SHOWN));
    }
}

fn headline(findings: &[Finding]) -> String {
    let mut counts: BTreeMap<Reverse<FindingSeverity>, usize> = BTreeMap::new();
    for finding in findings {
        *counts.entry(Reverse(finding.severity)).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(severity, n)| format!("{n} {}", severity.0.as_str())).collect();
    let noun = if findings.len() == 1 { "finding" } else { "findings" };
    format!("{} {noun}: {}\n", findings.len(), counts.join(", "))
}

/// For each start its shortest path, and how many ways there are.
fn ways(group: &[&Finding]) -> Table {
    let mut starts: BTreeMap<&Subject, Vec<&Finding>> = BTreeMap::new();
    for finding in group {
        if let Some(start) = &finding.principal {
            starts.entry(start).or_default().push(finding);
        }
    }
    let row = |(start, findings): (&Subject, Vec<&Finding>)| {
        let shortest = findings.iter().min_by_key(|finding| finding.path.len())?;
        let target = match &shortest.target {
            Some(target) if target == start => "itself".to_owned(),
            Some(target) => short(target),
            None => String::new(),
        };
        let end = if shortest.reaches_admin == Some(true) { "administrator" } else { "" };
        let steps = match (end, shortest.path.len()) {
            ("", _) => String::new(),
            (end, 1) => format!("{end} in 1 step"),
            (end, steps) => format!("{end} in {steps} steps"),
        };
        let keys: Vec<&str> = shortest.conditional_on.iter().map(|key| key.as_str()).collect();
        let mut notes = Vec::new();
        notes.extend((!steps.is_empty()).then_some(steps));
        notes.extend((!keys.is_empty()).then(|| format!("if {} allows", keys.join(", "))));
        let more = findings.len() - 1;
        notes.extend((more > 0).then(|| format!("{more} more {}", if more == 1 { "way" } else { "ways" })));
        let technique = shortest.technique.as_deref().unwrap_or_default();
        Some(vec![short(start), technique.to_owned(), target, notes.join("; ")])
    };
    Table { head: vec!["WHO", "BECOMES BY", "WHOM", "NOTES"], rows: starts.into_iter().filter_map(row).collect() }
}

fn facts(group: &[&Finding]) -> Table {
    let named = group.iter().any(|finding| !finding.functions.is_empty());
    let opened = group.iter().any(|finding| finding.principal.is_some() && finding.resource.is_some());
    let mut head = vec!["WHERE"];
    head.extend(opened.then_some("WHO"));
    head.push("WHAT");
    head.extend(named.then_some("FUNCTIONS"));
    let row = |finding: &&Finding| {
        let who = finding.principal.as_ref().map(short);
        let (place, who) = match &finding.resource {
            Some(resource) => (resource_in_short(resource), who),
            None => (who.unwrap_or_default(), None),
        };
        let mut row = vec![place];
        row.extend(opened.then(|| who.unwrap_or_default()));
        row.push(finding.evidence.join("; "));
        if named {
            row.push(functions(finding));
        }
        row
    };
    Table { head, rows: group.iter().map(row).collect() }
}

fn functions(finding: &Finding) -> String {
    let names: Vec<&str> = finding.functions.iter().take(5).map(|arn| arn.name()).collect();
    let more = finding.functions.len().saturating_sub(names.len());
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", names.join(", "))
}

/// A principal without what is the same for all: `role/app/Orders`, `account 111122223333`.
fn short(subject: &Subject) -> String {
    match (subject.arn(), subject.arn().and_then(Arn::account)) {
        (Some(arn), Some(account)) if arn.resource() == "root" => format!("account {account}"),
        (Some(arn), _) => arn.resource().to_owned(),
        (None, _) if subject.as_str() == "*" => "everyone".to_owned(),
        (None, _) => subject.as_str().to_owned(),
    }
}

/// A resource with its service, where its own name does not tell: `role/app/Orders`, `s3:orders-bucket`.
fn resource_in_short(arn: &Arn) -> String {
    if arn.service() == "iam" { arn.resource().to_owned() } else { format!("{}:{}", arn.service(), arn.resource()) }
}
