//! The questions about a set of changes as a whole: may it be merged, may its guardrails be attached.
//!
//! Counts what the changes do; whether that is tolerated is for the rules.

use std::collections::BTreeSet;

use iam_evaluate::budget::{ALL, Budget};
use iam_evaluate::guardrail::{self, Guardrail};
use iam_evaluate::permission_set::{Inclusion, Limits, PermissionSet};
use iam_model::action::ActionPattern;
use iam_model::arn::{AccountId, Arn, ResourcePattern};
use iam_model::change::{AttachmentKind, Change};
use iam_model::condition::{Comparison, Condition, ConditionKey, Operator};
use iam_model::control::{ControlId, controls, is_policy_of_control_tower};
use iam_model::policy::{PolicyDocument, PrintStyle, Statement, print};
use iam_model::text::{Span, Spanned};

use super::grants::{entries, not_covered};
use super::state::State;
use crate::adds_nothing::compared;
use crate::before_after;
use crate::guardrails::{Attach, GuardrailError, GuardrailKind, GuardrailName, Merge, Question, Usage, Violation};
use crate::keeps_used::Replayed;
use crate::outcome::Outcome;
use crate::policy_check::Validator;

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
    let budget = Budget::new(ALL);
    let merge = Merge {
        by: settings.author.clone(),
        name: settings.pull_request.clone(),
        accounts: accounts(changes, before).into_iter().map(|id| before.account(id)).collect(),
        touches_trust: changes.iter().any(|change| change.attachment.kind == AttachmentKind::Trust),
        adds: sides.iter().map(|(old, new)| not_covered(old, new)).sum(),
        removes: sides.iter().map(|(old, new)| not_covered(new, old)).sum(),
        widens: changes.iter().filter(|change| widens(change, &budget)).count() as u64,
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
fn widens(change: &Change, budget: &Budget) -> bool {
    let (before, after) = compared(change.attachment.kind, change.before.as_ref(), change.after.as_ref());
    let set = |documents: &[PolicyDocument]| PermissionSet::of_documents(documents);
    !matches!(set(&after).included_in(&set(&before), Limits::of(budget)), Inclusion::Included(_))
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
        let Some(kind) = guardrail_kind(change) else { continue };
        let controls = controlled(change);
        // A policy that goes is asked about where it is not ours to take away.
        let gone = PolicyDocument::default();
        let after = match &change.after {
            Some(after) => after,
            None if !controls.is_empty() => &gone,
            None => continue,
        };
        let name = change.attachment.policy_name.clone().unwrap_or_else(|| before_after::name(change));
        let accounts = before_after::accounts(change, state.index);
        let attach = Attach {
            by: state.settings.author.clone(),
            name: GuardrailName::new(&name),
            kind,
            characters: print(after, PrintStyle::Compact).chars().count() as u64,
            controls,
            accounts_affected: accounts.len() as u64,
            replayed_calls: replayed.total.calls,
            replay_denied: replay_denied(replayed),
            slots_free: slots_free(change, kind, &accounts, state),
            dead_statements: validator.dead_statements(after) as u64,
            test_vectors: tests(change, kind, state).map(|tests| tests.agree),
            break_glass: break_glass(change, state),
        };
        state.rulebook.ask(&Question::Attach(attach), found)?;
    }
    Ok(())
}

/// Control Tower's controls in the text that a change would replace or take away.
fn controlled(change: &Change) -> Vec<ControlId> {
    let mut found: Vec<ControlId> = change.before.iter().flat_map(controls).flat_map(|one| one.ids).collect();
    let named = change.attachment.policy_name.as_deref().filter(|name| is_policy_of_control_tower(name));
    if let (true, Some(name), Some(_)) = (found.is_empty(), named, &change.before) {
        found.push(ControlId::new(name));
    }
    found.sort();
    found.dedup();
    found
}

/// Calls that would be denied; nothing where none was replayed, or not all of them could be decided.
fn replay_denied(replayed: &Replayed) -> Option<u64> {
    match (replayed.total.denied, &replayed.outcome) {
        (0, Outcome::Proved { .. }) if replayed.total.calls > 0 => Some(0),
        (0, _) => None,
        (denied, _) => Some(denied),
    }
}

/// Free slots at the target, the changed policy's own counted as free: a change in place needs no new one. Nothing where
/// the policies at the target are not known.
fn slots_free(change: &Change, kind: GuardrailKind, accounts: &[&AccountId], state: &State<'_>) -> Option<u64> {
    let most = match kind {
        GuardrailKind::ServiceControl => SERVICE_CONTROL_SLOTS,
        GuardrailKind::ResourceControl => RESOURCE_CONTROL_SLOTS,
    };
    let target = change.guard_target();
    let held = accounts.iter().filter_map(|id| state.index.guardrails(id)).filter_map(|guardrails| {
        let levels = match kind {
            GuardrailKind::ServiceControl => &guardrails.scps,
            GuardrailKind::ResourceControl => &guardrails.rcps,
        };
        match &change.before {
            // A new policy goes to the top; one that stands is changed in place.
            None => target.new_level(levels.len()).and_then(|at| levels.get(at)).map(|level| level.len() as u64),
            Some(_) => Some(0),
        }
    });
    Some(most.saturating_sub(held.max()?))
}

/// Whether every break-glass role may still do everything under the policy; nothing where none is named.
fn break_glass(change: &Change, state: &State<'_>) -> Option<bool> {
    if state.settings.break_glass.is_empty() {
        return None;
    }
    let (_, after) = compared(change.attachment.kind, None, change.after.as_ref());
    let allowed = PermissionSet::of_documents(&after);
    let budget = Budget::new(ALL);
    let survives = |arn: &Arn| {
        let mut everything = Statement::allow(vec![ActionPattern::new("*")], vec![ResourcePattern::everything()]);
        everything.conditions = caller(arn);
        let asked = PermissionSet::of_document(&PolicyDocument::new(vec![everything]));
        matches!(asked.included_in(&allowed, Limits::of(&budget)), Inclusion::Included(_))
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
pub(super) fn not_asked(changes: &[&Change], state: &State<'_>, replayed: &Replayed) -> Vec<String> {
    if !changes.iter().any(|change| guardrail_kind(change).is_some()) {
        return Vec::new();
    }
    let mut missing = unknown(changes, state, replayed);
    if state.settings.break_glass.is_empty() {
        missing
            .push("whether the break-glass role survives: no role is named (`break_glass` in the settings)".to_owned());
    }
    if state.settings.tests.is_none() {
        missing.push("whether the guardrail is tested: no test requests are named (`--tests`)".to_owned());
    }
    missing
}

/// What rules that could refute ask about the guardrails among the changes, and nobody could find out.
pub(super) fn unknown(changes: &[&Change], state: &State<'_>, replayed: &Replayed) -> Vec<String> {
    let asks = |fact: &str| {
        let mut rules = state.rulebook.guardrails.rules();
        rules.any(|rule| rule.severity.refutes() && rule.text.contains(fact))
    };
    let attached = |change: &&&Change| guardrail_kind(change).is_some() && change.after.is_some();
    let mut unknown = Vec::new();
    for change in changes.iter().filter(attached) {
        let Some(kind) = guardrail_kind(change) else { continue };
        if replay_denied(replayed).is_none() && asks("replayDenied") {
            let why = match &replayed.outcome {
                Outcome::Undecided { why } => why.clone(),
                _ => "the logs hold no call that the change is about".to_owned(),
            };
            unknown.push(format!("whether the guardrail would have denied live calls: {why}"));
        }
        let failed = tests(change, kind, state).map(|tests| tests.otherwise).unwrap_or_default();
        if let (Some(first), true) = (failed.first(), asks("testVectors")) {
            let what = format!("{} of its test requests come out otherwise, `{first}` first", failed.len());
            unknown.push(format!("whether the guardrail does what its tests expect: {what}"));
        }
        let accounts = before_after::accounts(change, state.index);
        if slots_free(change, kind, &accounts, state).is_none() && asks("slotsFree") {
            let what = before_after::name(change);
            unknown
                .push(format!("whether a slot is free: the snapshot does not show what is attached where {what} goes"));
        }
    }
    unknown.sort();
    unknown.dedup();
    unknown
}

/// How the requests that test a guardrail came out.
#[derive(Default)]
struct Tests {
    /// As expected.
    agree: u64,
    /// Otherwise, by name.
    otherwise: Vec<String>,
}

/// Asks the changed policy what its tests ask; nothing where no tests were named. A test that names another policy, or
/// another kind, is not its own, and one that expects nothing tests nothing.
fn tests(change: &Change, kind: GuardrailKind, state: &State<'_>) -> Option<Tests> {
    let cases = state.settings.tests.as_ref()?;
    let mut tests = Tests::default();
    let Some(after) = &change.after else { return Some(tests) };
    let kind = match kind {
        GuardrailKind::ServiceControl => guardrail::GuardrailKind::ServiceControl,
        GuardrailKind::ResourceControl => guardrail::GuardrailKind::ResourceControl,
    };
    let changed = Guardrail::new(kind, after);
    for case in cases {
        // Where policies are files, a case names the file.
        let named = case.policy.as_deref().map(|name| name.strip_suffix(".json").unwrap_or(name));
        let of_another = named.is_some() && named != change.attachment.policy_name.as_deref();
        if of_another || case.kind.is_some_and(|asked| asked != kind) {
            continue;
        }
        let Some(expected) = &case.expect else { continue };
        if changed.decide(&case.request, case.standing).as_str() == expected {
            tests.agree += 1;
        } else {
            tests.otherwise.push(case.id.clone());
        }
    }
    Some(tests)
}

/// The kind of guardrail a change is about.
const fn guardrail_kind(change: &Change) -> Option<GuardrailKind> {
    match change.attachment.kind {
        AttachmentKind::ServiceControl => Some(GuardrailKind::ServiceControl),
        AttachmentKind::ResourceControl => Some(GuardrailKind::ResourceControl),
        _ => None,
    }
}
