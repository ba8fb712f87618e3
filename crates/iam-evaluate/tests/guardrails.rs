//! The guardrail vectors: every request and every case of a whole tree must come out as expected, by the same statements.
//!
//! Looks for them under `PARING_CONFORMANCE`, or beside the repository, and says so loudly where they are not there.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test that fails should say so at once")]

use std::path::{Path, PathBuf};

use iam_evaluate::guardrail::{Guardrail, GuardrailCase, GuardrailKind, Organization};
use iam_model::json::Arena;
use iam_model::policy::parse;
use iam_model::text::{SourceName, SourceText};

fn folder() -> PathBuf {
    std::env::var_os("PARING_CONFORMANCE")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from)
}

fn read(path: &Path) -> Option<SourceText> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(SourceText { name: SourceName::new(&path.to_string_lossy()), text })
}

fn vectors(name: &str) -> Option<Vec<GuardrailCase>> {
    let path = folder().join("vectors/guardrails").join(name);
    let Some(source) = read(&path) else {
        eprintln!("SKIPPED: no guardrail vectors at {}", path.display());
        return None;
    };
    let mut arena = Arena::new();
    Some(source.text.lines().map(|line| GuardrailCase::read_in(&mut arena, line).unwrap()).collect())
}

#[test]
fn requests_meet_single_guardrails_as_expected() {
    let Some(cases) = vectors("requests.jsonl") else { return };
    let corpus = folder().join("corpora/guardrails");
    let mut wrong = Vec::new();
    for case in &cases {
        let policy = case.policy.as_deref().expect("a case names its policy");
        let forms = [".bound.json", ".json"].map(|end| corpus.join(format!("{policy}{end}")));
        let source = forms.iter().find_map(|path| read(path)).expect("the policy is there");
        let kind = case.kind.unwrap_or(GuardrailKind::ServiceControl);
        let ruling = Guardrail::new(kind, &parse(&source).0).decide(&case.request, case.standing);
        let statements: Vec<usize> = ruling.because.iter().map(|at| at.statement).collect();
        if Some(ruling.as_str()) != case.expect.as_deref() || case.statements.as_ref().is_some_and(|s| *s != statements)
        {
            wrong.push(format!(
                "{} {policy}: {:?} {:?} but {:?} by {statements:?}",
                case.id, case.expect, case.statements, ruling.outcome
            ));
        }
    }
    assert!(cases.len() > 100, "no cases");
    assert!(wrong.is_empty(), "{} of {} wrong\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn requests_meet_a_whole_tree_as_expected() {
    let Some(cases) = vectors("hierarchy.jsonl") else { return };
    let source = read(&folder().join("vectors/guardrails/org.json")).expect("the organisation is there");
    let (organization, diagnostics) = Organization::read(&source).unwrap();
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let mut wrong = Vec::new();
    for case in &cases {
        let judgement = organization.decide(case).unwrap();
        let found = judgement.ruling().as_str();
        if Some(found) != case.expect.as_deref() || case.decided_by.as_ref() != Some(&judgement.decided_by) {
            wrong.push(format!("{}: {:?} {:?} but {judgement:?}", case.id, case.expect, case.decided_by));
        }
    }
    assert!(cases.len() > 10, "no cases");
    assert!(wrong.is_empty(), "{} of {} wrong\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
