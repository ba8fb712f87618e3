//! What a change opens: ways and administrators that are there after it and were not before.
//!
//! Compares two graphs; what it says of a change is for whoever proves claims.

use std::collections::BTreeMap;

use iam_model::finding::Subject;

use crate::graph::{AccessGraph, Edge, Path};

/// Something a change opens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Opened {
    /// A principal is an administrator now.
    Administrator(Subject),
    /// A way that was not there, or that hung on more than it does now, or that ended at no administrator.
    Path(Path),
}

/// What stands open in the second graph and did not in the first; sorted.
///
/// ```
/// let graph = iam_graph::AccessGraph::default();
/// assert_eq!(iam_graph::opened(&graph, &graph), []);
/// ```
#[must_use]
pub fn opened(before: &AccessGraph, after: &AccessGraph) -> Vec<Opened> {
    let key = |edge: &Edge| (edge.from.clone(), edge.to.clone(), edge.technique);
    let old: BTreeMap<_, &Edge> = before.edges().map(|edge| (key(edge), edge)).collect();
    let is_new = |edge: &&Edge| {
        old.get(&key(edge)).is_none_or(|was| {
            let freer = was.conditional_on.iter().any(|key| !edge.conditional_on.contains(key));
            freer || (after.leads_to_admin(edge) && !before.leads_to_admin(was))
        })
    };
    // Who was an administrator had every way there is.
    let had_all = |edge: &&Edge| before.is_admin_subject(&edge.from);
    let paths = after.edges().filter(is_new).filter(|edge| !had_all(edge));
    let admins = after.admins().filter(|subject| !before.is_admin_subject(subject));
    let mut opened: Vec<Opened> = admins.cloned().map(Opened::Administrator).collect();
    opened.extend(paths.map(|edge| Opened::Path(after.path_by(edge))));
    opened.sort();
    opened
}
