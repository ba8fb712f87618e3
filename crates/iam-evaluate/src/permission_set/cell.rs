//! A set of requests under search: demands on action, resource and principal, and on each context key.
//!
//! Dimensions are independent, so the set is empty exactly where one of them is.

use iam_model::certificate::{Dimension, Step};
use iam_model::condition::ConditionKey;

use super::atom::Atom;
use super::key::{self, KeyAnswer, Literal};
use super::principal;
use super::statement::{Compiled, Side};
use crate::glob::language::{Answer, Caps, Problem, decide};
use crate::glob::{Glob, Reading};
use iam_model::policy::PolicyVersion;

/// What actions, resources and principals there are at all.
#[derive(Debug)]
pub(crate) struct Domains {
    all: [Vec<Glob>; 3],
    /// Where examples are looked for first.
    likely: [Vec<Glob>; 3],
}

impl Domains {
    pub(crate) fn new() -> Self {
        let action = Glob::parse("?*:?*", Reading::ACTION);
        let resource = Reading::resource(PolicyVersion::V2008);
        let mut star = Glob::parse("?", resource).tokens().to_vec();
        star.iter_mut().for_each(|t| *t = crate::glob::Token::Char('*'));
        let arn = Glob::parse("arn:?*:?*:*:*:?*", resource);
        let likely_arn = Glob::parse("arn:aws:?*:*:*:?*", resource);
        let star = Glob::from_tokens(star);
        let likely = [Vec::new(), vec![likely_arn, star.clone()], principal::likely()];
        Self { all: [vec![action], vec![star, arn], principal::domain()], likely }
    }
}

/// Demands on requests; cheap to clone and to extend.
#[derive(Debug, Clone)]
pub(crate) struct Cell<'a> {
    sides: [Demands<'a>; 3],
    keys: Vec<(&'a ConditionKey, Vec<Literal<'a>>)>,
    domains: &'a Domains,
    caps: Caps<'a>,
}

#[derive(Debug, Clone, Default)]
struct Demands<'a> {
    required: Vec<&'a [Glob]>,
    excluded: Vec<&'a Glob>,
}

/// One way not to match a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Action, resource, principal by number.
    Side(usize),
    /// A condition by number.
    Condition(usize),
}

/// What is known about one dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Known {
    Empty(Step),
    Inhabited,
}

impl<'a> Cell<'a> {
    pub(crate) fn everything(domains: &'a Domains, caps: Caps<'a>) -> Self {
        Self { sides: Default::default(), keys: Vec::new(), domains, caps }
    }

    pub(crate) const fn caps(&self) -> Caps<'a> {
        self.caps
    }

    /// Demands that the request matches the statement.
    pub(crate) fn hit(&mut self, statement: &'a Compiled) {
        self.hit_part(statement, [None, None]);
    }

    /// Demands that the request matches the statement, by these of its action and resource patterns only.
    pub(crate) fn hit_part(&mut self, statement: &'a Compiled, part: [Option<&'a [Glob]>; 2]) {
        for (number, side) in statement.sides.iter().enumerate() {
            match (part.get(number).copied().flatten(), self.sides.get_mut(number)) {
                (Some(globs), Some(demands)) => demands.required.push(globs),
                _ => self.demand(number, side, true),
            }
        }
        for atom in &statement.atoms {
            self.literal((atom, true));
        }
    }

    /// Demands that the text of a dimension is (or is not) in a side.
    pub(crate) fn demand(&mut self, number: usize, side: &'a Side, inside: bool) {
        let Some(demands) = self.sides.get_mut(number) else { return };
        if side.negated == inside {
            demands.excluded.extend(&side.globs);
        } else if !side.globs.iter().any(Glob::is_everything) {
            demands.required.push(&side.globs);
        }
    }

    /// Demands that a condition holds or fails.
    pub(crate) fn literal(&mut self, literal: Literal<'a>) {
        let key = &literal.0.key;
        let alike = self.keys.iter().find(|(known, _)| *known == key).map_or(0, |(_, literals)| literals.len());
        self.caps.budget.spend(self.keys.len() + alike * literal.0.test.weight());
        match self.keys.iter_mut().find(|(known, _)| *known == key) {
            Some((_, literals)) if literals.contains(&literal) => {}
            Some((_, literals)) => literals.push(literal),
            None => self.keys.push((key, vec![literal])),
        }
    }

    /// The cell less what matches the statement, one way of not matching it at a time.
    pub(crate) fn avoid(&self, statement: &'a Compiled, way: Way) -> Self {
        self.caps.budget.spend(self.weight());
        let mut cell = self.clone();
        match way {
            Way::Side(number) => {
                if let Some(side) = statement.sides.get(number) {
                    cell.demand(number, side, false);
                }
            }
            Way::Condition(number) => {
                if let Some(atom) = statement.atoms.get(number) {
                    cell.literal((atom, false));
                }
            }
        }
        cell
    }

    /// What it costs to copy the cell.
    fn weight(&self) -> usize {
        let sides: usize = self.sides.iter().map(|d| d.required.len() + d.excluded.len()).sum();
        let keys: usize = self.keys.iter().map(|(_, literals)| 2 + literals.len()).sum();
        sides + 4 * keys
    }

    /// Whether the dimension a way touches is empty.
    pub(crate) fn known_of(&self, statement: &Compiled, way: Way) -> Known {
        match way {
            Way::Side(number) => self.side(number),
            Way::Condition(number) => statement.atoms.get(number).map_or(Known::Inhabited, |a| self.key(&a.key)),
        }
    }

    /// The first dimension that is empty.
    pub(crate) fn known(&self) -> Known {
        let sides = (0..3).map(|number| self.side(number));
        let keys = self.keys.iter().map(|(key, _)| self.key(key));
        sides.chain(keys).find(|known| *known != Known::Inhabited).unwrap_or(Known::Inhabited)
    }

    fn answer(&self, number: usize) -> Answer {
        self.domains.all.get(number).map_or(Answer::Inhabited(None), |domain| self.answer_in(number, domain))
    }

    fn answer_in(&self, number: usize, domain: &[Glob]) -> Answer {
        let Some(demands) = self.sides.get(number) else { return Answer::Inhabited(None) };
        let problem = Problem { required: demands.required.clone(), excluded: demands.excluded.clone(), domain };
        decide(&problem, self.caps)
    }

    fn side(&self, number: usize) -> Known {
        let untouched = |d: &Demands<'_>| d.excluded.is_empty() && d.required.len() < 2;
        if self.sides.get(number).is_some_and(|d| untouched(d) && d.required.iter().all(|u| !u.is_empty())) {
            return Known::Inhabited;
        }
        let dimension = match number {
            0 => Dimension::Action,
            1 => Dimension::Resource,
            _ => Dimension::Principal,
        };
        match self.answer(number) {
            Answer::Empty => Known::Empty(Step::Empty(dimension)),
            Answer::Inhabited(_) | Answer::Capped => Known::Inhabited,
        }
    }

    fn key(&self, key: &ConditionKey) -> Known {
        let Some((_, literals)) = self.keys.iter().find(|(known, _)| *known == key) else { return Known::Inhabited };
        match key::solve(literals, self.caps) {
            KeyAnswer::Empty => Known::Empty(Step::Empty(Dimension::Key(key.clone()))),
            KeyAnswer::Inhabited(_) => Known::Inhabited,
        }
    }

    /// Whether no request of the cell matches the statement, as far as comparing pairs tells.
    pub(crate) fn misses(&self, statement: &'a Compiled) -> bool {
        let budget = self.caps.budget;
        for (number, side) in statement.sides.iter().enumerate() {
            let Some(demands) = self.sides.get(number) else { continue };
            let asked = |_: &Glob| budget.spend(side.globs.len());
            let apart = if side.negated {
                let within = |p: &Glob| asked(p) && side.globs.iter().any(|n| n.includes_within(p, budget));
                demands.required.iter().any(|u| u.iter().all(within))
            } else {
                let apart = |p: &Glob| {
                    !side.may_start_like(p) || asked(p) && side.globs.iter().all(|q| p.disjoint_within(q, budget))
                };
                demands.required.iter().any(|u| u.iter().all(apart))
            };
            if apart {
                return true;
            }
        }
        statement.atoms.iter().any(|atom| {
            self.keys.iter().find(|(key, _)| **key == atom.key).is_some_and(|(_, literals)| {
                let mut literals = literals.clone();
                literals.push((atom, true));
                matches!(key::solve(&literals, self.caps), KeyAnswer::Empty)
            })
        })
    }

    /// A text of each dimension, and values of each key; nothing where one could not be written down.
    pub(crate) fn example(&self) -> Option<Example> {
        let likely = |number: usize| self.domains.likely.get(number).map_or(&[][..], Vec::as_slice).iter();
        let word = |number| {
            let first = likely(number).map(|glob| self.answer_in(number, std::slice::from_ref(glob)));
            first.chain([self.answer(number)]).find_map(|answer| match answer {
                Answer::Inhabited(word) => word,
                _ => None,
            })
        };
        let texts = [word(0)?, word(1)?, word(2)?];
        let mut keys = Vec::new();
        for (key, literals) in &self.keys {
            let KeyAnswer::Inhabited(Some(values)) = key::solve(literals, self.caps) else { return None };
            if !values.is_empty() {
                keys.push(((*key).clone(), values));
            }
        }
        Some(Example { texts, keys })
    }
}

/// Whether a condition holds wherever all the given ones do.
pub(crate) fn implied(given: &[Atom], atom: &Atom, caps: Caps<'_>) -> bool {
    if !caps.budget.spend(given.len()) {
        return false;
    }
    let mut literals: Vec<Literal<'_>> = given.iter().filter(|g| g.key == atom.key).map(|g| (g, true)).collect();
    literals.push((atom, false));
    literals.iter().any(|(g, holds)| *holds && *g == atom) || matches!(key::solve(&literals, caps), KeyAnswer::Empty)
}

/// A request of a cell, as texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Example {
    /// Action, resource, principal.
    pub(crate) texts: [String; 3],
    /// Values by key.
    pub(crate) keys: Vec<(ConditionKey, Vec<String>)>,
}
