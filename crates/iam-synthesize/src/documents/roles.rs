//! What a role named in a resource's policy was seen to do with the resource, as the statement that would be left of it.
//!
//! A role of an account whose logs were read is judged by its calls. What could not have been seen stays where it is named,
//! and keeps a statement with wildcards as it is.

use std::collections::{BTreeMap, BTreeSet};

use iam_evaluate::glob::{Glob, Reading};
use iam_model::action::Action;
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::policy::{ActionElement, PolicyDocument, PrincipalPattern, ResourceElement, Statement};
use iam_model::text::grouped;
use iam_model::time::Timestamp;
use iam_model::usage::{Observation, Visibility};

use super::Ground;
use crate::bounds::Bounds;
use crate::infer::infer;
use crate::narrow::{Candidate, Served, narrow};
use crate::needs::{Known, Need};
use crate::plumbing::Runs;
use crate::unresolved;

/// What is left of a statement for one role.
pub(super) enum Used {
    /// These; nothing where none of it was used.
    Parts(Vec<Statement>),
    /// Nobody can tell, and why.
    Open(String),
}

impl Ground<'_, '_> {
    /// The role of the snapshot that a principal names.
    pub(super) fn role(&self, principal: &PrincipalPattern) -> Option<Arn> {
        let PrincipalPattern::Aws(name) = principal else { return None };
        name.parse::<Arn>().ok().filter(|arn| arn.service() == "iam" && self.index.role(arn).is_some())
    }

    /// What is left of a statement on `on` for a role that it names.
    pub(super) fn used(&self, role: &Arn, on: &Arn, document: &PolicyDocument, statement: &Statement) -> Used {
        if let Err(why) = role.account().ok_or_else(|| "no account".to_owned()).and_then(|id| self.is_logged(&id)) {
            return Used::Open(why);
        }
        if self.index.role(role).is_some_and(iam_model::snapshot::Role::is_service_linked) {
            return Used::Open("AWS owns this role, and says what its service asks for".into());
        }
        if let Some(why) = self.is_silent(role) {
            return Used::Open(why);
        }
        if let Some(why) = unresolved::of_service(role, on.service(), self.evidence) {
            return Used::Open(why);
        }
        // Whoever is named, what the statement lets through is asked.
        let alone = Statement { principal: None, ..statement.clone() };
        let Some(candidate) = Candidate::new(document, &alone) else {
            return Used::Open("the statement is not understood".into());
        };
        let known = Known { role, evidence: self.evidence, rules: self.rules };
        let bounds = Bounds::new(role, self.evidence.usage, self.existing);
        // What follows from calls, or running a function asks for, no call need show.
        let needs = infer(&self.index.functions_of(role), &Runs::of(role, self.index, self.rules), known, &bounds);
        let mut served = Vec::new();
        let named: BTreeSet<Action> = candidate.named().filter_map(|pattern| pattern.as_str().parse().ok()).collect();
        for action in self.asked(on, &candidate, &named) {
            let calls: Vec<&Observation> = self.calls_on(role, &action, on).collect();
            let unsure = if known.was_seen(&action) { known.unsure(&action, &on_itself(on, &alone)) } else { None };
            if let Some(unsure) = unsure {
                if !named.contains(&action) {
                    return Used::Open(format!("not every use of {action} could have been seen: {}", unsure.why));
                }
                served.push(Served::as_granted(action, 0));
            } else if !calls.is_empty() {
                served.extend(on_seen(&action, &calls, on, &candidate, &bounds));
            } else if is_needed(&needs, &action, on) || self.is_kept(role, &action) {
                served.push(Served::as_granted(action, 0));
            } else if let Visibility::Invisible(why) = known.visibility(&action) {
                if !named.contains(&action) && !self.may_be_asked(known, &action) {
                    return Used::Open(format!("{action} could not have been seen: {why}"));
                }
                served.push(Served::as_granted(action, 0));
            } else if let Some(unsure) = known.unsure(&action, &on_itself(on, &alone)) {
                if !named.contains(&action) {
                    return Used::Open(format!("{action} could not have been seen: {}", unsure.why));
                }
                served.push(Served::as_granted(action, 0));
            }
        }
        let called = |action: &Action| self.calls_on(role, action, on).map(|call| call.count).sum();
        let parts = narrow(&alone, &served, &[], (false, &called)).into_iter().map(|narrowed| narrowed.statement);
        Used::Parts(parts.map(|part| Statement { principal: statement.principal.clone(), ..part }).collect())
    }

    /// Whether calls that were seen of a role may ask for an action without showing it: then it stays beside them.
    fn may_be_asked(&self, known: Known<'_>, action: &Action) -> bool {
        let operations = self.evidence.catalog.operations_authorised_by(action);
        let mut main = operations.iter().filter_map(|(operation, _)| operation.authorized().next());
        main.any(|pair| known.was_seen(&pair.action()))
    }

    /// The actions of the resource's service that a statement allows; those it names though nobody knows them, too.
    fn asked(&self, on: &Arn, candidate: &Candidate<'_>, named: &BTreeSet<Action>) -> Vec<Action> {
        let of_service = |action: &Action| action.service().eq_ignore_ascii_case(on.service());
        let known = self.evidence.catalog.actions().map(|facts| facts.action());
        let mut asked: Vec<Action> =
            known.filter(|action| of_service(action) && candidate.allows_action(action)).collect();
        let unknown = |action: &&Action| of_service(action) && self.evidence.catalog.action(action).is_none();
        asked.extend(named.iter().filter(unknown).cloned());
        asked
    }

    /// What roles were seen to do on a resource that a statement lets through, a line each.
    pub(super) fn seen(&self, roles: &BTreeSet<Arn>, on: &Arn, statement: &Statement) -> Vec<String> {
        let usage = &self.evidence.usage.principals;
        let used = usage.iter().filter(|(role, _)| roles.contains(role));
        let calls = used.flat_map(|(role, used)| used.observations.iter().map(move |call| (role, call)));
        let may = |call: &Observation| {
            call.count > 0
                && call.action.service().eq_ignore_ascii_case(on.service())
                && allows(statement, call.action.as_str())
                && (!call.resource_known || call.resources.iter().any(|seen| may_be_of(seen, on)))
        };
        lines(calls.filter(|(_, call)| may(call)))
    }

    /// How often a role called what it called most of a resource.
    pub(super) fn most_called(&self, role: &Arn, on: &Arn) -> u64 {
        let used = self.evidence.usage.principals.get(role);
        let calls = used.into_iter().flat_map(|used| &used.observations);
        let own = calls.filter(|call| call.action.service().eq_ignore_ascii_case(on.service()));
        let actions: BTreeSet<&Action> = own.map(|call| &call.action).collect();
        let count = |action: &Action| self.calls_on(role, action, on).map(|call| call.count).sum();
        actions.into_iter().map(count).max().unwrap_or_default()
    }

    fn calls_on<'s>(
        &'s self,
        role: &Arn,
        action: &'s Action,
        on: &'s Arn,
    ) -> impl Iterator<Item = &'s Observation> + use<'s> {
        let used = self.evidence.usage.principals.get(role);
        let calls = used.into_iter().flat_map(|used| &used.observations);
        let may = |call: &Observation| !call.resource_known || call.resources.iter().any(|seen| may_be_of(seen, on));
        calls.filter(move |call| call.count > 0 && call.action == *action && may(call))
    }

    /// Whether a rule keeps an action of a role.
    pub(super) fn is_kept(&self, role: &Arn, action: &Action) -> bool {
        let rules = self.rules.kept(role).map(|(rule, _)| rule);
        rules
            .flat_map(|rule| &rule.actions)
            .any(|pattern| Glob::parse(pattern.as_str(), Reading::ACTION).matches(action.as_str()))
    }
}

/// A statement of a resource's policy with the resource's own name for `*`, which is nothing else there.
fn on_itself(on: &Arn, statement: &Statement) -> Statement {
    let mut statement = statement.clone();
    if let ResourceElement::Resource(patterns) = &mut statement.resource {
        let whole = patterns.iter_mut().filter(|pattern| pattern.value.is_everything());
        whole.for_each(|pattern| pattern.value = ResourcePattern::new(on.as_str()));
    }
    statement
}

/// Whether an action on a resource is among the needs.
fn is_needed(needs: &[Need], action: &Action, on: &Arn) -> bool {
    let may = |need: &Need| need.resources.as_ref().is_none_or(|all| all.iter().any(|one| may_be_of(one, on)));
    needs.iter().any(|need| need.action == *action && may(need))
}

/// An action that was seen, on the resources it was seen on.
fn on_seen(
    action: &Action,
    calls: &[&Observation],
    on: &Arn,
    candidate: &Candidate<'_>,
    bounds: &Bounds<'_>,
) -> Option<Served> {
    let known = calls.iter().all(|call| call.resource_known);
    let mut seen: Vec<ResourcePattern> =
        calls.iter().flat_map(|call| &call.resources).filter(|seen| may_be_of(seen, on)).cloned().collect();
    seen.sort();
    seen.dedup();
    // In a policy of its own, `*` is the resource itself.
    let itself = seen.iter().all(|seen| seen.as_str() == on.as_str());
    let named = seen.iter().all(|seen| seen.as_str().starts_with(on.as_str()));
    if !known || !named || (itself && candidate.statement.resource.patterns().iter().any(|p| p.value.is_everything())) {
        return Some(Served::as_granted(action.clone(), 0));
    }
    let (resources, folds) = candidate.resources_for(action, &seen, bounds)?;
    Some(Served { action: action.clone(), resources, folds, bound: None, need: 0 })
}

/// Whether what a call was about may be a resource, or something in it.
fn may_be_of(seen: &ResourcePattern, on: &Arn) -> bool {
    let (seen, on) = (seen.as_str(), on.as_str());
    let start = seen.split(['*', '?']).next().unwrap_or_default();
    if start.len() < seen.len() {
        return start.starts_with(on) || on.starts_with(start);
    }
    // A key is called by its aliases too.
    let alias = seen.contains(":alias/") && on.contains(":key/");
    alias || seen.strip_prefix(on).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':']))
}

/// Calls by role and action: how many, from when to when.
pub(super) fn lines<'c>(calls: impl Iterator<Item = (&'c Arn, &'c Observation)>) -> Vec<String> {
    let mut all: BTreeMap<(&Arn, &Action), (u64, Timestamp, Timestamp)> = BTreeMap::new();
    for (role, call) in calls {
        let known = all.entry((role, &call.action)).or_insert((0, call.first, call.last));
        *known = (known.0 + call.count, known.1.min(call.first), known.2.max(call.last));
    }
    let line = |((role, action), (count, first, last)): (&(&Arn, &Action), &(u64, Timestamp, Timestamp))| {
        let calls = if *count == 1 { "1 call".to_owned() } else { format!("{} calls", grouped(*count)) };
        format!("{}: {action}, {calls}, {} to {}", role.name(), first.date(), last.date())
    };
    all.iter().map(line).collect()
}

/// Whether a statement lets an action through on anything.
pub(super) fn allows(statement: &Statement, action: &str) -> bool {
    let matches = |pattern: &str| Glob::parse(pattern, Reading::ACTION).matches(action);
    let listed = statement.action.patterns().iter().any(|pattern| matches(pattern.value.as_str()));
    listed == matches!(statement.action, ActionElement::Action(_))
}
