//! `paring audit`: what is wrong with an account, without sources; logs add what each function of a shared role did.

use std::collections::BTreeSet;

use iam_model::arn::Arn;
use iam_model::catalog::Catalog;
use iam_model::finding::{Finding, FindingCode};
use iam_model::snapshot::SnapshotIndex;
use iam_model::usage::UsageLog;
use iam_usage::Options;

use super::Outcome;
use crate::cli::{Audit, Format};
use crate::error::CliError;
use crate::terminal::Terminal;
use crate::{input, logs, report};

/// Builds the graph and prints its findings.
pub(crate) fn run(arguments: &Audit, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let (snapshot, mut diagnostics) = input::read_snapshot(&arguments.snapshot)?;
    let (index, dangling) = SnapshotIndex::new(&snapshot);
    diagnostics.extend(dangling);
    let usage = match arguments.trail.as_slice() {
        [] => None,
        trail => {
            let catalog = Catalog::embedded()
                .map_err(|e| CliError::user(format!("the built-in catalogue cannot be used: {e}")))?;
            Some(logs::read(trail, &catalog, &Options::default(), terminal, &mut diagnostics)?)
        }
    };
    terminal.diagnostics(&diagnostics);
    let graph = iam_graph::build(&index, &[]);
    let (mut findings, not_checked) = (graph.findings(), graph.not_checked());
    if let Some(usage) = &usage {
        let shared = findings.iter_mut().filter(|finding| finding.code == FindingCode::SharedRole);
        shared.for_each(|finding| own_needs(finding, usage));
    }
    let text = match arguments.format {
        Format::Text => report::render_findings_text(&findings, &not_checked, terminal.paint()),
        Format::Json => report::render_findings_json(&findings, &not_checked),
    };
    terminal.data(&text)?;
    if findings.is_empty() {
        terminal.note("no findings");
    }
    let severe = findings.iter().any(|finding| finding.severity >= arguments.fail_on.severity());
    Ok(if severe { Outcome::Findings } else { Outcome::Clean })
}

/// Adds to a shared role what each of its functions was seen to do.
fn own_needs(finding: &mut Finding, usage: &UsageLog) {
    let role = finding.principal.as_ref().and_then(|subject| subject.arn());
    let Some(observed) = role.and_then(|role| usage.principals.get(role)) else {
        finding.evidence.push("the logs show no use of it".into());
        return;
    };
    let did = |function: &Arn| -> String {
        let own = observed.observations.iter().filter(|o| o.function.as_deref() == Some(function.name()));
        let actions: BTreeSet<&str> = own.filter(|o| o.count > o.denied).map(|o| o.action.as_str()).collect();
        let actions: Vec<&str> = actions.into_iter().collect();
        let actions = if actions.is_empty() { "nothing".to_owned() } else { actions.join(", ") };
        format!("{} was seen to do {actions}", function.name())
    };
    finding.evidence.extend(finding.functions.iter().map(did));
}
