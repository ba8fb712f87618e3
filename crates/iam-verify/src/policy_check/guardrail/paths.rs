//! Names of roles, users and policies that a path gets past.
//!
//! Follows the IAM User Guide topics "IAM identifiers" (paths) and "AWS managed applications: reserved roles".

use iam_model::diagnostic::Code;
use iam_model::policy::{ResourceElement, Statement};
use iam_model::text::Span;

use super::super::report::Report;

/// Roles of IAM Identity Center; their path names a Region wherever the instance is not in us-east-1.
const IDENTITY_CENTER: &str = "role/aws-reserved/sso.amazonaws.com/AWSReservedSSO";

pub(super) fn check(statement: &Statement, report: &mut Report<'_>) {
    if let ResourceElement::Resource(resources) = &statement.resource {
        for pattern in resources {
            beside_a_path(pattern.value.as_str(), pattern.span, report);
            without_region(pattern.value.as_str(), pattern.span, report);
            root_user(pattern.value.as_str(), pattern.span, report);
        }
    }
    for value in statement.conditions.iter().flat_map(|condition| &condition.values) {
        without_region(&value.value, value.span, report);
    }
}

fn beside_a_path(text: &str, span: Span, report: &mut Report<'_>) {
    let mut parts = text.splitn(6, ':').skip(2);
    let (service, name) = (parts.next(), parts.nth(2));
    let (Some("iam"), Some((kind, name))) = (service, name.and_then(|name| name.split_once('/'))) else { return };
    let starts = name.find(['*', '?']);
    if matches!(kind, "role" | "user" | "policy") && !name.contains('/') && starts.is_some_and(|at| at > 0) {
        let message = format!("`{text}` does not cover a {kind} under a path, such as `{kind}/app/{name}`");
        let hint = format!("add `{kind}/*/{name}`, or keep others from choosing paths");
        report.warning(Code::PathTrap, span, message, hint);
    }
}

/// Actions on users take users; the root user is none of them.
fn root_user(text: &str, span: Span, report: &mut Report<'_>) {
    let mut parts = text.splitn(6, ':').skip(2);
    if let (Some("iam"), Some("root")) = (parts.next(), parts.nth(2)) {
        let message = format!("`{text}` is who calls, and no resource of these actions");
        let hint = "write `\"Resource\": \"*\"` and `\"ArnLike\": {\"aws:PrincipalArn\": \"arn:aws:iam::*:root\"}`";
        report.warning(Code::DeadResource, span, message, hint);
    }
}

fn without_region(text: &str, span: Span, report: &mut Report<'_>) {
    if text.splitn(6, ':').nth(5).is_some_and(|name| name.starts_with(IDENTITY_CENTER)) {
        let message =
            format!("`{text}` misses the Region in the path that roles of Identity Center have outside us-east-1");
        report.warning(Code::PathTrap, span, message, "write `role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_…`");
    }
}
