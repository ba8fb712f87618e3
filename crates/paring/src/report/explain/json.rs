//! `paring-explanation/1`.

use iam_model::arn::ResourcePattern;
use iam_model::json::Value;
use iam_model::policy::document_value;
use iam_synthesize::{Fold, Need, Suggestion};

use super::{
    ActionView, DroppedView, Explained, Explanation, GrantView, NamedView, PolicyView, StatementView, conditions_value,
};

pub(super) const SCHEMA: &str = "paring-explanation/1";

/// The explanation for programs.
pub(crate) fn render(explained: &Explained) -> String {
    let schema = ("schema".to_owned(), Value::text(SCHEMA));
    let members = match explained {
        Explained::Whole(explanation) => one(explanation),
        Explained::Split(split) => vec![
            ("role".to_owned(), Value::text(&split.role)),
            ("notes".to_owned(), texts(&split.notes)),
            ("parts".to_owned(), list(&split.parts, |part| Value::Object(one(part)))),
        ],
    };
    Value::Object(std::iter::once(schema).chain(members).collect()).to_pretty()
}

fn one(explanation: &Explanation) -> Vec<(String, Value)> {
    let needs = &explanation.needs;
    let claim = |claim: &super::ClaimView| {
        object([
            ("claim", Value::text(claim.claim)),
            ("outcome", Value::text(claim.outcome.as_str())),
            ("detail", Value::text(&claim.detail)),
        ])
    };
    let window = explanation.window.as_ref();
    let members = [
        ("role", Value::text(&explanation.role)),
        ("instead_of", optional(explanation.instead_of.as_deref())),
        ("functions", texts(&explanation.functions)),
        ("note", optional(explanation.note.as_deref())),
        ("refused", optional(explanation.refused.as_deref())),
        ("days", Value::number(explanation.days.map_or(0, |days| days.span))),
        ("days_without_records", explanation.days.and_then(|days| days.without).map_or(Value::Null, Value::number)),
        ("days_missing", Value::number(explanation.days.map_or(0, |days| days.missing))),
        ("first", optional(window.map(|(first, _)| first.as_str()))),
        ("last", optional(window.map(|(_, last)| last.as_str()))),
        ("configured", list(&explanation.configured, crate::report::json::configured)),
    ];
    let needs = (needs.as_slice(), explanation.named.as_slice());
    // Who asks about one action gets no more: the rest can be thousands of lines.
    let asked = match &explanation.action {
        Some(one) => vec![("action", action(one, needs))],
        None => vec![
            ("policies", list(&explanation.policies, |one| policy(one, needs))),
            ("dropped", list(&explanation.dropped, dropped)),
            ("claims", list(&explanation.claims, claim)),
            ("action", Value::Null),
        ],
    };
    members.into_iter().chain(asked).map(|(key, value)| (key.to_owned(), value)).collect()
}

/// What must stay, and what names its resources.
type Grounds<'g> = (&'g [Need], &'g [NamedView]);

fn policy(policy: &PolicyView, needs: Grounds<'_>) -> Value {
    object([
        ("policy", Value::text(&policy.name)),
        ("state", Value::text(policy.state.as_str())),
        ("note", optional(policy.note.as_deref())),
        ("statements", list(&policy.statements, |one| statement(one, needs))),
    ])
}

fn statement(view: &StatementView, needs: Grounds<'_>) -> Value {
    let value = document_value(&view.document);
    let written = value.get("Statement").and_then(|all| all.items().first()).cloned();
    object([
        ("number", Value::number(view.number as u64)),
        ("statement", written.unwrap_or(Value::Null)),
        ("understood", Value::Bool(view.understood)),
        ("grounds", grounds(&view.needs, needs)),
        ("rules", list(&view.folds, fold)),
        ("suggestions", list(&view.suggestions, suggestion)),
    ])
}

fn fold(fold: &Fold) -> Value {
    object([
        ("rule", Value::text(fold.rule.as_str())),
        ("resource", optional(fold.pattern.as_ref().map(ResourcePattern::as_str))),
        ("because", Value::text(fold.describe())),
    ])
}

fn suggestion(suggestion: &Suggestion) -> Value {
    object([
        ("condition", conditions_value(std::slice::from_ref(&suggestion.condition))),
        ("because", Value::text(&suggestion.because)),
    ])
}

fn grounds(places: &[usize], (needs, named): Grounds<'_>) -> Value {
    let found: Vec<(usize, &Need)> = places.iter().filter_map(|at| Some((*at, needs.get(*at)?))).collect();
    list(&found, |(at, need)| {
        let seen = need.seen.as_ref();
        let resources: Vec<String> = need.resources.iter().flatten().map(ToString::to_string).collect();
        object([
            ("action", Value::text(need.action.as_str())),
            ("grade", Value::text(need.grade().as_str())),
            ("rule", Value::text(need.rule.as_str())),
            ("because", Value::text(&need.because)),
            ("resources", if need.resources.is_some() { texts(&resources) } else { Value::Null }),
            ("functions", texts(&need.functions)),
            ("named_by", texts(named.get(*at).map(|named| named.by.as_slice()).unwrap_or_default())),
            ("calls", seen.map_or(Value::Null, |seen| Value::number(seen.count))),
            ("first", optional(seen.map(|seen| seen.first.to_string()).as_deref())),
            ("last", optional(seen.map(|seen| seen.last.to_string()).as_deref())),
            ("event_ids", texts(seen.map(|seen| seen.event_ids.as_slice()).unwrap_or_default())),
        ])
    })
}

fn dropped(dropped: &DroppedView) -> Value {
    object([
        ("service", Value::text(&dropped.service)),
        ("could_be_seen", Value::Bool(dropped.could_be_seen)),
        ("why", Value::text(&dropped.why)),
        ("actions", texts(&dropped.actions)),
    ])
}

fn action(action: &ActionView, needs: Grounds<'_>) -> Value {
    let limit =
        |limit: &super::LimitView| object([("layer", Value::text(&limit.name)), ("says", Value::text(limit.says))]);
    object([
        ("action", Value::text(&action.action)),
        ("did_you_mean", optional(action.near.as_deref())),
        ("in_catalog", Value::Bool(action.in_catalog)),
        ("fate", Value::text(action.fate.as_str())),
        ("why", Value::text(&action.why)),
        ("granted_now_by", list(&action.now, grant)),
        ("granted_after_by", list(&action.after, grant)),
        ("grounds", grounds(&action.needs, needs)),
        ("denied_calls", Value::number(action.denied_calls)),
        ("unseen", optional(action.unseen.as_deref())),
        ("limits", list(&action.limits, limit)),
    ])
}

fn grant(grant: &GrantView) -> Value {
    object([
        ("policy", Value::text(&grant.policy)),
        ("statement", Value::number(grant.statement as u64)),
        ("resources", texts(&grant.resources)),
        ("conditional", Value::Bool(grant.conditional)),
    ])
}

fn object<'a>(members: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn list<T>(items: &[T], render: impl Fn(&T) -> Value) -> Value {
    Value::Array(items.iter().map(render).collect())
}

fn texts(items: &[String]) -> Value {
    list(items, |text| Value::text(text))
}

fn optional(text: Option<&str>) -> Value {
    text.map_or(Value::Null, Value::text)
}
