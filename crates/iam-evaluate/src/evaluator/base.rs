//! A snapshot's policies, compiled and looked up by what they are attached to.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use iam_model::action::ActionPattern;
use iam_model::arn::{AccountId, Arn, ResourcePattern};
use iam_model::policy::{PolicyDocument, PrincipalElement, PrincipalPattern, Statement};
use iam_model::snapshot::{AccountGuardrails, Identity, PolicyOrigin, Snapshot, SnapshotIndex};
use iam_model::text::Spanned;

use super::derived;
use super::holder::{Endpoint, Guards, Held, Holder, Levels};
use crate::context::Context;
use crate::statement::CompiledPolicy;

/// Everything compiled from a snapshot.
#[derive(Debug)]
pub(super) struct Base<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) principals: BTreeMap<&'a Arn, Arc<Holder<'a>>>,
    /// The same, for the look-up that every decision begins with.
    by_arn: ByArn<'a>,
    /// Roles by account and name: a session's ARN has no path.
    names: BTreeMap<(&'a str, &'a str), &'a Arn>,
    pub(super) resources: BTreeMap<&'a Arn, Arc<Held<'a>>>,
    /// VPC endpoints by id.
    pub(super) endpoints: BTreeMap<&'a str, Endpoint<'a>>,
    /// Control policies by account.
    pub(super) guards: BTreeMap<&'a str, Arc<Guards<'a>>>,
    /// What being owned by one of the snapshot's accounts tells.
    pub(super) accounts: BTreeMap<&'a str, Context>,
    buckets: BTreeMap<&'a str, &'a str>,
    key_policies: BTreeMap<&'a str, CompiledPolicy>,
    pub(super) unknown_identity: Vec<Arc<CompiledPolicy>>,
    pub(super) unknown_resource: Arc<CompiledPolicy>,
    pub(super) unknown_endpoint: Vec<Arc<CompiledPolicy>>,
}

#[expect(clippy::disallowed_types, reason = "only looked up in, never walked; a tree costs a tenth of a decision")]
type ByArn<'a> = std::collections::HashMap<&'a Arn, Arc<Holder<'a>>>;

/// Compiles each document once, however often it is attached.
#[derive(Default)]
struct Compiler(BTreeMap<usize, Arc<CompiledPolicy>>);

impl Compiler {
    fn compile(&mut self, document: &PolicyDocument) -> Arc<CompiledPolicy> {
        let address = std::ptr::from_ref(document).addr();
        Arc::clone(self.0.entry(address).or_insert_with(|| Arc::new(CompiledPolicy::new(document))))
    }

    fn held<'a>(&mut self, name: &str, document: &'a PolicyDocument) -> Held<'a> {
        let compiled = self.compile(document);
        Held::new(name, document, compiled)
    }
}

impl<'a> Base<'a> {
    pub(super) fn new(index: &SnapshotIndex<'a>) -> Self {
        let snapshot = index.snapshot();
        let mut compiler = Compiler::default();
        let unknown = |what: &str| CompiledPolicy::unknown(what.into());
        let mut base = Self {
            snapshot,
            principals: BTreeMap::new(),
            by_arn: ByArn::new(),
            names: BTreeMap::new(),
            resources: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            guards: BTreeMap::new(),
            accounts: BTreeMap::new(),
            buckets: BTreeMap::new(),
            key_policies: BTreeMap::new(),
            unknown_identity: vec![Arc::new(unknown("the policies of a caller that the snapshot does not hold"))],
            unknown_resource: Arc::new(unknown("the policy of a resource that the snapshot does not hold")),
            unknown_endpoint: vec![Arc::new(unknown("the policy of a VPC endpoint that the snapshot does not hold"))],
        };
        let organization = snapshot.organization.as_ref();
        for user in index.users() {
            let derived = derived::of_caller(&user.identity, true, true, organization);
            base.add_principal(index, &mut compiler, &user.identity, derived);
        }
        for role in index.roles() {
            let trust = compiler.held(role.identity.arn.as_str(), &role.trust);
            let own_tags = !trust.compiled.may_allow("sts", "TagSession");
            let derived = derived::of_caller(&role.identity, false, own_tags, organization);
            base.add_principal(index, &mut compiler, &role.identity, derived);
            base.resources.insert(&role.identity.arn, Arc::new(trust));
            base.names.insert((derived::account_of(&role.identity.arn), &role.identity.name), &role.identity.arn);
        }
        for (id, account) in &snapshot.accounts {
            base.accounts.insert(id.as_str(), derived::of_account(id, organization));
            base.key_policies.insert(id.as_str(), CompiledPolicy::new(&default_key_policy(id)));
            for (arn, document) in &account.resource_policies {
                let compiled = match document.for_resource(arn) {
                    Cow::Borrowed(document) => compiler.compile(document),
                    // Documents are told by where they stand, and this one is about to go.
                    Cow::Owned(document) => Arc::new(CompiledPolicy::new(&document)),
                };
                base.resources.insert(arn, Arc::new(Held::new(arn.as_str(), document, compiled)));
            }
            for (arn, endpoint) in &account.vpc_endpoints {
                if let Some(document) = &endpoint.policy {
                    let held = compiler.held(arn.as_str(), document);
                    base.endpoints.insert(&endpoint.id, Endpoint::new(Some(held)));
                }
            }
            let owned = account.resources.iter().map(|r| &r.arn).chain(account.resource_policies.keys());
            base.buckets.extend(owned.filter(|arn| arn.service() == "s3").map(|arn| (arn.resource(), id.as_str())));
        }
        base.add_guards(index, &mut compiler);
        base
    }

    fn add_principal(
        &mut self,
        index: &SnapshotIndex<'a>,
        compiler: &mut Compiler,
        identity: &'a Identity,
        derived: Context,
    ) {
        let policies = index.identity_policies(&identity.arn).into_iter().map(|attached| {
            let (managed, group) = match attached.origin {
                PolicyOrigin::Inline(_) => (None, None),
                PolicyOrigin::Managed(arn) => (Some(arn), None),
                PolicyOrigin::Group(arn) => (None, Some(arn)),
            };
            Held { managed, group, ..compiler.held(attached.name, attached.document) }
        });
        let service_linked = identity.arn.resource().starts_with("role/aws-service-role/");
        let mut holder = Holder { service_linked, derived, ..Holder::default() };
        holder.set_policies(policies.collect());
        let boundary_name = identity.boundary.as_ref().map_or("", |arn| arn.as_str());
        holder.set_boundary(index.boundary(&identity.arn).map(|document| compiler.held(boundary_name, document)));
        let holder = Arc::new(holder);
        self.by_arn.insert(&identity.arn, Arc::clone(&holder));
        self.principals.insert(&identity.arn, holder);
    }

    fn add_guards(&mut self, index: &SnapshotIndex<'a>, compiler: &mut Compiler) {
        let Some(organization) = &self.snapshot.organization else { return };
        for (id, AccountGuardrails { scps, rcps }) in &organization.accounts {
            let mut levels = |levels: &'a [Vec<PolicyDocument>], what: &str| {
                let name = |level: usize, place: usize| format!("{what}, level {level}, policy {place}");
                let level = |(number, documents): (usize, &'a Vec<PolicyDocument>)| {
                    let documents = documents.iter().enumerate();
                    documents.map(|(place, document)| compiler.held(&name(number, place), document)).collect::<Vec<_>>()
                };
                Levels::new(levels.iter().enumerate().map(level).collect())
            };
            let guards = Guards {
                scps: levels(scps, "service control policies"),
                rcps: levels(rcps, "resource control policies"),
            };
            self.guards.insert(id.as_str(), Arc::new(guards));
        }
        // An account of the snapshot that the organisation's part leaves out: its guardrails are not known.
        let known: Vec<&AccountId> = self.snapshot.accounts.keys().collect();
        for id in known {
            if index.guardrails(id).is_none() && !index.is_management_account(id) {
                let unknown = Arc::new(CompiledPolicy::unknown(format!("the guardrails above account {id}")));
                let levels = || Levels { held: Vec::new(), compiled: vec![vec![Arc::clone(&unknown)]] };
                self.guards.insert(id.as_str(), Arc::new(Guards { scps: levels(), rcps: levels() }));
            }
        }
    }

    /// A role or user by its ARN.
    pub(super) fn holder(&self, arn: &Arn) -> Option<&Holder<'a>> {
        self.by_arn.get(arn).map(|holder| &**holder)
    }

    /// A role by the ARN that a session gives it, without its path.
    pub(super) fn named(&self, arn: &Arn) -> Option<&'a Arn> {
        let is_role = arn.service() == "iam" && arn.resource().starts_with("role/");
        if is_role { self.names.get(&(derived::account_of(arn), arn.name())).copied() } else { None }
    }

    pub(super) fn is_management(&self, account: &str) -> bool {
        let organization = self.snapshot.organization.as_ref();
        organization.and_then(|o| o.management_account.as_ref()).is_some_and(|id| id.as_str() == account)
    }

    /// The account of an S3 bucket, also for its objects.
    pub(super) fn bucket_owner(&self, arn: &Arn) -> Option<&'a str> {
        let bucket = arn.resource().split('/').next().unwrap_or_default();
        if arn.service() == "s3" { self.buckets.get(bucket).copied() } else { None }
    }

    /// Whether endpoints were collected at all.
    pub(super) fn holds_endpoints(&self) -> bool {
        self.snapshot.accounts.values().any(|account| !account.vpc_endpoints.is_empty())
    }

    /// The id of an endpoint of the snapshot.
    pub(super) fn endpoint_id(&self, arn: &Arn) -> Option<&'a str> {
        let mut accounts = self.snapshot.accounts.values();
        accounts.find_map(|account| account.vpc_endpoints.get(arn)).map(|endpoint| endpoint.id.as_str())
    }

    pub(super) fn is_key(&self, arn: &Arn) -> bool {
        arn.service() == "kms" && arn.resource().starts_with("key/")
    }

    /// Every key has a policy. Where the snapshot does not hold it: the one AWS gives a key that is made without.
    pub(super) fn default_key_policy(&self, owner: &str) -> &CompiledPolicy {
        self.key_policies.get(owner).unwrap_or(&self.unknown_resource)
    }
}

/// Leaves the decision to the identity policies of the account (KMS Developer Guide, "Default key policy").
fn default_key_policy(account: &AccountId) -> PolicyDocument {
    let mut statement = Statement::allow(vec![ActionPattern::new("kms:*")], vec![ResourcePattern::everything()]);
    let root = PrincipalPattern::Aws(account.to_string());
    statement.principal = Some(PrincipalElement::Principal(vec![Spanned::synthetic(root)]));
    PolicyDocument::new(vec![statement])
}

/// The resource whose policy speaks for another: a bucket for its objects, a table for its indexes, an API for its paths.
pub(super) fn holder_of(arn: &Arn) -> Option<Arn> {
    let resource = arn.resource();
    let held_by = match arn.service() {
        "s3" => resource.split_once('/')?.0,
        "execute-api" => resource.split_once('/')?.0,
        "dynamodb" => resource.split_once("/index/")?.0,
        _ => return None,
    };
    let prefix = arn.as_str().strip_suffix(resource)?;
    format!("{prefix}{held_by}").parse().ok()
}
