//! `paring who-can`: which principals may do an action on a resource, which may under conditions, and what is not known.
//!
//! Asks about every role and user of the snapshot, about whomever the resource's own policy names, and about strangers.

use std::collections::BTreeSet;

use iam_evaluate::{Evaluator, Layer, Outcome as Answer, Principal, Request, StatementRef, Unknowns};
use iam_model::json::Value;
use iam_model::policy::{Effect, PrincipalElement, PrincipalPattern};
use iam_model::text::Span;

use super::{Outcome, request};
use crate::cli::{Format, Question, WhoCan};
use crate::error::CliError;
use crate::terminal::Terminal;

/// Whom and what an answer leaves out.
const NOT_ASKED: &str = "callers of other accounts that the resource's policy does not name, and what session policies \
                         and VPC endpoints would take away";

/// Runs the command.
pub(crate) fn run(arguments: &WhoCan, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let question = &arguments.question;
    request::tell_unknown_action(&question.action, terminal)?;
    request::ask(&question.snapshot, terminal, |_, evaluator, terminal| {
        let found = search(question, evaluator)?;
        terminal.data(&match question.format {
            Format::Text => terminal.paint().clean(&found.text()),
            Format::Json => found.json().to_pretty(),
        })?;
        let Found { allowed, conditional, unknown, .. } = &found;
        terminal.note(&format!("{} may, {} perhaps", allowed.len(), conditional.len() + unknown.len()));
        Ok(Outcome::Clean)
    })
}

/// The answers, by kind.
struct Found {
    action: String,
    resource: String,
    allowed: Vec<String>,
    /// Those whom context keys decide.
    conditional: Vec<(String, Unknowns)>,
    /// Those about whom more than context keys is not known.
    unknown: Vec<(String, Unknowns)>,
}

fn search(question: &Question, evaluator: &Evaluator<'_>) -> Result<Found, CliError> {
    let request =
        |principal: Principal| request::request(principal, &question.action, &question.resource, &question.facts);
    let anyone = request(Principal::Anonymous)?;
    let mut callers: BTreeSet<Principal> = named(evaluator, &anyone).collect();
    callers.extend(evaluator.principals().filter_map(|arn| Principal::parse(arn.as_str()).ok()));
    callers.insert(Principal::Anonymous);
    let mut found = Found {
        action: anyone.action.to_string(),
        resource: anyone.resource.to_string(),
        allowed: Vec::new(),
        conditional: Vec::new(),
        unknown: Vec::new(),
    };
    for caller in callers {
        let name = match &caller {
            Principal::Anonymous => "anyone, without signing in".to_owned(),
            Principal::Root(account) => format!("account {account}: its root user, and whomever it lets"),
            caller => caller.to_string(),
        };
        match evaluator.decide_request(&request(caller)?).outcome {
            Answer::Allow => found.allowed.push(name),
            Answer::Unknown(unknowns) if unknowns.elements.is_empty() => found.conditional.push((name, unknowns)),
            Answer::Unknown(unknowns) => found.unknown.push((name, unknowns)),
            Answer::ExplicitDeny | Answer::ImplicitDeny => {}
        }
    }
    Ok(found)
}

/// Whom the policy of the resource names: services, and principals of other accounts.
fn named(evaluator: &Evaluator<'_>, request: &Request) -> impl Iterator<Item = Principal> {
    let at = StatementRef {
        layer: Layer::Resource,
        level: 0,
        policy: 0,
        statement: 0,
        effect: Effect::Allow,
        span: Span::default(),
    };
    let statements = evaluator.policy(request, &at).map_or(&[][..], |place| &place.document.statements);
    let allowing = statements.iter().filter(|statement| statement.effect == Effect::Allow);
    let patterns = allowing.filter_map(|statement| match &statement.principal {
        Some(PrincipalElement::Principal(patterns)) => Some(patterns),
        _ => None,
    });
    patterns.flatten().filter_map(|pattern| match &pattern.value {
        PrincipalPattern::Aws(text) | PrincipalPattern::Service(text) | PrincipalPattern::Federated(text) => {
            Principal::parse(text).ok()
        }
        _ => None,
    })
}

impl Found {
    fn text(&self) -> String {
        let mut text = format!("{} {}\n", self.action, self.resource);
        let mut group = |title: &str, lines: Vec<String>| {
            if !lines.is_empty() {
                text.push_str(&format!("\n{title}\n"));
                lines.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
            }
        };
        group("may:", self.allowed.clone());
        let open = |list: &[(String, Unknowns)]| {
            list.iter()
                .map(|(name, unknowns)| {
                    let keys = unknowns.keys.iter().map(ToString::to_string);
                    let needs: Vec<String> = keys.chain(unknowns.elements.iter().cloned()).collect();
                    format!("{name}\n      {}", needs.join("\n      "))
                })
                .collect()
        };
        group("may, depending on these context keys:", open(&self.conditional));
        group("not known, since it depends on:", open(&self.unknown));
        if self.allowed.is_empty() && self.conditional.is_empty() && self.unknown.is_empty() {
            text.push_str("\nnobody\n");
        }
        text.push_str(&format!("\nnot asked: {NOT_ASKED}\n"));
        text
    }

    fn json(&self) -> Value {
        let text = |key: &str, value: &str| (key.to_owned(), Value::text(value));
        let texts = |list: Vec<String>| Value::Array(list.into_iter().map(Value::text).collect());
        let open = |list: &[(String, Unknowns)]| {
            let entry = |(name, unknowns): &(String, Unknowns)| {
                Value::Object(vec![
                    text("principal", name),
                    ("keys".into(), texts(unknowns.keys.iter().map(ToString::to_string).collect())),
                    ("unknown".into(), texts(unknowns.elements.clone())),
                ])
            };
            Value::Array(list.iter().map(entry).collect())
        };
        Value::Object(vec![
            text("schema", "paring-who-can/1"),
            text("action", &self.action),
            text("resource", &self.resource),
            ("allowed".into(), texts(self.allowed.clone())),
            ("conditional".into(), open(&self.conditional)),
            ("not_known".into(), open(&self.unknown)),
            text("not_asked", NOT_ASKED),
        ])
    }
}
