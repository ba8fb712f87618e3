//! Whom a principal element names, and what a grant to that name is limited by.
//!
//! Follows the IAM User Guide topics "AWS JSON policy elements: Principal", "… NotPrincipal" and, for the limits,
//! "Policy evaluation for requests within a single account" > "Evaluating resource-based policies".

#[cfg(test)]
mod tests;

use iam_model::arn::AccountId;
use iam_model::policy::{PrincipalElement, PrincipalPattern};

use crate::principal::Principal;
use crate::truth::Truth;

/// How a statement names the caller, by what limits a grant made that way in the same account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Named {
    /// By itself, or by everyone: limited by nothing.
    pub(crate) fully: Truth,
    /// By its role or user: limited by boundary and session policies.
    pub(crate) limited: Truth,
    /// By its account: delegated to the identity policies.
    pub(crate) account: Truth,
}

impl Named {
    const NO: Self = Self { fully: Truth::No, limited: Truth::No, account: Truth::No };

    const fn fully(truth: Truth) -> Self {
        Self { fully: truth, ..Self::NO }
    }

    const fn limited(truth: Truth) -> Self {
        Self { limited: truth, ..Self::NO }
    }

    const fn account(truth: Truth) -> Self {
        Self { account: truth, ..Self::NO }
    }

    /// Whether the caller is named in any way.
    pub(crate) fn at_all(self) -> Truth {
        self.fully.or(self.limited).or(self.account)
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            fully: self.fully.or(other.fully),
            limited: self.limited.or(other.limited),
            account: self.account.or(other.account),
        }
    }

    pub(crate) fn and(self, truth: Truth) -> Self {
        Self { fully: self.fully.and(truth), limited: self.limited.and(truth), account: self.account.and(truth) }
    }

    pub(crate) const fn nobody() -> Self {
        Self::NO
    }
}

/// A principal element, taken apart once.
#[derive(Debug, Clone)]
pub(crate) struct CompiledPrincipals {
    not: bool,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
enum Entry {
    Everyone,
    Account(Box<str>),
    User {
        account: Box<str>,
        name: Box<str>,
    },
    Role {
        account: Box<str>,
        name: Box<str>,
    },
    Session {
        account: Box<str>,
        role_and_session: Box<str>,
    },
    FederatedUser {
        account: Box<str>,
        name: Box<str>,
    },
    Service(Box<str>),
    Provider(Box<str>),
    /// Matches nobody: a unique id of a principal that is gone, an ARN with wildcards, no ARN at all.
    Nobody,
    /// Cannot be told: a canonical user id, or a type nobody knows.
    Unknown,
}

impl CompiledPrincipals {
    pub(crate) fn new(element: &PrincipalElement) -> Self {
        let (not, patterns) = match element {
            PrincipalElement::Principal(patterns) => (false, patterns),
            PrincipalElement::NotPrincipal(patterns) => (true, patterns),
        };
        Self { not, entries: patterns.iter().map(|pattern| Entry::new(&pattern.value)).collect() }
    }

    /// Whether this is a `NotPrincipal`.
    pub(crate) const fn is_not(&self) -> bool {
        self.not
    }

    /// How the entries name the caller, whichever element they stand in.
    pub(crate) fn named(&self, principal: &Principal) -> Named {
        self.entries.iter().fold(Named::NO, |named, entry| named.or(entry.named(principal)))
    }

    /// Whether a Deny with this `NotPrincipal` hits the caller.
    ///
    /// The caller is exempt where it is listed with every name AWS asks for: itself, its role, and its account. Where
    /// only some are listed AWS's text says that the caller may be denied, depending on the service.
    pub(crate) fn denies(&self, principal: &Principal, has_boundary: bool) -> Truth {
        if has_boundary {
            return Truth::Yes;
        }
        let listed =
            |wanted: fn(&Entry, &Principal) -> Truth| Truth::any(self.entries.iter().map(|e| wanted(e, principal)));
        let account = listed(|entry, p| entry.named(p).account);
        let everyone = listed(|entry, _| matches!(entry, Entry::Everyone).into());
        let itself = listed(|entry, p| match entry {
            Entry::Everyone => Truth::No,
            _ => entry.named(p).fully,
        });
        let role_or_user = listed(|entry, p| entry.named(p).limited);
        let (all, some) = match principal {
            Principal::User(_) => (itself.and(account), itself.or(account)),
            Principal::RoleSession { session: None, .. } => (role_or_user.and(account), role_or_user.or(account)),
            Principal::RoleSession { .. } => {
                (itself.and(role_or_user).and(account), itself.or(role_or_user).or(account))
            }
            Principal::FederatedUser(_) => (itself.and(account), itself.or(role_or_user).or(account)),
            Principal::Root(_) => (account, account),
            Principal::Service(_) | Principal::Federated(_) | Principal::Anonymous => (itself, itself),
        };
        match (all.or(everyone), some.or(everyone)) {
            (Truth::Yes, _) => Truth::No,
            (_, Truth::No) => Truth::Yes,
            _ => Truth::Maybe,
        }
    }
}

impl Entry {
    fn new(pattern: &PrincipalPattern) -> Self {
        match pattern {
            PrincipalPattern::Everyone => Self::Everyone,
            PrincipalPattern::Aws(text) => Self::aws(text),
            PrincipalPattern::Service(text) => Self::Service(text.as_str().into()),
            PrincipalPattern::Federated(text) => Self::Provider(text.as_str().into()),
            PrincipalPattern::CanonicalUser(_) | PrincipalPattern::Unknown { .. } => Self::Unknown,
        }
    }

    fn aws(text: &str) -> Self {
        if AccountId::is_number(text) {
            return Self::Account(text.into());
        }
        let Some([_, _, service, _, account, resource]) = crate::request::segments(text) else { return Self::Nobody };
        if text.contains(['*', '?']) {
            return Self::Nobody;
        }
        let account: Box<str> = account.into();
        let (kind, rest) = resource.split_once('/').unwrap_or((resource, ""));
        let name = || rest.rsplit('/').next().unwrap_or(rest).into();
        match (service, kind) {
            ("iam", "root") => Self::Account(account),
            ("iam", "user") => Self::User { account, name: name() },
            ("iam", "role") => Self::Role { account, name: name() },
            ("sts", "assumed-role") => Self::Session { account, role_and_session: rest.into() },
            ("sts", "federated-user") => Self::FederatedUser { account, name: rest.into() },
            ("iam", "saml-provider" | "oidc-provider") => Self::Provider(text.into()),
            _ => Self::Nobody,
        }
    }

    fn named(&self, principal: &Principal) -> Named {
        let yes_if = |holds: bool| Truth::from(holds);
        let in_account = |account: &str| principal.account_digits() == account;
        match (self, principal) {
            (Self::Everyone, _) => Named::fully(Truth::Yes),
            (Self::Unknown, Principal::Service(_)) => Named::NO,
            (Self::Unknown, _) => Named::fully(Truth::Maybe),
            (Self::Account(account), _) => Named::account(yes_if(in_account(account))),
            (Self::User { account, name }, Principal::User(arn)) => {
                Named::fully(yes_if(in_account(account) && arn.name() == &**name))
            }
            (Self::User { account, name }, Principal::FederatedUser(arn)) => {
                Named::limited(yes_if(in_account(account) && arn.name() == &**name))
            }
            (Self::Role { account, name }, Principal::RoleSession { role, .. }) => {
                Named::limited(yes_if(in_account(account) && role.name() == &**name))
            }
            (Self::Session { account, role_and_session }, Principal::RoleSession { role, session }) => {
                let Some(session) = session else {
                    let same_role = role_and_session.split_once('/').is_some_and(|(name, _)| name == role.name());
                    let maybe = if in_account(account) && same_role { Truth::Maybe } else { Truth::No };
                    return Named::fully(maybe);
                };
                let same = session.resource().strip_prefix("assumed-role/") == Some(role_and_session);
                Named::fully(yes_if(in_account(account) && same))
            }
            (Self::FederatedUser { account, name }, Principal::FederatedUser(arn)) => {
                let same = arn.resource().strip_prefix("federated-user/") == Some(name);
                Named::fully(yes_if(in_account(account) && same))
            }
            (Self::Service(name), Principal::Service(service)) => Named::fully(yes_if(**name == *service.as_str())),
            (Self::Provider(name), Principal::Federated(provider)) => {
                // `*` means every provider, as AWS's samples of trust policies and their verdicts have it.
                Named::fully(yes_if(**name == *"*" || **name == *provider.as_str()))
            }
            _ => Named::NO,
        }
    }
}
