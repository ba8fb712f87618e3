//! What a set of policies allows at all, as a value: union, intersection, difference, and inclusion with a proof or a
//! counterexample.
//!
//! The set is exact over actions, resources, principals and context values, closed under `NotAction`, `NotResource`,
//! `NotPrincipal` and Deny. It does not know which policies apply to whom (that is for the evaluation of requests),
//! which actions exist, or which actions take which resources: "every action" means every text. Follows the IAM User
//! Guide topic "Policy evaluation logic" and the IAM Access Analyzer topic "Custom policy checks".

mod atom;
mod cell;
mod close;
mod inclusion;
mod key;
mod principal;
mod query;
mod request;
mod search;
mod statement;
mod values;
mod values_of_variables;

use std::sync::Arc;

use iam_model::certificate::Proof;
use iam_model::condition::ConditionKey;
use iam_model::policy::PolicyDocument;

use crate::budget::{Budget, QUESTION};
use crate::glob::Variable;
pub use query::Reach;
pub use request::Witness;
use statement::{Compiled, Policy};

/// A set of requests: what some policies allow.
#[derive(Debug, Clone, Default)]
pub struct PermissionSet {
    /// The set is the union of these.
    terms: Vec<Term>,
}

/// What all of some policies allow and none of some others does.
#[derive(Debug, Clone)]
struct Term {
    /// Never empty.
    all: Vec<Arc<Policy>>,
    none: Vec<Arc<Policy>>,
}

/// Whether something is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Possibility {
    /// Always.
    Yes,
    /// Under some conditions, or for a part of what was asked.
    Conditional,
    /// Never.
    No,
    /// A part of a policy that was not understood, or a reached limit, decides.
    Unknown,
}

/// How much work one question may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits<'b> {
    /// Steps of the search, over all parts of the question.
    pub steps: usize,
    /// States of one automaton.
    pub states: usize,
    /// Units of work, over all parts of the question.
    pub work: u64,
    /// What several questions may cost together.
    pub shared: Option<&'b Budget>,
}

impl Default for Limits<'_> {
    fn default() -> Self {
        Self { steps: 200_000, states: 20_000, work: QUESTION, shared: None }
    }
}

impl<'b> Limits<'b> {
    /// The usual limits for a question whose work comes out of a budget.
    #[must_use]
    pub fn of(budget: &'b Budget) -> Self {
        Self { shared: Some(budget), ..Self::default() }
    }

    /// Limits for one of many questions, each of which is small.
    #[must_use]
    pub const fn small(budget: &'b Budget) -> Self {
        Self { steps: 20_000, states: 5_000, work: QUESTION / 10, shared: Some(budget) }
    }

    /// Whether nothing is left for a question.
    #[must_use]
    pub fn are_spent(&self) -> bool {
        self.shared.is_some_and(Budget::is_spent)
    }

    /// Does the work of one question on what is left for it.
    pub(crate) fn spend<T>(&self, work: impl FnOnce(&Budget) -> T) -> T {
        match self.shared {
            Some(shared) => shared.part(self.work, work),
            None => work(&Budget::new(self.work)),
        }
    }
}

/// Whether one set is inside another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inclusion {
    /// It is, and this is why.
    Included(Proof),
    /// It is not: the new set allows this request, the old one does not.
    Excluded(Box<Witness>),
    /// Not known.
    Undecided(Why),
}

/// What stands in the way of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// A limit was reached.
    Limit,
    /// A part of a policy was not understood.
    NotUnderstood,
    /// What these context keys can hold would decide.
    Keys(Vec<ConditionKey>),
}

impl PermissionSet {
    /// What one policy allows.
    ///
    /// ```
    /// use iam_evaluate::permission_set::{Inclusion, Limits, PermissionSet};
    /// use iam_model::action::ActionPattern;
    /// use iam_model::arn::ResourcePattern;
    /// use iam_model::policy::{PolicyDocument, Statement};
    /// let policy = |action: &str| {
    ///     PolicyDocument::new(vec![Statement::allow(vec![ActionPattern::new(action)], vec![ResourcePattern::new("*")])])
    /// };
    /// let (narrow, wide) = (policy("s3:GetObject"), policy("s3:Get*"));
    /// let (narrow, wide) = (PermissionSet::of_document(&narrow), PermissionSet::of_document(&wide));
    /// assert!(matches!(narrow.included_in(&wide, Limits::default()), Inclusion::Included(_)));
    /// assert!(matches!(wide.included_in(&narrow, Limits::default()), Inclusion::Excluded(_)));
    /// ```
    #[must_use]
    pub fn of_document(document: &PolicyDocument) -> Self {
        Self::of_documents([document])
    }

    /// What several policies of one kind allow together: the union of their allows less all their denies.
    #[must_use]
    pub fn of_documents<'a>(documents: impl IntoIterator<Item = &'a PolicyDocument>) -> Self {
        let policy = Policy::compile(documents.into_iter());
        Self { terms: vec![Term { all: vec![Arc::new(policy)], none: Vec::new() }] }
    }

    /// Every request.
    #[must_use]
    pub fn everything() -> Self {
        Self { terms: vec![Term { all: vec![Arc::new(Policy::everything())], none: Vec::new() }] }
    }

    /// No request.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// What either set allows. (Not what two policies attached together allow: there a deny of one counts for both.)
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self { terms: self.terms.iter().chain(&other.terms).cloned().collect() }
    }

    /// What both sets allow: an identity's policies within its boundary, for example.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let both = |a: &Term, b: &Term| Term {
            all: a.all.iter().chain(&b.all).cloned().collect(),
            none: a.none.iter().chain(&b.none).cloned().collect(),
        };
        Self { terms: self.terms.iter().flat_map(|a| other.terms.iter().map(move |b| both(a, b))).collect() }
    }

    /// What this set allows and the other does not.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        other.terms.iter().fold(self.clone(), |rest, term| rest.intersection(&term.complement()))
    }

    /// Whether the other set allows everything this one does.
    ///
    /// Actions and resources are any texts of the right form, so the answer also holds for actions AWS adds later.
    #[must_use]
    pub fn included_in(&self, old: &Self, limits: Limits<'_>) -> Inclusion {
        limits.spend(|budget| inclusion::decide(self, old, limits, budget))
    }

    fn policies(&self) -> impl Iterator<Item = &Policy> + Clone {
        self.terms.iter().flat_map(|t| t.all.iter().chain(&t.none)).map(AsRef::as_ref)
    }

    fn statements(&self) -> impl Iterator<Item = &Compiled> + Clone {
        self.policies().flat_map(|p| p.allows.iter().chain(&p.denies))
    }

    /// Whether some statement says for whom it is.
    fn names_principals(&self) -> bool {
        let everyone = principal::everyone();
        self.statements().any(|s| s.sides.last() != Some(&everyone))
    }

    fn bind<'v>(&self, value: &dyn Fn(&Variable) -> Option<&'v str>) -> Self {
        let all = |list: &[Arc<Policy>]| list.iter().map(|p| Arc::new(p.bind(value))).collect();
        Self { terms: self.terms.iter().map(|t| Term { all: all(&t.all), none: all(&t.none) }).collect() }
    }
}

impl Term {
    fn complement(&self) -> PermissionSet {
        let everything = Arc::new(Policy::everything());
        let outside = self.all.iter().map(|p| Self { all: vec![Arc::clone(&everything)], none: vec![Arc::clone(p)] });
        let inside = self.none.iter().map(|p| Self { all: vec![Arc::clone(p)], none: Vec::new() });
        PermissionSet { terms: outside.chain(inside).collect() }
    }
}

#[cfg(test)]
mod tests;
