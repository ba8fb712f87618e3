//! `paring synthesize`: the policies alone that roles would be left with.

use std::collections::BTreeMap;

use iam_model::arn::Arn;
use iam_model::policy::PolicyDocument;

use super::Outcome;
use crate::cli::{PolicyFormat, Synthesize};
use crate::error::CliError;
use crate::job::Job;
use crate::pipeline::{self, Tightened};
use crate::report::{ClaimView, JudgementView, OutcomeView, counted, policies};
use crate::terminal::Terminal;
use crate::write;

/// Runs the main job and prints what it leaves.
pub(crate) fn run(arguments: &Synthesize, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let job = Job::of_policies(&arguments.grounds, arguments.roles.clone(), arguments.split);
    let (inputs, mut diagnostics) = job.read(terminal)?;
    let done = pipeline::run(&inputs)?;
    diagnostics.extend(done.diagnostics.iter().cloned());
    terminal.diagnostics(&diagnostics);
    let made = made(&done, inputs.quotas.managed);
    say(&done, terminal);
    match &arguments.out {
        Some(folder) => {
            let files = files(&made, arguments.format);
            write::replace_results(folder, &[], &files)?;
            let wrote = counted(files.len(), "policy", "policies");
            terminal.note(&format!("wrote {wrote} into `{}`", folder.display()));
        }
        // An asked-for role without a policy prints nothing: an empty document would empty the role.
        None if made.is_empty() => {}
        None => terminal.data(&policies::render(&made, arguments.format))?,
    }
    Ok(if done.proved && !made.is_empty() { Outcome::Clean } else { Outcome::Findings })
}

/// Each role with what it is left with; of a role taken apart, each new role with its own. Not what is refuted.
fn made(done: &Tightened, most: usize) -> Vec<(Arn, PolicyDocument)> {
    let mut made = done.policies.clone();
    let refuted = |role: &Arn| {
        let views = done.report.splits.iter().flat_map(|split| &split.parts);
        views.filter(|part| part.role == role.as_str()).any(|part| refuted(&part.claims).any(is_wrong))
    };
    for part in done.asked.splits.iter().flat_map(|split| &split.parts).filter(|part| !refuted(&part.role)) {
        let own: Vec<_> = part.policies.iter().map(|policy| (policy.name.as_str(), &policy.document)).collect();
        made.extend(pipeline::policies::documents(&part.role, &own, most));
        let new = part.new_managed_policies.iter();
        made.extend(new.filter_map(|policy| Some((part.managed_arn(&policy.name)?, policy.document.clone()))));
    }
    made.retain(|(_, document)| !document.statements.is_empty());
    made.sort_by(|a, b| a.0.cmp(&b.0));
    made
}

/// Roles that get no policy, managed policies that stay beside, and claims that are not proved.
fn say(done: &Tightened, terminal: &mut Terminal) {
    for role in &done.report.roles {
        if let JudgementView::Refused(why) = &role.judgement {
            terminal.note(&format!("{}: no policy: {why}", role.name));
        }
        let own = done.policies.iter().find(|(arn, _)| arn.as_str() == role.arn);
        if own.is_some_and(|(_, document)| document.statements.is_empty()) {
            terminal
                .note(&format!("{}: no policy of its own: the AWS-managed ones that stay are all it needs", role.name));
        }
    }
    for (note, roles) in beside(done) {
        let who = match roles.as_slice() {
            [only] => (*only).to_owned(),
            many => counted(many.len(), "role", "roles"),
        };
        let keep = if roles.len() == 1 { "keeps" } else { "keep" };
        terminal.note(&format!("{who} also {keep} {note}"));
    }
    for split in &done.report.splits {
        if let Some(why) = &split.refused {
            terminal.note(&format!("{}: shared, and not taken apart: {why}", split.name));
        }
    }
    refused(done, terminal);
    if !done.proved {
        terminal.note("not every claim about these policies is proved: run `paring tighten` to see which");
    }
}

/// Claims that are refuted: what they speak of is not printed.
pub(super) fn refused(done: &Tightened, terminal: &mut Terminal) {
    let roles = done.report.roles.iter().map(|role| (&role.name, &role.claims));
    let parts = done.report.splits.iter().flat_map(|split| &split.parts).map(|part| (&part.role, &part.claims));
    for (name, claims) in roles.chain(parts) {
        for claim in refuted(claims) {
            let held_back = if is_wrong(claim) { "no policy is given: " } else { "" };
            terminal.note(&format!("{name}: {held_back}{} is refuted: {}", claim.claim, claim.detail));
        }
    }
}

/// Whether a refuted claim holds a policy back; what a rule objects to is told.
fn is_wrong(claim: &ClaimView) -> bool {
    claim.claim != iam_verify::outcome::Claim::ObeysGuardrails.as_str()
}

fn refuted(claims: &[ClaimView]) -> impl Iterator<Item = &ClaimView> {
    claims.iter().filter(|claim| claim.outcome == OutcomeView::Refuted)
}

/// Policies that stay as they are beside those printed, each with the roles that have it.
fn beside(done: &Tightened) -> BTreeMap<&str, Vec<&str>> {
    let mut notes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for role in &done.report.roles {
        for note in &role.left_alone {
            notes.entry(note).or_default().push(&role.name);
        }
    }
    notes
}

fn files(made: &[(Arn, PolicyDocument)], format: PolicyFormat) -> Vec<(String, String)> {
    let extension = match format {
        PolicyFormat::Json => "json",
        PolicyFormat::Yaml => "yaml",
        PolicyFormat::Hcl => "tf",
    };
    let file = |(role, document): &(Arn, PolicyDocument)| {
        let alone = made.iter().filter(|(other, _)| other.name() == role.name()).count() == 1;
        let account = role.account().filter(|_| !alone).map(|account| format!("{account}-")).unwrap_or_default();
        let name = write::file_name(&format!("{account}{}", role.name()));
        (format!("{name}.{extension}"), policies::render(&[(role.clone(), document.clone())], format))
    };
    made.iter().map(file).collect()
}
