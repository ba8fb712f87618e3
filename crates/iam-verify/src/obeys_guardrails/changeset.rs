//! The questions about a set of changes as a whole: may it be merged, may its guardrails be attached.
//!
//! Counts what the changes do; whether that is tolerated is for the rules.

use std::collections::BTreeSet;

use iam_evaluate::permission_set::{Inclusion, Limits, PermissionSet};
use iam_model::action::ActionPattern;
use iam_model::arn::{AccountId, Arn, ResourcePattern};
use iam_model::change::{AttachmentKind, Change};
use iam_model::condition::{Comparison, Condition, ConditionKey, Operator};
use iam_model::policy::{PolicyDocument, PrintStyle, Statement, print};
use iam_model::text::{Span, Spanned};

use super::grants::{entries, not_covered};
use super::state::State;
use crate::adds_nothing::compared;
use crate::before_after;
use crate::guardrails::{Attach, GuardrailError, GuardrailKind, GuardrailName, Merge, Question, Usage, Violation};
use crate::keeps_used::Replayed;
use crate::outcome::Outcome;
use crate::policy_check::{PolicyKind, Validator};

/// How many policies AWS lets be attached to one root, unit or account.
const SERVICE_CONTROL_SLOTS: u64 = 10;
const RESOURCE_CONTROL_SLOTS: u64 = 5;

/// May the changes be merged by whoever asks?
pub(super) fn merge(
    changes: &[&Change],
    before: &State<'_>,
    after: &State<'_>,
    replayed: &Replayed,
    found: &mut Vec<Violation>,
) -> Result<(), GuardrailError> {
    let empty = PolicyDocument::default();
    let sides: Vec<(&PolicyDocument, &PolicyDocument)> = changes
        .iter()
        .filter(|c| {
            matches!(c.attachment.kind, AttachmentKind::Identity | AttachmentKind::Resource | AttachmentKind::Trust)
        })
        .map(|c| (c.before.as_ref().unwrap_or(&empty), c.after.as_ref().unwrap_or(&empty)))
        .collect();
    let settings = after.settings;
    let merge = Merge {
        by: settings.author.clone(),
        name: settings.pull_request.clone(),
        accounts: accounts(changes, before).into_iter().map(|id| before.account(id)).collect(),
        touches_trust: changes.iter().any(|change| change.attachment.kind == AttachmentKind::Trust),
        adds: sides.iter().map(|(old, new)| not_covered(old, new)).sum(),
        removes: sides.iter().map(|(old, new)| not_covered(new, old)).sum(),
        widens: changes.iter().filter(|change| widens(change)).count() as u64,
        new_escalation_paths: iam_graph::opened(before.graph, after.graph).len() as u64,
        usage: thinnest(changes, before),
        replayed_calls: replayed.total.calls,
        replay_denied: replayed.total.denied + replayed.total.undecided,
        checks_green: !matches!(replayed.outcome, Outcome::Refuted { .. }),
        approvals: settings.approvals.clone(),
    };
    after.rulebook.ask(&Question::Merge(merge), found)
}

/// Every account the changes touch.
fn accounts(changes: &[&Change], state: &State<'_>) -> BTreeSet<AccountId> {
    let mut accounts = BTreeSet::new();
    for change in changes {
        accounts.extend(before_after::accounts(change, state.index).into_iter().cloned());
        let arns = [&change.attachment.principal_arn, &change.attachment.resource_arn];
        accounts.extend(arns.into_iter().flatten().filter_map(Arn::account));
    }
    accounts
}

/// Whether a changed policy allows anything it did not, by proof; what is not proved counts as widened.
fn widens(change: &Change) -> bool {
    let (before, after) = compared(change.attachment.kind, change.before.as_ref(), change.after.as_ref());
    let set = |documents: &[PolicyDocument]| PermissionSet::of_documents(documents);
    !matches!(set(&after).included_in(&set(&before), Limits::default()), Inclusion::Included(_))
}

/// The thinnest evidence behind a removal: nothing observable where one removed entry was not.
fn thinnest(changes: &[&Change], state: &State<'_>) -> Usage {
    let mut usage = Usage { window_days: state.evidence.days, observable: true, ..Usage::default() };
    for change in changes {
        let Some(old) = &change.before else { continue };
        let new = change.after.clone().unwrap_or_default();
        for role in state.holders(change) {
            let kept = entries(&new);
            let gone = entries(old).into_iter().filter(|entry| {
                !kept.iter().any(|kept| {
                    crate::guardrails::covers_permission(
                        (&kept.action, &kept.resource),
                        (&entry.action, &entry.resource),
                    )
                })
            });
            for entry in gone {
                let one = state.usage(&role.arn, &entry.action, &entry.resource);
                usage.calls += one.calls;
                usage.observable &= one.observable;
                usage.last_used_days_ago = usage.last_used_days_ago.into_iter().chain(one.last_used_days_ago).min();
            }
        }
    }
    usage
}

/// May the changed control policies be attached?
pub(super) fn attach(
    changes: &[&Change],
    state: &State<'_>,
    replayed: &Replayed,
    found: &mut Vec<Violation>,
) -> Result<(), GuardrailError> {
    let validator = Validator::new(state.rulebook.catalog);
    for change in changes {
        let kind = match change.attachment.kind {
            AttachmentKind::ServiceControl => GuardrailKind::ServiceControl,
            AttachmentKind::ResourceControl => GuardrailKind::ResourceControl,
            _ => continue,
        };
        let Some(after) = &change.after else { continue };
        let name = change.attachment.policy_name.clone().unwrap_or_else(|| before_after::name(change));
        let accounts = before_after::accounts(change, state.index);
        let attach = Attach {
            by: state.settings.author.clone(),
            name: GuardrailName::new(&name),
            kind,
            characters: print(after, PrintStyle::Compact).chars().count() as u64,
            accounts_affected: accounts.len() as u64,
            replayed_calls: replayed.total.calls,
            replay_denied: replayed.total.denied,
            slots_free: slots_free(change, kind, &accounts, state),
            dead_statements: validator.dead_statements(after, PolicyKind::of(change.attachment.kind)) as u64,
            test_vectors: state.settings.test_vectors,
            break_glass: break_glass(change, state),
        };
        state.rulebook.ask(&Question::Attach(attach), found)?;
    }
    Ok(())
}

/// Free slots at the target, the changed policy's own counted as free: a change in place needs no new one.
fn slots_free(change: &Change, kind: GuardrailKind, accounts: &[&AccountId], state: &State<'_>) -> u64 {
    let most = match kind {
        GuardrailKind::ServiceControl => SERVICE_CONTROL_SLOTS,
        GuardrailKind::ResourceControl => RESOURCE_CONTROL_SLOTS,
    };
    let held = accounts.iter().filter_map(|id| state.index.guardrails(id)).filter_map(|guardrails| {
        let levels = match kind {
            GuardrailKind::ServiceControl => &guardrails.scps,
            GuardrailKind::ResourceControl => &guardrails.rcps,
        };
        match &change.before {
            // A new policy goes to the top; one that stands is changed in place.
            None => levels.first().map(|level| level.len() as u64),
            Some(_) => Some(0),
        }
    });
    most.saturating_sub(held.max().unwrap_or(0))
}

/// Whether every break-glass role may still do everything under the policy; nothing where none is named.
fn break_glass(change: &Change, state: &State<'_>) -> Option<bool> {
    if state.settings.break_glass.is_empty() {
        return None;
    }
    let (_, after) = compared(change.attachment.kind, None, change.after.as_ref());
    let allowed = PermissionSet::of_documents(&after);
    let survives = |arn: &Arn| {
        let mut everything = Statement::allow(vec![ActionPattern::new("*")], vec![ResourcePattern::everything()]);
        everything.conditions = caller(arn);
        let asked = PermissionSet::of_document(&PolicyDocument::new(vec![everything]));
        matches!(asked.included_in(&allowed, Limits::default()), Inclusion::Included(_))
    };
    Some(state.settings.break_glass.iter().all(survives))
}

/// What is true of every request of a role.
fn caller(arn: &Arn) -> Vec<Condition> {
    let equals = |key: &str, value: &str| Condition {
        operator: Operator::Known { set: None, comparison: Comparison::StringEquals, if_exists: false },
        key: ConditionKey::new(key),
        values: vec![Spanned::synthetic(value.to_owned())],
        span: Span::default(),
    };
    let mut conditions = vec![
        equals("aws:PrincipalArn", arn.as_str()),
        equals("aws:PrincipalType", "AssumedRole"),
        equals("aws:PrincipalIsAWSService", "false"),
    ];
    conditions.extend(arn.account().map(|account| equals("aws:PrincipalAccount", account.as_str())));
    conditions
}

/// What nobody told about the guardrails among the changes.
pub(super) fn not_asked(changes: &[&Change], state: &State<'_>) -> Vec<String> {
    let guards = |change: &&&Change| {
        matches!(change.attachment.kind, AttachmentKind::ServiceControl | AttachmentKind::ResourceControl)
    };
    if changes.iter().find(guards).is_none() {
        return Vec::new();
    }
    let mut missing = Vec::new();
    if state.settings.break_glass.is_empty() {
        missing
            .push("whether the break-glass role survives: no role is named (`break_glass` in the settings)".to_owned());
    }
    if state.settings.test_vectors.is_none() {
        missing.push("whether the guardrail is tested: no test requests are named (`--tests`)".to_owned());
    }
    missing
}
