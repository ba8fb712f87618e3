//! Reading `paring-usage/1` back: what was seen, without the logs it was seen in.
//!
//! An entry that cannot be read is an error with its place: a call that is left out would look as if it never happened.

use std::collections::BTreeMap;

use super::{
    Folded, Merging, Observation, PrincipalUsage, SkipReason, SourceDigest, UnresolvedEvent, UnresolvedKind, UsageLog,
    days_of_run,
};
use crate::action::Action;
use crate::arn::{AccountId, Arn, ResourcePattern};
use crate::condition::ConditionKey;
use crate::diagnostic::Place;
use crate::json::{self, Arena, Limits, Node};
use crate::text::SourceText;
use crate::time::Timestamp;

/// The schema name of the usage file.
pub const SCHEMA: &str = "paring-usage/1";

/// Why a usage file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct UsageError {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: &'static str,
}

/// Reads a usage file.
///
/// # Errors
///
/// [`UsageError`] with the place: not JSON, another version, an observation without a part it needs.
///
/// ```
/// use iam_model::text::{SourceName, SourceText};
/// let text = r#"{"schema": "paring-usage/1", "principals": {"arn:aws:iam::111122223333:role/R": {"observations": [
///     {"action": "sqs:SendMessage", "resources": ["arn:aws:sqs:eu-west-1:111122223333:q"], "count": 3,
///      "first": "2026-11-01T00:00:00Z", "last": "2026-11-20T00:00:00Z", "denied": 0}]}}}"#;
/// let log = iam_model::usage::read(&SourceText { name: SourceName::new("u.json"), text: text.into() }).unwrap();
/// assert_eq!(log.principals.len(), 1);
/// ```
pub fn read(source: &SourceText) -> Result<UsageLog, UsageError> {
    let at = |offset: usize| Place::at(source.name.clone(), &source.text, offset);
    let arena = Arena::for_text(source.text.len());
    let root = json::parse(&arena, &source.text, Limits::FILE).map_err(|error| UsageError {
        place: at(error.offset),
        message: format!("not JSON: {error}"),
        hint: "give what `paring usage --format json` printed",
    })?;
    let refuse =
        |node: &Node<'_>, message: String, hint: &'static str| UsageError { place: at(node.span.start), message, hint };
    match root.get("schema").and_then(Node::as_str) {
        Some(SCHEMA) => {}
        Some(found) => {
            let message =
                format!("this is `{}`; this version reads `{SCHEMA}`", found.chars().take(80).collect::<String>());
            return Err(refuse(&root, message, "make it again with this version's `paring usage --format json`"));
        }
        None => {
            let hint = "give what `paring usage --format json` printed";
            return Err(refuse(&root, "not a usage file: it has no `schema`".into(), hint));
        }
    }
    let mut log = UsageLog::default();
    for member in root.get("principals").map(Node::members).unwrap_or_default() {
        let hint = "a principal is the ARN of a role";
        let arn: Arn = member.key.parse().map_err(|e| refuse(&member.value, format!("{e}"), hint))?;
        let items = member.value.get("observations").map(Node::items).unwrap_or_default();
        let read = |item: &Node<'_>| {
            let hint = "an observation has `action`, `resources`, `count`, `first` and `last`";
            observation(item).map_err(|what| refuse(item, what, hint))
        };
        let observations = items.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        folds(&arn, &member.value, items, &mut log.merging);
        for seen in &observations {
            let (first, last) = log.window.unwrap_or((seen.first, seen.last));
            log.window = Some((first.min(seen.first), last.max(seen.last)));
            log.observed += seen.count;
        }
        log.principals.insert(arn, PrincipalUsage { observations });
    }
    let number = |key: &str| root.get(key).and_then(Node::as_u64).unwrap_or_default();
    (log.records, log.files, log.unread_files) = (number("records"), number("files"), number("unread_files"));
    log.observed = root.get("observed").and_then(Node::as_u64).unwrap_or(log.observed);
    left_out(&root, &mut log).map_err(|(node, what)| refuse(node, what, HINT))?;
    // The logs may span more than what was seen in them.
    let edge = |key: &str| root.get("coverage")?.get(key).and_then(Node::as_str).and_then(Timestamp::parse);
    if let (Some(first), Some(last)) = (edge("first"), edge("last")) {
        log.window = Some((first, last));
    }
    let seen_in = root.get("coverage").and_then(|coverage| coverage.get("seen_in"));
    for member in seen_in.map(Node::members).unwrap_or_default() {
        let account =
            member.key.parse().map_err(|e| refuse(&member.value, format!("{e}"), "an account has twelve digits"))?;
        let account: AccountId = account;
        let regions = member.value.items().iter().filter_map(Node::as_str);
        log.seen_in.extend(regions.map(|region| (account.clone(), region.to_owned())));
    }
    days(&root, &mut log)
        .and_then(|()| region_days(&root, &mut log))
        .map_err(|(node, what)| refuse(node, what, HINT))?;
    Ok(log)
}

/// What is told of a part that cannot be read.
const HINT: &str = "give what `paring usage --format json` printed, as it is";

/// Keeps how far a role's observations were folded.
fn folds(role: &Arn, principal: &Node<'_>, items: &[Node<'_>], merging: &mut Merging) {
    let is = |node: &Node<'_>, key: &str| node.get(key).and_then(Node::as_bool) == Some(true);
    if is(principal, "functions_folded") {
        merging.functions_folded.insert(role.clone());
    }
    for (at, folded) in items.iter().enumerate().filter_map(|(at, item)| Some((at, item.get("folded")?))) {
        let depth = folded.get("depth").and_then(Node::as_u64).and_then(|depth| u8::try_from(depth).ok());
        let folded = Folded { depth, services: is(folded, "services"), contexts: is(folded, "contexts") };
        merging.folded.entry(role.clone()).or_default().insert(at, folded);
    }
}

/// Reads on which days there were records, by account; what is wrong, and where.
fn days<'n, 'a>(root: &'n Node<'a>, log: &mut UsageLog) -> Result<(), (&'n Node<'a>, String)> {
    let all = root.get("coverage").and_then(|coverage| coverage.get("days"));
    for member in all.map(Node::members).unwrap_or_default() {
        let account: AccountId = member.key.parse().map_err(|e| (&member.value, format!("{e}")))?;
        for item in member.value.items() {
            let run = item.as_str().and_then(days_of_run);
            let run = run.ok_or_else(|| (item, "the run of days cannot be read".to_owned()))?;
            log.days.entry(account.clone()).or_default().extend(run);
        }
    }
    Ok(())
}

/// Reads the same by account and region.
fn region_days<'n, 'a>(root: &'n Node<'a>, log: &mut UsageLog) -> Result<(), (&'n Node<'a>, String)> {
    let all = root.get("coverage").and_then(|coverage| coverage.get("region_days"));
    for member in all.map(Node::members).unwrap_or_default() {
        let account: AccountId = member.key.parse().map_err(|e| (&member.value, format!("{e}")))?;
        for region in member.value.members() {
            let runs = region.value.items().iter().map(|item| item.as_str().and_then(days_of_run));
            let runs: Option<Vec<_>> = runs.collect();
            let runs = runs.ok_or_else(|| (&region.value, "the runs of days cannot be read".to_owned()))?;
            log.region_days
                .entry((account.clone(), region.key.to_string()))
                .or_default()
                .extend(runs.into_iter().flatten());
        }
    }
    Ok(())
}

/// Reads what gave no observations, and where it all was read; what is wrong, and where.
fn left_out<'n, 'a>(root: &'n Node<'a>, log: &mut UsageLog) -> Result<(), (&'n Node<'a>, String)> {
    for member in root.get("skipped").map(Node::members).unwrap_or_default() {
        let reason = SkipReason::ALL.iter().find(|reason| reason.as_str() == &*member.key);
        let reason = reason.ok_or_else(|| (&member.value, format!("no reason is called `{}`", member.key)))?;
        let count = member.value.as_u64().ok_or_else(|| (&member.value, "the count cannot be read".to_owned()))?;
        log.skipped.insert(*reason, count);
    }
    for item in root.get("unresolved").map(Node::items).unwrap_or_default() {
        let event = unresolved(item).ok_or_else(|| (item, "the unresolved event cannot be read".to_owned()))?;
        log.unresolved.push(event);
    }
    for item in root.get("sources").map(Node::items).unwrap_or_default() {
        let digest: Option<SourceDigest> = item.as_str().and_then(|text| text.parse().ok());
        log.merging.sources.push(digest.ok_or_else(|| (item, "the source cannot be read".to_owned()))?);
    }
    log.merging.sources.sort();
    log.merging.filter = root.get("filter").and_then(Node::as_str).map(str::to_owned);
    log.merging.unresolved_folded = root.get("unresolved_folded").and_then(Node::as_bool) == Some(true);
    Ok(())
}

fn unresolved(node: &Node<'_>) -> Option<UnresolvedEvent> {
    let text = |key: &str| node.get(key).and_then(Node::as_str).map(str::to_owned);
    let principals = node.get("principals").map(Node::items).unwrap_or_default();
    let internal = text("kind").is_some_and(|kind| kind == UnresolvedKind::Internal.as_str());
    Some(UnresolvedEvent {
        event_source: text("event_source")?,
        event_name: text("event_name")?,
        count: node.get("count").and_then(Node::as_u64)?,
        principals: principals.iter().map(|item| item.as_str()?.parse().ok()).collect::<Option<_>>()?,
        kind: if internal { UnresolvedKind::Internal } else { UnresolvedKind::Unknown },
    })
}

fn observation(node: &Node<'_>) -> Result<Observation, String> {
    let text = |key: &str| node.get(key).and_then(Node::as_str);
    let lacks = |key: &str| format!("the observation's `{key}` cannot be read");
    let action = text("action").ok_or_else(|| lacks("action"))?;
    let time = |key: &str| text(key).and_then(Timestamp::parse).ok_or_else(|| lacks(key));
    let texts = |node: &Node<'_>| -> Option<Vec<String>> {
        node.items().iter().map(|item| item.as_str().map(str::to_owned)).collect()
    };
    let resources = node.get("resources").and_then(texts).ok_or_else(|| lacks("resources"))?;
    let mut context = BTreeMap::new();
    for member in node.get("context").map(Node::members).unwrap_or_default() {
        let values = match member.value.as_str() {
            Some(one) => vec![one.to_owned()],
            None => texts(&member.value).ok_or_else(|| lacks("context"))?,
        };
        context.insert(ConditionKey::new(member.key), values);
    }
    let known = node.get("resource_known").and_then(Node::as_bool);
    Ok(Observation {
        action: action.parse::<Action>().map_err(|e| e.to_string())?,
        resource_known: known.unwrap_or(!resources.is_empty()),
        resources: resources.iter().map(|resource| ResourcePattern::new(resource)).collect(),
        context,
        function: text("function").map(str::to_owned),
        count: node.get("count").and_then(Node::as_u64).ok_or_else(|| lacks("count"))?,
        denied: node.get("denied").and_then(Node::as_u64).unwrap_or_default(),
        first: time("first")?,
        last: time("last")?,
        sample_event_ids: node.get("sample_event_ids").and_then(texts).unwrap_or_default(),
    })
}
