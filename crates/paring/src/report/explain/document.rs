//! Why each statement of a resource's policy stays, gets narrower or goes: for people, and as `paring-explanation/1`.
//!
//! Renders; decides nothing.

use iam_model::json::Value;
use iam_model::policy::{Effect, PolicyDocument, PrincipalElement, PrintStyle, Statement, document_value, print};
use iam_synthesize::{Fate, StatementFate};

use super::text::{actions, resources};
use crate::terminal::Paint;

/// Everything there is to say about one policy.
pub(crate) struct DocumentExplanation {
    pub(crate) subject: String,
    /// What the policy decides, in words.
    pub(crate) what: &'static str,
    pub(crate) window: Option<(String, String)>,
    /// Days that the logs span.
    pub(crate) days: u64,
    pub(crate) statements: Vec<Explained>,
    /// What is wider than it looks, and why it stays.
    pub(crate) left_alone: Vec<String>,
    /// The policy as it would be, where it changes; empty where it goes.
    pub(crate) after: Option<PolicyDocument>,
}

/// A statement of the policy as it is, and what becomes of it.
pub(crate) struct Explained {
    pub(crate) statement: Statement,
    pub(crate) fate: StatementFate,
}

impl Explained {
    /// How it is known that the statement is used.
    fn grade(&self) -> &'static str {
        let calls = self.fate.evidence.iter().any(|line| !line.starts_with("arn:"));
        match self.fate.fate {
            Fate::Open => "retained",
            Fate::Dropped => "unseen",
            Fate::Stays if self.fate.evidence.is_empty() => "not-judged",
            Fate::Stays | Fate::Narrowed if calls => "observed",
            Fate::Stays | Fate::Narrowed => "shown-by-snapshot",
        }
    }
}

const fn in_words(fate: Fate) -> &'static str {
    match fate {
        Fate::Stays => "stays as it is",
        Fate::Narrowed => "narrowed",
        Fate::Dropped => "goes",
        Fate::Open => "stays, as nobody can tell",
    }
}

/// The explanation for people.
pub(crate) fn text(explanation: &DocumentExplanation, paint: Paint) -> String {
    let mut out = format!("{}: {}\n", paint.bold(&explanation.subject), explanation.what);
    let window = explanation.window.as_ref().map(|(first, last)| format!(", {first} to {last}")).unwrap_or_default();
    out.push_str(&format!("  logs of {} days{window}\n", explanation.days));
    for (number, one) in explanation.statements.iter().enumerate() {
        let sid = one.statement.sid.as_ref().map(|sid| format!(" `{sid}`")).unwrap_or_default();
        let head = paint.bold(&format!("{}.{sid} {}", number + 1, in_words(one.fate.fate)));
        out.push_str(&format!("\n{head}\n  {} {}\n", verb(&one.statement), actions(&one.statement)));
        for resource in resources(&one.statement) {
            out.push_str(&format!("  on {resource}\n"));
        }
        for principal in principals(&one.statement) {
            out.push_str(&format!("  for {principal}\n"));
        }
        let mut row =
            |label: &str, line: &str| out.push_str(&format!("  {} {line}\n", paint.dim(&format!("{label:<18}"))));
        row("grade", one.grade());
        one.fate.because.iter().for_each(|line| row("because", line));
        one.fate.evidence.iter().for_each(|line| row("evidence", line));
    }
    let of_statements = |line: &&String| !explanation.statements.iter().any(|one| one.fate.because.contains(line));
    let rest: Vec<&String> = explanation.left_alone.iter().filter(of_statements).collect();
    if !rest.is_empty() {
        out.push('\n');
        rest.iter().for_each(|line| out.push_str(&format!("  {}\n", paint.yellow(line))));
    }
    match &explanation.after {
        Some(after) if after.statements.is_empty() => out.push_str("\nAfter: no policy\n"),
        Some(after) => out.push_str(&format!("\nAfter\n{}\n", print(after, PrintStyle::Pretty).trim_end())),
        None => {}
    }
    paint.clean(&out)
}

const fn verb(statement: &Statement) -> &'static str {
    match statement.effect {
        Effect::Allow => "allow",
        Effect::Deny => "deny",
        Effect::Unknown => "not understood:",
    }
}

fn principals(statement: &Statement) -> Vec<String> {
    let (but, all) = match &statement.principal {
        Some(PrincipalElement::Principal(all)) => ("", all),
        Some(PrincipalElement::NotPrincipal(all)) => ("everyone but ", all),
        None => return Vec::new(),
    };
    all.iter().map(|principal| format!("{but}{}", principal.value.text())).collect()
}

/// The explanation for programs.
pub(crate) fn json(explanation: &DocumentExplanation) -> String {
    let texts = |lines: &[String]| Value::Array(lines.iter().map(Value::text).collect());
    let member = |key: &str, value: Value| (key.to_owned(), value);
    let one = |(number, one): (usize, &Explained)| {
        Value::Object(vec![
            member("number", Value::number(number as u64 + 1)),
            member("statement", document_value(&PolicyDocument::new(vec![one.statement.clone()]))),
            member("fate", Value::text(one.fate.fate.as_str())),
            member("grade", Value::text(one.grade())),
            member("because", texts(&one.fate.because)),
            member("evidence", texts(&one.fate.evidence)),
        ])
    };
    let window = explanation.window.as_ref();
    Value::Object(vec![
        member("schema", Value::text(super::json::SCHEMA)),
        member("resource", Value::text(&explanation.subject)),
        member("days", Value::number(explanation.days)),
        member("first", window.map_or(Value::Null, |(first, _)| Value::text(first))),
        member("last", window.map_or(Value::Null, |(_, last)| Value::text(last))),
        member("statements", Value::Array(explanation.statements.iter().enumerate().map(one).collect())),
        member("left_alone", texts(&explanation.left_alone)),
        member("after", explanation.after.as_ref().map_or(Value::Null, document_value)),
    ])
    .to_pretty()
}
