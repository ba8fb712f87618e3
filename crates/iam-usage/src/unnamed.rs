//! Calls that name no resource, and whether that is what they do.

use std::collections::BTreeSet;

use iam_model::catalog::{AccessLevel, ActionFacts};

use crate::json::Raw;
use crate::template::Call;

/// Accounts of a request that are looked at.
const MOST_ACCOUNTS: usize = 64;

/// How a call that names no resource is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unnamed {
    /// On any of the kind: it lists or describes.
    Any,
    /// On `*`: the kinds it takes are only checked where it names one.
    Star,
    /// On the kind it makes, whose name does not exist yet.
    Made,
    /// Nobody knows.
    Unknown,
}

/// Verbs of calls that make something.
pub(crate) const MAKING: &[&str] = &["Create", "Allocate", "Copy", "Import", "Purchase", "Register", "Request", "Run"];

/// Verbs of calls that only look.
const LOOKING: &[&str] = &["BatchGet", "Describe", "Get", "List", "Lookup", "Search"];

/// Services that check such calls on any of the kind (`…:db:*`), as their messages of denied calls say. Of the others it is
/// not known: Amazon ECS checks `ListTasks` on `*`, though the reference has container instances as required.
const ANY_OF_KIND: &[&str] =
    &["ecr", "elasticache", "elasticfilesystem", "events", "glue", "logs", "rds", "redshift", "states"];

/// The same, of services that do not do so with all calls; and calls that always name one, which their records leave out.
const ANY_OF_KIND_ACTIONS: &[&str] = &[
    "aws-marketplace:SearchFacets",
    "aws-marketplace:SearchListings",
    "cloudwatch:DescribeAlarms",
    "s3:GetStorageLensConfiguration",
];

/// Actions that are checked on `*` unless the call names one of their kinds.
const ON_STAR: &[&str] = &[
    "ce:GetCostAndUsage",
    "ce:GetCostForecast",
    "cloudwatch:GetMetricData",
    "cloudwatch:GetMetricStatistics",
    "cloudwatch:ListMetrics",
    "ecs:ListServices",
    "ecs:ListTasks",
];

/// Actions that are checked on more than the alarms that a call names: one that AWS does not tell, and `*` for composite
/// alarms ("must be signed on with a permission that is scoped to `*`", API reference of Amazon CloudWatch).
const ON_MORE: &[&str] = &["cloudwatch:DescribeAlarms", "cloudwatch:PutCompositeAlarm"];

/// Parameters with which a call of these still only looks at any of the kind.
const LOOKING_AT_ANY: &[&str] = &["alarmNamePrefix", "maxRecords", "nextToken", "stateValue"];

/// Whether a call of an action may name something that does not tell what it is checked on.
pub(crate) fn may_be_on_more(action: &str) -> bool {
    ON_MORE.contains(&action)
}

/// Whether what a call of an action names does not tell what it is checked on.
pub(crate) fn is_on_more(action: &str, call: &Call<'_>) -> bool {
    let tells = |(name, _): (&[u8], Raw<'_>)| LOOKING_AT_ANY.iter().any(|known| known.as_bytes() == name);
    may_be_on_more(action) && !call.request.members().all(tells)
}

/// Actions whose one resource, without a name of its own, may be left out of the check: the reference has it as optional.
const OPTIONAL: &[&str] =
    &["account:CloseAccount", "dms:DescribeReplicationTaskAssessmentResults", "dms:ListInstanceProfiles"];

/// Whether a call of an action is always checked on its one resource without a name.
pub(crate) fn needs_the_one(action: &str) -> bool {
    !OPTIONAL.contains(&action)
}

/// Tells how calls of an action are checked that name no resource.
pub(crate) fn unnamed(facts: ActionFacts<'_>) -> Unnamed {
    let starts = |verbs: &[&str]| verbs.iter().any(|verb| facts.name().starts_with(verb));
    let any = ANY_OF_KIND.contains(&facts.service()) || ANY_OF_KIND_ACTIONS.contains(&facts.action().as_str());
    if ON_STAR.contains(&facts.action().as_str()) {
        return Unnamed::Star;
    }
    match facts.level() {
        AccessLevel::List if any => Unnamed::Any,
        AccessLevel::Read if any && starts(LOOKING) => Unnamed::Any,
        AccessLevel::Write | AccessLevel::Tagging | AccessLevel::PermissionsManagement if starts(MAKING) => {
            Unnamed::Made
        }
        _ => Unnamed::Unknown,
    }
}

/// The member that says what else a request may name, for requests of which the needed members alone are kept.
const NAMED: &str = "~named";

/// Writes [`NAMED`] of a request, unless it is empty: accounts that stand in it, and a mark for ARNs and for what was left
/// out of the record.
pub(crate) fn write_named(request: Raw<'_>, key: &mut Vec<u8>) {
    let accounts = named(request);
    if accounts.is_empty() {
        return;
    }
    key.extend_from_slice(b"\"~named\":[");
    for account in accounts {
        key.push(b'"');
        key.extend_from_slice(account);
        key.extend_from_slice(b"\",");
    }
    key.extend_from_slice(b"\"\"],");
}

/// Writes [`NAMED`] of a request that names something.
pub(crate) fn write_more(key: &mut Vec<u8>) {
    key.extend_from_slice(b"\"~named\":[\"more\"],");
}

/// What a request may name elsewhere: accounts, ARNs, what was left out. An endpoint's host names nothing.
fn named(request: Raw<'_>) -> BTreeSet<&[u8]> {
    let mut found = BTreeSet::new();
    for (name, value) in request.members().filter(|(name, _)| *name != b"Host") {
        let holds = |what: &[u8]| memchr::memmem::find(value.0, what).is_some();
        let digits = value.0.split(|byte| !byte.is_ascii_digit()).filter(|digits| digits.len() == 12);
        found.extend(digits.take(MOST_ACCOUNTS));
        if name == b"omitted" || holds(b"arn:") || holds(b"arn%3") {
            found.insert(&b"more"[..]);
        }
    }
    found
}

/// Whether a request names nothing elsewhere: nothing but the caller's own account.
pub(crate) fn names_nothing(call: &Call<'_>) -> bool {
    match call.request.get(NAMED) {
        Some(named) => named.items().filter_map(Raw::text).all(|text| text.is_empty() || text == call.account),
        None => named(call.request).iter().all(|found| *found == call.account.as_bytes()),
    }
}
