//! What trails say they record, as far as the logs that were read bear it out.
//!
//! A trail may deliver to a bucket of which nothing was read, and of a bucket only some regions may have been copied. What
//! trails say is believed of a kind of data events only where one was read, of any kind where all trails deliver to one
//! place,
//! and of a region
//! in which a role's functions run, or which holds what they may use, only where enough of its records were.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::arn::AccountId;
use iam_model::catalog::{Catalog, Logging};
use iam_model::json::Value;
use iam_model::snapshot::{Account, Resource, ResourceKind, Snapshot};
use iam_model::usage::{AccountDays, Coverage, Regions, UsageLog, is_global};

/// Notes what trails record by their own word alone.
///
/// Nothing is noted where no call was read at all. A region of whose logs fewer than `min_days` were read counts as one of
/// which none were.
///
/// ```
/// use iam_model::{catalog::Catalog, snapshot::Snapshot, usage::{Coverage, UsageLog}};
/// let (catalog, snapshot) = (Catalog::embedded().unwrap(), Snapshot::default());
/// let mut coverage = Coverage::default();
/// iam_usage::note_unread(&mut coverage, &snapshot, (&UsageLog::default(), 30), &catalog);
/// assert_eq!(coverage, Coverage::default());
/// ```
pub fn note_unread(
    coverage: &mut Coverage,
    snapshot: &Snapshot,
    (usage, min_days): (&UsageLog, u64),
    catalog: &Catalog,
) {
    if usage.principals.is_empty() {
        return;
    }
    coverage.acted = Some(crate::actors::acted(snapshot));
    let seen = data_types(usage, catalog);
    let nothing = BTreeSet::new();
    for (account, trail) in &mut coverage.accounts {
        let seen = seen.get(account).unwrap_or(&nothing);
        let said = trail.data_types.iter().chain(&trail.partial_data_types);
        // A log of the one place holds data events of every kind, if it holds any.
        if trail.one_place && said.clone().any(|kind| seen.contains(kind.as_str())) {
            continue;
        }
        trail.silent_data_types = said.filter(|kind| !seen.contains(kind.as_str())).cloned().collect();
    }
    if let Some((first, last)) = usage.window {
        for role in snapshot.accounts.values().flat_map(|account| &account.roles) {
            if let Some(created) = role.life.created.filter(|created| *created > first) {
                coverage.role_days.insert(role.identity.arn.clone(), created.days_until(last));
            }
        }
    }
    for (account, described) in &snapshot.accounts {
        let days = usage.days_by_region(account);
        if !days.is_empty() && !usage.seen_in.is_empty() {
            let regions = regions(described, days, usage, account);
            note_short(coverage, described, account, (&regions, min_days));
            coverage.regions.insert(account.clone(), regions);
        }
    }
}

/// Notes the roles that something runs with where the logs show too little.
fn note_short(coverage: &mut Coverage, described: &Account, account: &AccountId, (regions, asked): (&Regions, u64)) {
    let Some(trail) = coverage.accounts.get_mut(account) else { return };
    for runs in &described.resources {
        let (Some(role), region) = (&runs.role, runs.arn.region()) else { continue };
        let Some(why) = regions.short(region, asked).filter(|_| !region.is_empty()) else { continue };
        let what = if runs.kind == ResourceKind::LambdaFunction { "its function " } else { "" };
        let why = format!("{what}{} runs in {region}: {why}", runs.arn.name());
        trail.unread_regions.entry(role.clone()).or_insert(why);
    }
}

/// What is known of an account's regions: where it has resources, and what the logs of each span.
fn regions(described: &Account, days: BTreeMap<String, AccountDays>, usage: &UsageLog, account: &AccountId) -> Regions {
    let mut regions = Regions { days, ..Regions::default() };
    let arns = described.resources.iter().filter(|resource| !is_everywhere(resource)).map(|resource| &resource.arn);
    for arn in arns.chain(described.resource_policies.keys()).filter(|arn| !arn.region().is_empty()) {
        let region = arn.region().to_owned();
        regions.holds.entry(arn.service().to_ascii_lowercase()).or_default().insert(region);
    }
    for bucket in described.resources.iter().filter(|resource| resource.kind == ResourceKind::S3Bucket) {
        let region =
            ["BucketRegion", "LocationConstraint", "Region"].iter().find_map(|key| bucket.api.get(key)?.as_str());
        if let Some(region) = region {
            regions.holds.entry("s3".into()).or_default().insert(region.to_owned());
            regions.buckets.insert(bucket.arn.name().to_owned(), region.to_owned());
        }
    }
    let own = usage.principals.iter().filter(|(role, _)| role.account().as_ref() == Some(account));
    let mut calls = own.flat_map(|(_, used)| &used.observations);
    regions.holds_global = calls.any(|call| is_global(call.action.service()));
    regions
}

/// Whether AWS gives every region one of these, so that it tells nothing of where an account works.
fn is_everywhere(resource: &Resource) -> bool {
    let of_aws = || resource.api.get("KeyManager").and_then(Value::as_str) == Some("AWS");
    match resource.kind {
        ResourceKind::EventsEventBus => resource.arn.resource() == "event-bus/default",
        ResourceKind::KmsKey => of_aws(),
        _ => false,
    }
}

/// Kinds of data events that were read of the roles of each account.
fn data_types<'c>(usage: &UsageLog, catalog: &'c Catalog) -> BTreeMap<AccountId, BTreeSet<&'c str>> {
    let mut types: BTreeMap<AccountId, BTreeSet<&str>> = BTreeMap::new();
    for (role, used) in &usage.principals {
        let Some(account) = role.account() else { continue };
        let own = types.entry(account).or_default();
        let actions: BTreeSet<_> = used.observations.iter().map(|seen| &seen.action).collect();
        for facts in actions.into_iter().filter_map(|action| catalog.action(action)) {
            if let Logging::Data(kinds) = facts.logging() {
                own.extend(kinds);
            }
        }
    }
    types
}
