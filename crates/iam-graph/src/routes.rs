//! Routes that let strangers at a function: findings, as severe as what the function's role reaches.
//!
//! A route that asks nobody who calls is told, and one of which that is not known is told as such: it is never taken for
//! shut. What the role may do is decided by evaluation, on what the snapshot holds and on what its own statements name.

mod described;

use std::collections::BTreeSet;

use iam_model::arn::Arn;
use iam_model::finding::{Confidence, Finding, FindingCode, FindingSeverity, Subject};
use iam_model::route::{Authorization, Route};
use iam_model::snapshot::{ResourceKind, SnapshotIndex};

use crate::graph::AccessGraph;
use crate::reach::{Standing, Standings};

pub use described::routes_of;

/// How many things a role reaches are named.
const NAMED: usize = 4;

/// Findings about routes that anyone may call or of which nobody knows, and what of the routes is not judged.
///
/// ```
/// use iam_model::route::{Authorization, Route};
/// use iam_model::snapshot::{Snapshot, SnapshotIndex};
/// let snapshot = Snapshot::default();
/// let (index, _) = SnapshotIndex::new(&snapshot);
/// let graph = iam_graph::build(&index, &[]);
/// let function = "arn:aws:lambda:us-east-1:111122223333:function:f".parse().unwrap();
/// let route = Route {
///     interface: "REST API Orders".into(),
///     call: "GET /orders".into(),
///     authorization: Authorization::Nothing,
///     narrowed_by: Vec::new(),
///     function: Some(function),
///     place: None,
/// };
/// let (findings, _) = iam_graph::open_routes(&index, &graph, &[route]);
/// assert_eq!(findings[0].code.as_str(), "open-route");
/// ```
#[must_use]
pub fn open_routes(
    index: &SnapshotIndex<'_>,
    graph: &AccessGraph,
    routes: &[Route],
) -> (Vec<Finding>, BTreeSet<String>) {
    let mut not_checked = BTreeSet::new();
    let mut standings = Standings::new(index, graph);
    let mut findings = Vec::new();
    for route in routes {
        let asks = match &route.authorization {
            Authorization::Nothing => None,
            Authorization::Unknown(why) => Some(why.as_str()),
            Authorization::Iam | Authorization::Cognito | Authorization::Lambda | Authorization::Jwt => continue,
        };
        let Some(function) = &route.function else {
            let open = asks.map_or("asks nobody who calls", |_| "may ask nobody who calls");
            not_checked.insert(format!("{}: it {open}, and which function it calls is not known", route.name()));
            continue;
        };
        let role = role_of(index, function);
        let standing = role.as_ref().map(|role| standings.of(role));
        findings.push(finding(route, function, role.as_ref(), standing, asks));
    }
    findings.sort();
    findings.dedup();
    (findings, not_checked)
}

fn role_of(index: &SnapshotIndex<'_>, function: &Arn) -> Option<Arn> {
    let resources = index.snapshot().accounts.values().flat_map(|account| &account.resources);
    let mut functions = resources.filter(|resource| resource.kind == ResourceKind::LambdaFunction);
    functions.find(|resource| resource.arn == *function)?.role.clone()
}

fn finding(
    route: &Route,
    function: &Arn,
    role: Option<&Arn>,
    standing: Option<&Standing>,
    asks: Option<&str>,
) -> Finding {
    let severity = standing.map_or(FindingSeverity::Medium, Standing::severity);
    let shielded = !route.narrowed_by.is_empty() && route.narrowed_by.iter().any(|by| !by.contains("API key"));
    let doubts = usize::from(asks.is_some()) + usize::from(shielded);
    let severity = (0..doubts).fold(severity, |severity, _| lower(severity));
    let mut finding = Finding::about(FindingCode::OpenRoute, severity, Subject::Anyone);
    finding.resource = Some(function.clone());
    finding.functions = vec![function.clone()];
    finding.route = Some(route.name());
    finding.confidence = match (asks, shielded) {
        (Some(_), _) => Confidence::Low,
        (None, true) => Confidence::Medium,
        (None, false) => Confidence::High,
    };
    finding.place = route.place.as_ref().map(ToString::to_string);
    finding.evidence.push(match asks {
        None => format!("{} asks nobody who calls", route.name()),
        Some(why) => format!("whether {} asks who calls is not known: {why}", route.name()),
    });
    if !route.narrowed_by.is_empty() {
        finding.evidence.push(format!("before it stands {}", route.narrowed_by.join(", and ")));
    }
    let Some((role, standing)) = role.zip(standing) else {
        finding.evidence.push("which role its function runs as is not known".into());
        return finding;
    };
    finding.reaches_admin = Some(standing.is_admin || standing.becomes_admin);
    finding.evidence.extend(reached(standing));
    let through = |from: &str, by: &str, to: &str| format!("{from} -[{by}]-> {to}");
    let call = if route.call.is_empty() { "URL" } else { &route.call };
    finding.path = vec![through("*", call, function.as_str()), through(function.as_str(), "runs as", role.as_str())];
    if let Some(worst) = standing.reaches.first() {
        let by = worst.may.iter().map(|action| action.as_str()).collect::<Vec<_>>().join(", ");
        finding.path.push(through(role.as_str(), &by, &worst.on));
    }
    finding
}

/// What a role reaches, in words.
fn reached(standing: &Standing) -> Vec<String> {
    let mut lines = Vec::new();
    match (standing.is_admin, standing.becomes_admin) {
        (true, _) => return vec!["its role is an administrator".into()],
        (false, true) => lines.push("its role can become administrator".into()),
        (false, false) => {}
    }
    for reached in standing.reaches.iter().take(NAMED) {
        let may: Vec<&str> = reached.may.iter().map(|action| action.as_str()).collect();
        let keys: Vec<&str> = reached.conditional_on.iter().map(|key| key.as_str()).collect();
        let hangs = if keys.is_empty() { String::new() } else { format!(", if {} allows", keys.join(", ")) };
        lines.push(format!("its role may {} on {}{hangs}", may.join(", "), reached.on));
    }
    let more = standing.reaches.len().saturating_sub(NAMED);
    lines.extend((more > 0).then(|| format!("and on {more} more")));
    if lines.is_empty() {
        lines.push("its role reaches none of the kinds of data and secrets that are asked for".into());
    }
    lines
}

const fn lower(severity: FindingSeverity) -> FindingSeverity {
    match severity {
        FindingSeverity::Critical => FindingSeverity::High,
        FindingSeverity::High => FindingSeverity::Medium,
        FindingSeverity::Medium | FindingSeverity::Low => FindingSeverity::Low,
        FindingSeverity::Info => FindingSeverity::Info,
    }
}

#[cfg(test)]
mod tests;
