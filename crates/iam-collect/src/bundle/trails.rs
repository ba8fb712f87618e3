//! Trails and what they record: `describe-trails` joined with `get-event-selectors` and `get-trail-status`.
//!
//! What the selectors mean is for the snapshot's reader.

use std::collections::BTreeMap;

use iam_model::json::{Node, Value};

use super::account::{Answers, Found};
use crate::assemble::Piece;

const TRAILS: &str = "describe-trails";
const SELECTORS: &str = "get-event-selectors";
const STATUS: &str = "get-trail-status";

pub(super) fn is_known(call: &str) -> bool {
    [TRAILS, SELECTORS, STATUS].contains(&call)
}

/// `trails`; nothing where it is not known which there are.
pub(super) fn trails<'b>(answers: &mut Answers<'b>) -> Option<Piece<'b>> {
    if answers.of(TRAILS).next().is_none() {
        let lost = "what the logs could have shown is not known, so no absence counts as evidence";
        answers.missing(TRAILS, lost, "aws cloudtrail describe-trails > describe-trails.json");
        return None;
    }
    let mut trails: BTreeMap<&str, Piece<'b>> = BTreeMap::new();
    for answer in answers.of(TRAILS) {
        for trail in answers.list(answer, "trailList") {
            let text = |key: &str| trail.get(key).and_then(Node::as_str);
            let Some(arn) = text("TrailARN") else {
                answers.not_read(format!("{}: a trail without `TrailARN` is left out", answer.source.name), None);
                continue;
            };
            // A trail of all regions is listed in each of them.
            if trails.contains_key(arn) {
                continue;
            }
            let copied = trail.members().iter().filter(|member| member.key != "event_selectors");
            let mut members: Vec<(String, Piece<'b>)> =
                copied.map(|member| (member.key.to_string(), Piece::Made(member.value.to_value()))).collect();
            let name = text("Name").unwrap_or(arn);
            members.extend(selectors(answers, arn, name).map(|found| ("event_selectors".into(), found)));
            members.extend(is_logging(answers, arn, name).map(|found| ("IsLogging".into(), found)));
            trails.insert(arn, Piece::Object(members));
        }
    }
    Some(Piece::List(trails.into_values().collect()))
}

fn selectors<'b>(answers: &mut Answers<'b>, arn: &str, name: &str) -> Option<Piece<'b>> {
    let by_arn = answers.of(SELECTORS).find(|a| a.root.get("TrailARN").and_then(Node::as_str) == Some(arn));
    let region = arn.split(':').nth(3).unwrap_or_default();
    let found = by_arn.map_or_else(|| answers.about(SELECTORS, name, region), Found::Answer);
    if let Found::Answer(answer) = found {
        return Some(Piece::Copy(answer.source, answer.root.span));
    }
    let what = format!("no usable `{SELECTORS}/{name}.json`: what the trail `{name}` records is not known");
    let command = format!("`aws cloudtrail {SELECTORS} --trail-name {arn} > {SELECTORS}/{name}.json`");
    answers.not_read(what, Some(command));
    None
}

/// A trail that was stopped records nothing; where nobody asked, it counts as logging, aloud.
fn is_logging<'b>(answers: &mut Answers<'b>, arn: &str, name: &str) -> Option<Piece<'b>> {
    let region = arn.split(':').nth(3).unwrap_or_default();
    if let Found::Answer(answer) = answers.about(STATUS, name, region)
        && let Some(logging) = answer.root.get("IsLogging").and_then(Node::as_bool)
    {
        return Some(Piece::Made(Value::Bool(logging)));
    }
    let what = format!("no usable `{STATUS}/{name}.json`: the trail `{name}` is taken to be logging");
    let command = format!("`aws cloudtrail {STATUS} --name {arn} > {STATUS}/{name}.json`");
    answers.not_read(what, Some(command));
    None
}
