//! Observations by name against what the account holds: IAM's requests name roles, users and groups without their paths.
//!
//! Follows the IAM User Guide topic "IAM identifiers": a name is unique in its account, whatever the path, and a policy is
//! asked about the ARN with the path.

use std::collections::BTreeMap;

use crate::arn::{Arn, ResourcePattern};
use crate::snapshot::Snapshot;
use crate::usage::{Observation, UsageLog};

/// Writes the ARNs of roles, users and groups that were named without their paths as the snapshot has them. What the
/// snapshot does not hold stays as it is.
pub fn place_identities(usage: &mut UsageLog, snapshot: &Snapshot) {
    let known = with_paths(snapshot);
    if known.is_empty() {
        return;
    }
    for usage in usage.principals.values_mut() {
        let mut moved = false;
        for observation in &mut usage.observations {
            moved |= place(observation, &known);
        }
        if moved {
            let key = |o: &Observation| (o.action.clone(), o.resources.clone(), o.context.clone(), o.function.clone());
            usage.observations.sort_by_cached_key(key);
        }
    }
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
