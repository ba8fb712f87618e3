//! A SAM function that gives up its `Role` for a `Policies` list, from which SAM makes the role.
//!
//! Only where the role that SAM makes is the one that was proved: SAM trusts Lambda alone, attaches policies of its own
//! for what the function has, and knows no path, tags or name.

use iam_model::policy::{Effect, PolicyDocument, PrincipalElement, PrincipalPattern};

use super::super::{Author, document};
use super::{Writing, role};
use crate::op::{New, Op};
use crate::tree::{Node, Path};

/// Events for which SAM gives a function's role nothing.
const QUIET_EVENTS: &[&str] = &[
    "Api",
    "HttpApi",
    "S3",
    "SNS",
    "Schedule",
    "EventBridgeRule",
    "CloudWatchEvent",
    "CloudWatchLogs",
    "Cognito",
    "AlexaSkill",
    "IoTRule",
];

/// What SAM attaches by itself: always, or where the function has the property.
const ATTACHED: &[(Option<&str>, &[&str])] = &[
    (None, &["AWSLambdaBasicExecutionRole"]),
    (Some("VpcConfig"), &["AWSLambdaVPCAccessExecutionRole"]),
    (Some("Tracing"), &["AWSXRayDaemonWriteAccess", "AWSXrayWriteOnlyAccess"]),
];

/// Properties for which SAM writes policies or makes the role otherwise, and what of a role has no place in such a list.
const SPEAKS: &[&str] = &[
    "Policies",
    "DeadLetterQueue",
    "EventInvokeConfig",
    "AssumeRolePolicyDocument",
    "RolePath",
    "Tags",
    "PermissionsBoundary",
];
const OF_ROLE: &[&str] = &["Path", "RoleName", "MaxSessionDuration"];

/// Whether the role that SAM makes would be the part, no more and no less.
pub(super) fn holds(writing: &Writing<'_, '_>) -> bool {
    let Writing { site, function, part, .. } = writing;
    let globals = site.template.root.get("Globals").and_then(|globals| globals.get("Function"));
    let has = |key: &str| function.property(key).or_else(|| globals?.get(key));
    let attached = |names: &[&str]| part.managed_policies.iter().any(|arn| names.contains(&arn.name()));
    let neighbour = function.properties.is_some_and(|properties| properties.entries().len() > 1);
    let quiet = |event: &Node| event.get("Type").and_then(Node::text).is_some_and(|kind| QUIET_EVENTS.contains(&kind));
    function.kind == "AWS::Serverless::Function"
        && neighbour
        && site.role.node.get("Condition").is_none()
        && part.tags.is_empty()
        && is_plain(&part.trust)
        && OF_ROLE.iter().all(|key| site.role.property(key).is_none())
        && SPEAKS.iter().all(|key| has(key).is_none())
        && ATTACHED.iter().all(|(key, names)| key.is_some_and(|key| has(key).is_none()) || attached(names))
        && function.property("Events").is_none_or(|events| events.entries().iter().all(|event| quiet(&event.value)))
}

/// Whether a trust policy says what SAM writes: Lambda may, whatever the conditions.
fn is_plain(trust: &PolicyDocument) -> bool {
    let [statement] = trust.statements.as_slice() else { return false };
    let lambda = |pattern: &PrincipalPattern| matches!(pattern, PrincipalPattern::Service(name) if name.as_str() == "lambda.amazonaws.com");
    let Some(PrincipalElement::Principal(patterns)) = &statement.principal else { return false };
    let actions: Vec<&str> = statement.action.patterns().iter().map(|pattern| pattern.value.as_str()).collect();
    let plain = statement.effect == Effect::Allow && statement.conditions.is_empty();
    plain && patterns.iter().all(|pattern| lambda(&pattern.value)) && actions == ["sts:AssumeRole"]
}

/// `Role` gives way to a `Policies` list.
pub(super) fn ops(author: &mut Author<'_>, writing: &Writing<'_, '_>, names: Vec<New>, role: &Path) -> Vec<Op> {
    let Writing { site, part, .. } = writing;
    let mut items: Vec<New> =
        part.managed_policies.iter().map(|arn| role::managed(author, site, arn.as_str())).collect();
    items.extend(names);
    items.extend(part.policies.iter().map(|policy| document(author, &policy.document.statements)));
    // The line of `Role` itself goes, so what comes is written after the entry beside it.
    let (above, at) = (role.parent().unwrap_or_default(), role.last().unwrap_or_default());
    let beside = above.child(at.checked_sub(1).unwrap_or(1));
    let mut ops = vec![Op::InsertEntry { after: beside.clone(), key: "Policies".into(), with: New::Seq(items) }];
    if let Some(boundary) = &part.boundary {
        let with = role::kept(site, "PermissionsBoundary").unwrap_or_else(|| author.resource(boundary.as_str()));
        ops.push(Op::InsertEntry { after: beside, key: "PermissionsBoundary".into(), with });
    }
    ops.push(Op::Remove { at: role.clone() });
    ops
}
