//! Splits of which a claim is refuted: proposed and explained, and written into no source.
//!
//! A new role that would be denied what its function does must not be one `git apply` away. Where a claim is undecided,
//! the patch waits for a review that says so.

use iam_model::change::RoleSplit;
use iam_patch::{Disposition, PatchSet, Refusal, RefusalCode, Refused};
use iam_verify::outcome::{Claim, Outcome};
use iam_verify::split::PartVerdict;

/// Which splits are written, and why the others are not.
pub(super) struct Withheld {
    /// Those that are written, by their number among all.
    kept: Vec<usize>,
    refused: Vec<Refused>,
    /// What is undecided about those that are written, each with its number among all.
    undecided: Vec<(usize, String)>,
}

impl Withheld {
    /// `verdicts` are those of all parts, in order.
    pub(super) fn of(splits: &[RoleSplit], verdicts: &[PartVerdict]) -> Self {
        let mut verdicts = verdicts.iter();
        let mut all = Self { kept: Vec::new(), refused: Vec::new(), undecided: Vec::new() };
        for (number, split) in splits.iter().enumerate() {
            let parts: Vec<&PartVerdict> = verdicts.by_ref().take(split.parts.len()).collect();
            match parts.iter().find_map(|part| claim(part, |outcome| matches!(outcome, Outcome::Refuted { .. }))) {
                None => {
                    let undecided = parts.iter().filter_map(|part| claim(part, |outcome| !outcome.is_proved()));
                    all.undecided.extend(undecided.map(|why| (number, why)));
                    all.kept.push(number);
                }
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
        for patch in &mut patches.patches {
            patch.splits.iter_mut().for_each(among_all);
            let own = self.undecided.iter().filter(|(number, _)| patch.splits.contains(number));
            let reviews: Vec<String> = own.map(|(_, why)| why.clone()).collect();
            match &mut patch.disposition {
                Disposition::NeedsReview(reasons) => reasons.extend(reviews),
                safe if !reviews.is_empty() => *safe = Disposition::NeedsReview(reviews),
                Disposition::Safe => {}
            }
        }
        patches.unchanged_splits.iter_mut().for_each(among_all);
        patches.refused_splits.iter_mut().for_each(|refused| among_all(&mut refused.change));
        patches.refused_splits.extend(self.refused);
        patches.refused_splits.sort_by_key(|refused| refused.change);
        patches
    }
}

/// The first claim about a part with such an outcome, in words.
///
/// What the organisation's rules object to breaks nothing, and mostly stood before: the report says it beside a patch that
/// waits for review anyway.
fn claim(part: &PartVerdict, is: impl Fn(&Outcome) -> bool) -> Option<String> {
    let mut claims = part.verdict.claims.iter();
    let (claim, outcome) = claims.find(|(claim, outcome)| *claim != Claim::ObeysGuardrails && is(outcome))?;
    let why = match outcome {
        Outcome::Refuted { because: why, .. } | Outcome::Undecided { why } => why,
        Outcome::Proved { .. } => return None,
    };
    Some(format!("{claim} of {} is {}: {why}", part.role.name(), outcome.as_str()))
}
