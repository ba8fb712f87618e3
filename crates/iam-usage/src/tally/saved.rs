//! A usage log taken back apart into the counts it was made of, so that counting can go on.

use iam_model::arn::Arn;
use iam_model::usage::{Observation, UsageLog};

use super::{Fact, Principal, Tally, Unexplained, kind};
use crate::calls::is_varying;
use crate::fold::Stat;

impl Tally {
    /// The counts of a log.
    pub(crate) fn of_log(log: UsageLog) -> Self {
        let UsageLog {
            principals,
            window,
            days,
            region_days,
            seen_in,
            unresolved,
            skipped,
            records,
            observed,
            files,
            unread_files,
            merging,
        } = log;
        let mut tally = Self {
            window,
            days: days.into_iter().map(|(account, days)| (account.as_str().into(), days)).collect(),
            region_days: (region_days.into_iter())
                .map(|((account, region), days)| ((account.as_str().into(), region.into()), days))
                .collect(),
            skipped,
            records,
            observed,
            files,
            unread_files,
            sources: merging.sources,
            unresolved_folded: merging.unresolved_folded,
            ..Self::default()
        };
        for (role, used) in principals {
            let folds = merging.folded.get(&role);
            let mut principal =
                Principal { nameless: merging.functions_folded.contains(&role), ..Principal::default() };
            for (at, seen) in used.observations.iter().enumerate() {
                let folded = folds.and_then(|folds| folds.get(&at)).copied().unwrap_or_default();
                let (fixed, varying) = facts(seen);
                let kind = kind(&mut tally.kinds, &mut tally.key, &seen.action, seen.resource_known, &fixed);
                let names: Vec<String> = seen.resources.iter().map(|name| name.as_str().to_owned()).collect();
                let Some(rows) = principal.rows(seen.function.as_deref()) else { continue };
                rows.entry(kind).or_default().restore(&varying, &names, &Stat::of(seen), folded);
            }
            tally.principals.insert(role.as_str().into(), principal);
        }
        for (account, region) in seen_in {
            tally.seen_in.entry(account.as_str().into()).or_default().insert(region.into());
        }
        for event in unresolved {
            let principals = event.principals.iter().map(|role: &Arn| role.as_str().into()).collect();
            let unexplained: Unexplained = (event.count, principals);
            tally.unresolved.insert((event.event_source.into(), event.event_name.into()), unexplained);
        }
        tally
    }
}

/// The facts an observation is told apart by: those with few values, and those that differ from call to call.
fn facts(seen: &Observation) -> (Vec<Fact>, Vec<Fact>) {
    let facts = seen.context.iter().flat_map(|(key, values)| values.iter().map(|value| (key.clone(), value.clone())));
    let (mut varying, mut fixed): (Vec<Fact>, Vec<Fact>) = facts.partition(|(key, _)| is_varying(key));
    varying.sort();
    fixed.sort();
    (fixed, varying)
}
