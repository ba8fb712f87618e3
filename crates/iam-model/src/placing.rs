//! Observations by name against what the account holds: IAM's requests name roles, users and groups without their paths,
//! and so do sessions the roles that made the calls.
//!
//! Follows the IAM User Guide topic "IAM identifiers": a name is unique in its account, whatever the path, and a policy is
//! asked about the ARN with the path.

use std::collections::BTreeMap;

use crate::arn::{AccountId, Arn, ResourcePattern};
use crate::snapshot::Snapshot;
use crate::usage::{Folded, Merging, Observation, PrincipalUsage, UsageLog};

/// Writes the ARNs of roles, users and groups that were named without their paths as the snapshot has them, those of the
/// callers among them. What the snapshot does not hold stays as it is.
pub fn place_identities(usage: &mut UsageLog, snapshot: &Snapshot) {
    place_callers(usage, snapshot);
    let known = with_paths(snapshot);
    if known.is_empty() {
        return;
    }
    let UsageLog { principals, merging, .. } = usage;
    for (role, usage) in principals {
        let mut moved = false;
        for observation in &mut usage.observations {
            moved |= place(observation, &known);
        }
        if moved {
            let calls = take(usage, merging, role);
            put(calls, usage, merging, role);
        }
    }
}

/// Gives the calls of a role that the snapshot does not hold to the one of the same account and name: a record without the
/// session's issuer lacks the role's path. In another account's log a role may be known by its id alone.
fn place_callers(usage: &mut UsageLog, snapshot: &Snapshot) {
    let held = Held::of(snapshot);
    let moved: Vec<(Arn, Vec<Arn>)> =
        usage.principals.keys().filter_map(|caller| Some((caller.clone(), held.places(caller)?))).collect();
    for (caller, places) in moved {
        let UsageLog { principals, merging, .. } = usage;
        let Some(calls) = principals.remove(&caller).map(|mut own| take(&mut own, merging, &caller)) else {
            continue;
        };
        let folded = merging.functions_folded.remove(&caller);
        for place in places {
            let own = principals.entry(place.clone()).or_default();
            let mut calls = calls.clone();
            calls.extend(take(own, merging, &place));
            put(calls, own, merging, &place);
            if folded {
                merging.functions_folded.insert(place);
            }
        }
    }
    for event in &mut usage.unresolved {
        let places = |caller: &Arn| held.places(caller).unwrap_or_else(|| vec![caller.clone()]);
        event.principals = event.principals.iter().flat_map(places).collect();
    }
}

/// The roles of a snapshot, as records may know them.
struct Held<'s> {
    by_name: BTreeMap<(AccountId, String), &'s Arn>,
    by_id: BTreeMap<(AccountId, &'s str), &'s Arn>,
    /// Roles whose id the snapshot does not tell.
    without_id: BTreeMap<AccountId, Vec<&'s Arn>>,
}

impl<'s> Held<'s> {
    fn of(snapshot: &'s Snapshot) -> Self {
        let mut held = Self { by_name: BTreeMap::new(), by_id: BTreeMap::new(), without_id: BTreeMap::new() };
        for role in snapshot.accounts.values().flat_map(|account| &account.roles) {
            let arn = &role.identity.arn;
            let Some(account) = arn.account() else { continue };
            held.by_name.insert((account.clone(), arn.name().to_ascii_lowercase()), arn);
            match role.identity.unique_id.as_deref() {
                Some(id) => drop(held.by_id.insert((account, id), arn)),
                None => held.without_id.entry(account).or_default().push(arn),
            }
        }
        held
    }

    /// Whose the calls of a caller are that the snapshot does not hold as it is: of an id that it does not hold, those of every
    /// role whose id it does not tell.
    fn places(&self, caller: &Arn) -> Option<Vec<Arn>> {
        let account = caller.account().filter(|_| caller.resource().starts_with("role/"))?;
        if let Some(place) = self.by_name.get(&(account.clone(), caller.name().to_ascii_lowercase())) {
            return (*place != caller).then(|| vec![(*place).clone()]);
        }
        if let Some(place) = self.by_id.get(&(account.clone(), caller.name())) {
            return Some(vec![(*place).clone()]);
        }
        let all = self.without_id.get(&account).filter(|_| is_role_id(caller.name()))?;
        Some(all.iter().map(|place| (*place).clone()).collect())
    }
}

/// Whether a text has the form of a role's unique id.
///
/// ```
/// use iam_model::placing::is_role_id;
/// assert!(is_role_id("AROA0123456789ABCDEFG") && !is_role_id("AIDA0123456789ABCDEFG") && !is_role_id("orders"));
/// ```
#[must_use]
pub fn is_role_id(text: &str) -> bool {
    let rest = text.strip_prefix("AROA").unwrap_or_default();
    (1..=124).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// A role's observations, each with how far it was folded, which is told by their places.
fn take(usage: &mut PrincipalUsage, merging: &mut Merging, role: &Arn) -> Vec<(Observation, Option<Folded>)> {
    let folded = merging.folded.remove(role).unwrap_or_default();
    let calls = std::mem::take(&mut usage.observations).into_iter().enumerate();
    calls.map(|(at, seen)| (seen, folded.get(&at).copied())).collect()
}

/// Puts observations back in order, and those that differ in counts alone together.
fn put(mut calls: Vec<(Observation, Option<Folded>)>, usage: &mut PrincipalUsage, merging: &mut Merging, role: &Arn) {
    const SAMPLES: usize = 3;
    calls.sort_by_cached_key(|(seen, _)| key(seen));
    calls.dedup_by(|(next, more), (first, folded)| {
        let same = key(next) == key(first);
        if same {
            first.count += next.count;
            first.denied += next.denied;
            first.first = first.first.min(next.first);
            first.last = first.last.max(next.last);
            first.sample_event_ids.append(&mut next.sample_event_ids);
            first.sample_event_ids.sort();
            first.sample_event_ids.truncate(SAMPLES);
            *folded = match (*folded, *more) {
                (Some(a), Some(b)) => Some(Folded {
                    depth: a.depth.into_iter().chain(b.depth).min(),
                    services: a.services || b.services,
                    contexts: a.contexts || b.contexts,
                }),
                (a, b) => a.or(b),
            };
        }
        same
    });
    let folded: BTreeMap<usize, Folded> =
        calls.iter().enumerate().filter_map(|(at, (_, folded))| Some((at, (*folded)?))).collect();
    if !folded.is_empty() {
        merging.folded.insert(role.clone(), folded);
    }
    usage.observations = calls.into_iter().map(|(seen, _)| seen).collect();
}

/// What tells a role's observations apart, in their order.
fn key(seen: &Observation) -> impl Ord + use<> {
    (seen.action.clone(), seen.resources.clone(), seen.context.clone(), seen.function.clone(), seen.resource_known)
}

/// Whether a resource was named without its path.
fn place(observation: &mut Observation, known: &BTreeMap<Key<'_>, &Arn>) -> bool {
    let mut moved = false;
    for resource in &mut observation.resources {
        if let Some(place) = named(resource.as_str()).and_then(|key| known.get(&key)) {
            *resource = ResourcePattern::new(place.as_str());
            moved = true;
        }
    }
    if moved {
        observation.resources.sort();
        observation.resources.dedup();
    }
    moved
}

/// Account, kind and name.
type Key<'a> = (&'a str, &'a str, &'a str);

/// The identities that are not at the root of their account.
fn with_paths(snapshot: &Snapshot) -> BTreeMap<Key<'_>, &Arn> {
    let mut known = BTreeMap::new();
    for account in snapshot.accounts.values() {
        let roles = account.roles.iter().map(|role| &role.identity.arn);
        let users = account.users.iter().map(|user| &user.identity.arn);
        let groups = account.groups.iter().map(|group| &group.identity.arn);
        for arn in roles.chain(users).chain(groups) {
            let Some((id, kind, rest)) = parts(arn.as_str()) else { continue };
            if let Some((_, name)) = rest.rsplit_once('/') {
                known.insert((id, kind, name), arn);
            }
        }
    }
    known
}

/// A resource that is named without a path.
fn named(resource: &str) -> Option<Key<'_>> {
    parts(resource).filter(|(_, _, name)| !name.contains(['/', '*', '?', '$']))
}

/// Account, kind and what follows it.
fn parts(arn: &str) -> Option<Key<'_>> {
    let mut parts = arn.splitn(6, ':');
    let iam = parts.nth(2) == Some("iam");
    let (account, tail) = (parts.nth(1)?, parts.next()?);
    let (kind, rest) = tail.split_once('/')?;
    (iam && ["role", "user", "group"].contains(&kind)).then_some((account, kind, rest))
}

#[cfg(test)]
mod tests;
