//! `paring paths`: the ways from one principal to others, hop by hop.

use iam_graph::{AccessGraph, Path};
use iam_model::arn::Arn;
use iam_model::finding::Subject;
use iam_model::snapshot::SnapshotIndex;
use iam_verify::policy_check::nearest;

use super::Outcome;
use crate::cli::{Format, Paths};
use crate::error::CliError;
use crate::terminal::{Paint, Terminal};
use crate::{input, report};

/// More paths to one target than these are not shown.
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
    // Whoever is an administrator has everyone's permissions: there is no way to look for.
    let paths = match &to {
        _ if graph.is_admin(&from) => Vec::new(),
        None => graph.paths_from(&from),
        Some(to) => graph.shortest_paths(&from, to, MOST),
    };
    if to.is_some() && paths.len() == MOST {
        terminal.note(&format!("only the first {MOST} of the shortest paths are shown"));
    }
    terminal.data(&match arguments.format {
        Format::Text => found(&index, &graph, (&from, to.as_ref()), &paths, terminal.paint()),
        Format::Json => report::paths::render_json(&index, &graph, (&from, to.as_ref()), &paths),
    })?;
    Ok(Outcome::Clean)
}

/// The paths there are, or that there are none.
fn found(
    index: &SnapshotIndex<'_>,
    graph: &AccessGraph,
    (from, to): (&Arn, Option<&Subject>),
    paths: &[Path],
    paint: Paint,
) -> String {
    match (to, paths) {
        _ if graph.is_admin(from) => format!("{from} is an administrator already\n"),
        (None, []) => format!("{from} can become nobody else\n"),
        (Some(to), []) => format!("{from} cannot become {to}\n"),
        (None, paths) => report::paths::render_grouped(index, graph, paths, paint),
        (Some(_), paths) => report::paths::render(index, graph, paths, paint),
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
        [] => {
            let people = index.users().map(|user| &user.identity).chain(index.roles().map(|role| &role.identity));
            let near = nearest(text, people.flat_map(|i| [i.name.as_str(), i.arn.as_str()]));
            let hint = near.map_or_else(
                || "give the name or ARN that the account has".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            Err(CliError::user(format!("no user or role of the snapshot is called `{text}`")).hint(hint))
        }
        many => {
            Err(CliError::user(format!("{} users or roles are called `{text}`", many.len())).hint("name it by its ARN"))
        }
    }
}

fn target(index: &SnapshotIndex<'_>, text: &str) -> Result<Subject, CliError> {
    if text == Subject::NewRole.as_str() { Ok(Subject::NewRole) } else { principal(index, text).map(Subject::Arn) }
}
