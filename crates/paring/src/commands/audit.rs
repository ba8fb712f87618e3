//! `paring audit`: what is wrong with an account, without sources; logs add what each function of a shared role did, and what
//! Access Analyzer found stands beside our own findings.

use std::collections::BTreeSet;

use iam_model::action::Action;
use iam_model::arn::Arn;
use iam_model::catalog::Catalog;
use iam_model::finding::{Finding, FindingCode, FindingSeverity};
use iam_model::snapshot::analyzer::{AnalyzerFinding, AnalyzerStatus, AnalyzerWord};
use iam_model::snapshot::{Snapshot, SnapshotIndex};
use iam_model::time::Timestamp;
use iam_model::usage::{Observation, UsageLog};
use iam_usage::Options;

use super::Outcome;
use crate::cli::{Audit, FindingsFormat};
use crate::error::CliError;
use crate::report::sarif;
use crate::terminal::Terminal;
use crate::{baseline, ground, logs, report, written};

/// Builds the graph and prints its findings.
pub(crate) fn run(arguments: &Audit, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let ground = ground::read(arguments.snapshot.as_deref(), arguments.iac.as_deref(), terminal)?;
    let (index, dangling) = SnapshotIndex::new(&ground.snapshot);
    let mut diagnostics = if ground.is_drawn { Vec::new() } else { dangling };
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
    let (mut findings, mut not_checked) = (graph.findings(), graph.not_checked());
    not_checked.extend(iam_graph::beside_access_analyzer(&mut findings, &ground.snapshot));
    let (routes, unknown) = ground.routes(&index);
    let (open, unjudged) = iam_graph::open_routes(&index, &graph, &routes);
    findings.extend(open);
    findings.sort();
    not_checked.extend(unknown.into_iter().chain(unjudged).chain(ground.not_checked.iter().cloned()));
    if let Some(usage) = &usage {
        let shared = findings.iter_mut().filter(|finding| finding.code == FindingCode::SharedRole);
        shared.for_each(|finding| own_needs(finding, usage));
        findings.extend(used_after_all(&ground.snapshot, usage));
        findings.sort();
    }
    baseline::leave_out(&mut findings, &arguments.baseline, terminal)?;
    let text = match arguments.format {
        FindingsFormat::Text => report::render_findings_text(&findings, &not_checked, terminal.paint()),
        FindingsFormat::Json => report::render_findings_json(&findings, &not_checked),
        FindingsFormat::Sarif => {
            let places = if ground.is_drawn {
                ground.places_of(&findings, &routes)
            } else {
                written::places(&findings, arguments.iac.as_deref(), &index, terminal)?
            };
            sarif::render(sarif::of_findings(&findings, &places, &ground.file))
        }
    };
    terminal.data(&text)?;
    if findings.is_empty() {
        terminal.note("no findings");
    }
    let severe = findings.iter().any(|finding| finding.severity >= arguments.fail_on.severity());
    Ok(if severe { Outcome::Findings } else { Outcome::Clean })
}

/// Where Access Analyzer says that a role is not used, and the logs show a use before it looked that it does not know of.
fn used_after_all(snapshot: &Snapshot, usage: &UsageLog) -> Vec<Finding> {
    let reports = snapshot.accounts.values().filter_map(|account| account.access_analyzer.as_ref());
    let stands = |finding: &&AnalyzerFinding| {
        matches!(finding.status, AnalyzerStatus::Active | AnalyzerStatus::Unknown) && finding.error.is_none()
    };
    reports.flat_map(|report| &report.findings).filter(stands).filter_map(|said| contradicted(said, usage)).collect()
}

fn contradicted(said: &AnalyzerFinding, usage: &UsageLog) -> Option<Finding> {
    let (role, looked) = (said.resource.as_ref()?, said.analyzed?);
    let seen = usage.principals.get(role)?.observations.iter().filter(|seen| seen.count > seen.denied);
    // The last call before AWS looked, as far as the logs tell it: of many calls they keep the first and the last.
    let before = |seen: &Observation| [seen.last, seen.first].into_iter().find(|time| *time <= looked);
    let calls: Vec<(&Action, Timestamp)> = seen.filter_map(|seen| Some((&seen.action, before(seen)?))).collect();
    let (theirs, ours) = match &said.about {
        AnalyzerWord::UnusedRole(last) => {
            let call = calls.iter().filter(|(_, time)| Some(*time) > *last).max_by_key(|(_, time)| *time)?;
            ("nobody uses the role".to_owned(), vec![*call])
        }
        AnalyzerWord::UnusedPermissions(services) => {
            let unused = services.iter().flat_map(|one| &one.unused);
            let known = |action: &Action| unused.clone().find(|(unused, _)| unused == action).map(|(_, last)| *last);
            let used = calls.iter().filter(|(action, time)| known(action).is_some_and(|last| Some(*time) > last));
            ("these actions are not used".to_owned(), used.copied().collect())
        }
        _ => return None,
    };
    let ours: Vec<String> = ours.iter().map(|(action, time)| format!("{action} at {time}")).collect();
    if ours.is_empty() {
        return None;
    }
    let mut finding = Finding::about(FindingCode::OpinionDiffers, FindingSeverity::Medium, role.clone());
    finding.place = Some(format!("Access Analyzer, finding {}", said.id));
    finding.evidence = vec![
        format!("ours: the logs show {}", ours.join(", ")),
        format!("Access Analyzer, which looked at {looked}: {theirs}"),
    ];
    Some(finding)
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
