//! A change to one attached policy: the value between proposing, proving and patching; `paring-changes/1`.
//!
//! A changed service control policy is a `Change` too: "what would this SCP break" needs no second engine.

mod read;
mod split;
mod target;
mod write;

pub use read::{ChangesError, read};
pub use split::{ChangeSet, NewPolicy, RolePart, RoleSplit};
pub use target::GuardTarget;
pub use write::write;

use crate::arn::Arn;
use crate::policy::PolicyDocument;

/// The schema name of the changes file.
pub const SCHEMA: &str = "paring-changes/1";

/// What kind of policy is attached, and so what it can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttachmentKind {
    /// Attached to a user, group or role: grants to it.
    Identity,
    /// Attached to a resource: grants to the principals it names.
    Resource,
    /// A role's trust policy: who may assume it.
    Trust,
    /// A permissions boundary: limits, never grants.
    Boundary,
    /// A service control policy: limits the principals of accounts.
    ServiceControl,
    /// A resource control policy: limits access to resources of accounts.
    ResourceControl,
    /// A VPC endpoint's policy: limits the calls that come through it, never grants.
    VpcEndpoint,
}

impl AttachmentKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Identity,
        Self::Resource,
        Self::Trust,
        Self::Boundary,
        Self::ServiceControl,
        Self::ResourceControl,
        Self::VpcEndpoint,
    ];

    /// The word used in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Resource => "resource",
            Self::Trust => "trust",
            Self::Boundary => "boundary",
            Self::ServiceControl => "service_control",
            Self::ResourceControl => "resource_control",
            Self::VpcEndpoint => "vpc_endpoint",
        }
    }
}

/// A policy where it is attached. Any mix of the optional parts may be known; patching uses what is there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attachment {
    /// The kind.
    pub kind: AttachmentKind,
    /// The user, group or role.
    pub principal_arn: Option<Arn>,
    /// The resource.
    pub resource_arn: Option<Arn>,
    /// The logical id in a CloudFormation, SAM or Serverless template.
    pub logical_id: Option<String>,
    /// The address in Terraform.
    pub address: Option<String>,
    /// The policy's name or ARN, as the account knows it.
    pub policy_name: Option<String>,
    /// Its place in the source's list of policies.
    pub index: Option<usize>,
}

impl Attachment {
    /// An identity policy of a principal.
    #[must_use]
    pub const fn identity(principal: Arn, policy_name: String) -> Self {
        Self {
            kind: AttachmentKind::Identity,
            principal_arn: Some(principal),
            resource_arn: None,
            logical_id: None,
            address: None,
            policy_name: Some(policy_name),
            index: None,
        }
    }
}

/// Why a statement of a proposal is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Index of the statement in `after`; nothing where the reason is about what was removed.
    pub statement: Option<usize>,
    /// One line, for people.
    pub because: String,
    /// What it rests on: counts, dates, event ids.
    pub evidence: Vec<String>,
}

/// One attached policy before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which policy.
    pub attachment: Attachment,
    /// What stands there now; nothing for a new policy.
    pub before: Option<PolicyDocument>,
    /// What should stand there; nothing to remove it.
    pub after: Option<PolicyDocument>,
    /// Why.
    pub reasons: Vec<Reason>,
}
