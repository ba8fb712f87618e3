//! Changes that are written together or not at all: those of a role that gets new managed policies.
//!
//! What such a role keeps in its old policies, written alone, would take away what the new ones give.

use std::collections::BTreeMap;

use iam_model::arn::Arn;
use iam_model::change::{Attachment, AttachmentKind, Change};
use iam_model::snapshot::SnapshotIndex;

use super::{PatchSet, Refused, Run, by_program, sources};
use crate::locate;
use crate::refusal::{Refusal, RefusalCode};

/// Whether a change attaches a managed policy of the account's own that the role does not have.
fn attaches(change: &Change, index: &SnapshotIndex<'_>) -> bool {
    let Attachment { kind, principal_arn: Some(role), policy_name: Some(name), .. } = &change.attachment else {
        return false;
    };
    let new = |arn: Arn| {
        let has = index.identity(role).is_some_and(|identity| identity.attached_policies.contains(&arn));
        !arn.is_owned_by_aws() && !has
    };
    *kind == AttachmentKind::Identity && change.before.is_none() && name.parse().is_ok_and(new)
}

/// The changes of each role that gets a new policy, by number.
pub(super) fn groups(changes: &[Change], index: &SnapshotIndex<'_>) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<&Arn, (bool, Vec<usize>)> = BTreeMap::new();
    for (number, change) in changes.iter().enumerate() {
        let Attachment { kind: AttachmentKind::Identity, principal_arn: Some(role), .. } = &change.attachment else {
            continue;
        };
        let group = groups.entry(role).or_default();
        group.0 |= attaches(change, index);
        group.1.push(number);
    }
    groups.into_values().filter(|(new, _)| *new).map(|(_, numbers)| numbers).collect()
}

/// Writes a group whole, or refuses each of its changes.
pub(super) fn add(
    run: &mut Run<'_>,
    group: &[usize],
    changes: &[Change],
    index: &SnapshotIndex<'_>,
    set: &mut PatchSet,
) {
    let numbered = || group.iter().filter_map(|number| Some((*number, changes.get(*number)?)));
    let (new, old): (Vec<_>, Vec<_>) = numbered().partition(|(_, change)| attaches(change, index));
    let saved = (run.files.clone(), run.terraform.clone());
    let mut unchanged = Vec::new();
    let mut failed: Option<(usize, Refusal, Option<String>)> = None;
    for (number, change) in old {
        match run.change(number, change) {
            Ok(true) => {}
            Ok(false) => unchanged.push(number),
            Err(why) => failed = failed.or(Some((number, why.0, why.1))),
        }
    }
    if failed.is_none() {
        match all_new(run, &new) {
            Ok(true) => {}
            Ok(false) => unchanged.extend(new.iter().map(|(number, _)| *number)),
            Err(refusal) => failed = new.first().map(|(number, _)| (*number, refusal, None)),
        }
    }
    let Some((number, refusal, mut snippet)) = failed else {
        set.unchanged.extend(unchanged);
        return;
    };
    (run.files, run.terraform) = saved;
    for other in group {
        let own = *other == number;
        let message = match own {
            true => refusal.message.clone(),
            false => format!("it goes with others of its role, of which one is not written: {}", refusal.message),
        };
        let told = Refusal { message, hint: refusal.hint.clone().or_else(|| Some(HINT.to_owned())), ..refusal.clone() };
        let snippet = if own { snippet.take() } else { None };
        set.refused.push(Refused { change: *other, refusal: told, snippet });
    }
}

const HINT: &str = "write the new policy into the sources by hand, as `changes.json` has it, or keep all in place with --quota in-place";

/// Writes the new policies of one role; whether there was anything to write.
fn all_new(run: &mut Run<'_>, new: &[(usize, &Change)]) -> Result<bool, Refusal> {
    let Some((_, first)) = new.first() else { return Ok(false) };
    let (numbers, changes): (Vec<usize>, Vec<&Change>) = new.iter().copied().unzip();
    let (project, deployed) = (run.project, run.deployed);
    if let Some(refusal) = numbers.iter().find_map(|number| run.deployments.refusal(*number)) {
        return Err(refusal.clone());
    }
    let found = locate::home(&project.templates, deployed, &first.attachment);
    let outcome = found.and_then(|home| run.work(home.template)?.add_new_policies(&numbers, &changes, &home, deployed));
    let outcome = match sources(project, deployed).is_for_terraform(&first.attachment, outcome.as_ref().err()) {
        true => run.terraform.add_new(&numbers, &changes),
        false => outcome,
    };
    let nowhere = |refusal: Refusal| match refusal.code {
        RefusalCode::NotInSource if refusal.place.is_none() => {
            Refusal { message: format!("a new managed policy has no place: {}", refusal.message), ..refusal }
        }
        _ => refusal,
    };
    outcome.map_err(|refusal| nowhere(by_program(project, &first.attachment, Some(first), refusal)))
}
