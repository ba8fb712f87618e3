//! `paring check`: policies against one another, offline; single, or a file of cases.
//!
//! Reads documents and prints outcomes; how a check is decided is not known here.

mod cases;
mod policy;

use std::path::Path;

use iam_evaluate::permission_set::Limits;
use iam_model::action::ActionPattern;
use iam_model::arn::ResourcePattern;
use iam_model::json::{self, Limits as JsonLimits, Node};
use iam_model::policy::{PolicyDocument, parse};
use iam_verify::not_granted::{self, Access};
use iam_verify::outcome::Outcome as Verdict;
use iam_verify::{adds_nothing, no_public};

use super::Outcome;
use crate::cli::{Check, PolicyCheck};
use crate::error::CliError;
use crate::input;
use crate::terminal::Terminal;

/// Runs one check, or a file of cases.
pub(crate) fn run(arguments: &Check, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    match (&arguments.cases, &arguments.check) {
        (Some(path), _) => cases::run(path, terminal),
        (None, Some(check)) => single(check, terminal),
        (None, None) => Err(CliError::user("say what to check").hint("see `paring check --help`")),
    }
}

fn single(check: &PolicyCheck, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let (verdict, certificate) = match check {
        PolicyCheck::Policy(arguments) => return policy::run(arguments, terminal),
        PolicyCheck::NoNewAccess { old, new } => {
            let (old, new) = (document(old, terminal)?, document(new, terminal)?);
            let verdict = adds_nothing::check_documents(&[old], &[new], Limits::default());
            (verdict.outcome, verdict.certificate)
        }
        PolicyCheck::NotGranted { policy, access } => {
            let source = input::read_text(access)?;
            let arena = json::Arena::for_text(source.text.len());
            let node = json::parse(&arena, &source.text, JsonLimits::POLICY)
                .map_err(|e| CliError::user(format!("`{}` cannot be read: {e}", source.name)))?;
            let verdict = not_granted::check(&document(policy, terminal)?, &access_of(&node), Limits::default());
            (verdict.outcome, verdict.certificate)
        }
        PolicyCheck::NoPublic { policy, resource_type } => {
            (no_public::check(&document(policy, terminal)?, *resource_type, Limits::default()), None)
        }
    };
    let mut text = format!("{}: {}\n", verdict.as_str(), reason(&verdict));
    if let Verdict::Refuted { counterexample: Some(request), .. } = &verdict {
        text.push_str(&format!("counterexample: {request}\n"));
    }
    if let Some(certificate) = certificate {
        text.push_str(&certificate.to_string());
    }
    terminal.data(&text)?;
    Ok(if verdict.is_proved() { Outcome::Clean } else { Outcome::Findings })
}

fn reason(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::Proved { because } | Verdict::Refuted { because, .. } => because,
        Verdict::Undecided { why } => why,
    }
}

fn document(path: &Path, terminal: &mut Terminal) -> Result<PolicyDocument, CliError> {
    let (document, diagnostics) = parse(&input::read_text(path)?);
    terminal.diagnostics(&diagnostics);
    Ok(document)
}

fn access_of(node: &Node<'_>) -> Access {
    let list = |key| node.get(key).map_or(&[][..], |n| n.items()).iter().filter_map(Node::as_str);
    Access {
        actions: list("actions").map(ActionPattern::new).collect(),
        resources: list("resources").map(ResourcePattern::new).collect(),
    }
}
