//! Whether the evidence could have shown a call: trails' selectors on one side, how AWS logs the call on the other.
//!
//! Follows the CloudTrail User Guide topics "Logging management events" and "Logging data events". In doubt a call
//! could not have been seen: absence is evidence only for a call that would have been logged.

use iam_model::action::Action;
use iam_model::arn::{AccountId, ResourcePattern};
use iam_model::catalog::{ActionFacts, Catalog, Logging, Trigger};
use iam_model::usage::{AccountCoverage, Coverage, Visibility};

/// Event sources CloudTrail records in one region only, whatever region the caller had in mind.
const GLOBAL_SOURCES: &[&str] =
    &["iam.amazonaws.com", "cloudfront.amazonaws.com", "route53.amazonaws.com", "organizations.amazonaws.com"];

/// Of which no event is sure to be recorded where trails leave global services out: STS too, at its one global address.
const LEFT_OUT_SOURCES: &[&str] = &["sts.amazonaws.com"];

/// Says whether a call of `action` in `account` and `region` would have been logged. Without a region: in any region.
///
/// ```
/// use iam_model::catalog::Catalog;
/// use iam_model::usage::{AccountCoverage, Coverage, Visibility};
/// use iam_usage::visibility;
/// let catalog = Catalog::embedded().unwrap();
/// let account: iam_model::arn::AccountId = "111122223333".parse().unwrap();
/// let trail = AccountCoverage { management_read: true, management_write: true, ..AccountCoverage::default() };
/// let coverage = Coverage { accounts: [(account.clone(), trail)].into(), days: 90, ..Coverage::default() };
/// let of = |action: &str| visibility(&coverage, &catalog, &account, None, &action.parse().unwrap());
/// assert_eq!(of("dynamodb:CreateTable"), Visibility::Visible);
/// assert!(matches!(of("dynamodb:PutItem"), Visibility::Invisible(_)));
/// assert!(matches!(of("logs:PutLogEvents"), Visibility::Invisible(_)));
/// ```
#[must_use]
pub fn visibility(
    coverage: &Coverage,
    catalog: &Catalog,
    account: &AccountId,
    region: Option<&str>,
    action: &Action,
) -> Visibility {
    match blind(coverage, catalog, account, Spot { region, on: None }, action) {
        Blind::Not => Visibility::Visible,
        Blind::Behind(operations) => Visibility::Invisible(behind(&operations)),
        Blind::Whole(why) => Visibility::Invisible(why),
    }
}

/// What is known of where a call is made, and of what it is about.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spot<'s> {
    /// The region; nothing for any.
    pub(crate) region: Option<&'s str>,
    /// The resources; nothing for any.
    pub(crate) on: Option<&'s ResourcePattern>,
}

impl<'s> Spot<'s> {
    /// Calls about resources of a pattern, which are made in the region that it names, if it names one.
    pub(crate) fn of(on: &'s ResourcePattern) -> Self {
        let region = on.as_str().split(':').nth(3).filter(|region| !region.is_empty());
        Self { region: region.filter(|region| !region.contains(['*', '?', '$'])), on: Some(on) }
    }
}

/// What keeps a call's use of an action from being seen.
pub(crate) enum Blind {
    /// Nothing.
    Not,
    /// Records of calls of these actions do not show it; without such calls, it was not used.
    Behind(Vec<Action>),
    /// Everything, and why.
    Whole(String),
}

/// Says that records of calls do not show an action.
pub(crate) fn behind(calls: &[Action]) -> String {
    let mut calls: Vec<&str> = calls.iter().map(Action::as_str).collect();
    calls.sort_unstable();
    calls.dedup();
    let names: Vec<&str> = calls.iter().take(3).copied().collect();
    let more = if calls.len() > names.len() { ", …" } else { "" };
    format!("calls of {}{more} may need it, and their records do not show whether they did", names.join(", "))
}

/// Tells what keeps a use of `action` from being seen.
pub(crate) fn blind(
    coverage: &Coverage,
    catalog: &Catalog,
    account: &AccountId,
    spot: Spot<'_>,
    action: &Action,
) -> Blind {
    let Some(facts) = catalog.action(action) else {
        return Blind::Whole("the catalogue does not know the action".into());
    };
    if facts.logging() != Logging::Never {
        return unlogged(coverage, &facts, account, spot).map_or(Blind::Not, Blind::Whole);
    }
    // An action of its own name is not logged. It may be one that calls of other names ask for.
    let mut hidden = Vec::new();
    let operations = catalog.operations_authorised_by(action);
    if operations.is_empty() {
        return Blind::Whole("CloudTrail does not log its calls, and no other call is known to ask for it".into());
    }
    for (operation, pair) in operations {
        let main =
            operation.authorized().next().filter(|main| !main.action().as_str().eq_ignore_ascii_case(action.as_str()));
        let Some(main) = main.and_then(|main| catalog.action(&main.action())) else {
            return Blind::Whole("CloudTrail does not log its calls, or not by this name".into());
        };
        if let Some(why) = unlogged(coverage, &main, account, spot) {
            return Blind::Whole(format!("calls of {} ask for it, and {why}", main.action()));
        }
        if is_hidden(action, &pair.trigger()) {
            hidden.push(main.action());
        }
    }
    hidden.sort();
    hidden.dedup();
    if hidden.is_empty() { Blind::Not } else { Blind::Behind(hidden) }
}

/// What goes on from one session to the next: a source identity, and tags that are transitive, are asked for again at
/// every further role, and the call that assumes it need not name them.
///
/// Follows the IAM User Guide topics "Monitor and control actions taken with assumed roles" and "Pass session tags".
const CARRIED: &[&str] = &["sts:SetSourceIdentity", "sts:TagSession"];

/// Whether a call need not show that it asks for an action: it never does, may pass a role that stands elsewhere, or
/// carries something on from the session that makes it.
pub(crate) fn is_hidden(action: &Action, trigger: &Trigger<'_>) -> bool {
    let carried = CARRIED.iter().any(|carried| carried.eq_ignore_ascii_case(action.as_str()));
    carried || matches!(trigger, Trigger::NotShown | Trigger::PassesRole { unnamed: true })
}

/// Why calls of an action's own name would not have been recorded.
fn unlogged(coverage: &Coverage, facts: &ActionFacts<'_>, account: &AccountId, spot: Spot<'_>) -> Option<String> {
    let logging = facts.logging();
    if logging == Logging::Never {
        return Some("CloudTrail does not log its calls, or not by this name".into());
    }
    let Some(trail) = coverage.accounts.get(account) else {
        return Some(format!("no trail of account {account} is known"));
    };
    match logging {
        Logging::Management { write, event_source } => {
            management(trail, write, event_source, facts.name()).or_else(|| elsewhere(trail, spot.region, event_source))
        }
        Logging::Data(types) => {
            let missing = types.iter().find_map(|kind| data(trail, kind, spot.on));
            missing.or_else(|| elsewhere(trail, spot.region, ""))
        }
        Logging::Never => None,
    }
}

/// Why some of an action's calls are on record and others are not: the trails record data events of some resources, or of
/// reads or writes alone.
pub(crate) fn recorded_in_part(
    coverage: &Coverage,
    catalog: &Catalog,
    account: &AccountId,
    action: &Action,
) -> Option<String> {
    let Logging::Data(types) = catalog.action(action)?.logging() else { return None };
    let trail = coverage.accounts.get(account)?;
    types.iter().find(|kind| trail.partial_data_types.contains(**kind)).and_then(|kind| data(trail, kind, None))
}

/// Why a management event would not have been recorded.
fn management(trail: &AccountCoverage, write: bool, event_source: &str, name: &str) -> Option<String> {
    if trail.excluded_sources.contains(event_source) {
        return Some(format!("the trails leave out events of {event_source}"));
    }
    let is_global = || GLOBAL_SOURCES.iter().chain(LEFT_OUT_SOURCES).any(|source| *source == event_source);
    if trail.no_global_services && is_global() {
        return Some(format!("a trail leaves out global services, {event_source} among them"));
    }
    match (trail.management_read, trail.management_write) {
        (true, true) => None,
        (false, false) => Some("the trails record no management events".into()),
        (true, false) if !write && is_named(name, READING) => None,
        (false, true) if write && is_named(name, WRITING) => None,
        (true, false) => Some("the trails record reading management events only".into()),
        (false, true) => Some("the trails record writing management events only".into()),
    }
}

/// Names whose events are sure to say `readOnly: true`.
const READING: &[&str] = &["Get", "List", "Describe"];

/// Names whose events are sure to say `readOnly: false`.
const WRITING: &[&str] = &[
    "Add",
    "Associate",
    "Attach",
    "Cancel",
    "Create",
    "Delete",
    "Deregister",
    "Detach",
    "Disable",
    "Disassociate",
    "Enable",
    "Import",
    "Modify",
    "Put",
    "Reboot",
    "Register",
    "Remove",
    "Restore",
    "Revoke",
    "Run",
    "Set",
    "Start",
    "Stop",
    "Tag",
    "Terminate",
    "Untag",
    "Update",
];

fn is_named(name: &str, verbs: &[&str]) -> bool {
    verbs.iter().any(|verb| name.starts_with(verb))
}

/// Why a data event would not have been recorded.
fn data(trail: &AccountCoverage, kind: &str, on: Option<&ResourcePattern>) -> Option<String> {
    // A selector for tables records their streams too.
    let also = if kind == "AWS::DynamoDB::Stream" { "AWS::DynamoDB::Table" } else { kind };
    let recorded = [kind, also].into_iter().find(|kind| trail.data_types.contains(*kind));
    if let Some(recorded) = recorded {
        let is_silent = trail.silent_data_types.contains(recorded);
        is_silent.then(|| {
            format!("the trails record data events of {recorded}, and none was read: they may be delivered elsewhere")
        })
    } else if trail.partial_data_types.contains(kind) || trail.partial_data_types.contains(also) {
        let is_recorded = |on: &ResourcePattern| [kind, also].iter().any(|kind| is_part(trail, kind, on));
        let told = on.is_none_or(|on| !is_recorded(on));
        told.then(|| format!("the trails record data events of {kind} only in part"))
    } else {
        Some(format!("the trails record no data events of {kind}"))
    }
}

/// Whether all that a pattern stands for is among what the trails record of a type.
fn is_part(trail: &AccountCoverage, kind: &str, on: &ResourcePattern) -> bool {
    let on = on.as_str();
    let start = on.split(['*', '?', '$']).next().unwrap_or_default();
    let holds = |part: &String| match part.strip_suffix('*') {
        Some(all) => start.starts_with(all),
        None => on == part,
    };
    let parts = trail.recorded_parts.get(kind).filter(|_| !trail.silent_data_types.contains(kind));
    parts.is_some_and(|parts| parts.iter().any(holds))
}

/// Why an event of that region would not have been recorded.
fn elsewhere(trail: &AccountCoverage, region: Option<&str>, event_source: &str) -> Option<String> {
    let recorded = trail.regions.as_ref()?;
    let asked = if GLOBAL_SOURCES.contains(&event_source) { Some("us-east-1") } else { region };
    match asked {
        Some(region) if recorded.contains(region) => None,
        Some(region) => Some(format!("no trail records region {region}")),
        None => {
            let names: Vec<&str> = recorded.iter().map(String::as_str).collect();
            let only = if names.is_empty() { "no region that is known".to_owned() } else { names.join(", ") };
            Some(format!("the trails record {only} only"))
        }
    }
}

#[cfg(test)]
mod tests;
