//! Writing a role's policies anew: each statement as it serves its needs, within the quotas, with a reason per line.
//!
//! What serves which need is decided before.

use std::collections::BTreeSet;

use iam_model::arn::Arn;
use iam_model::change::{Attachment, Change, Reason};
use iam_model::policy::{PolicyDocument, ResourceElement, Statement};
use iam_model::snapshot::{AttachedPolicy, PolicyOrigin};

use crate::fold::{Fold, FoldRule};
use crate::narrow::{Narrowed, Slot, narrow};
use crate::needs::Need;
use crate::pack::{Quotas, Room};

/// A policy as it was and as it would be.
pub(crate) struct Rewritten<'s> {
    pub(crate) attached: AttachedPolicy<'s>,
    /// Why it stays as it is, where it may not be changed.
    pub(crate) fixed: bool,
    pub(crate) after: PolicyDocument,
    pub(crate) reasons: Vec<Reason>,
    /// What in it stands for more than was seen.
    pub(crate) folds: Vec<Fold>,
}

/// The policies as they are written: as narrow as the quotas leave room for, or else as they were.
pub(crate) fn write<'a>(
    policies: &[AttachedPolicy<'a>],
    alone: bool,
    slots: &[Slot<'_>],
    needs: &[Need],
    left_alone: &mut Vec<String>,
) -> Vec<Rewritten<'a>> {
    let mut written = Vec::new();
    for (policy, attached) in policies.iter().enumerate() {
        let mine: Vec<&Slot<'_>> = slots.iter().filter(|slot| slot.policy == policy).collect();
        let fixed = mine.iter().all(|slot| !slot.editable);
        written.push((*attached, fixed, mine, BTreeSet::new()));
    }
    for room in rooms(policies, alone) {
        let members = room.members.clone();
        let rewrite_at = |at: usize, coarse: &BTreeSet<usize>| match written.get(at) {
            Some((attached, false, mine, _)) => rewrite(at, attached.document, mine, needs, coarse).0,
            Some((attached, ..)) => attached.document.clone(),
            None => PolicyDocument::new(Vec::new()),
        };
        let wide = |at: usize, statement: usize| {
            let old = written.get(at).and_then(|(attached, ..)| attached.document.statements.get(statement));
            old.is_none_or(stands_on_everything)
        };
        let statements = |at: usize| match written.get(at) {
            Some((attached, false, ..)) => attached.document.statements.len(),
            _ => 0,
        };
        let fit = room.fit(&statements, &rewrite_at, &wide);
        for at in members {
            let Some((attached, fixed, _, coarse)) = written.get_mut(at) else { continue };
            match &fit {
                Some(all) => coarse.clone_from(all.get(&at).unwrap_or(&BTreeSet::new())),
                None if !*fixed => {
                    *fixed = true;
                    let note = format!("{}: what it must keep does not fit the quota, so it stays", attached.name);
                    left_alone.push(note);
                }
                None => {}
            }
        }
    }
    let written = written.into_iter().enumerate();
    written
        .map(|(at, (attached, fixed, mine, coarse))| {
            let (after, reasons, folds) = if fixed {
                (attached.document.clone(), Vec::new(), Vec::new())
            } else {
                rewrite(at, attached.document, &mine, needs, &coarse)
            };
            Rewritten { attached, fixed, after, reasons, folds }
        })
        .collect()
}

/// Whether a statement's resources are all there are, or all but some.
fn stands_on_everything(statement: &Statement) -> bool {
    let everything = statement.resource.patterns().iter().any(|pattern| pattern.value.is_everything());
    everything || matches!(statement.resource, ResourceElement::NotResource(_))
}

/// What counts against each quota: every managed policy by itself, what is inline together.
fn rooms(policies: &[AttachedPolicy<'_>], alone: bool) -> Vec<Room> {
    let is_managed = |attached: &AttachedPolicy<'_>| matches!(attached.origin, PolicyOrigin::Managed(_));
    let is_inline = |attached: &AttachedPolicy<'_>| match attached.origin {
        PolicyOrigin::Inline(_) => true,
        // Written anew, it becomes an inline policy of the new role.
        PolicyOrigin::Managed(_) | PolicyOrigin::Group(_) => alone,
    };
    let at = |wanted: &dyn Fn(&AttachedPolicy<'_>) -> bool| -> Vec<usize> {
        policies.iter().enumerate().filter(|(_, attached)| wanted(attached)).map(|(at, _)| at).collect()
    };
    let inline = Room { most: Quotas::AWS.inline_of_role, members: at(&is_inline) };
    let managed = at(&|attached| is_managed(attached) && !is_inline(attached));
    let one = |at| Room { most: Quotas::AWS.managed, members: vec![at] };
    std::iter::once(inline).chain(managed.into_iter().map(one)).collect()
}

/// The change that leaves a policy as it was rewritten; nothing where it stays as it is.
pub(crate) fn change(role: &Arn, rewritten: Rewritten<'_>) -> Option<Change> {
    let Rewritten { attached, fixed, after, reasons, .. } = rewritten;
    if fixed || attached.document.same_text(&after) {
        return None;
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
    Some(Change { attachment, before: Some(attached.document.clone()), after, reasons })
}

/// The document with each statement that may be narrowed replaced by what it serves; the others stay, in their places.
fn rewrite(
    policy: usize,
    old: &PolicyDocument,
    slots: &[&Slot<'_>],
    needs: &[Need],
    coarse: &BTreeSet<usize>,
) -> (PolicyDocument, Vec<Reason>, Vec<Fold>) {
    let mut document = PolicyDocument { statements: Vec::new(), ..old.clone() };
    let (mut reasons, mut all_folds) = (Vec::new(), Vec::new());
    for (index, statement) in old.statements.iter().enumerate() {
        let Some(slot) = slots.iter().find(|slot| slot.statement == index) else {
            document.statements.push(statement.clone());
            continue;
        };
        let coarse = coarse.contains(&index);
        for Narrowed { statement, needs: behind, folds } in narrow(slot.candidate.statement, &slot.served, coarse) {
            let place = document.statements.len();
            let fold = |pattern, rule| Fold { policy, statement: place, pattern, rule };
            let wide = coarse.then(|| fold(None, FoldRule::Quota));
            let narrow = folds.into_iter().map(|(pattern, rule)| fold(Some(pattern), rule));
            let folds: Vec<Fold> = wide.into_iter().chain(narrow).collect();
            reasons.extend(behind.iter().filter_map(|at| needs.get(*at)).map(|need| reason(place, need)));
            reasons.extend(folds.iter().map(|fold| Reason {
                statement: Some(place),
                because: fold.describe(),
                evidence: Vec::new(),
            }));
            all_folds.extend(folds);
            document.statements.push(statement);
        }
    }
    (document, reasons, all_folds)
}

fn reason(statement: usize, need: &Need) -> Reason {
    let evidence = need.seen.as_ref().map(|seen| seen.event_ids.clone()).unwrap_or_default();
    Reason {
        statement: Some(statement),
        because: format!("{} {}: {}", need.action, need.grade().as_str(), need.because),
        evidence,
    }
}

/// A policy of deny statements alone still means something; an empty one does not.
pub(crate) fn grants_something(document: &PolicyDocument) -> bool {
    !document.statements.is_empty()
}
