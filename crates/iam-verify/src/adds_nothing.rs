//! The claim that a change adds nothing: every request allowed after it was allowed before.
//!
//! The search lives with evaluation. Here its word is not taken: a proof counts only once the checker of certificates
//! has followed it, and a counterexample only once both sets of policies have been asked about it. Anything else is
//! undecided. Follows the IAM Access Analyzer topic "Custom policy checks".

use iam_evaluate::permission_set::{Inclusion, Limits, PermissionSet, Possibility, Why, Witness};
use iam_evaluate::{Context, Layer, LayerOutcome, Policies, Principal, Request, evaluate};
use iam_model::action::ActionPattern;
use iam_model::arn::ResourcePattern;
use iam_model::certificate::Certificate;
use iam_model::change::AttachmentKind;
use iam_model::policy::{Effect, PolicyDocument, PrincipalPattern, Statement};

use crate::certificate;
use crate::digest::seal;
use crate::outcome::{Counterexample, Outcome};

/// How the claim came out, with the certificate of a proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Proved, refuted with a request, or undecided.
    pub outcome: Outcome,
    /// What [`certificate::check`] accepted for the documents of [`compared`], where proved.
    pub certificate: Option<Certificate>,
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
    limits: Limits,
) -> Verdict {
    let (before, after) = compared(kind, before, after);
    check_documents(&before, &after, limits)
}

/// The documents to compare for one attached policy.
///
/// No identity, resource or trust policy allows nothing; no boundary or control policy forbids nothing. Control
/// policies that only deny stand beside `FullAWSAccess`, which is put beside them here.
#[must_use]
pub fn compared(
    kind: AttachmentKind,
    before: Option<&PolicyDocument>,
    after: Option<&PolicyDocument>,
) -> (Vec<PolicyDocument>, Vec<PolicyDocument>) {
    let full = || PolicyDocument::new(vec![everything()]);
    let own = |document: Option<&PolicyDocument>| document.cloned().into_iter().collect::<Vec<_>>();
    let only_denies = |document: Option<&PolicyDocument>| {
        document.is_none_or(|d| d.unknown.is_empty() && d.statements.iter().all(|s| s.effect == Effect::Deny))
    };
    let beside_full = |document: Option<&PolicyDocument>| own(document).into_iter().chain([full()]).collect();
    let or_full = |document: Option<&PolicyDocument>| vec![document.cloned().unwrap_or_else(full)];
    match kind {
        AttachmentKind::Identity | AttachmentKind::Resource | AttachmentKind::Trust => (own(before), own(after)),
        AttachmentKind::ResourceControl => (beside_full(before), beside_full(after)),
        AttachmentKind::ServiceControl if only_denies(before) && only_denies(after) => {
            (beside_full(before), beside_full(after))
        }
        AttachmentKind::Boundary | AttachmentKind::ServiceControl => (or_full(before), or_full(after)),
    }
}

fn everything() -> Statement {
    Statement::allow(vec![ActionPattern::new("*")], vec![ResourcePattern::everything()])
}

/// Whether the documents after, taken together, allow nothing that those before, taken together, did not.
#[must_use]
pub fn check_documents(before: &[PolicyDocument], after: &[PolicyDocument], limits: Limits) -> Verdict {
    let (old, new) = (PermissionSet::of_documents(before), PermissionSet::of_documents(after));
    match new.included_in(&old, limits) {
        Inclusion::Included(proof) => {
            let certificate = seal(before, after, proof);
            match certificate::check(before, after, &certificate) {
                Ok(()) => proved(certificate),
                Err(refusal) => undecided(format!("the proof was not accepted: {refusal}")),
            }
        }
        Inclusion::Excluded(witness) => {
            let by_sets =
                new.allows_request(&witness) == Possibility::Yes && old.allows_request(&witness) == Possibility::No;
            if by_sets && evaluation_agrees(before, after, &witness) {
                refuted(&witness)
            } else {
                undecided(format!("evaluation did not confirm the counterexample {witness}"))
            }
        }
        Inclusion::Undecided(why) => undecided(in_words(&why)),
    }
}

/// Whether the evaluation of requests, asked about each list of documents as one layer, allows the request after and
/// not before.
fn evaluation_agrees(before: &[PolicyDocument], after: &[PolicyDocument], witness: &Witness) -> bool {
    let said = |documents: &[PolicyDocument]| layer_says(documents, witness);
    said(after) == Some(LayerOutcome::Allow)
        && matches!(
            said(before),
            Some(LayerOutcome::ExplicitDeny | LayerOutcome::ImplicitDeny | LayerOutcome::NotApplicable)
        )
}

/// What documents say of a request; nothing for a request AWS could not see.
fn layer_says(documents: &[PolicyDocument], witness: &Witness) -> Option<LayerOutcome> {
    let principal = match &witness.principal {
        None => "arn:aws:iam::111122223333:user/someone".to_owned(),
        Some(principal) => principal_text(principal),
    };
    let mut context = Context::complete();
    for (key, values) in &witness.context {
        context.set(key.clone(), values.clone());
    }
    let request = Request {
        principal: Principal::parse(&principal).ok()?,
        action: witness.action.clone(),
        resource: witness.resource.as_str().parse().ok()?,
        resource_account: None,
        context,
    };
    // Several resource policies, as a trust policy taken apart, are asked as the one policy they make together.
    let mut together =
        PolicyDocument { version: documents.first().and_then(|d| d.version), ..PolicyDocument::default() };
    together.statements = documents.iter().flat_map(|d| d.statements.iter().cloned()).collect();
    let mut policies = Policies::default();
    let layer = if documents.iter().flat_map(|d| &d.statements).any(|s| s.principal.is_some()) {
        policies.resource = Some(&together);
        Layer::Resource
    } else {
        policies.identity = documents.iter().collect();
        Layer::Identity
    };
    Some(evaluate(&request, &policies).layers.get(layer))
}

fn principal_text(principal: &PrincipalPattern) -> String {
    match principal {
        PrincipalPattern::Everyone => "anonymous".into(),
        PrincipalPattern::Aws(text)
        | PrincipalPattern::Service(text)
        | PrincipalPattern::Federated(text)
        | PrincipalPattern::CanonicalUser(text)
        | PrincipalPattern::Unknown { value: text, .. } => text.clone(),
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
    let counterexample = Counterexample {
        principal: witness.principal.clone(),
        action: witness.action.clone(),
        resource: witness.resource.clone(),
        context: witness.context.clone(),
    };
    let because = "a request is allowed after that was not allowed before".into();
    Verdict { outcome: Outcome::Refuted { because, counterexample: Some(counterexample) }, certificate: None }
}

fn undecided(why: String) -> Verdict {
    Verdict { outcome: Outcome::Undecided { why }, certificate: None }
}

fn in_words(why: &Why) -> String {
    match why {
        Why::Limit => "the search reached its limit; compare smaller policies or raise the limit".into(),
        Why::NotUnderstood => "a policy holds a part that is not understood; correct it to decide".into(),
        Why::Keys(keys) => {
            let keys: Vec<&str> = keys.iter().map(iam_model::condition::ConditionKey::as_str).collect();
            format!("the values that these context keys can have would decide: {}", keys.join(", "))
        }
    }
}

#[cfg(test)]
mod tests;
