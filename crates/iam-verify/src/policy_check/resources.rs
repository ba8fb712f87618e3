//! Resources: the form of ARNs, and whether a pattern can be a resource of the statement's actions.
//!
//! Goes by the ARN forms that AWS publishes for each action's resource types. What is filled in later, and actions that
//! AWS does not publish, are given the benefit of the doubt.

use iam_evaluate::budget::{Budget, QUESTION};
use iam_evaluate::glob::language::{Answer, Caps, Problem, decide};
use iam_evaluate::glob::{Glob, Reading};
use iam_model::arn::AccountId;
use iam_model::catalog::{ActionFacts, ArnPattern, Catalog};
use iam_model::diagnostic::Code;
use iam_model::policy::{ActionElement, Effect, PolicyVersion, ResourceElement, Statement};
use iam_model::text::Span;

use super::PolicyKind;
use super::actions::{matched, placeholder};
use super::report::Report;

/// Resources of one statement that are compared with one another.
const MOST_COMPARED: usize = 200;

pub(super) fn check(statement: &Statement, kind: PolicyKind, catalog: &Catalog, report: &mut Report<'_>) {
    for pattern in statement.resource.patterns() {
        form(pattern.value.as_str(), pattern.span, kind, report);
    }
    redundant(statement, report);
    let known = Forms::of(statement, catalog);
    let every_action_known = known.is_some();
    let Some(forms) = known.or_else(|| Forms::of_services(statement, catalog)) else { return };
    let (ActionElement::Action(actions), ResourceElement::Resource(resources)) =
        (&statement.action, &statement.resource)
    else {
        return;
    };
    let candidates: Vec<(&str, Span, Option<Glob>)> =
        resources.iter().map(|r| (r.value.as_str(), r.span, glob(r.value.as_str()))).collect();
    if actions.is_empty()
        || resources.is_empty()
        || candidates.iter().any(|(text, _, glob)| *text == "*" || glob.is_none())
    {
        return;
    }
    for (text, span, glob) in &candidates {
        if glob.as_ref().is_some_and(|glob| !forms.any_meets(text, glob)) {
            let message = format!("`{text}` can be no resource of the actions of this statement");
            report.warning(Code::DeadResource, *span, message, forms.hint());
        }
    }
    for action in actions.iter().filter(|a| every_action_known && !a.value.has_wildcard()) {
        let Some(facts) = matched(action.value.as_str(), catalog).first().copied() else { continue };
        let reached = candidates.iter().any(|(text, _, g)| g.as_ref().is_some_and(|g| meets(&facts, text, g)));
        if !reached {
            unreached(statement.effect, &facts, action.span, report);
        }
    }
}

/// Patterns that another one beside them includes.
fn redundant(statement: &Statement, report: &mut Report<'_>) {
    let ResourceElement::Resource(resources) = &statement.resource else { return };
    // Lists of hundreds are generated; to compare each with each is not worth the wait.
    if resources.len() > MOST_COMPARED {
        return report.not_compared(statement.span, "resources", resources.len());
    }
    let budget = Budget::new(QUESTION / 4);
    let texts = resources.iter().map(|r| (r.value.as_str(), r.span));
    let candidates: Vec<(&str, Span, Glob)> = texts
        .filter(|(text, _)| !placeholder(text))
        .map(|(text, span)| (text, span, Glob::parse(text, Reading::resource(PolicyVersion::V2012))))
        .collect();
    for (at, (text, span, glob)) in candidates.iter().enumerate() {
        let wider = candidates.iter().enumerate().find(|(other, (_, _, wide))| {
            *other != at && wide.includes_within(glob, &budget) && (!glob.includes_within(wide, &budget) || *other < at)
        });
        if budget.is_spent() {
            return report.not_compared(statement.span, "resources", resources.len());
        }
        if let Some((_, (wide, _, _))) = wider {
            let message = match text == wide {
                true => format!("`{text}` stands twice"),
                false => format!("`{text}` is part of `{wide}`, which stands beside it"),
            };
            report.note(Code::RedundantEntry, *span, message, "remove it");
        }
    }
}

fn unreached(effect: Effect, facts: &ActionFacts<'_>, span: Span, report: &mut Report<'_>) {
    let does = if effect == Effect::Deny { "denied" } else { "allowed" };
    let action = facts.action();
    let hint = match plainest(facts.resource_types().flat_map(|t| t.arn_patterns())) {
        None => "the action takes no resource: only `\"Resource\": \"*\"` covers it".to_owned(),
        Some(form) => format!("its resources look like `{}`", form.as_str()),
    };
    let message = format!("`{action}` is not {does}: no resource of this statement can be one of its resources");
    report.warning(Code::DeadAction, span, message, hint);
}

/// Whether no resource of the statement can be one of its actions' resources.
pub(super) fn matches_nothing(statement: &Statement, catalog: &Catalog) -> bool {
    let (Some(forms), ResourceElement::Resource(resources)) = (Forms::of(statement, catalog), &statement.resource)
    else {
        return false;
    };
    let dead = |text: &str| text != "*" && glob(text).is_some_and(|glob| !forms.any_meets(text, &glob));
    !resources.is_empty() && resources.iter().all(|r| dead(r.value.as_str()))
}

/// The actions of a statement, where all of them are known and none is `*`.
struct Forms<'c> {
    actions: Vec<ActionFacts<'c>>,
}

impl<'c> Forms<'c> {
    fn of(statement: &Statement, catalog: &'c Catalog) -> Option<Self> {
        let ActionElement::Action(patterns) = &statement.action else { return None };
        let mut actions = Vec::new();
        for pattern in patterns {
            let before = actions.len();
            actions.extend(matched(pattern.value.as_str(), catalog));
            if actions.len() == before {
                return None;
            }
        }
        Some(Self { actions })
    }

    /// Where AWS does not publish one of the actions: whatever its services have. What is a resource of none of them is no
    /// resource of that action either.
    fn of_services(statement: &Statement, catalog: &'c Catalog) -> Option<Self> {
        let ActionElement::Action(patterns) = &statement.action else { return None };
        let mut actions = Vec::new();
        for service in patterns.iter().map(|pattern| pattern.value.as_str().split_once(':').map(|(service, _)| service))
        {
            let before = actions.len();
            actions.extend(catalog.service_actions(service?));
            if actions.len() == before {
                return None;
            }
        }
        Some(Self { actions })
    }

    fn any_meets(&self, text: &str, glob: &Glob) -> bool {
        self.actions.iter().any(|facts| meets(facts, text, glob))
    }

    fn hint(&self) -> String {
        let types = self.actions.iter().flat_map(ActionFacts::resource_types);
        match plainest(types.flat_map(|t| t.arn_patterns())) {
            Some(form) => format!("their resources look like `{}`", form.as_str()),
            None => "they take no resource: only `\"Resource\": \"*\"` covers them".into(),
        }
    }
}

/// The shortest form is the one people know.
fn plainest<'c>(forms: impl Iterator<Item = ArnPattern<'c>>) -> Option<ArnPattern<'c>> {
    forms.min_by_key(|form| form.as_str().len())
}

/// Whether a pattern and one of the action's ARN forms have an ARN in common.
fn meets(facts: &ActionFacts<'_>, text: &str, glob: &Glob) -> bool {
    // Every resource of a service: some services check such a name for actions that take none.
    if !facts.takes_resource() && text.splitn(6, ':').nth(5) == Some("*") {
        return true;
    }
    // The root user has no form of its own in the reference; actions on users may be about it.
    let root = facts.service() == "iam" && text.ends_with(":root");
    if root && facts.resource_types().any(|resource| resource.name() == "user") {
        return true;
    }
    facts.resource_types().any(|resource| resource.arn_patterns().any(|form| overlaps(form.as_str(), glob)))
}

fn overlaps(form: &str, glob: &Glob) -> bool {
    let whole = [arn_glob(&filled(form, "*"))];
    if whole.iter().all(|shape| shape.disjoint(glob)) {
        return false;
    }
    // Names of buckets hold no slash: `bucket/*` is no bucket.
    let Some(excluded) = form.contains("${BucketName}").then(|| arn_glob(&filled(form, "*/*"))) else { return true };
    if !form.ends_with("${BucketName}") {
        return true;
    }
    let required = [std::slice::from_ref(glob), &whole];
    let problem = Problem { required: required.to_vec(), excluded: vec![&excluded], domain: &[] };
    decide(&problem, Caps::on(&Budget::new(QUESTION / 100))) != Answer::Empty
}

/// A form with its variables replaced: bucket names by `bucket`, all others by `*`.
fn filled(form: &str, bucket: &str) -> String {
    let mut out = String::with_capacity(form.len());
    let mut rest = form;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, tail) = after.split_once('}').unwrap_or((after, ""));
        out.push_str(before);
        out.push_str(if name == "BucketName" { bucket } else { "*" });
        rest = tail;
    }
    out.push_str(rest);
    out
}

fn arn_glob(text: &str) -> Glob {
    Glob::parse(text, Reading::resource(PolicyVersion::V2008))
}

/// The pattern, its variables widened; nothing for a text that a template fills in.
fn glob(text: &str) -> Option<Glob> {
    let named = with_names(text);
    let text = named.as_str();
    let variables = text.contains("${") && !text.contains("${AWS::");
    if placeholder(text) && !variables {
        return None;
    }
    Some(Glob::parse(text, Reading::resource(PolicyVersion::V2012)).widened())
}

/// A text in which `[SOME_NAME]` is filled in: by a name, which has neither a wildcard nor a slash.
fn with_names(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        out.push_str(before);
        let name = after.split_once(']').filter(|(name, _)| {
            !name.is_empty() && !name.contains("PATH") && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
        });
        match name {
            Some((_, tail)) => {
                out.push('x');
                rest = tail;
            }
            None => {
                out.push('[');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn form(text: &str, span: Span, kind: PolicyKind, report: &mut Report<'_>) {
    // The policy of an API may name its own paths for short.
    let is_own_path = kind == PolicyKind::Resource && text.starts_with("execute-api:/");
    if text == "*" || placeholder(text) || is_own_path {
        return;
    }
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let refuse = |report: &mut Report<'_>, what: &str, hint: &str| {
        report.error(Code::InvalidArn, span, format!("`{text}` {what}"), hint);
    };
    let open_ended = text.ends_with('*');
    let of_identity = matches!(kind, PolicyKind::Identity | PolicyKind::Boundary);
    match parts.as_slice() {
        [scheme, ..] if *scheme != "arn" && !scheme.starts_with('*') && *scheme != "arn*" => {
            refuse(report, "is not an ARN", "write `arn:partition:service:region:account:resource`, or `*`");
        }
        [_, partition, ..] if !is_partition(partition) => {
            refuse(report, "names no partition of AWS", "one of `aws`, `aws-cn`, `aws-us-gov`, or `*`");
        }
        [_, _, service, _, ..] if of_identity && service.contains(['*', '?']) => {
            refuse(report, "names a service by a wildcard, which IAM refuses", "name the service, or write `*` alone");
        }
        [_, _, _, region, ..] if !is_region(region) => {
            refuse(
                report,
                "names no Region in its fourth part",
                "a Region such as `eu-west-1`, a wildcard, or nothing",
            );
        }
        [_, _, _, _, account, ..] if !is_account(account) => {
            refuse(report, "names no account", "an account is twelve digits, `aws`, a wildcard, or nothing");
        }
        [_, _, _, _, _, ""] => {
            refuse(report, "names no resource", "name it after the fifth colon");
        }
        parts if parts.len() < 6 && !open_ended => {
            refuse(report, "is not a whole ARN", "write `arn:partition:service:region:account:resource`, or `*`");
        }
        _ => {}
    }
}

fn is_partition(text: &str) -> bool {
    text.contains(['*', '?']) || text == "aws" || text.starts_with("aws-")
}

/// Whether a text may be the name of a Region, or matches some.
fn is_region(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'*' | b'?'))
}

fn is_account(text: &str) -> bool {
    let digits = AccountId::is_number(text);
    digits
        || text.is_empty()
        || text.contains(['*', '?'])
        || matches!(text, "aws" | "aws-managed" | "cloudfront" | "amazon")
}
