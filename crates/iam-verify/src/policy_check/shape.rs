//! The shape of a document: elements its kind does not take, statement ids, the version, and size quotas.
//!
//! Follows the IAM topics "Grammar of the IAM JSON policy language" and "IAM and AWS STS quotas", and the AWS
//! Organizations topics "SCP syntax", "RCP syntax" and "Quotas".

use std::collections::BTreeSet;

use iam_model::diagnostic::Code;
use iam_model::policy::{
    ActionElement, Effect, PolicyDocument, PolicyVersion, PrintStyle, ResourceElement, Statement, compact_len, print,
};
use iam_model::quota::QuotaProfile;
use iam_model::text::Span;

use super::PolicyKind;
use super::report::Report;

pub(super) fn check(document: &PolicyDocument, kind: PolicyKind, report: &mut Report<'_>) {
    if document.statements.is_empty() && document.unknown.is_empty() {
        let message = "the policy holds no statement".to_owned();
        report.warning(Code::DeadStatement, Span::default(), message, "add one, or remove the policy");
    }
    let mut sids = BTreeSet::new();
    for statement in &document.statements {
        sid(statement, kind, &mut sids, report);
        elements(statement, kind, report);
        empty_lists(statement, report);
        variables(document, statement, report);
    }
    size(document, kind, report);
}

fn sid<'d>(statement: &'d Statement, kind: PolicyKind, seen: &mut BTreeSet<&'d str>, report: &mut Report<'_>) {
    let Some(sid) = statement.sid.as_deref().filter(|sid| !sid.is_empty()) else { return };
    if !seen.insert(sid) {
        let message = format!("the statement id `{sid}` stands twice");
        report.error(Code::InvalidSid, statement.span, message, "give each statement an id of its own");
    }
    let of_identity = matches!(kind, PolicyKind::Identity | PolicyKind::Boundary);
    if of_identity && !sid.bytes().all(|b| b.is_ascii_alphanumeric()) {
        let message = format!("the statement id `{sid}` holds other characters than letters and digits");
        report.error(Code::InvalidSid, statement.span, message, "IAM refuses it: use A-Z, a-z and 0-9");
    }
}

fn elements(statement: &Statement, kind: PolicyKind, report: &mut Report<'_>) {
    let mut refuse = |message: &str, hint: &str| {
        report.error(Code::ElementMisplaced, statement.span, message.to_owned(), hint);
    };
    match (kind, &statement.resource) {
        (PolicyKind::Trust, ResourceElement::Resource(_) | ResourceElement::NotResource(_)) => {
            refuse("a trust policy names no resource: the role itself is meant", "remove `Resource`");
        }
        (PolicyKind::Trust, ResourceElement::Absent)
        | (_, ResourceElement::Resource(_) | ResourceElement::NotResource(_)) => {}
        (_, ResourceElement::Absent) => refuse("the statement names no resource", "add `Resource`"),
    }
    if kind == PolicyKind::ResourceControl {
        if statement.effect == Effect::Allow {
            refuse("a resource control policy only denies", "write a Deny; what it does not deny stays as it is");
        }
        match &statement.action {
            ActionElement::NotAction(_) => refuse("a resource control policy takes no `NotAction`", "list the actions"),
            ActionElement::Action(patterns) if patterns.iter().any(|p| p.value.as_str() == "*") => {
                refuse("a resource control policy does not take the bare action `*`", "name services: `s3:*`");
            }
            ActionElement::Action(_) => {}
        }
    }
    if kind == PolicyKind::Trust {
        let wrong = |text: &str| text != "*" && !text.to_ascii_lowercase().starts_with("sts:");
        if let Some(pattern) = statement.action.patterns().iter().find(|p| wrong(p.value.as_str())) {
            let message = format!("`{}` does nothing in a trust policy", pattern.value);
            report.error(
                Code::ElementMisplaced,
                pattern.span,
                message,
                "a trust policy allows `sts:AssumeRole` and the like",
            );
        }
    }
}

/// An empty list is matched by nothing, so what it stands in decides nothing; `Not…` of nothing is everything.
fn empty_lists(statement: &Statement, report: &mut Report<'_>) {
    let action = match &statement.action {
        ActionElement::Action(list) => (list.is_empty(), "Action"),
        ActionElement::NotAction(list) => (list.is_empty(), "NotAction"),
    };
    let resource = match &statement.resource {
        ResourceElement::Resource(list) => (list.is_empty(), "Resource"),
        ResourceElement::NotResource(list) => (list.is_empty(), "NotResource"),
        ResourceElement::Absent => (false, ""),
    };
    for (_, name) in [action, resource].into_iter().filter(|(empty, _)| *empty && statement.unknown.is_empty()) {
        let meaning =
            if name.starts_with("Not") { "the statement is about everything" } else { "the statement does nothing" };
        let message = format!("`{name}` is an empty list: {meaning}");
        report.warning(Code::DeadStatement, statement.span, message, "fill it, or remove the statement");
    }
}

/// `${…}` is a variable in version 2012-10-17 only.
fn variables(document: &PolicyDocument, statement: &Statement, report: &mut Report<'_>) {
    if document.effective_version() == PolicyVersion::V2012 {
        return;
    }
    let is_variable = |text: &str| {
        text.split("${")
            .skip(1)
            .filter_map(|rest| rest.split_once('}'))
            .any(|(name, _)| name.contains(':') && !name.starts_with("AWS::"))
    };
    let resources = statement.resource.patterns().iter().map(|p| (p.value.as_str(), p.span));
    let values = statement.conditions.iter().flat_map(|c| &c.values).map(|v| (v.value.as_str(), v.span));
    let first: Option<(&str, Span)> = resources.chain(values).find(|(text, _)| is_variable(text));
    if let Some((text, span)) = first {
        let version = document.version.map_or("no `Version`", |_| "version 2008-10-17");
        let message = format!("`{text}` is taken literally: the policy has {version}");
        report.error(Code::VariableWithoutVersion, span, message, "write `\"Version\": \"2012-10-17\"`");
    }
}

const AWS: QuotaProfile = QuotaProfile::AWS;

/// What AWS lets a policy of a kind be: characters, whether white space counts, and what the bound is called.
struct Quota {
    most: usize,
    white_space: bool,
    hard: bool,
    name: &'static str,
}

const fn quota(kind: PolicyKind) -> &'static [Quota] {
    match kind {
        PolicyKind::Identity | PolicyKind::Boundary => &[
            Quota {
                most: AWS.inline_of_role,
                white_space: false,
                hard: true,
                name: "for the inline policies of a role",
            },
            Quota { most: AWS.managed, white_space: false, hard: false, name: "for a managed policy" },
        ],
        PolicyKind::Trust => &[
            Quota {
                most: QuotaProfile::RAISED.trust,
                white_space: false,
                hard: true,
                name: "to which AWS raises the quota of trust policies",
            },
            Quota {
                most: AWS.trust,
                white_space: false,
                hard: false,
                name: "for a trust policy, unless AWS raised it",
            },
        ],
        PolicyKind::ServiceControl => {
            &[Quota { most: AWS.service_control, white_space: true, hard: true, name: "for a service control policy" }]
        }
        PolicyKind::ResourceControl => &[Quota {
            most: AWS.resource_control,
            white_space: true,
            hard: true,
            name: "for a resource control policy",
        }],
        PolicyKind::VpcEndpoint => {
            &[Quota { most: AWS.vpc_endpoint, white_space: true, hard: true, name: "for an endpoint policy" }]
        }
        PolicyKind::Resource => &[Quota {
            most: AWS.resource,
            white_space: false,
            hard: false,
            name: "for a bucket policy and most others",
        }],
    }
}

fn size(document: &PolicyDocument, kind: PolicyKind, report: &mut Report<'_>) {
    let span = document.statements.first().map(|s| s.span).unwrap_or_default();
    let Some((message, hard)) = over(document, kind) else { return };
    let hint = "split it into several policies, or shorten it";
    if hard {
        report.error(Code::QuotaExceeded, span, message, hint);
    } else {
        report.warning(Code::QuotaExceeded, span, message, hint);
    }
}

/// The first quota that a document exceeds, in words with the figures, and whether AWS refuses it for that.
pub(super) fn over(document: &PolicyDocument, kind: PolicyKind) -> Option<(String, bool)> {
    quota(kind).iter().find_map(|quota| {
        let counted = if quota.white_space {
            print(document, PrintStyle::Compact).chars().count()
        } else {
            compact_len(document)
        };
        let message = || format!("{counted} characters are more than the {} {}", quota.most, quota.name);
        (counted > quota.most).then(|| (message(), quota.hard))
    })
}
