//! `paring guard`: what authors of guardrails ask; one file per question.

mod controls;
mod impact;
mod lint;
mod pack;
mod replay;

use super::Outcome;
use crate::cli::{Guard, GuardAction};
use crate::error::CliError;
use crate::terminal::Terminal;

/// Runs the command.
pub(super) fn run(arguments: &Guard, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    match &arguments.action {
        GuardAction::Replay(arguments) => replay::run(arguments, terminal),
        GuardAction::Controls(arguments) => controls::run(arguments, terminal),
        GuardAction::Lint(arguments) => lint::run(arguments, terminal),
        GuardAction::Pack(arguments) => pack::run(arguments, terminal),
        GuardAction::Impact(arguments) => impact::run(arguments, terminal),
    }
}
