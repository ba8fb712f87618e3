//! The claim "keeps-used": every authorised call in the logs is still allowed after the change.
//!
//! Replays each observation against the state after the changes, all layers included, whatever kind of policy they are
//! about. A call that the snapshot does not allow even before says nothing about the change, and is counted apart; where
//! the change takes anything from its action, nobody knows what let it pass, and it is undecided.
//! Where a decision hangs on context nobody knows, what did not change let the call pass when it was made; only what
//! changed must be certain. A change that takes something from callers the logs cannot show, such as services and users,
//! is undecided.

mod endpoints;
mod open;
mod replayed;
mod runs;
mod touched;
mod unlogged;
mod unresolved;

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;

use iam_evaluate::budget::{ALL, Budget};
use iam_evaluate::permission_set::{Inclusion, Limits, PermissionSet};
use iam_evaluate::{Context, Decision, Evaluator, Layer, LayerOutcome, Outcome as Decided, Principal, Request};
use iam_model::action::{Action, ActionPattern};
use iam_model::arn::{AccountId, Arn, ResourcePattern};
use iam_model::change::{AttachmentKind, Change};
use iam_model::policy::{PolicyDocument, PrincipalPattern, Statement};
use iam_model::snapshot::{PolicyOrigin, SnapshotIndex};
use iam_model::usage::{Observation, UsageLog};

use crate::adds_nothing::{self, in_words};
use crate::before_after::{self, documents};
use crate::outcome::{Counterexample, Outcome};
use crate::reach::{contradiction, everywhere};
use endpoints::Endpoint;
use replayed::outcome;
pub use runs::stopped;
use touched::Touched;

/// What a replay counted; calls, not kinds of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replay {
    /// Authorised calls in the logs.
    pub calls: u64,
    /// Still allowed.
    pub kept: u64,
    /// Allowed before, denied after.
    pub denied: u64,
    /// Nobody knows.
    pub undecided: u64,
    /// Not allowed before the change either, by what the snapshot shows.
    pub unexplained: u64,
}

impl AddAssign for Replay {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.kept += other.kept;
        self.denied += other.denied;
        self.undecided += other.undecided;
        self.unexplained += other.unexplained;
    }
}

/// Calls of one kind that would be denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedCall {
    /// One of them.
    pub request: Counterexample,
    /// How many.
    pub calls: u64,
}

/// What became of one principal's calls.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PrincipalReplay {
    /// The counts.
    pub replay: Replay,
    /// What would be denied, in the order of the observations.
    pub denied: Vec<DeniedCall>,
    /// Actions whose calls nobody can decide, and what they hang on.
    pub undecided: BTreeSet<String>,
}

/// What became of everybody's calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// How the claim came out.
    pub outcome: Outcome,
    /// All counts together.
    pub total: Replay,
    /// Each principal of the logs that the changes concern.
    pub principals: BTreeMap<Arn, PrincipalReplay>,
}

impl Replayed {
    /// The counts of each account.
    #[must_use]
    pub fn accounts(&self) -> BTreeMap<AccountId, Replay> {
        let mut accounts: BTreeMap<AccountId, Replay> = BTreeMap::new();
        for (arn, one) in &self.principals {
            if let Some(account) = arn.account() {
                *accounts.entry(account).or_default() += one.replay;
            }
        }
        accounts
    }
}

/// Units of work that each principal of the logs adds to what all questions of a replay may cost.
const EACH: u64 = ALL / 200;

/// How one observation came out.
enum Fate {
    Kept,
    Denied(ResourcePattern),
    Undecided(String),
    Unexplained,
}

/// Replays what everybody whom the changes concern was seen to do.
///
/// `before` is the evaluator of `index`, made once for many changes.
#[must_use]
pub fn check(changes: &[&Change], index: &SnapshotIndex<'_>, before: &Evaluator<'_>, usage: &UsageLog) -> Replayed {
    let undecided =
        |why| Replayed { outcome: Outcome::Undecided { why }, total: Replay::default(), principals: BTreeMap::new() };
    let stale = || changes.iter().find_map(|change| before_after::stale(change, index));
    if let Some(why) = contradiction(changes, index).or_else(stale) {
        return undecided(why);
    }
    let (edits, all) = (changes, everywhere(changes, index));
    let changes: &[&Change] = &all.iter().collect::<Vec<_>>();
    let mut after = before.clone();
    for change in changes {
        match after.with_change(change) {
            Ok(changed) => after = changed,
            Err(error) => return undecided(before_after::cannot_apply(change, &error)),
        }
    }
    let layers: BTreeSet<usize> = changes.iter().map(|change| layer(change.attachment.kind) as usize).collect();
    let touched = Touched::new(changes);
    let endpoints = Endpoint::changed(changes, index);
    let each = EACH.saturating_mul(u64::try_from(usage.principals.len()).unwrap_or(u64::MAX));
    let budget = Budget::new(ALL.saturating_add(each));
    let shared = Shared { changes, index, before, after: &after, touched, layers, endpoints, budget };
    let concerned = usage.principals.iter().filter(|(arn, _)| shared.concerns(arn));
    let principals: BTreeMap<Arn, PrincipalReplay> =
        concerned.map(|(arn, seen)| (arn.clone(), shared.principal(arn, &seen.observations))).collect();
    let mut total = Replay::default();
    principals.values().for_each(|one| total += one.replay);
    let outcome = match (outcome(&total, &principals, changes), stopped(changes, index, before)) {
        (refuted @ Outcome::Refuted { .. }, _) => refuted,
        (_, Some(stopped)) => stopped,
        // Nothing observed is denied, but the logs do not hold everyone's calls.
        (Outcome::Proved { because }, None) => {
            let why = (open::unread(usage).or_else(|| open::elsewhere(changes, usage)))
                .or_else(|| unlogged::loses(changes, index, usage))
                .or_else(|| edits.iter().find_map(|change| open::unshown(change, index, &shared.budget)));
            match why {
                Some(why) => Outcome::Undecided { why: format!("{why}; {because}") },
                None => Outcome::Proved { because },
            }
        }
        (other, None) => other,
    };
    Replayed { outcome, total, principals }
}

const fn layer(kind: AttachmentKind) -> Layer {
    match kind {
        AttachmentKind::Identity => Layer::Identity,
        AttachmentKind::Resource | AttachmentKind::Trust => Layer::Resource,
        AttachmentKind::Boundary => Layer::Boundary,
        AttachmentKind::ServiceControl => Layer::ServiceControl,
        AttachmentKind::ResourceControl => Layer::ResourceControl,
        AttachmentKind::VpcEndpoint => Layer::VpcEndpoint,
    }
}

/// What the replay of every principal shares.
struct Shared<'r, 'a> {
    changes: &'r [&'r Change],
    index: &'r SnapshotIndex<'a>,
    before: &'r Evaluator<'a>,
    after: &'r Evaluator<'a>,
    touched: Touched,
    /// The layers that change, by number.
    layers: BTreeSet<usize>,
    /// The VPC endpoints whose policies change.
    endpoints: Vec<Endpoint<'r>>,
    /// What questions about sets of permissions may still cost.
    budget: Budget,
}

impl Shared<'_, '_> {
    /// Whether some change can concern a principal's calls at all.
    fn concerns(&self, principal: &Arn) -> bool {
        self.changes.iter().any(|change| match change.attachment.kind {
            AttachmentKind::Resource
            | AttachmentKind::Trust
            | AttachmentKind::ResourceControl
            | AttachmentKind::VpcEndpoint => true,
            AttachmentKind::Boundary => change.attachment.principal_arn.as_ref() == Some(principal),
            AttachmentKind::ServiceControl => {
                let account = principal.account();
                before_after::accounts(change, self.index).into_iter().any(|id| Some(id) == account.as_ref())
            }
            AttachmentKind::Identity => {
                let named = change.attachment.principal_arn.as_ref();
                named == Some(principal)
                    || self.index.identity_policies(principal).iter().any(|held| match held.origin {
                        PolicyOrigin::Group(group) => named == Some(group),
                        PolicyOrigin::Managed(arn) => {
                            named.is_none() && change.attachment.policy_name.as_deref() == Some(arn.as_str())
                        }
                        PolicyOrigin::Inline(_) => false,
                    })
            }
        })
    }

    fn principal(&self, arn: &Arn, observations: &[Observation]) -> PrincipalReplay {
        let caller = Caller {
            shared: self,
            arn,
            name: Principal::parse(arn.as_str()).ok(),
            sets: OnceCell::new(),
            loses: RefCell::default(),
        };
        let mut result = PrincipalReplay::default();
        let replay = &mut result.replay;
        for observation in observations.iter().filter(|o| o.count > 0) {
            replay.calls += observation.count;
            match caller.replay(observation) {
                Fate::Kept => replay.kept += observation.count,
                Fate::Unexplained if !caller.loses(&observation.action) => replay.unexplained += observation.count,
                fate @ (Fate::Unexplained | Fate::Undecided(_)) => {
                    let why = match fate {
                        Fate::Undecided(why) => why,
                        _ => NOT_EXPLAINED.to_owned(),
                    };
                    replay.undecided += observation.count;
                    result.undecided.insert(format!("{}: {why}", observation.action));
                }
                Fate::Denied(resource) => {
                    replay.denied += observation.count;
                    let request = counterexample(arn, observation, resource);
                    result.denied.push(DeniedCall { request, calls: observation.count });
                }
            }
        }
        result
    }
}

fn is_included(set: &PermissionSet, other: &PermissionSet, budget: &Budget) -> bool {
    matches!(set.included_in(other, Limits::of(budget)), Inclusion::Included(_))
}

/// Whether a change of a policy on resources, which is for many callers, lets less through of an action.
fn shuts(change: &Change, action: &Action, budget: &Budget) -> bool {
    let kind = change.attachment.kind;
    let of_resource =
        matches!(kind, AttachmentKind::Resource | AttachmentKind::Trust | AttachmentKind::ResourceControl);
    if !of_resource {
        return false;
    }
    let touched = Touched::new(&[change]);
    let lets = |(before, after): (Vec<PolicyDocument>, Vec<PolicyDocument>)| {
        is_included(&PermissionSet::of_documents(&before), &PermissionSet::of_documents(&after), budget)
    };
    let documents = (change.before.as_ref(), change.after.as_ref());
    let denies = adds_nothing::denies(kind, documents.1, documents.0).map(|(after, before)| (before, after));
    touched.concerns(action, "*")
        && !(lets(adds_nothing::compared(kind, documents.0, documents.1)) && denies.is_none_or(lets))
}

fn counterexample(principal: &Arn, observation: &Observation, resource: ResourcePattern) -> Counterexample {
    Counterexample {
        principal: Some(PrincipalPattern::Aws(principal.to_string())),
        action: observation.action.clone(),
        resource,
        context: observation.context.clone(),
    }
}

/// Why a call is undecided that was made, and that nothing in the snapshot allows.
const NOT_EXPLAINED: &str = "it was allowed when it was made, nothing in this snapshot allows it, and the change takes \
                             something from this action";

/// One principal, before and after.
struct Caller<'s, 'r, 'a> {
    shared: &'s Shared<'r, 'a>,
    arn: &'s Arn,
    name: Option<Principal>,
    /// What it may do at all, as far as changes touch it; made where a call names no single resource.
    sets: OnceCell<(PermissionSet, PermissionSet)>,
    /// Actions that the changes take something from, or do not; made where a call is not explained.
    loses: RefCell<BTreeMap<Action, bool>>,
}

impl Caller<'_, '_, '_> {
    fn replay(&self, observation: &Observation) -> Fate {
        for resource in &observation.resources {
            // Logs write names as version 2012-10-17 does, whatever the version of the policies they are held against.
            let name = match resource.name() {
                None if resource.is_everything() && observation.resource_known => Some(resource.as_str().into()),
                name => name,
            };
            let fate = match name {
                Some(name) => self.replay_call(observation, resource, &name),
                None => self.replay_pattern(observation, resource),
            };
            if !matches!(fate, Fate::Kept) {
                return fate;
            }
            let mut endpoints = self.shared.endpoints.iter();
            if let Some(why) = endpoints.find_map(|endpoint| endpoint.shuts_out(self, observation, resource)) {
                return Fate::Undecided(why);
            }
        }
        Fate::Kept
    }

    /// A folder of names, or a resource nobody was told: what of it was granted before must be granted after.
    fn replay_pattern(&self, observation: &Observation, resource: &ResourcePattern) -> Fate {
        let action = &observation.action;
        if !self.shared.touched.concerns(action, resource.as_str()) {
            return Fate::Kept;
        }
        let of_resource = |layer: Layer| self.shared.layers.contains(&(layer as usize));
        if of_resource(Layer::Resource) || of_resource(Layer::ResourceControl) {
            return Fate::Undecided(format!("the logs name no single resource, only `{resource}`"));
        }
        let mut asked = Statement::allow(vec![ActionPattern::from(action)], vec![resource.clone()]);
        let set = |asked: &Statement| PermissionSet::of_document(&PolicyDocument::new(vec![asked.clone()]));
        let (before, after) = self.sets.get_or_init(|| self.permissions());
        let granted = before.intersection(&set(&asked));
        let budget = &self.shared.budget;
        let witness = match granted.included_in(after, Limits::of(budget)) {
            Inclusion::Included(_) if is_included(&granted, &PermissionSet::nothing(), budget) => {
                return Fate::Unexplained;
            }
            Inclusion::Included(_) => return Fate::Kept,
            Inclusion::Excluded(witness) => witness,
            Inclusion::Undecided(why) => return Fate::Undecided(in_words(&why)),
        };
        // Of a folder the names are known; one of them that is lost whatever else the call was, is denied.
        if let Some(name) = witness.resource.name().filter(|_| observation.resource_known) {
            return match self.replay_call(observation, &witness.resource, &name) {
                Fate::Kept | Fate::Unexplained => Fate::Undecided(runs::part_of(resource)),
                fate => fate,
            };
        }
        // Which of the others was called nobody knows: denied it is only where none is allowed any more.
        asked.conditions = runs::conditions(observation);
        let none = is_included(&after.intersection(&set(&asked)), &PermissionSet::nothing(), budget);
        if none { Fate::Denied(resource.clone()) } else { Fate::Undecided(runs::part_of(resource)) }
    }

    /// Whether the changes take anything from an action that the principal had.
    fn loses(&self, action: &Action) -> bool {
        *self.loses.borrow_mut().entry(action.clone()).or_insert_with(|| {
            if !self.shared.touched.concerns(action, "*") {
                return false;
            }
            let everything = vec![ResourcePattern::everything()];
            let asked = Statement::allow(vec![ActionPattern::from(action)], everything);
            let asked = PermissionSet::of_document(&PolicyDocument::new(vec![asked]));
            let (before, after) = self.sets.get_or_init(|| self.permissions());
            let budget = &self.shared.budget;
            !is_included(&before.intersection(&asked), after, budget)
                || self.shared.changes.iter().any(|change| shuts(change, action, budget))
        })
    }

    fn permissions(&self) -> (PermissionSet, PermissionSet) {
        let changes = self.shared.changes;
        let (before, after) = documents(self.arn, changes, self.shared.index);
        let limits = before_after::limits(self.arn, changes, self.shared.index);
        let within = |identity: Vec<&PolicyDocument>, limits: Vec<Vec<&PolicyDocument>>| {
            let set = PermissionSet::of_documents(identity);
            limits.into_iter().fold(set, |set, limit| set.intersection(&PermissionSet::of_documents(limit)))
        };
        (within(before, limits.before), within(after, limits.after))
    }

    fn replay_call(&self, observation: &Observation, resource: &ResourcePattern, name: &str) -> Fate {
        let Some(request) = self.request(observation, name) else {
            return Fate::Undecided(format!("`{resource}` is not the name of a resource"));
        };
        let after = self.shared.after.decide(self.arn, &request);
        if after.outcome.is_allow() {
            return Fate::Kept;
        }
        let before = self.shared.before.decide(self.arn, &request);
        match (&before.outcome, &after.outcome) {
            (decided, _) if decided.is_deny() && endpoints::closes(&before, &after) => {
                Fate::Undecided(NOT_EXPLAINED.to_owned())
            }
            (before, _) if before.is_deny() => Fate::Unexplained,
            (_, Decided::Unknown(_)) if self.only_unchanged_open(observation, &before, &after) => Fate::Kept,
            (_, Decided::Unknown(_)) if !self.shared.touched.concerns(&observation.action, resource.as_str()) => {
                Fate::Kept
            }
            (_, Decided::Unknown(_)) if self.keeps_all(&observation.action, resource) => Fate::Kept,
            (_, Decided::Unknown(unknown)) => {
                let keys = unknown.keys.iter().map(ToString::to_string).chain(unknown.elements.iter().cloned());
                Fate::Undecided(format!("hangs on {}", keys.collect::<Vec<_>>().join(", ")))
            }
            _ => Fate::Denied(resource.clone()),
        }
    }

    /// Whether all that was granted of an action on a resource is granted after, under whatever context it was: then so is
    /// the call that passed.
    fn keeps_all(&self, action: &Action, resource: &ResourcePattern) -> bool {
        let of_others = [Layer::Resource, Layer::ResourceControl, Layer::VpcEndpoint];
        if of_others.into_iter().any(|layer| self.shared.layers.contains(&(layer as usize))) {
            return false;
        }
        let asked = Statement::allow(vec![ActionPattern::from(action)], vec![resource.clone()]);
        let asked = PermissionSet::of_document(&PolicyDocument::new(vec![asked]));
        let (before, after) = self.sets.get_or_init(|| self.permissions());
        is_included(&before.intersection(&asked), after, &self.shared.budget)
    }

    fn request(&self, observation: &Observation, name: &str) -> Option<Request> {
        let mut context = Context::open();
        for (key, values) in &observation.context {
            context.set(key.clone(), values.clone());
        }
        Some(Request {
            principal: self.name.clone()?,
            action: observation.action.clone(),
            resource: name.parse().ok()?,
            resource_account: None,
            context,
        })
    }

    /// Whether the layers that change surely let the call pass, and every other one is as it was when it passed.
    fn only_unchanged_open(&self, observation: &Observation, before: &Decision, after: &Decision) -> bool {
        let changes = |layer: Layer| match layer {
            Layer::VpcEndpoint => self.shared.endpoints.iter().any(|endpoint| endpoint.carried(observation)),
            _ => self.shared.layers.contains(&(layer as usize)),
        };
        Layer::ALL.into_iter().all(|layer| {
            let said = after.layers.get(layer);
            if changes(layer) {
                matches!(said, LayerOutcome::Allow | LayerOutcome::NotApplicable)
            } else {
                said == before.layers.get(layer)
            }
        })
    }
}
