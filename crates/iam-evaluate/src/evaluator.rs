//! Deciding requests against a snapshot, compiled once: picks the policies of caller, resource and accounts by itself.
//!
//! What the snapshot does not hold is unknown, and the decision says so. Keys that follow from the snapshot (who the
//! caller is, its account, organisation and tags, the resource's account) need not be given. What a change would do is
//! asked of a copy with the change applied; copies share everything that did not change.

mod base;
mod changes;
mod derived;
mod holder;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use iam_model::arn::{AccountId, Arn};
use iam_model::condition::ConditionKey;
use iam_model::policy::PolicyDocument;
use iam_model::snapshot::SnapshotIndex;

use crate::context::{Context, KeyState};
use crate::decision::{Decision, Layer, StatementRef};
use crate::layers::{Bound, decide};
use crate::principal::Principal;
use crate::request::{Request, ResourceName};
use crate::statement::CompiledPolicy;
use base::Base;
pub use changes::ChangeError;
use holder::{Endpoint, Guards, Held, Holder};

/// The endpoint that a request came through.
static SOURCE_VPCE: LazyLock<ConditionKey> = LazyLock::new(|| ConditionKey::new("aws:SourceVpce"));

/// Decides requests against one snapshot.
///
/// ```
/// use iam_evaluate::{Context, Evaluator, Principal, Request};
/// use iam_model::snapshot::{self, SnapshotIndex};
/// use iam_model::text::{SourceName, SourceText};
/// let text = r#"{"schema": "paring-snapshot/1", "accounts": {"111122223333": {"authorization_details": {"RoleDetailList": [
///     {"RoleName": "R", "Arn": "arn:aws:iam::111122223333:role/R", "AssumeRolePolicyDocument": {"Statement": []},
///      "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement":
///         {"Effect": "Allow", "Action": "sqs:*", "Resource": "arn:aws:sqs:*:*:orders-${aws:PrincipalAccount}"}}}]}]}}}}"#;
/// let (snapshot, _) = snapshot::read(SourceText { name: SourceName::new("s.json"), text: text.into() }).unwrap();
/// let (index, _) = SnapshotIndex::new(&snapshot);
/// let evaluator = Evaluator::new(&index);
/// let role = "arn:aws:iam::111122223333:role/R".parse().unwrap();
/// let request = |action: &str| Request {
///     principal: Principal::parse("arn:aws:iam::111122223333:role/R").unwrap(),
///     action: action.parse().unwrap(),
///     resource: "arn:aws:sqs:eu-west-1:111122223333:orders-111122223333".parse().unwrap(),
///     resource_account: None,
///     context: Context::open(),
/// };
/// assert!(evaluator.decide(&role, &request("sqs:SendMessage")).outcome.is_allow());
/// assert!(evaluator.decide(&role, &request("sns:Publish")).outcome.is_deny());
/// ```
#[derive(Debug, Clone)]
pub struct Evaluator<'a> {
    base: Arc<Base<'a>>,
    /// What changes replaced, over the base.
    principals: BTreeMap<Arn, Arc<Holder<'a>>>,
    resources: BTreeMap<Arn, Option<Arc<Held<'a>>>>,
    endpoints: BTreeMap<String, Endpoint<'a>>,
    guards: BTreeMap<AccountId, Arc<Guards<'a>>>,
}

/// A policy that took part in a decision.
#[derive(Debug, Clone)]
pub struct PolicyPlace<'e> {
    /// Its name, or the ARN of what it is attached to.
    pub name: &'e str,
    /// Its document, as evaluated.
    pub document: &'e PolicyDocument,
}

impl<'a> Evaluator<'a> {
    /// Compiles every policy of a snapshot.
    #[must_use]
    pub fn new(index: &SnapshotIndex<'a>) -> Self {
        Self {
            base: Arc::new(Base::new(index)),
            principals: BTreeMap::new(),
            resources: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            guards: BTreeMap::new(),
        }
    }

    /// Decides a request made by `principal`, the ARN of a role or user; for sessions, the role's.
    ///
    /// The request says how the principal presents itself (which session, which context).
    #[must_use]
    pub fn decide(&self, principal: &Arn, request: &Request) -> Decision {
        self.decide_as(self.holder(principal), request)
    }

    /// Decides a request by whoever it says makes it; a session is taken for its role, found by name.
    #[must_use]
    pub fn decide_request(&self, request: &Request) -> Decision {
        self.decide_as(self.caller(&request.principal), request)
    }

    fn caller(&self, principal: &Principal) -> Option<&Holder<'a>> {
        let arn = principal.arn()?;
        self.holder(arn).or_else(|| self.holder(self.base.named(arn)?))
    }

    fn holder(&self, principal: &Arn) -> Option<&Holder<'a>> {
        if let Some(holder) = self.principals.get(principal) {
            return Some(holder);
        }
        self.base.holder(principal)
    }

    fn guards(&self, account: &str) -> Option<&Guards<'a>> {
        if !self.guards.is_empty() {
            let changed = self.guards.iter().find(|(id, _)| id.as_str() == account);
            if let Some((_, guards)) = changed {
                return Some(guards);
            }
        }
        self.base.guards.get(account).map(|guards| &**guards)
    }

    fn decide_as(&self, holder: Option<&Holder<'a>>, request: &Request) -> Decision {
        let caller = request.principal.account_digits();
        let owner = self.owner(request);
        let resource = self.resource_side(request, caller, owner);
        let has_policies = !matches!(request.principal, Principal::Root(_)) && !caller.is_empty();
        let (identity, boundary) = match holder {
            Some(holder) => (holder.compiled.as_slice(), holder.boundary.as_slice()),
            None if has_policies => (self.base.unknown_identity.as_slice(), &[][..]),
            None => (&[][..], &[][..]),
        };
        let mut derived: Vec<&Context> = Vec::new();
        if !request.context.is_complete() {
            derived.extend(holder.map(|holder| &holder.derived));
            derived.extend(self.base.accounts.get(owner));
            derived.extend(derived::of_region(&request.resource));
        }
        let scps = self.guards(caller).map_or(&[][..], |guards| guards.scps.compiled.as_slice());
        let rcps = self.guards(owner).map_or(&[][..], |guards| guards.rcps.compiled.as_slice());
        let bound = Bound {
            identity,
            resource,
            boundary,
            session: &[],
            scps,
            rcps,
            vpc_endpoint: self.endpoint_side(request),
            management_account: self.base.is_management(caller),
            service_linked_role: holder.is_some_and(|holder| holder.service_linked),
            derived: &derived,
            owner: Some(owner),
        };
        decide(request, &bound)
    }

    /// The account that owns the request's resource; the caller's where nothing says otherwise.
    fn owner<'r>(&'r self, request: &'r Request) -> &'r str {
        if let Some(account) = &request.resource_account {
            return account.as_str();
        }
        let caller = request.principal.account_digits();
        match &request.resource {
            ResourceName::None => caller,
            ResourceName::Arn(arn) => {
                let named = arn.account_text();
                let is_account = AccountId::is_number(named);
                if is_account { named } else { self.base.bucket_owner(arn).unwrap_or(caller) }
            }
        }
    }

    /// The policy on the resource: the snapshot's, the default of its service, or one that is not known.
    fn resource_side(&self, request: &Request, caller: &str, owner: &str) -> Option<&CompiledPolicy> {
        let ResourceName::Arn(arn) = &request.resource else { return None };
        if let Some(held) = self.held_on(arn) {
            return held.map(|held| &*held.compiled);
        }
        if self.base.is_key(arn) {
            return Some(self.base.default_key_policy(owner));
        }
        let is_role = arn.service() == "iam" && arn.resource().starts_with("role/");
        let assumes = is_role && request.action.service().eq_ignore_ascii_case("sts");
        let outside = caller != owner && !self.base.accounts.contains_key(owner);
        (assumes || outside).then_some(&*self.base.unknown_resource)
    }

    /// The policy of the VPC endpoint that a request says it came through, or one that is not known. A snapshot without
    /// endpoints was made without them: then they limit nothing.
    fn endpoint_side(&self, request: &Request) -> &[Arc<CompiledPolicy>] {
        match request.context.state(&SOURCE_VPCE) {
            KeyState::Present([id]) if self.base.holds_endpoints() => {
                self.endpoint(id).map_or(self.base.unknown_endpoint.as_slice(), |endpoint| &endpoint.compiled)
            }
            _ => &[],
        }
    }

    fn endpoint(&self, id: &str) -> Option<&Endpoint<'a>> {
        self.endpoints.get(id).or_else(|| self.base.endpoints.get(id))
    }

    /// The policy that stands on a resource; `Some(None)` where a change removed it.
    fn held_on(&self, arn: &Arn) -> Option<Option<&Arc<Held<'a>>>> {
        let find = |arn: &Arn| {
            let changed = self.resources.get(arn).map(Option::as_ref);
            changed.or_else(|| self.base.resources.get(arn).map(Some))
        };
        find(arn).or_else(|| find(&base::holder_of(arn)?))
    }

    /// The policy behind a statement of a decision on `request`.
    #[must_use]
    pub fn policy(&self, request: &Request, at: &StatementRef) -> Option<PolicyPlace<'_>> {
        let holder = || self.caller(&request.principal);
        let held = match at.layer {
            Layer::Identity => holder()?.held.get(at.policy)?,
            Layer::Boundary => holder()?.boundary_held.as_deref()?,
            Layer::Resource => {
                let ResourceName::Arn(arn) = &request.resource else { return None };
                self.held_on(arn)??
            }
            Layer::ServiceControl => {
                self.guards(request.principal.account_digits())?.scps.held.get(at.level)?.get(at.policy)?
            }
            Layer::ResourceControl => self.guards(self.owner(request))?.rcps.held.get(at.level)?.get(at.policy)?,
            Layer::VpcEndpoint => {
                let KeyState::Present([id]) = request.context.state(&SOURCE_VPCE) else { return None };
                self.endpoint(id)?.held.as_deref()?
            }
            Layer::Session => return None,
        };
        Some(PolicyPlace { name: &held.name, document: held.document() })
    }

    /// Every role and user of the snapshot, by ARN.
    pub fn principals(&self) -> impl Iterator<Item = &Arn> {
        self.base.principals.keys().copied()
    }
}
