//! `paring tighten`: the main job.

use std::path::Path;

use iam_model::change;
use iam_model::policy::{PrintStyle, print};
use iam_model::snapshot::SnapshotIndex;

use super::Outcome;
use crate::applying::{self, State};
use crate::cli::{FindingsFormat, Tighten};
use crate::error::CliError;
use crate::job::Job;
use crate::pipeline::{self, Inputs, Tightened};
use crate::report::counted;
use crate::terminal::Terminal;
use crate::{baseline, redact, report, second_opinion, write, written};

/// Runs the job: stops 2 and 3, the pipeline, then what is printed and written.
pub(crate) fn run(arguments: &Tighten, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    if arguments.write || arguments.out.is_some() {
        redact::allow_files()?;
    }
    let job = Job {
        snapshot: arguments.snapshot.as_deref(),
        trail: &arguments.trail,
        window: arguments.window,
        last_accessed: &arguments.last_accessed,
        engine: Some(&arguments.engine),
        iac: arguments.iac.as_deref(),
        catalog: &arguments.catalog,
        config: arguments.config.as_deref(),
        min_days: arguments.min_days,
        quota: arguments.quota,
        split: arguments.split,
        documents: arguments.documents,
        roles: arguments.roles.clone(),
    };
    let (inputs, mut diagnostics) = job.read(terminal)?;
    let mut done = pipeline::run(&inputs)?;
    diagnostics.extend(done.diagnostics.iter().cloned());
    terminal.diagnostics(&diagnostics);
    if arguments.opinion.second_opinion {
        let findings = second_opinion::ask(&arguments.opinion, &done.asked, &inputs.snapshot, terminal)?;
        done.disputed = !findings.is_empty();
        done.report.findings.splice(0..0, findings);
    }
    baseline::leave_out(&mut done.report.findings, &arguments.baseline, terminal)?;
    let left = print_and_write(arguments, &inputs, &done, terminal)?;
    Ok(if left { Outcome::Findings } else { outcome(arguments, &done) })
}

/// Whether a file that was to be written was left.
fn print_and_write(
    arguments: &Tighten,
    inputs: &Inputs,
    done: &Tightened,
    terminal: &mut Terminal,
) -> Result<bool, CliError> {
    let text = match arguments.format {
        FindingsFormat::Text => report::render_text(&done.report, terminal.paint()),
        FindingsFormat::Json => report::render_json(&done.report),
        FindingsFormat::Sarif => sarif(arguments, inputs, done),
    };
    terminal.data(&text)?;
    if let Some(folder) = &arguments.out {
        let files = files(done);
        write::replace_results(folder, &["policies", "patches"], &files)?;
        super::synthesize::refused(done, terminal);
        terminal.note(&format!("wrote {} below `{}`", told(&files), folder.display()));
    }
    if let (true, Some(folder)) = (arguments.write, &arguments.iac) {
        return apply(folder, done, arguments.force, terminal);
    }
    Ok(false)
}

/// The findings, each where the role it is about is written.
fn sarif(arguments: &Tighten, inputs: &Inputs, done: &Tightened) -> String {
    let findings = &done.report.findings;
    let (index, _) = SnapshotIndex::new(&inputs.snapshot);
    let folder = arguments.iac.as_deref().unwrap_or_else(|| Path::new("."));
    let places = written::in_sources(findings, folder, inputs.sources.clone().unwrap_or_default(), &index);
    let file = arguments.snapshot.as_deref().map_or_else(|| "snapshot.json".to_owned(), written::of_snapshot);
    report::sarif::render(report::sarif::of_findings(findings, &places, &file))
}

/// The files in words: those on top by name, those in folders by number.
fn told(files: &[(String, String)]) -> String {
    let below = |folder: &str| files.iter().filter(|(path, _)| path.starts_with(folder)).count();
    let policies = counted(below("policies/"), "policy", "policies");
    let patches = counted(below("patches/"), "patch", "patches");
    format!("report.json, changes.json, {policies} and {patches}")
}

/// What `--out` writes.
fn files(done: &Tightened) -> Vec<(String, String)> {
    let mut files = vec![
        ("report.json".to_owned(), report::render_json(&done.report)),
        ("changes.json".to_owned(), change::write(&done.asked.changes, &done.asked.splits)),
    ];
    for (role, policy) in &done.policies {
        let alone = done.policies.iter().filter(|(other, _)| other.name() == role.name()).count() == 1;
        let account = role.account().filter(|_| !alone).map(|account| format!("{account}-")).unwrap_or_default();
        let name = write::file_name(&format!("{account}{}", role.name()));
        files.push((format!("policies/{name}.json"), print(policy, PrintStyle::Pretty)));
    }
    for patch in &done.patches.patches {
        let name = write::file_name(&patch.file.as_str().replace('/', "__"));
        files.push((format!("patches/{name}.diff"), patch.diff.clone()));
    }
    files
}

/// Stop 12: only safe patches, and only if every claim about what they hold is proved. Whether any file was left.
fn apply(folder: &Path, done: &Tightened, force: bool, terminal: &mut Terminal) -> Result<bool, CliError> {
    if !done.writable || done.disputed {
        let why = if done.writable { "the second opinion differs" } else { "not every claim is proved" };
        terminal.warn(&format!("nothing was written: {why}"));
        return Ok(true);
    }
    let patches = &done.patches.patches;
    let states: Vec<State> = patches
        .iter()
        .zip(&done.report.patches)
        .map(|(patch, view)| State::of(folder, patch, view.disposition == "safe", force))
        .collect();
    applying::write(folder, patches, &states)?;
    for (patch, state) in patches.iter().zip(&states) {
        applying::tell(folder, patch, state, "", terminal);
    }
    Ok(states.iter().any(State::is_left))
}

fn outcome(arguments: &Tighten, done: &Tightened) -> Outcome {
    let severe =
        |threshold: crate::cli::Threshold| done.report.findings.iter().any(|f| f.severity >= threshold.severity());
    if !done.proved || done.disputed || arguments.fail_on.is_some_and(severe) {
        Outcome::Findings
    } else {
        Outcome::Clean
    }
}
