//! Calls that no entry of the catalogue explains: nobody can replay them, so nothing may be taken of their service.

use std::collections::BTreeSet;

use iam_evaluate::budget::{ALL, Budget};
use iam_evaluate::permission_set::{Inclusion, Limits, PermissionSet};
use iam_model::action::ActionPattern;
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::catalog::Catalog;
use iam_model::change::{AttachmentKind, Change};
use iam_model::policy::{PolicyDocument, Statement};
use iam_model::snapshot::SnapshotIndex;
use iam_model::text::grouped;
use iam_model::usage::{UnresolvedEvent, UnresolvedKind, UsageLog};

use super::Replayed;
use crate::before_after::{documents, limits};
use crate::outcome::Outcome;

impl Replayed {
    /// The same, undecided where the changes take something of a service from a role that called it by a name nobody knows.
    #[must_use]
    pub fn with_unresolved(
        mut self,
        changes: &[&Change],
        index: &SnapshotIndex<'_>,
        (usage, catalog): (&UsageLog, &Catalog),
    ) -> Self {
        if let Outcome::Proved { because } = &self.outcome
            && let Some(why) = loses(changes, index, usage, catalog)
        {
            self.outcome = Outcome::Undecided { why: format!("{why}; {because}") };
        }
        self
    }
}

fn loses(changes: &[&Change], index: &SnapshotIndex<'_>, usage: &UsageLog, catalog: &Catalog) -> Option<String> {
    let mut unknown = usage.unresolved.iter().filter(|event| event.kind == UnresolvedKind::Unknown);
    let limiting: Vec<&Change> =
        changes.iter().copied().filter(|change| limits_roles(change.attachment.kind)).collect();
    if limiting.is_empty() {
        return None;
    }
    // A change of a policy that many have, or of a whole account, may be about any role.
    let named: Option<BTreeSet<&Arn>> =
        limiting.iter().map(|change| change.attachment.principal_arn.as_ref()).collect();
    let is_named = |role: &Arn| named.as_ref().is_none_or(|named| named.contains(role));
    let of_role = |event: &UnresolvedEvent| {
        let roles = index.roles().map(|role| &role.identity.arn);
        roles.filter(|role| is_named(role) && event.may_be_of(role)).find_map(|role| {
            let taken = taken(role, event, &limiting, index, catalog)?;
            let calls = grouped(event.count);
            Some(format!("{}: {calls} {}, may need what is taken of {taken}", role.name(), event.describe()))
        })
    };
    unknown.find_map(of_role)
}

/// Whether policies of a kind say what a role may do at all, whatever it is about.
const fn limits_roles(kind: AttachmentKind) -> bool {
    matches!(kind, AttachmentKind::Identity | AttachmentKind::Boundary | AttachmentKind::ServiceControl)
}

/// What of an event's service is taken from a role.
fn taken(
    role: &Arn,
    event: &UnresolvedEvent,
    changes: &[&Change],
    index: &SnapshotIndex<'_>,
    catalog: &Catalog,
) -> Option<String> {
    let (before, after) = documents(role, changes, index);
    let limits = limits(role, changes, index);
    let within = |identity: Vec<&PolicyDocument>, limits: Vec<Vec<&PolicyDocument>>| {
        let set = PermissionSet::of_documents(identity);
        limits.into_iter().fold(set, |set, limit| set.intersection(&PermissionSet::of_documents(limit)))
    };
    let (before, after) = (within(before, limits.before), within(after, limits.after));
    let budget = Budget::new(ALL);
    // Of a source that nobody knows, the service may be any.
    let prefixes = event.services(catalog).unwrap_or_else(|| vec!["*"]);
    let of_service = |service: &&str| {
        let actions =
            if *service == "*" { ActionPattern::new("*") } else { ActionPattern::new(&format!("{service}:*")) };
        let asked = Statement::allow(vec![actions], vec![ResourcePattern::everything()]);
        let asked = PermissionSet::of_document(&PolicyDocument::new(vec![asked]));
        !matches!(before.intersection(&asked).included_in(&after, Limits::of(&budget)), Inclusion::Included(_))
    };
    prefixes
        .into_iter()
        .find(of_service)
        .map(|service| if service == "*" { "any service".into() } else { service.to_owned() })
}
