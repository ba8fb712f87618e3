//! `paring check`: policies against one another, offline; single, or a file of cases.
//!
//! Reads documents and prints outcomes; how a check is decided is not known here.

mod answer;
mod cases;
pub(super) mod policy;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use iam_evaluate::permission_set::Limits;
use iam_model::action::ActionPattern;
use iam_model::arn::ResourcePattern;
use iam_model::catalog::Catalog;
use iam_model::json::{self, Limits as JsonLimits, Node, NodeKind};
use iam_model::policy::{PolicyDocument, parse};
use iam_model::text::{SourceName, SourceText};
use iam_verify::not_granted::{self, Access};
use iam_verify::outcome::Outcome as Verdict;
use iam_verify::policy_check::{PolicyKind, refused};
use iam_verify::{adds_nothing, no_public};
use rayon::prelude::*;

use super::Outcome;
use crate::cli::{Check, Format, PolicyCheck};
use crate::error::CliError;
use crate::input;
use crate::terminal::{Terminal, without_control};

/// Runs one check, or a file of cases.
pub(crate) fn run(arguments: &Check, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    match (&arguments.cases, &arguments.check) {
        (Some(path), _) => cases::run(path, terminal),
        (None, Some(check)) => single(check, terminal),
        (None, None) => Err(CliError::user("say what to check").hint("see `paring check --help`")),
    }
}

/// What two policies without an allow are taken for.
pub(super) const GUARDRAILS: &str = "policies that only deny are compared as guardrails: beside an allow of everything";

/// A policy to judge, and for a comparison the one it replaces.
struct Question {
    policy: SourceText,
    old: Option<SourceText>,
}

impl Question {
    /// The name of a policy that is no JSON object; what it says is not known, so nothing can be said of it.
    fn unreadable(&self) -> Option<&SourceName> {
        let readable = |source: &SourceText| {
            let arena = json::Arena::for_text(source.text.len());
            json::parse(&arena, &source.text, JsonLimits::POLICY)
                .is_ok_and(|node| matches!(node.kind, NodeKind::Object(_)))
        };
        [Some(&self.policy), self.old.as_ref()].into_iter().flatten().find(|source| !readable(source)).map(|s| &s.name)
    }
}

fn single(check: &PolicyCheck, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let (questions, access) = match check {
        PolicyCheck::Policy(arguments) => return policy::run(arguments, terminal),
        PolicyCheck::NoNewAccess { old, new, .. } => (comparisons(old, new, terminal)?, None),
        PolicyCheck::NotGranted { policy, access, .. } => (policies(policy)?, Some(read_access(access)?)),
        PolicyCheck::NoPublic { policy, .. } => (policies(policy)?, None),
    };
    let catalog = crate::catalog::embedded()?;
    let judge = |question: &Question| {
        let (document, mut diagnostics) = parse(&question.policy);
        let verdict = match (check, &access) {
            (PolicyCheck::NoPublic { resource_type, .. }, _) => {
                no_public::check_in_known_names(&document, *resource_type, Limits::default(), &catalog)
            }
            (_, Some(access)) => not_granted::check_in_known_names(&document, access, Limits::default(), &catalog),
            _ => {
                let Some((old, found)) = question.old.as_ref().map(parse) else {
                    return (diagnostics, new_access(&[], &[document], &catalog), false);
                };
                diagnostics.extend(found);
                let ((old, new), guardrails) = adds_nothing::compared_alone(&old, &document);
                return (diagnostics, new_access(&old, &new, &catalog), guardrails);
            }
        };
        (diagnostics, verdict, false)
    };
    let judged: Vec<_> = questions.par_iter().map(judge).collect();
    if judged.iter().any(|(_, _, guardrails)| *guardrails) {
        terminal.note(GUARDRAILS);
    }
    let mut answers = Vec::new();
    for (question, (diagnostics, verdict, _)) in questions.iter().zip(&judged) {
        terminal.diagnostics(diagnostics);
        answers.push((question, verdict));
    }
    terminal.data(&match check {
        PolicyCheck::NoNewAccess { format: Format::Json, .. }
        | PolicyCheck::NotGranted { format: Format::Json, .. }
        | PolicyCheck::NoPublic { format: Format::Json, .. } => answer::json(&answers),
        _ => without_control(&answer::text(&answers), "\n"),
    })?;
    if let Some(name) = questions.iter().find_map(Question::unreadable) {
        return Err(CliError::user(format!("`{name}` is no policy"))
            .hint("a policy is a JSON object; what is wrong, and where, stands above"));
    }
    let holds = judged.iter().all(|(_, verdict, _)| matches!(verdict.outcome, Verdict::Proved { .. }));
    Ok(if holds { Outcome::Clean } else { Outcome::Findings })
}

/// Whether new policies allow what old ones did not, shown in names that AWS publishes.
fn new_access(old: &[PolicyDocument], new: &[PolicyDocument], catalog: &Catalog) -> adds_nothing::Verdict {
    let same = old.len() == new.len() && old.iter().zip(new).all(|(old, new)| old.same_text(new));
    let refused = |document: &PolicyDocument| refused(document, PolicyKind::guess(document));
    if let Some(why) = old.iter().chain(new).find_map(refused).filter(|_| !same) {
        let why = format!("AWS refuses a policy like this, and nobody knows what it would allow: {why}");
        return adds_nothing::Verdict { outcome: Verdict::Undecided { why }, certificate: None };
    }
    adds_nothing::check_documents(old, new, Limits::default()).in_known_names(old, new, catalog)
}

/// The files named, and the JSON files below the folders named.
fn policies(named: &[PathBuf]) -> Result<Vec<Question>, CliError> {
    let mut questions = Vec::new();
    for path in named {
        let found =
            if path.is_dir() { input::read_with_extension(path, "json")? } else { vec![input::read_text(path)?] };
        questions.extend(found.into_iter().map(|policy| Question { policy, old: None }));
    }
    if questions.is_empty() {
        return Err(CliError::user("there is no policy to check").hint("give files, or folders with .json files"));
    }
    Ok(questions)
}

/// Two policies, or those of two folders that have the same path below it.
fn comparisons(old: &Path, new: &Path, terminal: &mut Terminal) -> Result<Vec<Question>, CliError> {
    match (old.is_dir(), new.is_dir()) {
        (false, false) => {
            return Ok(vec![Question { policy: input::read_text(new)?, old: Some(input::read_text(old)?) }]);
        }
        (true, true) => {}
        _ => {
            return Err(
                CliError::user("a policy and a folder cannot be compared").hint("give two files, or two folders")
            );
        }
    }
    let below = |folder: &Path| -> Result<BTreeMap<String, SourceText>, CliError> {
        let sources = input::read_with_extension(folder, "json")?;
        let prefix = input::source_name(folder);
        let relative = |source: &SourceText| {
            let name = source.name.as_str();
            name.strip_prefix(prefix.as_str()).unwrap_or(name).trim_start_matches('/').to_owned()
        };
        Ok(sources.into_iter().map(|source| (relative(&source), source)).collect())
    };
    let (mut before, after) = (below(old)?, below(new)?);
    if after.is_empty() {
        return Err(CliError::user(format!("there is no .json file below `{}`", new.display())));
    }
    let questions =
        after.into_iter().map(|(name, policy)| Question { policy, old: before.remove(&name) }).collect::<Vec<_>>();
    let added = questions.iter().filter(|question| question.old.is_none()).count();
    if added + before.len() > 0 {
        terminal.note(&format!("{added} policies are only in the new folder, {} only in the old one", before.len()));
    }
    Ok(questions)
}

fn read_access(path: &Path) -> Result<Access, CliError> {
    const FORM: &str = r#"write {"actions": ["s3:GetObject"], "resources": ["*"]}; one of the two may be left out"#;
    if ActionPattern::new(&path.to_string_lossy()).is_well_formed() && !path.exists() {
        return Err(CliError::user(format!("`{}` is an action; --access takes a file", path.display())).hint(FORM));
    }
    let source = input::read_text(path)?;
    let arena = json::Arena::for_text(source.text.len());
    let node = json::parse(&arena, &source.text, JsonLimits::POLICY)
        .map_err(|e| CliError::user(format!("`{}` cannot be read: {e}", source.name)).hint(FORM))?;
    access_of(&node).map_err(|what| CliError::user(format!("`{}`: {what}", source.name)).hint(FORM))
}

fn reason(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::Proved { because } | Verdict::Refuted { because, .. } => because,
        Verdict::Undecided { why } => why,
    }
}

/// What must not be granted. What is not understood is an error: it would be left out of the check.
fn access_of(node: &Node<'_>) -> Result<Access, String> {
    let known = ["actions", "resources"];
    if let Some(other) = node.members().iter().find(|member| !known.contains(&member.key)) {
        return Err(format!("`{}` is neither `actions` nor `resources`", other.key));
    }
    let list = |key: &str| -> Result<Vec<&str>, String> {
        let Some(found) = node.get(key) else { return Ok(Vec::new()) };
        let texts = found.one_or_many().iter().map(Node::as_str).collect::<Option<Vec<_>>>();
        texts.ok_or_else(|| format!("`{key}` is no list of texts"))
    };
    let (actions, resources) = (list("actions")?, list("resources")?);
    if actions.is_empty() && resources.is_empty() {
        return Err("it names no action and no resource".into());
    }
    Ok(Access {
        actions: actions.into_iter().map(ActionPattern::new).collect(),
        resources: resources.into_iter().map(ResourcePattern::new).collect(),
    })
}
