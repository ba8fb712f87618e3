//! `paring rules check`: every rule asked about an account as it stands, or about changes to it.

use std::collections::BTreeMap;

use iam_evaluate::Evaluator;
use iam_model::change::Change;
use iam_model::json::Value;
use iam_model::snapshot::{Role, SnapshotIndex};
use iam_verify::guardrails::{
    GuardrailError, RuleSeverity, Violation, WaiverFinding, WaiverProblem, WaiverUse, review_waivers,
};
use iam_verify::keeps_used::{self, Replay, Replayed};
use iam_verify::obeys_guardrails::{self, Evidence, State};
use iam_verify::outcome::Outcome as Claimed;
use rayon::prelude::*;

use crate::cli::{Format, RulesCheck};
use crate::commands::Outcome;
use crate::error::CliError;
use crate::judging::{self, Ground};
use crate::report::verdict::{violation_line, violation_value};
use crate::terminal::{Paint, Terminal, without_control};
use crate::{pipeline, rulebook};

/// The schema name of the objections.
const SCHEMA: &str = "paring-objections/1";
/// Objects of one rule that are shown.
const SHOWN: usize = 10;

/// What the rules said.
struct Asked {
    violations: Vec<Violation>,
    not_asked: Vec<String>,
    /// Whether the changes are to blame; for an account as it stands, whether anything refutes.
    undecided: Option<String>,
    /// Objections that stood before the changes.
    stood: Vec<Violation>,
}

/// Runs the command.
pub(super) fn run(arguments: &RulesCheck, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let ground = Ground::load(&arguments.snapshot, &arguments.judging, terminal)?;
    let (index, dangling) = SnapshotIndex::new(&ground.snapshot);
    terminal.diagnostics(&dangling);
    let changes = arguments.changes.as_ref().map(|path| judging::changes(path, terminal)).transpose()?;
    let asked = match &changes {
        None => account(&ground, &index)?,
        Some(changes) => changed(&ground, &index, changes)?,
    };
    let rulebook = ground.rulebook();
    let stale = review_waivers(rulebook.guardrails, &ground.waivers, &asked.violations, ground.now);
    let text = match arguments.format {
        Format::Text => text(&asked, &stale, &ground, terminal.paint()),
        Format::Json => json_text(&asked, &stale, &ground),
    };
    terminal.data(&text)?;
    let severe = |violation: &Violation| {
        violation.severity >= arguments.fail_on
            && !matches!(violation.waiver, WaiverUse::Waived { .. })
            && !asked.stood.contains(violation)
    };
    let stale = stale.iter().any(|finding| weight(finding.problem) >= arguments.fail_on);
    let found = asked.violations.iter().any(severe) || stale || asked.undecided.is_some();
    Ok(if found { Outcome::Findings } else { Outcome::Clean })
}

/// Asks about every role and function as they stand.
fn account(ground: &Ground, index: &SnapshotIndex<'_>) -> Result<Asked, CliError> {
    let graph = iam_graph::build(index, &[]);
    let visibility = pipeline::facts::visibility(&ground.coverage, &ground.catalog);
    let evidence = Evidence { usage: ground.usage.as_ref(), days: ground.coverage.days, visibility: &visibility };
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
fn changed(ground: &Ground, index: &SnapshotIndex<'_>, changes: &[Change]) -> Result<Asked, CliError> {
    let (before, after) = (iam_graph::build(index, &[]), iam_graph::build(index, changes));
    let visibility = pipeline::facts::visibility(&ground.coverage, &ground.catalog);
    let evidence = Evidence { usage: ground.usage.as_ref(), days: ground.coverage.days, visibility: &visibility };
    let rulebook = ground.rulebook();
    let state = |graph| State::new(&rulebook, index, graph, evidence, &ground.settings);
    let all: Vec<&Change> = changes.iter().collect();
    let replayed = match &ground.usage {
        Some(usage) => keeps_used::check(&all, index, &Evaluator::new(index), usage),
        None => Replayed {
            outcome: Claimed::Undecided { why: "no logs were given".into() },
            total: Replay::default(),
            principals: BTreeMap::new(),
        },
    };
    let judged = obeys_guardrails::check(&all, &state(&before), &state(&after), &replayed);
    let undecided = match judged.outcome {
        Claimed::Undecided { why } => Some(why),
        _ => None,
    };
    Ok(Asked { violations: judged.violations, not_asked: judged.not_asked, undecided, stood: judged.stood })
}

const fn weight(problem: WaiverProblem) -> RuleSeverity {
    match problem {
        WaiverProblem::Unused => RuleSeverity::Warning,
        WaiverProblem::UnknownRule | WaiverProblem::NotWaivable | WaiverProblem::Expired => RuleSeverity::Error,
    }
}

fn text(asked: &Asked, stale: &[WaiverFinding], ground: &Ground, paint: Paint) -> String {
    let mut out = String::new();
    let mut groups: BTreeMap<(std::cmp::Reverse<RuleSeverity>, &str), Vec<&Violation>> = BTreeMap::new();
    for violation in &asked.violations {
        groups.entry((std::cmp::Reverse(violation.severity), violation.rule.as_str())).or_default().push(violation);
    }
    for ((severity, rule), group) in &groups {
        let word = match severity.0 {
            RuleSeverity::Critical | RuleSeverity::Error => paint.red(severity.0.as_str()),
            RuleSeverity::Review | RuleSeverity::Warning => paint.yellow(severity.0.as_str()),
            RuleSeverity::Note => paint.dim(severity.0.as_str()),
        };
        let title = group.first().map(|one| one.title.as_str()).unwrap_or_default();
        out.push_str(&format!("{word} {}: {title}\n", paint.bold(rule)));
        for one in group.iter().take(SHOWN) {
            let line = violation_line(one);
            let object = line.split_once(": ").map_or(line.as_str(), |(_, object)| object);
            let stood = if asked.stood.contains(one) { " (stood before)" } else { "" };
            out.push_str(&format!("  {object}{stood}\n"));
        }
        if group.len() > SHOWN {
            out.push_str(&format!("  and {} more (--format json shows all)\n", group.len() - SHOWN));
        }
        out.push_str(&format!("  hint: {}\n", group.first().map(|one| one.hint.as_str()).unwrap_or_default()));
    }
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
        "{} objections, {waived} of them waived; {} stale waivers\n",
        asked.violations.len(),
        stale.len()
    ));
    without_control(&out, "\n\u{1b}")
}

fn json_text(asked: &Asked, stale: &[WaiverFinding], ground: &Ground) -> String {
    let violation = |one: &Violation| {
        let Value::Object(mut members) = violation_value(one) else { return Value::Null };
        members.push(("stood_before".into(), Value::Bool(asked.stood.contains(one))));
        Value::Object(members)
    };
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
    Value::Object(members).to_pretty()
}
