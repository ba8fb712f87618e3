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
/// session's issuer lacks the role's path.
fn place_callers(usage: &mut UsageLog, snapshot: &Snapshot) {
    let roles = snapshot.accounts.values().flat_map(|account| &account.roles).map(|role| &role.identity.arn);
    let by_name: BTreeMap<(AccountId, String), &Arn> =
        roles.filter_map(|arn| Some(((arn.account()?, arn.name().to_ascii_lowercase()), arn))).collect();
    let held = |arn: &Arn| -> Option<Arn> {
        let place = by_name.get(&(arn.account()?, arn.name().to_ascii_lowercase()))?;
        (*place != arn && arn.resource().starts_with("role/")).then(|| (*place).clone())
    };
    let moved: Vec<(Arn, Arn)> =
        usage.principals.keys().filter_map(|caller| Some((caller.clone(), held(caller)?))).collect();
    for (caller, place) in moved {
        let UsageLog { principals, merging, .. } = usage;
        let Some(mut calls) = principals.remove(&caller).map(|mut own| take(&mut own, merging, &caller)) else {
            continue;
        };
        let own = principals.entry(place.clone()).or_default();
        calls.extend(take(own, merging, &place));
        put(calls, own, merging, &place);
        if usage.merging.functions_folded.remove(&caller) {
            usage.merging.functions_folded.insert(place);
        }
    }
    for event in &mut usage.unresolved {
        event.principals =
            event.principals.iter().map(|caller| held(caller).unwrap_or_else(|| caller.clone())).collect();
    }
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
mod tests {

    #[test]
    fn calls_of_a_session_without_an_issuer_are_those_of_the_role_of_that_name() {
        let role = |arn: &str| {
            format!(
                r#"{{"RoleName": "{}", "Path": "/", "RoleId": "AROA", "Arn": "{arn}",
                "AssumeRolePolicyDocument": {{"Version": "2012-10-17", "Statement": []}}}}"#,
                arn.rsplit('/').next().unwrap()
            )
        };
        let (placed, plain) = ("arn:aws:iam::111122223333:role/app/svc/worker", "arn:aws:iam::111122223333:role/plain");
        let text = format!(
            r#"{{"schema": "paring-snapshot/1", "organization": null, "accounts": {{"111122223333": {{"authorization_details": {{
            "UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": [{}, {}]}}}}}}}}"#,
            role(placed),
            role(plain)
        );
        let named = |text| crate::text::SourceText { name: crate::text::SourceName::new("x.json"), text };
        let snapshot = crate::snapshot::read(named(text)).unwrap().0;
        let calls = |action: &str, day: u32| {
            format!(
                r#"{{"action": "{action}", "resources": ["*"], "count": 2, "first": "2026-09-0{day}T00:00:00Z",
                "last": "2026-09-0{day}T00:00:00Z", "denied": 1, "sample_event_ids": ["{day}"]}}"#
            )
        };
        let (root, gone) = ("arn:aws:iam::111122223333:role/Worker", "arn:aws:iam::111122223333:role/gone");
        let text = format!(
            r#"{{"schema": "paring-usage/1", "principals": {{"{root}": {{"observations": [{}, {}]}},
            "{placed}": {{"observations": [{}]}}, "{gone}": {{"observations": [{}]}},
            "arn:aws:iam::444455556666:role/worker": {{"observations": [{}]}}}}, "coverage": {{}}, "skipped": {{}},
            "unresolved": [{{"event_source": "x.amazonaws.com", "event_name": "Y", "count": 1, "principals": ["{root}"]}}]}}"#,
            calls("sqs:SendMessage", 1),
            calls("dynamodb:PutItem", 2),
            calls("dynamodb:PutItem", 4),
            calls("sqs:SendMessage", 5),
            calls("sqs:SendMessage", 6)
        );
        let mut log = crate::usage::read(&named(text)).unwrap();
        super::place_identities(&mut log, &snapshot);
        let callers: Vec<&str> = log.principals.keys().map(crate::arn::Arn::as_str).collect();
        assert_eq!(callers, [placed, gone, "arn:aws:iam::444455556666:role/worker"]);
        let seen = &log.principals[&placed.parse().unwrap()];
        let told: Vec<String> = (seen.observations.iter())
            .map(|o| {
                format!(
                    "{} {} {} {} {} {:?}",
                    o.action,
                    o.count,
                    o.denied,
                    o.first.date(),
                    o.last.date(),
                    o.sample_event_ids
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                r#"dynamodb:PutItem 4 2 2026-09-02 2026-09-04 ["2", "4"]"#,
                r#"sqs:SendMessage 2 1 2026-09-01 2026-09-01 ["1"]"#
            ]
        );
        assert_eq!(log.unresolved[0].principals.iter().next().unwrap().as_str(), placed);
    }

    #[test]
    fn a_role_that_is_asked_for_by_name_is_the_one_at_its_path() {
        let role = |path: &str, name: &str| {
            format!(
                r#"{{"RoleName": "{name}", "Path": "/{path}", "RoleId": "AROA{name}", "Arn": "arn:aws:iam::111122223333:role/{path}{name}",
                "AssumeRolePolicyDocument": {{"Version": "2012-10-17", "Statement": []}}}}"#
            )
        };
        let text = format!(
            r#"{{"schema": "paring-snapshot/1", "organization": null, "accounts": {{"111122223333": {{"authorization_details": {{
            "UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": [{}, {}]}}}}}}}}"#,
            role("team/", "x"),
            role("", "y")
        );
        let source = crate::text::SourceText { name: crate::text::SourceName::new("s.json"), text };
        let snapshot = crate::snapshot::read(source).unwrap().0;
        let seen = |resource: &str| {
            let text = format!(
                r#"{{"schema": "paring-usage/1", "principals": {{"arn:aws:iam::111122223333:role/r": {{"observations": [{{"action": "iam:GetRole",
                "resources": ["{resource}"], "count": 1, "first": "2026-09-01T00:00:00Z", "last": "2026-09-01T00:00:00Z", "denied": 0}}]}}}},
                "coverage": {{}}, "unresolved": [], "skipped": {{}}}}"#
            );
            let source = crate::text::SourceText { name: crate::text::SourceName::new("u.json"), text };
            let mut log = crate::usage::read(&source).unwrap();
            super::place_identities(&mut log, &snapshot);
            log.principals.values().flat_map(|u| &u.observations).flat_map(|o| &o.resources).next().unwrap().to_string()
        };
        for (asked, found) in [
            ("arn:aws:iam::111122223333:role/x", "arn:aws:iam::111122223333:role/team/x"),
            ("arn:aws:iam::111122223333:role/y", "arn:aws:iam::111122223333:role/y"),
            ("arn:aws:iam::111122223333:user/x", "arn:aws:iam::111122223333:user/x"),
            ("arn:aws:iam::444455556666:role/x", "arn:aws:iam::444455556666:role/x"),
            ("arn:aws:iam::111122223333:role/*", "arn:aws:iam::111122223333:role/*"),
        ] {
            assert_eq!(seen(asked), found);
        }
    }
}
