//! `paring check`: policies against one another, offline; single, or a file of cases.
//!
//! Reads documents and prints outcomes; how a check is decided is not known here.

use std::path::Path;

use iam_evaluate::permission_set::Limits;
use iam_model::action::ActionPattern;
use iam_model::arn::ResourcePattern;
use iam_model::json::{self, Limits as JsonLimits, Node, Value};
use iam_model::policy::{PolicyDocument, PrincipalPattern, from_json, parse};
use iam_model::text::{SourceName, SourceText};
use iam_verify::not_granted::{self, Access};
use iam_verify::outcome::{Counterexample, Outcome as Verdict};
use iam_verify::{adds_nothing, no_public};

use super::Outcome;
use crate::cli::{Check, PolicyCheck};
use crate::error::CliError;
use crate::input;
use crate::terminal::Terminal;

/// Runs one check, or a file of cases.
pub(crate) fn run(arguments: &Check, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    match (&arguments.cases, &arguments.check) {
        (Some(path), _) => cases(path, terminal),
        (None, Some(check)) => single(check, terminal),
        (None, None) => Err(CliError::user("say what to check").hint("see `paring check --help`")),
    }
}

fn single(check: &PolicyCheck, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let (verdict, certificate) = match check {
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
        PolicyCheck::NoPublic { policy, .. } => {
            (no_public::check(&document(policy, terminal)?, Limits::default()), None)
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

/// Checks every case of a JSON Lines file.
fn cases(path: &Path, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let source = input::read_text(path)?;
    let (mut count, mut agree, mut disagree) = (0_usize, 0_usize, 0_usize);
    for (number, line) in source.text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let at = |what: String| CliError::user(format!("{}:{}: {what}", source.name, number + 1));
        let arena = json::Arena::for_text(line.len());
        let node = json::parse(&arena, line, JsonLimits::FILE).map_err(|e| at(e.to_string()))?;
        let verdict = case(&node).map_err(at)?;
        count += 1;
        let result = result(&verdict);
        match node.get("expected").and_then(Node::as_str) {
            Some(expected) if expected == result => agree += 1,
            Some(_) => disagree += 1,
            None => {}
        }
        terminal.data(&format!("{}\n", line_of(&node, &verdict).to_compact()))?;
    }
    terminal.note(&format!("{count} cases, {agree} agree, {disagree} disagree"));
    Ok(if disagree == 0 { Outcome::Clean } else { Outcome::Findings })
}

fn case(node: &Node<'_>) -> Result<Verdict, String> {
    let policy = |key: &str| {
        let name = SourceText { name: SourceName::new(key), text: String::new() };
        let document = node.get(key).ok_or_else(|| format!("the case has no `{key}`"))?;
        Ok::<_, String>(from_json(document, &name, key).0)
    };
    let new = policy("new_policy")?;
    match node.get("check").and_then(Node::as_str) {
        Some("no_new_access") => {
            let old = policy("existing_policy")?;
            Ok(adds_nothing::check_documents(&[old], &[new], Limits::default()).outcome)
        }
        Some("access_not_granted") => {
            let access = node.get("access").ok_or("the case has no `access`")?;
            Ok(not_granted::check(&new, &access_of(access), Limits::default()).outcome)
        }
        Some("no_public_access") => Ok(no_public::check(&new, Limits::default())),
        Some(other) => Err(format!("the check `{other}` is not known")),
        None => Err("the case has no `check`".into()),
    }
}

const fn result(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Proved { .. } => "PASS",
        Verdict::Refuted { .. } => "FAIL",
        Verdict::Undecided { .. } => "UNDECIDED",
    }
}

fn line_of(node: &Node<'_>, verdict: &Verdict) -> Value {
    let id = node.get("id").map_or(Value::Null, Node::to_value);
    let mut members = vec![("id".to_owned(), id), ("result".to_owned(), Value::text(result(verdict)))];
    match verdict {
        Verdict::Proved { .. } => {}
        Verdict::Refuted { counterexample: Some(request), .. } => {
            members.push(("counterexample".to_owned(), counterexample(request)));
        }
        Verdict::Refuted { .. } | Verdict::Undecided { .. } => {
            members.push(("why".to_owned(), Value::text(reason(verdict))));
        }
    }
    Value::Object(members)
}

fn counterexample(request: &Counterexample) -> Value {
    let context = request.context.iter().map(|(key, values)| {
        (key.as_str().to_owned(), Value::Array(values.iter().map(|v| Value::text(v.as_str())).collect()))
    });
    let principal = match &request.principal {
        None => Value::Null,
        Some(PrincipalPattern::Everyone) => Value::text("*"),
        Some(
            PrincipalPattern::Aws(name)
            | PrincipalPattern::Service(name)
            | PrincipalPattern::Federated(name)
            | PrincipalPattern::CanonicalUser(name)
            | PrincipalPattern::Unknown { value: name, .. },
        ) => Value::text(name.as_str()),
    };
    Value::Object(vec![
        ("action".to_owned(), Value::text(request.action.as_str())),
        ("resource".to_owned(), Value::text(request.resource.as_str())),
        ("principal".to_owned(), principal),
        ("context".to_owned(), Value::Object(context.collect())),
    ])
}
