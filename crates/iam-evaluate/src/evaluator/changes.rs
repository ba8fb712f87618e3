//! A snapshot with one policy replaced: what a change would do.
//!
//! Finds the place a change speaks of by ARN, then by the policy's name, its index, or its text.

use std::sync::Arc;

use iam_model::arn::{AccountId, Arn};
use iam_model::change::{Attachment, AttachmentKind, Change, GuardTarget};

use super::Evaluator;
use super::holder::{Endpoint, Guards, Held, Holder, Levels};

/// Why a change cannot be applied to a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The attachment does not say what it is attached to.
    #[error("the change names no {what}")]
    NoPlace {
        /// What is missing.
        what: &'static str,
    },
    /// What the attachment names is not in the snapshot.
    #[error("`{arn}` is not in the snapshot")]
    NotHeld {
        /// The principal, resource or policy.
        arn: Arn,
    },
    /// Which accounts a control policy is for cannot be told.
    #[error("a snapshot does not tell which accounts `{arn}` holds; make a change for each account, or for the root")]
    NoTarget {
        /// What the change names.
        arn: Arn,
    },
    /// There is nothing to add a first control policy to.
    #[error(
        "the snapshot shows no {kind} of {place}; where AWS has turned them on, it shows the one that AWS attaches"
    )]
    NoLevel {
        /// The kind of policy.
        kind: &'static str,
        /// The account, or the organization.
        place: String,
    },
    /// The place is there, the policy is not.
    #[error("no policy of `{place}` is the one that the change replaces")]
    NoSuchPolicy {
        /// The principal or account.
        place: String,
    },
}

impl<'a> Evaluator<'a> {
    /// The same snapshot with one change applied; changes add up.
    ///
    /// # Errors
    /// Where the change's place is not in the snapshot.
    pub fn with_change(&self, change: &Change) -> Result<Self, ChangeError> {
        let mut changed = self.clone();
        match change.attachment.kind {
            AttachmentKind::Identity => changed.change_identity(change)?,
            AttachmentKind::Boundary => {
                let arn = change.attachment.principal_arn.as_ref().ok_or(ChangeError::NoPlace { what: "principal" })?;
                let mut holder = self.holder(arn).ok_or_else(|| ChangeError::NotHeld { arn: arn.clone() })?.clone();
                let name = change.attachment.policy_name.as_deref().unwrap_or_default();
                holder.set_boundary(change.after.as_ref().map(|document| Held::changed(name, document)));
                changed.principals.insert(arn.clone(), Arc::new(holder));
            }
            AttachmentKind::Trust | AttachmentKind::Resource => {
                let Attachment { resource_arn, principal_arn, .. } = &change.attachment;
                let arn = resource_arn.as_ref().or(principal_arn.as_ref());
                let arn = arn.ok_or(ChangeError::NoPlace { what: "resource" })?;
                let held = change.after.as_ref().map(|document| document.for_resource(arn));
                let held = held.map(|document| Arc::new(Held::changed(arn.as_str(), &document)));
                changed.resources.insert(arn.clone(), held);
            }
            AttachmentKind::ServiceControl | AttachmentKind::ResourceControl => changed.change_guards(change)?,
            AttachmentKind::VpcEndpoint => {
                let arn = change.attachment.resource_arn.as_ref().ok_or(ChangeError::NoPlace { what: "endpoint" })?;
                let id = self.base.endpoint_id(arn).ok_or_else(|| ChangeError::NotHeld { arn: arn.clone() })?;
                let held = change.after.as_ref().map(|document| Held::changed(arn.as_str(), document));
                changed.endpoints.insert(id.to_owned(), Endpoint::new(held));
            }
        }
        Ok(changed)
    }

    fn change_identity(&mut self, change: &Change) -> Result<(), ChangeError> {
        let Attachment { principal_arn, policy_name, .. } = &change.attachment;
        match principal_arn {
            Some(arn) if self.holder(arn).is_some() => {
                let holder = self.holder(arn).cloned().unwrap_or_default();
                let changed = replaced(holder, change, arn, |held| held.group.is_none())?;
                self.principals.insert(arn.clone(), Arc::new(changed));
                Ok(())
            }
            Some(group) => self.change_members(change, group, |held| held.group == Some(group)),
            None => {
                let name = policy_name.as_ref().ok_or(ChangeError::NoPlace { what: "principal or policy" })?;
                let policy: Arn = name.parse().map_err(|_| ChangeError::NoPlace { what: "principal" })?;
                self.change_members(change, &policy, |held| held.managed == Some(&policy))
            }
        }
    }

    /// Changes a policy that several principals have, through a group or as a managed policy.
    fn change_members(
        &mut self,
        change: &Change,
        shared: &Arn,
        has: impl Fn(&Held<'a>) -> bool,
    ) -> Result<(), ChangeError> {
        let mut members: Vec<(Arn, Holder<'a>)> = Vec::new();
        for arn in self.base.principals.keys() {
            if let Some(holder) = self.holder(arn).filter(|holder| holder.held.iter().any(&has)) {
                members.push(((*arn).clone(), holder.clone()));
            }
        }
        if members.is_empty() {
            return Err(ChangeError::NotHeld { arn: shared.clone() });
        }
        for (arn, holder) in members {
            let changed = replaced(holder, change, shared, &has)?;
            self.principals.insert(arn, Arc::new(changed));
        }
        Ok(())
    }

    /// Changes a control policy: wherever the old text stands in the accounts it is for, or where nothing stood, at the
    /// level of what it is for.
    fn change_guards(&mut self, change: &Change) -> Result<(), ChangeError> {
        let target = change.guard_target();
        if let GuardTarget::Unknown(arn) = target {
            return Err(ChangeError::NoTarget { arn });
        }
        let accounts: Vec<AccountId> = self.base.guards.keys().filter_map(|id| id.parse().ok()).collect();
        let (mut found, mut bare) = (false, None);
        for account in accounts.into_iter().filter(|id| target.may_concern(id)) {
            let Some(mut guards) = self.guards(account.as_str()).cloned() else { continue };
            let levels = kind_of(&mut guards, change.attachment.kind);
            if let Some(changed) = replaced_levels(levels, change, &target) {
                *levels = changed;
                found = true;
                self.guards.insert(account, Arc::new(guards));
            } else if change.before.is_none() {
                bare = bare.or(Some(account));
            }
        }
        let kind = if change.attachment.kind == AttachmentKind::ResourceControl {
            "resource control policies"
        } else {
            "service control policies"
        };
        match (bare, found) {
            // Added to some accounts only, it would look harmless in the others.
            (Some(account), _) => Err(ChangeError::NoLevel { kind, place: format!("account {account}") }),
            (None, true) => Ok(()),
            (None, false) => {
                let place = match target {
                    GuardTarget::Account(id) => format!("account {id}"),
                    GuardTarget::All | GuardTarget::Unknown(_) => "the organization".to_owned(),
                };
                Err(ChangeError::NoSuchPolicy { place })
            }
        }
    }
}

fn kind_of<'g, 'a>(guards: &'g mut Guards<'a>, kind: AttachmentKind) -> &'g mut Levels<'a> {
    if kind == AttachmentKind::ResourceControl { &mut guards.rcps } else { &mut guards.scps }
}

fn replaced_levels<'a>(levels: &Levels<'a>, change: &Change, target: &GuardTarget) -> Option<Levels<'a>> {
    let mut held = levels.held.clone();
    let Some(before) = &change.before else {
        let name = change.attachment.policy_name.as_deref().unwrap_or("a new control policy");
        held.get_mut(target.new_level(levels.held.len())?)?.push(Held::changed(name, change.after.as_ref()?));
        return Some(Levels::new(held));
    };
    let mut found = false;
    for level in &mut held {
        let kept = level.drain(..).filter_map(|policy| {
            if !policy.document().same_text(before) {
                return Some(policy);
            }
            found = true;
            change.after.as_ref().map(|after| policy.with(after))
        });
        let kept: Vec<_> = kept.collect();
        *level = kept;
    }
    found.then(|| Levels::new(held))
}

/// The holder with the change applied to one of the policies that `eligible` admits.
fn replaced<'a>(
    mut holder: Holder<'a>,
    change: &Change,
    place: &Arn,
    eligible: impl Fn(&Held<'a>) -> bool,
) -> Result<Holder<'a>, ChangeError> {
    let mut held = std::mem::take(&mut holder.held);
    let at = position(&held, change, &eligible);
    match (at, &change.after) {
        (Some(at), Some(after)) => {
            if let Some(policy) = held.get_mut(at) {
                *policy = policy.with(after);
            }
        }
        (Some(at), None) => {
            held.remove(at);
        }
        (None, Some(after)) if change.before.is_none() => {
            let name = change.attachment.policy_name.as_deref().unwrap_or("a new policy");
            held.push(Held::changed(name, after));
        }
        (None, _) => return Err(ChangeError::NoSuchPolicy { place: place.to_string() }),
    }
    holder.set_policies(held);
    Ok(holder)
}

fn position<'a>(held: &[Held<'a>], change: &Change, eligible: impl Fn(&Held<'a>) -> bool) -> Option<usize> {
    let Attachment { policy_name, index, .. } = &change.attachment;
    let mut candidates = held.iter().enumerate().filter(|(_, policy)| eligible(policy));
    if let Some(name) = policy_name {
        let is_named =
            |policy: &Held<'_>| *policy.name == **name || policy.managed.is_some_and(|arn| arn.as_str() == name);
        let named = candidates.clone().find(|(_, policy)| is_named(policy));
        if let Some((at, _)) = named {
            return Some(at);
        }
    }
    let before = change.before.as_ref()?;
    let by_text = candidates.clone().find(|(_, policy)| policy.document().same_text(before));
    match (by_text, policy_name, index) {
        (Some((at, _)), ..) => Some(at),
        (None, None, Some(index)) => candidates.nth(*index).map(|(at, _)| at),
        _ => None,
    }
}
