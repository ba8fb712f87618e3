//! `authorization_details`: users, groups, roles and managed policies, as
//! `aws iam get-account-authorization-details` prints them.
//!
//! Follows the IAM API Reference topic "GetAccountAuthorizationDetails". Does not resolve what is attached by ARN.

use crate::arn::{AccountId, Arn};
use crate::diagnostic::Code;
use crate::json::{Node, NodeKind};
use crate::policy::PolicyDocument;
use crate::reading::{Reader, present, shown};
use crate::snapshot::{Account, Group, Identity, InlinePolicy, ManagedPolicy, Role, RoleLife, User};
use crate::text::Span;
use crate::time::Timestamp;

const KEYS: &[&str] = &["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies", "IsTruncated", "Marker"];

/// What AWS always prints, be it empty: a list that is missing was lost on the way.
const LISTS: [(&str, &str); 4] = [
    ("UserDetailList", "users"),
    ("GroupDetailList", "groups"),
    ("RoleDetailList", "roles"),
    ("Policies", "the documents of managed policies"),
];

/// Reads the four lists into the account.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node<'_>, account: &mut Account, id: &AccountId) {
    let within = format!("account {id}");
    if !matches!(node.kind, NodeKind::Object(_)) {
        let message = format!("`authorization_details` is {}: users, groups, roles are not known", node.describe());
        reader.error(node.span, &within, message);
        return;
    }
    reader.note_unknown_keys(node, KEYS, &within);
    for (list, what) in LISTS {
        if present(node, list).is_none() {
            reader.warn(Code::SnapshotIncomplete, node.span, &within, format!("no `{list}`: {what} are not known"));
        }
    }
    if node.get("IsTruncated").and_then(Node::as_bool) == Some(true) {
        reader.warn_hint(
            Code::SnapshotIncomplete,
            node.span,
            &within,
            "`authorization_details` is cut off (`IsTruncated`): more users, roles or policies exist".into(),
            "fetch all pages: `aws iam get-account-authorization-details` does so unless told otherwise",
        );
    }
    for item in reader.list(node, "UserDetailList", &within).unwrap_or_default() {
        account.users.extend(user(reader, item, &within));
    }
    for item in reader.list(node, "GroupDetailList", &within).unwrap_or_default() {
        account.groups.extend(identity(reader, item, &GROUP, &within).map(|identity| Group { identity }));
    }
    for item in reader.list(node, "RoleDetailList", &within).unwrap_or_default() {
        account.roles.extend(role(reader, item, &within));
    }
    for item in reader.list(node, "Policies", &within).unwrap_or_default() {
        managed_policy(reader, item, account, &within);
    }
}

/// The words one kind of principal uses for the same things.
struct Kind {
    word: &'static str,
    name: &'static str,
    id: &'static str,
    inline: &'static str,
}

const USER: Kind = Kind { word: "user", name: "UserName", id: "UserId", inline: "UserPolicyList" };
const GROUP: Kind = Kind { word: "group", name: "GroupName", id: "GroupId", inline: "GroupPolicyList" };
const ROLE: Kind = Kind { word: "role", name: "RoleName", id: "RoleId", inline: "RolePolicyList" };

fn user(reader: &mut Reader<'_>, node: &Node<'_>, account: &str) -> Option<User> {
    let identity = identity(reader, node, &USER, account)?;
    let within = format!("{account}, user {}", shown(&identity.name));
    let mut user = User { identity, groups: Vec::new() };
    match reader.list(node, "GroupList", &within) {
        Some(groups) => user.groups.extend(groups.iter().filter_map(|group| {
            if group.as_str().is_none() {
                let message = format!("a group's name is {}; a string is expected", group.describe());
                reader.warn(Code::SnapshotIncomplete, group.span, &within, message);
            }
            group.as_str().map(Into::into)
        })),
        None => user.identity.inline_policies.push(unknown_inline(reader, node, "GroupList", &within)),
    }
    Some(user)
}

fn role(reader: &mut Reader<'_>, node: &Node<'_>, account: &str) -> Option<Role> {
    let identity = identity(reader, node, &ROLE, account)?;
    let role_within = format!("{account}, role {}", shown(&identity.name));
    let within = format!("{role_within}, trust policy");
    let trust = document(reader, node, "AssumeRolePolicyDocument", &within);
    let profiles = reader.list(node, "InstanceProfileList", &role_within).unwrap_or_default();
    let instance_profiles = profiles.iter().filter_map(|p| reader.text(p, "Arn", &role_within)).collect();
    let max_session_seconds = node.get("MaxSessionDuration").and_then(Node::as_u64);
    let used = node.get("RoleLastUsed");
    let region = used.and_then(|used| used.get("Region")).and_then(Node::as_str).unwrap_or_default();
    let last_used = used.and_then(|used| moment(used, "LastUsedDate")).map(|at| (at, region.to_owned()));
    let life = RoleLife { created: moment(node, "CreateDate"), last_used };
    Some(Role { identity, trust, instance_profiles, max_session_seconds, life })
}

/// A moment as AWS's tools write it: a text with an offset, or seconds since the epoch.
fn moment(node: &Node<'_>, key: &str) -> Option<Timestamp> {
    let value = node.get(key)?;
    match value.as_str() {
        Some(text) => Timestamp::parse_printed(text),
        None => value.as_u64().and_then(|seconds| i64::try_from(seconds).ok()).map(Timestamp::from_epoch_seconds),
    }
}

fn identity(reader: &mut Reader<'_>, node: &Node<'_>, kind: &Kind, account: &str) -> Option<Identity> {
    let named = node.get(kind.name).and_then(Node::as_str);
    let within = format!("{account}, {} {}", kind.word, named.map_or("without a name".into(), shown));
    let Some(arn) = reader.arn(node, "Arn", &within) else {
        reader.error(node.span, &within, format!("a {} without a readable `Arn` is left out", kind.word));
        return None;
    };
    let name = named.map_or_else(|| arn.name().to_owned(), Into::into);
    let mut inline_policies = inline_policies(reader, node, kind, &within);
    let attached_policies = attached(reader, node, &mut inline_policies, &within);
    Some(Identity {
        boundary: boundary(reader, node, &arn, &within),
        arn,
        name,
        unique_id: reader.optional_text(node, kind.id, &within),
        inline_policies,
        attached_policies,
        tags: reader.tags(node, &within),
    })
}

fn inline_policies(reader: &mut Reader<'_>, node: &Node<'_>, kind: &Kind, within: &str) -> Vec<InlinePolicy> {
    let Some(list) = reader.list(node, kind.inline, within) else {
        return vec![unknown_inline(reader, node, kind.inline, within)];
    };
    let policies = list.iter().enumerate().map(|(index, item)| {
        let name = reader.text(item, "PolicyName", within).unwrap_or_else(|| format!("(policy {index})"));
        let within = format!("{within}, inline policy {}", shown(&name));
        InlinePolicy { document: document(reader, item, "PolicyDocument", &within), name }
    });
    policies.collect()
}

/// ARNs of attached policies. One that is no ARN still grants something: it joins `inline` as an unknown policy.
fn attached(reader: &mut Reader<'_>, node: &Node<'_>, inline: &mut Vec<InlinePolicy>, within: &str) -> Vec<Arn> {
    let Some(list) = reader.list(node, "AttachedManagedPolicies", within) else {
        inline.push(unknown_inline(reader, node, "AttachedManagedPolicies", within));
        return Vec::new();
    };
    let mut arns = Vec::new();
    for item in list {
        match reader.arn(item, "PolicyArn", within) {
            Some(arn) => arns.push(arn),
            None => {
                let document = reader.unreadable_policy(item.span, within, "an attached policy without a readable ARN");
                let name = item.get("PolicyName").and_then(Node::as_str).unwrap_or("(attached policy)");
                inline.push(InlinePolicy { name: name.into(), document });
            }
        }
    }
    arns
}

/// The boundary's ARN. One that cannot be read still limits: it becomes an ARN that no policy has, so the limit is unknown.
fn boundary(reader: &mut Reader<'_>, node: &Node<'_>, owner: &Arn, within: &str) -> Option<Arn> {
    let found = present(node, "PermissionsBoundary")?;
    let arn = match found.as_str() {
        Some(text) => reader.parse_arn(text, found.span, within),
        None => reader.arn(found, "PermissionsBoundaryArn", within),
    };
    arn.or_else(|| {
        reader.warn(Code::PolicyInvalid, found.span, within, "the permissions boundary counts as unknown".into());
        format!("{}/unreadable-boundary", owner.as_str()).parse().ok()
    })
}

fn managed_policy(reader: &mut Reader<'_>, node: &Node<'_>, account: &mut Account, within: &str) {
    let named = node.get("PolicyName").and_then(Node::as_str);
    let policy_within = format!("{within}, policy {}", named.map_or("without a name".into(), shown));
    let Some(arn) = reader.arn(node, "Arn", &policy_within) else {
        reader.error(node.span, &policy_within, "a policy without a readable `Arn` is left out".into());
        return;
    };
    let name = named.map_or_else(|| arn.name().to_owned(), Into::into);
    let document = default_version(reader, node, &policy_within);
    let other_versions = other_versions(reader, node, &policy_within);
    let count = |key: &str| node.get(key).and_then(Node::as_u64);
    let holders = match (count("AttachmentCount"), count("PermissionsBoundaryUsageCount")) {
        (None, None) => None,
        (attached, bounded) => Some(attached.unwrap_or_default().saturating_add(bounded.unwrap_or_default())),
    };
    let policy = ManagedPolicy { name, document, other_versions, holders };
    if account.managed_policies.insert(arn, policy).is_some() {
        let message = "the policy stands twice; the last one counts".to_owned();
        reader.warn(Code::SnapshotIncomplete, node.span, &policy_within, message);
    }
}

/// The versions that are not in force. Of one without a document nothing is known, and nothing needs to be: it does nothing now.
fn other_versions(reader: &mut Reader<'_>, node: &Node<'_>, within: &str) -> Vec<PolicyDocument> {
    let versions = node.get("PolicyVersionList").map(Node::items).unwrap_or_default();
    let others = versions.iter().filter(|v| v.get("IsDefaultVersion").and_then(Node::as_bool) == Some(false));
    let documents = others.filter_map(|version| present(version, "Document"));
    documents.map(|document| reader.policy(document, within)).collect()
}

fn default_version(reader: &mut Reader<'_>, node: &Node<'_>, within: &str) -> PolicyDocument {
    let versions = reader.list(node, "PolicyVersionList", within).unwrap_or_default();
    let is_default = |v: &&Node<'_>| v.get("IsDefaultVersion").and_then(Node::as_bool) == Some(true);
    let id = node.get("DefaultVersionId").and_then(Node::as_str);
    let has_id = |v: &&Node<'_>| id.is_some() && v.get("VersionId").and_then(Node::as_str) == id;
    match versions.iter().find(is_default).or_else(|| versions.iter().find(has_id)) {
        Some(version) => document(reader, version, "Document", within),
        None => reader.unreadable_policy(node.span, within, "its default version is not in `PolicyVersionList`"),
    }
}

fn document(reader: &mut Reader<'_>, node: &Node<'_>, key: &str, within: &str) -> PolicyDocument {
    match present(node, key) {
        Some(found) => reader.policy(found, within),
        None => reader.unreadable_policy(node.span, within, &format!("no `{key}`")),
    }
}

/// Stands for a whole list of policies that could not be read.
fn unknown_inline(reader: &mut Reader<'_>, node: &Node<'_>, key: &str, within: &str) -> InlinePolicy {
    let span = node.get(key).map_or(Span::default(), |n| n.span);
    InlinePolicy { name: format!("({key})"), document: reader.unreadable_policy(span, within, &format!("`{key}`")) }
}
