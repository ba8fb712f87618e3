//! A principal's policies before and after some changes; says nothing about them.

use iam_evaluate::{ChangeError, Evaluator};
use iam_model::arn::{AccountId, Arn};
use iam_model::change::{Attachment, AttachmentKind, Change, GuardTarget};
use iam_model::policy::PolicyDocument;
use iam_model::snapshot::{AttachedPolicy, PolicyOrigin, SnapshotIndex};

/// One attached policy, and what stands in its place after the changes: nothing where it is removed.
#[derive(Debug, Clone, Copy)]
pub struct Replaced<'a> {
    /// The policy as it is attached now.
    pub policy: AttachedPolicy<'a>,
    /// The document after the changes.
    pub after: Option<&'a PolicyDocument>,
    /// Whether a change speaks of it.
    pub changed: bool,
}

/// The attached policies of a principal, each with its document after the changes.
#[must_use]
pub fn replaced<'a>(principal: &Arn, changes: &[&'a Change], index: &SnapshotIndex<'a>) -> Vec<Replaced<'a>> {
    let whole = |policy: AttachedPolicy<'a>| Replaced { policy, after: Some(policy.document), changed: false };
    let mut policies: Vec<Replaced<'a>> = index.identity_policies(principal).into_iter().map(whole).collect();
    for change in changes {
        let at = position(principal, change, &policies);
        if let Some(replaced) = at.and_then(|at| policies.get_mut(at)) {
            replaced.after = change.after.as_ref();
            replaced.changed = true;
        }
    }
    policies
}

/// All identity policies of the principal, before and after: a deny in one policy counts for all of them.
#[must_use]
pub fn documents<'a>(
    principal: &Arn,
    changes: &[&'a Change],
    index: &SnapshotIndex<'a>,
) -> (Vec<&'a PolicyDocument>, Vec<&'a PolicyDocument>) {
    let policies = replaced(principal, changes, index);
    let before = policies.iter().map(|replaced| replaced.policy.document).collect();
    let mut after: Vec<&PolicyDocument> = policies.iter().filter_map(|replaced| replaced.after).collect();
    let new = changes.iter().filter(|change| {
        change.before.is_none()
            && concerns(principal, change, index)
            && position(principal, change, &policies).is_none()
    });
    after.extend(new.filter_map(|change| change.after.as_ref()));
    (before, after)
}

/// Whether a change is about an identity policy of the principal's own, or of a group it is in.
fn concerns(principal: &Arn, change: &Change, index: &SnapshotIndex<'_>) -> bool {
    let named = change.attachment.principal_arn.as_ref();
    change.attachment.kind == AttachmentKind::Identity
        && (named == Some(principal) || named.is_some_and(|named| members(named, index).contains(&principal)))
}

/// The users in a group, as the snapshot shows them; nobody for whatever is no group.
#[must_use]
pub fn members<'a>(group: &Arn, index: &SnapshotIndex<'a>) -> Vec<&'a Arn> {
    let mut members = Vec::new();
    for account in index.snapshot().accounts.values() {
        let Some(group) = account.groups.iter().find(|held| held.identity.arn == *group) else { continue };
        let users = account.users.iter().filter(|user| user.groups.contains(&group.identity.name));
        members.extend(users.map(|user| &user.identity.arn));
    }
    members
}

/// A change of an identity policy that should be there, and that none of the principal's policies is.
pub(crate) fn misses(principal: &Arn, changes: &[&Change], index: &SnapshotIndex<'_>) -> Option<String> {
    let policies = replaced(principal, changes, index);
    let missed = changes.iter().find(|change| {
        change.before.is_some()
            && concerns(principal, change, index)
            && position(principal, change, &policies).is_none()
    });
    missed.map(|change| format!("the snapshot does not hold the policy that the change of {} replaces", name(change)))
}

/// The policy that stands where a change of a single one says, where the snapshot holds it.
fn standing<'a>(change: &Change, index: &SnapshotIndex<'a>) -> Option<&'a PolicyDocument> {
    let Attachment { kind, principal_arn, resource_arn, .. } = &change.attachment;
    let place = resource_arn.as_ref().or(principal_arn.as_ref());
    match kind {
        AttachmentKind::Boundary => index.boundary(principal_arn.as_ref()?),
        AttachmentKind::Trust => index.role(place?).map(|role| &role.trust),
        AttachmentKind::Resource => index.resource_policy(place?),
        AttachmentKind::VpcEndpoint => index.vpc_endpoint(place?)?.policy.as_ref(),
        AttachmentKind::Identity | AttachmentKind::ServiceControl | AttachmentKind::ResourceControl => None,
    }
}

/// Why nothing but a change's own documents can be compared: the snapshot has no place for it, or does not hold the
/// policy that it replaces.
pub(crate) fn unheld(change: &Change, index: &SnapshotIndex<'_>, before: &Evaluator<'_>) -> Option<String> {
    if let Err(error) = before.with_change(change) {
        return Some(cannot_apply(change, &error));
    }
    let single = !matches!(
        change.attachment.kind,
        AttachmentKind::Identity | AttachmentKind::ServiceControl | AttachmentKind::ResourceControl
    );
    let missing = single && change.before.is_some() && standing(change, index).is_none();
    missing.then(|| format!("the snapshot does not hold {}", name(change)))
}

/// Why a change is about another policy than stands there now, where the snapshot holds one.
pub(crate) fn stale(change: &Change, index: &SnapshotIndex<'_>) -> Option<String> {
    let held = standing(change, index)?;
    let same = change.before.as_ref().is_some_and(|before| before == held || before.same_text(held));
    (!same).then(|| {
        let name = name(change);
        format!("the snapshot holds another text of {name} than the change replaces; make the change again from it")
    })
}

/// The policy that a change of an identity policy speaks of.
pub(crate) fn held<'a>(principal: &Arn, change: &Change, index: &SnapshotIndex<'a>) -> Option<AttachedPolicy<'a>> {
    let policies = replaced(principal, &[], index);
    let at = position(principal, change, &policies)?;
    policies.get(at).map(|replaced| replaced.policy)
}

/// Which of a principal's policies a change of an identity policy speaks of: by name, then by text, then by place.
fn position(principal: &Arn, change: &Change, policies: &[Replaced<'_>]) -> Option<usize> {
    let Attachment { kind, policy_name, index, .. } = &change.attachment;
    if *kind != AttachmentKind::Identity {
        return None;
    }
    let eligible = |replaced: &&(usize, &Replaced<'_>)| is_of(&change.attachment, principal, &replaced.1.policy);
    let candidates: Vec<(usize, &Replaced<'_>)> = policies.iter().enumerate().collect();
    let candidates: Vec<&(usize, &Replaced<'_>)> = candidates.iter().filter(eligible).collect();
    if let Some(name) = policy_name {
        let is_named = |policy: &AttachedPolicy<'_>| {
            let by_arn = matches!(policy.origin, PolicyOrigin::Managed(arn) if arn.as_str() == name);
            by_arn || policy.name == name
        };
        if let Some((at, _)) = candidates.iter().find(|(_, replaced)| is_named(&replaced.policy)) {
            return Some(*at);
        }
    }
    let before = change.before.as_ref()?;
    if let Some((at, _)) = candidates.iter().find(|(_, replaced)| replaced.policy.document.same_text(before)) {
        return Some(*at);
    }
    match (policy_name, index) {
        (None, Some(index)) => candidates.get(*index).map(|(at, _)| *at),
        _ => None,
    }
}

/// Whether a policy is held where an attachment says: by the principal itself, through a group, or as a managed policy.
fn is_of(attachment: &Attachment, principal: &Arn, policy: &AttachedPolicy<'_>) -> bool {
    match (&attachment.principal_arn, policy.origin) {
        (Some(named), PolicyOrigin::Group(group)) => named == group,
        (Some(named), PolicyOrigin::Inline(_) | PolicyOrigin::Managed(_)) => named == principal,
        (None, PolicyOrigin::Managed(arn)) => attachment.policy_name.as_deref() == Some(arn.as_str()),
        (None, _) => false,
    }
}

/// The accounts whose control policies a change of one speaks of; empty for other kinds, and where it cannot be told.
#[must_use]
pub fn accounts<'a>(change: &Change, index: &SnapshotIndex<'a>) -> Vec<&'a AccountId> {
    let Some(organization) = &index.snapshot().organization else { return Vec::new() };
    let target = change.guard_target();
    if matches!(target, GuardTarget::Unknown(_)) {
        return Vec::new();
    }
    let held = |levels: &[Vec<PolicyDocument>]| match &change.before {
        None => true,
        Some(before) => levels.iter().flatten().any(|document| document.same_text(before)),
    };
    let concerned = organization.accounts.iter().filter(|(id, guardrails)| {
        let levels = match change.attachment.kind {
            AttachmentKind::ServiceControl => &guardrails.scps,
            AttachmentKind::ResourceControl => &guardrails.rcps,
            _ => return false,
        };
        target.may_concern(id) && held(levels)
    });
    concerned.map(|(id, _)| id).collect()
}

/// What limits a principal before and after, where a change touches it: a list of documents for each that must allow.
pub(crate) struct Limits<'a> {
    pub(crate) before: Vec<Vec<&'a PolicyDocument>>,
    pub(crate) after: Vec<Vec<&'a PolicyDocument>>,
}

/// The boundary and the service control policies of a principal, as far as changes touch them.
pub(crate) fn limits<'a>(principal: &Arn, changes: &[&'a Change], index: &SnapshotIndex<'a>) -> Limits<'a> {
    let mut limits = Limits { before: Vec::new(), after: Vec::new() };
    let of_boundary = |change: &&&'a Change| {
        change.attachment.kind == AttachmentKind::Boundary
            && change.attachment.principal_arn.as_ref() == Some(principal)
    };
    if let Some(change) = changes.iter().find(of_boundary) {
        limits.before.extend(index.boundary(principal).map(|document| vec![document]));
        limits.after.extend(change.after.as_ref().map(|document| vec![document]));
    }
    let account = principal.account();
    let guardrails = account.as_ref().and_then(|account| index.guardrails(account));
    let is_for = |change: &Change| account.as_ref().is_some_and(|account| change.guard_target().may_concern(account));
    let service_control: Vec<&&Change> = changes
        .iter()
        .filter(|change| change.attachment.kind == AttachmentKind::ServiceControl && is_for(change))
        .collect();
    let (false, Some(guardrails)) = (service_control.is_empty(), guardrails) else { return limits };
    for (depth, level) in guardrails.scps.iter().enumerate() {
        limits.before.push(level.iter().collect());
        let mut after: Vec<&PolicyDocument> = level.iter().collect();
        for change in &service_control {
            match &change.before {
                None if change.guard_target().new_level(guardrails.scps.len()) == Some(depth) => {
                    after.extend(&change.after);
                }
                None => {}
                Some(before) if after.iter().any(|document| document.same_text(before)) => {
                    after.retain(|document| !document.same_text(before));
                    after.extend(&change.after);
                }
                Some(_) => {}
            }
        }
        limits.after.push(after);
    }
    limits
}

/// Why nothing is said about a change that the snapshot has no place for.
pub(crate) fn cannot_apply(change: &Change, error: &ChangeError) -> String {
    format!("the change of {} cannot be applied: {error}", name(change))
}

/// What a change is about, for people.
#[must_use]
pub fn name(change: &Change) -> String {
    let Attachment { kind, principal_arn, resource_arn, logical_id, address, policy_name, .. } = &change.attachment;
    let of = principal_arn.as_ref().or(resource_arn.as_ref()).map(ToString::to_string);
    let of = of.or_else(|| logical_id.clone()).or_else(|| address.clone());
    let kind = kind.as_str().replace('_', " ");
    match (policy_name, of) {
        (Some(policy), Some(of)) => format!("{kind} policy `{policy}` of {of}"),
        (Some(policy), None) => format!("{kind} policy `{policy}`"),
        (None, Some(of)) => format!("{kind} policy of {of}"),
        (None, None) => format!("a {kind} policy"),
    }
}
