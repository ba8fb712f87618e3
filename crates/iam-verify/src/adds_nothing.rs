//! The claim that a change adds nothing: every request allowed after it was allowed before.
//!
//! The search lives with evaluation. Here its word is not taken: a proof counts only once the checker of certificates
//! has followed it, and a counterexample only once both sets of policies have been asked about it. Anything else is
//! undecided. Follows the IAM Access Analyzer topic "Custom policy checks".

use iam_evaluate::permission_set::{Inclusion, Limits, PermissionSet, Possibility, Why, Witness};
use iam_model::action::ActionPattern;
use iam_model::arn::ResourcePattern;
use iam_model::catalog::Catalog;
use iam_model::certificate::Certificate;
use iam_model::change::AttachmentKind;
use iam_model::policy::{Effect, PolicyDocument, PrincipalElement, PrincipalPattern, Statement};
use iam_model::text::Spanned;

use crate::certificate;
use crate::confirm;
use crate::digest::seal;
use crate::outcome::Outcome;
use crate::plausible;

/// How the claim came out, with the certificate of a proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Proved, refuted with a request, or undecided.
    pub outcome: Outcome,
    /// What [`certificate::check`] accepted for the documents of [`compared`], where proved.
    pub certificate: Option<Certificate>,
}

impl Verdict {
    pub(crate) const fn undecided(why: String) -> Self {
        Self { outcome: Outcome::Undecided { why }, certificate: None }
    }

    /// The same verdict; a counterexample stands in names that the catalogue knows, where such a request is confirmed too.
    #[must_use]
    pub fn in_known_names(mut self, before: &[PolicyDocument], after: &[PolicyDocument], catalog: &Catalog) -> Self {
        if let Outcome::Refuted { counterexample: Some(request), .. } = &mut self.outcome {
            *request = plausible::request(request, before, after, catalog);
        }
        self
    }
}

/// Whether one attached policy, changed from `before` to `after`, adds nothing.
///
/// ```
/// use iam_evaluate::permission_set::Limits;
/// use iam_model::action::ActionPattern;
/// use iam_model::arn::ResourcePattern;
/// use iam_model::change::AttachmentKind;
/// use iam_model::policy::{PolicyDocument, Statement};
/// use iam_verify::adds_nothing::check;
/// let policy = |action: &str| {
///     PolicyDocument::new(vec![Statement::allow(vec![ActionPattern::new(action)], vec![ResourcePattern::new("*")])])
/// };
/// let (wide, narrow) = (policy("s3:*"), policy("s3:GetObject"));
/// let verdict = check(AttachmentKind::Identity, Some(&wide), Some(&narrow), Limits::default());
/// assert!(verdict.outcome.is_proved());
/// ```
#[must_use]
pub fn check(
    kind: AttachmentKind,
    before: Option<&PolicyDocument>,
    after: Option<&PolicyDocument>,
    limits: Limits<'_>,
) -> Verdict {
    let (before, after) = compared(kind, before, after);
    check_documents(&before, &after, limits)
}

/// The documents to compare for one attached policy.
///
/// No identity, resource or trust policy allows nothing; no boundary, control or endpoint policy forbids nothing. Control
/// policies that only deny stand beside `FullAWSAccess`, which is put beside them here.
#[must_use]
pub fn compared(
    kind: AttachmentKind,
    before: Option<&PolicyDocument>,
    after: Option<&PolicyDocument>,
) -> (Vec<PolicyDocument>, Vec<PolicyDocument>) {
    let for_whom = before.into_iter().chain(after).flat_map(|d| &d.statements).any(|s| s.principal.is_some());
    let full = || PolicyDocument::new(vec![everything(for_whom)]);
    let own = |document: Option<&PolicyDocument>| document.cloned().into_iter().collect::<Vec<_>>();
    let beside_full = |document: Option<&PolicyDocument>| own(document).into_iter().chain([full()]).collect();
    let or_full = |document: Option<&PolicyDocument>| vec![document.cloned().unwrap_or_else(full)];
    match kind {
        AttachmentKind::Identity | AttachmentKind::Resource | AttachmentKind::Trust => (own(before), own(after)),
        AttachmentKind::ResourceControl => (beside_full(before), beside_full(after)),
        AttachmentKind::ServiceControl if only_denies(before) && only_denies(after) => {
            (beside_full(before), beside_full(after))
        }
        // An endpoint without a policy of its own lets everything through.
        AttachmentKind::Boundary | AttachmentKind::ServiceControl | AttachmentKind::VpcEndpoint => {
            (or_full(before), or_full(after))
        }
    }
}

/// What the denies of one attached policy leave to others, before and after; nothing where they are not compared, or
/// all stay.
///
/// Whom a policy denies something, other policies may allow it: a deny that goes adds to what they do, though the policy
/// alone allows nothing more.
#[must_use]
pub fn denies(
    kind: AttachmentKind,
    before: Option<&PolicyDocument>,
    after: Option<&PolicyDocument>,
) -> Option<(Vec<PolicyDocument>, Vec<PolicyDocument>)> {
    let applies = match kind {
        AttachmentKind::Resource | AttachmentKind::Trust => true,
        AttachmentKind::ServiceControl => !only_denies(before) || !only_denies(after),
        AttachmentKind::Identity
        | AttachmentKind::Boundary
        | AttachmentKind::ResourceControl
        | AttachmentKind::VpcEndpoint => false,
    };
    let of = |document: Option<&PolicyDocument>| {
        let mut document = document.cloned().unwrap_or_default();
        document.statements.retain(|statement| statement.effect != Effect::Allow);
        document
    };
    let (before, after) = (of(before), of(after));
    let nothing = before.statements.is_empty() && before.unknown.is_empty();
    (applies && !nothing && !before.same_text(&after))
        .then(|| compared(AttachmentKind::ResourceControl, Some(&before), Some(&after)))
}

fn only_denies(document: Option<&PolicyDocument>) -> bool {
    document.is_none_or(|d| d.unknown.is_empty() && d.statements.iter().all(|s| s.effect == Effect::Deny))
}

/// The documents to compare for two policies of which nobody said where they are attached, and whether they are
/// guardrails.
///
/// Two that do nothing but deny are: alone they would allow nothing, whatever they no longer deny.
#[must_use]
pub fn compared_alone(
    before: &PolicyDocument,
    after: &PolicyDocument,
) -> ((Vec<PolicyDocument>, Vec<PolicyDocument>), bool) {
    let denies = |document: &PolicyDocument| !document.statements.is_empty() && only_denies(Some(document));
    let guardrails = denies(before) && only_denies(Some(after)) || denies(after) && only_denies(Some(before));
    let kind = if guardrails { AttachmentKind::ResourceControl } else { AttachmentKind::Identity };
    (compared(kind, Some(before), Some(after)), guardrails)
}

/// Every request of anyone; `for_whom` where policies say for whom they are.
fn everything(for_whom: bool) -> Statement {
    let mut all = Statement::allow(vec![ActionPattern::new("*")], vec![ResourcePattern::everything()]);
    all.principal = for_whom.then(|| PrincipalElement::Principal(vec![Spanned::synthetic(PrincipalPattern::Everyone)]));
    all
}

/// Whether the documents after, taken together, allow nothing that those before, taken together, did not.
#[must_use]
pub fn check_documents(before: &[PolicyDocument], after: &[PolicyDocument], limits: Limits<'_>) -> Verdict {
    let (old, new) = (PermissionSet::of_documents(before), PermissionSet::of_documents(after));
    match new.included_in(&old, limits) {
        Inclusion::Included(proof) => match certificate::check_proof(before, after, &proof) {
            Ok(()) => proved(seal(before, after, proof)),
            Err(refusal) => Verdict::undecided(format!("the proof was not accepted: {refusal}")),
        },
        Inclusion::Excluded(witness) => {
            let by_sets =
                new.allows_request(&witness) == Possibility::Yes && old.allows_request(&witness) == Possibility::No;
            if by_sets && confirm::allowed_only_after(before, after, &witness) {
                refuted(&witness)
            } else {
                Verdict::undecided(format!("evaluation did not confirm the counterexample {witness}"))
            }
        }
        Inclusion::Undecided(why) => Verdict::undecided(in_words(&why)),
    }
}

fn proved(certificate: Certificate) -> Verdict {
    let because = format!(
        "every request allowed after was allowed before; documents sha256:{} -> sha256:{}",
        short(&certificate.old),
        short(&certificate.new)
    );
    Verdict { outcome: Outcome::Proved { because }, certificate: Some(certificate) }
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

fn refuted(witness: &Witness) -> Verdict {
    let because = "a request is allowed after that was not allowed before".into();
    let counterexample = Some(confirm::counterexample(witness));
    Verdict { outcome: Outcome::Refuted { because, counterexample }, certificate: None }
}

pub(crate) fn in_words(why: &Why) -> String {
    match why {
        Why::Limit => "no answer was found: the search reached its limit of steps, or a name has a form that AWS does not document (an action \
                       with spaces, say); correct such a name, split the policy into smaller ones, or use fewer wildcards and denies"
            .into(),
        Why::NotUnderstood => "a policy holds a part that is not understood; correct it to decide".into(),
        Why::Keys(keys) => {
            let keys: Vec<&str> = keys.iter().map(iam_model::condition::ConditionKey::as_str).collect();
            format!("the values that these context keys can have would decide: {}", keys.join(", "))
        }
    }
}

#[cfg(test)]
mod tests;
