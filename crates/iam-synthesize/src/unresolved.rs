//! Calls that no entry of the catalogue explains: whatever they need of their service stays.
//!
//! Which permission such a call asks for nobody knows, only whose it is. A wildcard stays as far as it speaks of the service,
//! and so does what is named of it. Of a source that nobody knows even the service may be any: what is likely stays (the
//! service that its name begins with, actions of the call's name, and services that the catalogue does not know either);
//! that the rest was not used the prover then leaves undecided.

use std::collections::{BTreeMap, BTreeSet};

use iam_evaluate::glob::{Glob, Reading};
use iam_model::action::{Action, ActionPattern};
use iam_model::arn::Arn;
use iam_model::policy::ActionElement;
use iam_model::usage::{UnresolvedEvent, UnresolvedKind, UsageLog};

use crate::narrow::{Candidate, Served, Slot};
use crate::needs::{Evidence, Need, NeedRule};

/// A role's calls that nothing explains.
fn of<'u>(role: &'u Arn, usage: &'u UsageLog) -> impl Iterator<Item = &'u UnresolvedEvent> {
    usage.unresolved.iter().filter(move |event| event.kind == UnresolvedKind::Unknown && event.may_be_of(role))
}

/// Why nothing may be said of a role: it called so much that nobody knows that not even the services are told.
pub(crate) fn why_not(role: &Arn, usage: &UsageLog) -> Option<String> {
    of(role, usage)
        .find(|event| event.event_source.is_empty())
        .map(|event| format!("the logs hold {}", event.describe()))
}

/// Why nothing may be said of what a role does in a service: it called it by a name nobody knows.
pub(crate) fn of_service(role: &Arn, service: &str, evidence: &Evidence<'_>) -> Option<String> {
    let is_its = |event: &&UnresolvedEvent| {
        let services = event.services(evidence.catalog);
        services.is_none_or(|prefixes| prefixes.iter().any(|prefix| prefix.eq_ignore_ascii_case(service)))
    };
    of(role, evidence.usage).find(is_its).map(|event| format!("the logs hold {}", event.describe()))
}

/// Keeps what statements grant of the services that a role called by names nobody knows.
pub(crate) fn keep(role: &Arn, evidence: &Evidence<'_>, slots: &mut [Slot<'_>], needs: &mut Vec<Need>) {
    let catalog = evidence.catalog;
    let mut called: BTreeMap<&str, &UnresolvedEvent> = BTreeMap::new();
    let mut strange: BTreeMap<&str, &UnresolvedEvent> = BTreeMap::new();
    for event in of(role, evidence.usage) {
        if let Some(prefixes) = event.services(catalog) {
            for prefix in prefixes {
                called.entry(prefix).or_insert(event);
            }
        } else {
            called.entry(first_label(event)).or_insert(event);
            strange.entry(&event.event_name).or_insert(event);
        }
    }
    for (service, event) in called {
        let because = format!("{}, may need what is granted of {service}: it stays", event.describe());
        keep_each((event, service, &because), slots, needs, |candidate, action| {
            let of_catalog = catalog.service_actions(service).map(|facts| facts.action());
            let mut actions: Vec<Action> = of_catalog.filter(|action| candidate.allows_action(action)).collect();
            let patterns = patterns_of(service, &candidate.statement.action);
            if patterns.is_empty() && candidate.allows_action(action) {
                actions.push(action.clone());
            }
            (actions, patterns)
        });
    }
    for (name, event) in strange {
        let because = format!("{}, may need it: it stays", event.describe());
        let of_name = catalog.services().filter_map(|prefix| catalog.action_named(prefix, name));
        let of_name: Vec<Action> = of_name.map(|facts| facts.action()).collect();
        keep_each((event, first_label(event), &because), slots, needs, |candidate, _| {
            let actions = of_name.iter().filter(|action| candidate.allows_action(action)).cloned().collect();
            let unknown = candidate.wild_services().filter(|service| !catalog.knows_service(service));
            let unknown: BTreeSet<&str> = unknown.collect();
            let patterns = unknown.into_iter().flat_map(|own| patterns_of(own, &candidate.statement.action));
            (actions, patterns.collect())
        });
    }
}

/// What the name of an event's source begins with, which mostly is the service's prefix.
fn first_label(event: &UnresolvedEvent) -> &str {
    event.event_source.split('.').next().unwrap_or_default()
}

/// Keeps of each statement the actions and wildcards that `of` tells for a call and the action of its name.
fn keep_each(
    (event, service, because): (&UnresolvedEvent, &str, &str),
    slots: &mut [Slot<'_>],
    needs: &mut Vec<Need>,
    of: impl Fn(&Candidate<'_>, &Action) -> (Vec<Action>, Vec<ActionPattern>),
) {
    let Ok(action) = format!("{service}:{}", event.event_name).parse::<Action>() else { return };
    let mut kept = false;
    for slot in slots.iter_mut() {
        let (actions, patterns) = of(&slot.candidate, &action);
        kept |= !actions.is_empty() || !patterns.is_empty();
        slot.served.extend(actions.into_iter().map(|action| Served::as_granted(action, needs.len())));
        slot.kept.extend(patterns.into_iter().map(|pattern| (pattern, because.to_owned())));
    }
    if kept {
        needs.push(Need::unseen(action, None, NeedRule::NotExplained, because.to_owned()));
    }
}

/// The wildcards of a statement as far as they speak of a service.
fn patterns_of(service: &str, element: &ActionElement) -> Vec<ActionPattern> {
    let speaks = |own: &str| Glob::parse(own, Reading::ACTION).matches(service);
    let whole = ActionPattern::new(&format!("{service}:*"));
    match element {
        ActionElement::NotAction(not) => {
            let untouched = not.iter().all(|pattern| match pattern.value.as_str().split_once(':') {
                Some((own, _)) => !speaks(own),
                None => false,
            });
            if untouched { vec![whole] } else { Vec::new() }
        }
        ActionElement::Action(patterns) => {
            let of_service = |pattern: &ActionPattern| match pattern.as_str().split_once(':') {
                Some((own, name)) => speaks(own).then(|| ActionPattern::new(&format!("{service}:{name}"))),
                None => Some(whole.clone()),
            };
            let mut found: Vec<ActionPattern> =
                patterns.iter().filter(|p| p.value.has_wildcard()).filter_map(|p| of_service(&p.value)).collect();
            found.sort();
            found.dedup();
            found
        }
    }
}
