//! The ways to an end that are left when some things are taken away.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::arn::{AccountId, Arn};
use iam_model::finding::Subject;

use super::End;
use super::lever::Removal;
use crate::graph::{AccessGraph, Edge};

/// Every edge that is known, and what breaks it.
#[derive(Debug, Default)]
pub(super) struct Model {
    edges: Vec<Edge>,
    /// For each edge, the levers that break it, by number.
    breaks: Vec<BTreeSet<usize>>,
    places: BTreeMap<(Subject, Subject, &'static str), usize>,
    into: BTreeMap<Subject, Vec<usize>>,
    pub(super) levers: Vec<Removal>,
    pub(super) costs: Vec<u64>,
    numbers: BTreeMap<Removal, usize>,
    pub(super) admins: BTreeSet<Subject>,
}

/// For everyone who reaches the end, the first edge of a shortest way.
#[derive(Debug, Default)]
pub(super) struct Ways {
    next: BTreeMap<Subject, (usize, bool)>,
    edges: Vec<Edge>,
    to: Vec<Subject>,
    admins: BTreeSet<Subject>,
}

fn key(edge: &Edge) -> (Subject, Subject, &'static str) {
    (edge.from.clone(), edge.to.clone(), edge.technique)
}

impl Model {
    pub(super) fn knows(&self, edge: &Edge) -> bool {
        self.places.contains_key(&key(edge))
    }

    pub(super) fn add(&mut self, edge: Edge, levers: Vec<(Removal, u64)>) {
        let place = self.edges.len();
        self.places.insert(key(&edge), place);
        self.into.entry(edge.to.clone()).or_default().push(place);
        let mut breaks = BTreeSet::new();
        for (lever, cost) in levers {
            let number = *self.numbers.entry(lever.clone()).or_insert(self.levers.len());
            if number == self.levers.len() {
                self.levers.push(lever);
                self.costs.push(cost);
            }
            breaks.insert(number);
        }
        self.breaks.push(breaks);
        self.edges.push(edge);
    }

    /// An edge that stands although something was taken away is not broken by it.
    pub(super) fn disprove(&mut self, after: &AccessGraph, chosen: &BTreeSet<Removal>) {
        let taken: BTreeSet<usize> = chosen.iter().filter_map(|lever| self.numbers.get(lever)).copied().collect();
        for edge in after.edges() {
            if let Some(breaks) = self.places.get(&key(edge)).and_then(|&place| self.breaks.get_mut(place)) {
                breaks.retain(|lever| !taken.contains(lever));
            }
        }
    }

    /// Everything of which any one breaks a way of these edges.
    pub(super) fn clause(&self, edges: &[usize]) -> Vec<usize> {
        let all: BTreeSet<usize> = edges.iter().filter_map(|&edge| self.breaks.get(edge)).flatten().copied().collect();
        all.into_iter().collect()
    }

    /// Backwards from the end, over edges nothing taken away breaks, one hop further each round.
    pub(super) fn ways(&self, to: &End, taken: &BTreeSet<usize>) -> Ways {
        let mut ways = Ways { to: self.edges.iter().map(|edge| edge.to.clone()).collect(), ..Ways::default() };
        let stands = |edge: &usize| self.breaks.get(*edge).is_some_and(|breaks| breaks.is_disjoint(taken));
        let last = |edge: &usize| self.edges.get(*edge).is_some_and(|edge| self.is_last(edge, to));
        let mut layer: Vec<(usize, bool)> = (0..self.edges.len()).filter(last).map(|edge| (edge, true)).collect();
        while !layer.is_empty() {
            let mut reached = Vec::new();
            for (at, ends) in layer.into_iter().filter(|(at, _)| stands(at)) {
                let Some(edge) = self.edges.get(at) else { continue };
                if !ways.next.contains_key(&edge.from) {
                    ways.next.insert(edge.from.clone(), (at, ends));
                    reached.push(&edge.from);
                }
            }
            let into = |subject| self.into.get(subject).into_iter().flatten();
            layer = reached.into_iter().flat_map(into).map(|&edge| (edge, false)).collect();
            layer.sort_unstable();
        }
        ways
    }

    pub(super) fn into_ways(self, to: &End) -> Ways {
        let ways = self.ways(to, &BTreeSet::new());
        Ways { edges: self.edges, admins: self.admins, ..ways }
    }

    /// Whether an edge ends where ways end.
    fn is_last(&self, edge: &Edge, to: &End) -> bool {
        let makes_admin = edge.gains_admin || self.admins.contains(&edge.to);
        match to {
            End::Administrator => makes_admin,
            End::Principal(arn) => {
                let near = || whose(edge) == arn.account();
                (edge.to.arn() == Some(arn) && edge.from != edge.to) || (makes_admin && near())
            }
        }
    }
}

/// The account in which an edge makes its start more.
fn whose(edge: &Edge) -> Option<AccountId> {
    edge.to.arn().or_else(|| edge.from.arn()).and_then(Arn::account)
}

impl Ways {
    pub(super) fn starts(&self) -> impl Iterator<Item = &Subject> {
        self.next.keys()
    }

    pub(super) fn reaches(&self, start: &Subject) -> bool {
        self.next.contains_key(start)
    }

    /// The edges of a shortest way, by number; each is one hop nearer to the end, so this ends.
    pub(super) fn edges(&self, start: &Subject) -> Option<Vec<usize>> {
        let mut edges = Vec::new();
        let mut at = start;
        loop {
            let &(edge, ends) = self.next.get(at)?;
            edges.push(edge);
            if ends {
                return Some(edges);
            }
            at = self.to.get(edge)?;
        }
    }

    /// The edges of a shortest way.
    pub(super) fn way(&self, start: &Subject) -> Option<Vec<Edge>> {
        self.edges(start)?.into_iter().map(|edge| self.edges.get(edge).cloned()).collect()
    }

    /// Whether a way ends at an administrator.
    pub(super) fn is_admin(&self, hops: &[Edge]) -> bool {
        hops.last().is_some_and(|edge| edge.gains_admin || self.admins.contains(&edge.to))
    }
}
