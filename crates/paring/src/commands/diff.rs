//! `paring diff`: what two policies, two snapshots or two templates allow differently.
//!
//! Pairs what belongs together and prints; what differs is found where permissions are compared.

mod templates;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use iam_evaluate::budget::{ALL, QUESTION};
use iam_patch::{Project, Written};

use iam_model::arn::Arn;
use iam_model::change::AttachmentKind;
use iam_model::diagnostic::{Code, Diagnostic, Severity};
use iam_model::json::{self, Limits, Node};
use iam_model::policy::{PolicyDocument, parse};
use iam_model::snapshot::{Snapshot, SnapshotIndex};
use iam_verify::adds_nothing::{compared, compared_alone};
use iam_verify::semantic_diff::{Difference, compare_within};
use rayon::prelude::*;

use super::Outcome;
use crate::cli::{Diff, Format};
use crate::error::CliError;
use crate::terminal::Terminal;
use crate::{input, report};

/// Units of work for all pairs together, and the least for each of many.
const MOST_WORK: u64 = 4 * ALL;
const LEAST_WORK: u64 = QUESTION / 4;

/// One thing on both sides: its name, and its documents before and after.
struct Pair {
    name: String,
    old: Vec<PolicyDocument>,
    new: Vec<PolicyDocument>,
}

/// What an argument names.
enum Side {
    Policy(PolicyDocument),
    Snapshot(Box<Snapshot>),
    /// The policies of templates, and what else the files hold that is not compared.
    Templates(Vec<Written>, Vec<String>),
}

/// Runs the command.
pub(crate) fn run(arguments: &Diff, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let catalog = crate::catalog::embedded()?;
    let mut not_compared = Vec::new();
    let pairs = match (side(&arguments.old, terminal)?, side(&arguments.new, terminal)?) {
        (Side::Policy(old), Side::Policy(new)) => {
            let ((old, new), guardrails) = compared_alone(&old, &new);
            if guardrails {
                terminal.note(super::check::GUARDRAILS);
            }
            vec![Pair { name: "the policy".into(), old, new }]
        }
        (Side::Snapshot(old), Side::Snapshot(new)) => pairs(&old, &new, terminal),
        (Side::Templates(old, left_out), Side::Templates(new, also_left_out)) => {
            not_compared.extend(left_out);
            not_compared.extend(also_left_out);
            terminal.note("what only a deployment knows stands as `<Name>` and is taken to be the same in both");
            templates::pairs(&old, &new, &mut not_compared)
        }
        (old, new) => {
            return Err(CliError::user(format!("{} and {} cannot be compared", old.kind(), new.kind()))
                .hint("give two policies, two snapshots, or two templates"));
        }
    };
    // The same for each, whichever thread is first: what one pair leaves is not for another.
    let work = (MOST_WORK / u64::try_from(pairs.len().max(1)).unwrap_or(u64::MAX)).clamp(LEAST_WORK, ALL);
    let one = |pair: &Pair| (pair.name.clone(), compare_within(&pair.old, &pair.new, &catalog, work));
    let found: Vec<(String, Difference)> = pairs.par_iter().map(one).filter(|(_, found)| !found.is_equal()).collect();
    let text = match arguments.format {
        Format::Text => report::difference::render_text(&found, &not_compared, terminal.paint()),
        Format::Json => report::difference::render_json(&found, &not_compared),
    };
    terminal.data(&text)?;
    let gained = found.iter().any(|(_, difference)| !difference.gained.nothing);
    let lost = found.iter().any(|(_, difference)| !difference.lost.nothing);
    let open = !not_compared.is_empty();
    Ok(if gained || open || (arguments.fail_on_lost && lost) { Outcome::Findings } else { Outcome::Clean })
}

impl Side {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Policy(_) => "a policy",
            Self::Snapshot(_) => "a snapshot",
            Self::Templates(..) => "a template",
        }
    }
}

/// Reads a policy, a snapshot or a template, whichever it is.
fn side(path: &Path, terminal: &mut Terminal) -> Result<Side, CliError> {
    if path.is_dir() {
        return folder(path, terminal);
    }
    let source = input::read_text(path)?;
    let (project, diagnostics) = Project::read(vec![source.clone()]);
    if project.files().next().is_some() || !diagnostics.is_empty() {
        return templates(&project, &diagnostics, path, terminal);
    }
    let arena = json::Arena::for_text(source.text.len());
    let root = json::parse(&arena, &source.text, Limits::FILE).map_err(|e| {
        CliError::user(format!("`{}` is no policy, no snapshot and no template: {e}", source.name))
            .hint("give JSON, or a CloudFormation or SAM template with its ending .yaml, .yml, .json or .template")
    })?;
    if root.get("schema").and_then(Node::as_str).is_none() {
        let (document, diagnostics) = parse(&source);
        terminal.diagnostics(&diagnostics);
        if diagnostics.iter().any(|d| d.severity == Severity::Error) {
            return Err(CliError::user(format!("`{}` is no policy", source.name)));
        }
        return Ok(Side::Policy(document));
    }
    let read = iam_model::snapshot::read(source).map_err(|e| CliError::user(e.to_string()))?;
    crate::redact::learn(&read.0);
    terminal.diagnostics(&read.1);
    Ok(Side::Snapshot(Box::new(read.0)))
}

/// A folder of templates, or else of AWS CLI output.
fn folder(path: &Path, terminal: &mut Terminal) -> Result<Side, CliError> {
    if !path.join("account-authorization-details.json").exists() {
        let (sources, mut diagnostics) = input::read_sources(path)?;
        let (project, broken) = Project::read(sources);
        diagnostics.extend(broken);
        if project.files().next().is_some() {
            return templates(&project, &diagnostics, path, terminal);
        }
    }
    let (snapshot, diagnostics) = input::read_snapshot(path)?;
    terminal.diagnostics(&diagnostics);
    Ok(Side::Snapshot(Box::new(snapshot)))
}

/// The policies of templates. One that does not parse would look like one that allows nothing.
fn templates(
    project: &Project,
    diagnostics: &[Diagnostic],
    path: &Path,
    terminal: &mut Terminal,
) -> Result<Side, CliError> {
    terminal.diagnostics(diagnostics);
    if diagnostics.iter().any(|d| d.code == Code::TemplateUnreadable) {
        return Err(CliError::user(format!("a template of `{}` cannot be read", path.display())));
    }
    // Where they are all there is, nothing compared would look like nothing changed.
    let left_out = project
        .terraform_files()
        .map(|file| format!("{file}: Terraform is not compared; give two policies, or snapshots of both accounts"));
    Ok(Side::Templates(project.written(), left_out.collect()))
}

/// Every principal's policies together, and every other policy alone, where the two sides are not written the same.
fn pairs(old: &Snapshot, new: &Snapshot, terminal: &mut Terminal) -> Vec<Pair> {
    let (old, first) = SnapshotIndex::new(old);
    let (new, second) = SnapshotIndex::new(new);
    terminal.diagnostics(&first);
    terminal.diagnostics(&second);
    let (before, after) = (policies(&old), policies(&new));
    let names: BTreeSet<&(String, AttachmentKind)> = before.keys().chain(after.keys()).collect();
    let side = |all: &Policies<'_>, name: &(String, AttachmentKind)| -> Option<Vec<PolicyDocument>> {
        all.get(name).map(|documents| documents.iter().copied().cloned().collect())
    };
    let mut pairs = Vec::new();
    for name in names {
        let (old, new) = (side(&before, name), side(&after, name));
        let (old, new) = match name.1 {
            AttachmentKind::Identity => (old.unwrap_or_default(), new.unwrap_or_default()),
            kind => {
                let first =
                    |documents: &Option<Vec<PolicyDocument>>| documents.as_ref().and_then(|d| d.first().cloned());
                compared(kind, first(&old).as_ref(), first(&new).as_ref())
            }
        };
        let same = old.len() == new.len() && old.iter().zip(&new).all(|(old, new)| old.same_text(new));
        if !same {
            pairs.push(Pair { name: name.0.clone(), old, new });
        }
    }
    pairs
}

type Policies<'a> = BTreeMap<(String, AttachmentKind), Vec<&'a PolicyDocument>>;

fn policies<'a>(index: &SnapshotIndex<'a>) -> Policies<'a> {
    let mut all = Policies::new();
    let mut principal = |arn: &'a Arn| {
        let own = index.identity_policies(arn).iter().map(|policy| policy.document).collect();
        all.insert((arn.to_string(), AttachmentKind::Identity), own);
        if let Some(boundary) = index.boundary(arn) {
            all.insert((format!("{arn}, boundary"), AttachmentKind::Boundary), vec![boundary]);
        }
    };
    index.users().for_each(|user| principal(&user.identity.arn));
    index.roles().for_each(|role| principal(&role.identity.arn));
    for role in index.roles() {
        all.insert((format!("{}, trust", role.identity.arn), AttachmentKind::Trust), vec![&role.trust]);
    }
    for account in index.snapshot().accounts.values() {
        for (arn, policy) in &account.resource_policies {
            all.insert((format!("{arn}, resource policy"), AttachmentKind::Resource), vec![policy]);
        }
        for (arn, endpoint) in &account.vpc_endpoints {
            let policy = endpoint.policy.iter().collect();
            all.insert((format!("{arn}, endpoint policy"), AttachmentKind::VpcEndpoint), policy);
        }
    }
    let organization = index.snapshot().organization.as_ref();
    for (id, guardrails) in organization.iter().flat_map(|organization| &organization.accounts) {
        let kinds = [
            ("service control", AttachmentKind::ServiceControl, &guardrails.scps),
            ("resource control", AttachmentKind::ResourceControl, &guardrails.rcps),
        ];
        for (word, kind, levels) in kinds {
            for (depth, level) in levels.iter().enumerate() {
                for (place, policy) in level.iter().enumerate() {
                    all.insert((format!("account {id}, {word} policy {place} of level {depth}"), kind), vec![policy]);
                }
            }
        }
    }
    all
}
