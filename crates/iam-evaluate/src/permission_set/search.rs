//! The search for a request that matches some statements and none of others: unit propagation and branching over the
//! ways not to match a statement, with the emptiness of each dimension checked at every step.
//!
//! Ends in a proof that there is none, in a request, or open. It never guesses: a request counts only where the
//! caller accepts it.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::Deref;

use iam_model::certificate::{Dimension, Side as Whose, StatementRef, Step};

use super::cell::{Cell, Example, Known, Way};
use super::statement::{Compiled, Side};
use crate::budget::Budget;
use crate::glob::Glob;

/// A statement that must not match, and where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avoid<'a> {
    pub(crate) statement: &'a Compiled,
    pub(crate) whose: Whose,
}

/// All statements that must not match, and their places in the order of the resources that they name.
#[derive(Debug)]
pub(crate) struct Avoided<'a> {
    all: Vec<Avoid<'a>>,
    sorted: OnceCell<Vec<usize>>,
}

impl<'a> Avoided<'a> {
    /// From so many statements on, one that covers a request is first looked for among those of equal resources.
    const MANY: usize = 32;

    pub(crate) fn new(all: Vec<Avoid<'a>>) -> Self {
        Self { all, sorted: OnceCell::new() }
    }

    /// Those whose resources are written like these; none where there are few, or the budget is used up.
    pub(crate) fn alike(&self, resources: &Side, budget: &Budget) -> impl Iterator<Item = &Avoid<'a>> {
        let many = self.all.len() >= Self::MANY;
        let compared = usize::try_from(self.all.len().max(1).ilog2()).unwrap_or(usize::MAX);
        let sorted = (many && budget.spend(compared.saturating_mul(resources.weight()))).then(|| self.sorted());
        let sorted = sorted.map(Vec::as_slice).unwrap_or_default();
        let own = |at: &usize| self.resources(*at);
        let start = sorted.partition_point(|at| own(at).is_some_and(|own| own < resources));
        let from = sorted.get(start..).unwrap_or_default();
        let like = move |at: &&usize| own(at) == Some(resources);
        from.iter().take_while(like).filter_map(|at| self.all.get(*at))
    }

    fn resources(&self, at: usize) -> Option<&'a Side> {
        self.all.get(at).map(|avoid| {
            let [_, resources, _] = &avoid.statement.sides;
            resources
        })
    }

    fn sorted(&self) -> &Vec<usize> {
        self.sorted.get_or_init(|| {
            let mut sorted: Vec<usize> = (0..self.all.len()).collect();
            sorted.sort_by_key(|at| self.resources(*at));
            sorted
        })
    }
}

impl<'a> Deref for Avoided<'a> {
    type Target = [Avoid<'a>];

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

impl Avoid<'_> {
    fn named(&self) -> StatementRef {
        StatementRef { side: self.whose, index: self.statement.index }
    }

    /// The step for requests that the statement covers: every way not to match it is closed at once.
    pub(crate) fn avoided(&self) -> Step {
        let sides = [Dimension::Action, Dimension::Resource, Dimension::Principal];
        let keys = self.statement.atoms.iter().map(|atom| Dimension::Key(atom.key.clone()));
        Step::Avoid { statement: self.named(), ways: sides.into_iter().chain(keys).map(Step::Empty).collect() }
    }
}

/// How a search ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// There is no such request.
    Closed(Step),
    /// The caller accepted a request.
    Found,
    /// Neither is known.
    Open,
}

/// The search over one goal.
pub(crate) struct Search<'s> {
    /// Steps left; a step is one way tried.
    pub(crate) steps: usize,
    /// Requests still offered to the caller before it is asked no more.
    pub(crate) offers: usize,
    /// Whether a request is what the caller looks for.
    pub(crate) accept: &'s mut dyn FnMut(&Example) -> bool,
}

/// Units for the part of a proof that one way may become.
const TOLD: usize = 40;
/// Statements deep; a policy within AWS's quotas has far fewer.
const DEPTH: usize = 400;

impl Search<'_> {
    /// Looks for a request of the cell that matches none of the statements.
    pub(crate) fn run<'a>(&mut self, cell: &Cell<'a>, avoid: &[Avoid<'a>], depth: usize) -> End {
        if let Known::Empty(step) = cell.known() {
            return End::Closed(step);
        }
        self.descend(cell, avoid, depth)
    }

    fn descend<'a>(&mut self, cell: &Cell<'a>, avoid: &[Avoid<'a>], depth: usize) -> End {
        if depth > DEPTH || !cell.caps().budget.spend(avoid.len()) {
            return End::Open;
        }
        let mut open = Vec::with_capacity(avoid.len());
        let mut best: Option<(usize, Tried<'a>)> = None;
        for candidate in avoid {
            if candidate.statement.doubtful || cell.misses(candidate.statement) {
                continue;
            }
            let Some(tried) = self.ways(cell, *candidate) else { return End::Open };
            let choices = tried.choices();
            if choices == 0 {
                return End::Closed(tried.close());
            }
            if best.as_ref().is_none_or(|(_, known)| choices < known.choices()) {
                best = Some((open.len(), tried));
            }
            open.push(*candidate);
        }
        let Some((at, tried)) = best else { return self.offer(cell) };
        open.remove(at);
        self.branch(tried, &open, depth)
    }

    /// Follows each open way of one statement.
    fn branch<'a>(&mut self, tried: Tried<'a>, avoid: &[Avoid<'a>], depth: usize) -> End {
        let mut steps = Vec::with_capacity(tried.ways.len());
        let mut closed = true;
        for way in tried.ways {
            match way {
                Ok(cell) => match self.descend(&cell, avoid, depth + 1) {
                    End::Closed(step) => steps.push(step),
                    End::Found => return End::Found,
                    End::Open => closed = false,
                },
                Err(step) => steps.push(step),
            }
            if !closed && self.offers == 0 {
                return End::Open;
            }
        }
        if closed { End::Closed(Step::Avoid { statement: tried.statement, ways: steps }) } else { End::Open }
    }

    /// Tries every way not to match a statement; nothing where the steps are used up.
    fn ways<'a>(&mut self, cell: &Cell<'a>, avoid: Avoid<'a>) -> Option<Tried<'a>> {
        let statement = avoid.statement;
        let ways = (0..3).map(Way::Side).chain((0..statement.atoms.len()).map(Way::Condition));
        let mut tried = Vec::with_capacity(3 + statement.atoms.len());
        for way in ways {
            self.steps = self.steps.checked_sub(1)?;
            // What is told of a step stays until the end.
            if !cell.caps().budget.spend(TOLD) {
                return None;
            }
            let child = cell.avoid(statement, way);
            tried.push(match child.known_of(statement, way) {
                Known::Empty(step) => Err(step),
                Known::Inhabited => Ok(child),
            });
        }
        Some(Tried { statement: avoid.named(), ways: tried })
    }

    fn offer(&mut self, cell: &Cell<'_>) -> End {
        if self.offers == 0 {
            return End::Open;
        }
        self.offers -= 1;
        match cell.example() {
            Some(example) if (self.accept)(&example) => End::Found,
            _ => End::Open,
        }
    }
}

/// The ways not to match a statement: what is left, or why nothing is.
struct Tried<'a> {
    statement: StatementRef,
    ways: Vec<Result<Cell<'a>, Step>>,
}

impl Tried<'_> {
    fn choices(&self) -> usize {
        self.ways.iter().filter(|w| w.is_ok()).count()
    }

    fn close(self) -> Step {
        Step::Avoid { statement: self.statement, ways: self.ways.into_iter().filter_map(Result::err).collect() }
    }
}

/// Groups the patterns of a side by how they stand to the statements that must not match: patterns of one group are
/// inside and outside the same ones. Nothing where there is nothing to split.
pub(crate) fn groups(
    globs: &[Glob],
    number: usize,
    avoid: &[Avoid<'_>],
    budget: &Budget,
) -> Option<Vec<(Vec<u32>, Vec<Glob>)>> {
    const MOST: usize = 2_048;
    if globs.len() < 2 || globs.len() > MOST {
        return None;
    }
    let mut groups: BTreeMap<Vec<u8>, (Vec<u32>, Vec<Glob>)> = BTreeMap::new();
    for (index, glob) in globs.iter().enumerate() {
        let index = u32::try_from(index).ok()?;
        if !budget.spend(avoid.len()) {
            return None;
        }
        let mut key: Vec<u8> = avoid.iter().map(|a| relation(glob, a.statement, number, budget)).collect();
        if key.contains(&PARTIAL) {
            key.extend(index.to_be_bytes());
        }
        let group = groups.entry(key).or_default();
        group.0.push(index);
        group.1.push(glob.clone());
    }
    (groups.len() > 1).then(|| groups.into_values().collect())
}

const PARTIAL: u8 = 2;

fn relation(glob: &Glob, statement: &Compiled, number: usize, budget: &Budget) -> u8 {
    let Some(side) = statement.sides.get(number) else { return PARTIAL };
    if !side.may_start_like(glob) {
        u8::from(side.negated)
    } else if !budget.spend(side.globs.len()) {
        PARTIAL
    } else if side.globs.iter().any(|n| n.includes_within(glob, budget)) {
        u8::from(!side.negated)
    } else if side.globs.iter().all(|n| n.disjoint_within(glob, budget)) {
        u8::from(side.negated)
    } else {
        PARTIAL
    }
}
