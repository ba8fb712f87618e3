//! The report for programs: `paring-report/1`, keys in a fixed order.

use iam_model::json::{self, Limits, Value};
use iam_model::policy::{PolicyDocument, PrintStyle, print};
use iam_model::usage::AccountDays;

use super::{
    BlindSpotView, ChangeView, ClaimView, ConfiguredView, DocumentView, EvidenceView, GrantedView, JudgementView,
    NeedView, PartView, PatchView, RefusedView, Report, RoleView, SCHEMA, SplitView, SuggestionView, Summary,
};

/// Renders the report as indented JSON.
pub(crate) fn render(report: &Report) -> String {
    let mut members = vec![
        ("schema", Value::text(SCHEMA)),
        ("paring", Value::text(env!("CARGO_PKG_VERSION"))),
        ("summary", summary(&report.summary)),
        ("evidence", evidence(&report.evidence)),
        ("roles", list(&report.roles, role)),
    ];
    if !report.splits.is_empty() {
        members.push(("splits", list(&report.splits, split)));
    }
    if !report.documents.is_empty() {
        members.push(("documents", list(&report.documents, policy_of)));
    }
    members.extend([
        ("findings", list(&report.findings, super::findings::value)),
        ("patches", list(&report.patches, patch)),
        ("not_checked", texts(&report.not_checked)),
    ]);
    object(members).to_pretty()
}

fn split(split: &SplitView) -> Value {
    object([
        ("role", Value::text(&split.role)),
        ("refused", optional(split.refused.as_deref())),
        ("notes", texts(&split.notes)),
        ("parts", list(&split.parts, part)),
    ])
}

fn policy_of(policy: &DocumentView) -> Value {
    object([
        ("subject", Value::text(&policy.subject)),
        ("kind", Value::text(policy.kind)),
        ("change", policy.change.as_ref().map_or(Value::Null, change)),
        ("claims", list(&policy.claims, claim)),
        ("left_alone", texts(&policy.left_alone)),
    ])
}

fn part(part: &PartView) -> Value {
    let policy = |(name, policy): &(String, PolicyDocument)| {
        object([("name", Value::text(name)), ("document", document(policy))])
    };
    let mut members = vec![
        ("function", Value::text(&part.function)),
        ("role", Value::text(&part.role)),
        ("needed", list(&part.needs, need)),
        ("unseen", count(part.blind_spots.iter().map(|spot| spot.actions.len()).sum())),
        ("blind_spots", list(&part.blind_spots, blind_spot)),
        ("trust", document(&part.trust)),
        ("policies", list(&part.policies, policy)),
        ("managed_policies", texts(&part.managed)),
    ];
    if !part.new_managed.is_empty() {
        members.push(("new_managed_policies", list(&part.new_managed, policy)));
    }
    members.push(("boundary", optional(part.boundary.as_deref())));
    members.push(("claims", list(&part.claims, claim)));
    object(members)
}

fn summary(summary: &Summary) -> Value {
    object([
        ("roles", count(summary.roles)),
        ("new_roles", count(summary.new_roles)),
        ("granted_actions", count(summary.granted_actions)),
        ("granted_actions_after", count(summary.granted_actions_after)),
        ("needed_actions", count(summary.needed_actions)),
        ("observed_calls", Value::number(summary.observed_calls)),
        ("denied_calls", Value::number(summary.denied_calls)),
        ("undecided_calls", Value::number(summary.undecided_calls)),
        ("unexplained_calls", Value::number(summary.unexplained_calls)),
        ("patches", count(summary.patches)),
    ])
}

fn evidence(evidence: &EvidenceView) -> Value {
    let skipped = evidence.skipped.iter().map(|(reason, n)| (reason.as_str().to_owned(), Value::number(*n))).collect();
    object([
        ("files", Value::number(evidence.files)),
        ("records", Value::number(evidence.records)),
        ("skipped", Value::Object(skipped)),
        ("unread_files", Value::number(evidence.unread_files)),
        (
            "unresolved",
            list(&evidence.unresolved, |(event, n)| {
                object([("event", Value::text(event)), ("count", Value::number(*n))])
            }),
        ),
        ("first", optional(evidence.first.as_deref())),
        ("last", optional(evidence.last.as_deref())),
        ("days", Value::number(evidence.days)),
        ("accounts", list(&evidence.accounts, |(account, days)| account_days(account, *days))),
        ("catalog_date", Value::text(&evidence.catalog_date)),
        ("catalog_actions", count(evidence.catalog_actions)),
    ])
}

fn account_days(account: &str, days: Option<AccountDays>) -> Value {
    object([
        ("account", Value::text(account)),
        ("days", Value::number(days.map_or(0, |days| days.span))),
        ("days_without_records", days.and_then(|days| days.without).map_or(Value::Null, Value::number)),
        ("days_missing", Value::number(days.map_or(0, |days| days.missing))),
    ])
}

fn role(role: &RoleView) -> Value {
    let why = if let JudgementView::Refused(why) = &role.judgement { Some(why.as_str()) } else { None };
    object([
        ("arn", Value::text(&role.arn)),
        ("functions", texts(&role.functions)),
        ("judgement", Value::text(role.judgement.as_str())),
        ("why", optional(why)),
        ("granted", granted(&role.granted)),
        ("granted_after", role.after.as_ref().map_or(Value::Null, granted)),
        ("needed", list(&role.needs, need)),
        ("claims", list(&role.claims, claim)),
        ("certificate", optional(role.certificate.as_deref())),
        ("changes", list(&role.changes, change)),
        ("blind_spots", list(&role.blind_spots, blind_spot)),
        ("configured", list(&role.configured, configured)),
        ("suggestions", list(&role.suggestions, suggestion)),
        ("left_alone", texts(&role.left_alone)),
        ("refused", list(&role.refused, refused)),
    ])
}

/// A resource that a function is configured with.
pub(super) fn configured(configured: &ConfiguredView) -> Value {
    object([
        ("function", Value::text(&configured.function)),
        ("variable", Value::text(&configured.variable)),
        ("resource", Value::text(&configured.resource)),
        ("calls", Value::number(configured.calls)),
        ("says", Value::text(&configured.says)),
        ("unseen", texts(&configured.hidden)),
    ])
}

fn suggestion(suggestion: &SuggestionView) -> Value {
    object([
        ("policy", Value::text(&suggestion.policy)),
        ("statement", count(suggestion.statement)),
        ("condition", suggestion.condition.clone()),
        ("because", Value::text(&suggestion.because)),
    ])
}

fn granted(granted: &GrantedView) -> Value {
    object([
        ("actions", count(granted.actions)),
        ("services", count(granted.services)),
        ("on_every_resource", count(granted.on_everything)),
        ("administrator", Value::Bool(granted.admin)),
        ("escalation_paths", count(granted.paths)),
    ])
}

fn need(need: &NeedView) -> Value {
    object([
        ("action", Value::text(&need.action)),
        ("resources", texts(&need.resources)),
        ("grade", Value::text(need.grade)),
        ("rule", Value::text(need.rule.as_str())),
        ("because", Value::text(&need.because)),
        ("event_ids", texts(&need.event_ids)),
        ("functions", texts(&need.functions)),
    ])
}

fn claim(claim: &ClaimView) -> Value {
    object([
        ("claim", Value::text(claim.claim)),
        ("outcome", Value::text(claim.outcome.as_str())),
        ("detail", Value::text(&claim.detail)),
    ])
}

fn blind_spot(spot: &BlindSpotView) -> Value {
    object([
        ("service", Value::text(&spot.service)),
        ("why", Value::text(&spot.why)),
        ("actions", texts(&spot.actions)),
    ])
}

fn refused(refused: &RefusedView) -> Value {
    object([
        ("policy", Value::text(&refused.policy)),
        ("code", Value::text(&refused.code)),
        ("message", Value::text(&refused.message)),
        ("place", optional(refused.place.as_deref())),
        ("hint", optional(refused.hint.as_deref())),
    ])
}

fn change(change: &ChangeView) -> Value {
    object([
        ("policy", Value::text(&change.policy)),
        ("before", change.before.as_ref().map_or(Value::Null, document)),
        ("after", change.after.as_ref().map_or(Value::Null, document)),
        (
            "reasons",
            list(&change.reasons, |(statement, because, evidence)| {
                object([
                    ("statement", statement.map_or(Value::Null, count)),
                    ("because", Value::text(because)),
                    ("evidence", texts(evidence)),
                ])
            }),
        ),
    ])
}

fn patch(patch: &PatchView) -> Value {
    let mut members = vec![
        ("file", Value::text(&patch.file)),
        ("disposition", Value::text(patch.disposition)),
        ("reasons", texts(&patch.reasons)),
        ("policies", count(patch.policies)),
    ];
    members.extend((patch.splits > 0).then(|| ("splits", count(patch.splits))));
    members.push(("diff", Value::text(&patch.diff)));
    object(members)
}

/// A policy as the JSON it prints as.
fn document(document: &PolicyDocument) -> Value {
    let text = print(document, PrintStyle::Compact);
    json::parse(&json::Arena::for_text(text.len()), &text, Limits::POLICY)
        .map_or(Value::String(text.clone()), |node| node.to_value())
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

fn count(number: usize) -> Value {
    Value::Number(number.to_string())
}
