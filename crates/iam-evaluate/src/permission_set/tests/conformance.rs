//! The verdicts that AWS recorded or documented, and others that two independent checks agree on.

use std::path::PathBuf;

use iam_model::json::{self, Limits as JsonLimits, Node};
use iam_model::policy::{PolicyDocument, from_json};
use iam_model::text::{SourceName, SourceText};

use super::super::*;

fn cases(file: &str) -> Option<SourceText> {
    let root = std::env::var_os("PARING_CONFORMANCE").map_or_else(|| PathBuf::from("../../../shared"), PathBuf::from);
    let path = root.join("vectors/verification").join(file);
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(SourceText { name: SourceName::new(file), text }),
        Err(_) => {
            eprintln!("SKIPPED: {} is not there; set PARING_CONFORMANCE", path.display());
            None
        }
    }
}

fn policy(node: &Node<'_>, key: &str) -> PolicyDocument {
    let source = SourceText { name: SourceName::new(key), text: String::new() };
    from_json(node.get(key).unwrap(), &source, "").0
}

#[derive(Default, Debug)]
struct Tally {
    right: usize,
    undecided: usize,
    wrong: Vec<String>,
    open: Vec<String>,
}

fn judge(tally: &mut Tally, node: &Node<'_>, new: &PermissionSet, old: &PermissionSet) {
    let id = node.get("id").unwrap().as_str().unwrap().to_owned();
    let expected = node.get("expected").unwrap().as_str().unwrap();
    let got = match new.included_in(old, Limits::default()) {
        Inclusion::Included(_) => "PASS",
        Inclusion::Excluded(_) => "FAIL",
        Inclusion::Undecided(why) => {
            tally.undecided += 1;
            tally.open.push(format!("{id} ({expected}): {why:?}"));
            return;
        }
    };
    if got == expected { tally.right += 1 } else { tally.wrong.push(format!("{id}: expected {expected}")) }
}

#[test]
fn new_access_is_found_as_recorded() {
    let Some(source) = cases("no_new_access.jsonl") else { return };
    let mut tally = Tally::default();
    for line in source.text.lines() {
        let arena = json::Arena::new();
        let node = json::parse(&arena, line, JsonLimits::FILE).unwrap();
        let (new, old) = (policy(&node, "new_policy"), policy(&node, "existing_policy"));
        judge(&mut tally, &node, &PermissionSet::of_document(&new), &PermissionSet::of_document(&old));
    }
    eprintln!("{} right, {} undecided, {} wrong", tally.right, tally.undecided, tally.wrong.len());
    eprintln!("{:#?}", tally.open);
    assert_eq!(tally.wrong, Vec::<String>::new());
    assert!(tally.undecided * 100 <= tally.right);
}
