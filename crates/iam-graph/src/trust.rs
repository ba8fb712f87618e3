//! Whom roles trust, indexed: by service, by named principal, by account, and those that trust everyone.
//!
//! Says who could be let in, so that not everyone is tried with everyone. Whether they are is for [`crate::judge`].

use std::collections::{BTreeMap, BTreeSet};

use iam_model::arn::{AccountId, Arn};
use iam_model::policy::{Effect, PolicyDocument, PrincipalElement, PrincipalPattern};

use crate::survey::Survey;

/// Roles by whom they could let in.
#[derive(Debug, Default)]
pub(crate) struct Trusts<'a> {
    /// By account of the role and service.
    services: BTreeMap<usize, BTreeMap<&'a str, Vec<usize>>>,
    named: BTreeMap<String, Vec<usize>>,
    accounts: BTreeMap<AccountId, Vec<usize>>,
    everyone: Vec<usize>,
}

impl<'a> Trusts<'a> {
    pub(crate) fn new(survey: &Survey<'a>) -> Self {
        let mut trusts = Self::default();
        for (place, person) in survey.people.iter().enumerate() {
            if let Some(trust) = person.trust {
                trusts.add(place, person.home, trust);
            }
        }
        trusts
    }

    fn add(&mut self, role: usize, home: usize, trust: &'a PolicyDocument) {
        for statement in trust.statements.iter().filter(|s| s.effect != Effect::Deny) {
            match &statement.principal {
                Some(PrincipalElement::Principal(patterns)) => {
                    for pattern in patterns {
                        self.add_pattern(role, home, &pattern.value);
                    }
                }
                Some(PrincipalElement::NotPrincipal(_)) => push(&mut self.everyone, role),
                None => {}
            }
        }
    }

    fn add_pattern(&mut self, role: usize, home: usize, pattern: &'a PrincipalPattern) {
        match pattern {
            PrincipalPattern::Everyone => push(&mut self.everyone, role),
            PrincipalPattern::Service(name) | PrincipalPattern::Federated(name) => {
                push(self.services.entry(home).or_default().entry(name).or_default(), role);
            }
            PrincipalPattern::Aws(text) => match account_named(text) {
                Some(account) => push(self.accounts.entry(account).or_default(), role),
                None => push(self.named.entry(without_session(text)).or_default(), role),
            },
            PrincipalPattern::CanonicalUser(_) | PrincipalPattern::Unknown { .. } => {}
        }
    }

    /// Roles of an account that could trust a service.
    pub(crate) fn of_service(&self, home: usize, service: &str) -> &[usize] {
        self.services.get(&home).and_then(|services| services.get(service)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Roles that name this user or role.
    pub(crate) fn naming(&self, arn: &Arn) -> &[usize] {
        self.named.get(&name_key(arn)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Roles that name an account, and leave it to the account whom it lets through.
    pub(crate) fn of_account(&self, account: &AccountId) -> &[usize] {
        self.accounts.get(account).map(Vec::as_slice).unwrap_or_default()
    }

    /// Roles that could trust everyone.
    pub(crate) fn everyone(&self) -> &[usize] {
        &self.everyone
    }

    /// Every account that is named.
    pub(crate) fn accounts(&self) -> BTreeSet<&AccountId> {
        self.accounts.keys().collect()
    }
}

fn push(list: &mut Vec<usize>, role: usize) {
    if list.last() != Some(&role) {
        list.push(role);
    }
}

fn account_named(text: &str) -> Option<AccountId> {
    text.parse().ok().or_else(|| text.parse::<Arn>().ok().filter(|arn| arn.resource() == "root")?.account())
}

/// A key under which a role and its sessions meet: sessions name the role without its path.
fn name_key(arn: &Arn) -> String {
    let kind = arn.resource().split('/').next().unwrap_or_default();
    let account = arn.account().map(|a| a.to_string()).unwrap_or_default();
    if kind == "role" { format!("{account}/role/{}", arn.name()) } else { arn.to_string() }
}

fn without_session(text: &str) -> String {
    let Ok(arn) = text.parse::<Arn>() else { return text.to_owned() };
    let mut parts = arn.resource().split('/');
    match (arn.service(), parts.next(), parts.next()) {
        ("sts", Some("assumed-role"), Some(role)) => {
            format!("{}/role/{role}", arn.account().map(|a| a.to_string()).unwrap_or_default())
        }
        _ => name_key(&arn),
    }
}
