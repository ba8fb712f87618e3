//! `paring explain`: why each permission of a role stays or goes.

use super::Outcome;
use crate::cli::{Explain, Format};
use crate::error::CliError;
use crate::job::Job;
use crate::terminal::Terminal;
use crate::{pipeline, report};

/// Runs the main job for one role, and says why it ends as it does.
pub(crate) fn run(arguments: &Explain, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let job = Job::of_policies(&arguments.grounds, vec![arguments.role.clone()], arguments.split);
    let job = Job { iac: arguments.iac.as_deref(), ..job };
    let (inputs, mut diagnostics) = job.read(terminal)?;
    let done = pipeline::run(&inputs)?;
    diagnostics.extend(done.diagnostics.iter().cloned());
    terminal.diagnostics(&diagnostics);
    let explanation = pipeline::explain::explain(&inputs, &done, arguments.action.as_ref())?;
    terminal.data(&match arguments.format {
        Format::Text => report::explain::render_text(&explanation, terminal.paint()),
        Format::Json => report::explain::render_json(&explanation),
    })?;
    Ok(Outcome::Clean)
}
