//! What trails say they record, as far as the logs that were read bear it out.
//!
//! A trail may deliver to a bucket of which nothing was read, and of a bucket only some regions may have been copied. What
//! trails say is believed of a kind of data events only where one was read, of any kind where all trails deliver to one
//! place, and of a region in which a role's functions
//! run only where any record was.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::arn::AccountId;
use iam_model::catalog::{Catalog, Logging};
use iam_model::snapshot::{ResourceKind, Snapshot};
use iam_model::usage::{Coverage, UsageLog};

/// Notes what trails record by their own word alone.
///
/// Nothing is noted where no call was read at all.
///
/// ```
/// use iam_model::{catalog::Catalog, snapshot::Snapshot, usage::{Coverage, UsageLog}};
/// let (catalog, snapshot) = (Catalog::embedded().unwrap(), Snapshot::default());
/// let mut coverage = Coverage::default();
/// iam_usage::note_unread(&mut coverage, &snapshot, &UsageLog::default(), &catalog);
/// assert_eq!(coverage, Coverage::default());
/// ```
pub fn note_unread(coverage: &mut Coverage, snapshot: &Snapshot, usage: &UsageLog, catalog: &Catalog) {
    if usage.principals.is_empty() {
        return;
    }
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
    if usage.seen_in.is_empty() {
        return;
    }
    let functions = snapshot.accounts.values().flat_map(|account| &account.resources);
    for function in functions.filter(|resource| resource.kind == ResourceKind::LambdaFunction) {
        let Some(role) = &function.role else { continue };
        let (Some(account), region) = (role.account(), function.arn.region()) else { continue };
        let is_read = usage.seen_in.iter().any(|(seen, known)| *seen == account && known == region);
        let Some(trail) = coverage.accounts.get_mut(&account).filter(|_| !is_read && !region.is_empty()) else {
            continue;
        };
        let why = format!("its function {} runs in {region}, of which no record was read", function.arn.name());
        trail.unread_regions.entry(role.clone()).or_insert(why);
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
