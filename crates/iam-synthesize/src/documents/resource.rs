//! Policies on resources: functions, buckets, queues, topics, keys, secrets. Who may use them, and on whose behalf.
//!
//! Each statement is judged by whom it is for: a service that acts for others, roles by what they were seen to do, both next
//! door. Everybody else stays.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use iam_model::arn::{AccountId, Arn};
use iam_model::change::AttachmentKind;
use iam_model::policy::{Effect, PolicyDocument, PrincipalElement, PrincipalPattern, Statement};

use super::draft::lead;
use super::roles::Used;
use super::{DocumentProposal, Draft, Ground, attachment, understood, whole_account};
use crate::naming::magnitude;

pub(super) fn propose(
    on: &Arn,
    policy: &PolicyDocument,
    account: &AccountId,
    ground: &Ground<'_, '_>,
) -> DocumentProposal {
    let place = attachment(AttachmentKind::Resource, None, Some(on));
    let mut draft = Draft::new();
    if !understood(policy) {
        draft.left_alone.push("the policy is not understood whole, so it stays as it is".into());
        return draft.finish(place, policy, ground.quotas.of_resource(on.service()));
    }
    let resource = Resource { on, policy, account, ground };
    for statement in &policy.statements {
        draft.judge(&resource.seen(statement), |draft| resource.statement(statement, draft));
    }
    if on.service() == "kms" && draft.statements.is_empty() {
        draft = Draft::new();
        draft
            .left_alone
            .push("nothing of it is known to be used; a key cannot be without a policy, so it stays".into());
    }
    draft.finish(place, policy, ground.quotas.of_resource(on.service()))
}

/// A resource with a policy.
pub(super) struct Resource<'r, 'g, 'a> {
    pub(super) on: &'r Arn,
    pub(super) policy: &'r PolicyDocument,
    pub(super) account: &'r AccountId,
    pub(super) ground: &'r Ground<'g, 'a>,
}

impl Resource<'_, '_, '_> {
    /// What roles named in a statement were seen to do by it, a line each.
    fn seen(&self, statement: &Statement) -> Vec<String> {
        match &statement.principal {
            Some(PrincipalElement::Principal(principals)) if statement.effect == Effect::Allow => {
                let roles: BTreeSet<Arn> = principals.iter().filter_map(|p| self.ground.role(&p.value)).collect();
                self.ground.seen(&roles, self.on, statement)
            }
            _ => Vec::new(),
        }
    }

    fn statement(&self, statement: &Statement, draft: &mut Draft) {
        match (&statement.effect, &statement.principal) {
            (Effect::Allow, Some(PrincipalElement::Principal(principals))) => match principals.as_slice() {
                [only] if matches!(only.value, PrincipalPattern::Service(_)) => {
                    self.of_service(only.value.text(), statement, draft);
                }
                _ => self.of_several(statement, principals.iter().map(|p| &p.value).collect(), draft),
            },
            _ => draft.statements.push(statement.clone()),
        }
    }

    /// A statement for several, or for one that is no service: each role as far as it was seen, the others as they are.
    fn of_several(&self, statement: &Statement, principals: Vec<&PrincipalPattern>, draft: &mut Draft) {
        let roles: BTreeSet<Arn> = principals.iter().filter_map(|principal| self.ground.role(principal)).collect();
        for other in principals.iter().filter(|principal| self.ground.role(principal).is_none()) {
            draft.left_alone.extend(self.why_other_stays(other, statement));
        }
        let why = if roles.is_empty() { Some(None) } else { self.why_not(statement).map(Some) };
        if let Some(why) = why {
            draft.left_alone.extend(why);
            draft.statements.push(statement.clone());
            return;
        }
        let days = self.ground.evidence.coverage.days;
        let mut groups: Vec<Group<'_>> = Vec::new();
        let mut gone = Vec::new();
        let order = principals.clone();
        for principal in principals {
            let used = match self.ground.role(principal) {
                None => Used::Parts(vec![statement.clone()]),
                Some(role) => self.ground.used(&role, self.on, self.policy, statement),
            };
            let parts = match used {
                Used::Open(why) => {
                    draft.left_alone.push(format!("{} stays: {why}", principal.text()));
                    vec![statement.clone()]
                }
                Used::Parts(parts) if parts.is_empty() => {
                    gone.push(principal.text());
                    continue;
                }
                Used::Parts(parts) => parts,
            };
            match groups.iter_mut().find(|group| group.parts == parts) {
                Some(group) => group.principals.push(principal),
                None => groups.push(Group { principals: vec![principal], parts }),
            }
        }
        if !gone.is_empty() {
            draft.dropped(format!("no longer allowed, not seen to use it in {days} days: {}", gone.join(", ")));
        }
        let named = self.named(&groups, &order);
        for (at, Group { principals, parts }) in groups.into_iter().enumerate() {
            let who = principals.first().map_or("", |first| name_of(first));
            for part in parts {
                let narrower = part != *statement;
                let mut part = for_principals(part, &principals, statement);
                if named != Some(at) || part.sid != statement.sid {
                    let of_action = if part.sid == statement.sid { "" } else { lead(&part) };
                    let more = [if named == Some(at) { "" } else { who }, of_action];
                    part = draft.named(part.clone(), &more, (statement, self.policy));
                }
                if narrower {
                    let who: Vec<&str> = principals.iter().map(|principal| principal.text()).collect();
                    let because = format!("only what was seen in {days} days of {}", who.join(", "));
                    draft.narrowed(part, because, Vec::new());
                } else {
                    draft.statements.push(part);
                }
            }
        }
    }

    /// Which group has the statement's name: one that keeps all of it, or else that of the role that calls most.
    fn named(&self, groups: &[Group<'_>], order: &[&PrincipalPattern]) -> Option<usize> {
        let most = |principal: &&PrincipalPattern| {
            let calls = self.ground.role(principal).map_or(u64::MAX, |role| self.ground.most_called(&role, self.on));
            (magnitude(calls), Reverse(order.iter().position(|one| one == principal)))
        };
        let calls = |group: &Group<'_>| group.principals.iter().map(most).max();
        groups.iter().enumerate().max_by_key(|(at, group)| (calls(group), Reverse(*at))).map(|(at, _)| at)
    }

    /// Why nothing may be said of the roles of a statement.
    fn why_not(&self, statement: &Statement) -> Option<String> {
        let (days, asked) = (self.ground.evidence.coverage.days, self.ground.rules.min_days);
        if days == 0 || days < asked {
            return Some(format!("the logs span {days} days, and {asked} are asked for before a role's use is cut"));
        }
        let manages = self.on.service() == "kms" && super::roles::allows(statement, "kms:PutKeyPolicy");
        manages.then(|| "who may change a key's policy stays: a key that none may change is lost".into())
    }

    fn why_other_stays(&self, other: &PrincipalPattern, statement: &Statement) -> Option<String> {
        let name = other.text();
        let bound = !statement.conditions.is_empty();
        match other {
            PrincipalPattern::Everyone if bound => None,
            PrincipalPattern::Everyone => Some("everyone stays: name who is meant, by hand".into()),
            PrincipalPattern::Service(_) if bound => None,
            _ => match whole_account(other) {
                // The account itself: its identity policies decide.
                Some(account) if account == *self.account => None,
                Some(account) => Some(format!("the whole account {account} stays: its calls are not known by role")),
                None => Some(format!("{name} stays: it is no role of the snapshot, so its calls are not known")),
            },
        }
    }
}

/// Principals that keep the same statements.
struct Group<'p> {
    principals: Vec<&'p PrincipalPattern>,
    parts: Vec<Statement>,
}

/// What a principal is called.
fn name_of(principal: &PrincipalPattern) -> &str {
    principal.text().rsplit(['/', ':']).next().unwrap_or_default()
}

/// A part of a statement, for some of its principals.
fn for_principals(mut part: Statement, principals: &[&PrincipalPattern], old: &Statement) -> Statement {
    if let Some(PrincipalElement::Principal(all)) = &old.principal {
        let own = all.iter().filter(|principal| principals.contains(&&principal.value)).cloned().collect();
        part.principal = Some(PrincipalElement::Principal(own));
    }
    part
}

/// Whether a resource policy stands on a function, or on a version or alias of one.
pub(super) fn is_function(arn: &Arn) -> bool {
    arn.service() == "lambda" && arn.resource().starts_with("function:")
}
