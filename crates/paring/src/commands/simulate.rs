//! `paring simulate`: decides one request against a snapshot, or a file of cases that bring their own policies.

use std::path::Path;

use iam_evaluate::case::Case;
use iam_model::diagnostic::{Code, Diagnostic, Place};
use iam_model::json::{self, Arena, Limits};
use iam_model::text::SourceText;

use super::{Outcome, request};
use crate::cli::Simulate;
use crate::error::CliError;
use crate::input;
use crate::terminal::Terminal;

/// Runs the command.
pub(crate) fn run(arguments: &Simulate, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    if let Some(path) = &arguments.cases {
        return cases(path, terminal);
    }
    let (Some(path), Some(principal), Some(action)) = (&arguments.snapshot, &arguments.principal, &arguments.action)
    else {
        return Err(CliError::user("a request needs --snapshot, --principal and --action; or give --cases"));
    };
    request::ask(path, terminal, |_, evaluator, terminal| {
        let principal = request::principal(principal, evaluator)?;
        let request = request::request(principal, action, &arguments.resource, &arguments.facts)?;
        let decision = evaluator.decide_request(&request);
        terminal.data(&format!("{}\n", request::to_json("", &decision).to_compact()))?;
        Ok(Outcome::Clean)
    })
}

/// Decides every case, prints a line for each, and counts how many are as expected.
fn cases(path: &Path, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let source = input::read_text(path)?;
    let mut diagnostics = Vec::new();
    let mut arena = Arena::new();
    let (mut count, mut agree, mut disagree, mut unreadable) = (0_u64, 0_u64, 0_u64, 0_u64);
    for (number, line) in source.text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let line = SourceText { name: source.name.clone(), text: line.into() };
        count += 1;
        match Case::read_in(&mut arena, &line) {
            Ok((case, found)) => {
                diagnostics.extend(found.into_iter().map(|diagnostic| in_line(number, diagnostic)));
                let decision = case.evaluate();
                match case.expected {
                    Some(expected) if expected.as_str() == decision.outcome.as_str() => agree += 1,
                    Some(_) => disagree += 1,
                    None => {}
                }
                terminal.data(&format!("{}\n", request::to_json(&case.id, &decision).to_compact()))?;
            }
            Err(error) => {
                unreadable += 1;
                let place = Place::at(line.name.clone(), &line.text, error.offset);
                let diagnostic = Diagnostic::error(Code::FileUnreadable, place, error.to_string());
                let hint = json::parse(&Arena::new(), &line.text, Limits::FILE).err().and_then(|e| e.kind.hint());
                let diagnostic = match hint {
                    Some(hint) => diagnostic.hint(hint),
                    None => diagnostic,
                };
                diagnostics.push(in_line(number, diagnostic));
            }
        }
    }
    terminal.diagnostics(&diagnostics);
    if count == 0 {
        return Err(CliError::user(format!("`{}` holds no case", source.name)).hint("give a JSON object per line"));
    }
    terminal.note(&format!("{count} cases, {agree} agree, {disagree} disagree"));
    if unreadable > 0 {
        return Err(CliError::user(format!("{unreadable} of {count} cases could not be read")));
    }
    Ok(if disagree == 0 { Outcome::Clean } else { Outcome::Findings })
}

/// A diagnostic about one line, placed in the file.
fn in_line(number: usize, mut diagnostic: Diagnostic) -> Diagnostic {
    if let Some(position) = &mut diagnostic.place.position {
        position.line = number + 1;
    }
    diagnostic
}
