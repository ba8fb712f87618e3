//! The evaluation vectors: every hard case must agree, on allow against deny and on the kind of deny.
//!
//! Looks for them under `PARING_CONFORMANCE`, or beside the repository, and says so loudly where they are not there.

use std::path::PathBuf;

use iam_evaluate::case::Case;
use iam_model::text::{SourceName, SourceText};

fn folder() -> PathBuf {
    std::env::var_os("PARING_CONFORMANCE")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from)
}

#[test]
fn hard_cases_agree() {
    for file in ["documented", "divergences", "dev"] {
        let path = folder().join("vectors/evaluation").join(format!("{file}.jsonl"));
        let Ok(text) = std::fs::read_to_string(&path) else {
            eprintln!("SKIPPED: no evaluation vectors at {}", path.display());
            continue;
        };
        let (mut wrong, mut hard) = (Vec::new(), 0);
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        for line in lines {
            let source = SourceText { name: SourceName::new(file), text: line.into() };
            let (case, _) = Case::read(&source).unwrap();
            let found = case.evaluate();
            let expected = case.expected.expect("every vector expects something").as_str();
            if !line.contains(r#""gate":"hard""#) {
                continue;
            }
            hard += 1;
            if found.outcome.as_str() != expected {
                wrong.push(format!("{}: expected {expected}, found {:?}", case.id, found.outcome));
            }
        }
        assert!(hard > 0, "no hard case in {}", path.display());
        assert!(wrong.is_empty(), "{file}: {} wrong\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
    }
}

/// Where AWS's text is silent, and how many cases of each kind answer otherwise than the other evaluators do:
/// `docs/semantics.md` lists them with the reason.
const CONTESTED: &[(&str, usize)] = &[
    ("empty-list-ifexists", 0),
    ("foranyvalue-ifexists-missing", 7),
    ("notprincipal-partial", 0),
    ("notresource-unresolved-variable", 8),
    ("wildcard-in-resource-type", 0),
];

#[test]
fn contested_cases_differ_where_the_documentation_says() {
    let path = folder().join("vectors/evaluation/contested.jsonl");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED: no evaluation vectors at {}", path.display());
        return;
    };
    let mut differ = std::collections::BTreeMap::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let source = SourceText { name: SourceName::new("contested"), text: line.into() };
        let (case, _) = Case::read(&source).unwrap();
        let kind = CONTESTED.iter().find(|(kind, _)| line.contains(&format!("\"contested\":[\"{kind}\"")));
        let (kind, _) = kind.unwrap_or_else(|| panic!("{}: contested for a reason that is not listed", case.id));
        let differs = case.evaluate().outcome.as_str() != case.expected.unwrap().as_str();
        *differ.entry(*kind).or_insert(0) += usize::from(differs);
    }
    assert_eq!(differ.into_iter().collect::<Vec<_>>(), CONTESTED);
}
