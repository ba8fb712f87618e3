//! Facts that one room computes and another asks for, carried over without a judgement.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::action::{Action, ActionPattern};
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::catalog::{Catalog, Logging};
use iam_model::snapshot::{Role, Snapshot, SnapshotIndex};
use iam_model::usage::{AccountCoverage, Coverage, LastAccessed, UsageLog, Visibility};
use iam_patch::{Project, settings_of_functions};
use iam_synthesize::{KeepRule, RoleProposal, Rules, SplitProposal};
use iam_usage::Evidence;

/// What the logs could have shown: what each account's trails record, and how many days were read.
///
/// Where a snapshot does not say, an account is taken to have what every trail has unless told otherwise: management
/// events, and no data events. The report says so. Regions whose logs span less than `min_days` count as not read.
pub(crate) fn coverage(snapshot: &Snapshot, (usage, min_days): (&UsageLog, u64), catalog: &Catalog) -> Coverage {
    let accounts =
        snapshot.accounts.iter().map(|(id, account)| (id.clone(), account.trails.clone().unwrap_or_else(plain)));
    let mut coverage = Coverage::of(accounts.collect(), usage);
    iam_usage::note_unread(&mut coverage, snapshot, (usage, min_days), catalog);
    coverage
}

/// The same without a snapshot, for the accounts of the roles that were seen. Data events that were seen are recorded, of
/// how many resources nobody says.
pub(crate) fn plain_coverage(usage: &UsageLog, catalog: &Catalog) -> Coverage {
    let mut coverage = Coverage::of(BTreeMap::new(), usage);
    for (role, used) in &usage.principals {
        let Some(account) = role.account() else { continue };
        let trail = coverage.accounts.entry(account).or_insert_with(plain);
        for facts in used.observations.iter().filter_map(|seen| catalog.action(&seen.action)) {
            if let Logging::Data(types) = facts.logging() {
                trail.partial_data_types.extend(types.into_iter().map(str::to_owned));
            }
        }
    }
    coverage
}

fn plain() -> AccountCoverage {
    AccountCoverage { management_read: true, management_write: true, ..AccountCoverage::default() }
}

/// Whether a role's call would have been logged, in whichever region the account's trails cover.
pub(crate) fn visibility(coverage: &Coverage, catalog: &Catalog) -> impl Fn(&Arn, &Action) -> Visibility + Sync {
    move |role, action| match role.account() {
        Some(account) => iam_usage::visibility(coverage, catalog, &account, None, action),
        None => Visibility::Invisible("the role's ARN names no account".into()),
    }
}

/// Whether each call of a role on a resource would have been logged.
pub(crate) fn recorded<'a>(known: Evidence<'a>) -> impl Fn(&Arn, &Action, &ResourcePattern) -> Visibility + Sync + 'a {
    move |role, action, on| match known.visibility(role, action) {
        Visibility::Visible => known.every_use(role, action, on),
        hidden @ Visibility::Invisible(_) => hidden,
    }
}

/// Logs and AWS's own record together, and how long the logs must be.
pub(crate) const fn evidence<'a>(
    (usage, min_days): (&'a UsageLog, u64),
    coverage: &'a Coverage,
    last_accessed: &'a LastAccessed,
    catalog: &'a Catalog,
) -> Evidence<'a> {
    Evidence { usage, coverage, last_accessed, catalog, min_days }
}

/// The proposal without the blind spots in which only services act, with roles of their own.
///
/// Told here, as the spots are found once for an account.
pub(super) fn its_own(mut proposal: RoleProposal, known: &Evidence<'_>) -> RoleProposal {
    let RoleProposal { role, blind_spots, .. } = &mut proposal;
    for spot in blind_spots.iter_mut() {
        if spot.actions.iter().any(|action| known.is_of_others(role, action)) {
            spot.actions = spot.actions.iter().filter(|action| !known.is_of_others(role, action)).cloned().collect();
        }
    }
    blind_spots.retain(|spot| !spot.actions.is_empty());
    proposal
}

/// The rules, and with them what AWS recorded as used and the logs do not show: it stays.
pub(crate) fn with_unshown(rules: &Rules, roles: &[&Role], evidence: &Evidence<'_>) -> Rules {
    let mut rules = rules.clone();
    for role in roles {
        let arn = &role.identity.arn;
        rules.told.extend(evidence.unshown(arn).into_iter().map(|used| KeepRule {
            role: Some(arn.to_string()),
            actions: vec![ActionPattern::new(used.action.as_str())],
            reason: format!("last used on {} by AWS's own record, which the logs do not show", used.last.date()),
        }));
    }
    rules
}

/// The rules, and with them what the sources say that Lambda does with the roles of functions.
pub(crate) fn with_written(rules: Rules, project: &Project, index: &SnapshotIndex<'_>, roles: &[&Role]) -> Rules {
    let roles: Vec<&Arn> = roles.iter().map(|role| &role.identity.arn).collect();
    Rules { written: settings_of_functions(project, index, &roles), ..rules }
}

/// What roles need though no call shows it: a rule keeps it, the logs could not have shown it, or something else asks for it.
pub(crate) fn needed<'p>(
    proposals: &'p [RoleProposal],
    splits: &'p [SplitProposal],
) -> BTreeSet<(&'p Arn, &'p Action)> {
    let all = proposals.iter().chain(splits.iter().flat_map(|split| &split.parts));
    let unseen = |proposal: &'p RoleProposal| proposal.needs.iter().filter(|need| need.seen.is_none());
    all.flat_map(|proposal| unseen(proposal).map(move |need| (&proposal.role, &need.action))).collect()
}
