//! What a principal may do at all: its policies, within its boundary and the service control policies above it.
//!
//! Resource policies grant besides; they are the resource's, and are judged where the resource is known.

use std::collections::BTreeMap;
use std::ops::Range;

use iam_model::action::Action;
use iam_model::arn::Arn;
use iam_model::catalog::Catalog;
use iam_model::policy::{ActionElement, Effect, PolicyDocument, ResourceElement, Statement};
use iam_model::snapshot::SnapshotIndex;

use crate::budget::{ALL, Budget};
use crate::glob::{Glob, Reading};
use crate::permission_set::{Limits, PermissionSet, Possibility};

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

/// Every action that AWS publishes, in the order of the catalogue: made once, and asked for every principal.
#[derive(Debug)]
pub struct Published {
    actions: Vec<Action>,
    /// Where the actions of each service stand, by its prefix in lower case.
    services: BTreeMap<String, Range<usize>>,
}

impl Published {
    /// The actions of a catalogue.
    #[must_use]
    pub fn of(catalog: &Catalog) -> Self {
        let actions: Vec<Action> = catalog.actions().map(|facts| facts.action()).collect();
        let mut services: BTreeMap<String, Range<usize>> = BTreeMap::new();
        let mut start = 0;
        for service in actions.chunk_by(|a, b| a.service() == b.service()) {
            let end = start + service.len();
            services.extend(service.first().map(|first| (first.service().to_ascii_lowercase(), start..end)));
            start = end;
        }
        Self { actions, services }
    }

    /// None of them.
    #[must_use]
    pub fn none(&self) -> Granted<'_> {
        Granted { published: self, listed: vec![false; self.actions.len()] }
    }

    /// Those of which a principal with these identity policies may do something, within the principal's boundary and the
    /// service control policies above it.
    #[must_use]
    pub fn granted(&self, index: &SnapshotIndex<'_>, principal: &Arn, identity: &[&PolicyDocument]) -> Granted<'_> {
        let budget = Budget::new(ALL);
        let mut listed = self.listed(identity.iter().flat_map(|document| &document.statements), &budget);
        let limits = limits(index, principal);
        if !limits.is_empty() || !identity.iter().all(|document| only_allows(document)) {
            let set = within_limits(identity, &limits);
            for (listed, action) in listed.iter_mut().zip(&self.actions).filter(|(listed, _)| **listed) {
                *listed = set.allows_action_within(action, Limits::of(&budget)) != Possibility::No;
            }
        }
        Granted { published: self, listed }
    }

    /// What the statements list that may allow, action by action; all actions where the budget is used up.
    fn listed<'s>(&self, statements: impl Iterator<Item = &'s Statement>, budget: &Budget) -> Vec<bool> {
        let mut all = vec![false; self.actions.len()];
        for statement in statements.filter(|statement| statement.effect != Effect::Deny) {
            let named = matches!(statement.action, ActionElement::Action(_));
            let mut own = vec![false; self.actions.len()];
            statement.action.patterns().iter().for_each(|pattern| self.mark(pattern.value.as_str(), &mut own, budget));
            if !budget.spend(own.len()) {
                return vec![true; own.len()];
            }
            all.iter_mut().zip(own).for_each(|(all, own)| *all |= own == named);
        }
        all
    }

    /// Marks the actions that a pattern matches: most name their service, and only its actions are looked at.
    fn mark(&self, pattern: &str, marks: &mut [bool], budget: &Budget) {
        let service = pattern.split_once(':').map(|(service, _)| service).filter(|name| !name.contains(['*', '?']));
        let range = match service {
            Some(service) => self.services.get(&service.to_ascii_lowercase()).cloned().unwrap_or_default(),
            None => 0..self.actions.len(),
        };
        let all = pattern == "*" || service.is_some_and(|service| pattern.get(service.len()..) == Some(":*"));
        let glob = Glob::parse(pattern, Reading::ACTION);
        let (Some(marks), Some(actions)) = (marks.get_mut(range.clone()), self.actions.get(range)) else { return };
        if !budget.spend(actions.len()) {
            return;
        }
        let matches = |action: &Action| all || glob.matches_within(action.as_str(), budget) == Some(true);
        marks.iter_mut().zip(actions).for_each(|(mark, action)| *mark |= matches(action));
    }
}

/// Some of the published actions.
#[derive(Debug)]
pub struct Granted<'p> {
    published: &'p Published,
    listed: Vec<bool>,
}

impl<'p> Granted<'p> {
    /// The actions, in the order of the catalogue.
    pub fn actions(&self) -> impl Iterator<Item = &'p Action> + '_ {
        self.published.actions.iter().zip(&self.listed).filter(|(_, listed)| **listed).map(|(action, _)| action)
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.listed.iter().filter(|listed| **listed).count()
    }

    /// How many of them a statement of these policies allows on every resource.
    #[must_use]
    pub fn on_every_resource(&self, identity: &[&PolicyDocument]) -> usize {
        let everything = |statement: &&Statement| match &statement.resource {
            ResourceElement::Resource(patterns) => patterns.iter().any(|p| p.value.is_everything()),
            ResourceElement::NotResource(_) => true,
            ResourceElement::Absent => false,
        };
        let statements = identity.iter().flat_map(|document| &document.statements);
        let wide = self.published.listed(statements.filter(everything), &Budget::new(ALL));
        self.listed.iter().zip(wide).filter(|(listed, wide)| **listed && *wide).count()
    }

    /// Adds others to them.
    pub fn join(&mut self, other: &Granted<'_>) {
        self.listed.iter_mut().zip(&other.listed).for_each(|(own, other)| *own |= other);
    }
}

fn within_limits(identity: &[&PolicyDocument], limits: &[Vec<&PolicyDocument>]) -> PermissionSet {
    let set = PermissionSet::of_documents(identity.iter().copied());
    let limit = |set: PermissionSet, limit: &Vec<&PolicyDocument>| {
        set.intersection(&PermissionSet::of_documents(limit.iter().copied()))
    };
    limits.iter().fold(set, limit)
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

#[cfg(test)]
mod tests {
    use iam_model::policy::parse;
    use iam_model::snapshot::Snapshot;
    use iam_model::text::{SourceName, SourceText};

    use super::*;

    /// Asked action by action, the policies give the same answer.
    #[test]
    fn what_is_granted_is_what_each_action_is_answered() {
        let catalog = Catalog::embedded().unwrap();
        let published = Published::of(&catalog);
        let (snapshot, role) = (Snapshot::default(), "arn:aws:iam::111122223333:role/r".parse().unwrap());
        let (index, _) = SnapshotIndex::new(&snapshot);
        for statements in [
            r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#,
            r#"{"Effect": "Allow", "Action": ["S3:get*", "dynamodb:PutItem", "nobody:*", "sqs:?endMessage"], "Resource": "*"}"#,
            r#"{"Effect": "Allow", "Action": ["s*:Get*", "kms*"], "Resource": "*"}, {"Effect": "Deny", "Action": "s3:*Acl", "Resource": "*"}"#,
            r#"{"Effect": "Allow", "NotAction": ["iam:*", "s3:GetObject"], "Resource": "*"}"#,
            r#"{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}"#,
            r#"{"Effect": "Allow", "Action": ["", ":", "*:*"], "Resource": "arn:aws:s3:::b"}"#,
        ] {
            let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
            let (document, _) = parse(&SourceText { name: SourceName::new("p.json"), text });
            let granted = published.granted(&index, &role, &[&document]);
            let set = PermissionSet::of_document(&document);
            let wide = if statements.contains("s3:::b") { 0 } else { granted.count() };
            assert_eq!(granted.on_every_resource(&[&document]), wide, "{statements}");
            let granted: std::collections::BTreeSet<&Action> = granted.actions().collect();
            // Some of each service: all of them take long.
            for action in published.actions.iter().step_by(17) {
                let alone = set.allows_action(action) != Possibility::No;
                assert_eq!(granted.contains(action), alone, "{action} of {statements}");
            }
        }
    }
}
