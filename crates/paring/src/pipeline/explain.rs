//! Why each permission of one role stays or goes: what was decided, laid beside the statements it ends up in.
//!
//! Decides nothing: which statement serves which need is asked of the policies themselves, so that it is said of policies
//! that stay as they are too.

use std::collections::BTreeMap;

use iam_evaluate::effective::granted_actions;
use iam_evaluate::permission_set::{PermissionSet, Possibility};
use iam_model::action::Action;
use iam_model::arn::Arn;
use iam_model::change::Change;
use iam_model::policy::{Effect, PolicyDocument, Statement};
use iam_model::snapshot::SnapshotIndex;
use iam_model::usage::Visibility;
use iam_synthesize::{Judgement, Need, RoleProposal};
use iam_verify::before_after::{Replaced, documents, replaced};

use super::view::claim_views;
use super::{Inputs, Tightened, facts};
use crate::error::CliError;
use crate::report::explain::{
    ActionView, DroppedView, Explanation, Fate, GrantView, LimitView, PolicyState, PolicyView, StatementView,
};

/// The explanation of the only role that was judged, and of one action where one is asked for.
pub(crate) fn explain(inputs: &Inputs, done: &Tightened, action: Option<&Action>) -> Result<Explanation, CliError> {
    let [proposal] = done.proposals.as_slice() else {
        let hint = "give the ARN: several accounts have a role of this name";
        return Err(CliError::user(format!("{} roles have this name", done.proposals.len())).hint(hint));
    };
    let (index, _) = SnapshotIndex::new(&inputs.snapshot);
    let coverage = facts::coverage(&inputs.snapshot, &inputs.usage);
    let known = facts::evidence(&inputs.usage, &coverage, &inputs.last_accessed, &inputs.catalog);
    let visibility = |action: &Action| known.visibility(&proposal.role, action);
    let case = Case { inputs, index: &index, proposal, visibility: &visibility, days: coverage.days };
    let functions = index.functions_of(&proposal.role);
    let window = inputs.usage.window;
    Ok(Explanation {
        role: proposal.role.to_string(),
        functions: functions.iter().map(|function| function.arn.name().to_owned()).collect(),
        refused: match &proposal.judgement {
            Judgement::Refused(why) => Some(why.clone()),
            Judgement::Narrowed | Judgement::Tight => None,
        },
        days: coverage.days,
        window: window.map(|(first, last)| (first.to_string(), last.to_string())),
        needs: proposal.needs.clone(),
        policies: case.policies(),
        dropped: case.dropped(),
        claims: claim_views(&done.report, &proposal.role),
        action: action.map(|action| case.action(action)),
    })
}

/// One role, with what is asked about it.
struct Case<'a> {
    inputs: &'a Inputs,
    index: &'a SnapshotIndex<'a>,
    proposal: &'a RoleProposal,
    visibility: &'a dyn Fn(&Action) -> Visibility,
    days: u64,
}

impl<'a> Case<'a> {
    fn role(&self) -> &'a Arn {
        &self.proposal.role
    }

    fn changes(&self) -> Vec<&'a Change> {
        self.proposal.changes.iter().collect()
    }

    fn policies(&self) -> Vec<PolicyView> {
        replaced(self.role(), &self.changes(), self.index).iter().map(|one| self.policy(one)).collect()
    }

    fn policy(&self, one: &Replaced<'a>) -> PolicyView {
        let name = name(one);
        let note = self.proposal.left_alone.iter().find_map(|note| note.strip_prefix(&format!("{name}: ")));
        let state = match (one.after, one.changed) {
            (None, _) => PolicyState::Removed,
            (Some(_), true) => PolicyState::Narrowed,
            (Some(_), false) => PolicyState::Unchanged,
        };
        let change = self.proposal.changes.iter().find(|change| {
            change.after.as_ref().zip(one.after).is_some_and(|(mine, theirs)| std::ptr::eq(mine, theirs))
        });
        let statements = one.after.map(|document| document.statements.as_slice()).unwrap_or_default();
        let view = |(number, statement): (usize, &Statement)| StatementView {
            number: number + 1,
            document: PolicyDocument::new(vec![statement.clone()]),
            denies: statement.effect == Effect::Deny,
            understood: statement.unknown.is_empty() && statement.effect != Effect::Unknown,
            needs: self.served(statement),
            rules: change.map(|change| rules(change, number)).unwrap_or_default(),
        };
        PolicyView {
            name: name.to_owned(),
            state,
            note: note.map(str::to_owned),
            statements: statements.iter().enumerate().map(view).collect(),
        }
    }

    /// The needs that a statement lets through, whole or in part.
    fn served(&self, statement: &Statement) -> Vec<usize> {
        if statement.effect != Effect::Allow {
            return Vec::new();
        }
        let set = PermissionSet::of_document(&PolicyDocument::new(vec![statement.clone()]));
        let serves = |need: &Need| match &need.resources {
            Some(resources) => resources.iter().any(|one| set.allows(&need.action, one) != Possibility::No),
            None => set.allows_action(&need.action) != Possibility::No,
        };
        self.proposal.needs.iter().enumerate().filter(|(_, need)| serves(need)).map(|(at, _)| at).collect()
    }

    /// What the role may do now and not after, by service and by what is known of its use.
    fn dropped(&self) -> Vec<DroppedView> {
        let (before, after) = documents(self.role(), &self.changes(), self.index);
        if self.proposal.changes.is_empty() {
            return Vec::new();
        }
        let catalog = &self.inputs.catalog;
        let kept = granted_actions(self.index, self.role(), &after, catalog);
        let kept: std::collections::BTreeSet<&Action> = kept.iter().collect();
        let mut groups: BTreeMap<(bool, String, String), Vec<String>> = BTreeMap::new();
        for action in granted_actions(self.index, self.role(), &before, catalog).iter().filter(|a| !kept.contains(a)) {
            let (seen, why) = self.why_dropped(action);
            groups.entry((seen, action.service().to_owned(), why)).or_default().push(action.to_string());
        }
        let view = |((could_be_seen, service, why), actions)| DroppedView { could_be_seen, service, why, actions };
        groups.into_iter().map(view).collect()
    }

    /// Whether a call would have been in the logs, and what they say of it.
    fn why_dropped(&self, action: &Action) -> (bool, String) {
        let denied = self.denied(action);
        match (self.visibility)(action) {
            Visibility::Invisible(why) => (false, why),
            Visibility::Visible if denied > 0 => {
                (true, format!("called {denied} times in {} days, and denied every time", self.days))
            }
            Visibility::Visible => (true, format!("no call in {} days of logs that would have shown one", self.days)),
        }
    }

    /// Calls of an action that were denied.
    fn denied(&self, action: &Action) -> u64 {
        let used = self.inputs.usage.principals.get(self.role());
        used.into_iter().flat_map(|used| &used.observations).filter(|o| o.action == *action).map(|o| o.denied).sum()
    }

    fn action(&self, action: &Action) -> ActionView {
        let policies = replaced(self.role(), &self.changes(), self.index);
        let now: Vec<GrantView> = grants(policies.iter().map(|one| (name(one), Some(one.policy.document))), action);
        let after: Vec<GrantView> = grants(policies.iter().map(|one| (name(one), one.after)), action);
        let (old, new) = documents(self.role(), &self.changes(), self.index);
        let allows = |documents: &[&PolicyDocument]| {
            PermissionSet::of_documents(documents.iter().copied()).allows_action(action) != Possibility::No
        };
        let needed = self.proposal.needs.iter().enumerate().filter(|(_, need)| need.action == *action);
        let fate = match (allows(&old), allows(&new)) {
            (false, _) if now.is_empty() => Fate::NotGranted,
            (false, _) => Fate::Denied,
            (true, false) => Fate::Dropped,
            (true, true) if now == after => Fate::Kept,
            (true, true) => Fate::Narrowed,
        };
        ActionView {
            action: action.to_string(),
            in_catalog: self.inputs.catalog.action(action).is_some(),
            fate,
            why: self.why(action, fate),
            now,
            after,
            needs: needed.map(|(at, _)| at).collect(),
            denied_calls: self.denied(action),
            unseen: match (self.visibility)(action) {
                Visibility::Visible => None,
                Visibility::Invisible(why) => Some(why),
            },
            limits: self.limits(action),
        }
    }

    fn why(&self, action: &Action, fate: Fate) -> String {
        match fate {
            Fate::NotGranted => "no policy of the role allows it".into(),
            Fate::Denied => "a deny statement of the role's own policies forbids it on every resource".into(),
            Fate::Dropped => self.why_dropped(action).1,
            Fate::Kept | Fate::Narrowed => {
                let need = self.proposal.needs.iter().find(|need| need.action == *action);
                let served = need.map(|need| format!("{}: {}", need.grade().as_str(), need.because));
                let refused = match &self.proposal.judgement {
                    Judgement::Refused(why) => Some(format!("nothing is changed: {why}")),
                    Judgement::Narrowed | Judgement::Tight => None,
                };
                refused.or(served).unwrap_or_else(|| "no call needs it; a policy that stays as it is grants it".into())
            }
        }
    }

    /// What the boundary and the service control policies above the role say, whatever the role's own policies.
    fn limits(&self, action: &Action) -> Vec<LimitView> {
        let limit = |name: String, documents: &mut dyn Iterator<Item = &'a PolicyDocument>| {
            let set = PermissionSet::of_documents(documents);
            let says = match set.allows_action(action) {
                Possibility::No => "denies it",
                Possibility::Unknown => "not known: a part of it was not understood",
                Possibility::Yes | Possibility::Conditional => {
                    match set.allows(action, &iam_model::arn::ResourcePattern::everything()) {
                        Possibility::Yes => "allows it",
                        _ => "allows it on some resources or under conditions",
                    }
                }
            };
            LimitView { name, says }
        };
        let boundary = self.index.boundary(self.role());
        let mut limits: Vec<LimitView> = boundary
            .into_iter()
            .map(|document| limit("permissions boundary".into(), &mut std::iter::once(document)))
            .collect();
        let account = self.role().account().filter(|account| !self.index.is_management_account(account));
        if let Some(guardrails) = account.and_then(|account| self.index.guardrails(&account)) {
            for (level, documents) in guardrails.scps.iter().enumerate() {
                limits.push(limit(format!("service control policies, level {}", level + 1), &mut documents.iter()));
            }
        }
        limits
    }
}

/// A policy's name as changes have it: the ARN of a managed one.
fn name<'a>(one: &Replaced<'a>) -> &'a str {
    one.policy.name
}

/// Statements of these policies that may allow an action.
fn grants<'d>(
    policies: impl Iterator<Item = (&'d str, Option<&'d PolicyDocument>)>,
    action: &Action,
) -> Vec<GrantView> {
    let mut grants = Vec::new();
    for (policy, document) in policies {
        for (number, statement) in document.into_iter().flat_map(|d| &d.statements).enumerate() {
            let alone = PolicyDocument::new(vec![statement.clone()]);
            if PermissionSet::of_document(&alone).allows_action(action) == Possibility::No {
                continue;
            }
            let mut resources: Vec<String> =
                statement.resource.patterns().iter().map(|pattern| pattern.value.to_string()).collect();
            if matches!(statement.resource, iam_model::policy::ResourceElement::NotResource(_)) {
                resources = vec![format!("everything but {}", resources.join(", "))];
            }
            let conditional = !statement.conditions.is_empty();
            grants.push(GrantView { policy: policy.to_owned(), statement: number + 1, resources, conditional });
        }
    }
    grants
}

/// The named rules by which a statement is wider than what was seen.
fn rules(change: &Change, statement: usize) -> Vec<String> {
    let of = change.reasons.iter().filter(|reason| reason.statement == Some(statement));
    of.filter(|reason| reason.because.starts_with('`')).map(|reason| reason.because.clone()).collect()
}
