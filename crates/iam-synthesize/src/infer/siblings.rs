//! Actions that go together on one resource: who receives a queue's messages deletes them, who opens a log stream
//! writes to it.
//!
//! The sets are data. A set stands for the whole where enough of it was seen on a resource, or where the rest could not
//! have been seen; the old grant bounds it, as it does everything. Follows the actions that AWS's own managed policies
//! and SDKs use together.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::action::Action;
use iam_model::arn::ResourcePattern;
use iam_model::catalog::Logging;

use crate::needs::{Known, Need, NeedRule};

/// Actions that go together on one resource.
struct Set {
    /// What they do together, for the report.
    purpose: &'static str,
    /// Those that nobody calls for another purpose.
    core: &'static [&'static str],
    /// Those that others call too.
    others: &'static [&'static str],
    /// How many of the core, seen on one resource, show that the whole set is in use.
    enough: usize,
}

const SETS: &[Set] = &[
    Set {
        purpose: "receive the messages of a queue",
        core: &["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"],
        others: &["sqs:GetQueueAttributes"],
        enough: 2,
    },
    Set { purpose: "write a log", core: &["logs:CreateLogStream", "logs:PutLogEvents"], others: &[], enough: 2 },
    Set {
        purpose: "read a table's stream",
        core: &["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
        others: &[],
        enough: 2,
    },
    Set {
        purpose: "read a data stream",
        core: &["kinesis:GetRecords", "kinesis:GetShardIterator"],
        others: &["kinesis:DescribeStreamSummary", "kinesis:ListShards"],
        enough: 2,
    },
    Set {
        purpose: "send traces",
        core: &[
            "xray:GetSamplingRules",
            "xray:GetSamplingTargets",
            "xray:PutTelemetryRecords",
            "xray:PutTraceSegments",
        ],
        others: &[],
        enough: 2,
    },
    Set {
        purpose: "answer a task of a workflow",
        core: &["states:SendTaskFailure", "states:SendTaskHeartbeat", "states:SendTaskSuccess"],
        others: &[],
        enough: 2,
    },
    Set {
        purpose: "pull images",
        core: &["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        others: &[],
        enough: 2,
    },
];

/// What was seen of a set on one resource: the actions, and the functions that called them.
#[derive(Default)]
struct Shown<'n> {
    actions: BTreeSet<&'static str>,
    functions: BTreeSet<&'n String>,
}

/// The rest of every set of which enough was seen.
pub(super) fn needs(seen: &[Need], known: Known<'_>) -> Vec<Need> {
    let recorded = recorded(seen, known);
    SETS.iter().flat_map(|set| of_set(set, seen, known, &recorded)).collect()
}

fn of_set(set: &Set, seen: &[Need], known: Known<'_>, recorded: &BTreeSet<&str>) -> Vec<Need> {
    let mut places: BTreeMap<&str, Shown<'_>> = BTreeMap::new();
    for name in set.core.iter().chain(set.others) {
        for need in seen.iter().filter(|need| need.action.as_str().eq_ignore_ascii_case(name)) {
            for resource in need.resources.iter().flatten() {
                let shown = places.entry(place(resource.as_str())).or_default();
                shown.actions.insert(name);
                shown.functions.extend(&need.functions);
            }
        }
    }
    places.retain(|place, shown| is_meant(place) && shown.actions.iter().any(|name| set.core.contains(name)));
    let mut needs = Vec::new();
    for name in set.core.iter().chain(set.others) {
        let Ok(action) = name.parse::<Action>() else { continue };
        let hidden = is_hidden(&action, known, recorded);
        let stands = |shown: &Shown<'_>| {
            let core = shown.actions.iter().filter(|name| set.core.contains(name)).count();
            !shown.actions.contains(name) && (core >= set.enough || hidden)
        };
        let on: Vec<(&str, &Shown<'_>)> = places.iter().filter(|(_, s)| stands(s)).map(|(p, s)| (*p, s)).collect();
        if on.is_empty() {
            continue;
        }
        let shown: BTreeSet<&str> = on.iter().flat_map(|(_, shown)| shown.actions.iter().copied()).collect();
        let with = shown.into_iter().collect::<Vec<_>>().join(", ");
        let resources = on.iter().map(|(place, _)| whole(place)).collect();
        let because = format!("goes with {with}, to {}", set.purpose);
        let mut need = Need::unseen(action, Some(resources), NeedRule::Siblings, because);
        let functions: BTreeSet<&String> = on.iter().flat_map(|(_, shown)| shown.functions.iter().copied()).collect();
        need.functions = functions.into_iter().cloned().collect();
        needs.push(need);
    }
    needs
}

/// What a set is about: a log group for its streams, else the resource itself.
fn place(resource: &str) -> &str {
    if !resource.contains(":log-group:") {
        return resource;
    }
    let group = resource.split_once(":log-stream:").map_or(resource, |(group, _)| group);
    group.strip_suffix(":*").unwrap_or(group)
}

/// The pattern for a place: all streams of a log group.
fn whole(place: &str) -> ResourcePattern {
    if place.contains(":log-group:") {
        ResourcePattern::new(&format!("{place}:*"))
    } else {
        ResourcePattern::new(place)
    }
}

/// The logs of functions are written by Lambda for each function itself, which is known from the function.
fn is_meant(place: &str) -> bool {
    !place.contains(":log-group:/aws/lambda/")
}

/// Whether a call could not have been seen on this role's resources.
///
/// Data events of one kind show that the trail records that kind, unless it is known to record a part of it.
fn is_hidden(action: &Action, known: Known<'_>, recorded: &BTreeSet<&str>) -> bool {
    let types = match known.evidence.catalog.action(action).map(|facts| facts.logging()) {
        Some(Logging::Data(types)) => types,
        _ => Vec::new(),
    };
    known.is_invisible(action) && !types.iter().any(|kind| recorded.contains(kind))
}

/// The kinds of data events that were seen of the role and are not known to be recorded in part.
fn recorded<'k>(seen: &[Need], known: Known<'k>) -> BTreeSet<&'k str> {
    let account = known.role.account();
    let trail = account.and_then(|account| known.evidence.coverage.accounts.get(&account));
    let partly = |kind: &&str| trail.is_some_and(|trail| trail.partial_data_types.contains(*kind));
    let types = |need: &Need| match known.evidence.catalog.action(&need.action).map(|facts| facts.logging()) {
        Some(Logging::Data(types)) => types,
        _ => Vec::new(),
    };
    seen.iter().flat_map(types).filter(|kind| !partly(kind)).collect()
}
