//! Services that a role trusts: whether anything of the snapshot runs as the role through them.
//!
//! What was not collected cannot be found: nothing is said of a service of which the snapshot holds no resource at all, nor of
//! one that runs as roles in ways no snapshot shows (crawlers of Glue, jobs of Batch, endpoints of SageMaker).

use iam_model::json::Value;
use iam_model::snapshot::{ResourceKind, Role, SnapshotIndex};

/// Services whose resources run as roles, and the kinds that do.
const RUN: &[(&str, &[ResourceKind])] = &[
    ("lambda.amazonaws.com", &[ResourceKind::LambdaFunction]),
    ("codebuild.amazonaws.com", &[ResourceKind::CodebuildProject]),
    ("states.amazonaws.com", &[ResourceKind::StepfunctionsStateMachine]),
    ("cloudformation.amazonaws.com", &[ResourceKind::CloudformationStack, ResourceKind::CloudformationStackset]),
];
const EC2: &str = "ec2.amazonaws.com";

/// Whether nothing runs as a role through a service, as far as the snapshot shows; nothing where it cannot show that.
pub(super) fn is_stale(service: &str, role: &Role, index: &SnapshotIndex<'_>) -> Option<bool> {
    if service == EC2 {
        // IAM itself lists the instance profiles, and an instance gets a role by no other way.
        return Some(role.instance_profiles.is_empty());
    }
    let (_, kinds) = RUN.iter().find(|(name, _)| *name == service)?;
    let account = index.snapshot().accounts.get(&role.identity.arn.account()?)?;
    let mut of_kind = account.resources.iter().filter(|resource| kinds.contains(&resource.kind)).peekable();
    of_kind.peek()?;
    let arn = &role.identity.arn;
    Some(!of_kind.any(|resource| resource.role.as_ref() == Some(arn) || names(&resource.api, arn.as_str())))
}

/// Whether anything of the snapshot is known to run as a role.
pub(super) fn is_run(role: &Role, index: &SnapshotIndex<'_>) -> bool {
    let arn = &role.identity.arn;
    let account = arn.account().and_then(|id| index.snapshot().accounts.get(&id));
    let mut resources = account.into_iter().flat_map(|account| &account.resources);
    !role.instance_profiles.is_empty()
        || resources.any(|resource| resource.role.as_ref() == Some(arn) || names(&resource.api, arn.as_str()))
}

/// Whether a description says the role's ARN anywhere: some resources have several roles.
fn names(value: &Value, role: &str) -> bool {
    match value {
        Value::String(text) => text == role,
        Value::Array(items) => items.iter().any(|item| names(item, role)),
        Value::Object(members) => members.iter().any(|(_, item)| names(item, role)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
