//! `paring guard replay`: saved requests against a guardrail or a whole organisation, on all cores, a JSON line for each.
//!
//! Finds the guardrail of each case and compares with what the case expects; what a guardrail says is decided elsewhere.

mod library;

use iam_evaluate::guardrail::{GuardrailCase, Organization, Ruling};
use iam_model::arn::AccountId;
use iam_model::control::ControlStatement;
use iam_model::diagnostic::{Code, Diagnostic, Place};
use iam_model::json::{Arena, Value};
use iam_model::text::SourceText;

use crate::cli::GuardReplay;
use crate::commands::Outcome;
use crate::error::CliError;
use crate::terminal::Terminal;
use crate::{batch, input};
use library::Library;

/// Cases that are not as expected are shown up to this many; all are counted.
const SHOWN: usize = 24;

/// What the cases meet.
enum Guards {
    Library(Library),
    Organization(Box<Organization>),
}

/// What became of one case.
struct Replayed {
    line: Result<String, String>,
    /// What was expected and found, where they differ; nothing where the case expects nothing.
    agrees: Option<Result<(), String>>,
}

/// Runs the command.
pub(super) fn run(arguments: &GuardReplay, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let guards = match (&arguments.organization, &arguments.policy) {
        (Some(path), _) => Guards::Organization(Box::new(organization(&input::read_text(path)?, terminal)?)),
        (None, Some(path)) => Guards::Library(Library::open(path, arguments.kind.map(Into::into), terminal)?),
        (None, None) => return Err(CliError::user("there is no guardrail to ask; give --policy or --organization")),
    };
    let management = arguments.management_account.as_deref().map(account).transpose()?;
    let (mut count, mut agree, mut disagree, mut unreadable) = (0_usize, 0_usize, 0_usize, 0_usize);
    let name = input::source_name(&arguments.cases);
    let replay = |_: usize, line: &str| replay(&guards, management.as_ref(), line);
    batch::stream(&arguments.cases, replay, |number, replayed| {
        count += 1;
        match replayed.agrees {
            Some(Ok(())) => agree += 1,
            Some(Err(how)) => {
                disagree += 1;
                if disagree <= SHOWN {
                    terminal.refused("disagrees", &format!("{name}:{number}: {how}"), None);
                }
            }
            None => {}
        }
        match replayed.line {
            Ok(line) => terminal.data(&line),
            Err(why) => {
                unreadable += 1;
                if unreadable <= SHOWN {
                    terminal.refused("error", &format!("{name}:{number}{why}"), None);
                }
                Ok(())
            }
        }
    })?;
    if let Guards::Library(library) = guards {
        library.tell(terminal);
    }
    terminal.note(&format!("{count} cases, {agree} agree, {disagree} disagree"));
    if unreadable > 0 {
        return Err(CliError::user(format!("{unreadable} of {count} cases could not be decided")));
    }
    Ok(if disagree == 0 { Outcome::Clean } else { Outcome::Findings })
}

fn account(text: &str) -> Result<AccountId, CliError> {
    text.parse()
        .map_err(|_| CliError::user(format!("`{text}` is no account id")).hint("an account id has twelve digits"))
}

fn organization(source: &SourceText, terminal: &mut Terminal) -> Result<Organization, CliError> {
    match Organization::read(source) {
        Ok((organization, diagnostics)) => {
            terminal.diagnostics(&diagnostics);
            Ok(organization)
        }
        Err(error) => {
            let place = Place::at(source.name.clone(), &source.text, error.offset);
            terminal.diagnostics(&[Diagnostic::error(Code::FileUnreadable, place, error.to_string())]);
            Err(CliError::user(format!("`{}` is no organisation", source.name))
                .hint("it has `root`, `management_account`, `ous` and `accounts` with their `parent`, and `policies`"))
        }
    }
}

fn replay(guards: &Guards, management: Option<&AccountId>, line: &str) -> Replayed {
    let refused = |why: String| Replayed { line: Err(why), agrees: None };
    let case = match GuardrailCase::read_in(&mut Arena::for_text(line.len()), line) {
        Ok(case) => case,
        Err(error) => {
            let column = line.get(..error.offset).map_or(0, |before| before.chars().count()) + 1;
            return refused(format!(":{column}: {error}"));
        }
    };
    let answer = match guards {
        Guards::Library(library) => {
            library.decide(&case, management).map(|(ruling, controls)| Answer::of_ruling(&ruling).naming(&controls))
        }
        Guards::Organization(organization) => match organization.decide(&case) {
            Ok(judgement) => {
                let controls = judgement.policy.as_deref().map_or(&[][..], |policy| organization.controls(policy));
                Ok(Answer {
                    decided_by: Some(judgement.decided_by.clone()),
                    policy: judgement.policy.clone(),
                    ..Answer::of_ruling(judgement.ruling()).naming(controls)
                })
            }
            Err(error) => Err(error.to_string()),
        },
    };
    match answer {
        Ok(answer) => Replayed { agrees: answer.compare(&case), line: Ok(answer.line(&case.id)) },
        Err(why) => refused(format!(": {}: {why}", case.id)),
    }
}

/// What is printed of a decision.
struct Answer {
    decision: &'static str,
    statements: Vec<usize>,
    exempt: Option<&'static str>,
    unknown_keys: Vec<String>,
    unknown: Vec<String>,
    /// Of a whole organisation: the target that decides, if one does.
    decided_by: Option<Option<String>>,
    policy: Option<String>,
    /// The controls of AWS Control Tower that decide.
    controls: Vec<String>,
}

impl Answer {
    fn of_ruling(ruling: &Ruling) -> Self {
        // Of several policies that decide, the statements of the first, which is named beside them.
        let first = ruling.because.first().map(|at| (at.level, at.policy));
        let of_first = ruling.because.iter().filter(|at| Some((at.level, at.policy)) == first);
        Self {
            decision: ruling.as_str(),
            statements: of_first.map(|at| at.statement).collect(),
            exempt: ruling.exempt.map(iam_evaluate::guardrail::Exemption::as_str),
            unknown_keys: ruling.unknowns.keys.iter().map(ToString::to_string).collect(),
            unknown: ruling.unknowns.elements.clone(),
            decided_by: None,
            policy: None,
            controls: Vec::new(),
        }
    }

    /// The same, with the controls that the deciding statements carry out.
    fn naming(mut self, controls: &[ControlStatement]) -> Self {
        let decides = |one: &&ControlStatement| self.statements.contains(&one.statement);
        self.controls = controls.iter().filter(decides).flat_map(|one| &one.ids).map(ToString::to_string).collect();
        self
    }

    fn line(&self, id: &str) -> String {
        let number = |index: &usize| Value::Number(index.to_string());
        let texts = |texts: &[String]| Value::Array(texts.iter().map(Value::text).collect());
        let mut members = vec![
            ("id".to_owned(), Value::text(id)),
            ("decision".to_owned(), Value::text(self.decision)),
            ("statements".to_owned(), Value::Array(self.statements.iter().map(number).collect())),
        ];
        if let Some(by) = &self.decided_by {
            members.push(("decided_by".into(), by.as_ref().map_or(Value::Null, Value::text)));
        }
        members.extend(self.policy.as_ref().map(|policy| ("policy".into(), Value::text(policy))));
        if !self.controls.is_empty() {
            members.push(("controls".into(), texts(&self.controls)));
        }
        members.extend(self.exempt.map(|why| ("exempt".into(), Value::text(why))));
        if !self.unknown_keys.is_empty() {
            members.push(("unknown_keys".into(), texts(&self.unknown_keys)));
        }
        if !self.unknown.is_empty() {
            members.push(("unknown".into(), texts(&self.unknown)));
        }
        format!("{}\n", Value::Object(members).to_compact())
    }

    /// Whether all that the case expects is so.
    fn compare(&self, case: &GuardrailCase) -> Option<Result<(), String>> {
        let mut differ = Vec::new();
        let mut expects = false;
        let mut held = |what: &str, expected: &str, found: &str| {
            expects = true;
            if expected != found {
                differ.push(format!("{what}{expected} was expected, {found} found"));
            }
        };
        if let Some(expected) = &case.expect {
            held("", expected, self.decision);
        }
        if let Some(expected) = &case.statements {
            held("statements ", &format!("{expected:?}"), &format!("{:?}", self.statements));
        }
        if let (Some(expected), Some(found)) = (&case.decided_by, &self.decided_by) {
            let word = |by: &Option<String>| by.clone().unwrap_or_else(|| "nothing".into());
            held("decided by ", &word(expected), &word(found));
        }
        let told = if differ.is_empty() { Ok(()) } else { Err(format!("{}: {}", case.id, differ.join("; "))) };
        expects.then_some(told)
    }
}
