//! The labelled escalation cases of the conformance folder: what must be reported is, what must not be is not.
//!
//! Looks for the folder named by `PARING_CONFORMANCE`, else beside the repository; skips with a loud line where there is none.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test that fails should say so at once"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use iam_graph::AccessGraph;
use iam_model::finding::{Finding, FindingCode, Subject};
use iam_model::snapshot::{self, SnapshotIndex};
use iam_model::text::{SourceName, SourceText};
use serde_json::Value;

fn folder() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = std::env::var_os("PARING_CONFORMANCE").map_or_else(beside, PathBuf::from).join("vectors/escalation");
    if folder.join("expected.jsonl").is_file() {
        return Some(folder);
    }
    eprintln!("SKIPPED: no escalation cases at {} (set PARING_CONFORMANCE)", folder.display());
    None
}

/// A way that was reported.
struct Way {
    start: String,
    technique: String,
    target: String,
    admin: bool,
}

fn findings(path: &Path) -> Vec<Finding> {
    let text = std::fs::read_to_string(path).unwrap();
    let (snapshot, _) = snapshot::read(SourceText { name: SourceName::new("case"), text }).unwrap();
    let (index, _) = SnapshotIndex::new(&snapshot);
    AccessGraph::findings(&iam_graph::build(&index, &[]))
}

fn name(subject: Option<&Subject>) -> String {
    subject.map(|subject| subject.as_str().to_owned()).unwrap_or_default()
}

fn ways(findings: &[Finding], aliases: &BTreeMap<String, String>) -> Vec<Way> {
    let escalation = findings.iter().filter(|finding| finding.code == FindingCode::EscalationPath);
    let way = |finding: &Finding| {
        let id = finding.technique.clone().unwrap_or_default();
        Way {
            start: name(finding.principal.as_ref()),
            technique: aliases.get(&id).cloned().unwrap_or(id),
            target: name(finding.target.as_ref()),
            admin: finding.reaches_admin == Some(true),
        }
    };
    escalation.map(way).collect()
}

fn reached<'w>(ways: &'w [Way], start: &'w str) -> BTreeSet<&'w str> {
    let (mut seen, mut todo) = (BTreeSet::from([start]), vec![start]);
    while let Some(at) = todo.pop() {
        for way in ways.iter().filter(|way| way.start == at) {
            if seen.insert(&way.target) {
                todo.push(&way.target);
            }
        }
    }
    seen
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// Whether what was reported is what the label asks for.
fn agrees(label: &str, expect: &Value, ways: &[Way]) -> bool {
    let start = text(expect, "start");
    let same = |way: &&Way| {
        way.start == start && way.technique == text(expect, "path") && way.target == text(expect, "target")
    };
    let reach = reached(ways, start);
    if label == "positive" {
        return match expect["reaches"].as_str() {
            Some(end) => reach.contains(end),
            None => ways.iter().any(|way| same(&way)),
        };
    }
    let asked = |key: &str| expect[key].as_bool() == Some(true);
    let pair = ways.iter().filter(same).collect::<Vec<_>>();
    let reported = (asked("must_not_report") && !pair.is_empty())
        || (asked("must_not_report_as_admin") && pair.iter().any(|way| way.admin));
    let reaches = expect["must_not_reach"].as_str().is_some_and(|end| reach.contains(end));
    let admin = expect["start_reaches_admin"].as_bool() == Some(false)
        && ways.iter().any(|way| way.admin && reach.contains(way.start.as_str()));
    !reported && !reaches && !admin
}

fn shared(findings: &[Finding]) -> BTreeMap<String, BTreeSet<String>> {
    let shared = findings.iter().filter(|finding| finding.code == FindingCode::SharedRole);
    shared.map(|f| (name(f.principal.as_ref()), f.functions.iter().map(ToString::to_string).collect())).collect()
}

fn aliases(folder: &Path) -> BTreeMap<String, String> {
    let paths: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("paths.json")).unwrap()).unwrap();
    let mut aliases = BTreeMap::new();
    for path in paths["paths"].as_array().unwrap() {
        for alias in path["aliases"].as_array().unwrap() {
            aliases.entry(alias.as_str().unwrap().to_owned()).or_insert_with(|| text(path, "id").to_owned());
        }
    }
    for path in paths["paths"].as_array().unwrap() {
        aliases.insert(text(path, "id").to_owned(), text(path, "id").to_owned());
    }
    aliases
}

#[test]
fn labelled_cases_are_reported_as_their_labels_say() {
    let Some(folder) = folder() else { return };
    let aliases = aliases(&folder);
    let (mut counts, mut wrong) = (BTreeMap::<String, (usize, usize)>::new(), Vec::new());
    for line in std::fs::read_to_string(folder.join("expected.jsonl")).unwrap().lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let id = text(&case, "case_id");
        let found = findings(&folder.join(format!("cases/{id}.json")));
        let expected: BTreeMap<String, BTreeSet<String>> =
            serde_json::from_value(case["shared_roles"].clone()).unwrap();
        assert_eq!(shared(&found), expected, "shared roles of {id}");
        let label = text(&case, "label");
        if label == "labels" {
            continue;
        }
        let count = counts.entry(label.to_owned()).or_default();
        count.1 += 1;
        if agrees(label, &case["expect"], &ways(&found, &aliases)) {
            count.0 += 1;
        } else {
            wrong.push(format!("{label} {id}"));
        }
    }
    for (label, (right, all)) in counts {
        assert!(right * 1000 >= all * 995, "{label}: {right} of {all} right; wrong: {wrong:?}");
    }
}
