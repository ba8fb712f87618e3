//! Narrowed trust policies and functions' permissions, turned into what a report says: words and counts, no judgement.

use iam_model::change::AttachmentKind;
use iam_patch::PatchSet;
use iam_synthesize::DocumentProposal;
use iam_verify::verify::Verdict;

use super::view::{change, claim};
use crate::report::DocumentView;

/// Each policy with something to say; `patched` where there are source files: the patches, and the number of the first of
/// these changes among them.
pub(super) fn views(
    proposals: &[DocumentProposal],
    verdicts: &[Option<Verdict>],
    patched: Option<(&PatchSet, usize)>,
) -> Vec<DocumentView> {
    let mut next = patched.map_or(0, |(_, first)| first);
    let one = |(proposal, verdict): (&DocumentProposal, &Option<Verdict>)| {
        let own: Vec<usize> = proposal.change.iter().map(|_| next).collect();
        next += own.len();
        let refused = patched.iter().flat_map(|(patches, _)| &patches.refused);
        let unpatched = refused
            .filter(|r| own.contains(&r.change))
            .map(|r| format!("no patch: {} [{}]", r.refusal.message, r.refusal.code));
        let subject = proposal.subject();
        DocumentView {
            subject: subject.map(ToString::to_string).unwrap_or_default(),
            name: subject.map(|arn| arn.name().to_owned()).unwrap_or_default(),
            kind: proposal.attachment.kind.as_str(),
            what: if proposal.attachment.kind == AttachmentKind::Trust {
                "who may assume it"
            } else {
                "who may invoke it"
            },
            change: proposal.change.as_ref().map(change),
            claims: verdict.iter().flat_map(|v| v.claims.iter().map(|(c, o)| claim(*c, o))).collect(),
            left_alone: proposal.left_alone.iter().cloned().chain(unpatched).collect(),
            diff: patched.map(|(patches, _)| patches.diff_of(&own)).unwrap_or_default(),
        }
    };
    proposals.iter().zip(verdicts).map(one).collect()
}
