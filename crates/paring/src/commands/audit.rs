//! `paring audit`: what is wrong with an account, without logs or sources.

use iam_model::snapshot::SnapshotIndex;

use super::Outcome;
use crate::cli::{Audit, Format};
use crate::error::CliError;
use crate::terminal::Terminal;
use crate::{input, report};

/// Builds the graph and prints its findings.
pub(crate) fn run(arguments: &Audit, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let (snapshot, mut diagnostics) = input::read_snapshot(&arguments.snapshot)?;
    let (index, dangling) = SnapshotIndex::new(&snapshot);
    diagnostics.extend(dangling);
    terminal.diagnostics(&diagnostics);
    let graph = iam_graph::build(&index, &[]);
    let (findings, not_checked) = (graph.findings(), graph.not_checked());
    let text = match arguments.format {
        Format::Text => report::render_findings_text(&findings, &not_checked, terminal.paint()),
        Format::Json => report::render_findings_json(&findings, &not_checked),
    };
    terminal.data(&text)?;
    let severe = findings.iter().any(|finding| finding.severity >= arguments.fail_on.severity());
    Ok(if severe { Outcome::Findings } else { Outcome::Clean })
}
