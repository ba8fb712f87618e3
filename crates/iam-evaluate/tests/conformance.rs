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
