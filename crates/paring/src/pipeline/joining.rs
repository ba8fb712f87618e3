//! Proposals brought in line with their sources before they are proved: deployments of one text get one text.

use iam_model::change::Change;
use iam_model::snapshot::SnapshotIndex;
use iam_patch::Project;
use iam_synthesize::{Judgement, RoleProposal};

/// Puts what the sources can say in the place of what they cannot. A policy of which nothing can go stays, with a note.
pub(super) fn join(project: &Project, index: &SnapshotIndex<'_>, proposals: &mut [RoleProposal]) {
    let changes: Vec<Change> = proposals.iter().flat_map(|proposal| proposal.changes.iter().cloned()).collect();
    let mut joined = iam_patch::joined(project, index, &changes).into_iter();
    for proposal in proposals {
        let mut kept = Vec::new();
        for change in std::mem::take(&mut proposal.changes) {
            let Some(new) = joined.next().flatten() else {
                kept.push(change);
                continue;
            };
            let policy = new.attachment.policy_name.clone().unwrap_or_default();
            if changes_nothing(&new) {
                proposal
                    .left_alone
                    .push(format!("{policy}: what could go is needed by another deployment of its text"));
            } else {
                kept.push(new);
            }
        }
        proposal.changes = kept;
        if proposal.changes.is_empty() && matches!(proposal.judgement, Judgement::Narrowed) {
            proposal.judgement = Judgement::Tight;
        }
    }
}

fn changes_nothing(change: &Change) -> bool {
    matches!((&change.before, &change.after), (Some(before), Some(after)) if before.same_text(after))
}
