//! A second opinion on counterexamples: the evaluation of requests, which shares no code with permission sets.
//!
//! Finds nothing itself.

use iam_evaluate::permission_set::Witness;
use iam_evaluate::{Context, Layer, LayerOutcome, Policies, Principal, Request, evaluate};
use iam_model::policy::{PolicyDocument, PrincipalPattern};

use crate::outcome::Counterexample;

/// Whether evaluation, asked about each list of documents as one layer, allows the request after and not before.
pub(crate) fn allowed_only_after(before: &[PolicyDocument], after: &[PolicyDocument], witness: &Witness) -> bool {
    let said = |documents: &[PolicyDocument]| layer_says(documents, witness);
    said(after) == Some(LayerOutcome::Allow)
        && matches!(
            said(before),
            Some(LayerOutcome::ExplicitDeny | LayerOutcome::ImplicitDeny | LayerOutcome::NotApplicable)
        )
}

/// What documents say of a request; nothing for a request AWS could not see.
pub(crate) fn layer_says(documents: &[PolicyDocument], witness: &Witness) -> Option<LayerOutcome> {
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
    let together;
    let mut policies = Policies::default();
    let layer = if documents.iter().flat_map(|d| &d.statements).any(|s| s.principal.is_some()) {
        policies.resource = match documents {
            [one] => Some(one),
            // Several resource policies, as a trust policy taken apart, are asked as the one policy they make together.
            several => {
                together = PolicyDocument {
                    version: several.first().and_then(|d| d.version),
                    statements: several.iter().flat_map(|d| d.statements.iter().cloned()).collect(),
                    ..PolicyDocument::default()
                };
                Some(&together)
            }
        };
        Layer::Resource
    } else {
        policies.identity = documents.iter().collect();
        Layer::Identity
    };
    Some(evaluate(&request, &policies).layers.get(layer))
}

/// The request as it is shown.
pub(crate) fn counterexample(witness: &Witness) -> Counterexample {
    Counterexample {
        principal: witness.principal.clone(),
        action: witness.action.clone(),
        resource: witness.resource.clone(),
        context: witness.context.clone(),
    }
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
