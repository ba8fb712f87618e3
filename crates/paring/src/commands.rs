//! One file per command; each takes its arguments and the terminal and says how it ended.

mod audit;
mod can;
mod catalog;
mod check;
mod collect;
mod cut;
mod diff;
mod explain;
mod graph;
mod guard;
mod locate;
mod patch;
mod paths;
mod quote;
mod reach;
mod request;
mod routes;
mod rules;
mod simulate;
mod synthesize;
mod techniques;
mod tighten;
mod usage;
mod verify;
mod who_can;

use crate::cli::Action;
use crate::error::CliError;
use crate::terminal::Terminal;

/// How a command ended that could do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing to report, or nothing at or above the threshold.
    Clean,
    /// Findings at or above the threshold, or expectations not met.
    Findings,
}

/// Runs one command.
pub(crate) fn run(action: &Action, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    match action {
        Action::Collect(arguments) => collect::run(arguments, terminal),
        Action::Tighten(arguments) => tighten::run(arguments, terminal),
        Action::Explain(arguments) => explain::run(arguments, terminal),
        Action::Synthesize(arguments) => synthesize::run(arguments, terminal),
        Action::Check(arguments) => check::run(arguments, terminal),
        Action::Diff(arguments) => diff::run(arguments, terminal),
        Action::Verify(arguments) => verify::run(arguments, terminal),
        Action::Rules(arguments) => rules::run(arguments, terminal),
        Action::Patch(arguments) => patch::run(arguments, terminal),
        Action::Locate(arguments) => locate::run(arguments, terminal),
        Action::Audit(arguments) => audit::run(arguments, terminal),
        Action::Paths(arguments) => paths::run(arguments, terminal),
        Action::Cut(arguments) => cut::run(arguments, terminal),
        Action::Graph(arguments) => graph::run(arguments, terminal),
        Action::Reach(arguments) => reach::run(arguments, terminal),
        Action::Routes(arguments) => routes::run(arguments, terminal),
        Action::Techniques(arguments) => techniques::run(arguments, terminal),
        Action::Guard(arguments) => guard::run(arguments, terminal),
        Action::Simulate(arguments) => simulate::run(arguments, terminal),
        Action::Can(arguments) => can::run(arguments, terminal),
        Action::WhoCan(arguments) => who_can::run(arguments, terminal),
        Action::Catalog(arguments) => catalog::run(arguments, terminal),
        Action::Usage(arguments) => usage::run(arguments, terminal),
    }
}
