//! Is everything one set allows allowed by another? A proof, a request, or "undecided" with what stands in the way.
//!
//! First with policy variables as symbols, which can prove; then, where that stays open, with values for them, which
//! can refute. Both verdicts stand on their own: a proof is an exhausted search, a refutation a request held against
//! both sets.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use iam_model::certificate::{Goal, Proof, Side as Whose};
use iam_model::condition::ConditionKey;

use super::atom::Atom;
use super::cell::{Cell, Domains};
use super::close::{Task, close};
use super::request::Witness;
use super::search::{Avoid, Avoided, End};
use super::statement::{Compiled, Policy};
use super::{Inclusion, Limits, PermissionSet, Possibility, Term, Why, values_of_variables};
use crate::budget::Budget;
use crate::glob::language::Caps;

/// Choices of which part of the old set a request is outside of.
const MOST_CHOICES: usize = 256;
/// Goals of one choice.
const MOST_GOALS: usize = 50_000;
/// Lists of statements to avoid that are kept for other goals of the choice.
const MOST_KEPT: usize = 8;

/// What one pass over all goals found.
enum Pass {
    Proved(Proof),
    Refuted(Witness),
    Open { out_of_steps: bool },
}

pub(crate) fn decide(new: &PermissionSet, old: &PermissionSet, limits: Limits<'_>, budget: &Budget) -> Inclusion {
    let asked = Question { sets: (new, old), caps: Caps { states: limits.states, ..Caps::on(budget) } };
    let mut steps = limits.steps;
    let out_of_steps = match asked.pass(new, old, &[], &mut steps) {
        Pass::Proved(proof) => return Inclusion::Included(proof),
        Pass::Refuted(witness) => return Inclusion::Excluded(Box::new(witness)),
        Pass::Open { out_of_steps } => out_of_steps,
    };
    let statements: Vec<&Compiled> = new.statements().chain(old.statements()).collect();
    for assignment in values_of_variables::assignments(&statements, budget) {
        if budget.is_spent() {
            break;
        }
        let fixed: Vec<Atom> = assignment
            .iter()
            .map(|(key, value)| match value {
                Some(value) => Atom::equals(key.clone(), value),
                None => Atom::is_absent(key.clone()),
            })
            .collect();
        let value = |variable: &crate::glob::Variable| assignment.get(&variable.key).and_then(Option::as_deref);
        let (bound_new, bound_old) = (new.bind(&value), old.bind(&value));
        if let Pass::Refuted(witness) = asked.pass(&bound_new, &bound_old, &fixed, &mut steps) {
            return Inclusion::Excluded(Box::new(witness));
        }
    }
    Inclusion::Undecided(why(new, old, out_of_steps || budget.is_spent()))
}

fn why(new: &PermissionSet, old: &PermissionSet, out_of_steps: bool) -> Why {
    if new.statements().chain(old.statements()).any(|s| s.doubtful) {
        return Why::NotUnderstood;
    }
    if out_of_steps {
        return Why::Limit;
    }
    let keys: BTreeSet<ConditionKey> = new
        .statements()
        .chain(old.statements())
        .flat_map(|s| s.atoms.iter().map(|a| a.key.clone()).chain(s.variables().map(|v| v.key.clone())))
        .collect();
    if keys.is_empty() { Why::Limit } else { Why::Keys(keys.into_iter().collect()) }
}

/// The sets a request is held against, and what finding one may cost.
#[derive(Clone, Copy)]
struct Question<'q> {
    sets: (&'q PermissionSet, &'q PermissionSet),
    caps: Caps<'q>,
}

impl Question<'_> {
    /// One pass: every goal of every choice.
    fn pass(self, new: &PermissionSet, old: &PermissionSet, fixed: &[Atom], steps: &mut usize) -> Pass {
        let domains = Domains::new();
        let names_principals = self.sets.0.names_principals() || self.sets.1.names_principals();
        let mut found = None;
        let mut accept = |example: &super::cell::Example| {
            let Some(witness) = Witness::from_example(example, names_principals) else { return false };
            let confirmed = self.confirms(&witness);
            if confirmed {
                found = Some(witness);
            }
            confirmed
        };
        let mut base = Cell::everything(&domains, self.caps);
        for atom in fixed {
            base.literal((atom, true));
        }
        let mut proof = Proof::default();
        let mut open = false;
        let stopped = Pass::Open { out_of_steps: true };
        for term in &new.terms {
            let Some(choices) = outside(old) else { return stopped };
            for (ins, outs) in choices {
                let ins: Vec<&Policy> = term.all.iter().map(AsRef::as_ref).chain(ins).collect();
                let outs: Vec<&Policy> = term.none.iter().map(AsRef::as_ref).chain(outs).collect();
                let Some(mut goals) = Goals::new(&ins, &outs) else { return stopped };
                while let Some(task) = goals.next() {
                    let allow = task.hits.first().map_or(0, |hit| hit.index);
                    match close(&base, &task, steps, &mut accept) {
                        Ok(step) => proof.goals.push(Goal { allow, deny: task.deny, step }),
                        Err(End::Found) => return found.map_or(Pass::Open { out_of_steps: false }, Pass::Refuted),
                        Err(_) if self.caps.budget.is_spent() => return stopped,
                        Err(_) => open = true,
                    }
                }
            }
        }
        if open { Pass::Open { out_of_steps: *steps == 0 } } else { Pass::Proved(proof) }
    }

    fn confirms(&self, witness: &Witness) -> bool {
        let says = |set: &PermissionSet| set.allows_request_within(witness, self.caps.budget);
        says(self.sets.0) == Possibility::Yes && says(self.sets.1) == Possibility::No
    }
}

type Choice<'a> = (Vec<&'a Policy>, Vec<&'a Policy>);

/// Every way to be outside a set: for each of its terms, one policy that must (or must not) allow the request.
fn outside(set: &PermissionSet) -> Option<Vec<Choice<'_>>> {
    let mut choices: Vec<Choice<'_>> = vec![(Vec::new(), Vec::new())];
    for Term { all, none } in &set.terms {
        if choices.len() * (all.len() + none.len()) > MOST_CHOICES {
            return None;
        }
        let mut next = Vec::new();
        for (ins, outs) in &choices {
            for policy in all {
                let mut outs = outs.clone();
                outs.push(policy.as_ref());
                next.push((ins.clone(), outs));
            }
            for policy in none {
                let mut ins = ins.clone();
                ins.push(policy.as_ref());
                next.push((ins, outs.clone()));
            }
        }
        choices = next;
    }
    Some(choices)
}

/// The goals of one choice, one after the other. For each policy the request is inside: one allow that matches and no
/// deny; for each it is outside: no allow, or one deny that matches.
struct Goals<'g, 'a> {
    ins: &'g [&'a Policy],
    outs: &'g [&'a Policy],
    /// Which allow or deny of each policy is meant; a deny's number is one more, none is zero.
    at: Vec<usize>,
    /// How many there are to choose from.
    ways: Vec<usize>,
    /// The statements to avoid, by which policies are outside by having no allow.
    avoid: BTreeMap<Vec<bool>, Rc<Avoided<'a>>>,
    left: usize,
}

impl<'g, 'a> Goals<'g, 'a> {
    /// Nothing where there are too many.
    fn new(ins: &'g [&'a Policy], outs: &'g [&'a Policy]) -> Option<Self> {
        let ways = ins.iter().map(|p| p.allows.len()).chain(outs.iter().map(|p| p.denies.len() + 1));
        let ways: Vec<usize> = ways.collect();
        let left = ways.iter().try_fold(1_usize, |all, n| all.checked_mul(*n).filter(|all| *all <= MOST_GOALS))?;
        Some(Self { ins, outs, at: vec![0; ways.len()], ways, avoid: BTreeMap::new(), left })
    }

    fn next(&mut self) -> Option<Task<'a>> {
        self.left = self.left.checked_sub(1)?;
        let (allows, denies) = self.at.split_at_checked(self.ins.len())?;
        let mut hits: Vec<&Compiled> = Vec::with_capacity(self.at.len());
        hits.extend(self.ins.iter().zip(allows).filter_map(|(policy, at)| policy.allows.get(*at)));
        let mut deny = None;
        let mut uncovered = Vec::with_capacity(denies.len());
        for (policy, at) in self.outs.iter().zip(denies) {
            let hit = at.checked_sub(1).and_then(|at| policy.denies.get(at));
            uncovered.push(hit.is_none());
            hits.extend(hit);
            deny = hit.map(|hit| hit.index).or(deny);
        }
        let avoid = match self.avoid.get(&uncovered) {
            Some(known) => Rc::clone(known),
            None => self.avoided(uncovered),
        };
        for (at, ways) in self.at.iter_mut().zip(&self.ways).rev() {
            *at += 1;
            if *at < *ways {
                break;
            }
            *at = 0;
        }
        Some(Task { hits, avoid, deny })
    }

    fn avoided(&mut self, uncovered: Vec<bool>) -> Rc<Avoided<'a>> {
        let denies = self.ins.iter().flat_map(|policy| &policy.denies);
        let denies = denies.map(|statement| Avoid { statement, whose: Whose::New });
        let allows = self.outs.iter().zip(&uncovered).filter(|(_, uncovered)| **uncovered);
        let allows = allows.flat_map(|(policy, _)| &policy.allows);
        let all = denies.chain(allows.map(|statement| Avoid { statement, whose: Whose::Old })).collect();
        let avoid = Rc::new(Avoided::new(all));
        if self.avoid.len() >= MOST_KEPT {
            self.avoid.clear();
        }
        self.avoid.insert(uncovered, Rc::clone(&avoid));
        avoid
    }
}
