//! `paring paths`: the ways from one principal to others, hop by hop.

use iam_graph::{AccessGraph, Path};
use iam_model::arn::Arn;
use iam_model::finding::Subject;
use iam_model::snapshot::SnapshotIndex;

use super::Outcome;
use crate::cli::Paths;
use crate::error::CliError;
use crate::input;
use crate::terminal::Terminal;

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
    let paths = match &to {
        Some(to) => graph.shortest_paths(&from, to, MOST),
        None => graph.paths_from(&from),
    };
    terminal.data(&render(&graph, &from, &paths))?;
    Ok(Outcome::Clean)
}

fn render(graph: &AccessGraph, from: &Arn, paths: &[Path]) -> String {
    if graph.is_admin(from) {
        return format!("{from} is an administrator already\n");
    }
    if paths.is_empty() {
        return format!("{from} can become nobody else\n");
    }
    let mut out = String::new();
    for path in paths {
        let end = if path.reaches_admin { "reaches administrator" } else { "reaches no administrator" };
        out.push_str(&format!("{end}\n"));
        for hop in &path.hops {
            let through = hop.through.as_ref().map(|arn| format!(" through {arn}")).unwrap_or_default();
            out.push_str(&format!("  {} -[{}]-> {}{through}\n", hop.from, hop.technique, hop.to));
            let keys: Vec<&str> = hop.conditional_on.iter().map(|key| key.as_str()).collect();
            if !keys.is_empty() {
                out.push_str(&format!("    if {} allows\n", keys.join(", ")));
            }
        }
    }
    out
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
