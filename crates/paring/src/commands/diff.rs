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
use iam_model::text::SourceText;
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

/// The permissions boundaries of templates, by whom they limit.
type Boundaries = BTreeMap<String, String>;

/// What an argument names.
enum Side {
    Policy(PolicyDocument),
    Snapshot(Box<Snapshot>),
    /// The policies of templates, and what else the files hold that is not compared.
    Templates(Vec<Written>, Vec<String>, Boundaries),
}

/// Runs the command.
pub(crate) fn run(arguments: &Diff, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let catalog = crate::catalog::embedded()?;
    let mut not_compared = Vec::new();
    let (old, new) = match &arguments.new {
        Some(new) => (side(&arguments.old, terminal)?, side(new, terminal)?),
        None => change_set(&arguments.old, terminal)?,
    };
    let of_change_set = arguments.new.is_none();
    let pairs = match (old, new) {
        (Side::Policy(old), Side::Policy(new)) => {
            let ((old, new), guardrails) = compared_alone(&old, &new);
            if guardrails {
                terminal.note(super::check::GUARDRAILS);
            }
            vec![Pair { name: "the policy".into(), old, new }]
        }
        (Side::Snapshot(old), Side::Snapshot(new)) => pairs(&old, &new, terminal),
        (Side::Templates(old, left_out, before), Side::Templates(new, also_left_out, after)) => {
            not_compared.extend(limits(&before, &after));
            not_compared.extend(left_out);
            not_compared.extend(also_left_out);
            terminal.note("what only a deployment knows stands as `<Name>` and is taken to be the same in both");
            if of_change_set {
                templates::lifted_denies(&old, &new, &mut not_compared);
            }
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

/// Boundaries that go, come or change: what they let through is not compared.
fn limits(before: &Boundaries, after: &Boundaries) -> Vec<String> {
    let owners: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = owners.into_iter().filter(|owner| before.get(*owner) != after.get(*owner));
    changed
        .map(|owner| {
            format!("{owner}: its permissions boundary is not the same, and what it lets through is not compared")
        })
        .collect()
}

/// The two sides of a change set, which holds the changed resources alone.
fn change_set(path: &Path, terminal: &mut Terminal) -> Result<(Side, Side), CliError> {
    let source = input::read_text(path)?;
    let Some(iam_patch::ChangeSet { before, after, not_told }) = iam_patch::change_set(&source) else {
        return Err(CliError::user(format!(
            "`{}` is no change set, and nothing is given to compare it with",
            source.name
        ))
        .hint("give OLD and NEW, or what `aws cloudformation describe-change-set` printed"));
    };
    terminal.note("of a change set: what stays as it is grants what it granted, and is not in it");
    let side = |source: SourceText, terminal: &mut Terminal| {
        let (project, diagnostics) = Project::read(vec![source]);
        templates(&project, &diagnostics, path, terminal)
    };
    let Side::Templates(written, mut left_out, boundaries) = side(before, terminal)? else {
        return Err(CliError::user("the change set is no template"));
    };
    left_out.extend(not_told);
    Ok((Side::Templates(written, left_out, boundaries), side(after, terminal)?))
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
    let boundaries = project.boundaries().into_iter().collect();
    Ok(Side::Templates(project.written(), left_out.collect(), boundaries))
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
