//! Facts that one room computes and another asks for, carried over without a judgement.

use iam_model::action::Action;
use iam_model::arn::Arn;
use iam_model::catalog::Catalog;
use iam_model::snapshot::Snapshot;
use iam_model::usage::{AccountCoverage, Coverage, UsageLog, Visibility};

/// What the logs could have shown: what each account's trails record, and how many days were read.
///
/// Where a snapshot does not say, an account is taken to have what every trail has unless told otherwise: management
/// events, and no data events. The report says so.
pub(crate) fn coverage(snapshot: &Snapshot, usage: &UsageLog) -> Coverage {
    const SECONDS_PER_DAY: i64 = 86_400;
    let plain = || AccountCoverage { management_read: true, management_write: true, ..AccountCoverage::default() };
    let accounts =
        snapshot.accounts.iter().map(|(id, account)| (id.clone(), account.trails.clone().unwrap_or_else(plain)));
    let seconds = usage.window.map_or(0, |(first, last)| last.epoch_seconds() - first.epoch_seconds());
    Coverage { accounts: accounts.collect(), days: u64::try_from(seconds / SECONDS_PER_DAY).unwrap_or_default() }
}

/// Whether a role's call would have been logged, in whichever region the account's trails cover.
pub(crate) fn visibility(coverage: &Coverage, catalog: &Catalog) -> impl Fn(&Arn, &Action) -> Visibility + Sync {
    move |role, action| match role.account() {
        Some(account) => iam_usage::visibility(coverage, catalog, &account, None, action),
        None => Visibility::Invisible("the role's ARN names no account".into()),
    }
}
