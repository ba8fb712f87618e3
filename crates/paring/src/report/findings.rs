//! Findings of an audit: a grouped table for people, `paring-findings/1` for programs.
//!
//! Groups and renders; what a finding says was decided where it was made.

use std::collections::BTreeMap;

use iam_model::finding::{Finding, FindingCode, FindingSeverity, Subject};
use iam_model::json::Value;

use crate::terminal::Paint;

/// The schema name of the findings.
const SCHEMA: &str = "paring-findings/1";
/// Lines of one group that are shown.
const SHOWN: usize = 40;

/// Renders findings for programs: one finding per line, keys in a fixed order.
pub(crate) fn render_json(findings: &[Finding], not_checked: &[String]) -> String {
    let mut out = format!("{{\"schema\": \"{SCHEMA}\",\n \"findings\": [");
    push_lines(&mut out, findings.iter().map(|finding| value(finding).to_compact()));
    out.push_str("],\n \"not_checked\": [");
    push_lines(&mut out, not_checked.iter().map(|line| Value::text(line).to_compact()));
    out.push_str("]}\n");
    out
}

fn push_lines(out: &mut String, lines: impl Iterator<Item = String>) {
    let mut separator = "\n  ";
    for line in lines {
        out.push_str(separator);
        out.push_str(&line);
        separator = ",\n  ";
    }
}

/// One finding as formats.md shows it.
pub(super) fn value(finding: &Finding) -> Value {
    let text = |text: &str| Value::text(text);
    let texts = |items: &[String]| Value::Array(items.iter().map(Value::text).collect());
    let mut members = vec![("code", text(finding.code.as_str())), ("severity", text(finding.severity.as_str()))];
    members.extend(finding.principal.as_ref().map(|subject| ("principal", text(subject.as_str()))));
    members.extend(finding.technique.as_ref().map(|id| ("technique", text(id))));
    members.extend(finding.target.as_ref().map(|subject| ("target", text(subject.as_str()))));
    members.extend(finding.reaches_admin.map(|admin| ("reaches_admin", Value::Bool(admin))));
    if !finding.path.is_empty() {
        members.push(("path", texts(&finding.path)));
    }
    members.extend(finding.resource.as_ref().map(|arn| ("resource", text(arn.as_str()))));
    if !finding.functions.is_empty() {
        members.push(("functions", Value::Array(finding.functions.iter().map(|arn| text(arn.as_str())).collect())));
    }
    if !finding.conditional_on.is_empty() {
        let keys = finding.conditional_on.iter().map(|key| text(key.as_str())).collect();
        members.push(("conditional_on", Value::Array(keys)));
    }
    members.push(("confidence", text(finding.confidence.as_str())));
    members.extend(finding.place.as_ref().map(|place| ("place", text(place))));
    members.push(("evidence", texts(&finding.evidence)));
    members.push(("fingerprint", text(&finding.fingerprint())));
    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// Renders findings for people: the worst kind first, what can be said once said once.
pub(crate) fn render_text(findings: &[Finding], not_checked: &[String], paint: Paint) -> String {
    let mut out = String::new();
    if findings.is_empty() {
        out.push_str("no findings\n");
    } else {
        out.push_str(&headline(findings));
    }
    let mut groups: BTreeMap<(std::cmp::Reverse<FindingSeverity>, FindingCode), Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        groups.entry((std::cmp::Reverse(finding.severity), finding.code)).or_default().push(finding);
    }
    for ((severity, code), group) in groups {
        let word = match severity.0 {
            FindingSeverity::Critical | FindingSeverity::High => paint.red(severity.0.as_str()),
            FindingSeverity::Medium => paint.yellow(severity.0.as_str()),
            FindingSeverity::Low | FindingSeverity::Info => paint.dim(severity.0.as_str()),
        };
        let head = paint.bold(code.as_str());
        out.push_str(&format!("\n{word}  {head}: {} (docs/findings/{code}.md)\n", code.title()));
        let lines =
            if code == FindingCode::EscalationPath { ways(&group) } else { group.iter().map(|f| line(f)).collect() };
        push_some(&mut out, &lines);
    }
    if !not_checked.is_empty() {
        out.push_str(&format!("\n{}\n", paint.bold("Not checked")));
        push_some(&mut out, not_checked);
    }
    out
}

fn push_some(out: &mut String, lines: &[String]) {
    for line in lines.iter().take(SHOWN) {
        out.push_str(&format!("  {}\n", printable(line)));
    }
    if lines.len() > SHOWN {
        out.push_str(&format!("  and {} more (--format json shows all)\n", lines.len() - SHOWN));
    }
}

/// Names come from an account, and may hold what a terminal would obey.
fn printable(line: &str) -> String {
    line.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

fn headline(findings: &[Finding]) -> String {
    let mut counts: BTreeMap<std::cmp::Reverse<FindingSeverity>, usize> = BTreeMap::new();
    for finding in findings {
        *counts.entry(std::cmp::Reverse(finding.severity)).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(severity, n)| format!("{n} {}", severity.0.as_str())).collect();
    let noun = if findings.len() == 1 { "finding" } else { "findings" };
    format!("{} {noun}: {}\n", findings.len(), counts.join(", "))
}

/// For each start its shortest path, and how many ways there are.
fn ways(group: &[&Finding]) -> Vec<String> {
    let mut starts: BTreeMap<&Subject, Vec<&Finding>> = BTreeMap::new();
    for finding in group {
        if let Some(start) = &finding.principal {
            starts.entry(start).or_default().push(finding);
        }
    }
    let way = |(start, findings): (&Subject, Vec<&Finding>)| {
        let shortest = findings.iter().min_by_key(|finding| finding.path.len())?;
        let mut line = match (&shortest.technique, &shortest.target) {
            (Some(technique), Some(target)) if target == start => format!("{}  {technique} on itself", short(start)),
            (Some(technique), Some(target)) => format!("{}  {technique} -> {}", short(start), short(target)),
            _ => short(start).to_owned(),
        };
        if shortest.path.len() > 1 {
            line.push_str(&format!(", {} hops to an administrator", shortest.path.len()));
        }
        let keys: Vec<&str> = shortest.conditional_on.iter().map(|key| key.as_str()).collect();
        if !keys.is_empty() {
            line.push_str(&format!(", if {} allows", keys.join(", ")));
        }
        if findings.len() > 1 {
            line.push_str(&format!("  (and {} more ways)", findings.len() - 1));
        }
        Some(line)
    };
    starts.into_iter().filter_map(way).collect()
}

fn line(finding: &Finding) -> String {
    let about = finding.principal.as_ref().map(short);
    let about = about.or_else(|| finding.resource.as_ref().map(|arn| arn.resource())).unwrap_or_default();
    let mut line = format!("{about}  {}", finding.evidence.join("; "));
    if !finding.functions.is_empty() {
        let names: Vec<&str> = finding.functions.iter().take(5).map(|arn| arn.name()).collect();
        let more = finding.functions.len().saturating_sub(names.len());
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        line.push_str(&format!(": {}{more}", names.join(", ")));
    }
    line
}

/// A principal without what is the same for all: `role/app/Orders`.
fn short(subject: &Subject) -> &str {
    subject.arn().map_or(subject.as_str(), |arn| arn.resource())
}
