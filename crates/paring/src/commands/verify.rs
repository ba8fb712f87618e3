//! `paring verify`: four claims about given changes, of whatever kind of policy.
//!
//! Reads, asks and prints; every judgement is made where claims are proved. Several files are judged side by side, each
//! as if it were the only one.

use std::collections::BTreeSet;

use iam_evaluate::Evaluator;
use iam_model::change::{AttachmentKind, Change};
use iam_model::snapshot::SnapshotIndex;
use iam_verify::obeys_guardrails::State;
use iam_verify::policy_check::{self, PolicyKind};
use iam_verify::reach::everywhere;
use iam_verify::split::{SplitGrounds, verify_splits_by};
use iam_verify::verify::{Grounds, verify};
use rayon::prelude::*;

use super::Outcome;
use crate::cli::{Format, Verify};
use crate::error::CliError;
use crate::judging::{self, ChangeFile, Ground};
use crate::report::verdict::Judged;
use crate::terminal::Terminal;
use crate::{pipeline, report};

/// Runs the command.
pub(crate) fn run(arguments: &Verify, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let (files, unread) = judging::change_files(&arguments.changes, terminal)?;
    let ground = Ground::load(&arguments.snapshot, &arguments.judging, terminal)?;
    let outcome = judge_files(&files, &ground, arguments.format, arguments.changes.len() > 1, terminal)?;
    unread.end()?;
    Ok(outcome)
}

/// Judges the changes of each file and prints the verdicts.
pub(super) fn judge_files(
    files: &[ChangeFile],
    ground: &Ground,
    format: Format,
    several: bool,
    terminal: &mut Terminal,
) -> Result<Outcome, CliError> {
    let (index, dangling) = SnapshotIndex::new(&ground.snapshot);
    terminal.diagnostics(&dangling);
    let visibility = ground.recorded();
    let evidence = ground.evidence(&visibility);
    let before = iam_graph::build(&index, &[]);
    let rulebook = ground.rulebook();
    let evaluator = Evaluator::new(&index);
    let judge = |file: &ChangeFile| {
        let all: Vec<&Change> = file.changes.iter().collect();
        let reached = everywhere(&all, &index);
        let after = iam_graph::build(&index, &reached);
        let grounds = Grounds {
            before: State::new(&rulebook, &index, &before, evidence, &ground.settings),
            after: State::new(&rulebook, &index, &after, evidence, &ground.settings),
            evaluator: &evaluator,
            usage: ground.usage.as_ref(),
        };
        let verdict = (!all.is_empty()).then(|| verify(&all, &grounds));
        let of_splits = SplitGrounds { index: &index, rulebook: &rulebook, evidence, settings: &ground.settings };
        let parts = if file.splits.is_empty() {
            Vec::new()
        } else {
            verify_splits_by(&file.splits, &of_splits, &pipeline::on_all_cores)
        };
        let mut not_checked = after.not_checked();
        let verdicts = verdict.iter().chain(parts.iter().map(|part| &part.verdict));
        not_checked.extend(verdicts.flat_map(|verdict| verdict.not_asked.iter().cloned()).collect::<BTreeSet<_>>());
        Judged { name: file.name.clone(), verdict, parts, not_checked }
    };
    over_quota(files, terminal);
    let judged: Vec<Judged> = files.par_iter().map(judge).collect();
    let text = match (format, judged.as_slice()) {
        (Format::Text, [one]) if !several => report::verdict::render_text(one, terminal.paint()),
        (Format::Json, [one]) if !several => report::verdict::render_json(one),
        (Format::Text, all) => report::verdict::render_texts(all, terminal.paint()),
        (Format::Json, all) => report::verdict::render_jsons(all),
    };
    terminal.data(&text)?;
    let proved = judged.iter().all(Judged::is_proved);
    Ok(if proved { Outcome::Clean } else { Outcome::Findings })
}

/// Names control policies that AWS would refuse for their size, with the figures; the rules refuse them without.
fn over_quota(files: &[ChangeFile], terminal: &mut Terminal) {
    let control = [AttachmentKind::ServiceControl, AttachmentKind::ResourceControl];
    for change in files.iter().flat_map(|file| &file.changes) {
        let kind = change.attachment.kind;
        let after = change.after.as_ref().filter(|_| control.contains(&kind));
        if let Some(over) = after.and_then(|after| policy_check::over_quota(after, PolicyKind::of(kind))) {
            let name = change.attachment.policy_name.as_deref().unwrap_or("a control policy");
            let hint = "`paring guard pack` splits it; AWS refuses it as it is";
            terminal.refused("refused[quota-exceeded]", &format!("`{name}`: {over}"), Some(hint));
        }
    }
}
