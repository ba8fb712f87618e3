//! Writing a role's policies anew: each statement as it serves its needs, within the quotas, with a reason per line.
//!
//! What serves which need is decided before.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::action::Action;
use iam_model::arn::Arn;
use iam_model::change::{Attachment, Change, Reason};
use iam_model::policy::{PolicyDocument, ResourceElement, Statement, compact_len};
use iam_model::quota::QuotaProfile;
use iam_model::snapshot::{AttachedPolicy, PolicyOrigin};

use crate::fold::{Fold, FoldRule};
use crate::naming;
use crate::narrow::{Narrowed, Slot, narrow};
use crate::needs::Need;
use crate::pack::Room;
use crate::pieces::Origin;
use crate::spill::{Moved, NewDocuments, Place, spill};

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

/// All policies of a subject, written anew.
pub(crate) struct Written<'s> {
    /// Those it has.
    pub(crate) policies: Vec<Rewritten<'s>>,
    /// Managed policies that take what does not fit where it stood, each with why.
    pub(crate) new: Vec<New>,
}

/// A policy that does not exist yet.
pub(crate) struct New {
    pub(crate) document: PolicyDocument,
    pub(crate) reasons: Vec<Reason>,
    pub(crate) folds: Vec<Fold>,
}

/// The policies as they are written: in new documents where they do not fit, else as narrow as the quotas leave room
/// for, or else as they were.
pub(crate) fn write<'a>(
    policies: &[AttachedPolicy<'a>],
    (alone, quotas): (bool, &QuotaProfile),
    slots: &[Slot<'_>],
    needs: &[Need],
    left_alone: &mut Vec<String>,
) -> Written<'a> {
    let all = narrowest(policies, slots, needs);
    let attached = all.iter().filter(|one| one.stays_managed(alone)).count();
    let count = quotas.managed_of_role.saturating_sub(attached);
    let rooms = rooms(&all, alone, quotas);
    moved(all, &rooms, NewDocuments { count, most: quotas.managed })
        .unwrap_or_else(|| Written { policies: in_place(policies, &rooms, slots, needs, left_alone), new: Vec::new() })
}

impl Rewritten<'_> {
    /// Whether it is a managed policy of the subject afterwards too. What changes for a new role is written anew, inline.
    pub(crate) fn stays_managed(&self, alone: bool) -> bool {
        let as_it_is = self.fixed || self.attached.document.same_text(&self.after);
        matches!(self.attached.origin, PolicyOrigin::Managed(_)) && (!alone || as_it_is)
    }
}

/// Every policy as narrow as its needs, whatever its length.
fn narrowest<'a>(policies: &[AttachedPolicy<'a>], slots: &[Slot<'_>], needs: &[Need]) -> Vec<Rewritten<'a>> {
    let one = |(policy, attached): (usize, &AttachedPolicy<'a>)| {
        let mine: Vec<&Slot<'_>> = slots.iter().filter(|slot| slot.policy == policy).collect();
        let fixed = mine.iter().all(|slot| !slot.editable);
        let (after, reasons, folds) = match fixed {
            true => (attached.document.clone(), Vec::new(), Vec::new()),
            false => rewrite(policy, attached.document, &mine, needs, &BTreeSet::new()),
        };
        Rewritten { attached: *attached, fixed, after, reasons, folds }
    };
    policies.iter().enumerate().map(one).collect()
}

/// The policies where they fit, with new documents for what does not; nothing where those are not enough.
fn moved<'a>(mut all: Vec<Rewritten<'a>>, rooms: &[Room], new: NewDocuments) -> Option<Written<'a>> {
    let size = |at: &usize| {
        all.get(*at).map_or(0, |one| if grants_something(&one.after) { compact_len(&one.after) } else { 0 })
    };
    let is_fixed = |at: &usize| all.get(*at).is_none_or(|one| one.fixed);
    let over = rooms.iter().filter(|room| room.members.iter().map(size).sum::<usize>() > room.most);
    // What is over its quota already and may not be changed is nobody's doing.
    let over = over.filter(|room| !room.members.iter().all(is_fixed));
    let places: Vec<Place> = over
        .map(|room| {
            let (fixed, policies): (Vec<usize>, Vec<usize>) = room.members.iter().partition(|at| is_fixed(at));
            Place { most: room.most, fixed: fixed.iter().map(size).sum(), policies }
        })
        .collect();
    if places.is_empty() {
        return Some(Written { policies: all, new: Vec::new() });
    }
    let policies = || places.iter().flat_map(|place| &place.policies);
    let documents: BTreeMap<usize, &PolicyDocument> =
        policies().filter_map(|at| Some((*at, &all.get(*at)?.after))).collect();
    let spilled = spill(&documents, &places, new)?;
    let count = all.len();
    let of_new = |(n, moved): (usize, &Moved)| New {
        document: moved.document.clone(),
        reasons: because_moved(moved, &all, reasons_of(moved, &all)),
        folds: folds_of(count + n, moved, &all),
    };
    let new = spilled.new.iter().enumerate().map(of_new).collect();
    let of_kept = |at: &usize| {
        let moved = spilled.kept.get(at);
        New {
            document: moved.map(|moved| moved.document.clone()).unwrap_or_default(),
            reasons: moved.map(|moved| reasons_of(moved, &all)).unwrap_or_default(),
            folds: moved.map(|moved| folds_of(*at, moved, &all)).unwrap_or_default(),
        }
    };
    let kept: Vec<(usize, New)> = policies().map(|at| (*at, of_kept(at))).collect();
    for (at, New { document, reasons, folds }) in kept {
        if let Some(one) = all.get_mut(at) {
            (one.after, one.reasons, one.folds) = (document, reasons, folds);
        }
    }
    Some(Written { policies: all, new })
}

/// The reasons of statements where they stand now.
fn reasons_of(moved: &Moved, all: &[Rewritten<'_>]) -> Vec<Reason> {
    let of = |(at, origin): (usize, &Origin)| {
        let old = all.get(origin.policy).map(|one| one.reasons.as_slice()).unwrap_or_default();
        let own = old.iter().filter(|reason| reason.statement == Some(origin.statement));
        own.map(|reason| Reason { statement: Some(at), ..reason.clone() }).collect::<Vec<_>>()
    };
    moved.origins.iter().enumerate().flat_map(of).collect()
}

/// The folds of what stands in a document now.
fn folds_of(policy: usize, moved: &Moved, all: &[Rewritten<'_>]) -> Vec<Fold> {
    let of = |(at, origin): (usize, &Origin)| {
        let old = all.get(origin.policy).map(|one| one.folds.as_slice()).unwrap_or_default();
        let words =
            moved.document.statements.get(at).map(|statement| statement.resource.patterns()).unwrap_or_default();
        let is_here =
            |fold: &&Fold| fold.pattern.as_ref().is_none_or(|pattern| words.iter().any(|word| word.value == *pattern));
        let own = old.iter().filter(|fold| fold.statement == origin.statement).filter(is_here);
        own.map(|fold| Fold { policy, statement: at, ..fold.clone() }).collect::<Vec<_>>()
    };
    moved.origins.iter().enumerate().flat_map(of).collect()
}

fn because_moved(moved: &Moved, all: &[Rewritten<'_>], mut reasons: Vec<Reason>) -> Vec<Reason> {
    let from: BTreeSet<&str> =
        moved.origins.iter().filter_map(|origin| all.get(origin.policy)).map(|one| one.attached.name).collect();
    let from: Vec<&str> = from.into_iter().collect();
    let because = format!("new: these statements of {} do not fit the quota there", from.join(", "));
    reasons.insert(0, Reason { statement: None, because, evidence: Vec::new() });
    reasons
}

/// The policies where they stand: as narrow as the quotas leave room for, or else as they were.
fn in_place<'a>(
    policies: &[AttachedPolicy<'a>],
    rooms: &[Room],
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
    for room in rooms {
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
fn rooms(all: &[Rewritten<'_>], alone: bool, quotas: &QuotaProfile) -> Vec<Room> {
    let is_inline = |one: &Rewritten<'_>| match one.attached.origin {
        PolicyOrigin::Inline(_) => true,
        // Written anew, it becomes an inline policy of the new role.
        PolicyOrigin::Managed(_) => !one.stays_managed(alone),
        PolicyOrigin::Group(_) => alone,
    };
    let at = |wanted: &dyn Fn(&Rewritten<'_>) -> bool| -> Vec<usize> {
        all.iter().enumerate().filter(|(_, one)| wanted(one)).map(|(at, _)| at).collect()
    };
    let inline = Room { most: quotas.inline_of_role, members: at(&is_inline) };
    // What stays with a new role as it is needs no room.
    let managed = at(&|one| !alone && one.stays_managed(alone));
    let one = |at| Room { most: quotas.managed, members: vec![at] };
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
    let mut calls: BTreeMap<&Action, u64> = BTreeMap::new();
    for (need, seen) in needs.iter().filter_map(|need| Some((need, need.seen.as_ref()?))) {
        *calls.entry(&need.action).or_default() += seen.count;
    }
    let called = |action: &Action| calls.get(action).copied().unwrap_or_default();
    for (index, statement) in old.statements.iter().enumerate() {
        let Some(slot) = slots.iter().find(|slot| slot.statement == index) else {
            document.statements.push(statement.clone());
            continue;
        };
        let coarse = coarse.contains(&index);
        for narrowed in narrow(slot.candidate.statement, &slot.served, &slot.kept, (coarse, &called)) {
            let Narrowed { mut statement, needs: behind, folds, kept } = narrowed;
            naming::distinct(&mut statement, slot.candidate.statement, old, &document.statements);
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
            reasons.extend(kept.into_iter().map(|(pattern, why)| Reason {
                statement: Some(place),
                because: format!("{} {why}", pattern.as_str()),
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

/// The change that attaches a new managed policy to a role.
pub(crate) fn attach(role: &Arn, policy: &Arn, New { document, reasons, .. }: New) -> Change {
    let attachment = Attachment::identity(role.clone(), policy.to_string());
    Change { attachment, before: None, after: Some(document), reasons }
}

/// A policy of deny statements alone still means something; an empty one does not.
pub(crate) fn grants_something(document: &PolicyDocument) -> bool {
    !document.statements.is_empty()
}
