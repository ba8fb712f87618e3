//! Which statement serves which need: by what surely let each call through, or else by all that may have.
//!
//! Decides nothing about words: how a statement is written for its needs is for narrowing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use iam_evaluate::evaluate;
use iam_evaluate::{Context, Evaluator, Layer, LayerOutcome, Policies, Principal, Request, ResourceName};
use iam_model::action::{Action, ActionPattern};
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::condition::ConditionKey;
use iam_model::policy::{PolicyDocument, Statement};
use iam_model::snapshot::SnapshotIndex;
use iam_model::usage::{Observation, UsageLog};

use crate::bounds::Bounds;
use crate::narrow::{Cover, Served, Slot};
use crate::needs::{Need, NeedRule};

/// What the events prove of a call's context.
type Facts = BTreeMap<ConditionKey, Vec<String>>;

/// What the calls of one role tell of the statements that let them through.
pub(crate) struct Calls<'c, 'a> {
    role: &'c Arn,
    observations: &'c [Observation],
    index: &'c SnapshotIndex<'a>,
    evaluator: &'c OnceLock<Evaluator<'a>>,
}

/// Whether a statement's conditions held when a call was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    Yes,
    No,
    Unknown,
}

impl<'c, 'a> Calls<'c, 'a> {
    pub(crate) fn new(
        role: &'c Arn,
        usage: &'c UsageLog,
        index: &'c SnapshotIndex<'a>,
        evaluator: &'c OnceLock<Evaluator<'a>>,
    ) -> Self {
        let observations = usage.principals.get(role).map(|used| used.observations.as_slice()).unwrap_or_default();
        Self { role, observations, index, evaluator }
    }

    /// Gives every need, resource by resource, to the narrowest statement that surely lets it through; where none surely
    /// does, to all that may. Calls that no statement explains keep every statement that grants the action.
    pub(crate) fn assign(&self, slots: &mut [Slot<'_>], needs: &mut Vec<Need>, bounds: &Bounds<'_>) {
        let mut unexplained: Vec<(Action, ResourcePattern)> = Vec::new();
        for (index, need) in needs.iter().enumerate() {
            let Some(resources) = &need.resources else {
                // Which resource it was is not known, so every statement that may have let it through stays.
                as_granted(slots, need, index);
                continue;
            };
            let mut given: BTreeMap<usize, Vec<ResourcePattern>> = BTreeMap::new();
            for resource in resources {
                let serving = self.serving(slots, need, resource);
                if serving.is_empty() && need.seen.is_some() && !self.is_explained_by_resource(&need.action, resource) {
                    unexplained.push((need.action.clone(), resource.clone()));
                }
                for slot in serving {
                    given.entry(slot).or_default().push(resource.clone());
                }
            }
            for (slot, resources) in given {
                let Some(slot) = slots.get_mut(slot) else { continue };
                let Some((resources, folds)) = slot.candidate.resources_for(&need.action, &resources, bounds) else {
                    continue;
                };
                slot.served.push(Served { action: need.action.clone(), resources, folds, bound: None, need: index });
            }
        }
        for (action, resource) in unexplained {
            retain_unexplained(slots, needs, action, &resource);
        }
    }

    /// The statements that serve a call: the best of those that surely let it through, for each context it was seen in;
    /// without such a one, all that may have.
    fn serving(&self, slots: &[Slot<'_>], need: &Need, resource: &ResourcePattern) -> BTreeSet<usize> {
        let action = &need.action;
        let covering: Vec<(usize, &Slot<'_>, Cover)> = (slots.iter().enumerate())
            .map(|(at, slot)| (at, slot, slot.candidate.cover(action, resource)))
            .filter(|(.., cover)| *cover != Cover::Nothing)
            .collect();
        let keys: BTreeSet<&ConditionKey> =
            covering.iter().flat_map(|(_, slot, _)| &slot.candidate.statement.conditions).map(|c| &c.key).collect();
        let mut serving = BTreeSet::new();
        for facts in self.contexts(need, resource, &keys) {
            let held = |slot: &Slot<'_>| self.held(slot, action, resource, &facts);
            let may: Vec<(usize, &Slot<'_>, Cover, Held)> =
                covering.iter().map(|(at, slot, cover)| (*at, *slot, *cover, held(slot))).collect();
            let sure = may.iter().filter(|(.., cover, held)| *cover == Cover::Whole && *held == Held::Yes);
            match sure.min_by_key(|(at, slot, ..)| rank(*at, slot, action)) {
                Some((at, ..)) => {
                    serving.insert(*at);
                }
                None => serving.extend(may.iter().filter(|(.., held)| *held != Held::No).map(|(at, ..)| *at)),
            }
        }
        serving
    }

    /// The contexts a need was seen in on a resource, as far as `keys` tell them apart; one of which nothing is known for
    /// a need that no call showed.
    fn contexts(&self, need: &Need, resource: &ResourcePattern, keys: &BTreeSet<&ConditionKey>) -> BTreeSet<Facts> {
        let nothing = BTreeSet::from([Facts::new()]);
        if keys.is_empty() || need.seen.is_none() {
            return nothing;
        }
        let about = |call: &&Observation| {
            call.count > 0 && call.action == need.action && call.resource_known && call.resources.contains(resource)
        };
        let told = |call: &Observation| -> Facts {
            call.context
                .iter()
                .filter(|(key, _)| keys.contains(key))
                .map(|(key, values)| (key.clone(), values.clone()))
                .collect()
        };
        let contexts: BTreeSet<Facts> = self.observations.iter().filter(about).map(told).collect();
        if contexts.is_empty() { nothing } else { contexts }
    }

    fn held(&self, slot: &Slot<'_>, action: &Action, resource: &ResourcePattern, facts: &Facts) -> Held {
        if slot.candidate.statement.conditions.is_empty() {
            return Held::Yes;
        }
        let Some(request) = self.request(action, resource, facts) else { return Held::Unknown };
        // Which resources it covers is asked elsewhere.
        let everything = Statement::allow(vec![ActionPattern::new("*")], vec![ResourcePattern::everything()]);
        let asked = Statement { conditions: slot.candidate.statement.conditions.clone(), ..everything };
        let document = PolicyDocument { version: slot.candidate.version(), ..PolicyDocument::new(vec![asked]) };
        // A key's policy has to allow too, and is not asked about here.
        let decision = evaluate(&request, &Policies { identity: vec![&document], ..Policies::default() });
        match decision.layers.get(Layer::Identity) {
            LayerOutcome::Allow => Held::Yes,
            LayerOutcome::ImplicitDeny | LayerOutcome::ExplicitDeny => Held::No,
            LayerOutcome::Unknown | LayerOutcome::NotApplicable => Held::Unknown,
        }
    }

    fn request(&self, action: &Action, resource: &ResourcePattern, facts: &Facts) -> Option<Request> {
        let mut context = Context::open();
        for (key, values) in facts {
            context.set(key.clone(), values.clone());
        }
        let name = resource.name();
        Some(Request {
            principal: Principal::parse(self.role.as_str()).ok()?,
            action: action.clone(),
            resource: name.map_or(Ok(ResourceName::None), |name| name.parse()).ok()?,
            resource_account: None,
            context,
        })
    }

    /// Whether the resource's own policy surely lets a call through, whatever the role's say.
    fn is_explained_by_resource(&self, action: &Action, resource: &ResourcePattern) -> bool {
        let Some(request) = self.request(action, resource, &Facts::new()) else { return false };
        let decision = self.evaluator.get_or_init(|| Evaluator::new(self.index)).decide(self.role, &request);
        decision.outcome.is_allow() && decision.layers.get(Layer::Resource) == LayerOutcome::Allow
    }
}

/// Keeps an action on all that every statement grants it on.
fn as_granted(slots: &mut [Slot<'_>], need: &Need, index: usize) {
    for slot in slots.iter_mut().filter(|slot| slot.candidate.allows_action(&need.action)) {
        let bound = need.bound.clone().filter(|bound| !slot.candidate.has_condition(&bound.key));
        slot.served.push(Served { bound, ..Served::as_granted(need.action.clone(), index) });
    }
}

/// Keeps what grants an action that was used, though not as the call names it: how AWS names it may differ.
fn retain_unexplained(slots: &mut [Slot<'_>], needs: &mut Vec<Need>, action: Action, resource: &ResourcePattern) {
    if !slots.iter().any(|slot| slot.candidate.allows_action(&action)) {
        return;
    }
    let is_told = |need: &Need| need.rule == NeedRule::NotExplained && need.action == action;
    if needs.iter().any(is_told) {
        return;
    }
    let because = format!(
        "calls of it were seen on {resource}, which no statement grants it on as it stands: what grants the action stays"
    );
    let need = Need::unseen(action, None, NeedRule::NotExplained, because);
    as_granted(slots, &need, needs.len());
    needs.push(need);
}

/// A sure statement before a conditional one, one that stays anyway before one that could go, then the narrowest, then
/// the first.
fn rank(at: usize, slot: &Slot<'_>, action: &Action) -> (bool, bool, (bool, bool, usize), usize) {
    let conditional = !slot.candidate.statement.conditions.is_empty();
    (conditional, slot.editable, slot.candidate.breadth(action), at)
}

/// Whether any statement grants a part of a need.
pub(crate) fn granted(slots: &[Slot<'_>], need: &Need) -> bool {
    let covers =
        |slot: &Slot<'_>, resource: &ResourcePattern| slot.candidate.cover(&need.action, resource) != Cover::Nothing;
    slots.iter().any(|slot| match &need.resources {
        Some(resources) => resources.iter().any(|resource| covers(slot, resource)),
        None => slot.candidate.allows_action(&need.action),
    })
}
