//! The lint vectors: what a linter of guardrails must find in published ones, and how much else it says of them.
//!
//! Looks for them under `PARING_CONFORMANCE`, or beside the repository, and says so loudly where they are not there.

#![expect(clippy::unwrap_used, reason = "a test that fails should say so at once")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use iam_model::catalog::Catalog;
use iam_model::diagnostic::Severity;
use iam_model::json::{Arena, Limits, Node, parse as parse_json};
use iam_model::policy::parse;
use iam_model::text::{SourceName, SourceText};
use iam_verify::policy_check::{PolicyKind, Validator};

fn folder() -> PathBuf {
    std::env::var_os("PARING_CONFORMANCE")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from)
}

/// The names under which two of the vectors' findings go here.
fn ours(code: &str) -> &str {
    match code {
        "parse-error" => "json-invalid",
        "single-valued-operator-on-multivalued-key" => "set-operator-missing",
        other => other,
    }
}

/// Every string of a key, line by line.
fn lines(path: &Path) -> Option<Vec<BTreeMap<String, String>>> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = |line: &str| {
        let arena = Arena::new();
        let node = parse_json(&arena, line, Limits::FILE).unwrap();
        let text = |member: &Node<'_>| member.as_str().map(ToOwned::to_owned);
        node.members().iter().filter_map(|m| Some((m.key.to_owned(), text(&m.value)?))).collect()
    };
    Some(text.lines().map(line).collect())
}

#[test]
fn published_guardrails_have_the_faults_that_they_are_known_for() {
    let (vectors, corpus) = (folder().join("vectors/guardrails/lint.jsonl"), folder().join("corpora/guardrails"));
    let (Some(expected), Some(index)) = (lines(&vectors), lines(&corpus.join("index.jsonl"))) else {
        eprintln!("SKIPPED: no lint vectors at {}", vectors.display());
        return;
    };
    let catalog = Catalog::embedded().unwrap();
    let validator = Validator::new(&catalog);
    let mut found: BTreeMap<String, BTreeMap<&str, Severity>> = BTreeMap::new();
    for entry in &index {
        let name = &entry["id"];
        let paths = [".json", ".json.txt"].map(|end| corpus.join(format!("{name}{end}")));
        let Some((path, text)) = paths.iter().find_map(|path| Some((path, std::fs::read_to_string(path).ok()?))) else {
            continue;
        };
        let kind = match entry["kind"].as_str() {
            "scp" | "scp-template" => PolicyKind::ServiceControl,
            "rcp" => PolicyKind::ResourceControl,
            "vpce" => PolicyKind::VpcEndpoint,
            "resource" => PolicyKind::Resource,
            _ => continue,
        };
        let source = SourceText { name: SourceName::new(&path.to_string_lossy()), text };
        let (document, mut diagnostics) = parse(&source);
        diagnostics.extend(validator.check(&document, kind, &source));
        let of_policy = found.entry(name.clone()).or_default();
        of_policy.extend(diagnostics.iter().map(|one| (one.code.as_str(), one.severity)));
    }
    let wanted: BTreeSet<(&str, &str)> =
        expected.iter().map(|line| (line["policy"].as_str(), ours(line["code"].as_str()))).collect();
    let has = |(policy, code): &(&str, &str)| found.get(*policy).is_some_and(|codes| codes.contains_key(code));
    let missed: Vec<&(&str, &str)> = wanted.iter().filter(|one| !has(one)).collect();
    let codes: BTreeSet<&str> = wanted.iter().map(|(_, code)| *code).collect();
    let mut more: BTreeMap<(&str, Severity), Vec<&str>> = BTreeMap::new();
    for (policy, said) in &found {
        for (code, severity) in said.iter().filter(|(code, _)| codes.contains(*code)) {
            if !wanted.contains(&(policy.as_str(), code)) {
                more.entry((code, *severity)).or_default().push(policy);
            }
        }
    }
    for ((code, severity), policies) in &more {
        eprintln!("beyond: {} {code}: {} {:?}", severity.as_str(), policies.len(), &policies[..policies.len().min(12)]);
    }
    let loud: usize = more.iter().filter(|((_, severity), _)| *severity > Severity::Note).map(|(_, p)| p.len()).sum();
    let quiet: usize = more.iter().filter(|((_, severity), _)| *severity == Severity::Note).map(|(_, p)| p.len()).sum();
    eprintln!(
        "{} of {} found in {} policies; beyond them {loud} errors and warnings, {quiet} notes",
        wanted.len() - missed.len(),
        wanted.len(),
        found.len()
    );
    assert!(missed.is_empty(), "missed: {missed:?}");
    // Most of these are true as well: the vectors name what each policy is known for, not all of it.
    assert!(loud <= found.len() / 5, "{loud} errors and warnings that nobody expects: {more:?}");
}
