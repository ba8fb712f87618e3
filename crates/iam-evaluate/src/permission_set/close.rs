//! Closes one goal: by statements that cover it in one piece, pattern by pattern, and only where that leaves something
//! open by a search over what is left.

use std::collections::BTreeMap;
use std::rc::Rc;

use iam_model::certificate::{Dimension, Part, Step};

use super::cell::{Cell, Example, Known};
use super::search::{Avoid, Avoided, End, Search, groups};
use super::statement::{Compiled, Side};
use crate::budget::Budget;
use crate::glob::Glob;
use crate::glob::language::Caps;

/// Steps for a goal that is not yet split.
const FIRST_STEPS: usize = 400;

/// One way in which the new set could allow more: the statements a request matches, and those it must not.
pub(crate) struct Task<'a> {
    pub(crate) hits: Vec<&'a Compiled>,
    pub(crate) avoid: Rc<Avoided<'a>>,
    pub(crate) deny: Option<u32>,
}

/// Whether a request is what is looked for.
pub(crate) type Accept<'x> = dyn FnMut(&Example) -> bool + 'x;

/// Some patterns by number, and again as a list.
type Group = (Vec<u32>, Vec<Glob>);

/// Closes a goal, or says how that ended.
pub(crate) fn close(base: &Cell<'_>, task: &Task<'_>, steps: &mut usize, accept: &mut Accept<'_>) -> Result<Step, End> {
    let Some((first, others)) = task.hits.split_first() else { return Err(End::Open) };
    let mut whole = base.clone();
    task.hits.iter().for_each(|hit| whole.hit(hit));
    if let Known::Empty(step) = whole.known() {
        return Ok(step);
    }
    let budget = base.caps().budget;
    if let Some(one) = alike(first, task, base.caps()) {
        return Ok(one.avoided());
    }
    if !budget.spend(task.avoid.len() * task.hits.len()) {
        return Err(End::Open);
    }
    let sure = || task.avoid.iter().filter(|a| !a.statement.doubtful);
    let covers = |hit: &Compiled, a: &Avoid<'_>| {
        within(action(hit), action(a.statement), budget) && covers_the_rest(hit, a.statement, base.caps())
    };
    if let Some(one) = others.iter().find_map(|hit| sure().find(|a| covers(hit, a))) {
        return Ok(one.avoided());
    }
    let able: Vec<&Avoid<'_>> = sure().filter(|a| covers_the_rest(first, a.statement, base.caps())).collect();
    if let Some(one) = able.iter().find(|a| within(action(first), action(a.statement), budget)) {
        return Ok(one.avoided());
    }
    let mut rest = Rest { base, task, steps, accept };
    if action(first).negated {
        return rest.close(None);
    }
    let (mut covered, mut left): (BTreeMap<usize, Vec<u32>>, Group) = Default::default();
    for (number, glob) in (0..).zip(&action(first).globs) {
        match able.iter().position(|a| holds(action(a.statement), glob, budget)) {
            Some(at) => covered.entry(at).or_default().push(number),
            None => {
                left.0.push(number);
                left.1.push(glob.clone());
            }
        }
    }
    if covered.is_empty() {
        return rest.close(None);
    }
    let mut parts: Vec<Part> = covered
        .into_iter()
        .filter_map(|(at, patterns)| able.get(at).map(|a| Part { patterns, step: a.avoided() }))
        .collect();
    if !left.0.is_empty() {
        let step = rest.close(Some(&left.1))?;
        parts.extend(numbered(step, &left.0));
    }
    Ok(Step::Split { dimension: Dimension::Action, parts })
}

/// A statement of the same resources that covers all that this one matches: of thousands of statements most are as before.
fn alike<'t, 'a>(hit: &Compiled, task: &'t Task<'a>, caps: Caps<'_>) -> Option<&'t Avoid<'a>> {
    let [own, resources, _] = &hit.sides;
    let mut able = task.avoid.alike(resources, caps.budget).filter(|a| !a.statement.doubtful);
    able.find(|a| {
        caps.budget.spend(1) && within(own, action(a.statement), caps.budget) && covers_the_rest(hit, a.statement, caps)
    })
}

/// The parts of a step about some patterns, by the numbers these have in the whole element.
fn numbered(step: Step, numbers: &[u32]) -> Vec<Part> {
    match step {
        Step::Split { dimension: Dimension::Action, parts } => {
            let own = |at: &u32| usize::try_from(*at).ok().and_then(|at| numbers.get(at)).copied();
            let part = |part: Part| Part { patterns: part.patterns.iter().filter_map(own).collect(), step: part.step };
            parts.into_iter().map(part).collect()
        }
        step => vec![Part { patterns: numbers.to_vec(), step }],
    }
}

fn action(statement: &Compiled) -> &Side {
    let [action, _, _] = &statement.sides;
    action
}

/// Whether the outer statement surely matches by resource, principal and conditions whenever the inner one does.
fn covers_the_rest(inner: &Compiled, outer: &Compiled, caps: Caps<'_>) -> bool {
    let sides = inner.sides.iter().zip(&outer.sides).skip(1);
    sides.into_iter().all(|(inner, outer)| within(inner, outer, caps.budget))
        && outer.atoms.iter().all(|atom| super::cell::implied(&inner.atoms, atom, caps))
}

/// Whether every text in one side is surely in the other, as far as comparing pairs tells.
fn within(inner: &Side, outer: &Side, budget: &Budget) -> bool {
    match (inner.negated, outer.negated) {
        (false, _) => inner.globs.iter().all(|glob| holds(outer, glob, budget)),
        (true, true) => outer
            .globs
            .iter()
            .all(|n| budget.spend(inner.globs.len()) && inner.globs.iter().any(|m| m.includes_within(n, budget))),
        (true, false) => outer.globs.iter().any(Glob::is_everything),
    }
}

/// Whether every text of a pattern is surely in a side.
fn holds(side: &Side, glob: &Glob, budget: &Budget) -> bool {
    if side.negated {
        return budget.spend(side.globs.len()) && side.globs.iter().all(|n| n.disjoint_within(glob, budget));
    }
    side.may_start_like(glob)
        && budget.spend(side.globs.len())
        && side.globs.iter().any(|n| n.includes_within(glob, budget))
}

/// What is left of a goal for the search.
struct Rest<'s, 'a> {
    base: &'s Cell<'a>,
    task: &'s Task<'a>,
    steps: &'s mut usize,
    accept: &'s mut Accept<'s>,
}

impl Rest<'_, '_> {
    /// Whole, or split by action patterns, or by action and resource patterns; of these action patterns `only`.
    fn close(&mut self, only: Option<&[Glob]>) -> Result<Step, End> {
        match self.run([only, None], FIRST_STEPS, 2) {
            End::Closed(step) => return Ok(step),
            End::Found => return Err(End::Found),
            End::Open => {}
        }
        let Some(first) = self.task.hits.first() else { return Err(End::Open) };
        let budget = self.base.caps().budget;
        if budget.is_spent() {
            return Err(End::Open);
        }
        let [actions, resources, _] = &first.sides;
        let split = |side: &Side, globs: &[Glob], number| {
            if side.negated { None } else { groups(globs, number, &self.task.avoid, budget) }
        };
        let by_action = split(actions, only.unwrap_or(&actions.globs), 0);
        let by_resource = split(resources, &resources.globs, 1);
        let Some(by_action) = by_action else { return self.by_resource(only, by_resource.as_deref()) };
        split_by(Dimension::Action, &by_action, |globs| match self.run([Some(globs), None], FIRST_STEPS, 2) {
            End::Closed(step) => Ok(step),
            End::Found => Err(End::Found),
            End::Open => self.by_resource(Some(globs), by_resource.as_deref()),
        })
    }

    fn by_resource(&mut self, actions: Option<&[Glob]>, groups: Option<&[Group]>) -> Result<Step, End> {
        let mut one = |resources: Option<&[Glob]>| match self.run([actions, resources], usize::MAX, 32) {
            End::Closed(step) => Ok(step),
            end => Err(end),
        };
        match groups {
            None => one(None),
            Some(groups) => split_by(Dimension::Resource, groups, |globs| one(Some(globs))),
        }
    }

    fn run(&mut self, part: [Option<&[Glob]>; 2], budget: usize, offers: usize) -> End {
        let Some((first, others)) = self.task.hits.split_first() else { return End::Open };
        let mut cell = self.base.clone();
        cell.hit_part(first, part);
        others.iter().for_each(|hit| cell.hit(hit));
        let granted = budget.min(*self.steps);
        let mut search = Search { steps: granted, offers, accept: self.accept };
        let end = search.run(&cell, &self.task.avoid, 0);
        *self.steps -= granted - search.steps;
        end
    }
}

/// Closes each group; all are tried before one that stays open is told.
fn split_by(
    dimension: Dimension,
    groups: &[Group],
    mut close: impl FnMut(&[Glob]) -> Result<Step, End>,
) -> Result<Step, End> {
    let mut parts = Vec::with_capacity(groups.len());
    let mut open = false;
    for (patterns, globs) in groups {
        match close(globs) {
            Ok(step) => parts.push(Part { patterns: patterns.clone(), step }),
            Err(End::Found) => return Err(End::Found),
            Err(_) => open = true,
        }
    }
    if open { Err(End::Open) } else { Ok(Step::Split { dimension, parts }) }
}
