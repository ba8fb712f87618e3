//! What AWS refuses to save, so that nothing can be said of what it would do.
//!
//! Follows the IAM topic "Grammar of the IAM JSON policy language". Names only what every service refuses; the full
//! validation is next door.

use std::collections::BTreeSet;

use iam_model::arn::Arn;
use iam_model::change::{AttachmentKind, Change};
use iam_model::policy::{PolicyDocument, ResourceElement, Statement, compact_len};
use iam_model::quota::QuotaProfile;

use super::PolicyKind;

/// Why AWS would not save a document as a policy of a kind; nothing where it would, as far as this looks.
#[must_use]
pub fn refused(document: &PolicyDocument, kind: PolicyKind) -> Option<String> {
    REASONS.iter().find_map(|reason| reason(document, kind))
}

/// Why AWS would not save what a change leaves; what is deployed with the same fault was saved all the same.
#[must_use]
pub fn refused_change(change: &Change) -> Option<String> {
    let (after, kind) = (change.after.as_ref()?, PolicyKind::of(change.attachment.kind));
    // The policy of a repository names no resource: it is about the repository.
    let repository = change.attachment.resource_arn.as_ref().is_some_and(|arn| arn.service() == "ecr");
    let new = |reason: &Reason| {
        let found = reason(after, kind)?;
        let stood = change.before.as_ref().is_some_and(|before| reason(before, kind).is_some());
        (!stood).then_some(found)
    };
    let reasons = REASONS.iter().skip(usize::from(repository));
    reasons.filter_map(new).next().or_else(|| over_managed(change, after))
}

type Reason = fn(&PolicyDocument, PolicyKind) -> Option<String>;

/// That of resources stands first.
const REASONS: &[Reason] = &[resource, principal, sid, super::over_quota];

fn resource(document: &PolicyDocument, kind: PolicyKind) -> Option<String> {
    let absent = |statement: &&Statement| statement.resource == ResourceElement::Absent && statement.unknown.is_empty();
    let lacks = document.statements.iter().any(|statement| absent(&statement)) && kind != PolicyKind::Trust;
    lacks.then(|| format!("a statement of the {} names no resource", kind.as_str()))
}

fn principal(document: &PolicyDocument, kind: PolicyKind) -> Option<String> {
    let takes_none = matches!(kind, PolicyKind::Identity | PolicyKind::Boundary | PolicyKind::ServiceControl);
    let named = takes_none && document.statements.iter().any(|statement| statement.principal.is_some());
    named.then(|| format!("a statement of the {} names a principal", kind.as_str()))
}

fn sid(document: &PolicyDocument, _: PolicyKind) -> Option<String> {
    let mut seen = BTreeSet::new();
    let mut sids = document.statements.iter().filter_map(|s| s.sid.as_deref()).filter(|sid| !sid.is_empty());
    sids.find(|sid| !seen.insert(*sid)).map(|sid| format!("the statement id `{sid}` stands twice"))
}

/// A managed policy may be shorter than what a role may have inline.
fn over_managed(change: &Change, after: &PolicyDocument) -> Option<String> {
    let managed = matches!(change.attachment.kind, AttachmentKind::Identity | AttachmentKind::Boundary)
        && change.attachment.policy_name.as_ref().is_some_and(|name| name.parse::<Arn>().is_ok());
    let (length, most) = (compact_len(after), QuotaProfile::AWS.managed);
    (managed && length > most).then(|| format!("{length} characters are more than the {most} for a managed policy"))
}
