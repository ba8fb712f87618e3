//! The claim "keeps-used": every authorised call in the logs is still allowed after the change.
//!
//! Replays each observation against the state after the change, all layers included. A call that the snapshot does not
//! allow even before the change says nothing about the change, and is counted apart. Where a decision hangs on context
//! nobody knows, the layers that did not change let the call pass when it was made; only what changed must be certain.

use std::collections::BTreeSet;

use iam_evaluate::permission_set::{Inclusion, Limits, PermissionSet};
use iam_evaluate::{
    Context, Decision, Layer, LayerOutcome, Outcome as Decided, Policies, Principal, Request, evaluate,
};
use iam_model::action::{Action, ActionPattern};
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::change::Change;
use iam_model::policy::{PolicyDocument, PrincipalPattern, Statement};
use iam_model::snapshot::SnapshotIndex;
use iam_model::text::grouped;
use iam_model::usage::{Observation, UsageLog};

use crate::adds_nothing::in_words;
use crate::before_after::documents;
use crate::outcome::{Counterexample, Outcome};

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

/// How one observation came out.
enum Fate {
    Kept,
    Denied(ResourcePattern),
    Undecided(String),
    Unexplained,
}

/// Replays what a role was seen to do.
#[must_use]
pub fn check(role: &Arn, changes: &[&Change], index: &SnapshotIndex<'_>, usage: &UsageLog) -> (Outcome, Replay) {
    let observations = usage.principals.get(role).map(|u| u.observations.as_slice()).unwrap_or_default();
    let state = State::new(role, changes, index);
    let mut replay = Replay::default();
    let mut denied = None;
    let mut undecided = BTreeSet::new();
    for observation in observations.iter().filter(|o| o.count > 0) {
        replay.calls += observation.count;
        match state.replay(observation) {
            Fate::Kept => replay.kept += observation.count,
            Fate::Unexplained => replay.unexplained += observation.count,
            Fate::Undecided(why) => {
                replay.undecided += observation.count;
                undecided.insert(format!("{}: {why}", observation.action));
            }
            Fate::Denied(resource) => {
                replay.denied += observation.count;
                denied = denied.or_else(|| Some(counterexample(role, observation, resource)));
            }
        }
    }
    (outcome(&replay, denied, &undecided), replay)
}

fn outcome(replay: &Replay, denied: Option<Counterexample>, undecided: &BTreeSet<String>) -> Outcome {
    if let Some(counterexample) = denied {
        let because = format!("{} of {} observed calls would be denied", grouped(replay.denied), grouped(replay.calls));
        return Outcome::Refuted { because, counterexample: Some(counterexample) };
    }
    if let Some(first) = undecided.first() {
        let more = undecided.len() - 1;
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        return Outcome::Undecided { why: format!("{} observed calls: {first}{more}", grouped(replay.undecided)) };
    }
    let unexplained = match replay.unexplained {
        0 => String::new(),
        some => format!("; {} more were not allowed by this snapshot before the change either", grouped(some)),
    };
    Outcome::Proved {
        because: format!("{} observed calls replayed, all still allowed{unexplained}", grouped(replay.kept)),
    }
}

fn counterexample(role: &Arn, observation: &Observation, resource: ResourcePattern) -> Counterexample {
    Counterexample {
        principal: Some(PrincipalPattern::Aws(role.to_string())),
        action: observation.action.clone(),
        resource,
        context: observation.context.clone(),
    }
}

/// A role's policies before and after.
struct State<'a> {
    role: &'a Arn,
    index: &'a SnapshotIndex<'a>,
    before: Vec<&'a PolicyDocument>,
    after: Vec<&'a PolicyDocument>,
    set_before: PermissionSet,
    set_after: PermissionSet,
}

impl<'a> State<'a> {
    fn new(role: &'a Arn, changes: &[&'a Change], index: &'a SnapshotIndex<'a>) -> Self {
        let (before, after) = documents(role, changes, index);
        let set_before = PermissionSet::of_documents(before.iter().copied());
        let set_after = PermissionSet::of_documents(after.iter().copied());
        Self { role, index, before, after, set_before, set_after }
    }

    fn replay(&self, observation: &Observation) -> Fate {
        for resource in &observation.resources {
            let pattern = resource.as_str().contains(['*', '?']);
            let no_resource = resource.is_everything() && observation.resource_known;
            let fate = if pattern && !no_resource {
                self.replay_pattern(&observation.action, resource)
            } else {
                self.replay_call(observation, resource)
            };
            if !matches!(fate, Fate::Kept) {
                return fate;
            }
        }
        Fate::Kept
    }

    /// A folder of names, or a resource nobody was told: what of it was granted before must be granted after.
    fn replay_pattern(&self, action: &Action, resource: &ResourcePattern) -> Fate {
        let asked = Statement::allow(vec![ActionPattern::from(action)], vec![resource.clone()]);
        let asked = PermissionSet::of_document(&PolicyDocument::new(vec![asked]));
        let granted = self.set_before.intersection(&asked);
        match granted.included_in(&self.set_after, Limits::default()) {
            Inclusion::Included(_) => Fate::Kept,
            Inclusion::Excluded(witness) => Fate::Denied(witness.resource),
            Inclusion::Undecided(why) => Fate::Undecided(in_words(&why)),
        }
    }

    fn replay_call(&self, observation: &Observation, resource: &ResourcePattern) -> Fate {
        let Some(request) = self.request(observation, resource) else {
            return Fate::Undecided(format!("`{resource}` is not the name of a resource"));
        };
        let after = self.decide(&request, &self.after);
        if after.outcome.is_allow() {
            return Fate::Kept;
        }
        let before = self.decide(&request, &self.before);
        match (&before.outcome, &after.outcome) {
            (before, _) if before.is_deny() => Fate::Unexplained,
            (_, Decided::Unknown(_)) if only_unchanged_layers_open(&before, &after) => Fate::Kept,
            (_, Decided::Unknown(unknown)) => {
                let keys = unknown.keys.iter().map(ToString::to_string).chain(unknown.elements.iter().cloned());
                Fate::Undecided(format!("hangs on {}", keys.collect::<Vec<_>>().join(", ")))
            }
            _ => Fate::Denied(resource.clone()),
        }
    }

    fn request(&self, observation: &Observation, resource: &ResourcePattern) -> Option<Request> {
        let mut context = Context::open();
        for (key, values) in &observation.context {
            context.set(key.clone(), values.clone());
        }
        Some(Request {
            principal: Principal::parse(self.role.as_str()).ok()?,
            action: observation.action.clone(),
            resource: resource.as_str().parse().ok()?,
            resource_account: None,
            context,
        })
    }

    fn decide(&self, request: &Request, identity: &[&PolicyDocument]) -> Decision {
        let account = self.role.account();
        let guardrails = account.as_ref().and_then(|account| self.index.guardrails(account));
        let levels = |levels: &'a [Vec<PolicyDocument>]| levels.iter().map(|level| level.iter().collect()).collect();
        let resource = request.resource.as_str().parse::<Arn>().ok();
        let policies = Policies {
            identity: identity.to_vec(),
            resource: resource.and_then(|arn| self.index.resource_policy(&arn)),
            boundary: self.index.boundary(self.role).into_iter().collect(),
            session: Vec::new(),
            scps: guardrails.map(|g| levels(&g.scps)).unwrap_or_default(),
            rcps: guardrails.map(|g| levels(&g.rcps)).unwrap_or_default(),
            vpc_endpoint: Vec::new(),
            principal_is_management_account: account.is_some_and(|account| self.index.is_management_account(&account)),
            principal_is_service_linked_role: false,
        };
        evaluate(request, &policies)
    }
}

/// Whether the identity policies, which changed, surely allow, and everything else is as it was when the call passed.
fn only_unchanged_layers_open(before: &Decision, after: &Decision) -> bool {
    after.layers.get(Layer::Identity) == LayerOutcome::Allow
        && Layer::ALL.into_iter().filter(|l| *l != Layer::Identity).all(|l| before.layers.get(l) == after.layers.get(l))
}
