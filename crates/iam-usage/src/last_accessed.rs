//! Reads AWS's own record of last uses, as `aws iam get-service-last-accessed-details` prints it, for services alone or
//! with their actions (`--granularity ACTION_LEVEL` of the job).
//!
//! Follows the IAM API Reference topic "GetServiceLastAccessedDetails". A report does not name the role it is about: the
//! entities it names as last users do, and where there are none, the file's name. What the record proves is weighed
//! elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::action::Action;
use iam_model::arn::Arn;
use iam_model::diagnostic::Place;
use iam_model::json::{self, Arena, Limits, Node};
use iam_model::text::SourceText;
use iam_model::time::Timestamp;
use iam_model::usage::{RoleReport, ServiceReport};

use crate::event::moment;

/// Why a report cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportError {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: &'static str,
}

const AGAIN: &str =
    "give what `aws iam get-service-last-accessed-details --job-id ID` prints once the job is completed";
const NAME_IT: &str =
    "name the file after the role (`ROLE.json`), or add a member `\"Arn\": \"arn:aws:iam::…:role/ROLE\"`";

/// Reads a report, and tells the role it is about. `roles` are those it may be about.
///
/// # Errors
/// [`ReportError`] where the text is no such report, its job did not end well, or it is not about one known role.
///
/// ```
/// use iam_model::text::{SourceName, SourceText};
/// let text = r#"{"JobStatus": "COMPLETED", "JobCompletionDate": "2026-11-20T08:15:30Z", "ServicesLastAccessed": [
///   {"ServiceName": "Amazon SQS", "ServiceNamespace": "sqs", "LastAuthenticated": "2026-11-19T10:00:00Z",
///    "LastAuthenticatedEntity": "arn:aws:iam::111122223333:role/worker", "TotalAuthenticatedEntities": 1},
///   {"ServiceName": "AWS KMS", "ServiceNamespace": "kms", "TotalAuthenticatedEntities": 0}]}"#;
/// let source = SourceText { name: SourceName::new("report.json"), text: text.into() };
/// let (role, report) = iam_usage::last_accessed(&source, &[]).unwrap();
/// assert_eq!(role.name(), "worker");
/// assert_eq!(report.services["sqs"].last.unwrap().to_string(), "2026-11-19T10:00:00Z");
/// assert_eq!(report.services["kms"].last, None);
/// ```
pub fn last_accessed(source: &SourceText, roles: &[Arn]) -> Result<(Arn, RoleReport), ReportError> {
    let place = |offset: usize| Place::at(source.name.clone(), &source.text, offset);
    let fail = |offset: usize, message: String, hint: &'static str| ReportError { place: place(offset), message, hint };
    let arena = Arena::for_text(source.text.len());
    let root = json::parse(&arena, &source.text, Limits::FILE)
        .map_err(|error| fail(error.offset, format!("not JSON: {error}"), AGAIN))?;
    let at = root.span.start;
    let Some(services) = root.get("ServicesLastAccessed") else {
        return Err(fail(at, "no report of last uses: it has no `ServicesLastAccessed`".into(), AGAIN));
    };
    let status = root.get("JobStatus").and_then(Node::as_str).unwrap_or("COMPLETED");
    if status != "COMPLETED" {
        return Err(fail(at, format!("the report is not there yet: its job is `{}`", shortened(status)), AGAIN));
    }
    let made = root.get("JobCompletionDate").and_then(time);
    let made = made.ok_or_else(|| fail(at, "the report does not say when it was made".into(), AGAIN))?;
    let mut entities = BTreeSet::new();
    let is_more = root.get("IsTruncated").and_then(Node::as_bool) == Some(true)
        || root.get("Marker").is_some_and(|mark| mark.as_str().is_some());
    let mut report = RoleReport { cut_off: is_more, ..RoleReport::default() };
    for node in services.items() {
        let read = service(node, made, &mut entities).map_err(|what| fail(node.span.start, what, AGAIN))?;
        report.services.insert(read.0, read.1);
    }
    let named = root.get("Arn").and_then(Node::as_str);
    let role = role_of(named, &entities, source, roles).map_err(|what| fail(at, what, NAME_IT))?;
    Ok((role, report))
}

/// One service of a report; who used it is added to `entities`.
fn service(
    node: &Node<'_>,
    made: Timestamp,
    entities: &mut BTreeSet<String>,
) -> Result<(String, ServiceReport), String> {
    let prefix = node.get("ServiceNamespace").and_then(Node::as_str).ok_or("a service without `ServiceNamespace`")?;
    let mut actions = BTreeMap::new();
    for tracked in node.get("TrackedActionsLastAccessed").map(Node::items).unwrap_or_default() {
        let name = tracked.get("ActionName").and_then(Node::as_str).ok_or("an action without `ActionName`")?;
        let action: Action =
            format!("{prefix}:{name}").parse().map_err(|_| format!("`{}` is no action", shortened(name)))?;
        actions.insert(action, used(tracked, "LastAccessedTime")?);
        entities.extend(tracked.get("LastAccessedEntity").and_then(Node::as_str).map(str::to_owned));
    }
    entities.extend(node.get("LastAuthenticatedEntity").and_then(Node::as_str).map(str::to_owned));
    let last = used(node, "LastAuthenticated")?;
    Ok((prefix.to_ascii_lowercase(), ServiceReport { made, last, actions }))
}

/// When something was used; a time that cannot be read must not look like none.
fn used(node: &Node<'_>, key: &str) -> Result<Option<Timestamp>, String> {
    match node.get(key) {
        None => Ok(None),
        Some(value) if value.describe() == "null" => Ok(None),
        Some(value) => time(value).map(Some).ok_or_else(|| format!("`{key}` is no time")),
    }
}

fn time(node: &Node<'_>) -> Option<Timestamp> {
    let text = node.as_str()?;
    Timestamp::parse(text).or_else(|| moment(text))
}

/// The role: named outright, or the one entity that used anything, or the one whose name the file bears.
fn role_of(
    named: Option<&str>,
    entities: &BTreeSet<String>,
    source: &SourceText,
    roles: &[Arn],
) -> Result<Arn, String> {
    let is_role = |arn: &Arn| arn.service() == "iam" && arn.resource().starts_with("role/");
    let one = named.or_else(|| entities.first().filter(|_| entities.len() == 1).map(String::as_str));
    if let Some(text) = one {
        let arn = text.parse::<Arn>().ok().filter(is_role);
        return arn.ok_or_else(|| format!("the report is about `{}`, which is no role", shortened(text)));
    }
    if entities.len() > 1 {
        return Err("the report is about several roles or users; one for each role is needed".into());
    }
    let file = source.name.as_str().rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = file.strip_suffix(".json").unwrap_or(file);
    let mut fitting = roles.iter().filter(|role| role.name() == stem);
    match (fitting.next(), fitting.next()) {
        (Some(role), None) => Ok(role.clone()),
        (Some(_), Some(_)) => {
            Err(format!("there are several roles `{}`, and the report does not say which", shortened(stem)))
        }
        _ => Err("the report does not say which role it is about, since the role used nothing".into()),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests;
