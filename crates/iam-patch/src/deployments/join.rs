//! Changes of several deployments of one text made into one that gives each what any of them needs.
//!
//! What is kept of a statement is the union of the actions that the deployments keep of it; its resources are cut only
//! where the text says the same for all. Nothing is proved here: what comes out is again inside what was deployed, and is
//! judged like any other change.

use std::collections::BTreeSet;

use iam_model::action::ActionPattern;
use iam_model::arn::ResourcePattern;
use iam_model::change::{Change, Reason};
use iam_model::policy::{ActionElement, Effect, PolicyDocument, ResourceElement, Statement};
use iam_model::snapshot::SnapshotIndex;
use iam_model::text::Spanned;

use super::reach::{Planned, Reach, Sources};
use super::{candidates, named, same_object};
use crate::plan::includes;

/// Deployments times statements up to which each statement's resources are tried by themselves.
const TRIES: usize = 400;

/// The deployments of one text.
struct Group<'c> {
    numbers: Vec<usize>,
    changes: Vec<&'c Change>,
    /// For each deployment, the deployed statement that each statement of the source stands for.
    pairs: Vec<Vec<Option<usize>>>,
}

/// For each change that has to make room for another deployment of its text, or for what a framework writes into it
/// itself, the change that does.
pub(crate) fn joined(sources: &Sources<'_>, index: &SnapshotIndex<'_>, changes: &[Change]) -> Vec<Option<Change>> {
    let mut out: Vec<Option<Change>> = changes.iter().map(|change| sources.with_generated(change)).collect();
    let fitted: Vec<Change> =
        changes.iter().zip(&out).map(|(change, new)| new.clone().unwrap_or_else(|| change.clone())).collect();
    let silent = candidates::silent(sources, index, &fitted, &[]);
    if fitted.len() + silent.len() < 2 {
        return out;
    }
    let mut reaches: Vec<Reach> = fitted.iter().map(|change| sources.located(change)).collect();
    let mut others: Vec<Reach> = silent.iter().map(|change| sources.located(change)).collect();
    plan_shared(sources, (&fitted, &mut reaches), (&silent, &mut others));
    let mut seen = BTreeSet::new();
    for (number, reach) in reaches.iter().enumerate() {
        if reach.places.is_empty() || !seen.insert(&reach.places) {
            continue;
        }
        let same: Vec<usize> = (number..fitted.len())
            .filter(|other| reaches.get(*other).is_some_and(|other| other.places == reach.places))
            .collect();
        // A deployment that nobody asked to change keeps the text as it is.
        let kept = others.iter().any(|other| other.planned != Planned::Drifted && reach.touches(other));
        let elsewhere = reaches.iter().any(|other| other.places != reach.places && reach.touches(other));
        let group = Group::of(sources, &fitted, &same);
        let Some(group) = group.filter(|group| !kept && !elsewhere && group.differs(&reaches)) else { continue };
        for (number, change) in group.joined(sources).into_iter().flatten() {
            if let Some(slot) = out.get_mut(number) {
                *slot = Some(change);
            }
        }
    }
    out
}

/// Finds out what is written in the texts that several policies share.
fn plan_shared(
    sources: &Sources<'_>,
    (changes, reaches): (&[Change], &mut [Reach]),
    (silent, others): (&[Change], &mut [Reach]),
) {
    let all: Vec<&Reach> = reaches.iter().chain(others.iter()).collect();
    let near = super::Neighbours::of(&all);
    for (at, (change, reach)) in changes.iter().zip(reaches).enumerate() {
        if near.any_of(at) {
            *reach = sources.reach(change);
        }
    }
    for (at, (change, reach)) in silent.iter().zip(others).enumerate() {
        if near.any_of(changes.len() + at) {
            *reach = sources.reach(change).without_edits();
        }
    }
}

impl<'c> Group<'c> {
    /// Several deployments, each of which the text explains.
    fn of(sources: &Sources<'_>, changes: &'c [Change], numbers: &[usize]) -> Option<Self> {
        let mut group = Self { numbers: Vec::new(), changes: Vec::new(), pairs: Vec::new() };
        for number in numbers {
            let change = changes.get(*number)?;
            if group.changes.iter().any(|known| same_object(&known.attachment, &change.attachment)) {
                return None;
            }
            group.pairs.push(sources.aligned(change)?);
            group.numbers.push(*number);
            group.changes.push(change);
        }
        (group.numbers.len() > 1).then_some(group)
    }

    /// Whether the deployments want different edits of the text.
    fn differs(&self, reaches: &[Reach]) -> bool {
        let mut all = self.numbers.iter().filter_map(|number| reaches.get(*number));
        let first = all.next();
        all.any(|other| first.is_none_or(|first| !agree(first, other)))
    }

    /// The changes that write one text, the tightest of those that are tried; nothing where none does.
    fn joined(&self, sources: &Sources<'_>) -> Option<Vec<(usize, Change)>> {
        let count = self.pairs.iter().map(Vec::len).max().unwrap_or_default();
        let mut cut = BTreeSet::new();
        let all: BTreeSet<usize> = (0..count).collect();
        if let Some(changes) = self.written(sources, &all) {
            return Some(changes);
        }
        let mut best = self.written(sources, &cut)?;
        if count > 1 && count * self.numbers.len() <= TRIES {
            for statement in all {
                cut.insert(statement);
                match self.written(sources, &cut) {
                    Some(changes) => best = changes,
                    None => drop(cut.remove(&statement)),
                }
            }
        }
        Some(best)
    }

    /// The changes with the resources of these statements cut, where all of them write one text.
    fn written(&self, sources: &Sources<'_>, cut: &BTreeSet<usize>) -> Option<Vec<(usize, Change)>> {
        let kept = self.kept();
        let mut out = Vec::new();
        let mut first: Option<Reach> = None;
        for (at, change) in self.changes.iter().enumerate() {
            let joined = self.change(at, change, &kept, cut)?;
            let reach = sources.reach(&joined);
            match &first {
                Some(first) if !agree(first, &reach) => return None,
                Some(_) => {}
                None if matches!(reach.planned, Planned::Edits(_)) => first = Some(reach),
                None => return None,
            }
            out.push((*self.numbers.get(at)?, joined));
        }
        Some(out)
    }

    /// For each statement of the source, the actions that some deployment keeps of it; nothing where all of it stays.
    fn kept(&self) -> Vec<Option<BTreeSet<&'c str>>> {
        let count = self.pairs.iter().map(Vec::len).max().unwrap_or_default();
        (0..count).map(|statement| self.kept_of(statement)).collect()
    }

    fn kept_of(&self, statement: usize) -> Option<BTreeSet<&'c str>> {
        let mut kept = BTreeSet::new();
        for (change, pairs) in self.changes.iter().zip(&self.pairs) {
            let old = pairs.get(statement).copied().flatten().and_then(|at| change.before.as_ref()?.statements.get(at));
            let Some(old) = old else { continue };
            for new in related(change, old) {
                let ActionElement::Action(actions) = &new.action else { return None };
                kept.extend(actions.iter().map(|action| action.value.as_str()));
            }
        }
        Some(kept)
    }

    /// One deployment's change with all that is kept.
    fn change(
        &self,
        at: usize,
        change: &Change,
        kept: &[Option<BTreeSet<&str>>],
        cut: &BTreeSet<usize>,
    ) -> Option<Change> {
        let before = change.before.as_ref()?;
        let pairs = self.pairs.get(at)?;
        let (mut statements, mut reasons) = (Vec::new(), Vec::new());
        for (number, old) in before.statements.iter().enumerate() {
            let statement = pairs.iter().position(|pair| *pair == Some(number));
            let kept = statement.and_then(|statement| kept.get(statement)).and_then(Option::as_ref);
            let narrowed = statement.is_some_and(|statement| cut.contains(&statement));
            let new = match (kept, old.effect) {
                (Some(kept), Effect::Allow) => narrow(old, kept, change, narrowed),
                _ => Some(old.clone()),
            };
            let Some(new) = new else { continue };
            reasons.extend(self.reason(statements.len(), at, change));
            statements.push(new);
        }
        let after = (!statements.is_empty()).then(|| PolicyDocument { statements, ..before.clone() });
        Some(Change { after, reasons, ..change.clone() })
    }

    fn reason(&self, statement: usize, at: usize, change: &Change) -> Option<Reason> {
        let others = self.changes.iter().enumerate().filter(|(other, _)| *other != at);
        let names: Vec<String> = others.map(|(_, other)| named(&other.attachment, &change.attachment)).collect();
        let more = names.len().saturating_sub(3);
        let shown = names.into_iter().take(3).collect::<Vec<_>>().join(", ");
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let because = format!("its text is also deployed as {shown}{more}: what any of them needs stays");
        let evidence = change.reasons.iter().flat_map(|reason| reason.evidence.iter().cloned()).collect();
        Some(Reason { statement: Some(statement), because, evidence })
    }
}

/// Whether two deployments write the same.
fn agree(a: &Reach, b: &Reach) -> bool {
    matches!((&a.planned, &b.planned), (Planned::Edits(_), Planned::Edits(_))) && a.edits_in(b) == b.edits_in(a)
}

/// The new allow statements that keep something of an old one.
fn related<'c>(change: &'c Change, old: &Statement) -> Vec<&'c Statement> {
    let new = change.after.iter().flat_map(|after| &after.statements);
    new.filter(|new| new.effect == Effect::Allow && may_share(old, new)).collect()
}

fn may_share(old: &Statement, new: &Statement) -> bool {
    let actions = match (&old.action, &new.action) {
        (ActionElement::Action(old), ActionElement::Action(new)) => {
            old.iter().any(|old| new.iter().any(|new| may_meet(&fold(&old.value), &fold(&new.value))))
        }
        _ => true,
    };
    let resources = match (&old.resource, &new.resource) {
        (ResourceElement::Resource(old), ResourceElement::Resource(new)) => {
            old.iter().any(|old| new.iter().any(|new| may_meet(old.value.as_str(), new.value.as_str())))
        }
        _ => true,
    };
    actions && resources
}

fn fold(action: &ActionPattern) -> String {
    action.as_str().to_ascii_lowercase()
}

/// A statement with the actions that are kept of it, and the resources that its deployment keeps where those are cut too;
/// nothing where none of it is kept.
fn narrow(old: &Statement, kept: &BTreeSet<&str>, change: &Change, cut: bool) -> Option<Statement> {
    let ActionElement::Action(patterns) = &old.action else { return Some(old.clone()) };
    let mut actions: Vec<Spanned<ActionPattern>> = Vec::new();
    for pattern in patterns {
        let outer = fold(&pattern.value);
        let inside = |action: &&&str| includes(&outer, &action.to_ascii_lowercase());
        let crosses = |action: &&str| {
            let action = action.to_ascii_lowercase();
            !includes(&outer, &action) && may_meet(&outer, &action)
        };
        if kept.iter().any(crosses) {
            actions.push(pattern.clone());
            continue;
        }
        for action in kept.iter().filter(inside) {
            let same = pattern.value.as_str().eq_ignore_ascii_case(action);
            let new = if same { pattern.clone() } else { Spanned::synthetic(ActionPattern::new(action)) };
            if !actions.iter().any(|known| known.value.as_str().eq_ignore_ascii_case(action)) {
                actions.push(new);
            }
        }
    }
    let resource = match &old.resource {
        ResourceElement::Resource(_) if cut => resources(old, change),
        other => other.clone(),
    };
    (!actions.is_empty()).then(|| Statement { action: ActionElement::Action(actions), resource, ..old.clone() })
}

/// The resources that a deployment keeps of a statement; all, where that is not a list inside the old one.
fn resources(old: &Statement, change: &Change) -> ResourceElement {
    let ResourceElement::Resource(outer) = &old.resource else { return old.resource.clone() };
    let mut found: Vec<Spanned<ResourcePattern>> = Vec::new();
    for new in related(change, old) {
        let ResourceElement::Resource(patterns) = &new.resource else { return old.resource.clone() };
        for pattern in patterns {
            let meets = outer.iter().any(|outer| may_meet(outer.value.as_str(), pattern.value.as_str()));
            let inside = outer.iter().any(|outer| includes(outer.value.as_str(), pattern.value.as_str()));
            if meets && !inside {
                return old.resource.clone();
            }
            if inside && !found.iter().any(|known| known.value == pattern.value) {
                found.push(pattern.clone());
            }
        }
    }
    if found.is_empty() { old.resource.clone() } else { ResourceElement::Resource(found) }
}

/// Whether something may match both patterns: their words before and behind the wildcards do not rule it out.
fn may_meet(a: &str, b: &str) -> bool {
    let wild = |c: char| matches!(c, '*' | '?');
    let head = |text: &str| text.split(wild).next().unwrap_or_default().to_owned();
    let tail = |text: &str| text.rsplit(wild).next().unwrap_or_default().to_owned();
    let plain = |text: &str| !text.contains(wild);
    if plain(a) && plain(b) {
        return a == b;
    }
    let starts = head(a).starts_with(&head(b)) || head(b).starts_with(&head(a));
    let ends = tail(a).ends_with(&tail(b)) || tail(b).ends_with(&tail(a));
    starts && ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_hold_and_meet_each_other() {
        let cases = [
            ("s3:*", "s3:get*", true, true),
            ("s3:get*", "s3:*", false, true),
            ("s3:*object", "s3:get*", false, true),
            ("s3:getobject", "s3:getobject", true, true),
            ("s3:getobject", "s3:putobject", false, false),
            ("s3:get?bject", "s3:getobject", true, true),
            ("s3:get?bject", "s3:get*bject", false, true),
            ("*", "?", true, true),
            ("s3:*", "sqs:send*", false, false),
            ("a*b*c", "axxbyyc", true, true),
            ("a*b*c", "axxyyc", false, true),
        ];
        for (outer, inner, holds, meets) in cases {
            assert_eq!((includes(outer, inner), may_meet(outer, inner)), (holds, meets), "{outer} {inner}");
        }
    }
}
