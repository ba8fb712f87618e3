//! A role's identity policies before and after its changes; says nothing about them.

use iam_model::arn::Arn;
use iam_model::change::Change;
use iam_model::policy::PolicyDocument;
use iam_model::snapshot::SnapshotIndex;

/// All identity policies of the role, before and after: a deny in one policy counts for all of them.
#[must_use]
pub fn documents<'a>(
    role: &Arn,
    changes: &[&'a Change],
    index: &SnapshotIndex<'a>,
) -> (Vec<&'a PolicyDocument>, Vec<&'a PolicyDocument>) {
    let policies = index.identity_policies(role);
    let before: Vec<&PolicyDocument> = policies.iter().map(|policy| policy.document).collect();
    let changed = |document: &PolicyDocument| changes.iter().find(|c| c.before.as_ref() == Some(document));
    let mut after = Vec::new();
    for policy in &policies {
        match changed(policy.document) {
            Some(change) => after.extend(change.after.as_ref()),
            None => after.push(policy.document),
        }
    }
    after.extend(changes.iter().filter(|c| c.before.is_none()).filter_map(|c| c.after.as_ref()));
    (before, after)
}
