//! Deciding one request against policies given as documents.

use std::sync::Arc;

use iam_model::policy::PolicyDocument;

use crate::context::Context;
use crate::decision::Decision;
use crate::layers::{Bound, decide};
use crate::request::{Parts, Request};
use crate::statement::CompiledPolicy;

/// The policies that apply to a request. An empty list: that kind of policy does not exist.
#[derive(Debug, Clone, Default)]
pub struct Policies<'a> {
    /// Of the caller: inline, managed, through groups.
    pub identity: Vec<&'a PolicyDocument>,
    /// Of the resource; for a role, its trust policy.
    pub resource: Option<&'a PolicyDocument>,
    /// The caller's permissions boundary.
    pub boundary: Vec<&'a PolicyDocument>,
    /// Given when the session was made; their allows add up.
    pub session: Vec<&'a PolicyDocument>,
    /// Service control policies above the caller's account, a list per level.
    pub scps: Vec<Vec<&'a PolicyDocument>>,
    /// Resource control policies above the resource's account, a list per level.
    pub rcps: Vec<Vec<&'a PolicyDocument>>,
    /// Of the VPC endpoint, where the request came through one.
    pub vpc_endpoint: Vec<&'a PolicyDocument>,
    /// Whether the caller is in the organisation's management account, which service control policies do not bind.
    pub principal_is_management_account: bool,
    /// Whether the caller is a service-linked role, which control policies do not bind.
    pub principal_is_service_linked_role: bool,
}

/// Decides one request.
///
/// ```
/// use iam_evaluate::{Context, Outcome, Policies, Principal, Request, evaluate};
/// use iam_model::action::ActionPattern;
/// use iam_model::arn::ResourcePattern;
/// use iam_model::policy::{PolicyDocument, Statement};
///
/// let gets = Statement::allow(vec![ActionPattern::new("s3:Get*")], vec![ResourcePattern::new("arn:aws:s3:::logs/*")]);
/// let policy = PolicyDocument::new(vec![gets]);
/// let request = Request {
///     principal: Principal::parse("arn:aws:iam::111122223333:role/Reader").unwrap(),
///     action: "s3:GetObject".parse().unwrap(),
///     resource: "arn:aws:s3:::logs/2026".parse().unwrap(),
///     resource_account: None,
///     context: Context::open(),
/// };
/// let decision = evaluate(&request, &Policies { identity: vec![&policy], ..Policies::default() });
/// assert_eq!(decision.outcome, Outcome::Allow);
/// assert_eq!(decision.because.len(), 1);
/// ```
#[must_use]
pub fn evaluate(request: &Request, policies: &Policies<'_>) -> Decision {
    let parts = Parts::of(request, None);
    let compile = |document: &PolicyDocument| CompiledPolicy::for_request(document, &parts);
    CompiledPolicies::with(policies, compile).decide_on(request, policies.resource.map(compile).as_ref(), &[])
}

/// A caller's policies and limits, read once for deciding many requests.
#[derive(Debug, Clone)]
pub struct CompiledPolicies {
    identity: Vec<Arc<CompiledPolicy>>,
    boundary: Vec<Arc<CompiledPolicy>>,
    session: Vec<Arc<CompiledPolicy>>,
    scps: Vec<Vec<Arc<CompiledPolicy>>>,
    rcps: Vec<Vec<Arc<CompiledPolicy>>>,
    vpc_endpoint: Vec<Arc<CompiledPolicy>>,
    management_account: bool,
    service_linked_role: bool,
}

impl CompiledPolicies {
    /// Reads all policies but the resource's, which is given with each request.
    #[must_use]
    pub fn new(policies: &Policies<'_>) -> Self {
        Self::with(policies, CompiledPolicy::new)
    }

    fn with(policies: &Policies<'_>, compile: impl Fn(&PolicyDocument) -> CompiledPolicy) -> Self {
        let list = |documents: &[&PolicyDocument]| {
            documents.iter().map(|document| Arc::new(compile(document))).collect::<Vec<_>>()
        };
        let levels = |levels: &[Vec<&PolicyDocument>]| levels.iter().map(|level| list(level)).collect::<Vec<_>>();
        Self {
            identity: list(&policies.identity),
            boundary: list(&policies.boundary),
            session: list(&policies.session),
            scps: levels(&policies.scps),
            rcps: levels(&policies.rcps),
            vpc_endpoint: list(&policies.vpc_endpoint),
            management_account: policies.principal_is_management_account,
            service_linked_role: policies.principal_is_service_linked_role,
        }
    }

    /// Decides one request on a resource with this policy.
    ///
    /// `known` holds facts that are the same for many requests, such as who the caller is; the request's own context goes
    /// before them.
    #[must_use]
    pub fn decide(&self, request: &Request, resource: Option<&PolicyDocument>, known: &[&Context]) -> Decision {
        self.decide_on(request, resource.map(CompiledPolicy::new).as_ref(), known)
    }

    fn decide_on(&self, request: &Request, resource: Option<&CompiledPolicy>, known: &[&Context]) -> Decision {
        let bound = Bound {
            identity: &self.identity,
            resource,
            boundary: &self.boundary,
            session: &self.session,
            scps: &self.scps,
            rcps: &self.rcps,
            vpc_endpoint: &self.vpc_endpoint,
            management_account: self.management_account,
            service_linked_role: self.service_linked_role,
            derived: known,
            owner: None,
        };
        decide(request, &bound)
    }
}
