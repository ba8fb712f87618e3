//! Permissions boundaries: no action that none of the roles within one could use any more.
//!
//! Never below what the roles are left with: an action stays where any of them has it after its own changes, or was seen
//! to use it by somebody else's grant, and where a resource's policy or a role's trust grants it to the role. Resources, conditions and denies stay as they are. A boundary of a user, or of a
//! role that nothing is known about, stays whole.

use std::collections::{BTreeMap, BTreeSet};

use iam_evaluate::glob::{Glob, Reading};
use iam_model::action::ActionPattern;
use iam_model::arn::Arn;
use iam_model::catalog::Catalog;
use iam_model::change::{Attachment, AttachmentKind, Change};
use iam_model::condition::ConditionKey;
use iam_model::policy::{ActionElement, Effect, PolicyDocument, Statement, compact_len};
use iam_model::quota::{QuotaProfile, ResourceQuota};
use iam_model::snapshot::{PolicyOrigin, SnapshotIndex};
use iam_model::text::Spanned;

use super::silent::granted_by_others;
use super::{DocumentProposal, Draft, attachment, understood};
use crate::propose::{Judgement, RoleProposal};

/// Narrows the boundaries of the roles that `proposals` are about, within the quotas; what has nothing to say is left out.
#[must_use]
pub fn boundaries(
    proposals: &[RoleProposal],
    index: &SnapshotIndex<'_>,
    catalog: &Catalog,
    quotas: &QuotaProfile,
) -> Vec<DocumentProposal> {
    let proposals: BTreeMap<&Arn, &RoleProposal> = proposals.iter().map(|one| (&one.role, one)).collect();
    let mut holders: BTreeMap<&Arn, Vec<&Arn>> = BTreeMap::new();
    let mut attached: BTreeSet<&Arn> = BTreeSet::new();
    for account in index.snapshot().accounts.values() {
        let users = account.users.iter().map(|user| &user.identity);
        for identity in account.roles.iter().map(|role| &role.identity).chain(users) {
            holders.entry(identity.boundary.as_ref().unwrap_or(&identity.arn)).or_default().push(&identity.arn);
            attached.extend(&identity.attached_policies);
        }
        attached.extend(account.groups.iter().flat_map(|group| &group.identity.attached_policies));
    }
    let of_judged = |(boundary, holders): &(&Arn, Vec<&Arn>)| {
        !boundary.is_owned_by_aws()
            && boundary.resource().starts_with("policy/")
            && holders.iter().any(|holder| proposals.contains_key(holder))
    };
    let one = |(boundary, holders): (&Arn, Vec<&Arn>)| {
        let case = Case { boundary, holders: &holders, proposals: &proposals, index, catalog };
        case.propose(attached.contains(boundary), ResourceQuota::of(quotas.boundary))
    };
    holders.into_iter().filter(of_judged).filter_map(one).filter(DocumentProposal::says).collect()
}

struct Case<'c, 'a> {
    boundary: &'c Arn,
    holders: &'c [&'c Arn],
    proposals: &'c BTreeMap<&'c Arn, &'c RoleProposal>,
    index: &'c SnapshotIndex<'a>,
    catalog: &'c Catalog,
}

impl Case<'_, '_> {
    fn propose(&self, is_attached: bool, most: ResourceQuota) -> Option<DocumentProposal> {
        let document = self.index.boundary(self.holders.first()?)?;
        let mut draft = Draft::new();
        let place = self.place(self.holders.first()?);
        if let Some(why) = self.why_not(document, is_attached) {
            draft.left_alone.push(why);
            return Some(draft.finish(place, document, most));
        }
        draft = self.fitting(document, &self.kept(), most.characters);
        if !draft.statements.iter().any(|statement| statement.effect == Effect::Allow) {
            draft = Draft::new();
            draft.left_alone.push(
                "nothing it allows is left to its roles, so it stays: a boundary that allows nothing stops them".into(),
            );
        }
        let mut proposal = draft.finish(place, document, most);
        if let Some(change) = proposal.changes.pop() {
            let each = |holder: &&Arn| Change { attachment: self.place(holder), ..change.clone() };
            proposal.changes = self.holders.iter().map(each).collect();
        }
        Some(proposal)
    }

    /// The statements with what stays of them, action by action; where that is too long, services are given whole, the
    /// fewest that it takes.
    fn fitting(&self, document: &PolicyDocument, kept: &[ActionPattern], most: usize) -> Draft {
        let mut whole = BTreeSet::new();
        let mut choices: Option<Vec<String>> = None;
        loop {
            let mut draft = Draft::new();
            for statement in &document.statements {
                draft.judge(&[], |draft| self.statement(statement, kept, &whole, draft));
            }
            let length = compact_len(&PolicyDocument { statements: draft.statements.clone(), ..document.clone() });
            if length <= most {
                return draft;
            }
            // The longest last, to be taken first.
            let left = choices.get_or_insert_with(|| services_by_length(&draft.statements));
            let Some(next) = left.pop() else { return draft };
            whole.insert(next);
        }
    }

    fn place(&self, holder: &Arn) -> Attachment {
        let place = attachment(AttachmentKind::Boundary, Some(holder), None);
        Attachment { policy_name: Some(self.boundary.to_string()), ..place }
    }

    fn why_not(&self, document: &PolicyDocument, is_attached: bool) -> Option<String> {
        if !understood(document) {
            return Some("it is not understood whole, so it stays as it is".into());
        }
        if is_attached {
            return Some("it is attached as a policy of its own too, so it stays as it is".into());
        }
        if let Some(name) = asks_for(self.boundary, self.index) {
            return Some(format!("it stays: `{name}` asks for it as the boundary of roles that are yet to be made"));
        }
        if let Some(why) = self.index.held_elsewhere(self.boundary, self.holders.len()) {
            return Some(format!("it stays: {why}"));
        }
        self.holders.iter().find_map(|holder| match self.proposals.get(holder).map(|one| &one.judgement) {
            Some(Judgement::Refused(why)) => Some(format!("it stays: nothing is known of {}: {why}", holder.name())),
            Some(Judgement::Narrowed | Judgement::Tight) => None,
            None => Some(format!("it stays: {} has it too and is not judged", holder.name())),
        })
    }

    /// Every action that some role within the boundary is left with, or was seen to use, as it is written.
    fn kept(&self) -> Vec<ActionPattern> {
        let mut kept = BTreeSet::new();
        for proposal in self.holders.iter().filter_map(|holder| self.proposals.get(holder)) {
            for document in after(proposal, self.index) {
                for statement in document.statements.iter().filter(|statement| statement.effect == Effect::Allow) {
                    match &statement.action {
                        ActionElement::Action(patterns) => kept.extend(patterns.iter().map(|p| p.value.clone())),
                        ActionElement::NotAction(_) => drop(kept.insert(ActionPattern::new("*"))),
                    }
                }
            }
            let seen = proposal.needs.iter().filter(|need| need.seen.is_some());
            kept.extend(seen.map(|need| ActionPattern::from(&need.action)));
            kept.extend(granted_by_others(&proposal.role, self.index));
        }
        kept.into_iter().collect()
    }

    fn statement(&self, statement: &Statement, kept: &[ActionPattern], whole: &BTreeSet<String>, draft: &mut Draft) {
        let (Effect::Allow, ActionElement::Action(patterns)) = (&statement.effect, &statement.action) else {
            draft.statements.push(statement.clone());
            return;
        };
        let mut written: Vec<Spanned<ActionPattern>> = Vec::new();
        let mut services: BTreeSet<String> = BTreeSet::new();
        for pattern in patterns {
            for part in self.common(pattern, kept) {
                let part = in_whole(&part, pattern, whole).unwrap_or(part);
                services.extend(service_of(&part.value).filter(|service| whole.contains(service)));
                if !written.iter().any(|one| one.value == part.value) {
                    written.push(part);
                }
            }
        }
        let same = written.len() == patterns.len() && written.iter().zip(patterns).all(|(a, b)| a.value == b.value);
        match (same, written.is_empty()) {
            (true, _) => draft.statements.push(statement.clone()),
            (false, true) => draft.dropped("a statement of which no role is left with anything".into()),
            (false, false) => {
                let narrowed = Statement { action: ActionElement::Action(written), ..statement.clone() };
                let roles: Vec<&str> = self.holders.iter().map(|holder| holder.name()).collect();
                let mut because = format!("only what {} are left with or were seen to use", roles.join(", "));
                if !services.is_empty() {
                    let services: Vec<String> = services.into_iter().collect();
                    because.push_str(&format!(
                        "; all that it allowed of {}, as the names of their actions do not fit the quota",
                        services.join(", ")
                    ));
                }
                draft.narrowed(narrowed, because, Vec::new());
            }
        }
    }

    /// What a pattern and those that stay have in common.
    fn common(&self, pattern: &Spanned<ActionPattern>, kept: &[ActionPattern]) -> Vec<Spanned<ActionPattern>> {
        let glob = |pattern: &ActionPattern| Glob::parse(pattern.as_str(), Reading::ACTION);
        let own = glob(&pattern.value);
        let others: Vec<(&ActionPattern, Glob)> = kept.iter().map(|other| (other, glob(other))).collect();
        if others.iter().any(|(_, other)| other.includes(&own)) {
            return vec![pattern.clone()];
        }
        let mut common: Vec<ActionPattern> = Vec::new();
        for (text, other) in &others {
            if own.includes(other) {
                common.push((*text).clone());
            } else if !own.disjoint(other) {
                let actions = self.catalog.actions().map(|facts| facts.action());
                let both = actions.filter(|action| own.matches(action.as_str()) && other.matches(action.as_str()));
                common.extend(both.map(|action| ActionPattern::from(&action)));
            }
        }
        // What a wider one of them covers need not be said.
        let globs: Vec<Glob> = common.iter().map(glob).collect();
        let covered = |at: usize| {
            let wider = |(other, wider): (usize, &Glob)| {
                let mine = globs.get(at).is_some_and(|mine| wider.includes(mine));
                let equal = globs.get(at).is_some_and(|mine| mine.includes(wider));
                other != at && mine && (!equal || other < at)
            };
            globs.iter().enumerate().any(wider)
        };
        let said = common.iter().enumerate().filter(|(at, _)| !covered(*at));
        let mut said: Vec<ActionPattern> = said.map(|(_, pattern)| pattern.clone()).collect();
        said.sort();
        said.into_iter().map(Spanned::synthetic).collect()
    }
}

/// The service a pattern names, in lower case; nothing where it names several.
fn service_of(pattern: &ActionPattern) -> Option<String> {
    let (service, _) = pattern.as_str().split_once(':')?;
    (!service.contains(['*', '?'])).then(|| service.to_ascii_lowercase())
}

/// All of a service given whole, as far as the old pattern reaches; nothing for a part of another service.
fn in_whole(
    part: &Spanned<ActionPattern>,
    old: &Spanned<ActionPattern>,
    whole: &BTreeSet<String>,
) -> Option<Spanned<ActionPattern>> {
    let service = service_of(&part.value).filter(|service| whole.contains(service))?;
    let all = ActionPattern::new(&format!("{service}:*"));
    let glob = |pattern: &ActionPattern| Glob::parse(pattern.as_str(), Reading::ACTION);
    let reaches = glob(&old.value).includes(&glob(&all));
    Some(if reaches { Spanned::synthetic(all) } else { old.clone() })
}

/// The services that statements allow actions of, those whose actions take the most characters last.
fn services_by_length(statements: &[Statement]) -> Vec<String> {
    let mut lengths: BTreeMap<String, usize> = BTreeMap::new();
    for statement in statements.iter().filter(|statement| statement.effect == Effect::Allow) {
        for pattern in statement.action.patterns() {
            if let Some(service) = service_of(&pattern.value) {
                *lengths.entry(service).or_default() += pattern.value.as_str().len();
            }
        }
    }
    let mut services: Vec<(usize, String)> = lengths.into_iter().map(|(service, length)| (length, service)).collect();
    services.sort();
    services.into_iter().map(|(_, service)| service).collect()
}

/// A policy that names a boundary as what new roles or users must have, as `iam:PermissionsBoundary` in its conditions.
fn asks_for(boundary: &Arn, index: &SnapshotIndex<'_>) -> Option<String> {
    let key = ConditionKey::new("iam:PermissionsBoundary");
    let asks = |document: &PolicyDocument| {
        let conditions = document.statements.iter().flat_map(|statement| &statement.conditions);
        let mut values = conditions.filter(|condition| condition.key == key).flat_map(|condition| &condition.values);
        let reading = Reading::resource(document.effective_version());
        values.any(|value| Glob::parse(&value.value, reading).widened().matches(boundary.as_str()))
    };
    let snapshot = index.snapshot();
    let held = snapshot.accounts.values().flat_map(|account| {
        let managed = account.managed_policies.values().map(|policy| (policy.name.as_str(), &policy.document));
        let identities = account.roles.iter().map(|role| &role.identity);
        let identities = identities.chain(account.users.iter().map(|user| &user.identity));
        let identities = identities.chain(account.groups.iter().map(|group| &group.identity));
        let inline = identities.flat_map(|identity| &identity.inline_policies);
        managed.chain(inline.map(|policy| (policy.name.as_str(), &policy.document)))
    });
    let guardrails = snapshot.organization.iter().flat_map(|organization| organization.accounts.values());
    let guardrails = guardrails.flat_map(|of| of.scps.iter().flatten());
    let guardrails = guardrails.map(|document| ("a service control policy", document));
    let mut all = held.chain(guardrails);
    all.find(|(_, document)| asks(document)).map(|(name, _)| name.to_owned())
}

/// A role's identity policies after its own changes.
fn after<'p>(proposal: &'p RoleProposal, index: &SnapshotIndex<'p>) -> Vec<&'p PolicyDocument> {
    let policies = index.identity_policies(&proposal.role);
    let mut left: Vec<&PolicyDocument> = Vec::new();
    for attached in policies {
        let name = match attached.origin {
            PolicyOrigin::Managed(arn) => arn.as_str(),
            PolicyOrigin::Inline(_) | PolicyOrigin::Group(_) => attached.name,
        };
        let is_it = |change: &&Change| {
            let place = &change.attachment;
            let same_place = match attached.origin {
                PolicyOrigin::Inline(at) => place.index == Some(at),
                PolicyOrigin::Managed(_) | PolicyOrigin::Group(_) => true,
            };
            change.before.is_some() && place.policy_name.as_deref() == Some(name) && same_place
        };
        match proposal.changes.iter().find(is_it) {
            Some(change) => left.extend(&change.after),
            None => left.push(attached.document),
        }
    }
    let new = proposal.changes.iter().filter(|change| change.before.is_none());
    left.extend(new.filter_map(|change| change.after.as_ref()));
    left
}
