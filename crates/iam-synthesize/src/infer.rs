//! Inferring what a role must keep: what it was seen to do, what follows from that, and what its functions need to run.
//!
//! Says what must stay, not how it is written down; that is for narrowing.

mod service;
mod siblings;

use iam_model::action::Action;
use iam_model::arn::Arn;
use iam_model::catalog::{Catalog, Operation};
use iam_model::snapshot::Resource;
use iam_model::text::grouped;
use iam_model::usage::UsageLog;

use crate::bounds::Bounds;
use crate::needs::{Evidence, Known, Need, NeedRule, Seen};
use crate::plumbing::{self, Runs};

/// What a role was seen to do, what goes with it and what its functions need to run, in a fixed order.
pub(crate) fn infer(functions: &[&Resource], runs: &Runs<'_>, known: Known<'_>, bounds: &Bounds<'_>) -> Vec<Need> {
    let mut needs = observed(known.role, known.evidence);
    let mut implied = plumbing::needs(functions, runs);
    let asked = service::needs(needs.iter().chain(&implied), known);
    implied.extend(siblings::needs(&needs, known));
    implied.extend(asked);
    for need in &mut implied {
        // Denied calls are evidence of want, never of need.
        if let Some(resources) = &mut need.resources {
            resources.retain(|resource| !bounds.was_denied(&need.action, resource));
        }
    }
    implied.retain(|need| need.resources.as_ref().is_none_or(|resources| !resources.is_empty()));
    needs.extend(implied);
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
            let rule = if has_calls(&observation.action, evidence.catalog) {
                NeedRule::Called
            } else {
                NeedRule::AskedByCalls
            };
            needs.push(Need {
                action: observation.action.clone(),
                resources,
                rule,
                because: String::new(),
                seen: Some(seen),
                functions: observation.function.iter().cloned().collect(),
                bound: None,
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

/// Whether an action has calls of its own; those that only calls of other actions ask for (`iam:PassRole`) have none.
fn has_calls(action: &Action, catalog: &Catalog) -> bool {
    let operations = catalog.operations_authorised_by(action);
    let is_own = |operation: &Operation<'_>| operation.service().eq_ignore_ascii_case(action.service());
    operations.is_empty() || operations.iter().any(|(operation, pair)| pair.is_primary() && is_own(operation))
}

fn describe(need: &Need) -> String {
    let Some(seen) = &need.seen else { return String::new() };
    let calls = if seen.count == 1 { "call" } else { "calls" };
    let asked = if need.rule == NeedRule::AskedByCalls { " that ask for it" } else { "" };
    let told =
        if need.resources.is_some() { "" } else { "; the events do not tell the resource, so the old grant's stays" };
    format!("{} {calls}{asked}, {} to {}{told}", grouped(seen.count), seen.first.date(), seen.last.date())
}
