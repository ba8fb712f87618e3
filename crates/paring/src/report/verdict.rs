//! A verdict on given changes: for people, and as `paring-verdict/1`.
//!
//! Renders; decides nothing.

use std::collections::BTreeMap;

use iam_model::arn::Arn;
use iam_model::json::Value;
use iam_model::policy::PrincipalPattern;
use iam_model::text::{counted, grouped};
use iam_verify::guardrails::Violation;
use iam_verify::keeps_used::{DeniedCall, Replay, Replayed};
use iam_verify::outcome::{Counterexample, Outcome};
use iam_verify::split::PartVerdict;
use iam_verify::verify::Verdict;

use super::objections;
use crate::terminal::Paint;

/// The schema name of the verdict.
const SCHEMA: &str = "paring-verdict/1";
/// The same for several files of changes.
const SCHEMA_OF_SEVERAL: &str = "paring-verdicts/1";
/// Lines of one part that are shown.
const SHOWN: usize = 20;

/// The verdict on the changes of one file.
pub(crate) struct Judged {
    pub(crate) name: String,
    /// On the changed policies; nothing where the file holds splits alone.
    pub(crate) verdict: Option<Verdict>,
    /// On each new role of the shared roles that are taken apart.
    pub(crate) parts: Vec<PartVerdict>,
    pub(crate) not_checked: Vec<String>,
}

impl Judged {
    /// Whether every claim is proved.
    pub(crate) fn is_proved(&self) -> bool {
        self.verdict.iter().chain(self.parts.iter().map(|part| &part.verdict)).all(Verdict::is_proved)
    }
}

/// Several verdicts for people, each under the name of its file, and how many are proved.
pub(crate) fn render_texts(judged: &[Judged], paint: Paint) -> String {
    let mut out = String::new();
    for one in judged {
        out.push_str(&format!("{}\n{}\n", paint.bold(&one.name), render_text(one, paint)));
    }
    let proved = judged.iter().filter(|one| one.is_proved()).count();
    out.push_str(&format!("{} files of changes: {proved} proved, {} not\n", judged.len(), judged.len() - proved));
    paint.clean(&out)
}

/// The verdict for people: a line per claim, then what would break, where, and what the rules say.
pub(crate) fn render_text(judged: &Judged, paint: Paint) -> String {
    let mut out = String::new();
    judged.verdict.iter().for_each(|verdict| verdict_text(&mut out, verdict, paint));
    for split in &judged.parts {
        let title = format!("{} with the new role {}", split.function.name(), split.role);
        out.push_str(&format!("{}{}\n", if out.is_empty() { "" } else { "\n" }, paint.bold(&title)));
        verdict_text(&mut out, &split.verdict, paint);
    }
    part(&mut out, "Not checked", &judged.not_checked, paint);
    let verdicts = judged.verdict.iter().chain(judged.parts.iter().map(|part| &part.verdict));
    for (name, certificate) in verdicts.flat_map(|verdict| &verdict.certificates) {
        out.push_str(&format!("\n{} {name}\n{certificate}", paint.bold("Certificate of adds-nothing:")));
    }
    paint.clean(&out)
}

/// A line per claim, then what would break, where, and what the rules say.
fn verdict_text(out: &mut String, verdict: &Verdict, paint: Paint) {
    for (claim, outcome) in &verdict.claims {
        let word = format!("{:<9}", outcome.as_str());
        let (word, detail) = match outcome {
            Outcome::Proved { because } => (paint.green(&word), because),
            Outcome::Refuted { because, .. } => (paint.red(&word), because),
            Outcome::Undecided { why } => (paint.yellow(&word), why),
        };
        out.push_str(&format!("{:<16} {word}  {detail}\n", claim.as_str()));
        if let Outcome::Refuted { counterexample: Some(request), .. } = outcome {
            out.push_str(&format!("{:<16} {:<9}  such as {request}\n", "", ""));
        }
    }
    broken(out, &verdict.replayed, paint);
    objections(out, verdict, paint);
}

/// What the rules object to, apart by what it means for the claim.
fn objections(out: &mut String, verdict: &Verdict, paint: Paint) {
    let mut section = |title: &str, belongs: &dyn Fn(&Violation) -> bool| {
        let text = objections::render_text(verdict.violations.iter().filter(|one| belongs(one)), &[], paint);
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        part(out, title, &lines, paint);
    };
    let stood = |violation: &Violation| verdict.stood.contains(violation);
    section("Rules broken by the change", &|one| one.refutes() && !stood(one));
    section("Broken before the change too", &|one| one.refutes() && stood(one));
    section("Advice on merging, which refutes no claim", &|one| !one.refutes());
}

/// What would break, account by account.
fn broken(out: &mut String, replayed: &Replayed, paint: Paint) {
    let mut lines = Vec::new();
    for (account, replay) in replayed.accounts().into_iter().filter(|(_, replay)| replay.denied > 0) {
        lines.push(format!("account {account}: {} of {}", grouped(replay.denied), counted(replay.calls, "call")));
        let own = replayed.principals.iter().filter(|(arn, _)| arn.account().as_ref() == Some(&account));
        for (arn, one) in own {
            lines.extend(one.denied.iter().map(|denied| {
                let request = &denied.request;
                format!(
                    "  {}  {} on {}  {}",
                    short(arn),
                    request.action,
                    request.resource,
                    counted(denied.calls, "call")
                )
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

/// The verdict for programs.
pub(crate) fn render_json(judged: &Judged) -> String {
    value(judged).to_pretty()
}

/// Several verdicts for programs, each with the file its changes are from.
pub(crate) fn render_jsons(judged: &[Judged]) -> String {
    let one = |judged: &Judged| {
        let Value::Object(mut members) = value(judged) else { return Value::Null };
        members.insert(1, ("changes".into(), Value::text(&judged.name)));
        Value::Object(members)
    };
    let members = vec![
        ("schema".to_owned(), Value::text(SCHEMA_OF_SEVERAL)),
        ("verdicts".to_owned(), Value::Array(judged.iter().map(one).collect())),
    ];
    Value::Object(members).to_pretty()
}

fn value(judged: &Judged) -> Value {
    let mut members = vec![("schema".to_owned(), Value::text(SCHEMA))];
    members.extend(judged.verdict.iter().flat_map(verdict_members));
    if !judged.parts.is_empty() {
        let part = |part: &PartVerdict| {
            let mut members = vec![
                ("function".to_owned(), Value::text(part.function.as_str())),
                ("role".to_owned(), Value::text(part.role.as_str())),
            ];
            members.extend(verdict_members(&part.verdict));
            Value::Object(members)
        };
        members.push(("parts".into(), Value::Array(judged.parts.iter().map(part).collect())));
    }
    members.push(("not_checked".into(), Value::Array(judged.not_checked.iter().map(Value::text).collect())));
    Value::Object(members)
}

fn verdict_members(verdict: &Verdict) -> Vec<(String, Value)> {
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
    let violation = |one: &Violation| objections::value(one, &verdict.stood);
    vec![
        ("claims".to_owned(), Value::Array(claims.collect())),
        ("replay".to_owned(), replay_value(&verdict.replayed)),
        ("violations".to_owned(), Value::Array(verdict.violations.iter().map(violation).collect())),
        ("certificates".to_owned(), Value::Array(certificates.collect())),
    ]
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
