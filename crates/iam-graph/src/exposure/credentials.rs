//! Credentials in plain text: in the environment variables of compute, as the services describe it.
//!
//! Follows the AWS Lambda Developer Guide topic "Working with Lambda environment variables": whoever may read a
//! function's configuration reads them. Shows names, never values.

use iam_model::finding::{Confidence, Finding, FindingCode, FindingSeverity};
use iam_model::json::Value;
use iam_model::snapshot::{Resource, ResourceKind};

/// How deep descriptions are looked through.
const DEPTH: usize = 8;
/// What AWS, GitHub, GitLab, Slack, Stripe, npm and OpenAI begin their credentials with, and how long they are at least.
const TELLING: &[(&str, usize)] = &[
    ("AKIA", 20),
    ("ASIA", 20),
    ("ghp_", 30),
    ("gho_", 30),
    ("ghs_", 30),
    ("github_pat_", 30),
    ("glpat-", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("sk_live_", 20),
    ("rk_live_", 20),
    ("npm_", 30),
    ("sk-proj-", 30),
];
/// Words in the name of a variable that holds a credential.
const WORDS: &[&str] =
    &["PASSWORD", "PASSWD", "SECRET", "TOKEN", "APIKEY", "API_KEY", "PRIVATE_KEY", "ACCESS_KEY", "CREDENTIAL"];
/// Words in the name of a variable that says where the credential is.
const POINTERS: &[&str] =
    &["ARN", "NAME", "PATH", "ID", "URL", "URI", "TTL", "EXPIRY", "ENDPOINT", "REGION", "PARAMETER", "LENGTH"];

/// The finding about a resource that holds some.
pub(super) fn of(resource: &Resource) -> Option<Finding> {
    let mut found = Vec::new();
    walk(&resource.api, DEPTH, &mut found);
    found.sort();
    found.dedup();
    let best = found.iter().map(|(confidence, _)| *confidence).max()?;
    let mut finding = match &resource.role {
        Some(role) => Finding::about(FindingCode::CredentialExposure, FindingSeverity::Medium, role.clone()),
        None => Finding::new(FindingCode::CredentialExposure, FindingSeverity::Medium),
    };
    if best == Confidence::High {
        finding.severity = FindingSeverity::High;
    }
    finding.confidence = best;
    finding.resource = Some(resource.arn.clone());
    if resource.kind == ResourceKind::LambdaFunction {
        finding.functions = vec![resource.arn.clone()];
    }
    let names: Vec<&str> = found.iter().map(|(_, name)| name.as_str()).collect();
    finding.place = Some(format!("environment variable {}", names.join(", ")));
    let how = if best == Confidence::High { "holds a credential" } else { "is named as a credential" };
    finding.evidence = vec![format!("{} {how}, readable by whoever may read the configuration", names.join(", "))];
    Some(finding)
}

/// Looks for `Variables: {name: value}` and for lists of `{name, value}`.
fn walk(value: &Value, depth: usize, found: &mut Vec<(Confidence, String)>) {
    if depth == 0 {
        return;
    }
    match value {
        Value::Object(members) => {
            let text = |key: &str| value.get(key).and_then(Value::as_str);
            if let (Some(name), Some(content)) = (text("name"), text("value"))
                && text("type").is_none_or(|kind| kind == "PLAINTEXT")
            {
                found.extend(judge(name, content));
            }
            for (key, member) in members {
                match (key.as_str(), member) {
                    ("Variables", Value::Object(variables)) => {
                        let texts = variables.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
                        found.extend(texts.filter_map(|(name, content)| judge(name, content)));
                    }
                    _ => walk(member, depth - 1, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, depth - 1, found)),
        _ => {}
    }
}

/// Whether a variable holds a credential, by what its value looks like, else by its name.
fn judge(name: &str, content: &str) -> Option<(Confidence, String)> {
    let content = content.trim();
    let begins = |(prefix, length): &(&str, usize)| {
        content.starts_with(prefix) && content.len() >= *length && !content.contains(char::is_whitespace)
    };
    if TELLING.iter().any(begins) || (content.starts_with("-----BEGIN ") && content.contains("PRIVATE KEY")) {
        return Some((Confidence::High, name.to_owned()));
    }
    let upper = name.to_ascii_uppercase();
    let named = WORDS.iter().any(|word| upper.contains(word));
    let points = upper.split(['_', '-', '.']).any(|word| POINTERS.contains(&word));
    (named && !points && !is_plain(content)).then(|| (Confidence::Medium, name.to_owned()))
}

/// Whether a value is a reference, a switch, a number, or too short to be a credential.
fn is_plain(content: &str) -> bool {
    let refers = ["arn:", "{{resolve:", "/", "ssm:", "secretsmanager:", "http://", "https://", "${"];
    content.len() < 8
        || refers.iter().any(|prefix| content.starts_with(prefix))
        || content.bytes().all(|b| b.is_ascii_digit())
        || content.bytes().all(|b| b == b'*')
}
