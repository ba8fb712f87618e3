//! What services ask for on the caller's behalf: a key is used because an object lies encrypted, not because the code
//! knows of keys.
//!
//! Where the logs could have shown it, they did or there was none. Where they could not (KMS is often left out of
//! trails), what AWS publishes about the seen calls says what they may need, and through which service.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::action::Action;
use iam_model::catalog::Catalog;
use iam_model::condition::ConditionKey;

use crate::needs::{Bound, Known, Need, NeedRule};

/// The one service whose keys a condition binds to the service that asks.
const KMS: &str = "kms";
const VIA_SERVICE: &str = "kms:ViaService";

/// What was found for one action.
#[derive(Default)]
struct Asked {
    by: BTreeSet<Action>,
    via: BTreeSet<String>,
    functions: BTreeSet<String>,
}

/// The actions that services may ask for in calls that were seen, or that Lambda makes for a function, where the logs could
/// not have shown it.
pub(super) fn needs<'n>(calls: impl Iterator<Item = &'n Need>, known: Known<'_>) -> Vec<Need> {
    let mut asked: BTreeMap<Action, Asked> = BTreeMap::new();
    for need in calls {
        for (action, via) in forwarded(&need.action, known.evidence.catalog) {
            if action.service() != KMS || !known.is_invisible(&action) {
                continue;
            }
            let found = asked.entry(action).or_default();
            found.by.insert(need.action.clone());
            found.via.extend(regions(need).iter().map(|region| via.replace("${region}", region)));
            found.functions.extend(need.functions.iter().cloned());
        }
    }
    let need = |(action, found): (Action, Asked)| {
        if found.via.is_empty() {
            return None;
        }
        let by = found.by.iter().map(Action::as_str).take(3).collect::<Vec<_>>().join(", ");
        let more = if found.by.len() > 3 { ", …" } else { "" };
        let because = format!("calls of {by}{more} ask for it where data is encrypted, which the logs could not show");
        let mut need = Need::unseen(action, None, NeedRule::ThroughService, because);
        need.functions = found.functions.into_iter().collect();
        need.bound = Some(Bound { key: ConditionKey::new(VIA_SERVICE), values: found.via.into_iter().collect() });
        Some(need)
    };
    asked.into_iter().filter_map(need).collect()
}

/// What calls of an action make a service ask for, and the service as the key's condition has it.
fn forwarded<'c>(action: &Action, catalog: &'c Catalog) -> BTreeSet<(Action, &'c str)> {
    let operations = catalog.operations_authorised_by(action).into_iter().filter(|(_, pair)| pair.is_primary());
    let calls = operations.flat_map(|(operation, _)| operation.forwarded());
    calls.filter(|call| !call.via.is_empty()).map(|call| (call.action, call.via)).collect()
}

/// The regions of the resources, and of the functions' own calls where resources name none (buckets).
fn regions(need: &Need) -> BTreeSet<String> {
    let of = |text: &str| text.split(':').nth(3).filter(|region| !region.is_empty()).unwrap_or("*").to_owned();
    let mut found: BTreeSet<String> = need.resources.iter().flatten().map(|resource| of(resource.as_str())).collect();
    if found.is_empty() {
        found.insert("*".into());
    }
    found
}
