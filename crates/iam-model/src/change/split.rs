//! A shared role taken apart: a role of its own for each function that ran with it.
//!
//! Says what the new roles would be; that each is inside the old one is for proof, and where they are written for patching.

use std::collections::BTreeMap;

use super::{Change, Reason};
use crate::arn::Arn;
use crate::policy::PolicyDocument;

/// Everything a changes file asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangeSet {
    /// Changed policies.
    pub changes: Vec<Change>,
    /// Shared roles taken apart.
    pub splits: Vec<RoleSplit>,
}

/// One shared role taken apart: a role of its own for each function that ran with it.
///
/// The shared role itself stays in place, as others may use it; removing it is for a person to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleSplit {
    /// The shared role.
    pub role: Arn,
    /// A part for each function, ordered by the function's ARN.
    pub parts: Vec<RolePart>,
}

/// The new role of one function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolePart {
    /// The function that gets this role.
    pub function: Arn,
    /// The ARN the new role would have: the shared role's account and path, a name of at most 64 characters.
    pub role: Arn,
    /// Who may assume it: carried over from the shared role, never wider.
    pub trust: PolicyDocument,
    /// Inline policies, together inside what the shared role granted.
    pub policies: Vec<NewPolicy>,
    /// Managed policies that stay attached, such as AWS's own for running functions.
    pub managed_policies: Vec<Arn>,
    /// Managed policies that do not exist yet, for what does not fit inline; each with its name in the account.
    pub new_managed_policies: Vec<NewPolicy>,
    /// The permissions boundary, carried over.
    pub boundary: Option<Arn>,
    /// Tags, carried over: policies may ask for them by `aws:PrincipalTag`. AWS's own are not among them.
    pub tags: BTreeMap<String, String>,
    /// The role's description, where there is something to say.
    pub description: Option<String>,
}

impl RolePart {
    /// The ARN of a new managed policy of this name: in the new role's account and path.
    #[must_use]
    pub fn managed_arn(&self, name: &str) -> Option<Arn> {
        let head = self.role.as_str().strip_suffix(self.role.name())?;
        format!("{}{name}", head.replacen(":role/", ":policy/", 1)).parse().ok()
    }
}

/// A policy that does not exist yet: inline in a role, or a managed one beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPolicy {
    /// Its name within the role, or of a managed one within the account.
    pub name: String,
    /// What it says.
    pub document: PolicyDocument,
    /// Why each statement is there.
    pub reasons: Vec<Reason>,
}
