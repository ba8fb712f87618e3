//! Why nothing is proved though no replayed call is denied: logs not read whole, of other accounts, or policies that more
//! hold than the snapshot shows.

use iam_evaluate::budget::Budget;
use iam_evaluate::permission_set::PermissionSet;
use iam_model::arn::{AccountId, Arn};
use iam_model::change::{AttachmentKind, Change};
use iam_model::snapshot::SnapshotIndex;
use iam_model::usage::UsageLog;

use super::is_included;
use crate::reach::edited;
use crate::{adds_nothing, before_after};

/// Why nothing is proved where the logs were not read whole, or there are none: other evidence holds no calls.
pub(super) fn unread(usage: &UsageLog) -> Option<String> {
    let no_calls = usage.principals.values().all(|used| used.observations.is_empty());
    if no_calls && usage.records == 0 && usage.seen_in.is_empty() {
        return Some("the evidence holds no calls to replay".into());
    }
    usage.unread().map(|unread| format!("{unread}, and any of it may be a call that the change denies"))
}

/// Why nothing is proved of a principal in whose account nobody was seen: the logs are of other accounts.
pub(super) fn elsewhere(changes: &[&Change], usage: &UsageLog) -> Option<String> {
    // A usage log of last uses or of an engine does not say where it looked.
    if usage.seen_in.is_empty() {
        return None;
    }
    let is_seen = |account: &AccountId| usage.seen_in.iter().any(|(seen, _)| seen == account);
    let principals = changes.iter().filter_map(|change| match change.attachment.kind {
        AttachmentKind::Identity | AttachmentKind::Boundary => change.attachment.principal_arn.as_ref(),
        _ => None,
    });
    let mut accounts = principals.filter_map(Arn::account);
    accounts.find(|account| !is_seen(account)).map(|account| {
        format!("the logs hold no record of account {account}, so no call of it could be replayed; give its logs")
    })
}

/// Why an edit takes something from principals that nobody was shown: the policy is held by more than the snapshot has.
pub(super) fn unshown(change: &Change, index: &SnapshotIndex<'_>, budget: &Budget) -> Option<String> {
    let policy = edited(change, index)?;
    let why = index.held_elsewhere(&policy, index.holders_of(&policy))?;
    let (before, after) =
        adds_nothing::compared(AttachmentKind::Identity, change.before.as_ref(), change.after.as_ref());
    let keeps = is_included(&PermissionSet::of_documents(&before), &PermissionSet::of_documents(&after), budget);
    (!keeps).then(|| format!("{}: {why}", before_after::name(change)))
}
