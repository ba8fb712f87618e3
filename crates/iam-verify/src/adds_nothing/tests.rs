//! The claim over recorded and documented verdicts, and its rules for each kind of attachment.

use std::path::PathBuf;

use iam_model::json::{self, Limits as JsonLimits, Node};
use iam_model::policy::from_json;
use iam_model::text::{SourceName, SourceText};

use super::*;

fn cases(file: &str) -> Option<String> {
    let root = std::env::var_os("PARING_CONFORMANCE").map_or_else(|| PathBuf::from("../../../shared"), PathBuf::from);
    let path = root.join("vectors/verification").join(file);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        eprintln!("SKIPPED: {} is not there; set PARING_CONFORMANCE", path.display());
    }
    text
}

fn policy(node: &Node<'_>) -> PolicyDocument {
    let source = SourceText { name: SourceName::new("case"), text: String::new() };
    from_json(node, &source, "").0
}

#[test]
fn verdicts_agree_with_those_aws_recorded_or_documented() {
    let Some(text) = cases("no_new_access.jsonl") else { return };
    let (mut right, mut undecided, mut wrong) = (0, Vec::new(), Vec::new());
    for line in text.lines() {
        let node = json::parse(line, JsonLimits::FILE).unwrap();
        let (new, old) = (policy(node.get("new_policy").unwrap()), policy(node.get("existing_policy").unwrap()));
        let id = node.get("id").unwrap().as_str().unwrap();
        let verdict = check(AttachmentKind::Identity, Some(&old), Some(&new), Limits::default());
        match (node.get("expected").unwrap().as_str().unwrap(), &verdict.outcome) {
            ("PASS", Outcome::Proved { .. }) | ("FAIL", Outcome::Refuted { .. }) => right += 1,
            (_, Outcome::Undecided { why }) => undecided.push(format!("{id}: {why}")),
            (expected, _) => wrong.push(format!("{id}: expected {expected}")),
        }
    }
    eprintln!("{right} right, {} undecided, {} wrong", undecided.len(), wrong.len());
    assert_eq!(wrong, Vec::<String>::new());
    assert!(undecided.len() * 100 <= right, "{undecided:#?}");
}
