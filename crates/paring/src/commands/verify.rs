//! `paring verify`: four claims about given changes, of whatever kind of policy.
//!
//! Reads, asks and prints; every judgement is made where claims are proved.

use iam_evaluate::Evaluator;
use iam_model::change::Change;
use iam_model::snapshot::SnapshotIndex;
use iam_verify::obeys_guardrails::{Evidence, State};
use iam_verify::verify::{Grounds, verify};

use super::Outcome;
use crate::cli::{Format, Verify};
use crate::error::CliError;
use crate::judging::{self, Ground};
use crate::terminal::Terminal;
use crate::{pipeline, report};

/// Runs the command.
pub(crate) fn run(arguments: &Verify, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let changes = judging::changes(&arguments.changes, terminal)?;
    if changes.is_empty() {
        return Err(CliError::user("there are no changes to judge").hint("give a file with `changes`"));
    }
    let ground = Ground::load(&arguments.snapshot, &arguments.judging, terminal)?;
    let (index, dangling) = SnapshotIndex::new(&ground.snapshot);
    terminal.diagnostics(&dangling);
    let visibility = pipeline::facts::visibility(&ground.coverage, &ground.catalog);
    let evidence = Evidence { usage: ground.usage.as_ref(), days: ground.coverage.days, visibility: &visibility };
    let (before, after) = (iam_graph::build(&index, &[]), iam_graph::build(&index, &changes));
    let rulebook = ground.rulebook();
    let evaluator = Evaluator::new(&index);
    let grounds = Grounds {
        before: State::new(&rulebook, &index, &before, evidence, &ground.settings),
        after: State::new(&rulebook, &index, &after, evidence, &ground.settings),
        evaluator: &evaluator,
        usage: ground.usage.as_ref(),
    };
    let all: Vec<&Change> = changes.iter().collect();
    let verdict = verify(&all, &grounds);
    let mut not_checked = after.not_checked();
    not_checked.extend(verdict.not_asked.iter().cloned());
    let text = match arguments.format {
        Format::Text => report::verdict::render_text(&verdict, &not_checked, terminal.paint()),
        Format::Json => report::verdict::render_json(&verdict, &not_checked),
    };
    terminal.data(&text)?;
    Ok(if verdict.is_proved() { Outcome::Clean } else { Outcome::Findings })
}
