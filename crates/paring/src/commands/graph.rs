//! `paring graph`: who can become whom, as a file for other programs or as a page.

use std::collections::BTreeSet;

use iam_graph::{AccessGraph, Edge};
use iam_model::finding::Subject;
use iam_model::snapshot::SnapshotIndex;

use super::{Outcome, paths};
use crate::cli::{Graph, GraphFormat};
use crate::error::CliError;
use crate::input;
use crate::report::graph::{self, GraphView, Selection};
use crate::terminal::Terminal;

/// Builds the graph and prints it.
pub(crate) fn run(arguments: &Graph, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let (snapshot, mut diagnostics) = input::read_snapshot(&arguments.snapshot)?;
    let (index, dangling) = SnapshotIndex::new(&snapshot);
    diagnostics.extend(dangling);
    terminal.diagnostics(&diagnostics);
    let graph = iam_graph::build(&index, &[]);
    let starts = starts(&index, &graph, &arguments.from)?;
    let within = |subject: &Subject| starts.as_ref().is_none_or(|starts| starts.contains(subject));
    let edges: Vec<&Edge> = graph.edges().filter(|edge| within(&edge.from)).collect();
    let ways = edges.len();
    let text = if arguments.format == GraphFormat::Html {
        let findings = graph.findings();
        let findings = findings.iter().filter(|f| f.principal.as_ref().map_or(starts.is_none(), &within));
        let selection = Selection::new(&graph, &edges, findings.collect());
        if selection.edges.len() < ways {
            terminal.note(&format!(
                "the page shows {} of {ways} ways, the worst first; --from narrows it, --format json has all",
                selection.edges.len()
            ));
        }
        let view = GraphView::new(&index, &graph, &selection.edges);
        graph::render_html(&view, &selection, ways)
    } else {
        let view = GraphView::new(&index, &graph, &edges);
        match arguments.format {
            GraphFormat::Json => graph::render_json(&view),
            GraphFormat::Graphml => graph::render_graphml(&view),
            GraphFormat::Dot | GraphFormat::Html => graph::render_dot(&view),
        }
    };
    terminal.data(&text)?;
    Ok(Outcome::Clean)
}

/// Whom the graph is about: those named, and everyone they can become; nothing where nobody is named.
fn starts(
    index: &SnapshotIndex<'_>,
    graph: &AccessGraph,
    names: &[String],
) -> Result<Option<BTreeSet<Subject>>, CliError> {
    let mut starts = BTreeSet::new();
    for name in names {
        let arn = paths::principal(index, name)?;
        starts.extend(graph.reachable_from(&arn));
        starts.insert(Subject::Arn(arn));
    }
    Ok((!names.is_empty()).then_some(starts))
}
