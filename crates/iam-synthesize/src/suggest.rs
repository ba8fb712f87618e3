//! Conditions that a person may add: what every call behind a statement carried.
//!
//! Suggested, never written: a condition also binds calls that the logs do not hold yet, and where they come from
//! changes more easily than what they do. Each suggestion allows every call that was seen, with the context that the
//! logs prove for it. Follows the IAM topic "AWS global condition context keys", and those of IAM, KMS and Lambda on
//! their own keys.

mod tags;

use std::collections::{BTreeMap, BTreeSet};

use iam_model::action::Action;
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::catalog::Catalog;
use iam_model::condition::{Comparison, Condition, ConditionKey, Operator};
use iam_model::policy::{Effect, ResourceElement, Statement};
use iam_model::snapshot::{Resource, SnapshotIndex};
use iam_model::text::{Span, Spanned, grouped};
use iam_model::usage::Observation;

use crate::needs::Need;
use crate::plumbing::function_name;
use crate::write::Rewritten;

/// A condition that could be added to a statement of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The policy's place among the role's identity policies; of a new role, among its own.
    pub policy: usize,
    /// The statement's place in the policy as proposed.
    pub statement: usize,
    /// The condition.
    pub condition: Condition,
    /// One line, for people.
    pub because: String,
}

/// Values from which on a key is no constant.
const MANY: usize = 4;

/// Keys that logs prove, and what binding them is good for.
const PROVED: &[(&str, &str)] = &[
    ("iam:PassedToService", "passed to no other service"),
    ("kms:ViaService", "used through no other service"),
    ("aws:SourceVpce", "made through no other endpoint"),
];

const SOURCE_FUNCTION: &str = "lambda:SourceFunctionArn";

/// What a suggestion is made from.
pub(crate) struct Grounds<'g> {
    pub(crate) role: &'g Arn,
    pub(crate) index: &'g SnapshotIndex<'g>,
    pub(crate) catalog: &'g Catalog,
    pub(crate) functions: &'g [&'g Resource],
    pub(crate) needs: &'g [Need],
    pub(crate) calls: &'g [Observation],
}

impl Grounds<'_> {
    /// The conditions that could be added to what was rewritten.
    pub(crate) fn suggest(&self, written: &[Rewritten<'_>]) -> Vec<Suggestion> {
        let mut suggestions = Vec::new();
        for (policy, rewritten) in written.iter().enumerate().filter(|(_, rewritten)| !rewritten.fixed) {
            for (statement, words) in rewritten.after.statements.iter().enumerate() {
                let of = |(condition, because)| Suggestion { policy, statement, condition, because };
                suggestions.extend(self.of_statement(words).into_iter().map(of));
            }
        }
        suggestions
    }

    fn of_statement(&self, statement: &Statement) -> Vec<(Condition, String)> {
        let listed = matches!(statement.resource, ResourceElement::Resource(_));
        if statement.effect != Effect::Allow || !statement.unknown.is_empty() || !listed {
            return Vec::new();
        }
        let names: BTreeSet<&str> = statement.action.patterns().iter().map(|p| p.value.as_str()).collect();
        let is_listed = |action: &Action| names.iter().any(|name| action.as_str().eq_ignore_ascii_case(name));
        // What no call shows has no context that anything proves.
        if names.iter().any(|name| name.contains(['*', '?']))
            || self.needs.iter().any(|need| need.seen.is_none() && is_listed(&need.action))
        {
            return Vec::new();
        }
        let calls = self.calls.iter().filter(|call| call.count > 0 && is_listed(&call.action));
        let calls: Vec<&Observation> = calls.filter(|call| may_reach(statement, call)).collect();
        let keys = PROVED.iter().filter_map(|(key, what)| {
            let key = ConditionKey::new(key);
            let values = constant(&calls, &key)?;
            Some((condition(Comparison::StringEquals, key, values), told(&calls, what)))
        });
        let tag = tags::shared(&calls, self.role, (self.index, self.catalog));
        let found = keys.chain(self.of_functions(&calls)).chain(tag);
        found.filter(|(found, _)| !statement.conditions.iter().any(|own| own.key == found.key)).collect()
    }

    /// Where some of the functions that share a role use a statement, and others do not.
    fn of_functions(&self, calls: &[&Observation]) -> Option<(Condition, String)> {
        let arns: BTreeMap<&str, &Arn> = self.functions.iter().map(|f| (function_name(f), &f.arn)).collect();
        let callers: BTreeSet<&Arn> =
            calls.iter().map(|call| arns.get(call.function.as_deref()?).copied()).collect::<Option<_>>()?;
        // A service that acts for the function is not the function.
        let direct = calls.iter().all(|call| !call.context.contains_key(&ConditionKey::new("kms:ViaService")));
        if callers.is_empty() || callers.len() >= arns.len() || callers.len() > MANY || !direct {
            return None;
        }
        let values = callers.iter().map(ToString::to_string).collect();
        let names: Vec<&str> = callers.iter().map(|arn| arn.name()).collect();
        let told = told(calls, &format!("made by {} alone, by the names of the sessions", names.join(", ")));
        Some((condition(Comparison::ArnEquals, ConditionKey::new(SOURCE_FUNCTION), values), told))
    }
}

/// Whether a statement may be what let a call through: by its resources, as written.
fn may_reach(statement: &Statement, call: &Observation) -> bool {
    let patterns = statement.resource.patterns();
    let plain = |pattern: &ResourcePattern| !pattern.as_str().contains(['*', '?', '$']);
    !call.resource_known
        || patterns.iter().any(|p| !plain(&p.value) || call.resources.contains(&p.value))
        || call.resources.iter().any(|resource| !plain(resource))
}

/// The values of a key that every call proves; nothing where one does not, or they are many.
fn constant(calls: &[&Observation], key: &ConditionKey) -> Option<Vec<String>> {
    let mut values = BTreeSet::new();
    for call in calls {
        values.extend(call.context.get(key).filter(|values| !values.is_empty())?);
    }
    ((1..=MANY).contains(&values.len())).then(|| values.into_iter().cloned().collect())
}

fn told(calls: &[&Observation], what: &str) -> String {
    let count: u64 = calls.iter().map(|call| call.count).sum();
    if count == 1 { format!("the one call was {what}") } else { format!("all {} calls were {what}", grouped(count)) }
}

fn condition(comparison: Comparison, key: ConditionKey, values: Vec<String>) -> Condition {
    Condition {
        operator: Operator::Known { set: None, comparison, if_exists: false },
        key,
        values: values.into_iter().map(Spanned::synthetic).collect(),
        span: Span::default(),
    }
}
