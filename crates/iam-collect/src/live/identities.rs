//! Users, groups, roles and policies: an answer too large to be held twice, so its pages become text as they come.
//!
//! Access keys and passwords are counted, never read: AWS does not give them away.

use aws_sdk_iam::types::{
    AttachedPermissionsBoundary, AttachedPolicy, GroupDetail, InstanceProfile, ManagedPolicyDetail, PolicyDetail,
    PolicyVersion, RoleDetail, Tag, UserDetail,
};
use iam_model::json::Value;

use super::answer::{Failure, Pages};
use super::fetch::{Question, client};
use super::shape::{list, object, sparse, text, time};
use crate::calls::Operation;

/// The four lists of an account, each the entries' text.
#[derive(Default)]
struct Details {
    users: String,
    groups: String,
    roles: String,
    policies: String,
}

impl Details {
    fn add<T>(list: &mut String, items: &[T], item: impl Fn(&T) -> Value) {
        for entry in items {
            if !list.is_empty() {
                list.push_str(",\n");
            }
            list.push_str(&item(entry).to_compact());
        }
    }

    fn into_text(self) -> String {
        let Self { users, groups, roles, policies } = self;
        format!(
            "{{\"UserDetailList\":[{users}],\n\"GroupDetailList\":[{groups}],\n\"RoleDetailList\":[{roles}],\n\
             \"Policies\":[{policies}]}}"
        )
    }
}

/// `account-authorization-details`, whole or not at all.
pub(super) async fn details(q: Question) -> Result<String, Failure> {
    let client = client!(aws_sdk_iam, q);
    let mut marks = Pages::new("");
    let mut details = Details::default();
    loop {
        let request = client.get_account_authorization_details().max_items(1000).set_marker(marks.mark());
        let page = request.send().await.map_err(|error| Failure::of(&error))?;
        Details::add(&mut details.users, page.user_detail_list(), user_detail);
        Details::add(&mut details.groups, page.group_detail_list(), group);
        Details::add(&mut details.roles, page.role_detail_list(), role);
        Details::add(&mut details.policies, page.policies(), policy);
        let mark = page.marker().filter(|_| page.is_truncated()).map(ToOwned::to_owned);
        if !marks.goes_on(mark)? {
            return Ok(details.into_text());
        }
    }
}

/// What a user signs in with.
pub(super) async fn user(operation: Operation, q: Question) -> Result<Value, Failure> {
    let client = client!(aws_sdk_iam, q);
    if operation == Operation::GetLoginProfile {
        let answer = client.get_login_profile().user_name(q.id).send().await.map_err(|error| Failure::of(&error))?;
        let profile = answer.login_profile().map(|profile| object([("UserName", Value::text(profile.user_name()))]));
        return Ok(sparse([("LoginProfile", profile)]));
    }
    let mut marks = Pages::new("");
    let mut keys = Vec::new();
    loop {
        let request = client.list_access_keys().user_name(&q.id).set_marker(marks.mark());
        let page = request.send().await.map_err(|error| Failure::of(&error))?;
        // The keys' ids tell nothing that the snapshot needs: that there are some is enough.
        keys.extend(page.access_key_metadata().iter().map(|key| {
            sparse([("UserName", text(key.user_name())), ("Status", text(key.status().map(|status| status.as_str())))])
        }));
        let mark = page.marker().filter(|_| page.is_truncated()).map(ToOwned::to_owned);
        if !marks.goes_on(mark)? {
            return Ok(object([("AccessKeyMetadata", Value::Array(keys))]));
        }
    }
}

fn user_detail(user: &UserDetail) -> Value {
    sparse([
        ("Path", text(user.path())),
        ("UserName", text(user.user_name())),
        ("UserId", text(user.user_id())),
        ("Arn", text(user.arn())),
        ("CreateDate", time(user.create_date())),
        ("UserPolicyList", list(user.user_policy_list(), inline)),
        ("GroupList", list(user.group_list(), |name| Value::text(name))),
        ("AttachedManagedPolicies", list(user.attached_managed_policies(), attached)),
        ("PermissionsBoundary", user.permissions_boundary().map(boundary)),
        ("Tags", list(user.tags(), tag)),
    ])
}

fn group(group: &GroupDetail) -> Value {
    sparse([
        ("Path", text(group.path())),
        ("GroupName", text(group.group_name())),
        ("GroupId", text(group.group_id())),
        ("Arn", text(group.arn())),
        ("CreateDate", time(group.create_date())),
        ("GroupPolicyList", list(group.group_policy_list(), inline)),
        ("AttachedManagedPolicies", list(group.attached_managed_policies(), attached)),
    ])
}

fn role(role: &RoleDetail) -> Value {
    let last = role
        .role_last_used()
        .map(|used| sparse([("LastUsedDate", time(used.last_used_date())), ("Region", text(used.region()))]));
    sparse([
        ("Path", text(role.path())),
        ("RoleName", text(role.role_name())),
        ("RoleId", text(role.role_id())),
        ("Arn", text(role.arn())),
        ("CreateDate", time(role.create_date())),
        ("AssumeRolePolicyDocument", text(role.assume_role_policy_document())),
        ("InstanceProfileList", list(role.instance_profile_list(), profile)),
        ("RolePolicyList", list(role.role_policy_list(), inline)),
        ("AttachedManagedPolicies", list(role.attached_managed_policies(), attached)),
        ("PermissionsBoundary", role.permissions_boundary().map(boundary)),
        ("Tags", list(role.tags(), tag)),
        ("RoleLastUsed", last),
    ])
}

fn profile(profile: &InstanceProfile) -> Value {
    object([("InstanceProfileName", Value::text(profile.instance_profile_name())), ("Arn", Value::text(profile.arn()))])
}

fn policy(policy: &ManagedPolicyDetail) -> Value {
    sparse([
        ("PolicyName", text(policy.policy_name())),
        ("PolicyId", text(policy.policy_id())),
        ("Arn", text(policy.arn())),
        ("Path", text(policy.path())),
        ("DefaultVersionId", text(policy.default_version_id())),
        ("AttachmentCount", count(policy.attachment_count())),
        ("PermissionsBoundaryUsageCount", count(policy.permissions_boundary_usage_count())),
        ("PolicyVersionList", list(policy.policy_version_list(), version)),
    ])
}

fn count(of: Option<i32>) -> Option<Value> {
    of.and_then(|of| u64::try_from(of).ok()).map(Value::number)
}

fn version(version: &PolicyVersion) -> Value {
    sparse([
        ("Document", text(version.document())),
        ("VersionId", text(version.version_id())),
        ("IsDefaultVersion", Some(Value::Bool(version.is_default_version()))),
        ("CreateDate", time(version.create_date())),
    ])
}

fn inline(policy: &PolicyDetail) -> Value {
    sparse([("PolicyName", text(policy.policy_name())), ("PolicyDocument", text(policy.policy_document()))])
}

fn attached(policy: &AttachedPolicy) -> Value {
    sparse([("PolicyName", text(policy.policy_name())), ("PolicyArn", text(policy.policy_arn()))])
}

fn boundary(boundary: &AttachedPermissionsBoundary) -> Value {
    sparse([
        ("PermissionsBoundaryType", text(boundary.permissions_boundary_type().map(|kind| kind.as_str()))),
        ("PermissionsBoundaryArn", text(boundary.permissions_boundary_arn())),
    ])
}

fn tag(tag: &Tag) -> Value {
    object([("Key", Value::text(tag.key())), ("Value", Value::text(tag.value()))])
}
