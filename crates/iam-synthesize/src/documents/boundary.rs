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
use iam_model::policy::{ActionElement, Effect, PolicyDocument, PrincipalElement, PrincipalPattern, Statement};
use iam_model::quota::QuotaProfile;
use iam_model::snapshot::{PolicyOrigin, SnapshotIndex};
use iam_model::text::Spanned;

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
        case.propose(attached.contains(boundary), quotas.boundary)
    };
    holders.into_iter().filter(of_judged).filter_map(one).collect()
}

struct Case<'c, 'a> {
    boundary: &'c Arn,
    holders: &'c [&'c Arn],
    proposals: &'c BTreeMap<&'c Arn, &'c RoleProposal>,
    index: &'c SnapshotIndex<'a>,
    catalog: &'c Catalog,
}

impl Case<'_, '_> {
    fn propose(&self, is_attached: bool, most: usize) -> Option<DocumentProposal> {
        let document = self.index.boundary(self.holders.first()?)?;
        let mut draft = Draft::new();
        let place = self.place(self.holders.first()?);
        if let Some(why) = self.why_not(document, is_attached) {
            draft.left_alone.push(why);
            return draft.finish(place, document, most);
        }
        let kept = self.kept();
        for statement in &document.statements {
            self.statement(statement, &kept, &mut draft);
        }
        if !draft.statements.iter().any(|statement| statement.effect == Effect::Allow) {
            draft = Draft::new();
            draft.left_alone.push(
                "nothing it allows is left to its roles, so it stays: a boundary that allows nothing stops them".into(),
            );
        }
        let mut proposal = draft.finish(place, document, most)?;
        if let Some(change) = proposal.changes.pop() {
            let each = |holder: &&Arn| Change { attachment: self.place(holder), ..change.clone() };
            proposal.changes = self.holders.iter().map(each).collect();
        }
        Some(proposal)
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

    fn statement(&self, statement: &Statement, kept: &[ActionPattern], draft: &mut Draft) {
        let (Effect::Allow, ActionElement::Action(patterns)) = (&statement.effect, &statement.action) else {
            draft.statements.push(statement.clone());
            return;
        };
        let mut written: Vec<Spanned<ActionPattern>> = Vec::new();
        for pattern in patterns {
            for part in self.common(pattern, kept) {
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
                let because = format!("only what {} are left with or were seen to use", roles.join(", "));
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

/// What policies of resources and the trust of other roles grant to a role by its name, or to everyone: within a boundary,
/// they grant no more than it lets through.
fn granted_by_others(role: &Arn, index: &SnapshotIndex<'_>) -> Vec<ActionPattern> {
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
