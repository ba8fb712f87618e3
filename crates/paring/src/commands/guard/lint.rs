//! `paring guard lint`: validation of guardrails, under the name that their authors look for.
//!
//! The same as `paring check policy`; only what a policy is taken for differs.

use iam_verify::policy_check::PolicyKind;

use crate::cli::GuardLint;
use crate::commands::Outcome;
use crate::commands::check::policy::{self, Validation};
use crate::error::CliError;
use crate::terminal::Terminal;

/// Runs the command.
pub(super) fn run(arguments: &GuardLint, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let validation = Validation {
        files: &arguments.files,
        kind: arguments.kind.map(Into::into),
        guess: PolicyKind::guess_guardrail,
        format: arguments.format,
        fail_on: arguments.fail_on,
    };
    policy::validate_all(&validation, terminal)
}
