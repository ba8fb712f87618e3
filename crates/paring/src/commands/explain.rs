//! `paring explain`: why each permission of a role stays or goes, or each statement of a resource's policy.

use iam_model::arn::Arn;

use super::Outcome;
use crate::cli::{Explain, Format};
use crate::error::CliError;
use crate::job::Job;
use crate::terminal::Terminal;
use crate::{pipeline, report};

/// Runs the main job for one role, and says why it ends as it does.
pub(crate) fn run(arguments: &Explain, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    if let Some(resource) = resource(&arguments.role) {
        return of_resource(arguments, &resource, terminal);
    }
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

/// What is asked about, where it is an ARN of something else than a principal.
fn resource(asked: &str) -> Option<Arn> {
    asked.parse::<Arn>().ok().filter(|arn| !matches!(arn.service(), "iam" | "sts"))
}

fn of_resource(arguments: &Explain, resource: &Arn, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    if let Some(action) = &arguments.action {
        return Err(CliError::user(format!("`{action}` is asked about of a resource"))
            .hint("leave the action out: every statement of the resource's policy is explained"));
    }
    let (inputs, diagnostics) = Job::of_policies(&arguments.grounds, Vec::new(), false).read(terminal)?;
    terminal.diagnostics(&diagnostics);
    let explanation = pipeline::document::explain(&inputs, resource)?;
    terminal.data(&match arguments.format {
        Format::Text => report::explain::document::text(&explanation, terminal.paint()),
        Format::Json => report::explain::document::json(&explanation),
    })?;
    Ok(Outcome::Clean)
}
