//! Whom a guardrail locks out: calls that every workload makes, put to each Deny as a plain role would make them.
//!
//! The call carries what such a call always carries, and lacks what it always lacks: no MFA, no service in between, no
//! tags. What depends on anything else (Regions, networks, organisations) is left in peace. Knows the calls from
//! `data/workload-calls.txt`, and asks the evaluator.

use std::collections::BTreeMap;

use iam_evaluate::guardrail::{Guardrail, GuardrailKind, Standing};
use iam_evaluate::{Context, LayerOutcome, Principal, Request};
use iam_model::condition::ConditionKey;
use iam_model::diagnostic::Code;
use iam_model::policy::{ActionElement, PolicyDocument, ResourceElement, Statement};

use super::super::PolicyKind;
use super::super::report::Report;
use super::placeholders::placeholders;
use super::{denies, is_key};

const CALLS: &str = include_str!("../../../data/workload-calls.txt");
const ACCOUNT: &str = "111122223333";
const ROLE: &str = "arn:aws:iam::111122223333:role/workload";

/// Services that have a home in one Region: a Deny by Region that does not exempt them stops their global parts.
const AT_HOME: &[&str] = &["acm", "lambda", "wafv2", "cloudfront", "route53", "iam", "sts", "organizations", "support"];

/// A call that workloads, or those who deploy them, make.
struct Call<'t> {
    action: &'t str,
    resource: &'t str,
    /// Made by code at run time; else by those who deploy.
    at_run_time: bool,
}

fn calls() -> impl Iterator<Item = Call<'static>> {
    CALLS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut words = line.split_whitespace();
        Some(Call { at_run_time: words.next()? == "run", action: words.next()?, resource: words.next()? })
    })
}

pub(super) fn check(document: &PolicyDocument, kind: PolicyKind, report: &mut Report<'_>) {
    let guardrail = match kind {
        PolicyKind::ResourceControl => GuardrailKind::ResourceControl,
        _ => GuardrailKind::ServiceControl,
    };
    for statement in denies(document) {
        let mut alone = PolicyDocument::new(vec![filled(statement)]);
        alone.version = document.version;
        let asked = Guardrail::new(guardrail, &alone);
        locked_out(statement, &asked, report);
        by_region(statement, report);
    }
}

/// The statement with what a template left to fill in filled in by names that no workload has.
fn filled(statement: &Statement) -> Statement {
    let mut filled = statement.clone();
    for value in filled.conditions.iter_mut().flat_map(|condition| &mut condition.values) {
        let left: Vec<String> = placeholders(&value.value).into_iter().map(ToOwned::to_owned).collect();
        left.iter().for_each(|left| value.value = value.value.replace(left, "filled-in"));
    }
    filled
}

fn locked_out(statement: &Statement, guardrail: &Guardrail, report: &mut Report<'_>) {
    let mut of_service: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut single = Vec::new();
    for call in calls() {
        let denied = request(&call, statement).is_some_and(|request| {
            guardrail.decide(&request, Standing::default()).outcome == LayerOutcome::ExplicitDeny
        });
        let service = call.action.split(':').next().unwrap_or_default();
        if call.at_run_time {
            let (all, stopped) = of_service.entry(service).or_default();
            *all += 1;
            *stopped += usize::from(denied);
        }
        if denied {
            single.push(call.action);
        }
    }
    let whole = |(_, (all, stopped)): &(&str, (usize, usize))| *all > 1 && all == stopped;
    let services: Vec<&str> = of_service.into_iter().filter(whole).map(|(service, _)| service).collect();
    if !services.is_empty() {
        let message =
            format!("no workload can use {} here: ordinary calls of its role meet every condition", list(&services));
        let hint = "if that is not what it is for, add the condition that tells the calls you mean";
        report.warning(Code::WorkloadLockout, statement.span, message, hint);
    } else if !single.is_empty() {
        let message = format!("ordinary calls of workloads and deployments are denied: {}", list(&single));
        let hint = "replay logs before it is attached: `paring guard impact`";
        report.note(Code::WorkloadImpact, statement.span, message, hint);
    }
}

fn list(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(4).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(shown.len());
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

/// The call as a plain role makes it, on a resource that the statement names where it names some.
fn request(call: &Call<'_>, statement: &Statement) -> Option<Request> {
    let service = call.resource.split(':').nth(2).unwrap_or_default();
    let fits = |text: &&str| text.split(':').nth(2) == Some(service);
    let named: Vec<&str> = match &statement.resource {
        ResourceElement::Resource(patterns) => patterns.iter().map(|p| p.value.as_str()).filter(fits).collect(),
        _ => Vec::new(),
    };
    // Of a bucket and its objects, the call takes the one that it is about.
    let objects = call.resource.contains('/');
    let resource = named.iter().find(|text| text.contains('/') == objects).or(named.first());
    let resource = resource.map_or_else(|| call.resource.to_owned(), |text| text.replace(['*', '?'], "x"));
    let mut context = Context::open();
    let mut fact = |key: &str, value: &str| context.set_one(ConditionKey::new(key), value);
    fact("aws:PrincipalArn", ROLE);
    fact("aws:PrincipalAccount", ACCOUNT);
    fact("aws:PrincipalType", "AssumedRole");
    fact("aws:PrincipalIsAWSService", "false");
    fact("aws:ViaAWSService", "false");
    fact("aws:SecureTransport", "true");
    for key in [
        "MultiFactorAuthPresent",
        "MultiFactorAuthAge",
        "SourceOrgID",
        "SourceOrgPaths",
        "SourceAccount",
        "SourceArn",
        "CalledVia",
        "CalledViaFirst",
        "CalledViaLast",
        "PrincipalServiceName",
        "PrincipalServiceNamesList",
        "FederatedProvider",
    ] {
        context.set_absent(ConditionKey::new(&format!("aws:{key}")));
    }
    let tags = statement.conditions.iter().map(|condition| &condition.key);
    for key in tags.filter(|key| key.as_str().to_ascii_lowercase().starts_with("aws:principaltag/")) {
        context.set_absent(key.clone());
    }
    Some(Request {
        principal: Principal::parse(ROLE).ok()?,
        action: call.action.parse().ok()?,
        resource: resource.parse().ok()?,
        resource_account: ACCOUNT.parse().ok(),
        context,
    })
}

/// A Deny by Region: which services with a home elsewhere it does not exempt.
fn by_region(statement: &Statement, report: &mut Report<'_>) {
    let ActionElement::NotAction(exempt) = &statement.action else { return };
    let Some(condition) = statement.conditions.iter().find(|condition| is_key(condition, "aws:RequestedRegion")) else {
        return;
    };
    let named = |service: &&&str| {
        let of =
            |text: &str| text == "*" || text.split(':').next().is_some_and(|own| own.eq_ignore_ascii_case(service));
        !exempt.iter().any(|pattern| of(pattern.value.as_str()))
    };
    let missing: Vec<&str> = AT_HOME.iter().filter(named).copied().collect();
    if !missing.is_empty() {
        let message =
            format!("calls to us-east-1 that belong to global services are denied; not exempt: {}", list(&missing));
        let hint = "functions at the edge, certificates of CloudFront and the like live there; replay logs first: `paring guard impact`";
        report.note(Code::WorkloadImpact, condition.span, message, hint);
    }
}
