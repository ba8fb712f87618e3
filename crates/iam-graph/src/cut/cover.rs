//! The cheapest set that holds at least one element of each of many sets: branch and bound, with a budget of steps.
//!
//! Knows numbers only. Where the budget ends first, the best set found so far is the answer, and it says so.

use std::collections::{BTreeMap, BTreeSet};

/// Steps of the search over one group of sets that share elements.
const STEPS: u32 = 50_000;

/// A set that hits every clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cover {
    pub(super) chosen: BTreeSet<usize>,
    /// Whether no cheaper one exists.
    pub(super) cheapest: bool,
}

/// The cheapest cover of non-empty clauses; `costs` holds the cost of each element.
pub(super) fn cheapest(clauses: &BTreeSet<Vec<usize>>, costs: &[u64]) -> Cover {
    let mut cover = Cover { chosen: BTreeSet::new(), cheapest: true };
    for group in groups(clauses) {
        let group = without_supersets(group);
        let best = greedy(&group, costs);
        let mut search = Search { costs, best_cost: cost_of(&best, costs), best, steps: STEPS };
        search.branch(&group, &mut Vec::new(), 0, &BTreeSet::new());
        cover.cheapest &= search.steps > 0;
        cover.chosen.extend(search.best);
    }
    cover
}

fn cost(costs: &[u64], element: usize) -> u64 {
    costs.get(element).copied().unwrap_or(u64::MAX / 2)
}

fn cost_of(elements: &[usize], costs: &[u64]) -> u64 {
    elements.iter().fold(0, |sum, &element| cost(costs, element).saturating_add(sum))
}

/// Clauses that share elements, directly or over others: each group can be solved by itself.
fn groups(clauses: &BTreeSet<Vec<usize>>) -> Vec<Vec<&[usize]>> {
    let mut parents: BTreeMap<usize, usize> = BTreeMap::new();
    for clause in clauses {
        for &element in clause {
            parents.entry(element).or_insert(element);
        }
        for pair in clause.windows(2) {
            if let [a, b] = pair {
                let (a, b) = (root(&mut parents, *a), root(&mut parents, *b));
                parents.insert(a.max(b), a.min(b));
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<&[usize]>> = BTreeMap::new();
    for clause in clauses {
        if let Some(&first) = clause.first() {
            groups.entry(root(&mut parents, first)).or_default().push(clause);
        }
    }
    groups.into_values().collect()
}

fn root(parents: &mut BTreeMap<usize, usize>, element: usize) -> usize {
    let mut at = element;
    while let Some(&up) = parents.get(&at).filter(|&&up| up != at) {
        at = up;
    }
    parents.insert(element, at);
    at
}

/// A clause that holds another whole is hit with it.
fn without_supersets(mut clauses: Vec<&[usize]>) -> Vec<&[usize]> {
    clauses.sort_by_key(|clause| clause.len());
    let mut kept: Vec<&[usize]> = Vec::new();
    for clause in clauses {
        if !kept.iter().any(|small| small.iter().all(|element| clause.contains(element))) {
            kept.push(clause);
        }
    }
    kept
}

/// The element that hits most for its cost, again and again; then without those that turn out not to be needed.
fn greedy(clauses: &[&[usize]], costs: &[u64]) -> Vec<usize> {
    let mut open: Vec<&[usize]> = clauses.to_vec();
    let mut chosen = Vec::new();
    while !open.is_empty() {
        let mut hits: BTreeMap<usize, u64> = BTreeMap::new();
        open.iter().flat_map(|clause| clause.iter()).for_each(|&element| *hits.entry(element).or_default() += 1);
        let value = |element: usize, hits: u64| {
            (hits.saturating_mul(1 << 20) / cost(costs, element).max(1), usize::MAX - element)
        };
        let Some((best, _)) = hits.into_iter().max_by_key(|&(element, hits)| value(element, hits)) else { break };
        chosen.push(best);
        open.retain(|clause| !clause.contains(&best));
    }
    let mut at = 0;
    while let Some(&element) = chosen.get(at) {
        let spare = |clause: &&[usize]| clause.iter().any(|other| *other != element && chosen.contains(other));
        if clauses.iter().all(spare) {
            chosen.remove(at);
        } else {
            at += 1;
        }
    }
    chosen
}

struct Search<'c> {
    costs: &'c [u64],
    best: Vec<usize>,
    best_cost: u64,
    steps: u32,
}

impl Search<'_> {
    /// Tries each element of the shortest open clause; what was tried is not tried again further down.
    fn branch(&mut self, open: &[&[usize]], chosen: &mut Vec<usize>, spent: u64, barred: &BTreeSet<usize>) {
        if self.steps == 0 {
            return;
        }
        self.steps -= 1;
        let free = |clause: &[usize]| clause.iter().copied().filter(|e| !barred.contains(e)).collect::<Vec<_>>();
        let Some(shortest) = open.iter().map(|clause| free(clause)).min_by_key(Vec::len) else {
            if spent < self.best_cost {
                (self.best, self.best_cost) = (chosen.clone(), spent);
            }
            return;
        };
        if spent + self.at_least(open, barred) >= self.best_cost {
            return;
        }
        let mut order = shortest;
        order.sort_by_key(|&e| {
            (cost(self.costs, e), std::cmp::Reverse(open.iter().filter(|c| c.contains(&e)).count()), e)
        });
        let mut barred = barred.clone();
        for element in order {
            let rest: Vec<&[usize]> = open.iter().copied().filter(|clause| !clause.contains(&element)).collect();
            chosen.push(element);
            self.branch(&rest, chosen, spent.saturating_add(cost(self.costs, element)), &barred);
            chosen.pop();
            barred.insert(element);
        }
    }

    /// Clauses that share nothing must each be paid for.
    fn at_least(&self, open: &[&[usize]], barred: &BTreeSet<usize>) -> u64 {
        let mut seen: BTreeSet<usize> = BTreeSet::new();
        let mut sum: u64 = 0;
        for clause in open {
            let free = || clause.iter().filter(|element| !barred.contains(element));
            if free().any(|element| seen.contains(element)) {
                continue;
            }
            seen.extend(free());
            sum = sum.saturating_add(free().map(|&e| cost(self.costs, e)).min().unwrap_or(u64::MAX / 4));
        }
        sum
    }
}
