//! What else the snapshot holds that may be deployed from the texts of the changes.

use std::collections::BTreeSet;

use iam_model::arn::Arn;
use iam_model::change::{Attachment, AttachmentKind, Change, RoleSplit};
use iam_model::policy::PolicyDocument;
use iam_model::snapshot::{PolicyOrigin, SnapshotIndex};

use super::names::Names;
use super::reach::{Sources, Spot};
use super::same_object;

/// Every deployed policy that no change is about, as a change that changes nothing; those alone whose text may be one
/// that the changes edit.
pub(super) fn silent(
    sources: &Sources<'_>,
    index: &SnapshotIndex<'_>,
    changes: &[Change],
    splits: &[RoleSplit],
) -> Vec<Change> {
    if index.snapshot().accounts.is_empty() {
        return Vec::new();
    }
    let kinds: BTreeSet<AttachmentKind> = changes.iter().map(|change| change.attachment.kind).collect();
    let roles = splits.iter().map(|split| Attachment::identity(split.role.clone(), String::new()));
    let attachments: Vec<Attachment> = changes.iter().map(|change| change.attachment.clone()).chain(roles).collect();
    let (mut templates, mut terraform) = (BTreeSet::new(), false);
    for spot in attachments.iter().flat_map(|attachment| sources.homes(attachment)) {
        match spot {
            Spot::Template(template) | Spot::Home(template, _) => drop(templates.insert(template)),
            Spot::Block(..) | Spot::HomeBlock(..) => terraform = true,
        }
    }
    if templates.is_empty() && !terraform {
        return Vec::new();
    }
    let names = Names::of(sources, &templates, terraform);
    let grown: BTreeSet<&Arn> = changes
        .iter()
        .filter(|change| change.before.is_none())
        .filter_map(|change| change.attachment.principal_arn.as_ref())
        .collect();
    let grows = !splits.is_empty() || !grown.is_empty();
    let mut found = Vec::new();
    for principal in principals(index) {
        if names.may_be(principal) {
            found.extend(of_principal(index, principal, grows && !grown.contains(principal)));
        }
        if kinds.contains(&AttachmentKind::Boundary) {
            found.extend(boundary(index, principal));
        }
    }
    if kinds.contains(&AttachmentKind::Resource) {
        let policies = index.snapshot().accounts.values().flat_map(|account| &account.resource_policies);
        found.extend(policies.map(|(arn, document)| stays(of_resource(AttachmentKind::Resource, arn), document)));
    }
    if kinds.contains(&AttachmentKind::VpcEndpoint) {
        let endpoints = index.snapshot().accounts.values().flat_map(|account| &account.vpc_endpoints);
        let policies = endpoints.filter_map(|(arn, endpoint)| Some((arn, endpoint.policy.as_ref()?)));
        found.extend(policies.map(|(arn, document)| stays(of_resource(AttachmentKind::VpcEndpoint, arn), document)));
    }
    let kinds = |kind: AttachmentKind| kinds.contains(&kind) || kind == AttachmentKind::Identity;
    found.retain(|one: &Change| {
        kinds(one.attachment.kind) && !changes.iter().any(|change| same_object(&change.attachment, &one.attachment))
    });
    found
}

pub(super) fn principals<'a>(index: &SnapshotIndex<'a>) -> impl Iterator<Item = &'a Arn> + use<'a> {
    index.snapshot().accounts.values().flat_map(|account| {
        let roles = account.roles.iter().map(|role| &role.identity);
        let users = account.users.iter().map(|user| &user.identity);
        let groups = account.groups.iter().map(|group| &group.identity);
        roles.chain(users).chain(groups).map(|identity| &identity.arn)
    })
}

/// The policies of a principal; with `grows`, also the place where new ones would be written.
fn of_principal(index: &SnapshotIndex<'_>, principal: &Arn, grows: bool) -> Vec<Change> {
    let mut found = Vec::new();
    for policy in index.identity_policies(principal) {
        let name = match policy.origin {
            PolicyOrigin::Inline(_) => policy.name.to_owned(),
            PolicyOrigin::Managed(arn) => arn.to_string(),
            PolicyOrigin::Group(_) => continue,
        };
        found.push(stays(Attachment::identity(principal.clone(), name), policy.document));
    }
    if let Some(role) = index.role(principal) {
        found.push(stays(of_kind(AttachmentKind::Trust, principal, None), &role.trust));
    }
    if grows {
        let attachment = Attachment::identity(principal.clone(), format!("{principal}/new"));
        found.push(Change { attachment, before: None, after: None, reasons: Vec::new() });
    }
    found
}

fn boundary(index: &SnapshotIndex<'_>, principal: &Arn) -> Option<Change> {
    let arn = index.identity(principal)?.boundary.as_ref()?;
    Some(stays(of_kind(AttachmentKind::Boundary, principal, Some(arn.to_string())), index.boundary(principal)?))
}

fn stays(attachment: Attachment, document: &PolicyDocument) -> Change {
    Change { attachment, before: Some(document.clone()), after: Some(document.clone()), reasons: Vec::new() }
}

fn of_kind(kind: AttachmentKind, principal: &Arn, policy_name: Option<String>) -> Attachment {
    Attachment { kind, policy_name, ..Attachment::identity(principal.clone(), String::new()) }
}

fn of_resource(kind: AttachmentKind, arn: &Arn) -> Attachment {
    Attachment {
        kind,
        principal_arn: None,
        resource_arn: Some(arn.clone()),
        logical_id: None,
        address: None,
        policy_name: None,
        index: None,
    }
}
