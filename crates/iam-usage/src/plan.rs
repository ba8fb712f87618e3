//! Catalogue entries made ready for many events of one name: found once, taken apart once, kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use iam_model::action::Action;
use iam_model::catalog::{ActionFacts, ArnPattern, AuthorizedAction, Catalog, Operation, TemplateTarget, Trigger};
use iam_model::condition::ConditionKey;

use crate::json::Raw;
use crate::template::{Path, Text};

/// Names kept; hostile logs may make up more.
const MOST_NAMES: usize = 20_000;

/// What an event's source and name stand for.
#[derive(Debug, Clone)]
pub(crate) enum Resolved<'c> {
    /// These operations; several only where services share source and name.
    Operations(Arc<Vec<Plan<'c>>>),
    /// A call that needs no permission.
    Free,
    /// Nothing the catalogue knows.
    Unknown,
}

/// An operation.
#[derive(Debug)]
pub(crate) struct Plan<'c> {
    pub(crate) service: &'c str,
    pub(crate) pairs: Vec<Pair<'c>>,
}

/// An action a call may be authorised against.
#[derive(Debug)]
pub(crate) struct Pair<'c> {
    pub(crate) action: Action,
    pub(crate) when: When<'c>,
    pub(crate) takes_resource: bool,
    /// Whether one of its resource types is a part of another.
    pub(crate) has_indexes: bool,
    /// The ARN patterns of the action's resource types, each with its type's name. A pattern that names everything of
    /// its kind is never meant by default, and left out.
    pub(crate) patterns: Vec<(&'c str, ArnPattern<'c>)>,
    pub(crate) templates: Vec<(TemplateTarget<'c>, Vec<Text<'c>>)>,
    pub(crate) context: Vec<(ConditionKey, String)>,
}

/// When the action is checked.
#[derive(Debug)]
pub(crate) enum When<'c> {
    Always,
    HasAny(Vec<Path<'c>>),
    TemplateResolves,
    PassesRole,
    SqlVerb(&'c str),
}

/// The catalogue's answers so far.
pub(crate) struct Plans<'c> {
    catalog: &'c Catalog,
    known: BTreeMap<Box<str>, BTreeMap<Box<str>, Resolved<'c>>>,
    names: usize,
}

impl<'c> Plans<'c> {
    pub(crate) const fn new(catalog: &'c Catalog) -> Self {
        Self { catalog, known: BTreeMap::new(), names: 0 }
    }

    /// Whether records of this type are no API calls.
    pub(crate) fn is_no_api_call(&self, event_type: &str) -> bool {
        self.catalog.is_no_api_call(event_type)
    }

    /// What an event's source and name stand for.
    pub(crate) fn resolve(&mut self, source: &str, name: &str) -> Resolved<'c> {
        if let Some(found) = self.known.get(source).and_then(|names| names.get(name)) {
            return found.clone();
        }
        let found = resolve(self.catalog, source, name);
        if self.names < MOST_NAMES {
            self.names += 1;
            self.known.entry(source.into()).or_default().insert(name.into(), found.clone());
        }
        found
    }
}

fn resolve<'c>(catalog: &'c Catalog, source: &str, name: &str) -> Resolved<'c> {
    let plain = catalog.plain_event_name(source, name);
    let prefixes = catalog.prefixes(source);
    if prefixes.iter().any(|prefix| catalog.needs_no_permission(prefix, plain)) {
        return Resolved::Free;
    }
    let mut plans: Vec<Plan<'c>> = catalog.operations(source, name).iter().map(|op| Plan::of(catalog, op)).collect();
    plans.retain(|plan| !plan.pairs.is_empty());
    if plans.is_empty() {
        let same_name = |prefix: &&str| catalog.action_named(prefix, plain);
        plans.extend(prefixes.iter().find_map(same_name).map(Plan::of_action));
    }
    if plans.is_empty() { Resolved::Unknown } else { Resolved::Operations(Arc::new(plans)) }
}

impl<'c> Plan<'c> {
    fn of(catalog: &'c Catalog, operation: &Operation<'c>) -> Self {
        let pairs = operation.authorized().filter_map(|authorized| Pair::of(catalog, &authorized)).collect();
        Self { service: operation.service(), pairs }
    }

    fn of_action(facts: ActionFacts<'c>) -> Self {
        let pair = Pair::new(facts.action(), When::Always, Some(facts));
        Self { service: facts.service(), pairs: vec![pair] }
    }
}

impl<'c> Pair<'c> {
    fn of(catalog: &'c Catalog, authorized: &AuthorizedAction<'c>) -> Option<Self> {
        let when = match authorized.trigger() {
            Trigger::Always => When::Always,
            Trigger::HasAny(paths) => When::HasAny(paths.into_iter().map(Path::compile).collect()),
            Trigger::TemplateResolves => When::TemplateResolves,
            Trigger::PassesRole => When::PassesRole,
            Trigger::SqlVerb(verb) => When::SqlVerb(verb),
            Trigger::NotShown => return None,
        };
        let facts = catalog.action_named(authorized.service(), authorized.name());
        let action = facts.map_or_else(|| authorized.action(), |facts| facts.action());
        let mut pair = Self::new(action, when, facts);
        for template in authorized.templates() {
            let texts = template.texts().flat_map(Text::compile).collect();
            pair.templates.push((template.target(), texts));
        }
        for (key, values) in authorized.context() {
            if let [value] = values.as_slice() {
                pair.context.push((ConditionKey::new(key), (*value).to_owned()));
            }
        }
        Some(pair)
    }

    fn new(action: Action, when: When<'c>, facts: Option<ActionFacts<'c>>) -> Self {
        let types = facts.into_iter().flat_map(|facts| facts.resource_types());
        let patterns: Vec<(&str, ArnPattern<'_>)> = types
            .flat_map(|kind| kind.arn_patterns().map(move |pattern| (kind.name(), pattern)))
            .filter(|(_, pattern)| has_variable_tail(pattern))
            .collect();
        Self {
            action,
            when,
            takes_resource: facts.is_none_or(|facts| facts.takes_resource()),
            has_indexes: patterns.iter().any(|(_, pattern)| pattern.as_str().contains("/index/")),
            patterns,
            templates: Vec::new(),
            context: Vec::new(),
        }
    }
}

/// Whether the resource part of a pattern holds a variable.
fn has_variable_tail(pattern: &ArnPattern<'_>) -> bool {
    pattern.as_str().splitn(6, ':').nth(5).is_some_and(|tail| tail.contains("${"))
}

/// Picks among operations that share source and name, by what only one service's calls carry.
pub(crate) fn pick<'p, 'c>(plans: &'p [Plan<'c>], request: Raw<'_>) -> Option<&'p Plan<'c>> {
    let has = |key: &str| request.get(key).is_some_and(|value| !value.is_empty());
    let bucket = request.get("bucketName").and_then(Raw::text);
    let wanted = if has("serviceNamespace") || has("scalableDimension") {
        "application-autoscaling"
    } else if has("scalingPlanName") || has("scalingPlanVersion") {
        "autoscaling-plans"
    } else if bucket.as_deref().is_some_and(|name| name.ends_with("--x-s3")) {
        "s3express"
    } else {
        ""
    };
    plans.iter().find(|plan| plan.service == wanted).or_else(|| plans.first())
}
