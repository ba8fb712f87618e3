//! `paring rules check`: every rule asked about an account as it stands, or about changes to it.

use std::collections::BTreeMap;

use iam_evaluate::Evaluator;
use iam_graph::AccessGraph;
use iam_model::change::Change;
use iam_model::json::Value;
use iam_model::snapshot::{Role, SnapshotIndex};
use iam_verify::guardrails::{
    GuardrailError, RuleSeverity, Violation, WaiverFinding, WaiverProblem, WaiverUse, review_waivers,
};
use iam_verify::keeps_used::{self, Replay, Replayed};
use iam_verify::obeys_guardrails::{self, State};
use iam_verify::outcome::{Claim, Outcome as Claimed};
use iam_verify::reach::everywhere;
use iam_verify::split::{SplitGrounds, verify_splits};
use iam_verify::verify::Verdict;
use rayon::prelude::*;

use crate::cli::{Format, RulesCheck};
use crate::commands::Outcome;
use crate::error::CliError;
use crate::judging::{self, ChangeFile, Ground};
use crate::report::objections;
use crate::rulebook;
use crate::terminal::{Paint, Terminal};

/// The schema name of the objections.
const SCHEMA: &str = "paring-objections/1";
/// The same for several files of changes.
const SCHEMA_OF_SEVERAL: &str = "paring-objections-of-several/1";

/// What the rules said.
struct Asked {
    violations: Vec<Violation>,
    not_asked: Vec<String>,
    /// Whether the changes are to blame; for an account as it stands, whether anything refutes.
    undecided: Option<String>,
    /// Objections that stood before the changes.
    stood: Vec<Violation>,
}

/// What was asked about: the account, or the changes of one file.
struct Answer {
    name: String,
    asked: Asked,
    stale: Vec<WaiverFinding>,
}

/// Runs the command.
pub(super) fn run(arguments: &RulesCheck, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let (files, unread) = judging::change_files(&arguments.changes, terminal)?;
    let ground = Ground::load(&arguments.snapshot, &arguments.judging, terminal)?;
    let (index, dangling) = SnapshotIndex::new(&ground.snapshot);
    terminal.diagnostics(&dangling);
    let rulebook = ground.rulebook();
    let answer = |name: &str, asked: Asked| {
        let stale = review_waivers(rulebook.guardrails, &ground.waivers, &asked.violations, ground.now);
        Answer { name: name.to_owned(), asked, stale }
    };
    let answers: Vec<Answer> = if arguments.changes.is_empty() {
        vec![answer("the account", account(&ground, &index)?)]
    } else {
        let before = iam_graph::build(&index, &[]);
        let evaluator = Evaluator::new(&index);
        let one = |file: &ChangeFile| answer(&file.name, changed(&ground, &index, (&before, &evaluator), file));
        files.par_iter().map(one).collect()
    };
    terminal.data(&render(arguments, &answers, &ground, terminal.paint()))?;
    let found = answers.iter().any(|answer| answer.is_found(arguments.fail_on.of_rules()));
    unread.end()?;
    Ok(if found { Outcome::Findings } else { Outcome::Clean })
}

impl Asked {
    /// What the rules say of one function's new role.
    fn add(&mut self, verdict: Verdict) {
        let obeys = verdict.claims.into_iter().find(|(claim, _)| *claim == Claim::ObeysGuardrails);
        if let Some((_, Claimed::Undecided { why })) = obeys {
            self.undecided.get_or_insert(why);
        }
        self.violations.extend(verdict.violations);
        self.stood.extend(verdict.stood);
        self.not_asked.extend(verdict.not_asked);
        for list in [&mut self.violations, &mut self.stood] {
            list.sort();
            list.dedup();
        }
        self.not_asked.sort();
        self.not_asked.dedup();
    }
}

impl Answer {
    /// Whether it holds something at least as grave.
    fn is_found(&self, fail_on: RuleSeverity) -> bool {
        let severe = |violation: &Violation| {
            violation.severity >= fail_on
                && !matches!(violation.waiver, WaiverUse::Waived { .. })
                && !self.asked.stood.contains(violation)
        };
        let stale = self.stale.iter().any(|finding| weight(finding.problem) >= fail_on);
        self.asked.violations.iter().any(severe) || stale || self.asked.undecided.is_some()
    }
}

fn render(arguments: &RulesCheck, answers: &[Answer], ground: &Ground, paint: Paint) -> String {
    match (arguments.format, answers) {
        (Format::Text, [one]) if arguments.changes.len() < 2 => text(one, ground, paint),
        (Format::Json, [one]) if arguments.changes.len() < 2 => json_value(one, ground).to_pretty(),
        (Format::Text, all) => {
            all.iter().map(|one| format!("{}\n{}\n", paint.bold(&one.name), text(one, ground, paint))).collect()
        }
        (Format::Json, all) => {
            let one = |answer: &Answer| {
                let Value::Object(mut members) = json_value(answer, ground) else { return Value::Null };
                members.insert(1, ("changes".into(), Value::text(&answer.name)));
                Value::Object(members)
            };
            let members = vec![
                ("schema".to_owned(), Value::text(SCHEMA_OF_SEVERAL)),
                ("answers".to_owned(), Value::Array(all.iter().map(one).collect())),
            ];
            Value::Object(members).to_pretty()
        }
    }
}

/// Asks about every role and function as they stand.
fn account(ground: &Ground, index: &SnapshotIndex<'_>) -> Result<Asked, CliError> {
    let graph = iam_graph::build(index, &[]);
    let visibility = ground.recorded();
    let evidence = ground.evidence(&visibility);
    let rulebook = ground.rulebook();
    let state = State::new(&rulebook, index, &graph, evidence, &ground.settings);
    let roles: Vec<&Role> = index.roles().collect();
    let judged: Result<Vec<Vec<Violation>>, GuardrailError> =
        roles.par_iter().map(|role| obeys_guardrails::judge_role(&role.identity.arn, &state)).collect();
    let mut violations: Vec<Violation> = judged.map_err(|e| rulebook::broken(&e))?.into_iter().flatten().collect();
    violations.extend(obeys_guardrails::judge_functions(&state).map_err(|e| rulebook::broken(&e))?);
    violations.sort();
    Ok(Asked { violations, not_asked: Vec::new(), undecided: None, stood: Vec::new() })
}

/// Asks about changes, against the account as it stands.
fn changed(
    ground: &Ground,
    index: &SnapshotIndex<'_>,
    (before, evaluator): (&AccessGraph, &Evaluator<'_>),
    file: &ChangeFile,
) -> Asked {
    let all = everywhere(&file.changes.iter().collect::<Vec<_>>(), index);
    let after = iam_graph::build(index, &all);
    let visibility = ground.recorded();
    let evidence = ground.evidence(&visibility);
    let rulebook = ground.rulebook();
    let state = |graph| State::new(&rulebook, index, graph, evidence, &ground.settings);
    let all: Vec<&Change> = all.iter().collect();
    let replayed = match &ground.usage {
        Some(usage) => {
            keeps_used::check(&all, index, evaluator, usage).with_unresolved(&all, index, (usage, &ground.catalog))
        }
        None => Replayed {
            outcome: Claimed::Undecided { why: "no logs were given".into() },
            total: Replay::default(),
            principals: BTreeMap::new(),
        },
    };
    let judged = obeys_guardrails::check(&all, &state(before), &state(&after), &replayed);
    let undecided = match judged.outcome {
        Claimed::Undecided { why } => Some(why),
        _ => None,
    };
    let mut asked =
        Asked { violations: judged.violations, not_asked: judged.not_asked, undecided, stood: judged.stood };
    if !file.splits.is_empty() {
        let grounds = SplitGrounds { index, rulebook: &rulebook, evidence, settings: &ground.settings };
        verify_splits(&file.splits, &grounds).into_iter().for_each(|part| asked.add(part.verdict));
    }
    asked
}

const fn weight(problem: WaiverProblem) -> RuleSeverity {
    match problem {
        WaiverProblem::Unused => RuleSeverity::Warning,
        WaiverProblem::UnknownRule | WaiverProblem::NotWaivable | WaiverProblem::Expired => RuleSeverity::Error,
    }
}

fn text(answer: &Answer, ground: &Ground, paint: Paint) -> String {
    let Answer { asked, stale, .. } = answer;
    let mut out = objections::render_text(asked.violations.iter(), &asked.stood, paint);
    for finding in stale {
        let Some(waiver) = ground.waivers.get(finding.waiver) else { continue };
        let word = weight(finding.problem);
        let what = finding.problem.as_str();
        out.push_str(&format!(
            "{} {}: {}: {what}: `{}` for {}, owner {}\n  hint: {}\n",
            paint.yellow(word.as_str()),
            paint.bold("stale-waiver"),
            waiver.place,
            waiver.rule,
            waiver.object,
            waiver.owner,
            finding.problem.hint()
        ));
    }
    out.extend(asked.undecided.iter().map(|why| format!("undecided: {why}\n")));
    out.extend(asked.not_asked.iter().map(|what| format!("not asked: {what}\n")));
    let waived = asked.violations.iter().filter(|v| matches!(v.waiver, WaiverUse::Waived { .. })).count();
    out.push_str(&format!(
        "{}, {waived} of them waived; {}\n",
        counted(asked.violations.len(), "objection"),
        counted(stale.len(), "stale waiver")
    ));
    paint.clean(&out)
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn json_value(answer: &Answer, ground: &Ground) -> Value {
    let Answer { asked, stale, .. } = answer;
    let violation = |one: &Violation| objections::value(one, &asked.stood);
    let waiver = |finding: &WaiverFinding| {
        let Some(waiver) = ground.waivers.get(finding.waiver) else { return Value::Null };
        let text = |key: &str, value: &str| (key.to_owned(), Value::text(value));
        Value::Object(vec![
            text("code", "stale-waiver"),
            text("severity", weight(finding.problem).as_str()),
            text("problem", finding.problem.as_str()),
            text("rule", waiver.rule.as_str()),
            text("object", &waiver.object),
            text("owner", &waiver.owner),
            text("ticket", &waiver.ticket),
            text("place", &waiver.place.to_string()),
        ])
    };
    let members = vec![
        ("schema".to_owned(), Value::text(SCHEMA)),
        ("objections".to_owned(), Value::Array(asked.violations.iter().map(violation).collect())),
        ("waivers".to_owned(), Value::Array(stale.iter().map(waiver).collect())),
        ("undecided".to_owned(), asked.undecided.as_ref().map_or(Value::Null, Value::text)),
        ("not_asked".to_owned(), Value::Array(asked.not_asked.iter().map(Value::text).collect())),
    ];
    Value::Object(members)
}
