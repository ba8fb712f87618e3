//! Whom a statement of an endpoint's policy speaks of, and which roles of them the logs know too little of.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::arn::Arn;
use iam_model::condition::{Comparison, ConditionKey, Operator};
use iam_model::policy::{PrincipalElement, PrincipalPattern, Statement};
use iam_model::text::Spanned;

use super::{Endpoint, PRINCIPAL_ARN, said};

/// Whom a statement speaks of.
pub(super) enum Callers {
    /// Whoever comes.
    Everyone,
    /// All roles of the accounts whose logs were read.
    AllRoles,
    /// These roles.
    Roles(BTreeSet<Arn>),
    /// Callers that the logs do not hold, and no others.
    Others,
    /// It is not judged, and why.
    NotJudged(&'static str),
}

impl<'e> Endpoint<'e, '_, '_> {
    /// Who comes by a statement.
    pub(super) fn callers(&self, statement: &Statement) -> Callers {
        let Some(PrincipalElement::Principal(principals)) = &statement.principal else {
            return Callers::NotJudged("it says who may not come through it, so it stays as it is");
        };
        let is_everyone = |principal: &Spanned<PrincipalPattern>| match &principal.value {
            PrincipalPattern::Everyone => true,
            PrincipalPattern::Aws(text) => text == "*",
            _ => false,
        };
        if !principals.iter().all(is_everyone) {
            return Callers::NotJudged("it names who may come through it, so it stays as it is");
        }
        let mut named =
            statement.conditions.iter().filter(|condition| condition.key == ConditionKey::new(PRINCIPAL_ARN));
        let (Some(condition), None) = (named.next(), named.next()) else {
            return Callers::Everyone;
        };
        let values: Vec<&str> = condition.values.iter().map(|value| value.value.as_str()).collect();
        let unjudged = Callers::NotJudged("it tells callers apart by aws:PrincipalArn, so it stays as it is");
        match condition.operator {
            Operator::Known { set: None, comparison: Comparison::ArnNotLike, if_exists: false } => {
                let all = self.roles.iter().all(|role| values.contains(&role.as_str()));
                if all { Callers::Others } else { unjudged }
            }
            Operator::Known {
                set: None,
                comparison:
                    Comparison::ArnLike | Comparison::ArnEquals | Comparison::StringEquals | Comparison::StringLike,
                if_exists: false,
            } => {
                if values.iter().all(|value| self.roles.iter().any(|role| role == value)) {
                    return Callers::AllRoles;
                }
                let role = |value: &&str| {
                    value.parse::<Arn>().ok().filter(|arn| {
                        !value.contains(['*', '?', '$']) && self.ground.index.role(arn).is_some() && self.is_logged(arn)
                    })
                };
                let roles: Option<BTreeSet<Arn>> = values.iter().map(role).collect();
                roles.map_or(unjudged, Callers::Roles)
            }
            _ => unjudged,
        }
    }

    /// The roles that a statement lets through.
    pub(super) fn let_in<'s>(&'s self, callers: &'s Callers) -> impl Iterator<Item = &'s Arn> {
        let all = self.ground.index.roles().map(|role| &role.identity.arn).filter(|arn| self.is_logged(arn));
        all.filter(move |arn| match callers {
            Callers::Roles(roles) => roles.contains(*arn),
            Callers::Others => false,
            Callers::Everyone | Callers::AllRoles | Callers::NotJudged(_) => true,
        })
    }

    /// The roles that are judged, of those that a statement lets through.
    pub(super) fn judged<'s>(&'s self, callers: &'s Callers) -> impl Iterator<Item = &'s Arn> {
        self.let_in(callers).filter(|role| !self.kept.contains_key(role))
    }

    pub(super) fn why_kept(&self, statement: &Statement, kept: &BTreeSet<Arn>) -> Option<String> {
        let (first, why) = kept.iter().find_map(|role| Some((role, self.kept.get(role)?)))?;
        let more = if kept.len() > 1 { format!(" and {} more", kept.len() - 1) } else { String::new() };
        let keep = if kept.len() > 1 { "keep" } else { "keeps" };
        Some(format!("{}{}{more} {keep} all of it: of {}, {why}", said(statement), first.name(), first.name()))
    }

    /// Roles of the logs whose silence tells nothing, and that may call the services.
    pub(super) fn unknown(&self) -> BTreeMap<&'e Arn, String> {
        let ground = self.ground;
        let roles = ground.index.roles().filter(|role| !role.is_service_linked()).map(|role| &role.identity.arn);
        let may = roles.filter(|role| self.is_logged(role) && ground.may_call(role, &self.services));
        may.filter_map(|role| Some((role, ground.is_silent(role)?))).collect()
    }
}
