//! Requests from arguments, and decisions as JSON: what the commands about single decisions share.
//!
//! Decides nothing.

use std::path::Path;

use iam_evaluate::{Context, Decision, Evaluator, LayerOutcome, Outcome, Principal, Request, StatementRef};
use iam_model::condition::ConditionKey;
use iam_model::diagnostic::Code;
use iam_model::json::Value;
use iam_model::policy::parse;
use iam_model::snapshot::{Snapshot, SnapshotIndex};
use iam_model::text::{SourceName, SourceText};
use iam_verify::policy_check::{PolicyKind, Validator};

use crate::cli::Facts;
use crate::error::CliError;
use crate::input;
use crate::terminal::Terminal;

/// Reads the snapshot at a path, or on standard input for `-`, compiles it, and asks it.
pub(super) fn ask<T>(
    path: &Path,
    terminal: &mut Terminal,
    question: impl FnOnce(&Snapshot, &Evaluator<'_>, &mut Terminal) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let (snapshot, diagnostics) = input::read_snapshot(path)?;
    terminal.diagnostics(&diagnostics);
    let (index, diagnostics) = SnapshotIndex::new(&snapshot);
    terminal.diagnostics(&diagnostics);
    question(&snapshot, &Evaluator::new(&index), terminal)
}

/// Tells of an action that AWS does not publish: the answer to a slip of the pen looks like any other.
pub(super) fn tell_unknown_action(action: &str, terminal: &mut Terminal) -> Result<(), CliError> {
    let text = |key: &str, value: &str| (key.to_owned(), Value::text(value));
    let statement = vec![text("Effect", "Allow"), text("Action", action), text("Resource", "*")];
    let policy =
        vec![text("Version", "2012-10-17"), ("Statement".to_owned(), Value::Array(vec![Value::Object(statement)]))];
    let source = SourceText { name: SourceName::new("the question"), text: Value::Object(policy).to_compact() };
    let catalog = crate::catalog::embedded()?;
    let found = Validator::new(&catalog).check(&parse(&source).0, PolicyKind::Identity, &source);
    for one in found.iter().filter(|one| [Code::UnknownAction, Code::UnknownService].contains(&one.code)) {
        let hint = one.hint.as_deref().map(|hint| format!("; {hint}")).unwrap_or_default();
        terminal.warn(&format!("{}{hint}", one.message));
    }
    Ok(())
}

/// A caller by ARN, service name or `anonymous`, or a role or user of the snapshot by its name alone.
pub(super) fn principal(text: &str, evaluator: &Evaluator<'_>) -> Result<Principal, CliError> {
    let unknown = || {
        CliError::user(format!("`{text}` is no principal of the snapshot"))
            .hint("give an ARN, the name of a role or user, a service such as `lambda.amazonaws.com`, or `anonymous`")
    };
    if let Ok(principal) = Principal::parse(text) {
        return Ok(principal);
    }
    let mut named = evaluator.principals().filter(|arn| arn.name() == text);
    match (named.next(), named.next()) {
        (Some(arn), None) => Principal::parse(arn.as_str()).map_err(|_| unknown()),
        (Some(_), Some(_)) => {
            Err(CliError::user(format!("`{text}` names several roles or users")).hint("give the ARN"))
        }
        (None, _) => Err(unknown()),
    }
}

/// A request from arguments.
pub(super) fn request(principal: Principal, action: &str, resource: &str, facts: &Facts) -> Result<Request, CliError> {
    Ok(Request {
        principal,
        action: action.parse().map_err(|e: iam_model::action::ActionError| CliError::user(e.to_string()))?,
        resource: resource.parse().map_err(|e: iam_model::arn::ArnError| CliError::user(e.to_string()))?,
        resource_account: None,
        context: context(facts)?,
    })
}

fn context(facts: &Facts) -> Result<Context, CliError> {
    let mut context = if facts.complete { Context::complete() } else { Context::open() };
    let mut given: Vec<(ConditionKey, Vec<String>)> = Vec::new();
    for fact in &facts.context {
        let Some((key, value)) = fact.split_once('=') else {
            return Err(CliError::user(format!("`{fact}` is not KEY=VALUE")).hint("such as aws:SourceIp=192.0.2.1"));
        };
        let key = ConditionKey::new(key);
        match given.iter_mut().find(|(known, _)| *known == key) {
            Some((_, values)) => values.push(value.into()),
            None => given.push((key, vec![value.into()])),
        }
    }
    for (key, values) in given {
        context.set(key, values);
    }
    Ok(context)
}

/// A decision as one JSON object.
pub(super) fn to_json(id: &str, decision: &Decision) -> Value {
    let text = |key: &str, value: &str| (key.to_owned(), Value::text(value));
    Value::Object(vec![
        text("id", id),
        text("decision", decision.outcome.as_str()),
        ("because".into(), Value::Array(because(decision, &|_| Vec::new()))),
    ])
}

/// The reasons of a decision; `more` adds what else is known of a statement.
pub(super) fn because(decision: &Decision, more: &dyn Fn(&StatementRef) -> Vec<(String, Value)>) -> Vec<Value> {
    let text = |key: &str, value: &str| (key.to_owned(), Value::text(value));
    let mut because: Vec<Value> = decision.because.iter().map(|at| statement(at, more(at))).collect();
    because.extend(decision.rules.iter().map(|rule| Value::Object(vec![text("rule", rule.as_str())])));
    match &decision.outcome {
        Outcome::Unknown(unknowns) => {
            because.extend(unknowns.keys.iter().map(|key| Value::Object(vec![text("unknown_key", key.as_str())])));
            because.extend(unknowns.elements.iter().map(|what| Value::Object(vec![text("unknown", what)])));
        }
        Outcome::ImplicitDeny => {
            let silent = decision.layers.applicable().filter(|(_, said)| *said == LayerOutcome::ImplicitDeny);
            because.extend(
                silent.map(|(layer, said)| {
                    Value::Object(vec![text("layer", layer.as_str()), text("says", said.as_str())])
                }),
            );
        }
        Outcome::Allow | Outcome::ExplicitDeny => {}
    }
    because
}

fn statement(at: &StatementRef, more: Vec<(String, Value)>) -> Value {
    let number = |key: &str, value: usize| (key.to_owned(), Value::Number(value.to_string()));
    let mut members = vec![
        ("layer".into(), Value::text(at.layer.as_str())),
        number("level", at.level),
        number("policy", at.policy),
        number("statement", at.statement),
    ];
    members.extend(more);
    Value::Object(members)
}
