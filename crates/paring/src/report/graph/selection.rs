//! What a page shows of a graph: findings that tell the same of many targets as one entry, and no more ways than a browser
//! can hold.
//!
//! Chooses, and says how many there were; the findings were made before.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use iam_graph::{AccessGraph, Edge};
use iam_model::finding::{Finding, FindingCode, FindingSeverity, Subject};

/// More ways than this are not written into a page.
const MOST_EDGES: usize = 60_000;

/// The entries of a page and the edges they need.
pub(crate) struct Selection<'a> {
    pub(crate) entries: Vec<Entry<'a>>,
    /// In the order of the graph.
    pub(crate) edges: Vec<&'a Edge>,
}

/// One entry: a finding, or all findings with one start, technique and severity.
pub(crate) struct Entry<'a> {
    /// The first of them: of the shortest path.
    pub(crate) finding: &'a Finding,
    /// The edges its paths begin with, the shortest path first; places in [`Selection::edges`].
    pub(crate) edges: Vec<usize>,
    /// How many findings it stands for.
    pub(crate) total: usize,
}

/// What names an edge.
type Key<'k> = (&'k Subject, &'k Subject, &'k str);

fn key(edge: &Edge) -> Key<'_> {
    (&edge.from, &edge.to, edge.technique)
}

fn key_of(finding: &Finding) -> Option<Key<'_>> {
    Some((finding.principal.as_ref()?, finding.target.as_ref()?, finding.technique.as_deref()?))
}

type Group<'a> = (Reverse<FindingSeverity>, FindingCode, Option<&'a Subject>, Option<&'a str>);

impl<'a> Selection<'a> {
    /// Groups findings, and chooses among the edges.
    pub(crate) fn new(graph: &AccessGraph, edges: &[&'a Edge], findings: Vec<&'a Finding>) -> Self {
        Self::within(graph, edges, findings, MOST_EDGES)
    }

    fn within(graph: &AccessGraph, edges: &[&'a Edge], findings: Vec<&'a Finding>, most: usize) -> Self {
        let places: BTreeMap<Key<'a>, usize> = edges.iter().enumerate().map(|(at, edge)| (key(edge), at)).collect();
        let place = |finding: &Finding| key_of(finding).and_then(|key| places.get(&key).copied());
        let (ways, facts): (Vec<&Finding>, Vec<&Finding>) = findings.into_iter().partition(|f| place(f).is_some());
        let mut groups: BTreeMap<Group<'a>, Vec<&'a Finding>> = BTreeMap::new();
        for finding in ways {
            let start = (finding.principal.as_ref(), finding.technique.as_deref());
            groups.entry((Reverse(finding.severity), finding.code, start.0, start.1)).or_default().push(finding);
        }
        for group in groups.values_mut() {
            group.sort_by_key(|finding| (finding.path.len(), finding.target.as_ref()));
        }
        let each = most_each(groups.values().map(Vec::len), most);
        let mut kept = BTreeSet::new();
        for edge in groups.values().flat_map(|group| group.iter().take(each)).filter_map(|f| edges.get(place(f)?)) {
            let hops = graph.path_by(edge).hops;
            kept.extend(hops.iter().filter_map(|hop| places.get(&key(hop))).copied());
        }
        let renumbered: BTreeMap<usize, usize> = kept.iter().enumerate().map(|(new, &old)| (old, new)).collect();
        let number = |finding: &&Finding| place(finding).and_then(|old| renumbered.get(&old)).copied();
        let of_group = |group: &Vec<&'a Finding>| {
            let finding = *group.first()?;
            Some(Entry { finding, edges: group.iter().filter_map(number).collect(), total: group.len() })
        };
        let mut entries: Vec<Entry<'a>> = groups.values().filter_map(of_group).collect();
        entries.extend(facts.into_iter().map(|finding| Entry { finding, edges: Vec::new(), total: 1 }));
        entries.sort_by_key(|entry| (Reverse(entry.finding.severity), entry.finding.code));
        Self { entries, edges: kept.iter().filter_map(|&at| edges.get(at).copied()).collect() }
    }
}

/// How many of each group fit, where all together must not be more than `most`; at least one.
fn most_each(sizes: impl Iterator<Item = usize>, most: usize) -> usize {
    let mut sizes: Vec<usize> = sizes.collect();
    sizes.sort_unstable();
    let (mut left, mut groups) = (most, sizes.len());
    for size in sizes {
        if size * groups > left {
            return (left / groups).max(1);
        }
        left -= size;
        groups -= 1;
    }
    usize::MAX
}
