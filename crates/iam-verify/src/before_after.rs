//! A role's identity policies before and after its changes; says nothing about them.

use iam_model::arn::Arn;
use iam_model::change::{Attachment, Change};
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

/// The attached policies of a role, each with its document after the changes.
#[must_use]
pub fn replaced<'a>(role: &Arn, changes: &[&'a Change], index: &SnapshotIndex<'a>) -> Vec<Replaced<'a>> {
    let replace = |policy: AttachedPolicy<'a>| match changes.iter().find(|c| means(&c.attachment, role, &policy)) {
        Some(change) => Replaced { policy, after: change.after.as_ref(), changed: true },
        None => Replaced { policy, after: Some(policy.document), changed: false },
    };
    index.identity_policies(role).into_iter().map(replace).collect()
}

/// All identity policies of the role, before and after: a deny in one policy counts for all of them.
#[must_use]
pub fn documents<'a>(
    role: &Arn,
    changes: &[&'a Change],
    index: &SnapshotIndex<'a>,
) -> (Vec<&'a PolicyDocument>, Vec<&'a PolicyDocument>) {
    let policies = replaced(role, changes, index);
    let before = policies.iter().map(|replaced| replaced.policy.document).collect();
    let mut after: Vec<&PolicyDocument> = policies.iter().filter_map(|replaced| replaced.after).collect();
    let new = changes.iter().filter(|c| c.before.is_none() && c.attachment.principal_arn.as_ref() == Some(role));
    after.extend(new.filter_map(|change| change.after.as_ref()));
    (before, after)
}

/// Whether an attachment names this policy of this role: by its name, a managed one also by its ARN.
fn means(attachment: &Attachment, role: &Arn, policy: &AttachedPolicy<'_>) -> bool {
    let Some(name) = attachment.policy_name.as_deref() else { return false };
    let named = match policy.origin {
        PolicyOrigin::Managed(arn) => name == arn.as_str() || name == policy.name,
        PolicyOrigin::Inline(_) => name == policy.name,
        PolicyOrigin::Group(_) => false,
    };
    named && attachment.principal_arn.as_ref() == Some(role)
}
