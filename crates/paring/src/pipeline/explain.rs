//! Why each permission of one role stays or goes: what was decided, laid beside the statements it ends up in.
//!
//! Decides nothing: which statement serves which need is asked of the policies themselves, so that it is said of policies
//! that stay as they are too.

use std::collections::BTreeMap;

use iam_evaluate::budget::{ALL, Budget};
use iam_evaluate::effective::Published;
use iam_evaluate::permission_set::{Limits, PermissionSet, Possibility};
use iam_model::action::Action;
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::change::{Change, NewPolicy, RolePart};
use iam_model::policy::{Effect, PolicyDocument, Statement};
use iam_model::snapshot::{AttachedPolicy, PolicyOrigin, SnapshotIndex};
use iam_model::usage::{AccountDays, Observation, Visibility};
use iam_synthesize::{Evidence, Judgement, Known, Need, RoleProposal, SplitProposal};
use iam_verify::before_after::{Replaced, replaced};
use iam_verify::policy_check::nearest;

use super::view::claim_views;
use super::{Inputs, Tightened, facts, hints};
use crate::error::CliError;
use crate::report::explain::{
    ActionView, DroppedView, Explained, Explanation, Fate, GrantView, LimitView, PolicyState, PolicyView,
    SplitExplanation, StatementView,
};

/// The explanation of the only role that was judged, and of one action where one is asked for; of a role that is taken
/// apart, one for each new role.
pub(crate) fn explain(inputs: &Inputs, done: &Tightened, action: Option<&Action>) -> Result<Explained, CliError> {
    let (index, _) = SnapshotIndex::new(&inputs.snapshot);
    let coverage = facts::coverage(&inputs.snapshot, (&inputs.usage, inputs.rules.min_days), &inputs.catalog);
    let known =
        facts::evidence((&inputs.usage, inputs.rules.min_days), &coverage, &inputs.last_accessed, &inputs.catalog);
    let visibility = |role: &Arn, action: &Action| known.visibility(role, action);
    let every_use = |role: &Arn, action: &Action, on: &ResourcePattern| known.every_use(role, action, on);
    let evidence = Evidence {
        usage: &inputs.usage,
        coverage: &coverage,
        catalog: &inputs.catalog,
        visibility: &visibility,
        every_use: &every_use,
        has_own_record: &|role| known.has_own_record(role),
    };
    let room = Room { inputs, done, index: &index, evidence: &evidence, action, budget: Budget::new(ALL) };
    match (done.proposals.as_slice(), done.splits.as_slice()) {
        ([proposal], splits) => {
            let mut explanation = room.whole(proposal);
            let whole = splits.iter().find_map(|split| split.split.as_ref().err());
            let mut notes: Vec<String> = whole.map(|why| format!("not taken apart: {why}")).into_iter().collect();
            notes.extend(iam_graph::unused_access_of(&inputs.snapshot, &proposal.role));
            explanation.note = (!notes.is_empty()).then(|| notes.join("; "));
            Ok(Explained::Whole(Box::new(explanation)))
        }
        ([], [split]) => Ok(Explained::Split(SplitExplanation {
            role: split.role.to_string(),
            notes: split.notes.clone(),
            parts: room.parts(split),
        })),
        (whole, splits) => {
            let hint = "give the ARN: several accounts have a role of this name";
            Err(CliError::user(format!("{} roles have this name", whole.len() + splits.len())).hint(hint))
        }
    }
}

/// What all explanations of a run share.
struct Room<'a> {
    inputs: &'a Inputs,
    done: &'a Tightened,
    index: &'a SnapshotIndex<'a>,
    evidence: &'a Evidence<'a>,
    action: Option<&'a Action>,
    /// What questions about sets of permissions may still cost.
    budget: Budget,
}

/// A policy before and after.
struct Held<'a> {
    name: &'a str,
    state: PolicyState,
    before: Option<&'a PolicyDocument>,
    after: Option<&'a PolicyDocument>,
    /// Its place in the proposal's folds and suggestions, where it has any.
    place: Option<usize>,
    /// Why it is new.
    new: Option<&'a str>,
}

impl<'a> Room<'a> {
    fn whole(&self, proposal: &'a RoleProposal) -> Explanation {
        let changes: Vec<&Change> = proposal.changes.iter().collect();
        let replaced = replaced(&proposal.role, &changes, self.index);
        let held = |(place, one): (usize, &Replaced<'a>)| Held {
            name: one.policy.name,
            state: match (one.after, one.changed) {
                (None, _) => PolicyState::Removed,
                (Some(_), true) => PolicyState::Narrowed,
                (Some(_), false) => PolicyState::Unchanged,
            },
            before: Some(one.policy.document),
            after: one.after,
            place: one.changed.then_some(place),
            new: None,
        };
        let added = proposal.changes.iter().filter(|change| change.before.is_none()).enumerate();
        let added = added.map(|(n, change)| Held {
            name: change.attachment.policy_name.as_deref().unwrap_or_default(),
            state: PolicyState::New,
            before: None,
            after: change.after.as_ref(),
            place: Some(replaced.len() + n),
            new: change
                .reasons
                .iter()
                .find(|reason| reason.statement.is_none())
                .map(|reason| reason.because.strip_prefix("new: ").unwrap_or(&reason.because)),
        });
        let policies = replaced.iter().enumerate().map(held).chain(added).collect();
        let functions = self.index.functions_of(&proposal.role);
        let case = Case { room: self, proposal, function: None, policies };
        Explanation {
            role: proposal.role.to_string(),
            functions: functions.iter().map(|function| function.arn.name().to_owned()).collect(),
            claims: claim_views(&self.done.report, &proposal.role),
            ..self.explanation(&case)
        }
    }

    /// One explanation for each new role.
    fn parts(&self, split: &'a SplitProposal) -> Vec<Explanation> {
        let parts = split.split.as_ref().map(|split| split.parts.as_slice()).unwrap_or_default();
        parts.iter().zip(&split.parts).map(|(part, decided)| self.part(part, decided)).collect()
    }

    fn part(&self, part: &'a RolePart, decided: &'a RoleProposal) -> Explanation {
        let old = self.index.identity_policies(&decided.role);
        let stays = |arn: &Arn| old.iter().find(|p| matches!(p.origin, PolicyOrigin::Managed(own) if own == arn));
        let managed = part.managed_policies.iter().filter_map(stays).map(|policy| Held {
            name: policy.name,
            state: PolicyState::Unchanged,
            before: Some(policy.document),
            after: Some(policy.document),
            place: None,
            new: None,
        });
        let is_copy = |new: &NewPolicy| old.iter().any(|p| p.name == new.name && p.document.same_text(&new.document));
        let written = part.policies.iter().chain(&part.new_managed_policies);
        let new = written.enumerate().map(|(place, policy)| Held {
            name: &policy.name,
            state: if is_copy(policy) { PolicyState::Unchanged } else { PolicyState::New },
            before: None,
            after: Some(&policy.document),
            place: Some(place),
            new: Some(match place < part.policies.len() {
                true => "what the function needs of the shared role",
                false => "a managed policy, for what does not fit into the role itself",
            }),
        });
        let is_managed = |policy: &AttachedPolicy<'_>| matches!(policy.origin, PolicyOrigin::Managed(own) if part.managed_policies.contains(own));
        let gone = old.iter().filter(|policy| !is_managed(policy)).map(|policy| Held {
            name: policy.name,
            state: PolicyState::Left,
            before: Some(policy.document),
            after: None,
            place: None,
            new: None,
        });
        let policies = managed.chain(new).chain(gone).collect();
        let case = Case { room: self, proposal: decided, function: Some(part.function.name()), policies };
        let new = part.role.to_string();
        let views = self.done.report.splits.iter().flat_map(|split| &split.parts);
        Explanation {
            claims: views.filter(|view| view.role == new).flat_map(|view| view.claims.iter().cloned()).collect(),
            role: new,
            functions: vec![part.function.name().to_owned()],
            instead_of: Some(decided.role.to_string()),
            ..self.explanation(&case)
        }
    }

    fn explanation(&self, case: &Case<'a, '_>) -> Explanation {
        let window = self.inputs.usage.window;
        let configured = case.proposal.configured.as_slice();
        Explanation {
            role: String::new(),
            instead_of: None,
            functions: Vec::new(),
            note: None,
            refused: match &case.proposal.judgement {
                Judgement::Refused(why) => Some(why.clone()),
                Judgement::Narrowed | Judgement::Tight => None,
            },
            days: case.account_days(),
            window: window.map(|(first, last)| (first.to_string(), last.to_string())),
            needs: case.proposal.needs.clone(),
            named: hints::named(&case.proposal.needs, configured),
            configured: configured.iter().map(hints::view).collect(),
            policies: case
                .policies
                .iter()
                .filter(|held| held.state != PolicyState::Left)
                .map(|one| case.policy(one))
                .collect(),
            dropped: case.dropped(),
            claims: Vec::new(),
            action: self.action.map(|action| case.action(action)),
        }
    }
}

/// One role as it would be.
struct Case<'a, 'r> {
    room: &'r Room<'a>,
    proposal: &'a RoleProposal,
    /// The only function, of a new role.
    function: Option<&'a str>,
    policies: Vec<Held<'a>>,
}

impl<'a> Case<'a, '_> {
    /// The role whose calls are in the logs.
    fn role(&self) -> &'a Arn {
        &self.proposal.role
    }

    /// What the logs of its account span.
    fn account_days(&self) -> Option<AccountDays> {
        let account = self.role().account()?;
        self.room.evidence.coverage.by_account.get(&account).copied()
    }

    fn before(&self) -> Vec<&'a PolicyDocument> {
        self.policies.iter().filter_map(|held| held.before).collect()
    }

    fn after(&self) -> Vec<&'a PolicyDocument> {
        self.policies.iter().filter_map(|held| held.after).collect()
    }

    fn visibility(&self, action: &Action) -> Visibility {
        Known { role: self.role(), evidence: self.room.evidence, rules: &self.room.inputs.rules }.visibility(action)
    }

    /// Why some use of an action may have gone unseen on what is granted, though the logs show others.
    fn unsure(&self, action: &Action, granted: &[GrantView]) -> Option<String> {
        let mut on = granted.iter().flat_map(|grant| &grant.resources).map(|text| ResourcePattern::new(text));
        on.find_map(|on| match (self.room.evidence.every_use)(self.role(), action, &on) {
            Visibility::Visible => None,
            Visibility::Invisible(why) => Some(why),
        })
    }

    /// The same on what is granted now.
    fn unsure_before(&self, action: &Action) -> Option<String> {
        self.unsure(action, &grants(self.policies.iter().map(|held| (held.name, held.before)), action))
    }

    fn policy(&self, held: &Held<'a>) -> PolicyView {
        let note = self.proposal.left_alone.iter().find_map(|note| note.strip_prefix(&format!("{}: ", held.name)));
        let statements = held.after.map(|document| document.statements.as_slice()).unwrap_or_default();
        let here = |policy: usize, at: usize, number: usize| held.place == Some(policy) && at == number;
        let view = |(number, statement): (usize, &Statement)| StatementView {
            number: number + 1,
            document: PolicyDocument::new(vec![statement.clone()]),
            denies: statement.effect == Effect::Deny,
            understood: statement.unknown.is_empty() && statement.effect != Effect::Unknown,
            needs: self.served(statement),
            folds: (self.proposal.folds.iter()).filter(|f| here(f.policy, f.statement, number)).cloned().collect(),
            suggestions: (self.proposal.suggestions.iter())
                .filter(|s| here(s.policy, s.statement, number))
                .cloned()
                .collect(),
        };
        PolicyView {
            name: held.name.to_owned(),
            state: held.state,
            note: note.or(held.new.filter(|_| held.state == PolicyState::New)).map(str::to_owned),
            statements: statements.iter().enumerate().map(view).collect(),
        }
    }

    /// The needs that a statement lets through, whole or in part.
    fn served(&self, statement: &Statement) -> Vec<usize> {
        if statement.effect != Effect::Allow {
            return Vec::new();
        }
        let set = PermissionSet::of_document(&PolicyDocument::new(vec![statement.clone()]));
        let limits = Limits::of(&self.room.budget);
        let serves = |need: &Need| match &need.resources {
            Some(resources) => {
                resources.iter().any(|one| set.allows_within(&need.action, one, limits) != Possibility::No)
            }
            None => set.allows_action_within(&need.action, limits) != Possibility::No,
        };
        self.proposal.needs.iter().enumerate().filter(|(_, need)| serves(need)).map(|(at, _)| at).collect()
    }

    /// What the role may do now and not after, by service and by what is known of its use.
    fn dropped(&self) -> Vec<DroppedView> {
        if self.policies.iter().all(|held| held.state == PolicyState::Unchanged) {
            return Vec::new();
        }
        let (before, after) = (self.before(), self.after());
        let (index, published) = (self.room.index, Published::of(&self.room.inputs.catalog));
        let kept = published.granted(index, self.role(), &after);
        let kept: std::collections::BTreeSet<&Action> = kept.actions().collect();
        let mut groups: BTreeMap<(bool, String, String), Vec<String>> = BTreeMap::new();
        for action in published.granted(index, self.role(), &before).actions().filter(|a| !kept.contains(a)) {
            let (seen, why) = self.why_dropped(action);
            groups.entry((seen, action.service().to_owned(), why)).or_default().push(action.to_string());
        }
        let view = |((could_be_seen, service, why), actions)| DroppedView { could_be_seen, service, why, actions };
        groups.into_iter().map(view).collect()
    }

    /// Whether a call would have been in the logs, and what they say of it.
    fn why_dropped(&self, action: &Action) -> (bool, String) {
        let (denied, days) = (self.denied(action), self.account_days().map_or(0, AccountDays::shown));
        match self.visibility(action) {
            // Another function's calls make the action seen of the shared role, and say nothing of this one's need.
            Visibility::Invisible(why) => (false, why),
            Visibility::Visible if self.seen(action) == 0 && self.unsure_before(action).is_some() => {
                (false, self.unsure_before(action).unwrap_or_default())
            }
            Visibility::Visible if denied > 0 => {
                let times = if denied == 1 { "once".to_owned() } else { format!("{denied} times") };
                (true, format!("called {times} in {days} days, and denied every time"))
            }
            Visibility::Visible if self.seen(action) > 0 => {
                let calls = self.seen(action);
                (
                    true,
                    format!("{calls} of its calls were seen in {days} days, on what other policies let it through on"),
                )
            }
            Visibility::Visible if self.function.is_some() => {
                (true, format!("no call of this function in {days} days of logs that would have shown one"))
            }
            Visibility::Visible => (true, format!("no call in {days} days of logs that would have shown one")),
        }
    }

    /// Calls of an action that were authorised.
    fn seen(&self, action: &Action) -> u64 {
        self.calls(action).map(|o| o.count).sum()
    }

    /// Calls of an action that were denied.
    fn denied(&self, action: &Action) -> u64 {
        self.calls(action).map(|o| o.denied).sum()
    }

    /// What was seen of an action, of the one function where there is one.
    fn calls<'s>(&'s self, action: &'s Action) -> impl Iterator<Item = &'s Observation> {
        let used = self.room.inputs.usage.principals.get(self.role());
        let calls = used.into_iter().flat_map(|used| &used.observations).filter(move |o| o.action == *action);
        calls.filter(|o| self.function.is_none() || o.function.as_deref() == self.function)
    }

    fn action(&self, action: &Action) -> ActionView {
        let now: Vec<GrantView> = grants(self.policies.iter().map(|held| (held.name, held.before)), action);
        let after: Vec<GrantView> = grants(self.policies.iter().map(|held| (held.name, held.after)), action);
        let (old, new) = (self.before(), self.after());
        let allows = |documents: &[&PolicyDocument]| {
            PermissionSet::of_documents(documents.iter().copied()).allows_action(action) != Possibility::No
        };
        let needed = self.proposal.needs.iter().enumerate().filter(|(_, need)| need.action == *action);
        let unseen = match self.visibility(action) {
            Visibility::Visible => self.unsure(action, &now),
            Visibility::Invisible(why) => Some(why),
        };
        let fate = match (allows(&old), allows(&new)) {
            (false, _) if now.is_empty() => Fate::NotGranted,
            (false, _) => Fate::Denied,
            (true, false) => Fate::Dropped,
            (true, true) if now == after => Fate::Kept,
            (true, true) => Fate::Narrowed,
        };
        ActionView {
            action: action.to_string(),
            in_catalog: self.room.inputs.catalog.action(action).is_some(),
            near: self.near(action),
            fate,
            why: self.why(action, fate),
            now,
            after,
            needs: needed.map(|(at, _)| at).collect(),
            denied_calls: self.denied(action),
            unseen,
            limits: self.limits(action),
        }
    }

    fn why(&self, action: &Action, fate: Fate) -> String {
        match fate {
            Fate::NotGranted => self.why_not_granted(action),
            Fate::Denied => "a deny statement of the role's own policies forbids it on every resource".into(),
            Fate::Dropped => match self.why_dropped(action) {
                (true, why) => why,
                (false, why) => format!(
                    "a wildcard grants it and goes; the logs could not have shown its use ({why}): if it is used, name it in a keep rule"
                ),
            },
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

    /// The action that may be meant, where AWS publishes none of this name.
    fn near(&self, action: &Action) -> Option<String> {
        let catalog = &self.room.inputs.catalog;
        if catalog.action(action).is_some() {
            return None;
        }
        let names: Vec<Action> = catalog.actions().map(|facts| facts.action()).collect();
        nearest(action.as_str(), names.iter().map(Action::as_str)).map(str::to_owned)
    }

    fn why_not_granted(&self, action: &Action) -> String {
        let why = "no policy of the role allows it";
        match (self.seen(action), self.denied(action)) {
            (0, 0) => why.into(),
            (0, 1) => format!("{why}; 1 call was made, and denied"),
            (0, denied) => format!("{why}; {denied} calls were made, and all of them denied"),
            (1, _) => format!(
                "{why}; 1 call was allowed all the same: by a resource's own policy, or by a policy that is gone"
            ),
            (seen, _) => format!(
                "{why}; {seen} calls were allowed all the same: by a resource's own policy, or by a policy that is gone"
            ),
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
                    match set.allows(action, &ResourcePattern::everything()) {
                        Possibility::Yes => "allows it",
                        _ => "allows it on some resources or under conditions",
                    }
                }
            };
            LimitView { name, says }
        };
        let index = self.room.index;
        let boundary = index.boundary(self.role());
        let mut limits: Vec<LimitView> = boundary
            .into_iter()
            .map(|document| limit("permissions boundary".into(), &mut std::iter::once(document)))
            .collect();
        let account = self.role().account().filter(|account| !index.is_management_account(account));
        if let Some(guardrails) = account.and_then(|account| index.guardrails(&account)) {
            for (level, documents) in guardrails.scps.iter().enumerate() {
                limits.push(limit(format!("service control policies, level {}", level + 1), &mut documents.iter()));
            }
        }
        limits
    }
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
