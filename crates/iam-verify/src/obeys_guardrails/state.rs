//! What is known about accounts, roles and functions at one moment, as the rules take it.
//!
//! Looks up and carries over; which question it is for is decided next door.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use iam_evaluate::glob::{Glob, Reading};
use iam_evaluate::guardrail::GuardrailCase;
use iam_graph::AccessGraph;
use iam_model::action::{Action, ActionPattern};
use iam_model::arn::{AccountId, Arn, ResourcePattern};
use iam_model::change::{AttachmentKind, Change};
use iam_model::finding::Subject;
use iam_model::policy::PolicyVersion;
use iam_model::snapshot::{PolicyOrigin, Resource, ResourceKind, SnapshotIndex};
use iam_model::usage::{UsageLog, Visibility};

use super::Rulebook;
use crate::guardrails::{
    AccountFacts, Author, BotName, Environment, Escalation, FunctionFacts, PermissionFacts, PersonName,
    PullRequestName, RoleFacts, Usage,
};

/// What was seen, and what could have been.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// The logs; nothing where none were given.
    pub usage: Option<&'a UsageLog>,
    /// Days the logs span.
    pub days: u64,
    /// Whether each of a role's calls on a resource would have been logged.
    pub visibility: &'a (dyn Fn(&Arn, &Action, &ResourcePattern) -> Visibility + Sync),
    /// Whether a role is known to need an action though no call shows it: a rule keeps it, or something else asks for it.
    pub needed: &'a (dyn Fn(&Arn, &Action) -> bool + Sync),
}

/// What the organisation states about itself and about who asks.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What accounts are for.
    pub environments: BTreeMap<AccountId, Environment>,
    /// Roles that must survive every service control policy.
    pub break_glass: Vec<Arn>,
    /// Roles that some source declares; nothing where no source was given.
    pub declared: Option<BTreeSet<Arn>>,
    /// Who would merge or attach.
    pub author: Author,
    /// The name of the pull request.
    pub pull_request: PullRequestName,
    /// Who approved it.
    pub approvals: BTreeSet<PersonName>,
    /// Requests that test guardrail policies, with what is expected of each; nothing where none were named.
    pub tests: Option<Vec<GuardrailCase>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            environments: BTreeMap::new(),
            break_glass: Vec::new(),
            declared: None,
            author: Author::Bot(BotName::new("paring")),
            pull_request: PullRequestName::new("this change"),
            approvals: BTreeSet::new(),
            tests: None,
        }
    }
}

/// Whose calls of which pattern of actions on which pattern of resources.
type Asked = (Option<AccountId>, String, String);

/// One side of a change: the accounts, who can become whom in them, and everything else the rules may know.
pub struct State<'a> {
    /// The rules.
    pub rulebook: &'a Rulebook<'a>,
    /// The accounts.
    pub index: &'a SnapshotIndex<'a>,
    /// Who can become whom on this side.
    pub graph: &'a AccessGraph,
    /// What was seen.
    pub evidence: Evidence<'a>,
    /// What the organisation states.
    pub settings: &'a Settings,
    permissions: Mutex<BTreeMap<String, Arc<PermissionFacts>>>,
    observable: Mutex<BTreeMap<Asked, bool>>,
}

impl<'a> State<'a> {
    /// One side of a change.
    #[must_use]
    pub const fn new(
        rulebook: &'a Rulebook<'a>,
        index: &'a SnapshotIndex<'a>,
        graph: &'a AccessGraph,
        evidence: Evidence<'a>,
        settings: &'a Settings,
    ) -> Self {
        Self {
            rulebook,
            index,
            graph,
            evidence,
            settings,
            permissions: Mutex::new(BTreeMap::new()),
            observable: Mutex::new(BTreeMap::new()),
        }
    }

    pub(super) fn account(&self, id: AccountId) -> AccountFacts {
        AccountFacts {
            environment: self.settings.environments.get(&id).copied(),
            management: self.index.is_management_account(&id),
            ..AccountFacts::new(id)
        }
    }

    /// A role of the snapshot.
    pub(super) fn role(&self, arn: &Arn) -> Option<RoleFacts> {
        let role = self.index.role(arn)?;
        let account = self.account(arn.account()?);
        Some(RoleFacts {
            boundary: role.identity.boundary.clone(),
            service_linked: role.is_service_linked(),
            managed_by_code: self.settings.declared.as_ref().map(|declared| declared.contains(arn)),
            function_count: self.index.functions_of(arn).len() as u64,
            admin: self.graph.is_admin(arn),
            tags: role.identity.tags.clone(),
            ..RoleFacts::new(arn.clone(), account)
        })
    }

    /// A role by a name that the snapshot need not hold.
    pub(super) fn role_or_name(&self, arn: &Arn) -> Option<RoleFacts> {
        self.role(arn).or_else(|| Some(RoleFacts::new(arn.clone(), self.account(arn.account()?))))
    }

    pub(super) fn function(&self, resource: &Resource) -> Option<FunctionFacts> {
        let account = self.account(resource.arn.account()?);
        Some(FunctionFacts { arn: resource.arn.clone(), account, tags: BTreeMap::new() })
    }

    pub(super) fn functions(&self) -> Vec<FunctionFacts> {
        let accounts = self.index.snapshot().accounts.values();
        let functions = accounts.flat_map(|a| &a.resources).filter(|r| r.kind == ResourceKind::LambdaFunction);
        functions.filter_map(|resource| self.function(resource)).collect()
    }

    /// The roles that hold the policy that a change is about; none for policies that grant nothing to roles.
    pub(super) fn holders(&self, change: &Change) -> Vec<RoleFacts> {
        if change.attachment.kind != AttachmentKind::Identity {
            return Vec::new();
        }
        let named = match (&change.attachment.principal_arn, &change.attachment.policy_name) {
            (Some(arn), _) => self.role(arn).into_iter().collect(),
            (None, Some(name)) => {
                let has = |arn: &Arn| {
                    let held = self.index.identity_policies(arn);
                    held.iter().any(|p| matches!(p.origin, PolicyOrigin::Managed(policy) if policy.as_str() == name))
                };
                let arns = self.index.roles().map(|role| &role.identity.arn).filter(|arn| has(arn));
                arns.filter_map(|arn| self.role(arn)).collect()
            }
            (None, None) => Vec::new(),
        };
        let named: Vec<RoleFacts> = named;
        named
    }

    /// Whether an account is neither in the snapshot nor in its organisation.
    pub(super) fn is_third_party(&self, account: &AccountId) -> bool {
        let snapshot = self.index.snapshot();
        let organization = snapshot.organization.as_ref();
        !snapshot.accounts.contains_key(account)
            && !organization.is_some_and(|organization| organization.accounts.contains_key(account))
    }

    /// The facts of an action pattern; the whole catalogue is gone through once per pattern.
    pub(super) fn permission(&self, action: &ActionPattern) -> Arc<PermissionFacts> {
        let mut known = self.permissions.lock().unwrap_or_else(PoisonError::into_inner);
        let made = known.entry(action.as_str().to_owned()).or_insert_with(|| {
            Arc::new(PermissionFacts::of(action.clone(), self.rulebook.catalog, self.rulebook.groups))
        });
        Arc::clone(made)
    }

    /// What the logs say about a role's use of an action pattern on a resource pattern.
    pub(super) fn usage(&self, role: &Arn, action: &ActionPattern, resource: &ResourcePattern) -> Usage {
        let Some(log) = self.evidence.usage else { return Usage::default() };
        let actions = Glob::parse(action.as_str(), Reading::ACTION);
        let resources = Glob::parse(resource.as_str(), Reading::resource(PolicyVersion::V2012)).widened();
        let seen = log.principals.get(role).map(|seen| seen.observations.as_slice()).unwrap_or_default();
        let (mut calls, mut last) = (0, None);
        for observation in seen.iter().filter(|o| o.count > 0 && actions.matches(o.action.as_str())) {
            let on = |seen: &ResourcePattern| {
                let asked = Glob::parse(seen.as_str(), Reading::resource(PolicyVersion::V2008));
                resource.is_everything() || seen.is_everything() || !resources.disjoint(&asked)
            };
            if observation.resources.iter().any(on) {
                calls += observation.count;
                last = last.max(Some(observation.last));
            }
        }
        let days = |last: iam_model::time::Timestamp| {
            let seconds = self.rulebook.now.epoch_seconds() - last.epoch_seconds();
            u64::try_from(seconds / 86_400).unwrap_or_default()
        };
        Usage {
            window_days: self.evidence.days,
            calls,
            last_used_days_ago: last.map(days),
            observable: self.observable(role, action, resource),
        }
    }

    /// Whether a role needs any action that a pattern matches, though no call shows it.
    pub(super) fn is_needed(&self, role: &Arn, action: &ActionPattern) -> bool {
        matching(action, self.rulebook.catalog).any(|action| (self.evidence.needed)(role, &action))
    }

    /// Whether each use of any action that the pattern matches would have left a trace.
    fn observable(&self, role: &Arn, action: &ActionPattern, on: &ResourcePattern) -> bool {
        let key = (role.account(), action.as_str().to_ascii_lowercase(), on.as_str().to_owned());
        if let Some(known) = self.observable.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return *known;
        }
        let visible = |action: &Action| (self.evidence.visibility)(role, action, on) == Visibility::Visible;
        let catalog = self.rulebook.catalog;
        let mut matched = matching(action, catalog).peekable();
        let seen = matched.peek().is_some() && matched.all(|found| visible(&found));
        self.observable.lock().unwrap_or_else(PoisonError::into_inner).insert(key, seen);
        seen
    }

    /// What the access graph says about a role's holding an action pattern: the ways it takes part in.
    pub(super) fn escalation(&self, role: &Arn, action: &ActionPattern) -> Escalation {
        let glob = Glob::parse(action.as_str(), Reading::ACTION);
        let start = Subject::Arn(role.clone());
        let takes_part = |edge: &&iam_graph::Edge| {
            let required = edge.technique().map(|technique| technique.requires.as_slice()).unwrap_or_default();
            edge.from == start && required.iter().any(|needed| glob.matches(needed.action.as_str()))
        };
        let mut escalation = Escalation::default();
        for edge in self.graph.edges().filter(takes_part) {
            escalation.new_paths += 1;
            if self.graph.leads_to_admin(edge) {
                escalation.reaches_admin = true;
                let hops = self.graph.path_by(edge).hops.len() as u64;
                escalation.shortest_hops = Some(escalation.shortest_hops.map_or(hops, |known| known.min(hops)));
            }
        }
        escalation
    }
}

/// The actions AWS publishes that a pattern matches.
pub(super) fn matching<'c>(
    action: &ActionPattern,
    catalog: &'c iam_model::catalog::Catalog,
) -> impl Iterator<Item = Action> + use<'c> {
    let glob = Glob::parse(action.as_str(), Reading::ACTION);
    let service = action.as_str().split_once(':').map(|(service, _)| service.to_owned());
    let facts: Vec<_> = match service {
        Some(service) => catalog.service_actions(&service).collect(),
        None => catalog.actions().collect(),
    };
    facts.into_iter().map(|facts| facts.action()).filter(move |found| glob.matches(found.as_str()))
}
