//! Is everything one set allows allowed by another? A proof, a request, or "undecided" with what stands in the way.
//!
//! First with policy variables as symbols, which can prove; then, where that stays open, with values for them, which
//! can refute. Both verdicts stand on their own: a proof is an exhausted search, a refutation a request held against
//! both sets.

use std::collections::BTreeSet;

use iam_model::certificate::{Goal, Proof, Side as Whose};
use iam_model::condition::ConditionKey;

use super::atom::Atom;
use super::cell::{Cell, Domains};
use super::close::{Task, close};
use super::request::Witness;
use super::search::{Avoid, End};
use super::statement::{Compiled, Policy};
use super::{Inclusion, Limits, PermissionSet, Possibility, Term, Why, values_of_variables};
use crate::glob::language::Caps;

/// Choices of which part of the old set a request is outside of.
const MOST_CHOICES: usize = 256;
/// Goals of one choice.
const MOST_GOALS: usize = 50_000;
/// What one pass over all goals found.
enum Pass {
    Proved(Proof),
    Refuted(Witness),
    Open { out_of_steps: bool },
}

pub(crate) fn decide(new: &PermissionSet, old: &PermissionSet, limits: Limits) -> Inclusion {
    let sets = (new, old);
    let mut steps = limits.steps;
    let out_of_steps = match pass(sets, new, old, &[], limits, &mut steps) {
        Pass::Proved(proof) => return Inclusion::Included(proof),
        Pass::Refuted(witness) => return Inclusion::Excluded(Box::new(witness)),
        Pass::Open { out_of_steps } => out_of_steps,
    };
    let statements: Vec<&Compiled> = new.statements().chain(old.statements()).collect();
    for assignment in values_of_variables::assignments(&statements) {
        let fixed: Vec<Atom> = assignment
            .iter()
            .map(|(key, value)| match value {
                Some(value) => Atom::equals(key.clone(), value),
                None => Atom::is_absent(key.clone()),
            })
            .collect();
        let value = |variable: &crate::glob::Variable| assignment.get(&variable.key).and_then(Option::as_deref);
        let (bound_new, bound_old) = (new.bind(&value), old.bind(&value));
        if let Pass::Refuted(witness) = pass(sets, &bound_new, &bound_old, &fixed, limits, &mut steps) {
            return Inclusion::Excluded(Box::new(witness));
        }
    }
    Inclusion::Undecided(why(new, old, out_of_steps))
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

/// One pass: every goal of every choice. `asked` are the sets a request is held against.
fn pass(
    asked: (&PermissionSet, &PermissionSet),
    new: &PermissionSet,
    old: &PermissionSet,
    fixed: &[Atom],
    limits: Limits,
    steps: &mut usize,
) -> Pass {
    let domains = Domains::new();
    let caps = Caps { states: limits.states, ..Caps::default() };
    let names_principals = asked.0.names_principals() || asked.1.names_principals();
    let mut found = None;
    let mut accept = |example: &super::cell::Example| {
        let Some(witness) = Witness::from_example(example, names_principals) else { return false };
        let confirmed =
            asked.0.allows_request(&witness) == Possibility::Yes && asked.1.allows_request(&witness) == Possibility::No;
        if confirmed {
            found = Some(witness);
        }
        confirmed
    };
    let mut base = Cell::everything(&domains, caps);
    for atom in fixed {
        base.literal((atom, true));
    }
    let mut proof = Proof::default();
    let mut open = false;
    for term in &new.terms {
        let Some(choices) = outside(old) else { return Pass::Open { out_of_steps: true } };
        for (ins, outs) in choices {
            let ins: Vec<&Policy> = term.all.iter().map(AsRef::as_ref).chain(ins).collect();
            let outs: Vec<&Policy> = term.none.iter().map(AsRef::as_ref).chain(outs).collect();
            let Some(tasks) = tasks(&ins, &outs) else { return Pass::Open { out_of_steps: true } };
            for task in tasks {
                let allow = task.hits.first().map_or(0, |hit| hit.index);
                match close(&base, &task, steps, &mut accept) {
                    Ok(step) => proof.goals.push(Goal { allow, deny: task.deny, step }),
                    Err(End::Found) => return found.map_or(Pass::Open { out_of_steps: false }, Pass::Refuted),
                    Err(_) => open = true,
                }
            }
        }
    }
    if open { Pass::Open { out_of_steps: *steps == 0 } } else { Pass::Proved(proof) }
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

/// For each policy the request is inside: one allow that matches and no deny; for each it is outside: no allow, or
/// one deny that matches.
fn tasks<'a>(ins: &[&'a Policy], outs: &[&'a Policy]) -> Option<Vec<Task<'a>>> {
    let mut tasks = vec![Task { hits: Vec::new(), avoid: Vec::new(), deny: None }];
    let avoid = |list: &'a [Compiled], whose| list.iter().map(move |statement| Avoid { statement, whose });
    for policy in ins {
        let mut next = Vec::new();
        if tasks.len() * policy.allows.len() > MOST_GOALS {
            return None;
        }
        for task in &tasks {
            for allow in &policy.allows {
                let mut hits = task.hits.clone();
                hits.push(allow);
                let avoid = task.avoid.iter().copied().chain(avoid(&policy.denies, Whose::New)).collect();
                next.push(Task { hits, avoid, deny: None });
            }
        }
        tasks = next;
    }
    for policy in outs {
        let mut next = Vec::new();
        if tasks.len() * (policy.denies.len() + 1) > MOST_GOALS {
            return None;
        }
        for task in &tasks {
            let uncovered = task.avoid.iter().copied().chain(avoid(&policy.allows, Whose::Old)).collect();
            next.push(Task { hits: task.hits.clone(), avoid: uncovered, deny: task.deny });
            for deny in &policy.denies {
                let mut hits = task.hits.clone();
                hits.push(deny);
                next.push(Task { hits, avoid: task.avoid.clone(), deny: Some(deny.index) });
            }
        }
        tasks = next;
    }
    Some(tasks)
}
