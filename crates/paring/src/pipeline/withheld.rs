//! Splits of which a claim is not proved: proposed and explained, and written into no source.
//!
//! A new role that would be denied what its function does must not be one `git apply` away.

use iam_model::change::RoleSplit;
use iam_patch::{PatchSet, Refusal, RefusalCode, Refused};
use iam_verify::outcome::{Claim, Outcome};
use iam_verify::split::PartVerdict;

/// Which splits are written, and why the others are not.
pub(super) struct Withheld {
    /// Those that are written, by their number among all.
    kept: Vec<usize>,
    refused: Vec<Refused>,
}

impl Withheld {
    /// `verdicts` are those of all parts, in order.
    pub(super) fn of(splits: &[RoleSplit], verdicts: &[PartVerdict]) -> Self {
        let mut verdicts = verdicts.iter();
        let mut all = Self { kept: Vec::new(), refused: Vec::new() };
        for (number, split) in splits.iter().enumerate() {
            let parts: Vec<&PartVerdict> = verdicts.by_ref().take(split.parts.len()).collect();
            match parts.iter().find_map(|part| why_not(part)) {
                None => all.kept.push(number),
                Some(message) => {
                    let hint = Some("see to what the claim says, and run again".to_owned());
                    let refusal = Refusal { code: RefusalCode::NotProved, message, hint, place: None };
                    all.refused.push(Refused { change: number, refusal, snippet: None });
                }
            }
        }
        all
    }

    /// The splits to write.
    pub(super) fn written(&self, splits: &[RoleSplit]) -> Vec<RoleSplit> {
        self.kept.iter().filter_map(|number| splits.get(*number).cloned()).collect()
    }

    /// Patches of the splits to write, with their numbers among all splits, and those that are not written.
    pub(super) fn among_all(self, mut patches: PatchSet) -> PatchSet {
        let among_all = |number: &mut usize| *number = self.kept.get(*number).copied().unwrap_or(*number);
        patches.patches.iter_mut().flat_map(|patch| &mut patch.splits).for_each(among_all);
        patches.unchanged_splits.iter_mut().for_each(among_all);
        patches.refused_splits.iter_mut().for_each(|refused| among_all(&mut refused.change));
        patches.refused_splits.extend(self.refused);
        patches.refused_splits.sort_by_key(|refused| refused.change);
        patches
    }
}

/// The claim about a part that keeps the whole split from being written.
///
/// What the organisation's rules object to breaks nothing, and mostly stood before: the report says it beside a patch that
/// waits for review anyway.
fn why_not(part: &PartVerdict) -> Option<String> {
    let open =
        part.verdict.claims.iter().find(|(claim, outcome)| *claim != Claim::ObeysGuardrails && !outcome.is_proved());
    let (claim, outcome) = open?;
    let why = match outcome {
        Outcome::Refuted { because: why, .. } | Outcome::Undecided { why } => why,
        Outcome::Proved { .. } => return None,
    };
    Some(format!("{claim} of {} is {}: {why}", part.role.name(), outcome.as_str()))
}
