//! `paring paths`: the ways from one principal to others, hop by hop.

use iam_graph::AccessGraph;
use iam_model::arn::Arn;
use iam_model::finding::Subject;
use iam_model::snapshot::SnapshotIndex;

use super::Outcome;
use crate::cli::Paths;
use crate::error::CliError;
use crate::terminal::{Paint, Terminal};
use crate::{input, report};

/// More paths of one length than these are not shown.
const MOST: usize = 100;

/// Builds the graph and prints the paths.
pub(crate) fn run(arguments: &Paths, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let (snapshot, mut diagnostics) = input::read_snapshot(&arguments.snapshot)?;
    let (index, dangling) = SnapshotIndex::new(&snapshot);
    diagnostics.extend(dangling);
    terminal.diagnostics(&diagnostics);
    let from = principal(&index, &arguments.from)?;
    let to = arguments.to.as_deref().map(|to| target(&index, to)).transpose()?;
    let graph = iam_graph::build(&index, &[]);
    let text = if graph.is_admin(&from) {
        format!("{from} is an administrator already\n")
    } else {
        found(&index, &graph, &from, to.as_ref(), terminal.paint())
    };
    terminal.data(&text)?;
    Ok(Outcome::Clean)
}

/// The paths there are, or that there are none.
fn found(index: &SnapshotIndex<'_>, graph: &AccessGraph, from: &Arn, to: Option<&Subject>, paint: Paint) -> String {
    match to {
        None => match graph.paths_from(from).as_slice() {
            [] => format!("{from} can become nobody else\n"),
            paths => report::paths::render_grouped(index, graph, paths, paint),
        },
        Some(to) => match graph.shortest_paths(from, to, MOST).as_slice() {
            [] => format!("{from} cannot become {to}\n"),
            paths => report::paths::render(index, graph, paths, paint),
        },
    }
}

/// A user or role by name or ARN.
pub(super) fn principal(index: &SnapshotIndex<'_>, text: &str) -> Result<Arn, CliError> {
    let people = index.users().map(|user| &user.identity).chain(index.roles().map(|role| &role.identity));
    let mut found: Vec<&Arn> =
        people.filter(|i| i.name == text || i.arn.as_str() == text).map(|identity| &identity.arn).collect();
    found.sort();
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(CliError::user(format!("no user or role of the snapshot is called `{text}`"))),
        many => {
            Err(CliError::user(format!("{} users or roles are called `{text}`", many.len())).hint("name it by its ARN"))
        }
    }
}

fn target(index: &SnapshotIndex<'_>, text: &str) -> Result<Subject, CliError> {
    if text == Subject::NewRole.as_str() { Ok(Subject::NewRole) } else { principal(index, text).map(Subject::Arn) }
}
