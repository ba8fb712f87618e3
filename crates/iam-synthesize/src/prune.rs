//! Taking out what other words of the same proposal let through anyway.
//!
//! A need is given to one statement, but the pattern that another one gets for its own needs may reach over it.
//! Only what another pattern surely lets through goes.

use std::collections::BTreeMap;

use iam_model::action::Action;
use iam_model::arn::ResourcePattern;

use crate::fold::FoldRule;
use crate::narrow::{Cover, Served, Slot};
use crate::needs::Need;

/// The most comparisons for one action; beyond them everything stays as it is written.
const COMPARISONS: usize = 20_000;

/// Takes out every pattern whose seen resources other patterns surely let through.
pub(crate) fn prune(slots: &mut [Slot<'_>], needs: &[Need]) {
    let mut actions: BTreeMap<Action, (usize, bool)> = BTreeMap::new();
    for slot in slots.iter() {
        let mut mine: BTreeMap<&Action, bool> = BTreeMap::new();
        for served in &slot.served {
            let own = served.folds.iter().any(|(_, rule)| *rule == FoldRule::GrantedPattern);
            *mine.entry(&served.action).or_default() |= own;
        }
        for (action, own) in mine {
            let (count, any) = actions.entry(action.clone()).or_default();
            *count += 1;
            *any |= own;
        }
    }
    // Patterns of one fold never overlap: only several statements, or the old words, can say something twice.
    for (action, _) in actions.into_iter().filter(|(_, (slots, own))| *slots > 1 || *own) {
        prune_action(slots, needs, &action);
    }
}

fn prune_action(slots: &mut [Slot<'_>], needs: &[Need], action: &Action) {
    let seen: Vec<&ResourcePattern> =
        needs.iter().filter(|need| need.action == *action).flat_map(|need| need.resources.iter().flatten()).collect();
    let mut written: Vec<(usize, usize, ResourcePattern)> = Vec::new();
    for (at, slot) in slots.iter().enumerate() {
        for (index, served) in slot.served.iter().enumerate().filter(|(_, served)| served.action == *action) {
            written.extend(served.resources.iter().flatten().map(|pattern| (at, index, pattern.clone())));
        }
    }
    if written.len().saturating_mul(written.len()).saturating_mul(seen.len()) > COMPARISONS {
        return;
    }
    let mut at = 0;
    while let Some((slot, index, pattern)) = written.get(at).cloned() {
        if is_needless(slots, action, &written, at, &seen) {
            written.remove(at);
            take_out(slots, slot, index, &pattern);
        } else {
            at += 1;
        }
    }
    for slot in slots {
        slot.served.retain(|served| served.resources.as_ref().is_none_or(|resources| !resources.is_empty()));
    }
}

/// Whether all that a pattern lets through is surely let through by the others.
fn is_needless(
    slots: &[Slot<'_>],
    action: &Action,
    written: &[(usize, usize, ResourcePattern)],
    at: usize,
    seen: &[&ResourcePattern],
) -> bool {
    use iam_evaluate::permission_set::Possibility;
    let Some((slot, _, pattern)) = written.get(at) else { return false };
    let Some(mine) = slots.get(*slot) else { return false };
    let lets_through = |resource: &ResourcePattern| mine.candidate.perhaps(action, pattern, resource);
    let as_granted = |resource: &ResourcePattern| {
        let whole = slots.iter().filter(|slot| slot.candidate.statement.conditions.is_empty());
        let is_whole = |s: &Served| s.action == *action && s.resources.is_none() && s.bound.is_none();
        let whole = whole.filter(|slot| slot.served.iter().any(is_whole));
        whole.into_iter().any(|slot| slot.candidate.cover(action, resource) == Cover::Whole)
    };
    let by_others = |resource: &ResourcePattern| {
        let others = written.iter().enumerate().filter(|(other, _)| *other != at);
        others
            .filter_map(|(_, (slot, _, other))| Some((slots.get(*slot)?, other)))
            .any(|(slot, other)| slot.candidate.surely(action, other, resource))
    };
    let mut behind = seen.iter().filter(|resource| lets_through(resource) != Possibility::No).peekable();
    behind.peek().is_some() && behind.all(|resource| as_granted(resource) || by_others(resource))
}

fn take_out(slots: &mut [Slot<'_>], slot: usize, index: usize, pattern: &ResourcePattern) {
    let Some(served) = slots.get_mut(slot).and_then(|slot| slot.served.get_mut(index)) else { return };
    if let Some(resources) = &mut served.resources {
        resources.retain(|resource| resource != pattern);
    }
    served.folds.retain(|(folded, _)| folded != pattern);
}
