//! Findings of an audit for programs: `paring-findings/1`.
//!
//! Renders; what a finding says was decided where it was made.

use iam_model::finding::Finding;
use iam_model::json::Value;

/// The schema name of the findings.
const SCHEMA: &str = "paring-findings/1";

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
    members.extend(finding.route.as_ref().map(|route| ("route", text(route))));
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
