//! Catalogue entries made ready for many events of one name: found once, taken apart once, kept.

use iam_model::action::Action;
use iam_model::catalog::{
    ActionFacts, ArnMatcher, ArnPart, ArnPattern, AuthorizedAction, Catalog, Operation, TemplateTarget, Trigger,
};
use iam_model::condition::ConditionKey;
use iam_model::usage::UnresolvedKind;

use crate::ids::has_ids;
use crate::json::Raw;
use crate::tagged::Tagged;
use crate::template::{Path, Text};
use crate::together::Together;
use crate::unnamed::{Unnamed, unnamed};

/// What an event's source and name stand for.
#[derive(Debug)]
pub(crate) enum Resolved<'c> {
    /// These operations; several only where services share source and name.
    Operations(Vec<Plan<'c>>),
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
    /// Whether ids of its resource types are told by their form.
    pub(crate) has_ids: bool,
    /// How a call that names no resource is checked.
    pub(crate) unnamed: Unnamed,
    /// What it is checked on beside what the call names.
    pub(crate) together: Together<'c>,
    /// Whether it is checked on what the call makes, of which the request need not name any.
    pub(crate) tagged: Tagged<'c>,
    /// Whether it is checked on what a copy is made from, which the event's own resources do not name.
    pub(crate) copies: bool,
    /// The ARN patterns of the action's resource types, each with its type's name. A pattern that names everything of
    /// its kind is never meant by default, and left out.
    pub(crate) patterns: Vec<Pattern<'c>>,
    pub(crate) templates: Vec<(TemplateTarget<'c>, Vec<Text<'c>>)>,
    pub(crate) context: Vec<(ConditionKey, String)>,
}

/// The form of a resource's ARNs, and what fills it.
#[derive(Debug)]
pub(crate) struct Pattern<'c> {
    pub(crate) kind: &'c str,
    pub(crate) matcher: ArnMatcher<'c>,
    /// What to write, in order; nothing where no template has a variable's value.
    pub(crate) slots: Option<Vec<Slot<'c>>>,
}

/// A part of an ARN to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Slot<'c> {
    Literal(&'c str),
    Partition,
    Region,
    Account,
    /// The value of this template.
    Value(usize),
    /// The value of this template up to a separator that stands in it, as a revision follows a family's name.
    Head(usize, &'c str),
    /// What follows the separator; anything where it does not stand in the value.
    Tail(usize, &'c str),
}

impl<'c> Pattern<'c> {
    /// Tells which template fills which variable. A form without any of its own names nothing.
    fn fill_from(&mut self, templates: &[(TemplateTarget<'c>, Vec<Text<'c>>)], same: &[usize]) {
        let template_of = |variable: &str| {
            templates.iter().position(|(target, _)| match target {
                TemplateTarget::Variable(name) => {
                    *name == variable
                        || name.strip_prefix(self.kind).and_then(|rest| rest.strip_prefix('.')) == Some(variable)
                }
                _ => false,
            })
        };
        let slot = |part: ArnPart<'c>| match part {
            ArnPart::Literal(text) => Some(Slot::Literal(text)),
            ArnPart::Variable("Partition") => Some(Slot::Partition),
            ArnPart::Variable("Region") => Some(Slot::Region),
            ArnPart::Variable("Account") => Some(Slot::Account),
            ArnPart::Variable(name) => template_of(name).map(Slot::Value),
        };
        let slots: Option<Vec<Slot<'c>>> = self.matcher.pattern().parts().map(slot).collect();
        self.slots = slots.filter(|slots| slots.iter().any(|slot| matches!(slot, Slot::Value(_)))).map(|mut slots| {
            share(&mut slots, same);
            slots
        });
    }
}

/// Two variables beside each other that the same parameter fills are two halves of its value. `same` has, for each
/// template, the first one that reads the same.
fn share(slots: &mut [Slot<'_>], same: &[usize]) {
    for at in 0..slots.len() {
        let Some([first, Slot::Literal(between), second]) = slots.get_mut(at..at + 3) else { continue };
        let (Slot::Value(head), Slot::Value(tail)) = (*first, *second) else { continue };
        if head != tail && same.get(head) == same.get(tail) {
            (*first, *second) = (Slot::Head(head, between), Slot::Tail(head, between));
        }
    }
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

/// What an event's source and name stand for.
pub(crate) fn resolve<'c>(catalog: &'c Catalog, source: &str, name: &str) -> Resolved<'c> {
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
    if plans.is_empty() {
        plans.extend(later_version(catalog, &prefixes, plain).iter().map(|op| Plan::of(catalog, op)));
        plans.retain(|plan| !plan.pairs.is_empty());
    }
    if plans.is_empty() { Resolved::Unknown } else { Resolved::Operations(plans) }
}

/// The operation of a service's later version: `macie.amazonaws.com` for `macie2`.
fn later_version<'c>(catalog: &'c Catalog, prefixes: &[&str], name: &str) -> Option<Operation<'c>> {
    let version = |prefix: &&str| (2..=3).find_map(|number| catalog.operation(&format!("{prefix}{number}"), name));
    prefixes.iter().find_map(version)
}

/// What is known of an event that nothing in the catalogue explains.
pub(crate) fn unresolved_kind(source: &str, name: &str) -> UnresolvedKind {
    let internal = name.ends_with("Internal") || INTERNAL.contains(&(source, name));
    if internal { UnresolvedKind::Internal } else { UnresolvedKind::Unknown }
}

/// Calls of AWS's own consoles and agents that AWS publishes no operation or action for.
const INTERNAL: &[(&str, &str)] =
    &[("ec2.amazonaws.com", "GetCapacityReservationAccountAttribute"), ("ec2messages.amazonaws.com", "SendHeartbeat")];

/// Where statements of a query language stand.
pub(crate) const STATEMENTS: &[&str] = &["statement", "statements[].statement", "transactStatements[].statement"];

/// The parameter that holds the endpoint, and in it, for S3's account settings, the account.
pub(crate) const HOST: &str = "Host";

/// The parameter that holds what was bound to an encrypted text.
pub(crate) const ENCRYPTION_CONTEXT: &str = "encryptionContext";

/// The parameter that holds a queue's URL, and in it its account.
pub(crate) const QUEUE_URL: &str = "queueUrl";

/// Parameters by which [`pick`] tells services apart.
pub(crate) const TELLING_APART: &[&str] =
    &["serviceNamespace", "scalableDimension", "scalingPlanName", "scalingPlanVersion", "bucketName"];

impl<'c> Plan<'c> {
    fn of(catalog: &'c Catalog, operation: &Operation<'c>) -> Self {
        let own: Vec<AuthorizedAction<'c>> = operation.authorized().collect();
        let main = own.first().and_then(|authorized| Pair::of(catalog, operation, authorized));
        let mut pairs: Vec<Pair<'c>> =
            own.iter().skip(1).filter_map(|authorized| Pair::of(catalog, operation, authorized)).collect();
        for pair in pairs.iter_mut().filter(|pair| matches!(pair.tagged, Tagged::Made { .. })) {
            // The call's own action knows better which parameter names what it makes.
            let known = main.iter().flat_map(|main| &main.templates).cloned();
            pair.templates.splice(0..0, known).for_each(drop);
        }
        pairs.splice(0..0, main).for_each(drop);
        Self { service: operation.service(), pairs }
    }

    fn of_action(facts: ActionFacts<'c>) -> Self {
        let pair = Pair::new(facts.action(), When::Always, Some(facts));
        Self { service: facts.service(), pairs: vec![pair] }
    }
}

impl<'c> Pair<'c> {
    fn of(catalog: &'c Catalog, operation: &Operation<'c>, authorized: &AuthorizedAction<'c>) -> Option<Self> {
        let when = match authorized.trigger() {
            Trigger::Always => When::Always,
            Trigger::HasAny(paths) => When::HasAny(paths.into_iter().map(Path::compile).collect()),
            Trigger::TemplateResolves => When::TemplateResolves,
            Trigger::PassesRole { .. } => When::PassesRole,
            Trigger::SqlVerb(verb) => When::SqlVerb(verb),
            Trigger::NotShown => return None,
        };
        let facts = catalog.action_named(authorized.service(), authorized.name());
        let action = facts.map_or_else(|| authorized.action(), |facts| facts.action());
        let mut pair = Self::new(action, when, facts);
        pair.tagged = Tagged::of(operation, authorized, facts);
        let mut read: Vec<Vec<&str>> = Vec::new();
        for template in authorized.templates() {
            read.push(template.texts().collect());
            let mut texts: Vec<Text<'_>> = template.texts().flat_map(Text::compile).collect();
            // The name of what a role is passed to is no role's.
            let is_named = matches!(template.target(), TemplateTarget::Variable(_));
            if matches!(pair.when, When::PassesRole) && is_named {
                texts.retain(Text::names_role);
            }
            // A star stands for what is not named.
            texts.sort_by_key(Text::is_star);
            pair.templates.push((template.target(), texts));
        }
        if pair.together == Together::Bus && !pair.templates.iter().any(|(target, _)| *target == BUS) {
            pair.templates.push((BUS, Text::compile("%last%${eventBusName}")));
        }
        let same: Vec<usize> =
            read.iter().map(|texts| read.iter().position(|other| other == texts).unwrap_or_default()).collect();
        let Self { patterns, templates, .. } = &mut pair;
        patterns.iter_mut().for_each(|pattern| pattern.fill_from(templates, &same));
        pair.copies = pair.templates.iter().any(|(_, texts)| texts.iter().any(Text::is_copy_source));
        for (key, values) in authorized.context() {
            if let [value] = values.as_slice() {
                pair.context.push((ConditionKey::new(key), (*value).to_owned()));
            }
        }
        Some(pair)
    }

    fn new(action: Action, when: When<'c>, facts: Option<ActionFacts<'c>>) -> Self {
        let types = facts.into_iter().flat_map(|facts| facts.resource_types());
        let mut patterns: Vec<Pattern<'_>> = types
            .flat_map(|kind| kind.arn_patterns().map(move |pattern| (kind.name(), pattern)))
            .map(|(kind, pattern)| Pattern { kind, matcher: pattern.matcher(), slots: None })
            .collect();
        let kinds: Vec<&str> = patterns.iter().map(|pattern| pattern.kind).collect();
        let groups = facts.map(|facts| facts.checked_together()).unwrap_or_default();
        let together = Together::of(action.as_str(), groups, &kinds);
        // Where there is but one form, it is meant, variable or not.
        if patterns.len() > 1 {
            patterns.retain(|pattern| has_variable_tail(&pattern.matcher.pattern()));
        }
        Self {
            action,
            when,
            takes_resource: facts.is_none_or(|facts| facts.takes_resource()),
            has_indexes: patterns.iter().any(|pattern| pattern.matcher.pattern().as_str().contains("/index/")),
            has_ids: patterns.iter().any(|pattern| has_ids(pattern.kind)),
            unnamed: facts.map_or(Unnamed::Unknown, unnamed),
            together,
            tagged: Tagged::No,
            copies: false,
            patterns,
            templates: Vec::new(),
            context: Vec::new(),
        }
    }
}

/// The variable that names a rule's bus; the catalogue has no template for it.
const BUS: TemplateTarget<'static> = TemplateTarget::Variable("EventBusName");

/// Whether the resource part of a pattern holds a variable.
fn has_variable_tail(pattern: &ArnPattern<'_>) -> bool {
    pattern.as_str().splitn(6, ':').nth(5).is_some_and(|tail| tail.contains("${"))
}

/// Picks among operations that share source and name, by what only one service's calls carry.
pub(crate) fn pick<'p, 'c>(plans: &'p [Plan<'c>], request: Raw<'_>) -> Option<&'p Plan<'c>> {
    if let [plan] = plans {
        return Some(plan);
    }
    let (mut scaling, mut planned, mut express) = (false, false, false);
    for (key, value) in request.members().filter(|(_, value)| !value.is_empty()) {
        match key {
            b"serviceNamespace" | b"scalableDimension" => scaling = true,
            b"scalingPlanName" | b"scalingPlanVersion" => planned = true,
            b"bucketName" => express = value.0.ends_with(b"--x-s3\""),
            _ => {}
        }
    }
    let wanted = if scaling {
        "application-autoscaling"
    } else if planned {
        "autoscaling-plans"
    } else if express {
        "s3express"
    } else {
        ""
    };
    plans.iter().find(|plan| plan.service == wanted).or_else(|| plans.first())
}
