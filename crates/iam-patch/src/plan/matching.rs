//! Which old statement became which new one.

use iam_model::policy::{ActionElement, Effect, Statement};

pub(crate) use crate::compare::same;

/// What becomes of the old statements, and which new ones have no old one.
#[derive(Debug, Default)]
pub(crate) struct Fates {
    /// For each old statement, the new one it became; nothing where it goes.
    pub(crate) kept: Vec<Option<usize>>,
    /// The old statement that gives way to another altogether, where it does.
    pub(crate) replaced: Option<usize>,
    /// New statements without an old one.
    pub(crate) added: Vec<usize>,
}

/// Pairs equal statements first, then equal `Sid`s, then what speaks of the same services, then by order.
pub(crate) fn fates(before: &[Statement], after: &[Statement]) -> Fates {
    let mut kept: Vec<Option<usize>> = vec![None; before.len()];
    let mut taken = vec![false; after.len()];
    // What did not move first: of two statements that say the same, the one that stayed is meant.
    for (at, (old, new)) in before.iter().zip(after).enumerate() {
        if same(old, new)
            && let (Some(slot), Some(flag)) = (kept.get_mut(at), taken.get_mut(at))
        {
            (*slot, *flag) = (Some(at), true);
        }
    }
    let tests: [fn(&Statement, &Statement) -> bool; 5] = [same, same_sid, same_resource, same_services, not_told_apart];
    for test in tests {
        for (old, slot) in before.iter().zip(kept.iter_mut()) {
            if slot.is_some() {
                continue;
            }
            let found = after.iter().zip(&taken).position(|(new, taken)| !taken && test(old, new));
            if let Some(flag) = found.and_then(|index| taken.get_mut(index)) {
                *flag = true;
                *slot = found;
            }
        }
    }
    // One is left on each side: the new one stands where the old one stood.
    let mut open = kept.iter_mut().enumerate().filter(|(_, slot)| slot.is_none());
    let mut free = taken.iter_mut().enumerate().filter(|(_, taken)| !**taken);
    let mut replaced = None;
    if let (Some((old, slot)), None, Some((index, flag)), None) = (open.next(), open.next(), free.next(), free.next()) {
        (*slot, *flag) = (Some(index), true);
        replaced = Some(old);
    }
    // Something must stay to write beside; the first old statement then takes the first new one's text.
    if kept.iter().all(Option::is_none)
        && let (Some(slot), Some(flag)) = (kept.first_mut(), taken.first_mut())
    {
        *slot = Some(0);
        *flag = true;
    }
    let added = taken.iter().enumerate().filter(|(_, taken)| !**taken).map(|(index, _)| index).collect();
    Fates { kept, replaced, added }
}

fn same_sid(old: &Statement, new: &Statement) -> bool {
    old.sid.is_some() && old.sid == new.sid
}

/// Names that differ mean different statements; without them, order is what is left to go by.
fn not_told_apart(old: &Statement, new: &Statement) -> bool {
    old.sid.is_none() || new.sid.is_none()
}

/// The same resources and one of the services: only actions were cut.
fn same_resource(old: &Statement, new: &Statement) -> bool {
    let texts = |s: &Statement| s.resource.patterns().iter().map(|p| p.value.clone()).collect::<Vec<_>>();
    texts(old) == texts(new) && same_services(old, new)
}

fn same_services(old: &Statement, new: &Statement) -> bool {
    let old_services = services(&old.action);
    let everything = old_services.iter().any(|s| s == "*");
    old.effect == new.effect
        && old.effect != Effect::Unknown
        && (everything || services(&new.action).iter().any(|s| old_services.contains(s)))
}

fn services(action: &ActionElement) -> Vec<String> {
    let service = |text: &str| text.split(':').next().unwrap_or(text).to_ascii_lowercase();
    action.patterns().iter().map(|p| service(p.value.as_str())).collect()
}

/// Whether a pattern holds all that another does; a wildcard of the inner is held by `*` alone. May miss some.
pub(crate) fn includes(outer: &str, inner: &str) -> bool {
    let (outer, inner): (Vec<char>, Vec<char>) = (outer.chars().collect(), inner.chars().collect());
    let (mut o, mut i, mut star) = (0, 0, None);
    while let Some(letter) = inner.get(i) {
        match outer.get(o) {
            Some('*') => {
                star = Some((o, i));
                o += 1;
            }
            Some('?') if *letter != '*' => (o, i) = (o + 1, i + 1),
            Some(same) if same == letter && *letter != '*' => (o, i) = (o + 1, i + 1),
            _ => {
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                (o, i) = (at + 1, taken + 1);
            }
        }
    }
    outer.get(o..).is_some_and(|rest| rest.iter().all(|letter| *letter == '*'))
}
