//! `paring can`: whether a principal may do an action, layer by layer, with the statements that decide.

use iam_evaluate::{Decision, Evaluator, Outcome as Answer, Request, StatementRef};
use iam_model::json::Value;
use iam_model::policy::{PolicyDocument, document_value};
use iam_model::snapshot::{Snapshot, SnapshotIndex};
use iam_model::text::Position;

use super::{Outcome, request};
use crate::cli::Can;
use crate::error::CliError;
use crate::terminal::Terminal;

/// Runs the command.
pub(crate) fn run(arguments: &Can, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let snapshot = request::snapshot(&arguments.snapshot, terminal)?;
    let (index, diagnostics) = SnapshotIndex::new(&snapshot);
    terminal.diagnostics(&diagnostics);
    let evaluator = Evaluator::new(&index);
    let principal = request::principal(&arguments.principal, &evaluator)?;
    let request = request::request(principal, &arguments.action, &arguments.resource, &arguments.facts)?;
    let decision = evaluator.decide_request(&request);
    terminal.data(&explanation(&snapshot, &evaluator, &request, &decision))?;
    Ok(if decision.outcome.is_allow() { Outcome::Clean } else { Outcome::Findings })
}

fn explanation(snapshot: &Snapshot, evaluator: &Evaluator<'_>, request: &Request, decision: &Decision) -> String {
    let answer = match &decision.outcome {
        Answer::Allow => "yes",
        Answer::ExplicitDeny => "no, a statement denies it",
        Answer::ImplicitDeny => "no, nothing that must allow it does",
        Answer::Unknown(_) => "not known",
    };
    let mut text = format!("{answer}: {} {} {}\n", request.principal, request.action, request.resource);
    for (layer, said) in decision.layers.applicable() {
        text.push_str(&format!("  {layer}: {}\n", said.as_str().replace('_', " ")));
    }
    for rule in &decision.rules {
        text.push_str(&format!("  rule: {}\n", rule.as_str()));
    }
    if let Answer::Unknown(unknowns) = &decision.outcome {
        for key in &unknowns.keys {
            text.push_str(&format!("  would decide it: the value of {key}\n"));
        }
        for element in &unknowns.elements {
            text.push_str(&format!("  would decide it: {element}\n"));
        }
    }
    for at in &decision.because {
        text.push_str(&quoted(snapshot, evaluator, request, at));
    }
    text
}

/// One statement: where it stands, then its text.
fn quoted(snapshot: &Snapshot, evaluator: &Evaluator<'_>, request: &Request, at: &StatementRef) -> String {
    let Some(place) = evaluator.policy(request, at) else { return String::new() };
    let position = match &snapshot.source {
        Some(source) if !at.span.is_empty() => {
            format!(" ({}:{})", source.name, Position::of(&source.text, at.span.start))
        }
        _ => String::new(),
    };
    let mut text = format!("\n{} `{}`, statement {}{position}\n", at.layer, place.name, at.statement);
    if let Some(statement) = place.document.statements.get(at.statement) {
        let alone = PolicyDocument { statements: vec![statement.clone()], ..PolicyDocument::default() };
        let value = document_value(&alone);
        for statement in value.get("Statement").map_or(&[][..], Value::items) {
            for line in statement.to_pretty().lines() {
                text.push_str(&format!("    {line}\n"));
            }
        }
    }
    text
}
