//! What was seen, for people and for programs (`paring-usage/1`). Renders; decides nothing.

mod standing;

use std::collections::{BTreeMap, BTreeSet};

use iam_model::action::Action;
use iam_model::arn::Arn;
use iam_model::json::Value;
use iam_model::text::grouped;
use iam_model::time::Timestamp;
use iam_model::usage::{Folded, Observation, PrincipalUsage, Standing, UnresolvedKind, UsageLog, runs_of_days};

use crate::cli::UsageBy;
use crate::terminal::Paint;

/// Resources named on a line of the table.
const NAMED_RESOURCES: usize = 2;

/// Events of one kind that nothing explains, named below the table.
const NAMED_EVENTS: usize = 24;

/// How the actions of one role stand.
pub(crate) struct Stands {
    pub(crate) role: Arn,
    /// Whether anything was read of what the role did.
    pub(crate) has_records: bool,
    /// By action, in order.
    pub(crate) actions: Vec<(Action, Standing)>,
    /// Which actions these are, in words that follow "of".
    pub(crate) scope: &'static str,
}

/// Renders everything as indented JSON, keys in a fixed order: a piece for each role, so that the usage of a large account
/// is never held as text.
pub(crate) fn json<'a>(usage: &'a UsageLog, stands: &'a [Stands]) -> impl Iterator<Item = String> + 'a {
    let head = format!("{{\n{},\n  \"principals\": {{", members(&head(usage)));
    let principals = usage.principals.iter().enumerate().map(|(at, (role, used))| {
        let stands = stands.iter().find(|stands| stands.role == *role);
        let merging = &usage.merging;
        let folds = Folds { functions: merging.functions_folded.contains(role), rows: merging.folded.get(role) };
        let role = Value::text(role.as_str()).to_compact();
        let comma = if at == 0 { "" } else { "," };
        format!("{comma}\n    {role}: {}", principal(used, &folds, stands).to_pretty_at(2))
    });
    let close = if usage.principals.is_empty() { "}" } else { "\n  }" };
    let tail = format!("{close},\n{}\n}}\n", members(&tail(usage)));
    std::iter::once(head).chain(principals).chain(std::iter::once(tail))
}

/// How far the observations of a role were folded.
struct Folds<'a> {
    functions: bool,
    rows: Option<&'a BTreeMap<usize, Folded>>,
}

fn head(usage: &UsageLog) -> Vec<(&'static str, Value)> {
    let mut head = vec![
        ("schema", Value::text("paring-usage/1")),
        ("records", Value::number(usage.records)),
        ("observed", Value::number(usage.observed)),
        ("files", Value::number(usage.files)),
    ];
    if usage.unread_files > 0 {
        head.push(("unread_files", Value::number(usage.unread_files)));
    }
    head.extend(usage.merging.filter.as_ref().map(|filter| ("filter", Value::text(filter))));
    head
}

fn tail(usage: &UsageLog) -> Vec<(&'static str, Value)> {
    let unresolved = usage.unresolved.iter().map(|event| {
        object([
            ("event_source", Value::text(&event.event_source)),
            ("event_name", Value::text(&event.event_name)),
            ("count", Value::number(event.count)),
            ("principals", texts(event.principals.iter().map(|p| p.as_str().to_owned()))),
            ("kind", Value::text(event.kind.as_str())),
        ])
    });
    let skipped = usage.skipped.iter().map(|(reason, count)| (reason.as_str().to_owned(), Value::number(*count)));
    let mut tail = vec![
        ("coverage", coverage(usage)),
        ("unresolved", Value::Array(unresolved.collect())),
        ("skipped", Value::Object(skipped.collect())),
    ];
    if usage.merging.unresolved_folded {
        tail.push(("unresolved_folded", Value::Bool(true)));
    }
    tail.push(("sources", texts(usage.merging.sources.iter().map(ToString::to_string))));
    tail
}

/// Members of the outermost object, without its brackets.
fn members(members: &[(&str, Value)]) -> String {
    let lines: Vec<String> =
        members.iter().map(|(key, value)| format!("  \"{key}\": {}", value.to_pretty_at(1))).collect();
    lines.join(",\n")
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn texts(items: impl Iterator<Item = String>) -> Value {
    Value::Array(items.map(Value::String).collect())
}

fn principal(used: &PrincipalUsage, folds: &Folds<'_>, stands: Option<&Stands>) -> Value {
    let row = |(at, seen)| observation(seen, folds.rows.and_then(|rows| rows.get(&at)).copied());
    let mut members =
        vec![("observations".to_owned(), Value::Array(used.observations.iter().enumerate().map(row).collect()))];
    if folds.functions {
        members.push(("functions_folded".to_owned(), Value::Bool(true)));
    }
    members.extend(stands.map(|stands| ("standing".to_owned(), standing::json(stands))));
    Value::Object(members)
}

fn observation(seen: &Observation, folded: Option<Folded>) -> Value {
    let context = seen.context.iter().map(|(key, values)| (key.as_str().to_owned(), texts(values.iter().cloned())));
    let mut members = vec![
        ("action", Value::text(seen.action.as_str())),
        ("resources", texts(seen.resources.iter().map(|r| r.as_str().to_owned()))),
        ("resource_known", Value::Bool(seen.resource_known)),
        ("context", Value::Object(context.collect())),
        ("function", seen.function.as_ref().map_or(Value::Null, Value::text)),
        ("count", Value::number(seen.count)),
        ("denied", Value::number(seen.denied)),
        ("first", Value::text(seen.first.to_string())),
        ("last", Value::text(seen.last.to_string())),
        ("sample_event_ids", texts(seen.sample_event_ids.iter().cloned())),
    ];
    members.extend(folded.map(|folded| ("folded", how_far(folded))));
    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// What of an observation was folded; what was not is left out.
fn how_far(folded: Folded) -> Value {
    let depth = folded.depth.map(|depth| ("depth".to_owned(), Value::number(u64::from(depth))));
    let marks = [("services", folded.services), ("contexts", folded.contexts)].into_iter();
    let marks = marks.filter(|(_, is)| *is).map(|(name, _)| (name.to_owned(), Value::Bool(true)));
    Value::Object(depth.into_iter().chain(marks).collect())
}

/// What the logs span. What trails leave out takes a snapshot to tell.
fn coverage(usage: &UsageLog) -> Value {
    let time = |pick: fn(&(Timestamp, Timestamp)) -> Timestamp| {
        usage.window.as_ref().map_or(Value::Null, |window| Value::text(pick(window).to_string()))
    };
    let mut accounts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (id, region) in &usage.seen_in {
        accounts.entry(id.to_string()).or_default().insert(region.clone());
    }
    let seen = accounts.into_iter().map(|(id, regions)| (id, texts(regions.into_iter())));
    let days = usage.days.iter().map(|(id, days)| (id.to_string(), texts(runs_of_days(days).into_iter())));
    let mut by_region: BTreeMap<String, Vec<(String, Value)>> = BTreeMap::new();
    for ((id, region), days) in &usage.region_days {
        by_region.entry(id.to_string()).or_default().push((region.clone(), texts(runs_of_days(days).into_iter())));
    }
    let by_region = by_region.into_iter().map(|(id, regions)| (id, Value::Object(regions)));
    object([
        ("first", time(|w| w.0)),
        ("last", time(|w| w.1)),
        ("seen_in", Value::Object(seen.collect())),
        ("days", Value::Object(days.collect())),
        ("region_days", Value::Object(by_region.collect())),
    ])
}

/// A line of the table.
#[derive(Default)]
struct Line {
    calls: u64,
    denied: u64,
    last: Option<Timestamp>,
    resources: BTreeSet<String>,
}

/// Renders a table, role by role, busiest lines first.
pub(crate) fn table(usage: &UsageLog, stands: &[Stands], by: UsageBy, paint: Paint) -> String {
    let mut out = paint.bold(&headline(usage)) + "\n";
    for (role, used) in &usage.principals {
        out += &format!("\n{}\n", paint.bold(role.as_str()));
        let mut lines: BTreeMap<String, Line> = BTreeMap::new();
        for seen in &used.observations {
            let line = lines.entry(label(seen, by)).or_default();
            line.calls += seen.count;
            line.denied += seen.denied;
            line.last = line.last.max(Some(seen.last));
            line.resources.extend(seen.resources.iter().map(|r| r.as_str().to_owned()));
        }
        let width = lines.keys().map(String::len).max().unwrap_or_default();
        let mut lines: Vec<(String, Line)> = lines.into_iter().collect();
        lines.sort_by_key(|(_, line)| std::cmp::Reverse(line.calls));
        for (label, line) in lines {
            out += &row(&label, width, &line, paint);
        }
    }
    stands.iter().for_each(|stands| out += &standing::text(stands, paint));
    out += &left_out(usage, paint);
    paint.clean(&out)
}

fn headline(usage: &UsageLog) -> String {
    let span = usage.window.map_or_else(String::new, |(first, last)| format!(" · {first} to {last}"));
    format!(
        "{} {} · {} of {} records show what they did{span}",
        usage.principals.len(),
        if usage.principals.len() == 1 { "role" } else { "roles" },
        grouped(usage.observed),
        grouped(usage.records)
    )
}

fn label(seen: &Observation, by: UsageBy) -> String {
    match by {
        UsageBy::Service => seen.action.service().to_owned(),
        UsageBy::Action => seen.action.to_string(),
        UsageBy::Function => format!("{} {}", seen.function.as_deref().unwrap_or("-"), seen.action),
    }
}

fn row(label: &str, width: usize, line: &Line, paint: Paint) -> String {
    let more = line.resources.len().saturating_sub(NAMED_RESOURCES);
    let named: Vec<&str> = line.resources.iter().take(NAMED_RESOURCES).map(String::as_str).collect();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let denied = if line.denied == 0 { String::new() } else { paint.red(&format!("  {} denied", line.denied)) };
    let day = line.last.map(Timestamp::date).unwrap_or_default();
    format!("  {label:<width$}  {:>9}{denied}  {}  {}{more}\n", line.calls, paint.dim(&day), named.join(" "))
}

/// Records that gave nothing, by reason, and events nothing explains: listed, never dropped.
fn left_out(usage: &UsageLog, paint: Paint) -> String {
    let mut out = String::new();
    if let Some(unread) = usage.unread() {
        out += &format!("\n{}\n", paint.yellow(&format!("{unread}: what they hold is not counted")));
    }
    if !usage.skipped.is_empty() {
        let reasons: Vec<String> =
            usage.skipped.iter().map(|(reason, count)| format!("{} {}", grouped(*count), reason.describe())).collect();
        out += &format!("\n{} {}\n", paint.dim("gave nothing:"), reasons.join(", "));
    }
    for (kind, head) in [
        (UnresolvedKind::Unknown, paint.yellow("not resolved:")),
        (UnresolvedKind::Internal, paint.dim("AWS's own consoles and agents, no permission known:")),
    ] {
        let events: Vec<_> = usage.unresolved.iter().filter(|event| event.kind == kind).collect();
        for event in events.iter().take(NAMED_EVENTS) {
            out += &format!("{head} {} {} ({})\n", event.event_source, event.event_name, event.count);
        }
        let more = events.len().saturating_sub(NAMED_EVENTS);
        if more > 0 {
            out += &format!("{head} and {more} more names (--format json lists them)\n");
        }
    }
    out
}
