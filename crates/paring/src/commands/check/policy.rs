//! `paring check policy`: validation of policy files, on all cores.
//!
//! Finds the documents in the files and prints what validation says of each; no rule is known here.

use std::path::PathBuf;

use iam_model::diagnostic::{Diagnostic, Severity};
use iam_model::json::{self, Limits, Node, Value};
use iam_model::policy::{PolicyDocument, from_json, parse};
use iam_model::text::SourceText;
use iam_verify::policy_check::{PolicyKind, Validator};
use rayon::prelude::*;

use crate::cli::{CheckPolicy, FindingsFormat, Threshold};
use crate::commands::Outcome;
use crate::error::CliError;
use crate::input;
use crate::report::{counted, sarif};
use crate::terminal::{Paint, Terminal};

/// The schema name of the findings.
const SCHEMA: &str = "paring-policy-findings/1";

/// What is validated, and how it is told.
pub(in crate::commands) struct Validation<'a> {
    /// Policy files and folders.
    pub(in crate::commands) files: &'a [PathBuf],
    /// What all of them are.
    pub(in crate::commands) kind: Option<PolicyKind>,
    /// What a policy is taken for where that is not said.
    pub(in crate::commands) guess: fn(&PolicyDocument) -> PolicyKind,
    pub(in crate::commands) format: FindingsFormat,
    pub(in crate::commands) fail_on: Threshold,
}

/// Runs the command.
pub(super) fn run(arguments: &CheckPolicy, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let CheckPolicy { files, kind, format, fail_on } = arguments;
    let (format, fail_on) = (*format, *fail_on);
    validate_all(&Validation { files, kind: kind.map(Into::into), guess: PolicyKind::guess, format, fail_on }, terminal)
}

/// Validates every file.
pub(in crate::commands) fn validate_all(
    arguments: &Validation<'_>,
    terminal: &mut Terminal,
) -> Result<Outcome, CliError> {
    let catalog = crate::catalog::embedded()?;
    let validator = Validator::new(&catalog);
    let files = policy_files(arguments.files)?;
    let one = |path: &PathBuf| input::read_text(path).map(|source| validate(&source, arguments, &validator));
    let found: Vec<Diagnostic> =
        files.par_iter().map(one).collect::<Result<Vec<_>, CliError>>()?.into_iter().flatten().collect();
    let text = match arguments.format {
        FindingsFormat::Text => text(&found, files.len(), terminal.paint()),
        FindingsFormat::Json => json_text(&found),
        FindingsFormat::Sarif => sarif::render(sarif::of_diagnostics(&found)),
    };
    terminal.data(&text)?;
    let severe = found.iter().any(|one| arguments.fail_on.is_met_by(one.severity));
    Ok(if severe { Outcome::Findings } else { Outcome::Clean })
}

/// The files named, and the JSON files below the folders named.
pub(in crate::commands) fn policy_files(named: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let mut files = Vec::new();
    for path in named {
        if path.is_dir() {
            files.extend(input::files_with_extension(path, "json")?);
        } else {
            files.push(path.clone());
        }
    }
    if files.is_empty() {
        return Err(CliError::user("there is no policy to check").hint("give files, or folders with .json files"));
    }
    Ok(files)
}

fn validate(source: &SourceText, arguments: &Validation<'_>, validator: &Validator<'_>) -> Vec<Diagnostic> {
    let (document, mut found) = document(source);
    let kind = arguments.kind.unwrap_or_else(|| (arguments.guess)(&document));
    found.extend(validator.check(&document, kind, source));
    found
}

/// The policy of a file: the file itself, or where the AWS CLI's output or a template's resource holds one.
pub(in crate::commands) fn document(source: &SourceText) -> (PolicyDocument, Vec<Diagnostic>) {
    const WITHIN: &[&[&str]] = &[
        &["PolicyVersion", "Document"],
        &["PolicyDocument"],
        &["AssumeRolePolicyDocument"],
        &["Policy", "Content"],
        &["Policy"],
        &["Role", "AssumeRolePolicyDocument"],
        &["Document"],
    ];
    let arena = json::Arena::for_text(source.text.len());
    if let Ok(root) = json::parse(&arena, &source.text, Limits::FILE)
        && root.get("Statement").is_none()
    {
        let at = |path: &&&[&str]| path.iter().try_fold(&root, |node, key| node.get(key)).is_some();
        if let Some(path) = WITHIN.iter().find(at)
            && let Some(node) = path.iter().try_fold(&root, |node: &Node<'_>, key| node.get(key))
        {
            return from_json(node, source, &path.join("."));
        }
    }
    parse(source)
}

fn text(found: &[Diagnostic], files: usize, paint: Paint) -> String {
    let mut out = String::new();
    for one in found {
        let head = format!("{}[{}]", one.severity.as_str(), one.code);
        let head = match one.severity {
            Severity::Error => paint.red(&head),
            Severity::Warning => paint.yellow(&head),
            Severity::Note => paint.dim(&head),
        };
        out.push_str(&format!("{head}: {}: {}\n", one.place, one.message));
        if let Some(hint) = &one.hint {
            out.push_str(&format!("  hint: {hint}\n"));
        }
    }
    let count = |severity: Severity| found.iter().filter(|one| one.severity == severity).count();
    let (errors, warnings, notes) = (count(Severity::Error), count(Severity::Warning), count(Severity::Note));
    out.push_str(&format!(
        "{}: {}, {}, {}\n",
        counted(files, "policy", "policies"),
        counted(errors, "error", "errors"),
        counted(warnings, "warning", "warnings"),
        counted(notes, "note", "notes")
    ));
    paint.clean(&out)
}

fn json_text(found: &[Diagnostic]) -> String {
    let finding = |one: &Diagnostic| {
        let text = |key: &str, value: &str| (key.to_owned(), Value::text(value));
        let mut members = vec![
            text("code", one.code.as_str()),
            text("severity", one.severity.as_str()),
            text("file", one.place.source.as_str()),
        ];
        if let Some(at) = one.place.position {
            members.push(("line".into(), Value::Number(at.line.to_string())));
            members.push(("column".into(), Value::Number(at.column.to_string())));
        }
        members.push(text("message", &one.message));
        members.extend(one.hint.as_ref().map(|hint| text("hint", hint)));
        Value::Object(members)
    };
    let members = vec![
        ("schema".to_owned(), Value::text(SCHEMA)),
        ("findings".to_owned(), Value::Array(found.iter().map(finding).collect())),
    ];
    Value::Object(members).to_pretty()
}
