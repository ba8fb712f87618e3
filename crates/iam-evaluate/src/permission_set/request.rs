//! A concrete request, and the plain question whether a set of policies allows it: no search, no patterns but matching.
//!
//! This is what every counterexample is held against before anyone sees it.

use std::collections::BTreeMap;
use std::fmt;

use iam_model::action::Action;
use iam_model::arn::ResourcePattern;
use iam_model::condition::ConditionKey;
use iam_model::policy::PrincipalPattern;

use super::cell::Example;
use super::statement::{Compiled, Policy};
use super::{PermissionSet, Possibility, Term};
use crate::budget::Budget;
use crate::glob::Variable;

/// A request: who does what on which resource, with these context values. Keys that are not listed are absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// The action.
    pub action: Action,
    /// The resource: an ARN, or `*` for actions that take none.
    pub resource: ResourcePattern,
    /// Who asks; nothing where the policies name nobody.
    pub principal: Option<PrincipalPattern>,
    /// Context values.
    pub context: BTreeMap<ConditionKey, Vec<String>>,
}

impl Witness {
    /// The request a search ended in; nothing where it is none AWS could see.
    pub(crate) fn from_example(example: &Example, names_principals: bool) -> Option<Self> {
        let [action, resource, principal] = &example.texts;
        Some(Self {
            action: action.parse().ok()?,
            resource: ResourcePattern::new(resource),
            principal: if names_principals { Some(principal_of(principal)?) } else { None },
            context: example.keys.iter().cloned().collect(),
        })
    }

    fn principal_text(&self) -> String {
        match &self.principal {
            None => String::new(),
            Some(PrincipalPattern::Everyone) => "anonymous:".into(),
            Some(PrincipalPattern::Aws(arn)) => format!("aws:{arn}"),
            Some(PrincipalPattern::Service(name)) => format!("service:{name}"),
            Some(PrincipalPattern::Federated(name)) => format!("federated:{name}"),
            Some(PrincipalPattern::CanonicalUser(id)) => format!("canonical:{id}"),
            Some(PrincipalPattern::Unknown { kind, value }) => format!("unknown:{kind}:{value}"),
        }
    }

    /// The value of a variable; nothing where its key is absent or has several values.
    fn variable(&self, variable: &Variable) -> Option<&str> {
        match self.context.get(&variable.key).map(Vec::as_slice) {
            Some([value]) => Some(value),
            _ => None,
        }
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.action, self.resource)?;
        match &self.principal {
            None => {}
            Some(PrincipalPattern::Everyone) => f.write_str(" by anyone")?,
            Some(PrincipalPattern::Aws(text) | PrincipalPattern::Service(text) | PrincipalPattern::Federated(text)) => {
                write!(f, " by {text}")?;
            }
            Some(PrincipalPattern::CanonicalUser(text) | PrincipalPattern::Unknown { value: text, .. }) => {
                write!(f, " by {text}")?;
            }
        }
        for (number, (key, values)) in self.context.iter().enumerate() {
            write!(f, "{}{key} = {}", if number == 0 { " with " } else { ", " }, values.join(" | "))?;
        }
        Ok(())
    }
}

fn principal_of(text: &str) -> Option<PrincipalPattern> {
    let (kind, name) = text.split_once(':')?;
    let name = name.to_owned();
    Some(match kind {
        "aws" => PrincipalPattern::Aws(name),
        "service" => PrincipalPattern::Service(name),
        "federated" => PrincipalPattern::Federated(name),
        _ => return None,
    })
}

impl PermissionSet {
    /// Whether the set allows this one request.
    #[must_use]
    pub fn allows_request(&self, request: &Witness) -> Possibility {
        self.allows_request_within(request, &Budget::unlimited())
    }

    /// The same on a budget; unknown where that is used up.
    pub(crate) fn allows_request_within(&self, request: &Witness, budget: &Budget) -> Possibility {
        let asked = Asked { request, principal: request.principal_text(), budget };
        possibility(any(self.terms.iter().map(|term| asked.allowed_by_term(term))))
    }
}

const fn possibility(verdict: Option<bool>) -> Possibility {
    match verdict {
        Some(true) => Possibility::Yes,
        Some(false) => Possibility::No,
        None => Possibility::Unknown,
    }
}

/// A request that is held against policies.
struct Asked<'q> {
    request: &'q Witness,
    principal: String,
    budget: &'q Budget,
}

impl Asked<'_> {
    fn allowed_by_term(&self, term: &Term) -> Option<bool> {
        let inside = all(term.all.iter().map(|p| self.allowed_by(p)));
        and(inside, all(term.none.iter().map(|p| self.allowed_by(p).map(|v| !v))))
    }

    fn allowed_by(&self, policy: &Policy) -> Option<bool> {
        let some = |list: &[Compiled]| any(list.iter().map(|s| self.matches(s)));
        and(some(&policy.allows), some(&policy.denies).map(|v| !v))
    }

    /// Whether a statement matches; nothing where that is unknown.
    fn matches(&self, statement: &Compiled) -> Option<bool> {
        let (request, budget) = (self.request, self.budget);
        let value = |variable: &Variable| request.variable(variable);
        let texts = [request.action.as_str(), request.resource.as_str(), &self.principal];
        for (side, text) in statement.sides.iter().zip(texts) {
            if !budget.spend(2 * side.globs.len()) {
                return None;
            }
            let hit = side.globs.iter().try_fold(false, |hit, g| Some(hit || g.matches_with(text, &value, budget)?))?;
            if hit == side.negated {
                return Some(false);
            }
        }
        let values = |key: &ConditionKey| request.context.get(key).map_or(&[][..], Vec::as_slice);
        let doubt = if statement.doubtful { None } else { Some(true) };
        statement.atoms.iter().map(|a| a.holds(values(&a.key), &value, budget)).fold(doubt, and)
    }
}

/// Whether all hold; what follows one that does not is not asked.
fn all(verdicts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut sum = Some(true);
    for verdict in verdicts {
        sum = and(sum, verdict);
        if sum == Some(false) {
            break;
        }
    }
    sum
}

/// Whether any holds; what follows one that does is not asked.
fn any(verdicts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut sum = Some(false);
    for verdict in verdicts {
        sum = or(sum, verdict);
        if sum == Some(true) {
            break;
        }
    }
    sum
}

const fn and(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

const fn or(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}
