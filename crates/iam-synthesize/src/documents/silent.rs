//! Roles whose silence tells nothing, and what such a role may do all the same.
//!
//! A role that its own policies let do nothing of the kind loses nothing. What nobody knows may be let through.

use iam_evaluate::glob::{Glob, Reading};
use iam_model::action::{Action, ActionPattern};
use iam_model::arn::{AccountId, Arn, ResourcePattern};
use iam_model::policy::{ActionElement, Effect, PolicyDocument, PrincipalElement, PrincipalPattern, Statement};
use iam_model::snapshot::SnapshotIndex;

use super::Ground;
use crate::infer::was_seen;
use crate::narrow::{Candidate, Cover};
use crate::{life, unresolved};

impl Ground<'_, '_> {
    /// Why the silence of a role tells nothing, as it does not where its own policies are proposed for.
    pub(super) fn is_silent(&self, role: &Arn) -> Option<String> {
        let described = self.index.role(role)?;
        if !was_seen(role, self.evidence.usage) {
            return Some("the logs hold no authorised call of this role".into());
        }
        unresolved::why_not(role, self.evidence.usage)
            .or_else(|| life::why_not(described, self.index, self.evidence, self.rules))
    }

    /// Whether logs of an account were read that hold whatever its trails can record; the error says why not.
    pub(super) fn is_logged(&self, account: &AccountId) -> Result<(), String> {
        let trails = self.evidence.coverage.accounts.get(account);
        if !self.evidence.usage.seen_in.iter().any(|(seen, _)| seen == account) {
            return Err(format!("no log of account {account} was read"));
        }
        let (coverage, asked) = (self.evidence.coverage, self.rules.min_days);
        if coverage.days_of(account) < asked {
            return Err(format!("{}, and {asked} are asked for", coverage.describe_days_of(account)));
        }
        let whole = trails.is_some_and(|t| t.management_read && t.management_write && t.regions.is_none());
        if whole { Ok(()) } else { Err(format!("the trails of account {account} do not record it in every region")) }
    }

    /// Whether a role's own policies may let an action through on a resource.
    pub(super) fn may_do(&self, role: &Arn, action: &Action, on: &Arn) -> bool {
        let on = ResourcePattern::new(on.as_str());
        self.may(role, &|document, statement| {
            Candidate::new(document, statement).is_none_or(|candidate| candidate.cover(action, &on) != Cover::Nothing)
        })
    }

    /// Whether a role's own policies, or those of resources that name it, may let any action of some services through.
    pub(super) fn may_call(&self, role: &Arn, services: &[&str]) -> bool {
        let is_of = |pattern: &ActionPattern| {
            let named = pattern.as_str().split_once(':').map_or("*", |(service, _)| service);
            services.iter().any(|service| Glob::parse(named, Reading::ACTION).matches(service))
        };
        self.may(role, &|_, statement| match &statement.action {
            ActionElement::Action(patterns) => patterns.iter().any(|pattern| is_of(&pattern.value)),
            ActionElement::NotAction(_) => true,
        }) || granted_by_others(role, self.index).iter().any(is_of)
    }

    fn may(&self, role: &Arn, lets: &dyn Fn(&PolicyDocument, &Statement) -> bool) -> bool {
        let policies = self.index.identity_policies(role);
        policies.iter().any(|held| {
            let allows = held.document.statements.iter().filter(|statement| statement.effect != Effect::Deny);
            !held.document.unknown.is_empty() || allows.into_iter().any(|statement| lets(held.document, statement))
        })
    }
}

/// What policies of resources and the trust of other roles grant to a role by its name, or to everyone: within a boundary,
/// they grant no more than it lets through.
pub(super) fn granted_by_others(role: &Arn, index: &SnapshotIndex<'_>) -> Vec<ActionPattern> {
    let accounts = index.snapshot().accounts.values();
    let policies = accounts.flat_map(|account| {
        let trusts = account.roles.iter().map(|other| ("sts", &other.trust));
        account.resource_policies.iter().map(|(on, policy)| (on.service(), policy)).chain(trusts)
    });
    let session = format!(":assumed-role/{}/", role.name());
    let is_role = |principal: &PrincipalPattern| match principal {
        PrincipalPattern::Everyone => true,
        PrincipalPattern::Aws(text) => text == role.as_str() || text.contains(&session),
        _ => false,
    };
    let mut granted = Vec::new();
    for (service, policy) in policies {
        let all = || ActionPattern::new(&format!("{service}:*"));
        if !policy.unknown.is_empty() {
            granted.push(all());
        }
        for statement in policy.statements.iter().filter(|statement| statement.effect == Effect::Allow) {
            let names = match &statement.principal {
                Some(PrincipalElement::Principal(principals)) => principals.iter().any(|p| is_role(&p.value)),
                _ => true,
            };
            match &statement.action {
                _ if !names => {}
                ActionElement::Action(patterns) if patterns.iter().all(|p| p.value.as_str() != "*") => {
                    granted.extend(patterns.iter().map(|p| p.value.clone()));
                }
                _ => granted.push(all()),
            }
        }
    }
    granted
}
