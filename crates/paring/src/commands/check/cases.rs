//! `paring check --cases`: many checks from one file, on all cores, a JSON line for each.

use std::path::Path;

use iam_evaluate::permission_set::Limits;
use iam_model::json::{self, Limits as JsonLimits, Node, Value};
use iam_model::policy::from_json;
use iam_model::text::{SourceName, SourceText};
use iam_verify::no_public::ResourceType;
use iam_verify::outcome::Outcome as Verdict;
use iam_verify::{adds_nothing, no_public, not_granted};

use super::{access_of, reason};
use crate::commands::Outcome;
use crate::error::CliError;
use crate::report::verdict::counterexample;
use crate::terminal::Terminal;
use crate::{batch, input};

/// What became of one line.
struct Checked {
    line: Result<String, String>,
    agrees: Option<bool>,
}

/// Checks every case of a JSON Lines file. A case that cannot be read is named; it passes nothing.
pub(super) fn run(path: &Path, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let source = input::read_text(path)?;
    let (mut count, mut agree, mut disagree, mut unreadable) = (0_usize, 0_usize, 0_usize, 0_usize);
    batch::lines(&source.text, check, |checked| {
        count += 1;
        match checked.agrees {
            Some(true) => agree += 1,
            Some(false) => disagree += 1,
            None => {}
        }
        match checked.line {
            Ok(line) => terminal.data(&line),
            Err(why) => {
                unreadable += 1;
                terminal.refused("error", &format!("{}:{why}", source.name), None);
                Ok(())
            }
        }
    })?;
    if count == 0 {
        return Err(CliError::user(format!("`{}` holds no case", source.name)).hint("give a JSON object per line"));
    }
    terminal.note(&format!("{count} cases, {agree} agree, {disagree} disagree"));
    if unreadable > 0 {
        return Err(CliError::user(format!("{unreadable} of {count} cases could not be read")));
    }
    Ok(if disagree == 0 { Outcome::Clean } else { Outcome::Findings })
}

fn check(number: usize, line: &str) -> Checked {
    let unread = |what: String| Checked { line: Err(format!("{number}: {what}")), agrees: None };
    let arena = json::Arena::for_text(line.len());
    let node = match json::parse(&arena, line, JsonLimits::FILE) {
        Ok(node) => node,
        Err(error) => return unread(error.to_string()),
    };
    match verdict(&node) {
        Ok(verdict) => {
            let expected = node.get("expected").and_then(Node::as_str);
            let agrees = expected.map(|expected| expected == result(&verdict));
            Checked { line: Ok(format!("{}\n", line_of(&node, &verdict).to_compact())), agrees }
        }
        Err(what) => unread(what),
    }
}

fn verdict(node: &Node<'_>) -> Result<Verdict, String> {
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
            Ok(not_granted::check(&new, &access_of(access)?, Limits::default()).outcome)
        }
        Some("no_public_access") => {
            let given = node.get("resource_type").and_then(Node::as_str);
            let resource_type = given.map(str::parse::<ResourceType>).transpose().map_err(|e| e.to_string())?;
            Ok(no_public::check(&new, resource_type, Limits::default()).outcome)
        }
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
