//! A verdict on given changes: for people, and as `paring-verdict/1`.
//!
//! Renders; decides nothing.

use std::collections::BTreeMap;

use iam_model::arn::Arn;
use iam_model::json::Value;
use iam_model::policy::PrincipalPattern;
use iam_model::text::grouped;
use iam_verify::guardrails::{Violation, WaiverUse};
use iam_verify::keeps_used::{DeniedCall, Replay, Replayed};
use iam_verify::outcome::{Counterexample, Outcome};
use iam_verify::verify::Verdict;

use crate::terminal::{Paint, without_control};

/// The schema name of the verdict.
const SCHEMA: &str = "paring-verdict/1";
/// Lines of one part that are shown.
const SHOWN: usize = 20;

/// The verdict for people: a line per claim, then what would break, where, and what the rules say.
pub(crate) fn render_text(verdict: &Verdict, not_checked: &[String], paint: Paint) -> String {
    let mut out = String::new();
    for (claim, outcome) in &verdict.claims {
        let word = format!("{:<9}", outcome.as_str());
        let (word, detail) = match outcome {
            Outcome::Proved { because } => (paint.green(&word), because),
            Outcome::Refuted { because, .. } => (paint.red(&word), because),
            Outcome::Undecided { why } => (paint.yellow(&word), why),
        };
        out.push_str(&format!("{:<15} {word}  {detail}\n", claim.as_str()));
        if let Outcome::Refuted { counterexample: Some(request), .. } = outcome {
            out.push_str(&format!("{:<15} {:<9}  such as {request}\n", "", ""));
        }
    }
    broken(&mut out, &verdict.replayed, paint);
    let lines: Vec<String> = verdict.violations.iter().map(violation_line).collect();
    part(&mut out, "The rules object to", &lines, paint);
    part(&mut out, "Not checked", not_checked, paint);
    for (name, certificate) in &verdict.certificates {
        out.push_str(&format!("\n{} {name}\n{certificate}", paint.bold("Certificate of adds-nothing:")));
    }
    without_control(&out, "\n\u{1b}")
}

/// What would break, account by account.
fn broken(out: &mut String, replayed: &Replayed, paint: Paint) {
    let mut lines = Vec::new();
    for (account, replay) in replayed.accounts().into_iter().filter(|(_, replay)| replay.denied > 0) {
        lines.push(format!("account {account}: {} of {} calls", grouped(replay.denied), grouped(replay.calls)));
        let own = replayed.principals.iter().filter(|(arn, _)| arn.account().as_ref() == Some(&account));
        for (arn, one) in own {
            lines.extend(one.denied.iter().map(|denied| {
                let request = &denied.request;
                format!("  {}  {} on {}  {} calls", short(arn), request.action, request.resource, grouped(denied.calls))
            }));
        }
    }
    part(out, "Would be denied", &lines, paint);
    let open = replayed.principals.iter().flat_map(|(arn, one)| one.undecided.iter().map(move |why| (arn, why)));
    let lines: Vec<String> = open.map(|(arn, why)| format!("{}  {why}", short(arn))).collect();
    part(out, "Not decided", &lines, paint);
}

fn part(out: &mut String, title: &str, lines: &[String], paint: Paint) {
    if lines.is_empty() {
        return;
    }
    out.push_str(&format!("\n{}\n", paint.bold(title)));
    for line in lines.iter().take(SHOWN) {
        out.push_str(&format!("  {line}\n"));
    }
    if lines.len() > SHOWN {
        out.push_str(&format!("  and {} more (--format json shows all)\n", lines.len() - SHOWN));
    }
}

/// One objection in a line.
pub(crate) fn violation_line(violation: &Violation) -> String {
    let waived = match violation.waiver {
        WaiverUse::None => "",
        WaiverUse::Waived { .. } => " (waived)",
        WaiverUse::Expired { .. } => " (its waiver has expired)",
        WaiverUse::Refused { .. } => " (cannot be waived)",
    };
    format!("{} {}: {}{waived}", violation.severity, violation.rule, violation.object)
}

/// One objection for programs.
pub(crate) fn violation_value(violation: &Violation) -> Value {
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
        text("hint", &violation.hint),
        ("waiver".into(), waiver),
    ])
}

/// The verdict for programs.
pub(crate) fn render_json(verdict: &Verdict, not_checked: &[String]) -> String {
    let claims = verdict.claims.iter().map(|(claim, outcome)| {
        let mut members = vec![
            ("claim".to_owned(), Value::text(claim.as_str())),
            ("outcome".to_owned(), Value::text(outcome.as_str())),
        ];
        match outcome {
            Outcome::Proved { because } => members.push(("because".into(), Value::text(because))),
            Outcome::Undecided { why } => members.push(("why".into(), Value::text(why))),
            Outcome::Refuted { because, counterexample: request } => {
                members.push(("because".into(), Value::text(because)));
                members.extend(request.as_ref().map(|r| ("counterexample".to_owned(), counterexample(r))));
            }
        }
        Value::Object(members)
    });
    let certificates = verdict.certificates.iter().map(|(name, certificate)| {
        Value::Object(vec![
            ("policies".to_owned(), Value::text(name)),
            ("certificate".to_owned(), Value::text(certificate.to_string())),
        ])
    });
    let members = vec![
        ("schema".to_owned(), Value::text(SCHEMA)),
        ("claims".to_owned(), Value::Array(claims.collect())),
        ("replay".to_owned(), replay_value(&verdict.replayed)),
        ("violations".to_owned(), Value::Array(verdict.violations.iter().map(violation_value).collect())),
        ("certificates".to_owned(), Value::Array(certificates.collect())),
        ("not_checked".to_owned(), Value::Array(not_checked.iter().map(Value::text).collect())),
    ];
    Value::Object(members).to_pretty()
}

fn counts(replay: Replay) -> Vec<(String, Value)> {
    [
        ("calls", replay.calls),
        ("kept", replay.kept),
        ("denied", replay.denied),
        ("undecided", replay.undecided),
        ("unexplained", replay.unexplained),
    ]
    .into_iter()
    .map(|(key, count)| (key.to_owned(), Value::number(count)))
    .collect()
}

fn replay_value(replayed: &Replayed) -> Value {
    let mut members = counts(replayed.total);
    let accounts: BTreeMap<String, Value> =
        replayed.accounts().into_iter().map(|(id, replay)| (id.to_string(), Value::Object(counts(replay)))).collect();
    members.push(("accounts".into(), Value::Object(accounts.into_iter().collect())));
    let denied = |denied: &DeniedCall| {
        let Value::Object(mut request) = counterexample(&denied.request) else { return Value::Null };
        request.push(("calls".into(), Value::number(denied.calls)));
        Value::Object(request)
    };
    let all = replayed.principals.values().flat_map(|one| &one.denied);
    members.push(("would_be_denied".into(), Value::Array(all.map(denied).collect())));
    let open = replayed.principals.iter().flat_map(|(arn, one)| {
        one.undecided.iter().map(move |why| {
            Value::Object(vec![
                ("principal".to_owned(), Value::text(arn.as_str())),
                ("why".to_owned(), Value::text(why)),
            ])
        })
    });
    members.push(("not_decided".into(), Value::Array(open.collect())));
    Value::Object(members)
}

/// A role's name without what is the same for all.
fn short(arn: &Arn) -> String {
    let account = arn.account().map(|account| format!("{account} ")).unwrap_or_default();
    format!("{account}{}", arn.resource())
}

/// A request that shows that a claim does not hold, as JSON.
pub(crate) fn counterexample(request: &Counterexample) -> Value {
    let context = request.context.iter().map(|(key, values)| {
        (key.as_str().to_owned(), Value::Array(values.iter().map(|v| Value::text(v.as_str())).collect()))
    });
    let principal = match &request.principal {
        None => Value::Null,
        Some(PrincipalPattern::Everyone) => Value::text("*"),
        Some(
            PrincipalPattern::Aws(name)
            | PrincipalPattern::Service(name)
            | PrincipalPattern::Federated(name)
            | PrincipalPattern::CanonicalUser(name)
            | PrincipalPattern::Unknown { value: name, .. },
        ) => Value::text(name.as_str()),
    };
    Value::Object(vec![
        ("action".to_owned(), Value::text(request.action.as_str())),
        ("resource".to_owned(), Value::text(request.resource.as_str())),
        ("principal".to_owned(), principal),
        ("context".to_owned(), Value::Object(context.collect())),
    ])
}
