//! Principals as texts, so that they are compared as patterns like everything else: `aws:<arn>`,
//! `service:<name>`, `federated:<provider>`, `canonical:<id>`.
//!
//! Follows the IAM User Guide topic "AWS JSON policy elements: Principal": an account id and its `:root` mean the
//! whole account, a role means all its sessions, and `*` means everyone.

use iam_model::arn::AccountId;
use iam_model::policy::PrincipalPattern;

use super::statement::Side;
use crate::glob::{Case, Glob, Reading, Wildcards};

const LITERAL: Reading = Reading { case: Case::Sensitive, wildcards: Wildcards::Literal, variables: false };
const PATTERN: Reading = Reading { case: Case::Sensitive, wildcards: Wildcards::Anywhere, variables: false };
const BY_SEGMENT: Reading = Reading { case: Case::Sensitive, wildcards: Wildcards::BySegment, variables: false };

/// The patterns of a principal list, and whether all of it was understood.
pub(crate) fn globs<'p>(patterns: impl Iterator<Item = &'p PrincipalPattern>) -> (Vec<Glob>, bool) {
    let mut globs = Vec::new();
    let mut understood = true;
    for pattern in patterns {
        understood &= add(pattern, &mut globs);
    }
    (globs, understood)
}

fn add(pattern: &PrincipalPattern, globs: &mut Vec<Glob>) -> bool {
    match pattern {
        PrincipalPattern::Everyone => globs.push(Glob::everything()),
        PrincipalPattern::Aws(text) => return add_aws(text, globs),
        PrincipalPattern::Service(name) => globs.push(Glob::parse(&format!("service:{name}"), LITERAL)),
        // `*` stands in AWS's own trust policy samples.
        PrincipalPattern::Federated(name) => globs.push(Glob::parse(&format!("federated:{name}"), PATTERN)),
        // The account behind a canonical id is not known: alike only to itself, and possibly anyone.
        PrincipalPattern::CanonicalUser(id) => {
            globs.push(Glob::parse(&format!("canonical:{id}"), LITERAL));
            return false;
        }
        PrincipalPattern::Unknown { kind, value } => {
            globs.push(Glob::parse(&format!("unknown:{kind}:{value}"), LITERAL));
            return false;
        }
    }
    true
}

fn add_aws(text: &str, globs: &mut Vec<Glob>) -> bool {
    if text == "*" {
        globs.push(Glob::everything());
        return true;
    }
    if let Some(account) = account_of(text) {
        globs.push(Glob::parse(&format!("aws:arn:*:*::{account}:*"), BY_SEGMENT));
        return true;
    }
    globs.push(Glob::parse(&format!("aws:{text}"), LITERAL));
    if text.contains(['*', '?']) || !text.starts_with("arn:") {
        return false;
    }
    if let Some((account, name)) = role_of(text) {
        let mut tokens =
            Glob::parse(&format!("aws:arn:aws:sts::{account}:assumed-role/{name}/"), LITERAL).tokens().to_vec();
        tokens.extend(Glob::everything().tokens().iter().cloned());
        globs.push(Glob::from_tokens(tokens));
    }
    true
}

/// The account of an account principal, in either of its forms.
fn account_of(text: &str) -> Option<&str> {
    let account = match text.strip_prefix("arn:") {
        Some(rest) => rest.strip_suffix(":root")?.split_once(":iam::")?.1,
        None => text,
    };
    (AccountId::is_number(account)).then_some(account)
}

/// Account and name (without path) of a role ARN.
fn role_of(text: &str) -> Option<(&str, &str)> {
    let (account, role) = text.split_once(":iam::")?.1.split_once(":role/")?;
    Some((account, role.rsplit('/').next()?))
}

/// What principals there are: AWS principals by ARN, services, identity providers.
pub(crate) fn domain() -> Vec<Glob> {
    ["aws:arn:aws:iam::?*:?*", "aws:arn:aws:sts::?*:?*", "service:?*", "federated:?*"]
        .iter()
        .map(|text| Glob::parse(text, PATTERN))
        .collect()
}

/// Principals a person would recognise, the likeliest first; examples are looked for here before anywhere else.
pub(crate) fn likely() -> Vec<Glob> {
    [
        "aws:arn:aws:iam::444455556666:user/?*",
        "aws:arn:aws:iam::????????????:user/?*",
        "aws:arn:aws:sts::????????????:assumed-role/?*/?*",
        "aws:arn:aws:iam::????????????:role/?*",
        "aws:arn:aws:iam::777788889999:user/?*",
        "service:?*.amazonaws.com",
        "federated:arn:aws:iam::444455556666:saml-provider/?*",
        "federated:accounts.google.com",
        "federated:?*",
    ]
    .iter()
    .map(|text| Glob::parse(text, PATTERN))
    .collect()
}

/// Everyone.
pub(crate) fn everyone() -> Side {
    Side::everything()
}
