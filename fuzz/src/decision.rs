//! What holds of every decision, and between a decision that knows less and one that knows more.

use iam_evaluate::{
    Context, Decision, Evaluator, KeyState, Layer, LayerOutcome, Outcome, Policies, Principal, Request,
};
use iam_model::policy::Effect;

/// A request of a session of role `R`.
pub fn request(action: &str, resource: &str, context: Context) -> Option<Request> {
    Some(Request {
        principal: Principal::parse("arn:aws:sts::111122223333:assumed-role/R/s").ok()?,
        action: action.parse().ok()?,
        resource: resource.parse().ok()?,
        resource_account: None,
        context,
    })
}

/// Whether the request is allowed; nothing where that is unknown.
pub fn said(decision: &Decision) -> Option<bool> {
    match decision.outcome {
        Outcome::Allow => Some(true),
        Outcome::ImplicitDeny | Outcome::ExplicitDeny => Some(false),
        Outcome::Unknown(_) => None,
    }
}

/// The reasons fit the outcome, and the outcome fits what the layers say.
pub fn check(decision: &Decision) {
    let effects = |effect: Effect| decision.because.iter().all(|at| at.effect == effect);
    let says = |layer: Layer| decision.layers.get(layer);
    let denies = Layer::ALL.iter().any(|layer| says(*layer) == LayerOutcome::ExplicitDeny);
    match &decision.outcome {
        Outcome::Allow => {
            assert!(effects(Effect::Allow), "an allow rests on what does not allow: {decision:?}");
            assert!(!decision.because.is_empty() || !decision.rules.is_empty(), "an allow without a reason");
            assert!(!denies, "an allow beside an explicit deny: {decision:?}");
            for layer in [Layer::ServiceControl, Layer::ResourceControl, Layer::VpcEndpoint] {
                let passes = matches!(says(layer), LayerOutcome::Allow | LayerOutcome::NotApplicable);
                assert!(passes, "an allow that a {layer} does not let pass: {decision:?}");
            }
        }
        Outcome::ExplicitDeny => {
            assert!(denies && !decision.because.is_empty(), "an explicit deny that no layer says: {decision:?}");
            assert!(effects(Effect::Deny), "an explicit deny rests on what does not deny: {decision:?}");
        }
        Outcome::ImplicitDeny => assert!(!denies, "a layer denies, and the outcome does not say so: {decision:?}"),
        Outcome::Unknown(unknowns) => {
            assert!(!denies, "a layer denies, and the outcome is open: {decision:?}");
            assert!(!unknowns.keys.is_empty() || !unknowns.elements.is_empty(), "unknown, and nothing would decide it");
        }
    }
}

/// Knowing more never changes an answer, and an answer that is open for want of keys names keys that are not known.
pub fn check_growing_knowledge(request: &Request, policies: &Policies<'_>) {
    let open = Request { context: Context::open(), ..request.clone() };
    let first = iam_evaluate::evaluate(&open, policies);
    check(&first);
    let full = iam_evaluate::evaluate(request, policies);
    check(&full);
    refines(&first.outcome, &full.outcome);
    let mut known = open;
    let mut last = first;
    for _ in 0..40 {
        let Outcome::Unknown(unknowns) = &last.outcome else { return };
        if unknowns.keys.is_empty() {
            return;
        }
        for key in &unknowns.keys {
            assert_eq!(known.context.state(key), KeyState::Unknown, "asks for what it was told: {key}");
            match request.context.state(key) {
                KeyState::Present(values) => known.context.set(key.clone(), values.to_vec()),
                _ => known.context.set_absent(key.clone()),
            }
        }
        let next = iam_evaluate::evaluate(&known, policies);
        check(&next);
        refines(&last.outcome, &next.outcome);
        last = next;
    }
}

fn refines(less: &Outcome, more: &Outcome) {
    let holds = match less {
        Outcome::Allow => more.is_allow(),
        Outcome::ExplicitDeny => *more == Outcome::ExplicitDeny,
        Outcome::ImplicitDeny => more.is_deny(),
        Outcome::Unknown(_) => true,
    };
    assert!(holds, "knowing more turned {less:?} into {more:?}");
}

/// Asks a few things of every principal of a snapshot, and whether each reason can be quoted.
pub fn check_evaluator(evaluator: &Evaluator<'_>) {
    for arn in evaluator.principals().take(6) {
        let Ok(principal) = Principal::parse(arn.as_str()) else { continue };
        for resource in ["*", "arn:aws:s3:::b/k", "arn:aws:iam::111122223333:role/R"] {
            for action in ["s3:GetObject", "sts:AssumeRole"] {
                let Some(mut request) = request(action, resource, Context::open()) else { continue };
                request.principal = principal.clone();
                let decision = evaluator.decide_request(&request);
                check(&decision);
                for at in &decision.because {
                    let _ = evaluator.policy(&request, at);
                }
            }
        }
    }
}
