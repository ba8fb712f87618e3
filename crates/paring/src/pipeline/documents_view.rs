//! Narrowed trust policies and resources' policies, turned into what a report says: words and counts, no judgement.

use iam_model::change::AttachmentKind;
use iam_patch::{PatchSet, Refusal};
use iam_synthesize::DocumentProposal;
use iam_verify::verify::Verdict;

use super::view::{change, claim};
use crate::report::{DocumentView, PatchView};

/// Each policy with something to say; `patched` where there are source files: the patches, and the number of the first of
/// these changes among them.
pub(super) fn views(
    proposals: &[DocumentProposal],
    verdicts: &[Option<Verdict>],
    patched: Option<(&PatchSet, usize)>,
) -> Vec<DocumentView> {
    let mut next = patched.map_or(0, |(_, first)| first);
    let one = |(proposal, verdict): (&DocumentProposal, &Option<Verdict>)| {
        let own: Vec<usize> = (next..next + proposal.changes.len()).collect();
        next += own.len();
        let refused = patched.iter().flat_map(|(patches, _)| &patches.refused);
        let unpatched = refused.filter(|r| own.contains(&r.change)).map(|r| unpatched(&r.refusal));
        let subject = proposal.subject();
        DocumentView {
            subject: subject.map(ToString::to_string).unwrap_or_default(),
            name: subject.map(|arn| arn.name().to_owned()).unwrap_or_default(),
            kind: proposal.attachment.kind.as_str(),
            what: what(proposal),
            change: proposal.changes.first().map(change),
            claims: verdict.iter().flat_map(|v| v.claims.iter().map(|(c, o)| claim(*c, o))).collect(),
            left_alone: proposal.left_alone.iter().cloned().chain(unpatched).collect(),
            diff: patched.map(|(patches, _)| patches.diff_of(&own)).unwrap_or_default(),
        }
    };
    proposals.iter().zip(verdicts).map(one).collect()
}

/// Why a change is not written into the sources, where, and what to do.
pub(super) fn unpatched(refusal: &Refusal) -> String {
    let place = refusal.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
    let hint = refusal.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("no patch: {place}{} [{}]{hint}", refusal.message, refusal.code)
}

const fn what_of(kind: AttachmentKind) -> &'static str {
    match kind {
        AttachmentKind::Trust => "who may assume it",
        AttachmentKind::Boundary => "what its roles may have",
        AttachmentKind::VpcEndpoint => "what may pass through it",
        _ => "who may use it",
    }
}

pub(super) fn what(proposal: &DocumentProposal) -> &'static str {
    match &proposal.attachment.resource_arn {
        Some(arn) if arn.service() == "lambda" => "who may invoke it",
        _ => what_of(proposal.attachment.kind),
    }
}

/// Says of each patch that holds a change which is not proved that a person has to look at it first.
pub(super) fn note_reviews(
    views: &mut [PatchView],
    patches: &PatchSet,
    (proposals, verdicts): (&[DocumentProposal], &[Option<Verdict>]),
    first: usize,
) {
    let mut next = first;
    for (proposal, verdict) in proposals.iter().zip(verdicts) {
        let own = next..next + proposal.changes.len();
        next = own.end;
        let Some((claim, outcome)) = verdict.iter().flat_map(|v| &v.claims).find(|(_, outcome)| !outcome.is_proved())
        else {
            continue;
        };
        let name = proposal.subject().map(|arn| arn.name()).unwrap_or_default();
        for (patch, view) in patches.patches.iter().zip(views.iter_mut()) {
            if patch.changes.iter().any(|change| own.contains(change)) {
                view.disposition = "needs-review";
                view.reasons.push(format!("{name}: {} is {}", claim.as_str(), outcome.as_str()));
            }
        }
    }
}
