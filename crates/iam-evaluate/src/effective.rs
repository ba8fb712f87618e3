//! What a principal may do at all: its policies, within its boundary and the service control policies above it.
//!
//! Resource policies grant besides; they are the resource's, and are judged where the resource is known.

use iam_model::action::Action;
use iam_model::arn::Arn;
use iam_model::catalog::Catalog;
use iam_model::policy::{ActionElement, Effect, PolicyDocument, ResourceElement, Statement};
use iam_model::snapshot::SnapshotIndex;

use crate::glob::{Glob, Reading};
use crate::permission_set::{PermissionSet, Possibility};

/// What a user, group or role may do.
///
/// ```
/// use iam_evaluate::effective::effective_permissions;
/// use iam_model::snapshot::{Snapshot, SnapshotIndex};
/// let snapshot = Snapshot::default();
/// let (index, _) = SnapshotIndex::new(&snapshot);
/// let nobody = "arn:aws:iam::111122223333:role/Nobody".parse().unwrap();
/// let all = iam_model::arn::ResourcePattern::everything();
/// let set = effective_permissions(&index, &nobody);
/// assert_eq!(set.allows(&"s3:GetObject".parse().unwrap(), &all), iam_evaluate::permission_set::Possibility::No);
/// ```
#[must_use]
pub fn effective_permissions(index: &SnapshotIndex<'_>, principal: &Arn) -> PermissionSet {
    let identity: Vec<&PolicyDocument> = index.identity_policies(principal).iter().map(|p| p.document).collect();
    within_limits(&identity, &limits(index, principal))
}

/// The actions AWS publishes of which a principal with these identity policies may do something, in the order of the
/// catalogue; within the principal's boundary and the service control policies above it.
#[must_use]
pub fn granted_actions(
    index: &SnapshotIndex<'_>,
    principal: &Arn,
    identity: &[&PolicyDocument],
    catalog: &Catalog,
) -> Vec<Action> {
    let listed: Vec<(bool, Vec<Glob>)> = identity.iter().flat_map(|d| &d.statements).filter_map(actions).collect();
    let limits = limits(index, principal);
    let simple = limits.is_empty() && identity.iter().all(|document| only_allows(document));
    let set = within_limits(identity, &limits);
    let is_listed = |action: &Action| {
        listed.iter().any(|(named, globs)| *named == globs.iter().any(|glob| glob.matches(action.as_str())))
    };
    (catalog.actions().map(|facts| facts.action()))
        .filter(|action| is_listed(action) && (simple || set.allows_action(action) != Possibility::No))
        .collect()
}

fn within_limits(identity: &[&PolicyDocument], limits: &[Vec<&PolicyDocument>]) -> PermissionSet {
    let set = PermissionSet::of_documents(identity.iter().copied());
    let limit = |set: PermissionSet, limit: &Vec<&PolicyDocument>| {
        set.intersection(&PermissionSet::of_documents(limit.iter().copied()))
    };
    limits.iter().fold(set, limit)
}

/// How many of `actions` a statement of these policies allows on every resource.
#[must_use]
pub fn on_every_resource(identity: &[&PolicyDocument], actions: &[Action]) -> usize {
    let everything = |statement: &&Statement| match &statement.resource {
        ResourceElement::Resource(patterns) => patterns.iter().any(|p| p.value.is_everything()),
        ResourceElement::NotResource(_) => true,
        ResourceElement::Absent => false,
    };
    let wide: Vec<(bool, Vec<Glob>)> =
        identity.iter().flat_map(|d| &d.statements).filter(everything).filter_map(self::actions).collect();
    let is_wide = |action: &&Action| {
        wide.iter().any(|(named, globs)| *named == globs.iter().any(|glob| glob.matches(action.as_str())))
    };
    actions.iter().filter(is_wide).count()
}

/// Policies that limit a principal, one list for each that must allow.
fn limits<'a>(index: &SnapshotIndex<'a>, principal: &Arn) -> Vec<Vec<&'a PolicyDocument>> {
    let mut limits: Vec<Vec<&PolicyDocument>> = index.boundary(principal).into_iter().map(|b| vec![b]).collect();
    let account = principal.account().filter(|account| !index.is_management_account(account));
    if let Some(guardrails) = account.and_then(|account| index.guardrails(&account)) {
        limits.extend(guardrails.scps.iter().map(|level| level.iter().collect()));
    }
    limits
}

/// Whether a document only allows, so that what is listed is granted.
fn only_allows(document: &PolicyDocument) -> bool {
    document.statements.iter().all(|statement| statement.effect == Effect::Allow)
}

/// The action patterns of a statement that may allow, and whether they name what it grants.
fn actions(statement: &Statement) -> Option<(bool, Vec<Glob>)> {
    let globs = statement.action.patterns().iter().map(|p| Glob::parse(p.value.as_str(), Reading::ACTION)).collect();
    let named = matches!(statement.action, ActionElement::Action(_));
    (statement.effect != Effect::Deny).then_some((named, globs))
}
