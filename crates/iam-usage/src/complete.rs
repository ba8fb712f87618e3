//! Completes what a call names to all that it is checked on: any of the kinds it does not name, the catalogue of a table,
//! everything within a log group. Which actions ask for that is told by [`crate::together`].

use std::collections::BTreeSet;

use crate::certain;
use crate::identified::{any_of_pattern, closest};
use crate::plan::Pair;
use crate::template::Call;
use crate::together::{CATALOG, Together};

/// Adds what a call is checked on beside `found`; `false` where that cannot be told.
pub(crate) fn complete(pair: &Pair<'_>, call: &Call<'_>, found: &mut BTreeSet<String>) -> bool {
    match &pair.together {
        Together::No => {}
        Together::Each(groups) => groups.iter().for_each(|group| add_any(pair, call, group, found)),
        Together::Catalog => return add_catalog(call, found),
        Together::LogGroup => *found = std::mem::take(found).into_iter().map(within_group).collect(),
        Together::Bus => choose_bus(found),
        Together::Qualified => *found = certain::qualified(call, std::mem::take(found)),
        Together::DefaultBus => found.extend(certain::default_bus(call)),
        Together::Parameter => *found = std::mem::take(found).into_iter().map(certain::without_selector).collect(),
        Together::Scope => *found = found.iter().map(|arn| certain::with_scope(arn)).collect(),
        Together::Model => return !found.iter().any(|arn| is_profile(arn)),
    }
    true
}

/// Any of the kinds of a group of which nothing was found.
fn add_any(pair: &Pair<'_>, call: &Call<'_>, group: &[&str], found: &mut BTreeSet<String>) {
    let of_group = pair.patterns.iter().filter(|pattern| group.contains(&pattern.kind));
    if !found.iter().any(|arn| closest(pair, arn).is_some_and(|pattern| group.contains(&pattern.kind))) {
        found.extend(of_group.filter_map(|pattern| any_of_pattern(pattern, call)));
    }
}

/// The catalogue of a database, and the database of a table. Of another account's catalogue nothing is made up.
fn add_catalog(call: &Call<'_>, found: &mut BTreeSet<String>) -> bool {
    let named = call.request.get(CATALOG).and_then(crate::json::Raw::text);
    if named.is_some_and(|id| id != call.account) {
        return false;
    }
    let root = format!("arn:{}:glue:{}:{}:", call.partition, call.region, call.account);
    let in_database = ["table/", "tableVersion/", "userDefinedFunction/"];
    let database = |arn: &String| {
        let tail = arn.strip_prefix(&root)?;
        let rest = in_database.iter().find_map(|kind| tail.strip_prefix(kind))?;
        rest.split('/').next().map(|name| format!("{root}database/{name}"))
    };
    let databases: Vec<String> = found.iter().filter_map(database).collect();
    found.extend(databases);
    found.insert(format!("{root}catalog"));
    true
}

/// `…:log-group:NAME` as policies have to name it: `…:log-group:NAME:*`.
fn within_group(arn: String) -> String {
    let name = arn.splitn(7, ':').nth(6);
    let whole = arn.contains(":log-group:") && name.is_some_and(|name| !name.contains(':') && name != "*");
    if whole { format!("{arn}:*") } else { arn }
}

/// A rule stands on the bus that the call names, else on the default one.
fn choose_bus(found: &mut BTreeSet<String>) {
    let bus = |arn: &str| Some(arn.split_once(":rule/")?.1.split_once('/')?.0.to_owned());
    let buses: BTreeSet<String> = found.iter().filter_map(|arn| bus(arn)).collect();
    let own = buses.iter().any(|bus| bus != "default");
    found.retain(|arn| match bus(arn) {
        Some(bus) => bus != "default",
        None => !own || !arn.contains(":rule/"),
    });
}

/// Places that profiles of several regions are named after.
const GEOGRAPHIES: &[&str] = &["us", "us-gov", "eu", "apac", "jp", "au", "ca", "sa", "me", "af", "global"];

/// Whether a model's ARN stands for an inference profile, whose models are checked too.
fn is_profile(arn: &str) -> bool {
    let name = arn.rsplit('/').next().unwrap_or_default();
    let first = name.split('.').next().unwrap_or_default();
    arn.contains("inference-profile/") || GEOGRAPHIES.contains(&first)
}
