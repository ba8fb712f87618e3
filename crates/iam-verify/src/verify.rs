//! All four claims about some changes, in one place.
//!
//! Asks each claim's own module and gathers the answers; decides nothing itself. Takes changes of every kind of policy,
//! whoever made them.

use std::collections::{BTreeMap, BTreeSet};

use iam_evaluate::Evaluator;
use iam_evaluate::budget::{ALL, Budget};
use iam_evaluate::permission_set::Limits;
use iam_model::arn::Arn;
use iam_model::certificate::Certificate;
use iam_model::change::{Attachment, AttachmentKind, Change};
use iam_model::policy::PolicyDocument;
use iam_model::snapshot::SnapshotIndex;
use iam_model::usage::UsageLog;

use crate::before_after::{cannot_apply, documents, held, members, misses, name, stale, unheld};
use crate::guardrails::Violation;
use crate::keeps_used::{self, Replay, Replayed};
use crate::obeys_guardrails::{self, State};
use crate::outcome::{Claim, Outcome};
use crate::policy_check::refused_change;
use crate::reach::{contradiction, everywhere};
use crate::{adds_nothing, opens_no_path};

/// What the claims are judged on.
pub struct Grounds<'a> {
    /// The accounts before the changes: what they are, who can become whom, and the rules.
    pub before: State<'a>,
    /// The same after all of them.
    pub after: State<'a>,
    /// The policies of the accounts before the changes, compiled.
    pub evaluator: &'a Evaluator<'a>,
    /// What was seen; nothing where no logs were given.
    pub usage: Option<&'a UsageLog>,
}

/// The judgement on some changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Each claim with its outcome, in the order of [`Claim::ALL`].
    pub claims: Vec<(Claim, Outcome)>,
    /// What the replay counted, for each principal.
    pub replayed: Replayed,
    /// Why nothing is added, where that is proved, and of what: checked without a search by [`crate::certificate::check`].
    pub certificates: Vec<(String, Certificate)>,
    /// What the organisation's rules object to after the changes, advice and what stood before included.
    pub violations: Vec<Violation>,
    /// Those of them that stood before the changes.
    pub stood: Vec<Violation>,
    /// Facts that nobody gave, so that a rule could not use them.
    pub not_asked: Vec<String>,
}

impl Verdict {
    /// Nothing is decided, for one reason.
    pub(crate) fn undecided(why: &str) -> Self {
        let undecided = || Outcome::Undecided { why: why.to_owned() };
        Self {
            claims: Claim::ALL.iter().map(|claim| (*claim, undecided())).collect(),
            replayed: Replayed { outcome: undecided(), total: Replay::default(), principals: BTreeMap::new() },
            certificates: Vec::new(),
            violations: Vec::new(),
            stood: Vec::new(),
            not_asked: Vec::new(),
        }
    }

    /// The same, where AWS refuses to save a policy: nothing is proved of what cannot come to be.
    fn unless_saved(mut self, why: &str) -> Self {
        let outcomes = self.claims.iter_mut().map(|(_, outcome)| outcome).chain([&mut self.replayed.outcome]);
        for outcome in outcomes.filter(|outcome| outcome.is_proved()) {
            *outcome = Outcome::Undecided { why: why.to_owned() };
        }
        self.certificates.clear();
        self
    }

    /// Whether every claim is proved.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        self.claims.iter().all(|(_, outcome)| outcome.is_proved())
    }

    /// Whether some claim is refuted.
    #[must_use]
    pub fn is_refuted(&self) -> bool {
        self.claims.iter().any(|(_, outcome)| matches!(outcome, Outcome::Refuted { .. }))
    }

    /// What the replay counted, all principals together.
    #[must_use]
    pub const fn replay(&self) -> Replay {
        self.replayed.total
    }
}

/// Judges some changes together, for everyone they reach.
#[must_use]
pub fn verify(changes: &[&Change], grounds: &Grounds<'_>) -> Verdict {
    let index = grounds.before.index;
    if let Some(why) = contradiction(changes, index) {
        return Verdict::undecided(&why);
    }
    let all = everywhere(changes, index);
    let changes: &[&Change] = &all.iter().collect::<Vec<_>>();
    if let Some(why) = unplaced(changes, grounds.evaluator) {
        return Verdict::undecided(&why);
    }
    let replayed = match grounds.usage {
        Some(usage) => {
            let replayed = keeps_used::check(changes, index, grounds.evaluator, usage);
            replayed.with_unresolved(changes, index, (usage, grounds.before.rulebook.catalog))
        }
        None => Replayed {
            outcome: keeps_used::stopped(changes, index, grounds.evaluator)
                .unwrap_or_else(|| Outcome::Undecided { why: "no logs were given; replay some to decide".into() }),
            total: Replay::default(),
            principals: BTreeMap::new(),
        },
    };
    let (adds, certificates) = adds(changes, grounds);
    let opens = opens_no_path::check(grounds.before.graph, grounds.after.graph);
    let obeys = obeys_guardrails::check(changes, &grounds.before, &grounds.after, &replayed);
    let verdict = Verdict {
        claims: vec![
            (Claim::KeepsUsed, replayed.outcome.clone()),
            (Claim::AddsNothing, adds),
            (Claim::OpensNoPath, opens),
            (Claim::ObeysGuardrails, obeys.outcome),
        ],
        replayed,
        certificates,
        violations: obeys.violations,
        stood: obeys.stood,
        not_asked: obeys.not_asked,
    };
    match changes.iter().find_map(|change| Some((change, refused_change(change)?))) {
        Some((change, why)) => verdict.unless_saved(&format!("AWS refuses {}: {why}", name(change))),
        None => verdict,
    }
}

/// Why a changed control policy cannot be applied to the snapshot: what it limits, and so what the other changes grant, is
/// not known then.
fn unplaced(changes: &[&Change], before: &Evaluator<'_>) -> Option<String> {
    let is_guard = |kind| matches!(kind, AttachmentKind::ServiceControl | AttachmentKind::ResourceControl);
    let guards = changes.iter().filter(|change| is_guard(change.attachment.kind));
    let mut after: Option<Evaluator<'_>> = None;
    for change in guards {
        match after.as_ref().unwrap_or(before).with_change(change) {
            Ok(changed) => after = Some(changed),
            Err(error) => return Some(cannot_apply(change, &error)),
        }
    }
    None
}

/// Nothing is added where no principal's identity policies together, and no other policy, allow more than before.
fn adds(changes: &[&Change], grounds: &Grounds<'_>) -> (Outcome, Vec<(String, Certificate)>) {
    let index = grounds.before.index;
    let mut principals: BTreeSet<&Arn> = BTreeSet::new();
    let mut alone: Vec<&Change> = Vec::new();
    for &change in changes {
        let reached = holders(change, index);
        if reached.is_empty() {
            alone.push(change);
        }
        principals.extend(reached);
    }
    let catalog = grounds.before.rulebook.catalog;
    let budget = Budget::new(ALL);
    let judge = |before: Vec<PolicyDocument>, after: Vec<PolicyDocument>| {
        adds_nothing::check_documents(&before, &after, Limits::of(&budget)).in_known_names(&before, &after, catalog)
    };
    let own = |documents: Vec<&PolicyDocument>| documents.into_iter().cloned().collect::<Vec<_>>();
    let together = principals.into_iter().map(|arn| {
        if let Some(why) = misses(arn, changes, index) {
            return (arn.to_string(), adds_nothing::Verdict::undecided(why));
        }
        let (before, after) = documents(arn, changes, index);
        (arn.to_string(), judge(own(before), own(after)))
    });
    let each = alone.into_iter().flat_map(|change| {
        if let Some(why) = stale(change, index) {
            return vec![(name(change), adds_nothing::Verdict::undecided(why))];
        }
        let kind = change.attachment.kind;
        let (before, after) = adds_nothing::compared(kind, change.before.as_ref(), change.after.as_ref());
        let denies = adds_nothing::denies(kind, change.before.as_ref(), change.after.as_ref());
        let denies = denies.map(|(before, after)| (format!("what {} denies", name(change)), judge(before, after)));
        let mut verdict = judge(before, after);
        say_of_kind(&mut verdict.outcome, change);
        if let (Outcome::Proved { because }, Some(why)) =
            (&mut verdict.outcome, unheld(change, index, grounds.evaluator))
        {
            because.push_str(&format!("; the change's own documents alone are compared, as {why}"));
        }
        [(name(change), verdict)].into_iter().chain(denies).collect()
    });
    let verdicts: Vec<(String, adds_nothing::Verdict)> = together.chain(each).collect();
    let certificates = verdicts.iter().filter_map(|(name, v)| Some((name.clone(), v.certificate.clone()?))).collect();
    let mut outcome = worst(verdicts);
    if let Some(note) = changes.iter().find_map(|change| replaces_another(change, index)) {
        let (Outcome::Proved { because: text }
        | Outcome::Refuted { because: text, .. }
        | Outcome::Undecided { why: text }) = &mut outcome;
        text.push_str(&format!("; {note}"));
    }
    (outcome, certificates)
}

/// Says that a change's own `before` is not what stands there, which was compared instead.
fn replaces_another(change: &Change, index: &SnapshotIndex<'_>) -> Option<String> {
    let before = change.before.as_ref()?;
    let holders = holders(change, index);
    let stands = holders.iter().find_map(|arn| held(arn, change, index))?;
    let same = before == stands.document || before.same_text(stands.document);
    (!same).then(|| {
        format!("the snapshot holds another text of {} than `before`, and that text was compared", name(change))
    })
}

/// A counterexample in the terms of what was compared: a trust policy speaks of its own role, and a boundary allows nothing
/// by itself.
fn say_of_kind(outcome: &mut Outcome, change: &Change) {
    let Outcome::Refuted { because, counterexample } = outcome else { return };
    let own = change.attachment.principal_arn.as_ref();
    match (change.attachment.kind, counterexample, own) {
        (AttachmentKind::Trust, Some(request), Some(role)) => request.resource = role.into(),
        (AttachmentKind::Boundary, _, _) => {
            *because = "the boundary lets a request through after that it did not before, if a policy allows it".into();
        }
        _ => {}
    }
}

/// The users and roles whose identity policies a change is about, through a group too.
fn holders<'a>(change: &'a Change, index: &SnapshotIndex<'a>) -> Vec<&'a Arn> {
    match &change.attachment {
        Attachment { kind: AttachmentKind::Identity, principal_arn: Some(arn), .. } => {
            if index.role(arn).is_some() || index.user(arn).is_some() { vec![arn] } else { members(arn, index) }
        }
        _ => Vec::new(),
    }
}

/// The one outcome of several: the first refuted one, else the first undecided one, else all are proved.
fn worst(mut verdicts: Vec<(String, adds_nothing::Verdict)>) -> Outcome {
    let several = verdicts.len() > 1;
    let at = |wanted: fn(&Outcome) -> bool| verdicts.iter().position(|(_, verdict)| wanted(&verdict.outcome));
    let first = at(|outcome| matches!(outcome, Outcome::Refuted { .. })).or_else(|| at(|outcome| !outcome.is_proved()));
    let Some(first) = first else {
        return match verdicts.pop() {
            Some((_, only)) if !several => only.outcome,
            last => {
                let count = verdicts.len() + usize::from(last.is_some());
                Outcome::Proved { because: format!("{count} sets of policies compared, none allows more than before") }
            }
        };
    };
    let (name, verdict) = verdicts.swap_remove(first);
    let of = |text: String| if several { format!("{name}: {text}") } else { text };
    match verdict.outcome {
        Outcome::Refuted { because, counterexample } => Outcome::Refuted { because: of(because), counterexample },
        Outcome::Undecided { why } => Outcome::Undecided { why: of(why) },
        proved @ Outcome::Proved { .. } => proved,
    }
}

#[cfg(test)]
mod tests;
