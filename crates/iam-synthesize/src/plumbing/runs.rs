//! What is known of how a role's functions run, beside their own descriptions.

use iam_model::arn::Arn;
use iam_model::policy::{PolicyDocument, PrincipalPattern};
use iam_model::snapshot::{Resource, SnapshotIndex};

use crate::needs::Rules;

/// The service that runs functions beside CloudFront.
const EDGE: &str = "edgelambda.";

/// How a role's functions run.
pub(crate) struct Runs<'r> {
    index: &'r SnapshotIndex<'r>,
    /// What templates say of the functions that run with the role.
    written: &'r [Resource],
    /// Whether copies of the functions may run in every Region, where CloudFront calls them.
    pub(crate) at_edge: bool,
}

impl<'r> Runs<'r> {
    pub(crate) fn of(role: &Arn, index: &'r SnapshotIndex<'_>, rules: &'r Rules) -> Self {
        let written = rules.written.get(role).map(Vec::as_slice).unwrap_or_default();
        Self { index, written, at_edge: index.role(role).is_some_and(|role| trusts_edge(&role.trust)) }
    }

    /// What is set of a function apart from its own description.
    pub(super) fn set_of(&self, function: &Resource) -> &'r [&'r Resource] {
        self.index.settings_of(&function.arn)
    }

    /// What templates say of these functions, and of functions that are not known to be among those deployed.
    pub(super) fn written(&self, functions: &[&Resource]) -> impl Iterator<Item = &'r Resource> {
        let known: Vec<Arn> = functions.iter().map(|function| function.arn.clone()).collect();
        self.written.iter().filter(move |one| one.arn.region() == "*" || known.contains(&one.arn))
    }
}

fn trusts_edge(trust: &PolicyDocument) -> bool {
    let principals = trust.statements.iter().filter_map(|statement| statement.principal.as_ref());
    let mut patterns = principals.flat_map(|principal| principal.patterns());
    patterns.any(|pattern| matches!(&pattern.value, PrincipalPattern::Service(name) if name.starts_with(EDGE)))
}
