//! Whom a change reaches: an edit of a managed policy is an edit for everyone who has it, and for everyone it bounds.
//!
//! Spells such a change out, one change for each place where the policy stands; decides nothing about them. A policy that
//! is taken off one principal stays with the others, and AWS's own policies cannot be edited: a change of one is about the
//! principal it names.

use std::collections::BTreeMap;

use iam_model::arn::Arn;
use iam_model::change::{Attachment, AttachmentKind, Change};
use iam_model::policy::PolicyDocument;
use iam_model::snapshot::{PolicyOrigin, SnapshotIndex};

use crate::before_after::{held, name};

/// The same changes, spelt out for every principal they reach; those that reach one place stay as they are.
///
/// What is spelt out already is not spelt out again.
#[must_use]
pub fn everywhere(changes: &[&Change], index: &SnapshotIndex<'_>) -> Vec<Change> {
    let edits: Vec<(Option<Arn>, &Change)> = changes.iter().map(|change| (edited(change, index), *change)).collect();
    let mut all: Vec<Change> = Vec::new();
    for (policy, change) in &edits {
        let places = policy.as_ref().map(|policy| places(policy, change, index)).unwrap_or_default();
        // An edit that names nobody is wholly said by its places.
        if change.attachment.principal_arn.is_some() || places.is_empty() {
            all.push(as_held(change, index));
        }
        let said = |place: &Change| {
            let is_it = |(edited, other): &(Option<Arn>, &Change)| {
                edited == policy
                    && other.attachment.kind == place.attachment.kind
                    && other.attachment.principal_arn == place.attachment.principal_arn
            };
            edits.iter().any(is_it) || all.contains(place)
        };
        let new: Vec<Change> = places.into_iter().filter(|place| !said(place)).collect();
        all.extend(new);
    }
    all
}

/// The change with the text that the snapshot holds as what it replaces, whatever it says itself.
fn as_held(change: &Change, index: &SnapshotIndex<'_>) -> Change {
    let principal = change.attachment.principal_arn.as_ref();
    let held = principal.and_then(|principal| held(principal, change, index));
    let before = held.map(|held| held.document.clone()).or_else(|| change.before.clone());
    Change { before, ..change.clone() }
}

/// Why some changes cannot be made together: two of them say different things about one policy.
#[must_use]
pub fn contradiction(changes: &[&Change], index: &SnapshotIndex<'_>) -> Option<String> {
    let mut after: BTreeMap<Arn, &Change> = BTreeMap::new();
    for change in changes {
        let Some(policy) = edited(change, index) else { continue };
        let other = after.entry(policy).or_insert(change);
        let same = match (&other.after, &change.after) {
            (Some(one), Some(two)) => one.same_text(two),
            (one, two) => one.is_none() == two.is_none(),
        };
        if !same {
            return Some(format!(
                "the changes of {} and of {} are about one managed policy and leave different texts",
                name(other),
                name(change)
            ));
        }
    }
    None
}

/// The managed policy whose text a change edits; nothing where it is about one place alone.
pub(crate) fn edited(change: &Change, index: &SnapshotIndex<'_>) -> Option<Arn> {
    let Attachment { kind, principal_arn, policy_name, .. } = &change.attachment;
    let written = || policy_name.as_ref().and_then(|name| name.parse::<Arn>().ok());
    let policy = match (kind, principal_arn) {
        (AttachmentKind::Identity, None) => written()?,
        // Whoever is named loses the policy; the others keep it.
        (AttachmentKind::Identity | AttachmentKind::Boundary, Some(_)) if change.after.is_none() => return None,
        (AttachmentKind::Identity, Some(principal)) => match held(principal, change, index).map(|held| held.origin) {
            Some(PolicyOrigin::Managed(arn)) => arn.clone(),
            Some(_) => return None,
            // Attached anew: an edit where the policy is there and says something else.
            None => {
                let policy = written()?;
                let held = document(&policy, index)?;
                if change.after.as_ref().is_some_and(|after| held.same_text(after)) {
                    return None;
                }
                policy
            }
        },
        (AttachmentKind::Boundary, Some(principal)) => {
            let boundary = index.identity(principal)?.boundary.as_ref()?;
            let is_it = |name: &String| name == boundary.as_str() || name == boundary.name();
            if !policy_name.as_ref().is_none_or(is_it) {
                return None;
            }
            boundary.clone()
        }
        _ => return None,
    };
    (!policy.is_owned_by_aws()).then_some(policy)
}

fn document<'a>(policy: &Arn, index: &SnapshotIndex<'a>) -> Option<&'a PolicyDocument> {
    let mut accounts = index.snapshot().accounts.values();
    accounts.find_map(|account| account.managed_policies.get(policy)).map(|policy| &policy.document)
}

/// The change at every place where the policy stands.
fn places(policy: &Arn, change: &Change, index: &SnapshotIndex<'_>) -> Vec<Change> {
    let before = document(policy, index).cloned().or_else(|| change.before.clone());
    let at = |kind: AttachmentKind, principal: &Arn, after: Option<PolicyDocument>| {
        let attachment = Attachment { kind, ..Attachment::identity(principal.clone(), policy.to_string()) };
        Change { attachment, before: before.clone(), after, reasons: change.reasons.clone() }
    };
    let mut places = Vec::new();
    for account in index.snapshot().accounts.values() {
        let users = account.users.iter().map(|user| &user.identity);
        let groups = account.groups.iter().map(|group| &group.identity);
        for identity in users.chain(groups).chain(account.roles.iter().map(|role| &role.identity)) {
            if identity.attached_policies.contains(policy) {
                places.push(at(AttachmentKind::Identity, &identity.arn, change.after.clone()));
            }
            if identity.boundary.as_ref() == Some(policy) {
                // Within a boundary that is gone nothing is allowed; it does not lift the limit.
                let after = Some(change.after.clone().unwrap_or_default());
                places.push(at(AttachmentKind::Boundary, &identity.arn, after));
            }
        }
    }
    places
}
