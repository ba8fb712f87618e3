//! The access graph: who can become whom, by which technique, and who ends up as an administrator.
//!
//! Holds the edges and answers questions of reach. Edges are found in [`crate::search`]; it judges no policy.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::arn::Arn;
use iam_model::condition::ConditionKey;
use iam_model::finding::Subject;
use petgraph::Direction;
use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;

use crate::technique::Technique;

/// One way from one principal to another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Who starts.
    pub from: Subject,
    /// Whose permissions are gained; the start itself where it only changes its own.
    pub to: Subject,
    /// The technique's public id.
    pub technique: &'static str,
    /// Context keys the way hangs on and that a snapshot cannot know; empty where it works whatever they are.
    pub conditional_on: Vec<ConditionKey>,
    /// Whether what is gained is all an administrator has, even where the target is none now.
    pub gains_admin: bool,
    /// The resource it goes through: a function, an instance, a policy.
    pub through: Option<Arn>,
}

/// A way over one or more hops.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    /// The hops, first to last; never empty.
    pub hops: Vec<Edge>,
    /// Whether its end is an administrator.
    pub reaches_admin: bool,
}

impl Path {
    /// Where the path ends.
    #[must_use]
    pub fn target(&self) -> Option<&Subject> {
        self.hops.last().map(|hop| &hop.to)
    }
}

/// Who can become whom.
#[derive(Debug, Default)]
pub struct AccessGraph {
    graph: DiGraph<Subject, Edge>,
    nodes: BTreeMap<Subject, NodeIndex>,
    admins: BTreeSet<Subject>,
    /// For everyone who gets to administrator: how many hops it takes, and the first of them.
    to_admin: BTreeMap<Subject, (usize, Option<EdgeIndex>)>,
    pub(crate) facts: crate::facts::Facts,
}

impl AccessGraph {
    pub(crate) fn new(mut edges: Vec<Edge>, admins: BTreeSet<Subject>, facts: crate::facts::Facts) -> Self {
        edges.sort();
        edges.dedup_by(|b, a| (&a.from, &a.to, a.technique) == (&b.from, &b.to, b.technique));
        let mut graph = Self { admins, facts, ..Self::default() };
        for subject in graph.admins.clone() {
            graph.node(&subject);
        }
        for edge in edges {
            let (from, to) = (graph.node(&edge.from), graph.node(&edge.to));
            graph.graph.add_edge(from, to, edge);
        }
        graph.measure();
        graph
    }

    fn node(&mut self, subject: &Subject) -> NodeIndex {
        if let Some(&node) = self.nodes.get(subject) {
            return node;
        }
        let node = self.graph.add_node(subject.clone());
        self.nodes.insert(subject.clone(), node);
        node
    }

    /// Backwards from administrators and from edges that make one, one hop further each round.
    fn measure(&mut self) {
        self.to_admin = self.admins.iter().map(|admin| (admin.clone(), (0, None))).collect();
        let ends = |edge: &Edge| edge.gains_admin || self.admins.contains(&edge.to);
        let mut layer: Vec<EdgeIndex> =
            self.graph.edge_references().filter(|edge| ends(edge.weight())).map(|edge| edge.id()).collect();
        let mut hops = 1;
        while !layer.is_empty() {
            let mut reached = Vec::new();
            for edge in layer {
                let Some((node, _)) = self.graph.edge_endpoints(edge) else { continue };
                let Some(subject) = self.graph.node_weight(node) else { continue };
                if !self.to_admin.contains_key(subject) {
                    self.to_admin.insert(subject.clone(), (hops, Some(edge)));
                    reached.push(node);
                }
            }
            let incoming = |node| self.graph.edges_directed(node, Direction::Incoming).map(|edge| edge.id());
            layer = reached.into_iter().flat_map(incoming).collect();
            layer.sort_unstable();
            hops += 1;
        }
    }

    /// Whether a principal is an administrator by its own policies, within its boundary and service control policies.
    #[must_use]
    pub fn is_admin(&self, principal: &Arn) -> bool {
        self.is_admin_subject(&Subject::Arn(principal.clone()))
    }

    pub(crate) fn is_admin_subject(&self, subject: &Subject) -> bool {
        self.admins.contains(subject)
    }

    /// Whether a principal is an administrator, or can become one.
    #[must_use]
    pub fn reaches_admin(&self, principal: &Arn) -> bool {
        self.subject_reaches_admin(&Subject::Arn(principal.clone()))
    }

    pub(crate) fn subject_reaches_admin(&self, subject: &Subject) -> bool {
        self.to_admin.contains_key(subject)
    }

    /// Whether taking this edge ends, now or some hops later, at an administrator.
    #[must_use]
    pub fn leads_to_admin(&self, edge: &Edge) -> bool {
        edge.gains_admin || (edge.to != edge.from && self.subject_reaches_admin(&edge.to))
    }

    /// Every edge: sorted by start, target, technique.
    pub fn edges(&self) -> impl Iterator<Item = &Edge> {
        self.graph.edge_weights()
    }

    /// Administrators, sorted.
    pub fn admins(&self) -> impl Iterator<Item = &Subject> {
        self.admins.iter()
    }

    /// For each edge out of a principal, the shortest path that begins with it and ends at an administrator, or the
    /// edge alone where none does. Sorted.
    #[must_use]
    pub fn paths_from(&self, principal: &Arn) -> Vec<Path> {
        self.paths_of(&Subject::Arn(principal.clone()))
    }

    pub(crate) fn paths_of(&self, subject: &Subject) -> Vec<Path> {
        let Some(&node) = self.nodes.get(subject) else { return Vec::new() };
        let mut paths: Vec<Path> = self.graph.edges(node).map(|edge| self.path_by(edge.weight())).collect();
        paths.sort();
        paths
    }

    /// The shortest path to an administrator that begins with an edge.
    #[must_use]
    pub fn path_by(&self, edge: &Edge) -> Path {
        let (hops, reaches_admin) = self.hops_by(edge);
        Path { hops: hops.into_iter().cloned().collect(), reaches_admin }
    }

    /// The hops of the same path, and whether it ends at an administrator.
    pub(crate) fn hops_by<'e>(&'e self, edge: &'e Edge) -> (Vec<&'e Edge>, bool) {
        let mut hops = vec![edge];
        let reaches_admin = self.leads_to_admin(edge);
        // Each further hop is one nearer to an administrator, so this ends.
        while let Some(last) = hops.last().filter(|last| reaches_admin && !last.gains_admin) {
            let Some(&(_, Some(next))) = self.to_admin.get(&last.to) else { break };
            let Some(next) = self.graph.edge_weight(next) else { break };
            hops.push(next);
        }
        (hops, reaches_admin)
    }

    /// Every shortest path from a principal to someone, sorted; at most so many.
    #[must_use]
    pub fn shortest_paths(&self, from: &Arn, to: &Subject, most: usize) -> Vec<Path> {
        let (Some(&start), Some(&end)) = (self.nodes.get(&Subject::Arn(from.clone())), self.nodes.get(to)) else {
            return Vec::new();
        };
        if start == end {
            return self.path_between(from, to).into_iter().collect();
        }
        let away = self.distances(end);
        let mut paths = Vec::new();
        let mut open: Vec<(NodeIndex, Vec<&Edge>)> = vec![(start, Vec::new())];
        while let Some((at, hops)) = open.pop().filter(|_| paths.len() < most) {
            if at == end {
                let reaches_admin = hops.last().is_some_and(|last| self.leads_to_admin(last));
                paths.push(Path { hops: hops.into_iter().cloned().collect(), reaches_admin });
                continue;
            }
            let nearer = |node: NodeIndex| away.get(&node).zip(away.get(&at)).is_some_and(|(next, here)| next < here);
            let mut steps: Vec<_> = self.graph.edges(at).filter(|edge| nearer(edge.target())).collect();
            steps.sort_by(|a, b| b.weight().cmp(a.weight()));
            open.extend(steps.into_iter().map(|edge| {
                let mut further = hops.clone();
                further.push(edge.weight());
                (edge.target(), further)
            }));
        }
        paths.sort();
        paths
    }

    /// Everyone who can become the principal, directly or in several hops, with the number of hops.
    #[must_use]
    pub fn who_can_become(&self, principal: &Arn) -> BTreeMap<Subject, usize> {
        let Some(&node) = self.nodes.get(&Subject::Arn(principal.clone())) else { return BTreeMap::new() };
        let name = |(node, hops): (NodeIndex, usize)| Some((self.graph.node_weight(node)?.clone(), hops));
        self.distances(node).into_iter().filter(|(other, _)| *other != node).filter_map(name).collect()
    }

    /// How many hops it takes everyone who gets to a node.
    fn distances(&self, end: NodeIndex) -> BTreeMap<NodeIndex, usize> {
        let mut away = BTreeMap::from([(end, 0)]);
        let mut layer = vec![end];
        let mut hops = 1;
        while !layer.is_empty() {
            let into = layer.iter().flat_map(|&node| self.graph.neighbors_directed(node, Direction::Incoming));
            let found: BTreeSet<NodeIndex> = into.filter(|node| !away.contains_key(node)).collect();
            away.extend(found.iter().map(|&node| (node, hops)));
            layer = found.into_iter().collect();
            hops += 1;
        }
        away
    }

    /// The shortest path from a principal to someone, where there is one.
    #[must_use]
    pub fn path_between(&self, from: &Arn, to: &Subject) -> Option<Path> {
        let (&start, &end) = (self.nodes.get(&Subject::Arn(from.clone()))?, self.nodes.get(to)?);
        let mut came_by: BTreeMap<NodeIndex, EdgeIndex> = BTreeMap::new();
        let mut layer = vec![start];
        while !layer.is_empty() && !came_by.contains_key(&end) {
            let mut next = Vec::new();
            for node in layer {
                let mut edges: Vec<_> = self.graph.edges(node).map(|edge| (edge.id(), edge.target())).collect();
                edges.sort_unstable();
                for (edge, target) in edges {
                    if !came_by.contains_key(&target) && (target != start || target == end) {
                        came_by.insert(target, edge);
                        next.push(target);
                    }
                }
            }
            layer = next;
        }
        let mut hops = Vec::new();
        let mut at = end;
        while let Some(&edge) = came_by.get(&at) {
            hops.push(self.graph.edge_weight(edge)?.clone());
            at = self.graph.edge_endpoints(edge)?.0;
            if at == start {
                break;
            }
        }
        hops.reverse();
        let reaches_admin = self.leads_to_admin(hops.last()?);
        Some(Path { hops, reaches_admin })
    }

    /// Everyone a principal can become, directly or in several hops.
    #[must_use]
    pub fn reachable_from(&self, principal: &Arn) -> BTreeSet<Subject> {
        let mut seen = BTreeSet::new();
        let mut todo: Vec<NodeIndex> = self.nodes.get(&Subject::Arn(principal.clone())).copied().into_iter().collect();
        while let Some(node) = todo.pop() {
            for next in self.graph.neighbors(node) {
                if let Some(subject) = self.graph.node_weight(next)
                    && seen.insert(subject.clone())
                {
                    todo.push(next);
                }
            }
        }
        seen
    }

    /// Changes that could not be applied: the graph does not show what they do. A part of [`Self::not_checked`].
    #[must_use]
    pub fn not_applied(&self) -> &[String] {
        &self.facts.not_applied
    }

    /// What was not judged, and why; sorted.
    #[must_use]
    pub fn not_checked(&self) -> Vec<String> {
        self.facts.not_checked.iter().cloned().collect()
    }
}

/// What the technique of an edge is.
impl Edge {
    /// The catalogue's entry.
    #[must_use]
    pub fn technique(&self) -> Option<&'static Technique> {
        crate::technique::catalogue().find(self.technique)
    }
}
