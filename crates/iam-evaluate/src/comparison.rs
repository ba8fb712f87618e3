//! One condition, compiled: which key, which test, and what a missing or unknown key means.
//!
//! Follows the IAM User Guide topics "IAM JSON policy elements: Condition operators" and "Set operators for multivalued
//! context keys".

mod test;
#[cfg(test)]
mod tests;

use iam_model::condition::{Condition, ConditionKey, Operator, SetQualifier};
use iam_model::policy::PolicyVersion;

use crate::context::{Facts, KeyState};
use crate::decision::Unknowns;
use crate::truth::Truth;
use test::Test;

/// A condition ready to be tested.
#[derive(Debug, Clone)]
pub(crate) struct CompiledCondition {
    key: ConditionKey,
    set: Option<SetQualifier>,
    if_exists: bool,
    negated: bool,
    test: Test,
}

impl CompiledCondition {
    pub(crate) fn new(condition: &Condition, version: PolicyVersion) -> Self {
        let key = condition.key.clone();
        match &condition.operator {
            Operator::Known { set, comparison, if_exists } => Self {
                key,
                set: *set,
                if_exists: *if_exists,
                negated: comparison.is_negated(),
                test: Test::new(*comparison, &condition.values, version),
            },
            Operator::Unknown(name) => {
                Self { key, set: None, if_exists: false, negated: false, test: Test::Unknown(name.as_str().into()) }
            }
        }
    }

    /// Whether the condition holds.
    pub(crate) fn holds(&self, facts: &Facts<'_>) -> Truth {
        if matches!(self.test, Test::Unknown(_)) {
            return Truth::Maybe;
        }
        let values = match facts.state(&self.key) {
            KeyState::Unknown => return Truth::Maybe,
            KeyState::Absent => return self.without_key(),
            KeyState::Present(values) => values,
        };
        if let Test::Null(wanted) = &self.test {
            return wanted.contains(&values.is_empty()).into();
        }
        match (self.set, values) {
            (Some(SetQualifier::ForAllValues), _) => Truth::all(values.iter().map(|value| self.compares(value, facts))),
            (Some(SetQualifier::ForAnyValue), _) => Truth::any(values.iter().map(|value| self.compares(value, facts))),
            (None, []) => self.without_key(),
            (None, [value]) => self.compares(value, facts),
            // A key with several values wants a set operator; without one AWS's text promises nothing.
            (None, _) => Truth::Maybe,
        }
    }

    /// What holds where the request does not carry the key.
    fn without_key(&self) -> Truth {
        let holds = match (&self.test, self.set) {
            (Test::Null(wanted), _) => wanted.contains(&true),
            _ if self.if_exists => true,
            (_, Some(SetQualifier::ForAllValues)) => true,
            (_, Some(SetQualifier::ForAnyValue)) => false,
            (_, None) => self.negated,
        };
        holds.into()
    }

    /// Whether one value of the request satisfies the operator: equal to any listed value, or negated, to none.
    fn compares(&self, value: &str, facts: &Facts<'_>) -> Truth {
        let any = self.test.any(value, facts);
        if self.negated { !any } else { any }
    }

    /// Names what would have to be known for the condition to be decided.
    pub(crate) fn explain(&self, facts: &Facts<'_>, unknowns: &mut Unknowns) {
        if let Test::Unknown(name) = &self.test {
            unknowns.element(format!("the condition operator `{name}`"));
            return;
        }
        match facts.state(&self.key) {
            KeyState::Unknown => unknowns.key(&self.key),
            KeyState::Present(values) if self.set.is_none() && values.len() > 1 => {
                unknowns.element(format!("several values of `{}` without a set operator", self.key));
            }
            KeyState::Present(_) | KeyState::Absent => {}
        }
        for key in self.test.unknown_keys(facts) {
            unknowns.key(key);
        }
    }
}
