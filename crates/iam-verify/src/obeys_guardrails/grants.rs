//! The questions about permissions: may a role be given one, go on holding it, lose it.
//!
//! Asks about every action entry on every resource entry of every statement that may allow.

use std::collections::BTreeSet;

use iam_model::action::ActionPattern;
use iam_model::arn::{AccountId, ResourcePattern};
use iam_model::change::Change;
use iam_model::condition::ConditionKey;
use iam_model::policy::{ActionElement, Effect, PolicyDocument, ResourceElement, Statement};

use super::state::State;
use crate::guardrails::{Grant, GuardrailError, Object, PermissionFacts, Question, RoleFacts, Target, Violation};

/// One action entry on one resource entry of one statement.
pub(super) struct Entry {
    pub(super) action: ActionPattern,
    pub(super) resource: ResourcePattern,
    keys: BTreeSet<ConditionKey>,
}

/// Every entry of a document that may allow.
pub(super) fn entries(document: &PolicyDocument) -> Vec<Entry> {
    let mut found = Vec::new();
    for statement in document.statements.iter().filter(|s| s.effect != Effect::Deny) {
        let resources = resources(statement);
        for action in actions(statement) {
            found.extend(resources.iter().map(|resource| Entry {
                action: action.clone(),
                resource: resource.clone(),
                keys: statement.conditions.iter().map(|c| c.key.clone()).collect(),
            }));
        }
    }
    found
}

/// The action entries; `NotAction` grants nearly everything, and is asked about as everything.
pub(super) fn actions(statement: &Statement) -> Vec<ActionPattern> {
    match &statement.action {
        ActionElement::Action(patterns) => patterns.iter().map(|p| p.value.clone()).collect(),
        ActionElement::NotAction(_) => vec![ActionPattern::new("*")],
    }
}

pub(super) fn resources(statement: &Statement) -> Vec<ResourcePattern> {
    match &statement.resource {
        ResourceElement::Resource(patterns) => patterns.iter().map(|p| p.value.clone()).collect(),
        ResourceElement::NotResource(_) | ResourceElement::Absent => vec![ResourcePattern::everything()],
    }
}

fn grant<'f>(role: &'f RoleFacts, permission: &'f PermissionFacts, entry: &Entry, state: &State<'_>) -> Grant<'f> {
    Grant {
        role,
        permission,
        target: Target { external: is_external(&entry.resource, role), pattern: entry.resource.clone() },
        condition_keys: entry.keys.clone(),
        usage: state.usage(&role.arn, &entry.action, &entry.resource),
        escalation: state.escalation(&role.arn, &entry.action),
    }
}

/// The same of something that is held already: what is needed without a call is not unused.
fn holding<'f>(role: &'f RoleFacts, permission: &'f PermissionFacts, entry: &Entry, state: &State<'_>) -> Grant<'f> {
    let mut grant = grant(role, permission, entry, state);
    grant.usage.observable &= !state.is_needed(&role.arn, &entry.action);
    grant
}

/// May the role be given what the document grants?
pub(super) fn granted(
    role: &RoleFacts,
    document: &PolicyDocument,
    state: &State<'_>,
    found: &mut Vec<Violation>,
) -> Result<(), GuardrailError> {
    entries(document).iter().try_for_each(|entry| {
        let permission = state.permission(&entry.action);
        state.rulebook.ask(&Question::Grant(grant(role, &permission, entry, state)), found)
    })
}

/// May the role go on holding what the document grants?
pub(super) fn kept(
    role: &RoleFacts,
    document: &PolicyDocument,
    state: &State<'_>,
    found: &mut Vec<Violation>,
) -> Result<(), GuardrailError> {
    entries(document).iter().try_for_each(|entry| {
        let permission = state.permission(&entry.action);
        state.rulebook.ask(&Question::Keep(holding(role, &permission, entry, state)), found)
    })
}

/// What of each changed policy stays, and what goes.
pub(super) fn kept_and_removed(
    changes: &[&Change],
    before: &State<'_>,
    found: &mut Vec<Violation>,
) -> Result<(), GuardrailError> {
    for change in changes {
        let side = |document: &Option<PolicyDocument>| document.as_ref().map(entries).unwrap_or_default();
        let (old, new) = (side(&change.before), side(&change.after));
        for role in before.holders(change) {
            let object = |entry: &Entry| object(&role, entry, before);
            let (held, stays): (Vec<Object>, Vec<Object>) =
                (old.iter().map(object).collect(), new.iter().map(object).collect());
            for (entry, known) in new.iter().zip(&stays).filter(|(_, known)| held.iter().any(|o| o.covers(known))) {
                debug_assert_eq!(known.subject, crate::guardrails::Subject::Role(role.arn.clone()));
                let permission = before.permission(&entry.action);
                before.rulebook.ask(&Question::Keep(holding(&role, &permission, entry, before)), found)?;
            }
            for (entry, _) in old.iter().zip(&held).filter(|(_, gone)| !stays.iter().any(|o| o.covers(gone))) {
                let permission = before.permission(&entry.action);
                before.rulebook.ask(&Question::Remove(grant(&role, &permission, entry, before)), found)?;
            }
        }
    }
    Ok(())
}

/// May roles go on holding what they held, of policies from which nothing goes? What a rule says to that stood before the
/// change: it is no narrowing that left something over.
pub(super) fn kept_all(
    changes: &[&Change],
    state: &State<'_>,
    found: &mut Vec<Violation>,
) -> Result<(), GuardrailError> {
    for change in changes {
        let (Some(before), Some(after)) = (&change.before, &change.after) else { continue };
        if not_covered(after, before) > 0 {
            continue;
        }
        state.holders(change).iter().try_for_each(|role| kept(role, before, state, found))?;
    }
    Ok(())
}

/// How many entries of the second document the first does not cover.
pub(super) fn not_covered(by: &PolicyDocument, document: &PolicyDocument) -> u64 {
    let (wide, all) = (entries(by), entries(document));
    let covers = |wide: &Entry, entry: &Entry| {
        crate::guardrails::covers_permission((&wide.action, &wide.resource), (&entry.action, &entry.resource))
    };
    all.iter().filter(|entry| !wide.iter().any(|wide| covers(wide, entry))).count() as u64
}

fn object(role: &RoleFacts, entry: &Entry, state: &State<'_>) -> Object {
    let permission = state.permission(&entry.action);
    let target = Target { external: false, pattern: entry.resource.clone() };
    let (usage, escalation) = (crate::guardrails::Usage::default(), crate::guardrails::Escalation::default());
    Question::Keep(Grant { role, permission: &permission, target, condition_keys: BTreeSet::new(), usage, escalation })
        .object()
}

/// Whether a pattern names another account than the role's.
fn is_external(resource: &ResourcePattern, role: &RoleFacts) -> bool {
    let account = resource.as_str().split(':').nth(4).unwrap_or_default();
    let digits = AccountId::is_number(account);
    digits && account != role.account.id.as_str()
}
