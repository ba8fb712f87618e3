//! What the rules object to: grouped by rule, each with its title, its objects and what to do.
//!
//! Renders; decides nothing.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use iam_model::json::Value;
use iam_verify::guardrails::{RuleSeverity, Violation, WaiverUse};

use crate::terminal::Paint;

/// Objects of one rule that are shown.
const SHOWN: usize = 10;

/// Objections for people, the gravest rule first; those among `stood` say that they stood before.
pub(crate) fn render_text<'v>(
    violations: impl Iterator<Item = &'v Violation>,
    stood: &[Violation],
    paint: Paint,
) -> String {
    let mut groups: BTreeMap<(Reverse<RuleSeverity>, &str), Vec<&Violation>> = BTreeMap::new();
    for violation in violations {
        groups.entry((Reverse(violation.severity), violation.rule.as_str())).or_default().push(violation);
    }
    let mut out = String::new();
    for ((severity, rule), group) in &groups {
        let word = match severity.0 {
            RuleSeverity::Critical | RuleSeverity::Error => paint.red(severity.0.as_str()),
            RuleSeverity::Review | RuleSeverity::Warning => paint.yellow(severity.0.as_str()),
            RuleSeverity::Note => paint.dim(severity.0.as_str()),
        };
        let Some(first) = group.first() else { continue };
        out.push_str(&format!("{word} {}: {}\n", paint.bold(rule), first.title));
        for one in group.iter().take(SHOWN) {
            let stood = if stood.contains(one) { " (stood before)" } else { "" };
            out.push_str(&format!("  {}{}{stood}\n", one.object.in_words(), waived(one)));
        }
        if group.len() > SHOWN {
            out.push_str(&format!("  and {} more (--format json shows all)\n", group.len() - SHOWN));
        }
        let fixes: BTreeSet<&str> = group.iter().map(|one| one.fix.as_str()).collect();
        fixes.iter().for_each(|fix| out.push_str(&format!("  fix: {fix}\n")));
    }
    out
}

const fn waived(violation: &Violation) -> &'static str {
    match violation.waiver {
        WaiverUse::None => "",
        WaiverUse::Waived { .. } => " (waived)",
        WaiverUse::Expired { .. } => " (its waiver has expired)",
        WaiverUse::Refused { .. } => " (cannot be waived)",
    }
}

/// One objection for programs.
pub(crate) fn value(violation: &Violation, stood: &[Violation]) -> Value {
    let text = |key: &str, value: &str| (key.to_owned(), Value::text(value));
    let waiver = match violation.waiver {
        WaiverUse::None => Value::Null,
        WaiverUse::Waived { .. } => Value::text("waived"),
        WaiverUse::Expired { .. } => Value::text("expired"),
        WaiverUse::Refused { .. } => Value::text("refused"),
    };
    Value::Object(vec![
        text("rule", violation.rule.as_str()),
        text("severity", violation.severity.as_str()),
        text("object", &violation.object.to_string()),
        text("title", &violation.title),
        text("fix", &violation.fix),
        ("waiver".into(), waiver),
        ("stood_before".into(), Value::Bool(stood.contains(violation))),
    ])
}
