//! What the evidence could not have shown, by service and reason.
//!
//! What follows from it for one role is decided where proposals are made.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use iam_model::action::Action;
use iam_model::arn::{AccountId, Arn, ResourcePattern};
use iam_model::catalog::ActionFacts;
use iam_model::policy::ResourceElement;
use iam_model::snapshot::Role;
use iam_model::usage::{UsageLog, Visibility};

use crate::narrow::{Candidate, Served, Slot};
use crate::needs::{Evidence, Known, Rules};

/// Actions a wildcard granted whose use the logs could not have shown: cut, and asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlindSpot {
    /// The service prefix.
    pub service: String,
    /// Why the logs could not have shown them.
    pub why: String,
    /// The actions, in the catalogue's order.
    pub actions: Arc<[Action]>,
}

/// What an account's trails could not have shown of anybody.
pub(crate) struct Unseen {
    pub(crate) spots: Vec<BlindSpot>,
    pub(crate) actions: BTreeSet<Action>,
}

/// For each account, the actions that its trails could not have shown of a role that did nothing: what one did can only
/// hide more.
pub(crate) fn unseen(roles: &[&Role], evidence: &Evidence<'_>, rules: &Rules) -> BTreeMap<AccountId, Unseen> {
    let accounts: BTreeSet<AccountId> = roles.iter().filter_map(|role| role.identity.arn.account()).collect();
    let of = |account: AccountId| {
        let nobody: Arn = format!("arn:aws:iam::{account}:role/").parse().ok()?;
        let spots = unseen_by(Known { role: &nobody, evidence, rules }, evidence.catalog.actions(), &BTreeSet::new());
        let actions = spots.iter().flat_map(|spot| spot.actions.iter().cloned()).collect();
        Some((account, Unseen { spots, actions }))
    };
    accounts.into_iter().filter_map(of).collect()
}

/// Those of `actions` whose use by a role the evidence could not have shown, by service and reason; but for those that
/// are `told` already.
pub(crate) fn unseen_by<'c>(
    known: Known<'_>,
    actions: impl Iterator<Item = ActionFacts<'c>>,
    told: &BTreeSet<Action>,
) -> Vec<BlindSpot> {
    let mut spots: BTreeMap<(String, String), Vec<Action>> = BTreeMap::new();
    for action in actions.map(|facts| facts.action()).filter(|action| !told.contains(action)) {
        if let Visibility::Invisible(why) = known.visibility(&action) {
            spots.entry((action.service().to_owned(), why)).or_default().push(action);
        }
    }
    let spot = |((service, why), actions): ((String, String), Vec<Action>)| BlindSpot {
        service,
        why,
        actions: actions.into(),
    };
    spots.into_iter().map(spot).collect()
}

/// Actions that were seen of `everybody` who runs with the role, and of which a wildcard granted more than is left: what
/// goes may have been used without a trace.
pub(crate) fn partly_unseen(known: Known<'_>, everybody: &UsageLog, slots: &[Slot<'_>]) -> Vec<BlindSpot> {
    let used = everybody.principals.get(known.role);
    let seen: BTreeSet<&Action> =
        used.into_iter().flat_map(|used| &used.observations).filter(|o| o.count > 0).map(|o| &o.action).collect();
    let mut spots: BTreeMap<(String, String), Vec<Action>> = BTreeMap::new();
    // What is known to be recorded in part is told with the rest.
    for action in seen.into_iter().filter(|action| !known.is_invisible(action)) {
        let of = |slot: &&Slot<'_>| {
            let whole = slot.served.iter().any(|s| s.action == *action && s.resources.is_none() && s.bound.is_none());
            slot.editable && !whole && slot.candidate.allows_action(action) && !slot.candidate.names(action)
        };
        let unsure = slots.iter().filter(of).find_map(|slot| known.unsure(action, slot.candidate.statement));
        if let Some(unsure) = unsure {
            spots.entry((action.service().to_owned(), unsure.why)).or_default().push(action.clone());
        }
    }
    spots.into_iter().map(|((service, why), actions)| BlindSpot { service, why, actions: actions.into() }).collect()
}

/// Actions that were not seen, that the logs would have shown as far as they reach, and that a wildcard grants on resources
/// of regions that they do not reach.
pub(crate) fn unseen_elsewhere(known: Known<'_>, slots: &[Slot<'_>]) -> Vec<BlindSpot> {
    let (coverage, asked) = (known.evidence.coverage, known.rules.min_days);
    let regions = known.role.account().and_then(|account| coverage.regions.get(&account));
    let Some(regions) = regions else { return Vec::new() };
    let mut spots: BTreeMap<(String, String), BTreeSet<Action>> = BTreeMap::new();
    let catalog = known.evidence.catalog;
    let everything = ResourcePattern::everything();
    for slot in slots.iter().filter(|slot| slot.editable) {
        let on: Vec<&ResourcePattern> = match &slot.candidate.statement.resource {
            ResourceElement::Resource(patterns) => patterns.iter().map(|pattern| &pattern.value).collect(),
            _ => vec![&everything],
        };
        let reaches = |service: &&str| slot.candidate.may_speak_of(service);
        let is_short = |service: &&str| on.iter().any(|on| regions.gap(service, on, asked).is_some());
        let actions = catalog.services().filter(reaches).filter(is_short).flat_map(|s| catalog.service_actions(s));
        for action in actions.map(|facts| facts.action()) {
            let is_wild = slot.candidate.allows_action(&action) && !slot.candidate.names(&action);
            if !is_wild || known.was_seen(&action) || known.is_invisible(&action) {
                continue;
            }
            if let Some(unsure) = known.unsure(&action, slot.candidate.statement) {
                spots.entry((action.service().to_owned(), unsure.why)).or_default().insert(action);
            }
        }
    }
    let spot = |((service, why), actions): ((String, String), BTreeSet<Action>)| BlindSpot {
        service,
        why,
        actions: actions.into_iter().collect(),
    };
    spots.into_iter().map(spot).collect()
}

/// What of a role's grants is cut: granted by a statement that is narrowed, by none that stays, and kept by nothing.
pub(crate) struct Cuts<'s> {
    kept: BTreeSet<&'s Action>,
    narrowed: Vec<&'s Candidate<'s>>,
    stays: Vec<&'s Candidate<'s>>,
    /// Whether what is narrowed granted every action there is.
    everything: bool,
}

impl<'s> Cuts<'s> {
    /// What is narrowed to the resources it was seen on is cut too, where `hides` says that it may be used on others.
    pub(crate) fn new(slots: &'s [Slot<'_>], hides: &dyn Fn(&Action) -> bool) -> Self {
        let stays = |served: &&Served| served.bound.is_none() && (served.resources.is_none() || !hides(&served.action));
        let served = slots.iter().flat_map(|slot| &slot.served).filter(stays);
        let (narrowed, stays): (Vec<&Slot<'_>>, Vec<&Slot<'_>>) = slots.iter().partition(|slot| slot.editable);
        let candidates = |slots: Vec<&'s Slot<'_>>| slots.into_iter().map(|slot| &slot.candidate).collect::<Vec<_>>();
        let (narrowed, stays) = (candidates(narrowed), candidates(stays));
        let everything = narrowed.iter().any(|candidate| candidate.allows_every_action());
        Self { kept: served.map(|served| &served.action).collect(), narrowed, stays, everything }
    }

    /// What of a spot is cut; nothing where none of it is.
    pub(crate) fn of(&self, spot: &BlindSpot) -> Option<BlindSpot> {
        let kept: Vec<&Action> =
            self.kept.iter().copied().filter(|action| action.service().eq_ignore_ascii_case(&spot.service)).collect();
        let stays: Vec<_> = self.stays.iter().filter(|candidate| candidate.may_speak_of(&spot.service)).collect();
        if self.everything && kept.is_empty() && stays.is_empty() {
            return Some(spot.clone());
        }
        let is_cut = |action: &Action| {
            !kept.contains(&action)
                && (self.everything || self.narrowed.iter().any(|candidate| candidate.allows_action(action)))
                && !stays.iter().any(|candidate| candidate.allows_action(action))
        };
        let actions: Arc<[Action]> = spot.actions.iter().filter(|action| is_cut(action)).cloned().collect();
        (!actions.is_empty()).then(|| BlindSpot { actions, ..spot.clone() })
    }
}
