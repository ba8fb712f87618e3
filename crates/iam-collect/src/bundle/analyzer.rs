//! Access Analyzer's answers in a bundle: analyzers, and each finding with its details and AWS's recommendation.
//!
//! Joins answers; what they say is read with the snapshot.

use iam_model::json::{Node, NodeKind, Value};

use super::account::{Answers, Found, cut_off};
use crate::assemble::Piece;

const ANALYZERS: &str = "list-analyzers";
const LISTS: [&str; 2] = ["list-findings-v2", "list-findings"];
const DETAILS: &str = "get-finding-v2";
const RECOMMENDATION: &str = "get-finding-recommendation";

pub(super) fn is_known(call: &str) -> bool {
    call == ANALYZERS || LISTS.contains(&call) || [DETAILS, RECOMMENDATION].contains(&call)
}

/// `access_analyzer`: nothing where nobody asked for it.
pub(super) fn access_analyzer<'b>(answers: &mut Answers<'b>) -> Option<Piece<'b>> {
    if !answers.asked(ANALYZERS) && !LISTS.iter().any(|call| answers.asked(call)) {
        return None;
    }
    let (mut analyzers, mut of_lists) = (Vec::new(), Vec::new());
    for answer in answers.of(ANALYZERS) {
        for analyzer in answers.list(answer, "analyzers") {
            let named = |key: &str| analyzer.get(key).and_then(Node::as_str).unwrap_or_default();
            let region = named("arn").split(':').nth(3).unwrap_or_default().to_owned();
            let found = LISTS.iter().find_map(|call| match answers.about(call, named("name"), &region) {
                Found::Answer(answer) => Some(answer),
                _ => None,
            });
            of_lists.extend(found.map(|answer| (answer.key, named("arn").to_owned())));
            let whole = found.is_some_and(|answer| cut_off(answer).is_none());
            let mut value = members(analyzer);
            value.push(("findings_read".into(), Value::Bool(whole)));
            analyzers.push(Value::Object(value));
        }
    }
    let mut findings = Vec::new();
    let lists: Vec<_> = LISTS.iter().flat_map(|call| answers.of(call)).collect();
    for answer in lists {
        let analyzer = of_lists.iter().find(|(key, _)| *key == answer.key).map(|(_, arn)| arn.as_str());
        for finding in answers.list(answer, "findings") {
            findings.push(joined(answers, finding, analyzer));
        }
    }
    let list = |items: Vec<Value>| Piece::List(items.into_iter().map(Piece::Made).collect());
    Some(Piece::Object(vec![("analyzers".into(), list(analyzers)), ("findings".into(), list(findings))]))
}

fn members(node: &Node<'_>) -> Vec<(String, Value)> {
    node.members().iter().map(|member| (member.key.to_owned(), member.value.to_value())).collect()
}

/// A finding with what else was asked about it.
fn joined(answers: &Answers<'_>, finding: &Node<'_>, analyzer: Option<&str>) -> Value {
    let id = finding.get("id").and_then(Node::as_str).unwrap_or_default();
    let of = |node: &Node<'_>| node.get("analyzerArn").and_then(Node::as_str).map(ToOwned::to_owned);
    let arn = of(finding).or_else(|| analyzer.map(ToOwned::to_owned));
    let region = arn.as_deref().and_then(|arn| arn.split(':').nth(3)).unwrap_or_default();
    let mut all = members(finding);
    if let (None, Some(arn)) = (finding.get("analyzerArn"), &arn) {
        all.push(("analyzerArn".into(), Value::text(arn)));
    }
    if let Found::Answer(answer) = answers.about(DETAILS, id, region) {
        let details = answer.root.get("findingDetails").filter(|found| matches!(found.kind, NodeKind::Array(_)));
        all.retain(|(key, _)| key != "findingDetails");
        all.extend(details.map(|details| ("findingDetails".to_owned(), details.to_value())));
    }
    if let Found::Answer(answer) = answers.about(RECOMMENDATION, id, region) {
        all.push(("recommendation".into(), answer.root.to_value()));
    }
    Value::Object(all)
}
