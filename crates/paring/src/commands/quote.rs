//! Quoting the statements behind a decision: which policy, where it stands, and the text as the user wrote it.
//!
//! Decides nothing. A statement that does not stand on lines of its own, as in a file without line breaks, is printed anew.

use iam_evaluate::{Evaluator, Request, StatementRef};
use iam_model::control::{ControlStatement, controls};
use iam_model::json::Value;
use iam_model::policy::{PolicyDocument, document_value};
use iam_model::snapshot::Snapshot;
use iam_model::text::{Position, SourceName, SourceText};

use crate::terminal::without_control;

/// Lines of one statement, and characters of one line, that are quoted as they stand; more is printed anew.
const MOST_LINES: usize = 60;
const MOST_CHARACTERS: usize = 200;

/// One statement.
pub(super) struct Quote {
    /// The policy's name, or the ARN of what it stands on.
    pub(super) policy: String,
    /// How many statements the policy has.
    pub(super) of: usize,
    /// Where the statement begins, where that is known.
    pub(super) place: Option<(SourceName, Position)>,
    /// What of AWS Control Tower's it carries out, where it is one of its statements.
    pub(super) control: Option<ControlStatement>,
    /// Its lines, with their numbers where they are those of the file.
    pub(super) lines: Vec<(Option<usize>, String)>,
}

impl Quote {
    /// The statement at a place of a decision; nothing for what is not a statement of the snapshot.
    pub(super) fn of(
        snapshot: &Snapshot,
        evaluator: &Evaluator<'_>,
        request: &Request,
        at: &StatementRef,
    ) -> Option<Self> {
        let place = evaluator.policy(request, at)?;
        let source = snapshot.source.as_ref().filter(|_| !at.span.is_empty());
        let written = source.and_then(|source| as_written(source, at));
        Some(Self {
            policy: place.name.to_owned(),
            of: place.document.statements.len(),
            control: controls(place.document).into_iter().find(|one| one.statement == at.statement),
            place: source.map(|source| (source.name.clone(), Position::of(&source.text, at.span.start))),
            lines: written.unwrap_or_else(|| printed(place.document, at)),
        })
    }
}

/// The lines of the file, less the indentation they share.
fn as_written(source: &SourceText, at: &StatementRef) -> Option<Vec<(Option<usize>, String)>> {
    let text = at.span.slice(&source.text);
    let too_long = text.lines().count() > MOST_LINES || text.lines().any(|line| line.len() > MOST_CHARACTERS);
    if !text.starts_with('{') || too_long {
        return None;
    }
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let shared = text.lines().skip(1).filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or_default();
    let first = Position::of(&source.text, at.span.start).line;
    let lines = text.lines().enumerate().map(|(number, line)| {
        let line = if number == 0 { line } else { line.get(shared..).unwrap_or_default() };
        (Some(first + number), without_control(line, "\t"))
    });
    Some(lines.collect())
}

/// The statement in our own layout.
fn printed(document: &PolicyDocument, at: &StatementRef) -> Vec<(Option<usize>, String)> {
    let Some(statement) = document.statements.get(at.statement) else { return Vec::new() };
    let alone = PolicyDocument { statements: vec![statement.clone()], ..PolicyDocument::default() };
    let value = document_value(&alone);
    let statements = value.get("Statement").map_or(&[][..], Value::items);
    statements.iter().flat_map(|value| lines_of(&value.to_pretty())).map(|line| (None, line)).collect()
}

fn lines_of(text: &str) -> Vec<String> {
    text.lines().map(|line| without_control(line, "\t")).collect()
}
