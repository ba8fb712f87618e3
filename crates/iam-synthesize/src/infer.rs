//! Inferring what a role must keep: what it was seen to do, and what its functions need to run.
//!
//! Says what must stay, not how it is written down; that is for narrowing.

use iam_model::arn::Arn;
use iam_model::snapshot::Resource;
use iam_model::text::grouped;
use iam_model::time::Timestamp;
use iam_model::usage::UsageLog;

use crate::needs::{Evidence, Grade, Need, Seen};
use crate::plumbing;

/// What a role was seen to do and what its functions need to run, in a fixed order.
pub(crate) fn infer(role: &Arn, functions: &[&Resource], evidence: &Evidence<'_>) -> Vec<Need> {
    let mut needs = observed(role, evidence);
    needs.extend(plumbing::needs(functions));
    needs
}

/// Whether the logs hold an authorised call of the role.
pub(crate) fn was_seen(role: &Arn, usage: &UsageLog) -> bool {
    usage.principals.get(role).is_some_and(|seen| seen.observations.iter().any(|o| o.count > 0))
}

/// One need per action seen with the same knowledge of resources; denied calls are evidence of want, never of need.
fn observed(role: &Arn, evidence: &Evidence<'_>) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    let observations = evidence.usage.principals.get(role).map(|u| u.observations.as_slice()).unwrap_or_default();
    for observation in observations.iter().filter(|o| o.count > 0) {
        let seen = Seen {
            count: observation.count,
            first: observation.first,
            last: observation.last,
            event_ids: observation.sample_event_ids.clone(),
        };
        let resources = observation.resource_known.then(|| observation.resources.clone());
        let known =
            |need: &&mut Need| need.action == observation.action && need.resources.is_some() == resources.is_some();
        if let Some(need) = needs.iter_mut().find(known) {
            if let (Some(all), Some(more)) = (&mut need.resources, resources) {
                all.extend(more);
            }
            need.functions.extend(observation.function.clone());
            if let Some(total) = &mut need.seen {
                total.join(&seen);
            }
        } else {
            needs.push(Need {
                action: observation.action.clone(),
                resources,
                grade: Grade::Observed,
                because: String::new(),
                seen: Some(seen),
                functions: observation.function.iter().cloned().collect(),
            });
        }
    }
    for need in &mut needs {
        if let Some(resources) = &mut need.resources {
            resources.sort();
            resources.dedup();
        }
        need.functions.sort();
        need.functions.dedup();
        need.because = describe(need);
    }
    needs
}

fn describe(need: &Need) -> String {
    let Some(seen) = &need.seen else { return String::new() };
    let calls = if seen.count == 1 { "call" } else { "calls" };
    let date = |time: Timestamp| time.to_string().chars().take(10).collect::<String>();
    let told =
        if need.resources.is_some() { "" } else { "; the events do not tell the resource, so the old grant's stays" };
    format!("{} {calls}, {} to {}{told}", grouped(seen.count), date(seen.first), date(seen.last))
}
