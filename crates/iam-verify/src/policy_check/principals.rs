//! Principals: where they may stand, and their form.

use iam_model::arn::AccountId;
use iam_model::diagnostic::Code;
use iam_model::policy::{Effect, PrincipalElement, PrincipalPattern, Statement};
use iam_model::text::{Span, Spanned};

use super::PolicyKind;
use super::actions::placeholder;
use super::report::Report;

pub(super) fn check(statement: &Statement, kind: PolicyKind, report: &mut Report<'_>) {
    let Some(element) = &statement.principal else { return missing(statement, kind, report) };
    match kind {
        PolicyKind::Identity | PolicyKind::Boundary | PolicyKind::ServiceControl => {
            let message = format!("a {} names no principal: it is about those it is attached to", kind.as_str());
            report.error(Code::ElementMisplaced, statement.span, message, "remove `Principal`");
            return;
        }
        PolicyKind::ResourceControl => control(element, statement.span, report),
        PolicyKind::Resource | PolicyKind::Trust | PolicyKind::VpcEndpoint => {}
    }
    if let (PolicyKind::Trust, Effect::Allow, PrincipalElement::Principal(entries)) = (kind, statement.effect, element)
    {
        mismatched(entries, statement, report);
    }
    match element {
        PrincipalElement::NotPrincipal(_) if statement.effect == Effect::Allow => {
            let message = "`NotPrincipal` with Allow lets in everyone that is not listed, strangers too".to_owned();
            report.error(Code::InvalidPrincipal, statement.span, message, "list whom to let in under `Principal`");
        }
        PrincipalElement::Principal(entries) | PrincipalElement::NotPrincipal(entries) => {
            for entry in entries {
                one(&entry.value, entry.span, report);
            }
        }
    }
}

/// Roles are assumed by another action for each kind of principal.
fn mismatched(entries: &[Spanned<PrincipalPattern>], statement: &Statement, report: &mut Report<'_>) {
    let kind = |entry: &Spanned<PrincipalPattern>| match &entry.value {
        PrincipalPattern::Federated(name) if name.contains(":saml-provider/") => "sts:assumerolewithsaml",
        PrincipalPattern::Federated(_) => "sts:assumerolewithwebidentity",
        _ => "sts:assumerole",
    };
    let Some(first) = entries.first() else { return };
    let own = kind(first);
    for action in statement.action.patterns().iter().filter(|_| entries.iter().all(|entry| kind(entry) == own)) {
        let text = action.value.as_str().to_ascii_lowercase();
        let assumes = ["sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity"];
        if text != own && assumes.contains(&text.as_str()) {
            let message = format!("`{}` is not how a principal of this kind assumes a role", action.value);
            let right = match own {
                "sts:assumerolewithsaml" => "sts:AssumeRoleWithSAML",
                "sts:assumerolewithwebidentity" => "sts:AssumeRoleWithWebIdentity",
                _ => "sts:AssumeRole",
            };
            report.error(Code::InvalidPrincipal, action.span, message, format!("write `{right}`"));
        }
    }
}

fn missing(statement: &Statement, kind: PolicyKind, report: &mut Report<'_>) {
    if matches!(kind, PolicyKind::Resource | PolicyKind::Trust | PolicyKind::ResourceControl) {
        let message = format!("a statement of a {} says for whom it is", kind.as_str());
        report.error(Code::ElementMisplaced, statement.span, message, "add `Principal`");
    }
}

fn control(element: &PrincipalElement, span: Span, report: &mut Report<'_>) {
    let everyone = matches!(element, PrincipalElement::Principal(entries)
        if entries.iter().all(|entry| entry.value == PrincipalPattern::Everyone));
    if !everyone {
        let message = "a resource control policy is for everyone".to_owned();
        report.error(
            Code::ElementMisplaced,
            span,
            message,
            "write `\"Principal\": \"*\"`, and exempt callers with a condition on `aws:PrincipalArn`",
        );
    }
}

fn one(pattern: &PrincipalPattern, span: Span, report: &mut Report<'_>) {
    let mut refuse = |message: String, hint: &str| report.error(Code::InvalidPrincipal, span, message, hint);
    match pattern {
        PrincipalPattern::Aws(text) if !placeholder(text) => {
            let unique = text.len() >= 16 && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
            let account = AccountId::is_number(text);
            if unique || account {
                return;
            }
            let parts: Vec<&str> = text.splitn(6, ':').collect();
            let (Some(&"arn"), Some(&service), Some(&number)) = (parts.first(), parts.get(2), parts.get(4)) else {
                return refuse(
                    format!("`{text}` is no principal"),
                    "an account id of twelve digits, the ARN of a user, role or session, or `*`",
                );
            };
            let twelve = AccountId::is_number(number);
            if text.contains(['*', '?']) {
                refuse(
                    format!("`{text}` holds a wildcard, and AWS takes it for a name"),
                    "trust the account, and narrow it with a condition on `aws:PrincipalArn`",
                );
            } else if !matches!(service, "iam" | "sts") || !(twelve || number == "cloudfront") {
                refuse(format!("`{text}` names no user, role, session or account"), "give the ARN of one");
            }
        }
        PrincipalPattern::Service(text) if !placeholder(text) => {
            let known = text.ends_with(".amazonaws.com")
                || text.ends_with(".amazonaws.com.cn")
                || text.ends_with(".amazon.com")
                || text.ends_with(".aws.internal");
            if !known {
                refuse(format!("`{text}` is no service"), "services are named `name.amazonaws.com`");
            }
        }
        _ => {}
    }
}
