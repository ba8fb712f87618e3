//! What is asked of a policy: for everyone from outside whom a statement names, the actions and resources it speaks of.
//!
//! Offers questions; whether they are allowed is for evaluation.

use std::collections::BTreeSet;

use iam_evaluate::glob::{Glob, Reading};
use iam_model::action::Action;
use iam_model::arn::{AccountId, Arn};
use iam_model::policy::{
    ActionElement, Effect, PolicyDocument, PrincipalElement, PrincipalPattern, ResourceElement, Statement,
};

use super::outsider::Outsider;
use super::provider::open_to_all;
use crate::judge::fill;
use crate::survey::Survey;

/// A question.
pub(super) struct Probe {
    pub(super) who: Outsider,
    pub(super) action: Action,
    pub(super) resource: Arn,
}

/// Actions that matter most, asked for where a wildcard covers them.
const TELLING: &[&str] = &[
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "ecr:BatchGetImage",
    "ecr:PutImage",
    "es:ESHttpGet",
    "events:PutEvents",
    "execute-api:Invoke",
    "kms:Decrypt",
    "kms:PutKeyPolicy",
    "lambda:InvokeFunction",
    "lambda:InvokeFunctionUrl",
    "lambda:UpdateFunctionCode",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:PutObject",
    "secretsmanager:GetSecretValue",
    "sns:Publish",
    "sns:Subscribe",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
    "sts:AssumeRole",
    "sts:AssumeRoleWithWebIdentity",
];

/// Everything worth asking of a policy.
pub(super) fn probes(
    survey: &Survey<'_>,
    on: &Arn,
    document: &PolicyDocument,
    not_checked: &mut BTreeSet<String>,
) -> Vec<Probe> {
    let mut probes = Vec::new();
    for statement in document.statements.iter().filter(|s| s.effect != Effect::Deny) {
        let outsiders = outsiders(survey, statement, on, not_checked);
        if outsiders.is_empty() {
            continue;
        }
        let (actions, resources) = (actions(statement, on), resources(statement, on));
        for who in &outsiders {
            for action in actions.iter().filter(|action| is_possible(who, action)) {
                for resource in &resources {
                    probes.push(Probe { who: who.clone(), action: action.clone(), resource: resource.clone() });
                }
            }
        }
    }
    probes
}

/// Lambda takes unsigned requests by a function's URL only, and roles none.
fn is_possible(who: &Outsider, action: &Action) -> bool {
    let signed = matches!(action.service(), "lambda" | "sts" | "kms" | "secretsmanager" | "dynamodb");
    *who != Outsider::Anonymous || !signed || action.as_str().eq_ignore_ascii_case("lambda:InvokeFunctionUrl")
}

fn outsiders(
    survey: &Survey<'_>,
    statement: &Statement,
    on: &Arn,
    not_checked: &mut BTreeSet<String>,
) -> BTreeSet<Outsider> {
    let mut found = BTreeSet::new();
    let patterns = match &statement.principal {
        Some(PrincipalElement::Principal(patterns)) => patterns.as_slice(),
        Some(PrincipalElement::NotPrincipal(_)) => {
            found.extend([Outsider::Anonymous, Outsider::Stranger]);
            &[]
        }
        None => &[],
    };
    for pattern in patterns {
        match &pattern.value {
            PrincipalPattern::Everyone => found.extend([Outsider::Anonymous, Outsider::Stranger]),
            PrincipalPattern::Aws(text) => found.extend(outside(survey, text)),
            PrincipalPattern::Service(name) => _ = found.insert(Outsider::Service(name.clone())),
            PrincipalPattern::Federated(name) => {
                if open_to_all(name).is_some() {
                    found.insert(Outsider::Provider(name.clone()));
                }
            }
            PrincipalPattern::CanonicalUser(_) | PrincipalPattern::Unknown { .. } => {
                not_checked.insert(format!("{on}: whom its policy names by something other than an ARN"));
            }
        }
    }
    found
}

/// Someone of an account that is neither in the snapshot nor in its organisation.
fn outside(survey: &Survey<'_>, text: &str) -> Option<Outsider> {
    let account: AccountId = text.parse().ok().or_else(|| text.parse::<Arn>().ok()?.account())?;
    let snapshot = survey.index.snapshot();
    let known = snapshot.accounts.contains_key(&account)
        || snapshot.organization.as_ref().is_some_and(|o| o.accounts.contains_key(&account));
    (!known).then(|| Outsider::Named { account, text: text.to_owned() })
}

/// What a statement's action patterns stand for.
fn actions(statement: &Statement, on: &Arn) -> BTreeSet<Action> {
    let globs: Vec<Glob> =
        statement.action.patterns().iter().map(|p| Glob::parse(p.value.as_str(), Reading::ACTION)).collect();
    let named = matches!(statement.action, ActionElement::Action(_));
    let service = if on.service() == "iam" { "sts" } else { on.service() };
    let covered = |action: &&&str| {
        action.split(':').next() == Some(service) && globs.iter().any(|glob| glob.matches(action)) == named
    };
    let mut found: BTreeSet<Action> = TELLING.iter().filter(covered).filter_map(|action| action.parse().ok()).collect();
    if named {
        let literal = statement.action.patterns().iter().filter(|pattern| !pattern.value.has_wildcard());
        found.extend(literal.filter_map(|pattern| pattern.value.as_str().parse().ok()));
        if found.is_empty() {
            let filled = statement.action.patterns().iter().map(|p| p.value.as_str().replace(['*', '?'], "x"));
            found.extend(filled.filter_map(|text| text.parse().ok()));
        }
    }
    found
}

/// The resource, and what else of it the statement names.
fn resources(statement: &Statement, on: &Arn) -> BTreeSet<Arn> {
    let mut found = BTreeSet::from([on.clone()]);
    if let (ResourceElement::Resource(patterns), Some(account)) = (&statement.resource, on.account().or_else(nobody)) {
        let below = patterns.iter().filter(|pattern| pattern.value.as_str().starts_with(on.as_str()));
        found.extend(below.filter_map(|pattern| fill(pattern.value.as_str(), account.as_str())?.parse().ok()));
    }
    if on.service() == "s3" {
        found.extend(format!("{on}/new").parse());
    }
    found
}

/// Buckets name no account.
fn nobody() -> Option<AccountId> {
    "000000000000".parse().ok()
}
