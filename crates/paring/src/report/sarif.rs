//! Findings as SARIF 2.1.0, which code hosts show beside the lines they are about.
//!
//! Renders; where a finding stands was found before. What a rule says is its page in `docs/findings`, held in the binary.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use iam_model::diagnostic::{Diagnostic, Place, Severity};
use iam_model::finding::{Finding, FindingSeverity, Subject};
use iam_model::json::Value;
use iam_model::text::Position;
use include_dir::{Dir, include_dir};

static PAGES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../docs/findings");

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Results that code hosts take of one run; the least severe of more are left out.
pub(crate) const MOST: usize = 25_000;

/// One finding, and the line it is about.
pub(crate) struct Found {
    code: &'static str,
    severity: FindingSeverity,
    message: String,
    file: String,
    position: Option<Position>,
    /// Who or what it is about, by name.
    about: Option<String>,
    fingerprint: Option<String>,
    /// Whether it says something of an account, and not of a text alone.
    of_account: bool,
}

/// Findings about accounts: each where `places` has its principal, else at the top of `file`.
pub(crate) fn of_findings(findings: &[Finding], places: &BTreeMap<String, Place>, file: &str) -> Vec<Found> {
    let found = |finding: &Finding| {
        let about =
            [finding.principal.as_ref().map(Subject::as_str), finding.resource.as_ref().map(|arn| arn.as_str())];
        let about = about.into_iter().flatten().next();
        let print = finding.fingerprint();
        let resource = finding.resource.as_ref().map(|arn| arn.as_str());
        let named = about.and_then(|about| places.get(about));
        let place = places.get(&print).or(named).or_else(|| resource.and_then(|arn| places.get(arn)));
        let technique = finding.technique.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
        let target = finding.target.as_ref().map(|to| format!(" -> {to}")).unwrap_or_default();
        let evidence = finding.evidence.join("; ");
        let colon = if evidence.is_empty() { "" } else { ": " };
        Found {
            code: finding.code.as_str(),
            severity: finding.severity,
            message: format!(
                "{}{target}{technique}: {}{colon}{evidence}",
                about.unwrap_or("the account"),
                finding.code.title()
            ),
            file: place.map_or_else(|| file.to_owned(), |place| place.source.to_string()),
            position: place.and_then(|place| place.position),
            about: about.map(str::to_owned),
            fingerprint: Some(print),
            of_account: true,
        }
    };
    findings.iter().map(found).collect()
}

/// What was found in texts.
pub(crate) fn of_diagnostics(diagnostics: &[Diagnostic]) -> Vec<Found> {
    let found = |one: &Diagnostic| {
        let hint = one.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        Found {
            code: one.code.as_str(),
            severity: match one.severity {
                Severity::Error => FindingSeverity::High,
                Severity::Warning => FindingSeverity::Medium,
                Severity::Note => FindingSeverity::Info,
            },
            message: format!("{}{hint}", one.message),
            file: one.place.source.to_string(),
            position: one.place.position,
            about: one.place.within.clone(),
            fingerprint: None,
            of_account: false,
        }
    };
    diagnostics.iter().map(found).collect()
}

/// Renders at most [`MOST`] results, the worst first.
pub(crate) fn render(mut found: Vec<Found>) -> String {
    found.sort_by_key(|one| Reverse(one.severity));
    found.truncate(MOST);
    let mut worst: BTreeMap<&str, &Found> = BTreeMap::new();
    for one in &found {
        worst.entry(one.code).or_insert(one);
    }
    let numbers: BTreeMap<&str, usize> = worst.keys().enumerate().map(|(number, code)| (*code, number)).collect();
    let driver = object([
        ("name", Value::text("paring")),
        ("semanticVersion", Value::text(env!("CARGO_PKG_VERSION"))),
        ("rules", Value::Array(worst.values().map(|worst| rule(worst)).collect())),
    ]);
    let results = found.iter().map(|one| result(one, numbers.get(one.code).copied().unwrap_or_default()));
    let run = object([
        ("tool", object([("driver", driver)])),
        ("columnKind", Value::text("unicodeCodePoints")),
        ("results", Value::Array(results.collect())),
    ]);
    object([("$schema", Value::text(SCHEMA)), ("version", Value::text("2.1.0")), ("runs", Value::Array(vec![run]))])
        .to_pretty()
}

/// A code, with its page; as severe as its worst finding.
fn rule(worst: &Found) -> Value {
    let page = PAGES.get_file(format!("{}.md", worst.code)).and_then(|file| file.contents_utf8()).unwrap_or_default();
    let title = page.lines().nth(2).and_then(|line| line.split_once(": ")).map_or(worst.code, |(_, title)| title);
    let mut properties = vec![("tags".to_owned(), Value::Array(vec![Value::text("security"), Value::text("iam")]))];
    if worst.of_account {
        properties.push(("security-severity".to_owned(), Value::text(score(worst.severity))));
    }
    object([
        ("id", Value::text(worst.code)),
        ("shortDescription", object([("text", Value::text(title))])),
        ("help", object([("text", Value::text(page)), ("markdown", Value::text(page))])),
        ("defaultConfiguration", object([("level", Value::text(level(worst.severity)))])),
        ("properties", Value::Object(properties)),
    ])
}

fn result(one: &Found, rule: usize) -> Value {
    let Position { line, column } = one.position.unwrap_or(Position { line: 1, column: 1 });
    let mut place = vec![(
        "physicalLocation".to_owned(),
        object([
            ("artifactLocation", object([("uri", Value::text(uri(&one.file)))])),
            (
                "region",
                object([("startLine", Value::number(line as u64)), ("startColumn", Value::number(column as u64))]),
            ),
        ]),
    )];
    let logical = one.about.as_ref().map(|about| object([("fullyQualifiedName", Value::text(about))]));
    place.extend(logical.map(|logical| ("logicalLocations".to_owned(), Value::Array(vec![logical]))));
    let mut members = vec![
        ("ruleId".to_owned(), Value::text(one.code)),
        ("ruleIndex".to_owned(), Value::number(rule as u64)),
        ("level".to_owned(), Value::text(level(one.severity))),
        ("message".to_owned(), object([("text", Value::text(plain(&one.message)))])),
        ("locations".to_owned(), Value::Array(vec![Value::Object(place)])),
    ];
    let fingerprint = one.fingerprint.as_ref().map(|print| object([("paring/v1", Value::text(print))]));
    members.extend(fingerprint.map(|print| ("partialFingerprints".to_owned(), print)));
    Value::Object(members)
}

const fn level(severity: FindingSeverity) -> &'static str {
    match severity {
        FindingSeverity::Critical | FindingSeverity::High => "error",
        FindingSeverity::Medium => "warning",
        FindingSeverity::Low | FindingSeverity::Info => "note",
    }
}

/// The score that code hosts sort by: from 9 critical, from 7 high, from 4 medium, else low.
const fn score(severity: FindingSeverity) -> &'static str {
    match severity {
        FindingSeverity::Critical => "9.5",
        FindingSeverity::High => "8.0",
        FindingSeverity::Medium => "5.5",
        FindingSeverity::Low => "3.0",
        FindingSeverity::Info => "1.0",
    }
}

/// A message without what SARIF reads as links: names come from the account.
fn plain(message: &str) -> String {
    message.chars().fold(String::new(), |mut out, c| {
        if matches!(c, '\\' | '[' | ']') {
            out.push('\\');
        }
        out.push(if c.is_control() { ' ' } else { c });
        out
    })
}

/// A path as a relative reference, or as a file's address where it is absolute.
fn uri(path: &str) -> String {
    let path = path.replace('\\', "/");
    let path = path.strip_prefix("./").unwrap_or(&path);
    let mut out = if path.starts_with('/') { "file://".to_owned() } else { String::new() };
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn object<'a>(members: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_references_and_names_never_links() {
        assert_eq!(uri("./my app/テ.yaml"), "my%20app/%E3%83%86.yaml");
        assert_eq!(uri("/a/b.json"), "file:///a/b.json");
        assert_eq!(plain("[x](http://e)\u{1b}"), "\\[x\\](http://e) ");
    }
}
