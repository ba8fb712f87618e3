//! Whether the logs know enough of a role for their silence to tell anything: a role may be younger than they are, and AWS
//! may know of a use that they lack.

use iam_model::policy::Effect;
use iam_model::snapshot::{Role, SnapshotIndex};

use crate::narrow::Candidate;
use crate::needs::{Evidence, Known, Rules};

/// Why nothing may be said of a role; nothing where the logs know it long enough, and whole.
pub(crate) fn why_not(
    role: &Role,
    index: &SnapshotIndex<'_>,
    evidence: &Evidence<'_>,
    rules: &Rules,
) -> Option<String> {
    too_young(role, evidence, rules).or_else(|| unshown_use(role, index, evidence, rules))
}

/// The logs say nothing of a role from before it was made.
fn too_young(role: &Role, evidence: &Evidence<'_>, rules: &Rules) -> Option<String> {
    let (created, (first, last)) = (role.life.created?, evidence.usage.window?);
    let own = created.days_until(last);
    (created > first && own < rules.min_days).then(|| {
        format!(
            "the role was made on {}, {own} days before the logs end, and {} are asked for",
            created.date(),
            rules.min_days
        )
    })
}

/// A last use by AWS's own record within the time of the logs, which they do not hold and cannot have left out.
fn unshown_use(role: &Role, index: &SnapshotIndex<'_>, evidence: &Evidence<'_>, rules: &Rules) -> Option<String> {
    let ((used, region), (first, last)) = (role.life.last_used.as_ref()?, evidence.usage.window?);
    if !(first..=last).contains(used) {
        return None;
    }
    let arn = &role.identity.arn;
    let seen_in = &evidence.usage.seen_in;
    let account = arn.account()?;
    let is_read = seen_in.iter().any(|(seen, in_region)| *seen == account && in_region == region);
    if !region.is_empty() && !seen_in.is_empty() && !is_read {
        return Some(format!(
            "AWS last recorded a use of the role on {} in {region}, and no record of that region was read",
            used.date()
        ));
    }
    let observations = evidence.usage.principals.get(arn).into_iter().flat_map(|used| &used.observations);
    let known = observations.map(|call| call.last).max();
    // The record is a few hours late, and counts from there.
    if known.is_some_and(|known| known.day() + 1 >= used.day()) || may_go_unseen(role, index, evidence, rules) {
        return None;
    }
    Some(format!(
        "AWS last recorded a use of the role on {}, and the logs hold no call of it near that day: they are not complete",
        used.date()
    ))
}

/// Whether a role may do anything that the logs could not have shown: writing its log, for one.
fn may_go_unseen(role: &Role, index: &SnapshotIndex<'_>, evidence: &Evidence<'_>, rules: &Rules) -> bool {
    let known = Known { role: &role.identity.arn, evidence, rules };
    let policies = index.identity_policies(&role.identity.arn);
    let allows =
        policies.iter().flat_map(|policy| policy.document.statements.iter().map(move |s| (policy.document, s)));
    let allows: Vec<Candidate<'_>> = allows
        .filter(|(_, statement)| statement.effect == Effect::Allow)
        .filter_map(|(document, statement)| Candidate::new(document, statement))
        .collect();
    let actions = evidence.catalog.actions().map(|facts| facts.action());
    let mut granted = actions.filter(|action| allows.iter().any(|candidate| candidate.allows_action(action)));
    granted.any(|action| known.is_invisible(&action))
}
