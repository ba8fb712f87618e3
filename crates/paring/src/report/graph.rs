//! The access graph as one value that its renderers read: principals, ways, and the statements behind each way.
//!
//! Numbers and gathers; what is reachable was decided before. What several ways share is held once.

mod dot;
mod graphml;
mod html;
mod json;
mod selection;

pub(crate) use dot::{behind, render as render_dot};
pub(crate) use graphml::render as render_graphml;
pub(crate) use html::render as render_html;
pub(crate) use json::render as render_json;
pub(crate) use selection::Selection;

use std::collections::{BTreeMap, BTreeSet};

use iam_evaluate::Layer;
use iam_graph::{AccessGraph, Asker, Cited, Edge, Ground, GroundPlace};
use iam_model::action::Action;
use iam_model::arn::Arn;
use iam_model::condition::ConditionKey;
use iam_model::finding::Subject;
use iam_model::json::Value;
use iam_model::policy::{PolicyDocument, Statement, document_value};
use iam_model::snapshot::SnapshotIndex;
use iam_model::text::{Position, Positions, SourceText};

/// Everything the renderers show.
pub(crate) struct GraphView<'a> {
    /// The name of the snapshot's text.
    pub(crate) source: String,
    pub(crate) accounts: Vec<String>,
    /// Sorted by subject.
    pub(crate) nodes: Vec<NodeView<'a>>,
    /// Sorted by start, target and technique.
    pub(crate) edges: Vec<EdgeView<'a>>,
    pub(crate) grounds: Vec<GroundView>,
    pub(crate) statements: Vec<StatementView<'a>>,
    pub(crate) not_checked: Vec<String>,
}

/// A principal.
pub(crate) struct NodeView<'a> {
    pub(crate) subject: &'a Subject,
    pub(crate) administrator: bool,
    pub(crate) reaches_admin: bool,
    /// The next edge on the shortest way to an administrator, where that edge is in the view.
    pub(crate) next: Option<usize>,
}

impl NodeView<'_> {
    /// What kind of principal it is.
    pub(crate) fn kind(&self) -> &'static str {
        match self.subject {
            Subject::Anyone => "anyone",
            Subject::NewRole => "new role",
            Subject::Arn(arn) => match arn.resource().split('/').next() {
                Some("user") => "user",
                Some("role") => "role",
                Some("group") => "group",
                Some("root") => "account",
                _ => "principal",
            },
        }
    }

    /// The account it belongs to.
    pub(crate) fn account(&self) -> Option<String> {
        self.subject.arn().and_then(Arn::account).map(|account| account.to_string())
    }

    /// A short name: what follows the account in the ARN.
    pub(crate) fn label(&self) -> &str {
        match self.subject {
            Subject::Anyone => "anyone",
            Subject::NewRole => "a new role",
            Subject::Arn(arn) => arn.resource(),
        }
    }
}

/// A way from one principal to another.
pub(crate) struct EdgeView<'a> {
    pub(crate) edge: &'a Edge,
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) leads_to_admin: bool,
    /// Numbers of [`GraphView::grounds`].
    pub(crate) grounds: Vec<usize>,
}

/// A permission a way rests on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GroundView {
    pub(crate) asker: Asker,
    pub(crate) action: Action,
    pub(crate) on: GroundPlace,
    pub(crate) conditional_on: Vec<ConditionKey>,
    /// Numbers of [`GraphView::statements`].
    pub(crate) statements: Vec<usize>,
}

/// A statement of a policy.
pub(crate) struct StatementView<'a> {
    pub(crate) cited: Cited<'a>,
    /// Where it stands in the snapshot's text.
    pub(crate) place: Option<Position>,
}

impl StatementView<'_> {
    /// The statement as JSON.
    pub(crate) fn value(&self) -> Value {
        let alone = PolicyDocument { statements: vec![self.cited.text.clone()], ..PolicyDocument::default() };
        let document = document_value(&alone);
        document.get("Statement").map_or(&[][..], Value::items).first().cloned().unwrap_or_default()
    }

    /// What kind of policy it stands in, and the policy's name, where it has one.
    pub(crate) fn policy(&self) -> (&str, &str) {
        match self.cited.layer {
            // The policy of a resource has no name but what it is.
            Layer::Resource => (&self.cited.policy, ""),
            layer => (layer.as_str(), &self.cited.policy),
        }
    }

    /// Policy, statement and place in a line.
    pub(crate) fn reference(&self, source: &str) -> String {
        let (kind, name) = self.policy();
        let name = if name.is_empty() { String::new() } else { format!(" `{name}`") };
        let holder = self.cited.holder.map(|arn| format!(" of {arn}")).unwrap_or_default();
        let place = self.place.map(|at| format!(" ({source}:{at})")).unwrap_or_default();
        format!("{kind}{name}{holder}, statement {}{place}", self.cited.statement)
    }
}

impl<'a> GraphView<'a> {
    /// Gathers the view of some edges of a graph.
    pub(crate) fn new(index: &'a SnapshotIndex<'a>, graph: &'a AccessGraph, edges: &[&'a Edge]) -> Self {
        let snapshot = index.snapshot();
        let mut nodes = nodes(graph, edges);
        let numbers: BTreeMap<&Subject, usize> = nodes.iter().enumerate().map(|(n, node)| (node.subject, n)).collect();
        let number = |subject: &Subject| numbers.get(subject).copied().unwrap_or_default();
        let mut gather = Gather::default();
        let mut views = Vec::with_capacity(edges.len());
        iam_graph::explain(index, &[], edges.iter().copied(), |edge, grounds| {
            views.push(EdgeView {
                edge,
                from: number(&edge.from),
                to: number(&edge.to),
                leads_to_admin: graph.leads_to_admin(edge),
                grounds: grounds.into_iter().map(|ground| gather.ground(ground)).collect(),
            });
        });
        point_to_admin(graph, &views, &mut nodes);
        gather.find_places(snapshot.source.as_ref());
        Self {
            source: snapshot.source.as_ref().map(|source| source.name.to_string()).unwrap_or_default(),
            accounts: snapshot.accounts.keys().map(ToString::to_string).collect(),
            nodes,
            edges: views,
            grounds: gather.grounds,
            statements: gather.statements,
            not_checked: graph.not_checked(),
        }
    }
}

/// Everyone an edge touches, and every administrator.
fn nodes<'a>(graph: &'a AccessGraph, edges: &[&'a Edge]) -> Vec<NodeView<'a>> {
    let admins: Vec<&Subject> = graph.admins().collect();
    let mut subjects: Vec<&Subject> =
        edges.iter().flat_map(|edge| [&edge.from, &edge.to]).chain(graph.admins()).collect();
    subjects.sort_unstable();
    subjects.dedup();
    let reaches = |subject: &Subject| subject.arn().is_some_and(|arn| graph.reaches_admin(arn));
    let node = |subject: &'a Subject| {
        let administrator = admins.binary_search(&subject).is_ok();
        NodeView { subject, administrator, reaches_admin: administrator || reaches(subject), next: None }
    };
    subjects.into_iter().map(node).collect()
}

/// For each node an edge leads to, the next edge on its shortest way to an administrator.
fn point_to_admin(graph: &AccessGraph, edges: &[EdgeView<'_>], nodes: &mut [NodeView<'_>]) {
    let key = |edge: &'_ Edge| (edge.from.clone(), edge.to.clone(), edge.technique);
    let mut wanted: BTreeMap<_, usize> = BTreeMap::new();
    let mut asked = BTreeSet::new();
    for view in edges.iter().filter(|view| view.leads_to_admin && !view.edge.gains_admin) {
        if asked.insert(view.to)
            && let Some(next) = graph.path_by(view.edge).hops.get(1)
        {
            wanted.insert(key(next), view.to);
        }
    }
    for (number, view) in edges.iter().enumerate() {
        if let Some(node) = wanted.get(&key(view.edge)).and_then(|&node| nodes.get_mut(node)) {
            node.next = Some(number);
        }
    }
}

/// Grounds and statements, each once.
#[derive(Default)]
struct Gather<'a> {
    grounds: Vec<GroundView>,
    known_grounds: BTreeMap<GroundView, usize>,
    statements: Vec<StatementView<'a>>,
    /// By where the statement and the name of whoever holds it are in memory: order never reaches output.
    known_statements: BTreeMap<(*const Statement, Option<*const Arn>), usize>,
}

impl<'a> Gather<'a> {
    fn ground(&mut self, ground: Ground<'a>) -> usize {
        let statements = ground.statements.into_iter().map(|cited| self.statement(cited)).collect();
        let Ground { asker, action, on, conditional_on, .. } = ground;
        let view = GroundView { asker, action, on, conditional_on, statements };
        let next = self.grounds.len();
        let number = *self.known_grounds.entry(view.clone()).or_insert(next);
        if number == next {
            self.grounds.push(view);
        }
        number
    }

    fn statement(&mut self, cited: Cited<'a>) -> usize {
        let next = self.statements.len();
        let key = (std::ptr::from_ref(cited.text), cited.holder.map(std::ptr::from_ref));
        let number = *self.known_statements.entry(key).or_insert(next);
        if number == next {
            self.statements.push(StatementView { cited, place: None });
        }
        number
    }

    /// Lines and columns, in the order of the text, so that it is walked once.
    fn find_places(&mut self, source: Option<&SourceText>) {
        let Some(source) = source else { return };
        let mut positions = Positions::new(&source.text);
        let mut in_order: Vec<&mut StatementView<'_>> = self.statements.iter_mut().collect();
        in_order.sort_by_key(|view| view.cited.text.span.start);
        for view in in_order.into_iter().filter(|view| !view.cited.text.span.is_empty()) {
            view.place = Some(positions.at(view.cited.text.span.start));
        }
    }
}
