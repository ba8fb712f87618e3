//! What of the snapshot makes a service call a resource: notifications of buckets, rules, subscriptions, interfaces,
//! triggers and rotations, as AWS's own descriptions of them say.
//!
//! Only what was collected can be found; that there is no other source is never said here.

use iam_model::arn::{AccountId, Arn};
use iam_model::json::Value;
use iam_model::snapshot::{Resource, ResourceKind, SnapshotIndex};

/// Something a service calls a resource for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Source {
    /// What the service sends as `aws:SourceArn`; a pattern where it names parts that differ by call.
    pub(super) arn: String,
    /// Whose it is.
    pub(super) account: AccountId,
}

/// How a service's sources are described: its principal, their kind, and the part of `api` that names what is called.
///
/// The parts are those of `GetBucketNotificationConfiguration`, `ListTargetsByRule`, `ListSubscriptionsByTopic`,
/// `GetResources` with its methods, `GetIntegrations`, `DescribeUserPool` and `DescribeSecret`.
const DESCRIBED: &[(&str, ResourceKind, &str)] = &[
    ("s3.amazonaws.com", ResourceKind::S3Bucket, "NotificationConfiguration"),
    ("events.amazonaws.com", ResourceKind::EventsRule, "Targets"),
    ("sns.amazonaws.com", ResourceKind::SnsTopic, "Subscriptions"),
    ("apigateway.amazonaws.com", ResourceKind::ApigatewayRestApi, "Resources"),
    ("apigateway.amazonaws.com", ResourceKind::Apigatewayv2Api, "Integrations"),
    ("cognito-idp.amazonaws.com", ResourceKind::CognitoUserPool, "LambdaConfig"),
    ("secretsmanager.amazonaws.com", ResourceKind::SecretsmanagerSecret, "RotationLambdaARN"),
];

/// The sources for which a service is known to call a resource, in order.
///
/// # Errors
/// Why nobody can tell: an interface that names what it calls by a variable may mean this resource.
pub(super) fn sources(service: &str, target: &Arn, index: &SnapshotIndex<'_>) -> Result<Vec<Source>, String> {
    let mut found = Vec::new();
    for (account, described) in &index.snapshot().accounts {
        for resource in &described.resources {
            let calls = |(name, kind, part): &(&str, ResourceKind, &str)| {
                *name == service && *kind == resource.kind && names(member(&resource.api, part), target)
            };
            let of_service = DESCRIBED.iter().filter(|(name, kind, _)| *name == service && *kind == resource.kind);
            if of_service.clone().any(|(_, _, part)| has_variable(member(&resource.api, part))) {
                return Err(format!("{} names what it calls by a stage's variable, which may be this", resource.arn));
            }
            if DESCRIBED.iter().any(calls) {
                found.push(Source { arn: source_arn(resource, account), account: account.clone() });
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Whether some address in a description has a stage's variable in the name of what it calls.
fn has_variable(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(":function:") && text.contains("${stageVariables."),
        Value::Array(items) => items.iter().any(has_variable),
        Value::Object(members) => members.iter().any(|(_, item)| has_variable(item)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn member<'v>(value: &'v Value, key: &str) -> &'v Value {
    let Value::Object(members) = value else { return &Value::Null };
    members.iter().find(|(name, _)| name == key).map_or(&Value::Null, |(_, value)| value)
}

/// Whether some text in a description is the target's ARN, or holds it, as the addresses of integrations do.
fn names(value: &Value, target: &Arn) -> bool {
    match value {
        Value::String(text) => holds(text, target.as_str()),
        Value::Array(items) => items.iter().any(|item| names(item, target)),
        Value::Object(members) => members.iter().any(|(_, item)| names(item, target)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether a text holds an ARN that does not go on: a version of a function is another target.
fn holds(text: &str, arn: &str) -> bool {
    let goes_on = |next: char| next.is_ascii_alphanumeric() || matches!(next, ':' | '-' | '_' | '.');
    text.split(arn).skip(1).any(|after| !after.starts_with(goes_on))
}

/// What the service sends for a source: API Gateway the stage, method and path below the interface, others the ARN.
fn source_arn(resource: &Resource, account: &AccountId) -> String {
    match resource.kind {
        ResourceKind::ApigatewayRestApi | ResourceKind::Apigatewayv2Api => {
            let id = resource.arn.resource().rsplit('/').next().unwrap_or_default();
            let (partition, region) = (resource.arn.partition(), resource.arn.region());
            format!("arn:{partition}:execute-api:{region}:{account}:{id}/*")
        }
        _ => resource.arn.to_string(),
    }
}
