//! AWS's answers in the words the AWS CLI prints them with. Pure, and complete only for what a snapshot uses.
//!
//! Environment variables are left out: they hold secrets, and no permission depends on them.

use aws_sdk_iam::types::{
    AttachedPermissionsBoundary, AttachedPolicy, GroupDetail, ManagedPolicyDetail, PolicyDetail, PolicyVersion,
    RoleDetail, Tag, UserDetail,
};
use aws_sdk_lambda::types::FunctionConfiguration;
use iam_model::json::Value;

use super::Missing;

/// An object with its keys in this order.
pub(super) fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// An object of what is there: absent parts are left out, as the AWS CLI does.
fn sparse<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    Value::Object(members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect())
}

fn text(text: Option<&str>) -> Option<Value> {
    text.map(Value::text)
}

fn list<T>(items: &[T], item: impl Fn(&T) -> Value) -> Option<Value> {
    Some(Value::Array(items.iter().map(item).collect()))
}

pub(super) fn user(user: &UserDetail) -> Value {
    sparse([
        ("Path", text(user.path())),
        ("UserName", text(user.user_name())),
        ("UserId", text(user.user_id())),
        ("Arn", text(user.arn())),
        ("UserPolicyList", list(user.user_policy_list(), inline)),
        ("GroupList", list(user.group_list(), |name| Value::text(name))),
        ("AttachedManagedPolicies", list(user.attached_managed_policies(), attached)),
        ("PermissionsBoundary", user.permissions_boundary().map(boundary)),
        ("Tags", list(user.tags(), tag)),
    ])
}

pub(super) fn group(group: &GroupDetail) -> Value {
    sparse([
        ("Path", text(group.path())),
        ("GroupName", text(group.group_name())),
        ("GroupId", text(group.group_id())),
        ("Arn", text(group.arn())),
        ("GroupPolicyList", list(group.group_policy_list(), inline)),
        ("AttachedManagedPolicies", list(group.attached_managed_policies(), attached)),
    ])
}

pub(super) fn role(role: &RoleDetail) -> Value {
    let profile = |profile: &aws_sdk_iam::types::InstanceProfile| {
        object([
            ("InstanceProfileName", Value::text(profile.instance_profile_name())),
            ("Arn", Value::text(profile.arn())),
        ])
    };
    sparse([
        ("Path", text(role.path())),
        ("RoleName", text(role.role_name())),
        ("RoleId", text(role.role_id())),
        ("Arn", text(role.arn())),
        ("AssumeRolePolicyDocument", text(role.assume_role_policy_document())),
        ("InstanceProfileList", list(role.instance_profile_list(), profile)),
        ("RolePolicyList", list(role.role_policy_list(), inline)),
        ("AttachedManagedPolicies", list(role.attached_managed_policies(), attached)),
        ("PermissionsBoundary", role.permissions_boundary().map(boundary)),
        ("Tags", list(role.tags(), tag)),
    ])
}

pub(super) fn policy(policy: &ManagedPolicyDetail) -> Value {
    sparse([
        ("PolicyName", text(policy.policy_name())),
        ("PolicyId", text(policy.policy_id())),
        ("Arn", text(policy.arn())),
        ("Path", text(policy.path())),
        ("DefaultVersionId", text(policy.default_version_id())),
        ("PolicyVersionList", list(policy.policy_version_list(), version)),
    ])
}

fn version(version: &PolicyVersion) -> Value {
    sparse([
        ("Document", text(version.document())),
        ("VersionId", text(version.version_id())),
        ("IsDefaultVersion", Some(Value::Bool(version.is_default_version()))),
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

/// A function as a resource of the snapshot.
pub(super) fn function(function: &FunctionConfiguration, tags: Option<&[(String, String)]>) -> Value {
    let number = |number: Option<i32>| number.map(|number| Value::Number(number.to_string()));
    let tags =
        tags.map(|tags| Value::Object(tags.iter().map(|(key, value)| (key.clone(), Value::text(value))).collect()));
    let api = sparse([
        ("FunctionName", text(function.function_name())),
        ("FunctionArn", text(function.function_arn())),
        ("Runtime", text(function.runtime().map(|runtime| runtime.as_str()))),
        ("Role", text(function.role())),
        ("Handler", text(function.handler())),
        ("Timeout", number(function.timeout())),
        ("MemorySize", number(function.memory_size())),
        ("LastModified", text(function.last_modified())),
        ("Version", text(function.version())),
        ("PackageType", text(function.package_type().map(|kind| kind.as_str()))),
        ("Tags", tags),
    ]);
    sparse([
        ("kind", Some(Value::text("lambda.function"))),
        ("arn", text(function.function_arn())),
        ("role_arn", text(function.role())),
        ("api", Some(api)),
    ])
}

/// An entry of `not_read`.
pub(super) fn missing(missing: Missing) -> Value {
    sparse([("what", Some(Value::String(missing.what))), ("hint", missing.hint.map(Value::String))])
}
