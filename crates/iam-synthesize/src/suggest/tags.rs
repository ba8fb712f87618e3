//! The tag that all resources behind a statement share: a condition on it lets in their like and nothing else.
//!
//! Only where the snapshot holds the tags of every resource that was touched, and where AWS's reference names
//! `aws:ResourceTag` for each of them; S3 asks for the tags of buckets only where a bucket is set up for it, which the
//! snapshot does not say. Tags may change, and whoever may set them opens what they guard: a person has to want that.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::action::Action;
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::catalog::Catalog;
use iam_model::condition::{Comparison, Condition, ConditionKey};
use iam_model::snapshot::SnapshotIndex;
use iam_model::usage::Observation;

use super::{condition, told};

const KEY: &str = "aws:ResourceTag/";
/// Services whose resources carry tags that are not asked for unless somebody turned that on.
const TO_BE_TURNED_ON: [&str; 1] = ["s3"];
/// Tags that AWS sets itself say how a resource was made, not what it is for.
const OF_AWS: &str = "aws:";
/// Fewer resources are said shorter by their names.
const FEWEST: usize = 2;

type Tags = BTreeMap<String, String>;

/// The condition on the tag that is shared by all that the calls were on, and by the fewest others.
pub(super) fn shared(
    calls: &[&Observation],
    role: &Arn,
    (index, catalog): (&SnapshotIndex<'_>, &Catalog),
) -> Option<(Condition, String)> {
    let mut touched: BTreeMap<Arn, &Tags> = BTreeMap::new();
    for call in calls {
        for resource in &call.resources {
            let owner =
                owner(resource).filter(|_| call.resource_known && asks_for_tags(&call.action, resource, catalog))?;
            let tags = index.tags_of(&owner)?;
            touched.insert(owner, tags);
        }
    }
    if touched.len() < FEWEST {
        return None;
    }
    let (_, first) = touched.first_key_value()?;
    let has = |tags: &Tags, (key, value): (&String, &String)| tags.get(key) == Some(value);
    let is_shared = |tag: &(&String, &String)| {
        !tag.0.starts_with(OF_AWS) && !tag.1.is_empty() && touched.values().all(|tags| has(tags, *tag))
    };
    let services: BTreeSet<&str> = touched.keys().map(Arn::service).collect();
    let accounts = index.snapshot().accounts.values().flat_map(|account| &account.tags);
    let others: Vec<&Tags> = accounts
        .filter(|(arn, _)| services.contains(arn.service()) && !touched.contains_key(*arn))
        .map(|(_, tags)| tags)
        .collect();
    let alike = |tag: (&String, &String)| others.iter().filter(|tags| has(tags, tag)).count();
    let tag = first.iter().filter(is_shared).min_by_key(|tag| alike(*tag))?;
    let (key, value) = tag;
    let own = index.role(role).is_some_and(|role| has(&role.identity.tags, tag));
    let own = if own {
        format!(", as the role itself is (`${{aws:PrincipalTag/{key}}}` says the same)")
    } else {
        String::new()
    };
    let others = match alike(tag) {
        0 => String::new(),
        1 => "; it would let in 1 other".into(),
        some => format!("; it would let in {some} others"),
    };
    let what = format!("on {} resources tagged {key}={value}{own}{others}", touched.len());
    let key = ConditionKey::new(&format!("{KEY}{key}"));
    Some((condition(Comparison::StringEquals, key, vec![value.clone()]), told(calls, &what)))
}

/// Whether AWS's reference names the key for what an action is asked for on.
fn asks_for_tags(action: &Action, resource: &ResourcePattern, catalog: &Catalog) -> bool {
    if TO_BE_TURNED_ON.contains(&action.service()) {
        return false;
    }
    let Some(facts) = catalog.action(action) else { return false };
    let mut kinds = facts
        .resource_types()
        .filter(|kind| kind.arn_patterns().any(|form| form.matches(resource.as_str())))
        .peekable();
    kinds.peek().is_some() && kinds.all(|kind| kind.condition_keys().any(|key| key.starts_with(KEY)))
}

/// What carries the tags of a resource: the table of an index, the function of a version.
fn owner(resource: &ResourcePattern) -> Option<Arn> {
    let text = resource.as_str();
    if text.contains(['*', '?', '$']) {
        return None;
    }
    let arn: Arn = text.parse().ok()?;
    let own = match (arn.service(), arn.resource()) {
        ("dynamodb", within) => within.split_once("/index/").map(|(table, _)| table),
        ("lambda", within) => within
            .strip_prefix("function:")
            .and_then(|rest| rest.split_once(':'))
            .map(|(name, _)| within.get(.."function:".len() + name.len()).unwrap_or(within)),
        _ => None,
    };
    match own {
        Some(own) => format!("{}{own}", text.strip_suffix(arn.resource())?).parse().ok(),
        None => Some(arn),
    }
}
