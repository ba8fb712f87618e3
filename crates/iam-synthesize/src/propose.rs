//! Proposals: for one role, which statement serves which need, and the changes that leave only those.
//!
//! Each need is served once, by the narrowest statement that surely lets it through; what serves nothing goes, if the
//! evidence would have shown its use. Deny statements, statements that were not understood, and policies that others
//! share are left as they are.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::action::Action;
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::change::{Attachment, Change, Reason};
use iam_model::policy::{PolicyDocument, Statement};
use iam_model::snapshot::{AttachedPolicy, PolicyOrigin, Role, SnapshotIndex};
use iam_model::usage::Visibility;

use crate::infer::{infer, was_seen};
use crate::narrow::{Candidate, Cover, Narrowed, Served, narrow};
use crate::needs::{Evidence, Grade, Need, Rules};
use crate::plumbing;

/// What was decided about a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// There are changes.
    Narrowed,
    /// Everything granted is needed, or cannot be changed here.
    Tight,
    /// Nothing is proposed, and why.
    Refused(String),
}

/// Actions a wildcard granted whose use the logs could not have shown: cut, and asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlindSpot {
    /// The service prefix.
    pub service: String,
    /// Why the logs could not have shown them.
    pub why: String,
    /// The actions.
    pub actions: Vec<Action>,
}

/// What is proposed for one role.
#[derive(Debug, Clone)]
pub struct RoleProposal {
    /// The role.
    pub role: Arn,
    /// What was decided.
    pub judgement: Judgement,
    /// What the role must keep.
    pub needs: Vec<Need>,
    /// The changes; empty unless narrowed.
    pub changes: Vec<Change>,
    /// What could not be seen and is no longer granted.
    pub blind_spots: Vec<BlindSpot>,
    /// Policies that were left as they are, and why.
    pub left_alone: Vec<String>,
}

/// Proposes, for every role in `roles`, the smallest policies inside the old ones that keep what it needs.
#[must_use]
pub fn synthesize(
    roles: &[&Role],
    index: &SnapshotIndex<'_>,
    evidence: &Evidence<'_>,
    rules: &Rules,
) -> Vec<RoleProposal> {
    let shared = attachments(index);
    roles.iter().map(|role| Proposer { index, evidence, rules, shared: &shared }.propose(role)).collect()
}

/// How many users, groups and roles each managed policy is attached to.
fn attachments<'a>(index: &SnapshotIndex<'a>) -> BTreeMap<&'a Arn, usize> {
    let mut counts = BTreeMap::new();
    for account in index.snapshot().accounts.values() {
        let identities = (account.users.iter().map(|u| &u.identity))
            .chain(account.groups.iter().map(|g| &g.identity))
            .chain(account.roles.iter().map(|r| &r.identity));
        for policy in identities.flat_map(|identity| &identity.attached_policies) {
            *counts.entry(policy).or_default() += 1;
        }
    }
    counts
}

struct Proposer<'p, 'a> {
    index: &'p SnapshotIndex<'a>,
    evidence: &'p Evidence<'p>,
    rules: &'p Rules,
    shared: &'p BTreeMap<&'a Arn, usize>,
}

/// An allow statement, and the needs given to it.
struct Slot<'a> {
    policy: usize,
    statement: usize,
    /// Whether its policy may be changed.
    editable: bool,
    candidate: Candidate<'a>,
    served: Vec<Served>,
}

impl<'a> Proposer<'_, 'a> {
    fn propose(&self, role: &Role) -> RoleProposal {
        let arn = &role.identity.arn;
        let mut proposal = RoleProposal {
            role: arn.clone(),
            judgement: Judgement::Tight,
            needs: infer(arn, self.index, self.evidence),
            changes: Vec::new(),
            blind_spots: Vec::new(),
            left_alone: Vec::new(),
        };
        if let Some(why) = self.refuse(role) {
            proposal.judgement = Judgement::Refused(why);
            return proposal;
        }
        let policies = self.index.identity_policies(arn);
        let mut slots = self.slots(&policies, &mut proposal);
        // What Lambda could use and the role does not have is not missing: it is another way to run.
        proposal.needs.retain(|need| need.grade != Grade::Implied || granted(&slots, need));
        self.assign(&mut slots, &proposal.needs);
        self.retain(arn, &mut slots, &mut proposal.needs);
        self.keep_by_rule(arn, &mut slots, &mut proposal.needs);
        proposal.blind_spots = self.blind_spots(arn, &slots);
        proposal.changes = changes(arn, &policies, &slots, &proposal.needs);
        if !proposal.changes.is_empty() {
            proposal.judgement = Judgement::Narrowed;
        }
        proposal
    }

    /// Why nothing may be said about a role.
    fn refuse(&self, role: &Role) -> Option<String> {
        let usage = self.evidence.usage;
        if role.is_service_linked() || role.identity.arn.resource().starts_with("role/aws-reserved/") {
            return Some("AWS owns this role; its policies cannot be changed".into());
        }
        if !was_seen(&role.identity.arn, usage) {
            return Some("the logs hold no authorised call of this role".into());
        }
        let days = self.evidence.coverage.days;
        if days < self.rules.min_days {
            return Some(format!("the logs span {days} days, and {} are asked for", self.rules.min_days));
        }
        None
    }

    /// Every allow statement that was understood; policies that must stay are noted.
    fn slots<'s>(&self, policies: &[AttachedPolicy<'s>], proposal: &mut RoleProposal) -> Vec<Slot<'s>> {
        let mut slots = Vec::new();
        for (policy, attached) in policies.iter().enumerate() {
            let fixed = self.why_fixed(attached);
            if let Some(why) = &fixed {
                proposal.left_alone.push(format!("{}: {why}", attached.name));
            }
            for (statement, written) in attached.document.statements.iter().enumerate() {
                if let Some(candidate) = Candidate::new(attached.document, written) {
                    slots.push(Slot { policy, statement, editable: fixed.is_none(), candidate, served: Vec::new() });
                }
            }
        }
        slots
    }

    fn why_fixed(&self, attached: &AttachedPolicy<'_>) -> Option<String> {
        if !attached.document.unknown.is_empty() {
            return Some("its document could not be read".into());
        }
        match attached.origin {
            PolicyOrigin::Inline(_) => None,
            PolicyOrigin::Group(group) => Some(format!("it comes from the group {}", group.name())),
            PolicyOrigin::Managed(arn) if plumbing::is_runtime_policy(arn) => {
                Some("AWS's own policy for running functions".into())
            }
            PolicyOrigin::Managed(arn) if arn.is_owned_by_aws() => None,
            PolicyOrigin::Managed(arn) => match self.shared.get(arn).copied().unwrap_or_default() {
                0 | 1 => None,
                many => Some(format!("{many} principals share it")),
            },
        }
    }

    /// Gives every need, resource by resource, to the narrowest statement that surely lets it through.
    fn assign(&self, slots: &mut [Slot<'_>], needs: &[Need]) {
        for (index, need) in needs.iter().enumerate() {
            let wanted: Vec<Option<&ResourcePattern>> = match &need.resources {
                Some(resources) => resources.iter().map(Some).collect(),
                None => vec![None],
            };
            let mut given: BTreeMap<usize, Vec<ResourcePattern>> = BTreeMap::new();
            let mut whole = BTreeSet::new();
            for resource in wanted {
                match (best(slots, &need.action, resource), resource) {
                    (Some(slot), Some(resource)) => given.entry(slot).or_default().push(resource.clone()),
                    // Which resource it was is not known, so every statement that may have let it through stays.
                    (Some(_), None) => whole.extend(all(slots, &need.action)),
                    (None, _) => {}
                }
            }
            for (slot, resources) in given {
                if let Some(slot) = slots.get_mut(slot) {
                    let resources = slot.candidate.resources_for(&need.action, &resources);
                    slot.served.push(Served { action: need.action.clone(), resources, need: index });
                }
            }
            for slot in whole {
                if let Some(slot) = slots.get_mut(slot) {
                    slot.served.push(Served { action: need.action.clone(), resources: None, need: index });
                }
            }
        }
    }

    /// Keeps what is granted by name, and either Lambda itself needs or the logs could not have shown.
    fn retain(&self, role: &Arn, slots: &mut [Slot<'_>], needs: &mut Vec<Need>) {
        for slot in slots.iter_mut().filter(|slot| slot.editable) {
            let named: Vec<Action> = slot.candidate.named().filter_map(|p| p.as_str().parse().ok()).collect();
            for action in named {
                if slot.served.iter().any(|s| s.action == action && s.resources.is_none()) {
                    continue;
                }
                let implied = needs.iter().position(|need| need.grade == Grade::Implied && need.action == action);
                let need = match (implied, self.why_retained(role, &action)) {
                    (Some(implied), _) => implied,
                    (None, None) => continue,
                    (None, Some((grade, because))) => {
                        needs.push(Need::unseen(action.clone(), None, grade, because));
                        needs.len() - 1
                    }
                };
                slot.served.push(Served { action, resources: None, need });
            }
        }
    }

    /// Why an action that no call showed stays where a statement names it.
    fn why_retained(&self, role: &Arn, action: &Action) -> Option<(Grade, String)> {
        if let Some(because) = plumbing::by_name(&self.index.functions_of(role), action) {
            return Some((Grade::Implied, because));
        }
        let Visibility::Invisible(why) = (self.evidence.visibility)(role, action) else { return None };
        Some((Grade::Retained, format!("granted by name, and its use could not have been seen: {why}")))
    }

    /// Keeps what a rule names, as far as it is granted now.
    fn keep_by_rule(&self, role: &Arn, slots: &mut [Slot<'_>], needs: &mut Vec<Need>) {
        for rule in self.rules.keep.iter().filter(|rule| rule.applies_to(role)) {
            let document =
                PolicyDocument::new(vec![Statement::allow(rule.actions.clone(), vec![ResourcePattern::everything()])]);
            let Some(kept) = document.statements.first().and_then(|s| Candidate::new(&document, s)) else { continue };
            let actions: Vec<Action> =
                self.evidence.catalog.actions().map(|facts| facts.action()).filter(|a| kept.allows_action(a)).collect();
            for action in actions {
                let mut granted = false;
                for slot in slots.iter_mut().filter(|slot| slot.candidate.allows_action(&action)) {
                    slot.served.push(Served { action: action.clone(), resources: None, need: needs.len() });
                    granted = true;
                }
                if granted {
                    needs.push(Need::unseen(action, None, Grade::Kept, format!("a keep rule: {}", rule.reason)));
                }
            }
        }
    }

    /// What wildcards granted, the logs could not have shown, and nothing keeps.
    fn blind_spots(&self, role: &Arn, slots: &[Slot<'_>]) -> Vec<BlindSpot> {
        let kept: BTreeSet<&Action> = slots.iter().flat_map(|slot| &slot.served).map(|served| &served.action).collect();
        let cut: Vec<&Candidate<'_>> = slots.iter().filter(|s| s.editable).map(|s| &s.candidate).collect();
        let stays: Vec<&Candidate<'_>> = slots.iter().filter(|s| !s.editable).map(|s| &s.candidate).collect();
        let mut spots: BTreeMap<(String, String), Vec<Action>> = BTreeMap::new();
        for facts in self.evidence.catalog.actions() {
            let action = facts.action();
            let is_cut = !kept.contains(&action)
                && cut.iter().any(|c| c.allows_action(&action))
                && !stays.iter().any(|c| c.allows_action(&action));
            if !is_cut {
                continue;
            }
            if let Visibility::Invisible(why) = (self.evidence.visibility)(role, &action) {
                spots.entry((action.service().to_owned(), why)).or_default().push(action);
            }
        }
        spots.into_iter().map(|((service, why), actions)| BlindSpot { service, why, actions }).collect()
    }
}

/// The statement to serve a call: a sure one before a conditional one, one that stays anyway before one that could go,
/// then the narrowest, then the first.
fn best(slots: &[Slot<'_>], action: &Action, resource: Option<&ResourcePattern>) -> Option<usize> {
    let cover = |slot: &Slot<'_>| match resource {
        Some(resource) => slot.candidate.cover(action, resource),
        None if slot.candidate.allows_action(action) => Cover::Whole,
        None => Cover::Nothing,
    };
    (slots.iter().enumerate())
        .filter_map(|(at, slot)| {
            let cover = cover(slot);
            let conditional = !slot.candidate.statement.conditions.is_empty();
            let rank = (cover, conditional, slot.editable, slot.candidate.breadth(action), at);
            (cover != Cover::Nothing).then_some(rank)
        })
        .min()
        .map(|(.., at)| at)
}

/// Whether any statement grants a part of a need.
fn granted(slots: &[Slot<'_>], need: &Need) -> bool {
    let resources = need.resources.as_deref().unwrap_or_default();
    resources.iter().any(|resource| best(slots, &need.action, Some(resource)).is_some())
}

fn all(slots: &[Slot<'_>], action: &Action) -> Vec<usize> {
    slots.iter().enumerate().filter(|(_, slot)| slot.candidate.allows_action(action)).map(|(at, _)| at).collect()
}

/// One change per policy whose statements do not all stay as they are.
fn changes(role: &Arn, policies: &[AttachedPolicy<'_>], slots: &[Slot<'_>], needs: &[Need]) -> Vec<Change> {
    let mut changes = Vec::new();
    for (policy, attached) in policies.iter().enumerate() {
        let mine: Vec<&Slot<'_>> = slots.iter().filter(|slot| slot.policy == policy).collect();
        if mine.iter().all(|slot| !slot.editable) {
            continue;
        }
        let (after, reasons) = rewrite(attached.document, &mine, needs);
        if attached.document.same_text(&after) {
            continue;
        }
        let name = match attached.origin {
            PolicyOrigin::Managed(arn) => arn.to_string(),
            PolicyOrigin::Inline(_) | PolicyOrigin::Group(_) => attached.name.to_owned(),
        };
        let mut attachment = Attachment::identity(role.clone(), name);
        if let PolicyOrigin::Inline(index) = attached.origin {
            attachment.index = Some(index);
        }
        let after = grants_something(&after).then_some(after);
        changes.push(Change { attachment, before: Some(attached.document.clone()), after, reasons });
    }
    changes
}

/// The document with each statement that may be narrowed replaced by what it serves; the others stay, in their places.
fn rewrite(old: &PolicyDocument, slots: &[&Slot<'_>], needs: &[Need]) -> (PolicyDocument, Vec<Reason>) {
    let mut document = PolicyDocument { statements: Vec::new(), ..old.clone() };
    let mut reasons = Vec::new();
    for (index, statement) in old.statements.iter().enumerate() {
        let Some(slot) = slots.iter().find(|slot| slot.statement == index) else {
            document.statements.push(statement.clone());
            continue;
        };
        for Narrowed { statement, needs: behind } in narrow(slot.candidate.statement, &slot.served) {
            for need in behind.iter().filter_map(|at| needs.get(*at)) {
                reasons.push(reason(document.statements.len(), need));
            }
            document.statements.push(statement);
        }
    }
    (document, reasons)
}

fn reason(statement: usize, need: &Need) -> Reason {
    let evidence = need.seen.as_ref().map(|seen| seen.event_ids.clone()).unwrap_or_default();
    Reason {
        statement: Some(statement),
        because: format!("{} {}: {}", need.action, need.grade.as_str(), need.because),
        evidence,
    }
}

/// A policy of deny statements alone still means something; an empty one does not.
fn grants_something(document: &PolicyDocument) -> bool {
    !document.statements.is_empty()
}
