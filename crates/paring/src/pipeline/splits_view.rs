//! Shared roles taken apart, turned into what a report says: words and counts, no judgement.

use iam_patch::PatchSet;
use iam_synthesize::{RoleProposal, SplitProposal};
use iam_verify::split::PartVerdict;

use super::Stage;
use super::documents_view::unpatched;
use super::view::{blind_spots, claim, need};
use crate::report::{PartView, SplitView};

/// The split of each shared role; `verdicts` are those of all parts, in order.
pub(super) fn views(stage: &Stage<'_>, splits: &[SplitProposal], verdicts: &[PartVerdict]) -> Vec<SplitView> {
    let mut verdicts = verdicts.iter();
    splits.iter().map(|split| view(stage, split, &mut verdicts)).collect()
}

/// Says of each split that is not written into the sources why it is not.
pub(super) fn note_refused(splits: &mut [SplitView], patches: &PatchSet) {
    let mut written: Vec<&mut SplitView> = splits.iter_mut().filter(|split| split.refused.is_none()).collect();
    for refused in &patches.refused_splits {
        if let Some(split) = written.get_mut(refused.change) {
            split.notes.push(unpatched(&refused.refusal));
        }
    }
}

fn view<'v>(
    stage: &Stage<'_>,
    split: &SplitProposal,
    verdicts: &mut impl Iterator<Item = &'v PartVerdict>,
) -> SplitView {
    let parts = split.split.as_ref().map(|split| split.parts.as_slice()).unwrap_or_default();
    let part = |(part, decided): (&iam_model::change::RolePart, &RoleProposal)| PartView {
        function: part.function.name().to_owned(),
        role: part.role.to_string(),
        needs: decided.needs.iter().map(need).collect(),
        blind_spots: blind_spots(stage, decided),
        managed: part.managed_policies.iter().map(ToString::to_string).collect(),
        boundary: part.boundary.as_ref().map(ToString::to_string),
        trust: part.trust.clone(),
        policies: part.policies.iter().map(|p| (p.name.clone(), p.document.clone())).collect(),
        new_managed: part.new_managed_policies.iter().map(|p| (p.name.clone(), p.document.clone())).collect(),
        claims: verdicts
            .next()
            .map(|judged| judged.verdict.claims.iter().map(|(c, o)| claim(*c, o)).collect())
            .unwrap_or_default(),
    };
    SplitView {
        role: split.role.to_string(),
        name: split.role.name().to_owned(),
        refused: split.split.as_ref().err().cloned(),
        notes: split.notes.clone(),
        parts: parts.iter().zip(&split.parts).map(part).collect(),
    }
}
