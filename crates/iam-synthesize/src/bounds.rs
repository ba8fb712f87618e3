//! How far a pattern may reach: not over what the role was denied, nor over resources it never touched.
//!
//! The old grant is the other bound, and lies with the statement that is narrowed.

use std::collections::{BTreeMap, BTreeSet};

use iam_evaluate::glob::{Glob, Reading};
use iam_model::action::Action;
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::policy::PolicyVersion;
use iam_model::usage::UsageLog;

/// What a role's patterns must not cover.
pub(crate) struct Bounds<'a> {
    /// What was denied and never allowed, by action.
    denied: BTreeMap<&'a Action, Vec<&'a ResourcePattern>>,
    /// Patterns that stand for more names than the logs tell apart, by action.
    crowded: BTreeSet<(&'a Action, &'a ResourcePattern)>,
    /// Resources the accounts are known to have.
    existing: &'a BTreeSet<&'a Arn>,
}

impl<'a> Bounds<'a> {
    /// The bounds of one role.
    pub(crate) fn new(role: &Arn, usage: &'a UsageLog, existing: &'a BTreeSet<&'a Arn>) -> Self {
        let seen = usage.principals.get(role).map(|usage| usage.observations.as_slice()).unwrap_or_default();
        let calls = |allowed: bool| seen.iter().filter(move |o| (o.count > 0) == allowed && o.resource_known);
        let pairs = |allowed| calls(allowed).flat_map(|o| o.resources.iter().map(move |r| (&o.action, r)));
        let mut denied: BTreeMap<&Action, Vec<&ResourcePattern>> = BTreeMap::new();
        for (action, resource) in pairs(false).filter(|(_, resource)| !resource.is_everything()) {
            denied.entry(action).or_default().push(resource);
        }
        if !denied.is_empty() {
            let allowed: BTreeSet<_> = pairs(true).collect();
            denied.iter_mut().for_each(|(action, on)| on.retain(|resource| !allowed.contains(&(*action, *resource))));
        }
        let folded = usage.merging.folded.get(role);
        let folded = folded.into_iter().flatten().filter(|(_, how)| how.depth.is_some() || how.services);
        let crowded = folded.filter_map(|(at, _)| seen.get(*at));
        let crowded = crowded.flat_map(|o| o.resources.iter().map(move |resource| (&o.action, resource)));
        let crowded = crowded.filter(|(_, resource)| resource.as_str().contains(['*', '?'])).collect();
        Self { denied, crowded, existing }
    }

    /// Whether every call of an action on a resource, or on one that a pattern stands for, was denied.
    pub(crate) fn was_denied(&self, action: &Action, resource: &ResourcePattern) -> bool {
        let Some(denied) = self.denied.get(action) else { return false };
        let glob = Glob::parse(resource.as_str(), Reading::resource(PolicyVersion::V2012));
        denied.iter().any(|on| on.name().is_some_and(|name| glob.matches(&name)) || glob.matches(on.as_str()))
    }

    /// Whether a pattern comes from the logs, where it stands for more names than they tell apart.
    pub(crate) fn is_crowded(&self, action: &Action, pattern: &ResourcePattern) -> bool {
        self.crowded.contains(&(action, pattern))
    }

    /// Whether a pattern wider than what was seen may not be written for an action.
    pub(crate) fn forbid(&self, action: &Action, pattern: &ResourcePattern, seen: &[ResourcePattern]) -> bool {
        let glob = Glob::parse(pattern.as_str(), Reading::resource(PolicyVersion::V2012));
        let was_seen = |arn: &Arn| seen.iter().any(|resource| resource.as_str() == arn.as_str());
        self.was_denied(action, pattern) || self.existing.iter().any(|arn| glob.matches(arn.as_str()) && !was_seen(arn))
    }
}
