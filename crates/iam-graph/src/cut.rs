//! The cut: the cheapest set of permissions whose removal leaves no way to an end.
//!
//! A way is broken by taking away any one thing it rests on, so the cheapest cut is a cheapest set that holds one of each
//! way: found way by way, then proved by building the graph again with the changes applied and finding no way left. What
//! is in use is never taken away. What is in use it is told; it reads no logs, and writes no files.

mod changes;
mod cover;
mod lever;
mod ways;

use std::collections::{BTreeMap, BTreeSet};

use iam_model::arn::{Arn, ResourcePattern};
use iam_model::change::Change;
use iam_model::finding::Subject;
use iam_model::snapshot::SnapshotIndex;

use crate::build::build;
use crate::graph::{AccessGraph, Path};
use crate::survey::Survey;
use lever::levers;
pub use lever::{Removal, Trusted};
use ways::{Model, Ways};

/// How often the graph is built again before what is left is reported as left.
const ROUNDS: usize = 24;

/// Where the ways end that a cut breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// At any administrator.
    Administrator,
    /// At this user or role; also at an administrator of its account, who can become it.
    Principal(Arn),
}

/// What is known about the use of something that may be taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Use {
    /// The evidence would have shown a use, and shows none.
    Unseen,
    /// There is no evidence.
    Unknown,
    /// It is used, on these resources and nothing else: it may be narrowed to them.
    On(Vec<ResourcePattern>),
    /// It is used, and cannot be taken away.
    Needed,
}

impl Use {
    /// What taking it away costs; nothing where it must not be.
    const fn cost(&self) -> Option<u64> {
        match self {
            Self::Unseen => Some(2),
            Self::Unknown => Some(6),
            Self::On(_) => Some(10),
            Self::Needed => None,
        }
    }
}

/// Something that is taken away, and what is known about its use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// What.
    pub what: Removal,
    /// Its use.
    pub used: Use,
}

/// A cut, proved by building the graph again.
#[derive(Debug, Clone, Default)]
pub struct Cut {
    /// What is taken away, sorted.
    pub removed: Vec<Removed>,
    /// The same, as changes of policies.
    pub changes: Vec<Change>,
    /// Who reached the end and does not with the changes applied.
    pub cut_off: Vec<Subject>,
    /// For everyone who still reaches it a shortest way: nothing on it can be taken away without breaking what is used.
    pub left: Vec<Path>,
    /// Whether no cheaper cut of these ways exists; else it is the best that was found.
    pub smallest: bool,
    /// What was not judged when the graph was built again.
    pub not_checked: Vec<String>,
}

/// Finds the cheapest cut between some principals (everyone, where none are named) and an end.
///
/// `used` says what is known about the use of something. What is unused is preferred to what nobody knows about, that to
/// narrowing what is used, and what an identity may do to whom a role trusts.
///
/// ```
/// use iam_graph::cut::{End, Use, cut};
/// use iam_model::snapshot::{Snapshot, SnapshotIndex};
/// let snapshot = Snapshot::default();
/// let (index, _) = SnapshotIndex::new(&snapshot);
/// assert!(cut(&index, &[], &End::Administrator, &|_| Use::Unknown).removed.is_empty());
/// ```
#[must_use]
pub fn cut(index: &SnapshotIndex<'_>, from: &[Arn], to: &End, used: &dyn Fn(&Removal) -> Use) -> Cut {
    let survey = Survey::new(index, &[]);
    let before = build(index, &[]);
    let mut search = Search { survey: &survey, to, used, model: Model::default(), known: BTreeMap::new() };
    search.learn(&before);
    let ways = search.model.ways(to, &BTreeSet::new());
    let wanted: BTreeSet<Subject> = from.iter().cloned().map(Subject::Arn).collect();
    let asked = |s: &Subject| {
        (wanted.is_empty() || wanted.contains(s)) && !matches!(to, End::Principal(arn) if s.arn() == Some(arn))
    };
    let sources: BTreeSet<Subject> = ways.starts().filter(|s| asked(s)).cloned().collect();
    search.run(index, &sources)
}

/// What looking for ways found.
enum More {
    Nothing,
    Ways,
    /// Someone has a way of which nothing can be taken away.
    Shut,
}

/// What is known while the cut is searched for.
struct Search<'s, 'a> {
    survey: &'s Survey<'a>,
    to: &'s End,
    used: &'s dyn Fn(&Removal) -> Use,
    model: Model,
    /// Use by lever, asked once.
    known: BTreeMap<Removal, Use>,
}

impl Search<'_, '_> {
    /// Takes in every edge of a graph. Says whether any was new.
    fn learn(&mut self, graph: &AccessGraph) -> bool {
        let mut news = false;
        for edge in graph.edges() {
            if self.model.knows(edge) {
                continue;
            }
            news = true;
            let mut usable = Vec::new();
            for lever in levers(self.survey, edge) {
                let used =
                    self.known.entry(lever.clone()).or_insert_with_key(|lever| lever.in_use(self.survey, self.used));
                if let Some(cost) = used.cost() {
                    usable.push((lever.clone(), cost * lever.weight()));
                }
            }
            self.model.add(edge.clone(), usable);
        }
        self.model.admins.extend(graph.admins().cloned());
        news
    }

    fn run(&mut self, index: &SnapshotIndex<'_>, sources: &BTreeSet<Subject>) -> Cut {
        let mut open = sources.clone();
        let mut exact = true;
        let mut cut = Cut::default();
        for _ in 0..ROUNDS {
            let (chosen, smallest) = self.choose(&mut open);
            let changes = changes::of(self.survey, &chosen, &self.known);
            let after = build(index, &changes);
            // A way that is there although something it rests on is gone: taking that away does not break it.
            self.model.disprove(&after, &chosen);
            exact &= !self.learn(&after);
            let left = self.left(&after);
            let reach: Vec<&Subject> = sources.iter().filter(|s| left.reaches(s)).collect();
            cut = Cut {
                removed: chosen.iter().map(|what| self.removed(what)).collect(),
                changes,
                cut_off: sources.iter().filter(|s| !left.reaches(s)).cloned().collect(),
                left: reach
                    .iter()
                    .filter_map(|s| left.way(s))
                    .map(|hops| Path { reaches_admin: left.is_admin(&hops), hops })
                    .collect(),
                smallest: smallest && exact,
                not_checked: after.not_checked(),
            };
            if !reach.iter().any(|source| open.contains(*source)) {
                return cut;
            }
        }
        cut.smallest = false;
        cut
    }

    /// The cheapest set that holds something of every way there is; whoever cannot be cut off is no longer open.
    fn choose(&self, open: &mut BTreeSet<Subject>) -> (BTreeSet<Removal>, bool) {
        let mut clauses: BTreeSet<Vec<usize>> = BTreeSet::new();
        loop {
            let cover = cover::cheapest(&clauses, &self.model.costs);
            let mut taken = cover.chosen;
            match self.more(&mut taken, &mut clauses, open) {
                More::Nothing => {
                    let levers = taken.into_iter().filter_map(|lever| self.model.levers.get(lever)).cloned().collect();
                    return (levers, cover.cheapest);
                }
                More::Ways => {}
                // What is only on the ways of people who cannot be cut off need not go: from the start, without them.
                More::Shut => clauses.clear(),
            }
        }
    }

    /// Every way that is left, each broken by its cheapest part for now, so that one round finds many.
    fn more(
        &self,
        taken: &mut BTreeSet<usize>,
        clauses: &mut BTreeSet<Vec<usize>>,
        open: &mut BTreeSet<Subject>,
    ) -> More {
        let known = clauses.len();
        loop {
            let ways = self.model.ways(self.to, taken);
            let clause = |s: &Subject| ways.edges(s).map(|edges| self.model.clause(&edges));
            let found: Vec<(Subject, Vec<usize>)> = open.iter().filter_map(|s| Some((s.clone(), clause(s)?))).collect();
            if found.is_empty() {
                return if clauses.len() == known { More::Nothing } else { More::Ways };
            }
            let shut = found.iter().filter(|(_, clause)| clause.is_empty());
            let shut: Vec<&Subject> = shut.map(|(subject, _)| subject).collect();
            if !shut.is_empty() {
                shut.into_iter().for_each(|subject| _ = open.remove(subject));
                return More::Shut;
            }
            for (_, clause) in found {
                taken.extend(clause.iter().copied().min_by_key(|&lever| (self.model.costs.get(lever), lever)));
                clauses.insert(clause);
            }
        }
    }

    fn left(&self, after: &AccessGraph) -> Ways {
        let mut model = Model::default();
        model.admins.extend(after.admins().cloned());
        for edge in after.edges() {
            model.add(edge.clone(), Vec::new());
        }
        model.into_ways(self.to)
    }

    fn removed(&self, what: &Removal) -> Removed {
        Removed { what: what.clone(), used: self.known.get(what).cloned().unwrap_or(Use::Unknown) }
    }
}

#[cfg(test)]
mod tests;
