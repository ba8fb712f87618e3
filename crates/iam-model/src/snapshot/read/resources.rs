//! What an account holds beside identities: resources and their policies, trails, keys and passwords, and what the
//! collector was not allowed to read.
//!
//! The `api` part of a resource is kept as it is; rooms that need it read it.

use std::collections::BTreeMap;

use crate::arn::AccountId;
use crate::diagnostic::Code;
use crate::json::{Node, Value};
use crate::reading::{Reader, present, shown, shown_line};
use crate::snapshot::endpoint::{VpcEndpoint, id_of};
use crate::snapshot::{Account, Resource, ResourceKind, tags, trails};
use crate::text::Span;

/// Reads all parts but `authorization_details`.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node<'_>, account: &mut Account, id: &AccountId) {
    let within = format!("account {id}");
    resources(reader, node, account, &within);
    resource_policies(reader, node, account, &within);
    resource_tags(reader, node, account, &within);
    if present(node, "trails").is_some() {
        account.trails = reader.list(node, "trails", &within).map(trails::read);
    }
    iam_extra(reader, node, account, &within);
    not_read(reader, node, &within);
}

fn resources(reader: &mut Reader<'_>, node: &Node<'_>, account: &mut Account, within: &str) {
    let mut unknown: BTreeMap<String, (Span, usize)> = BTreeMap::new();
    for item in reader.list(node, "resources", within).unwrap_or_default() {
        let Some(resource) = resource(reader, item, within) else { continue };
        if let ResourceKind::Unknown(kind) = &resource.kind {
            unknown.entry(kind.clone()).or_insert((item.span, 0)).1 += 1;
        }
        if resource.kind == ResourceKind::Ec2VpcEndpoint {
            let endpoint = endpoint(reader, item, &resource, within);
            account.vpc_endpoints.insert(resource.arn.clone(), endpoint);
        }
        let tags = tags(&resource.api);
        if !tags.is_empty() {
            account.tags.insert(resource.arn.clone(), tags);
        }
        account.resources.push(resource);
    }
    for (kind, (span, count)) in unknown {
        let (many, it) = if count == 1 { ("", "it is") } else { ("s", "they are") };
        let message =
            format!("{count} resource{many} of the unknown kind `{}`: {it} kept and not judged", shown(&kind));
        reader.warn(Code::ResourceKindUnknown, span, within, message);
    }
}

fn resource(reader: &mut Reader<'_>, node: &Node<'_>, account: &str) -> Option<Resource> {
    let named = node.get("arn").and_then(Node::as_str);
    let within = format!("{account}, resource {}", named.map_or("without an ARN".into(), shown));
    let (kind, arn) = (reader.text(node, "kind", &within), reader.arn(node, "arn", &within));
    let (Some(kind), Some(arn)) = (kind, arn) else {
        reader.error(node.span, &within, "a resource without a readable `kind` and `arn` is left out".into());
        return None;
    };
    let kind = ResourceKind::parse(&kind);
    let mut role = reader.optional_arn(node, "role_arn", &within);
    if let (None, ResourceKind::LambdaFunction, Some(api)) = (&role, &kind, node.get("api")) {
        role = reader.optional_arn(api, "Role", &within);
    }
    let api = node.get("api").map_or(Value::Null, Node::to_value);
    Some(Resource { kind, arn, role, api })
}

/// An endpoint, as `aws ec2 describe-vpc-endpoints` prints it: its policy is a text that holds JSON.
fn endpoint(reader: &mut Reader<'_>, node: &Node<'_>, resource: &Resource, account: &str) -> VpcEndpoint {
    let within = format!("{account}, endpoint {}", shown(resource.arn.as_str()));
    let named = id_of(&resource.arn).to_owned();
    let Some(api) = present(node, "api") else {
        return VpcEndpoint { id: named, service: String::new(), vpc: None, policy: None };
    };
    let id = reader.optional_text(api, "VpcEndpointId", &within).filter(|id| !id.is_empty()).unwrap_or(named);
    let service = reader.text(api, "ServiceName", &within).unwrap_or_default();
    let vpc = reader.optional_text(api, "VpcId", &within);
    let policy = present(api, "PolicyDocument").map(|document| reader.policy(document, &within));
    VpcEndpoint { id, service, vpc, policy }
}

fn resource_policies(reader: &mut Reader<'_>, node: &Node<'_>, account: &mut Account, within: &str) {
    let Some(found) = reader.object(node, "resource_policies", within) else { return };
    for member in found.members() {
        let policy_within = format!("{within}, policy of {}", shown(member.key));
        match reader.parse_arn(member.key, member.key_span, &policy_within) {
            Some(arn) => {
                let document = reader.policy(&member.value, &policy_within);
                account.resource_policies.insert(arn, document);
            }
            None => reader.error(member.key_span, &policy_within, "the policy is left out".into()),
        }
    }
}

/// Tags beside the resources' own descriptions, which they go before.
fn resource_tags(reader: &mut Reader<'_>, node: &Node<'_>, account: &mut Account, within: &str) {
    let Some(found) = reader.object(node, "resource_tags", within) else { return };
    for member in found.members() {
        let tags_within = format!("{within}, tags of {}", shown(member.key));
        match reader.parse_arn(member.key, member.key_span, &tags_within) {
            Some(arn) => {
                account.tags.insert(arn, tags::listed(&member.value.to_value()));
            }
            None => reader.error(member.key_span, &tags_within, "the tags are left out".into()),
        }
    }
}

fn iam_extra(reader: &mut Reader<'_>, node: &Node<'_>, account: &mut Account, within: &str) {
    let Some(extra) = reader.object(node, "iam_extra", within) else { return };
    reader.note_unknown_keys(extra, &["access_keys", "login_profiles"], within);
    for member in reader.object(extra, "access_keys", within).map(Node::members).unwrap_or_default() {
        match member.value.as_u64() {
            Some(count) => {
                account.access_keys.insert(member.key.to_string(), count);
            }
            None => {
                let message = format!("the number of access keys of `{}` is no number", shown(member.key));
                reader.warn(Code::SnapshotIncomplete, member.value.span, within, message);
            }
        }
    }
    for item in reader.list(extra, "login_profiles", within).unwrap_or_default() {
        match item.as_str() {
            Some(user) => account.login_profiles.push(user.into()),
            None => {
                let message = format!("a user's name is {}; a string is expected", item.describe());
                reader.warn(Code::SnapshotIncomplete, item.span, within, message);
            }
        }
    }
}

/// `not_read`: what was missing when the snapshot was made. Said again in every run, so that it never reads as "none".
fn not_read(reader: &mut Reader<'_>, node: &Node<'_>, within: &str) {
    for item in reader.list(node, "not_read", within).unwrap_or_default() {
        let Some(what) = reader.text(item, "what", within) else { continue };
        match reader.optional_text(item, "hint", within) {
            Some(hint) => {
                reader.warn_hint(Code::SnapshotIncomplete, item.span, within, shown_line(&what), &shown_line(&hint));
            }
            None => reader.warn(Code::SnapshotIncomplete, item.span, within, shown_line(&what)),
        }
    }
}
