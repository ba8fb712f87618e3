//! Layer by layer, then together: AWS's enforcement logic.
//!
//! Follows the IAM User Guide topics "How AWS enforcement code logic evaluates requests to allow or deny access",
//! "Policy evaluation for requests within a single account" and "Cross-account policy evaluation logic", and the
//! Organizations User Guide topics "SCP evaluation" and "RCP evaluation".

mod alone;
mod scan;
mod special;

use std::sync::Arc;

use crate::context::{Context, Facts};
use crate::decision::{Decision, Layer, LayerOutcome, Layers, Outcome, Rule, Unknowns};
use crate::naming::Named;
use crate::principal::Principal;
use crate::request::{Parts, Request};
use crate::statement::CompiledPolicy;
use crate::truth::Truth;
pub(crate) use alone::{Said as SaidAlone, limit_alone};
use scan::{Scan, Sum};

/// The policies that apply to one request, compiled.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bound<'c> {
    pub(crate) identity: &'c [Arc<CompiledPolicy>],
    pub(crate) resource: Option<&'c CompiledPolicy>,
    pub(crate) boundary: &'c [Arc<CompiledPolicy>],
    pub(crate) session: &'c [Arc<CompiledPolicy>],
    pub(crate) scps: &'c [Vec<Arc<CompiledPolicy>>],
    pub(crate) rcps: &'c [Vec<Arc<CompiledPolicy>>],
    pub(crate) vpc_endpoint: &'c [Arc<CompiledPolicy>],
    pub(crate) management_account: bool,
    pub(crate) service_linked_role: bool,
    pub(crate) derived: &'c [&'c Context],
    /// The account that owns the resource, where more is known than the request and its ARN say.
    pub(crate) owner: Option<&'c str>,
}

/// What the layers said, before they are put together.
struct Said {
    identity: Sum,
    resource: Sum,
    /// How the allowing statements of the resource policy name the caller.
    named: Named,
    boundary: Sum,
    session: Sum,
    scp: Sum,
    rcp: Sum,
    vpc_endpoint: Sum,
}

/// Decides one request.
pub(crate) fn decide(request: &Request, bound: &Bound<'_>) -> Decision {
    let parts = Parts::of(request, bound.owner);
    if special::is_caller_identity(&parts) {
        let (layers, because) = (Layers::default(), Vec::new());
        return Decision { outcome: Outcome::Allow, layers, because, rules: vec![Rule::CallerIdentity] };
    }
    let facts = Facts { request: &request.context, derived: bound.derived };
    let mut scan = Scan::new(request, &parts, &facts, !bound.boundary.is_empty());
    let said = ask(&mut scan, request, &parts, bound);
    let mut rules = Vec::new();
    let same_account = request.principal.account_digits() == parts.owner;
    let allowed = together(request, &parts, bound, &said, same_account, &mut rules);
    let denied = Truth::any(said.sums().map(|(_, sum)| sum.deny));
    let outcome = match (denied, allowed) {
        (Truth::Yes, _) => Outcome::ExplicitDeny,
        // A deny that may apply changes nothing where nothing allows.
        (_, Truth::No) => Outcome::ImplicitDeny,
        (Truth::No, Truth::Yes) => Outcome::Allow,
        _ => Outcome::Unknown(Unknowns::default()),
    };
    let (because, unknowns) = scan.reasons(&outcome);
    let outcome = if let Outcome::Unknown(_) = outcome { Outcome::Unknown(unknowns) } else { outcome };
    Decision { outcome, layers: said.layers(), because, rules }
}

/// Asks every layer that binds the caller.
fn ask<'c>(scan: &mut Scan<'c>, request: &Request, parts: &Parts<'_>, bound: &Bound<'c>) -> Said {
    let has_account = !request.principal.account_digits().is_empty();
    let same_account = request.principal.account_digits() == parts.owner;
    let mut said = Said {
        identity: Sum::NOT_ASKED,
        resource: Sum::NOT_ASKED,
        named: Named::nobody(),
        boundary: Sum::NOT_ASKED,
        session: Sum::NOT_ASKED,
        scp: Sum::NOT_ASKED,
        rcp: Sum::NOT_ASKED,
        vpc_endpoint: Sum::NOT_ASKED,
    };
    if let Some(policy) = bound.resource {
        (said.resource, said.named) = scan.resource(policy);
    }
    if has_account {
        if !matches!(request.principal, Principal::Root(_)) {
            said.identity = scan.union(Layer::Identity, bound.identity);
            said.boundary = scan.limit(Layer::Boundary, bound.boundary);
            said.session = scan.limit(Layer::Session, bound.session);
        }
        if !bound.management_account && !bound.service_linked_role {
            said.scp = scan.levels(Layer::ServiceControl, bound.scps);
        }
    }
    let in_management_account = bound.management_account && same_account;
    if !bound.service_linked_role && !in_management_account {
        said.rcp = scan.resource_control(bound.rcps, special::reached_by_resource_control(parts));
    }
    said.vpc_endpoint = scan.limit(Layer::VpcEndpoint, bound.vpc_endpoint);
    said
}

/// Whether the layers together allow, explicit denies left aside.
fn together(
    request: &Request,
    parts: &Parts<'_>,
    bound: &Bound<'_>,
    said: &Said,
    same_account: bool,
    rules: &mut Vec<Rule>,
) -> Truth {
    let limits = said.boundary.allows_or_absent().and(said.session.allows_or_absent());
    let mut identity = said.identity.allow.and(limits);
    let mut limited = said.named.limited.and(limits);
    match &request.principal {
        Principal::Root(_) if same_account => {
            identity = Truth::Yes;
            rules.push(Rule::RootUser);
        }
        Principal::Root(_) => identity = Truth::Yes,
        Principal::FederatedUser(_) if bound.session.is_empty() => {
            (identity, limited) = (Truth::No, Truth::No);
            rules.push(Rule::FederatedWithoutSessionPolicy);
        }
        _ => {}
    }
    let delegated = said.named.account.and(identity);
    let grant = match &request.principal {
        Principal::Service(_) | Principal::Federated(_) | Principal::Anonymous => said.named.at_all(),
        _ if !same_account => identity.and(said.named.at_all()),
        _ if special::resource_policy_must_allow(parts) => said.named.fully.or(limited).or(delegated),
        _ => identity.or(said.named.fully).or(limited),
    };
    if let Some(rule) = special::forbids(request, parts) {
        rules.push(rule);
        return Truth::No;
    }
    grant.and(said.scp.allows_or_absent()).and(said.vpc_endpoint.allows_or_absent()).and(said.rcp.allows_or_absent())
}

impl Said {
    fn sums(&self) -> impl Iterator<Item = (Layer, &Sum)> {
        [
            (Layer::Identity, &self.identity),
            (Layer::Resource, &self.resource),
            (Layer::Boundary, &self.boundary),
            (Layer::Session, &self.session),
            (Layer::ServiceControl, &self.scp),
            (Layer::ResourceControl, &self.rcp),
            (Layer::VpcEndpoint, &self.vpc_endpoint),
        ]
        .into_iter()
    }

    fn layers(&self) -> Layers {
        let mut layers = Layers::default();
        for (layer, sum) in self.sums() {
            layers.set(
                layer,
                match (sum.asked, sum.deny, sum.allow) {
                    (false, ..) => LayerOutcome::NotApplicable,
                    (true, Truth::Yes, _) => LayerOutcome::ExplicitDeny,
                    (true, _, Truth::No) => LayerOutcome::ImplicitDeny,
                    (true, Truth::No, Truth::Yes) => LayerOutcome::Allow,
                    _ => LayerOutcome::Unknown,
                },
            );
        }
        layers
    }
}
