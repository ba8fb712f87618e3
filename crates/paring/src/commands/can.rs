//! `paring can`: whether a principal may do an action, layer by layer, with the statements that decide.

use iam_evaluate::{Decision, Evaluator, Layer, LayerOutcome, Outcome as Answer, Request, StatementRef};
use iam_model::control::ControlId;
use iam_model::json::Value;
use iam_model::policy::Effect;
use iam_model::snapshot::Snapshot;

use super::quote::Quote;
use super::{Outcome, request};
use crate::cli::{Can, Format};
use crate::error::CliError;
use crate::terminal::{Paint, Terminal};

/// Runs the command.
pub(crate) fn run(arguments: &Can, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let question = &arguments.question;
    request::tell_unknown_action(&question.action, terminal)?;
    request::ask(&question.snapshot, terminal, |snapshot, evaluator, terminal| {
        let principal = request::principal(&arguments.principal, evaluator)?;
        let request = request::request(principal, &question.action, &question.resource, &question.facts)?;
        let decision = evaluator.decide_request(&request);
        let asked = Asked { snapshot, evaluator, request: &request, decision: &decision };
        terminal.data(&match question.format {
            Format::Text => terminal.paint().clean(&asked.text(terminal.paint())),
            Format::Json => asked.json().to_pretty(),
        })?;
        Ok(if decision.outcome.is_allow() { Outcome::Clean } else { Outcome::Findings })
    })
}

/// A request and what was decided.
struct Asked<'a> {
    snapshot: &'a Snapshot,
    evaluator: &'a Evaluator<'a>,
    request: &'a Request,
    decision: &'a Decision,
}

impl Asked<'_> {
    fn text(&self, paint: Paint) -> String {
        let Request { principal, action, resource, .. } = self.request;
        let answer = match &self.decision.outcome {
            Answer::Allow => paint.green("yes"),
            Answer::ExplicitDeny => format!("{}, a statement denies it", paint.red("no")),
            Answer::ImplicitDeny => format!("{}, nothing that must allow it does", paint.red("no")),
            Answer::Unknown(_) => paint.yellow("not known"),
        };
        let mut text = format!("{answer}: {principal} {action} {resource}\n");
        for (layer, said) in self.decision.layers.applicable() {
            text.push_str(&format!("  {:<26}{}\n", layer.as_str(), in_words(said)));
        }
        for rule in &self.decision.rules {
            text.push_str(&format!("  {:<26}{}\n", "rule of AWS", rule.as_str()));
        }
        if let Answer::Unknown(unknowns) = &self.decision.outcome {
            text.push_str("\nwhat would decide it:\n");
            for key in &unknowns.keys {
                text.push_str(&format!("  {key}: say --context {key}=VALUE, or --complete if the request has none\n"));
            }
            for element in &unknowns.elements {
                text.push_str(&format!("  {element}\n"));
            }
        }
        for at in &self.decision.because {
            text.push_str(&self.quoted(at));
        }
        text
    }

    /// One statement: what it does, where it stands, then its text.
    fn quoted(&self, at: &StatementRef) -> String {
        let Some(quote) = Quote::of(self.snapshot, self.evaluator, self.request, at) else { return String::new() };
        let open = matches!(self.decision.outcome, Answer::Unknown(_));
        let does = match (at.effect, open) {
            (Effect::Allow, false) => "allows it",
            (Effect::Allow, true) => "may allow it",
            (Effect::Deny, false) => "denies it",
            (Effect::Deny, true) => "may deny it",
            (Effect::Unknown, _) => "may allow or deny it",
        };
        let (number, of) = (at.statement + 1, quote.of);
        let policy = match at.layer {
            // Named by kind and level already.
            Layer::ServiceControl | Layer::ResourceControl => quote.policy.clone(),
            layer => format!("{layer} `{}`", quote.policy),
        };
        let mut text = format!("\n{policy}, statement {number} of {of}, {does}\n");
        if let Some((name, position)) = &quote.place {
            text.push_str(&format!("  at {name}:{position}\n"));
        }
        if let Some(control) = &quote.control {
            let ids: Vec<&str> = control.ids.iter().map(ControlId::as_str).collect();
            let title = control.title.map(|title| format!(": {title}")).unwrap_or_default();
            text.push_str(&format!("  AWS Control Tower's {}{title}\n", ids.join(", ")));
        }
        for (number, line) in &quote.lines {
            let number = number.map(|number| number.to_string()).unwrap_or_default();
            text.push_str(&format!("  {number:>5} | {line}\n"));
        }
        text
    }

    fn json(&self) -> Value {
        let text = |key: &str, value: &str| (key.to_owned(), Value::text(value));
        let layers = self.decision.layers.applicable().map(|(layer, said)| text(layer.as_str(), said.as_str()));
        let because = request::because(self.decision, &|at| {
            let Some(quote) = Quote::of(self.snapshot, self.evaluator, self.request, at) else { return Vec::new() };
            let mut members = vec![text("name", &quote.policy)];
            if let Some(control) = &quote.control {
                let ids = control.ids.iter().map(|id| Value::text(id.as_str())).collect();
                members.push(("controls".into(), Value::Array(ids)));
            }
            if let Some((source, position)) = quote.place {
                members.push(text("file", source.as_str()));
                members.push(("line".into(), Value::Number(position.line.to_string())));
                members.push(("column".into(), Value::Number(position.column.to_string())));
            }
            members
        });
        Value::Object(vec![
            text("schema", "paring-decision/1"),
            text("principal", &self.request.principal.to_string()),
            text("action", self.request.action.as_str()),
            text("resource", self.request.resource.as_str()),
            text("decision", self.decision.outcome.as_str()),
            ("layers".into(), Value::Object(layers.collect())),
            ("because".into(), Value::Array(because)),
        ])
    }
}

const fn in_words(said: LayerOutcome) -> &'static str {
    match said {
        LayerOutcome::Allow => "allows it",
        LayerOutcome::ExplicitDeny => "denies it",
        LayerOutcome::ImplicitDeny => "has no statement that allows it",
        LayerOutcome::Unknown => "depends on what is not known",
        LayerOutcome::NotApplicable => "does not apply",
    }
}
