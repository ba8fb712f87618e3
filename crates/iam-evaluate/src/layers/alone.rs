//! One layer of limits by itself: what it says whatever the other layers say.
//!
//! Follows the Organizations User Guide topics "SCP evaluation" and "RCP evaluation". Whether the request is allowed in
//! the end is not asked here.

use std::sync::Arc;

use super::scan::Scan;
use super::special;
use crate::context::{Context, Facts};
use crate::decision::{Layer, LayerOutcome, Outcome, StatementRef, Unknowns};
use crate::request::{Parts, Request};
use crate::statement::CompiledPolicy;
use crate::truth::Truth;

/// What a layer says alone.
pub(crate) struct Said {
    pub(crate) outcome: LayerOutcome,
    /// The statements that deny, that allow, or on which it depends.
    pub(crate) because: Vec<StatementRef>,
    /// The first level that denies, or that does not allow.
    pub(crate) level: Option<usize>,
    /// What would have to be known.
    pub(crate) unknowns: Unknowns,
}

/// Asks the levels of one layer of a caller whom it binds. `allowed`: every level holds a policy of AWS's that allows all.
pub(crate) fn limit_alone(
    request: &Request,
    layer: Layer,
    levels: &[Vec<Arc<CompiledPolicy>>],
    allowed: bool,
    derived: &[&Context],
) -> Said {
    let parts = Parts::of(request, None);
    let facts = Facts { request: &request.context, derived };
    let reach = if layer == Layer::ResourceControl { special::reached_by_resource_control(&parts) } else { Truth::Yes };
    let nobody = || Said {
        outcome: LayerOutcome::NotApplicable,
        because: Vec::new(),
        level: None,
        unknowns: Unknowns::default(),
    };
    if special::is_caller_identity(&parts) || levels.is_empty() || reach == Truth::No {
        return nobody();
    }
    let mut scan = Scan::new(request, &parts, &facts, false);
    scan.reaching(reach);
    let (mut allow, mut deny, mut silent) = (Truth::Yes, Truth::No, None);
    for (index, policies) in levels.iter().enumerate() {
        let sum = scan.level(layer, index, policies);
        deny = deny.or(sum.deny);
        let here = if allowed { Truth::Yes } else { sum.allow };
        if here == Truth::No && silent.is_none() {
            silent = Some(index);
        }
        allow = allow.and(here);
    }
    let (outcome, sought) = match (deny, allow) {
        (Truth::Yes, _) => (LayerOutcome::ExplicitDeny, Outcome::ExplicitDeny),
        (_, Truth::No) => (LayerOutcome::ImplicitDeny, Outcome::ImplicitDeny),
        (Truth::No, Truth::Yes) => (LayerOutcome::Allow, Outcome::Allow),
        _ => (LayerOutcome::Unknown, Outcome::Unknown(Unknowns::default())),
    };
    let (because, unknowns) = scan.reasons(&sought);
    let level = match outcome {
        LayerOutcome::ExplicitDeny => because.iter().map(|at| at.level).min(),
        LayerOutcome::ImplicitDeny => silent,
        _ => None,
    };
    Said { outcome, because, level, unknowns }
}
