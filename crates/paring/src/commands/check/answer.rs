//! What checks of policies found, for people and for programs.
//!
//! Renders; what a check found was decided before.

use iam_model::json::Value;
use iam_verify::adds_nothing::Verdict;
use iam_verify::outcome::Outcome;

use super::{Question, reason};
use crate::report::verdict::counterexample;

/// The version of the JSON form.
const SCHEMA: &str = "paring-checks/1";

/// One verdict with its certificate or counterexample; of several a line each, and how many there are of each kind.
pub(super) fn text(answers: &[(&Question, &Verdict)]) -> String {
    if let [(_, verdict)] = answers {
        return alone(verdict);
    }
    let mut text: String = answers.iter().map(|(question, verdict)| in_a_list(question, &verdict.outcome)).collect();
    let count = |outcome: &str| answers.iter().filter(|(_, verdict)| verdict.outcome.as_str() == outcome).count();
    let (proved, refuted, undecided) = (count("proved"), count("refuted"), count("undecided"));
    text.push_str(&format!("{} policies: {proved} proved, {refuted} refuted, {undecided} undecided\n", answers.len()));
    text
}

/// One verdict with its counterexample, or the certificate of its proof.
fn alone(verdict: &Verdict) -> String {
    let mut text = format!("{}: {}\n", verdict.outcome.as_str(), reason(&verdict.outcome));
    if let Outcome::Refuted { counterexample: Some(request), .. } = &verdict.outcome {
        text.push_str(&format!("counterexample: {request}\n"));
    }
    if let Some(certificate) = &verdict.certificate {
        text.push_str(&certificate.to_string());
    }
    text
}

fn in_a_list(question: &Question, outcome: &Outcome) -> String {
    let mut text = format!("{}: {}: {}\n", question.policy.name, outcome.as_str(), reason(outcome));
    if let Outcome::Refuted { counterexample: Some(request), .. } = outcome {
        text.push_str(&format!("  counterexample: {request}\n"));
    }
    text
}

/// The same for programs: an entry for each policy, in the order they were given.
pub(super) fn json(answers: &[(&Question, &Verdict)]) -> String {
    let text = |key: &str, value: &str| (key.to_owned(), Value::text(value));
    let entry = |(question, verdict): &(&Question, &Verdict)| {
        let mut members = vec![text("policy", question.policy.name.as_str())];
        members.extend(question.old.as_ref().map(|old| text("old", old.name.as_str())));
        members.push(text("outcome", verdict.outcome.as_str()));
        members.push(text("because", reason(&verdict.outcome)));
        if let Outcome::Refuted { counterexample: Some(request), .. } = &verdict.outcome {
            members.push(("counterexample".to_owned(), counterexample(request)));
        }
        members.extend(verdict.certificate.as_ref().map(|proof| text("certificate", &proof.to_string())));
        Value::Object(members)
    };
    Value::Object(vec![
        text("schema", SCHEMA),
        ("checks".to_owned(), Value::Array(answers.iter().map(entry).collect())),
    ])
    .to_pretty()
}
