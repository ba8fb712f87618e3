//! What Lambda itself needs of a function's role: its log group, tracing, its network interfaces, its event sources, and
//! where it sends what failed.
//!
//! The function's code never calls these, so no absence of calls argues against them.
//! Follows the Lambda Developer Guide topics "Defining Lambda function permissions with an execution role" and
//! "Giving Lambda functions access to resources in an Amazon VPC". What is not granted now is not added.

mod runs;
mod sources;

use iam_model::action::Action;
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::json::Value;
use iam_model::snapshot::{Resource, ResourceKind};

pub(crate) use self::runs::Runs;
use crate::needs::{Need, NeedRule};

const LOGS: &[&str] = &["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"];
const TRACING: &[&str] = &["xray:PutTelemetryRecords", "xray:PutTraceSegments"];
const NETWORK: &[&str] = &[
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
];
const FILES: &[&str] = &["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"];
/// Where a function sends what came of it, when nobody waits for the answer.
const TARGETS: &[(&[&str], &str)] = &[
    (&["DeadLetterConfig", "TargetArn"], "sends its dead letters"),
    (&["EventInvokeConfig", "DestinationConfig", "OnFailure", "Destination"], FAILED),
    (&["EventInvokeConfig", "DestinationConfig", "OnSuccess", "Destination"], DONE),
    (&["EventInvokeConfigs", "DestinationConfig", "OnFailure", "Destination"], FAILED),
    (&["EventInvokeConfigs", "DestinationConfig", "OnSuccess", "Destination"], DONE),
];
/// The same where the description is that of an event invoke configuration.
const TARGETS_ALONE: &[(&[&str], &str)] = &[
    (&["DestinationConfig", "OnFailure", "Destination"], FAILED),
    (&["DestinationConfig", "OnSuccess", "Destination"], DONE),
];
const FAILED: &str = "passes on events that failed";
const DONE: &str = "passes on its results";
/// Checkpoints of durable functions, which the runtime writes and reads, on the versions of the function.
const DURABLE: &[&str] = &["lambda:CheckpointDurableExecution", "lambda:GetDurableExecutionState"];
/// Layers of AWS that write telemetry to a log group of their own: what stands in the layer's name, and the group.
const TELEMETRY: &[(&str, &str)] =
    &[("LambdaInsightsExtension", "/aws/lambda-insights"), ("AWSOpenTelemetryDistro", "/aws/application-signals/data")];
/// Not needed, and part of older recipes for functions in a VPC (SAM's `VPCAccessPolicy` has one of them): whoever wrote
/// them down by name meant Lambda to have them.
const NETWORK_BY_NAME: &[&str] = &[
    "ec2:AttachNetworkInterface",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeVpcs",
    "ec2:DetachNetworkInterface",
    "ec2:GetSecurityGroupsForVpc",
];

/// What the functions of a role need to run.
pub(crate) fn needs(functions: &[&Resource], runs: &Runs<'_>) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    for function in functions {
        for actions in logs(function, runs.at_edge) {
            push(&mut needs, NeedRule::RunsFunction, LOGS, &actions, function_name(function), "writes its log");
        }
        of_function(&mut needs, function);
        for set in runs.set_of(function) {
            if set.kind == ResourceKind::LambdaEventInvokeConfig {
                targets(&mut needs, function_name(function), &set.api, TARGETS_ALONE);
                continue;
            }
            sources::of_mapping(&set.api, &mut |actions, on, what| {
                push(&mut needs, NeedRule::ReadsEventSource, actions, &[on], function_name(function), &what);
            });
        }
    }
    // What a template says is what the next deployment makes true.
    for function in runs.written(functions) {
        if let Some(group) = member(&function.api, &["LoggingConfig", "LogGroup"]) {
            let group = group_patterns(function, group);
            push(&mut needs, NeedRule::RunsFunction, LOGS, &group, function_name(function), "writes its log");
        }
        of_function(&mut needs, function);
    }
    needs
}

/// Everything but the log.
fn of_function(needs: &mut Vec<Need>, function: &Resource) {
    let name = function_name(function);
    let mut runs = |actions: &[&str], resources: &[ResourcePattern], what: &str| {
        push(needs, NeedRule::RunsFunction, actions, resources, name, what);
    };
    if member(&function.api, &["TracingConfig", "Mode"]) == Some("Active") {
        runs(TRACING, &[ResourcePattern::everything()], "is traced");
    }
    if runs_in_vpc(function) {
        runs(NETWORK, &[ResourcePattern::everything()], "runs in a VPC");
    }
    if let Some(systems) = file_systems(function) {
        runs(FILES, &[systems], "mounts a file system");
    }
    if function.api.get("DurableConfig").is_some_and(|config| *config != Value::Null) {
        let own = function.arn.as_str();
        runs(DURABLE, &[ResourcePattern::from(&function.arn), ResourcePattern::new(&format!("{own}:*"))], "is durable");
    }
    let layers = function.api.get("Layers").map(Value::items).unwrap_or_default();
    for (layer, group) in TELEMETRY {
        let has = |one: &Value| one.get("Arn").and_then(Value::as_str).is_some_and(|arn| arn.contains(layer));
        if layers.iter().any(has) {
            runs(LOGS, &group_patterns(function, group), "writes its telemetry");
        }
    }
    targets(needs, name, &function.api, TARGETS);
    sources::each(function, &mut |actions, on, what| {
        push(needs, NeedRule::ReadsEventSource, actions, &[on], name, &what);
    });
}

fn targets(needs: &mut Vec<Need>, function: &str, api: &Value, paths: &[(&[&str], &str)]) {
    for (path, what) in paths {
        for target in texts(api, path).into_iter().filter_map(|text| text.parse::<Arn>().ok()) {
            sources::destination(&target, what, &mut |actions, on, what| {
                push(needs, NeedRule::RunsFunction, actions, &[on], function, &what);
            });
        }
    }
}

/// Why an action that a statement names belongs to running the functions, although they could run without it.
pub(crate) fn by_name(functions: &[&Resource], action: &Action) -> Option<String> {
    let function = functions.iter().find(|function| runs_in_vpc(function))?;
    let known = NETWORK_BY_NAME.iter().any(|name| action.as_str().eq_ignore_ascii_case(name));
    known.then(|| format!("part of recipes for functions in a VPC, where `{}` runs", function_name(function)))
}

/// The file systems behind a function's access points, whose own ARNs do not say which these are.
fn file_systems(function: &Resource) -> Option<ResourcePattern> {
    let mounted = function.api.get("FileSystemConfigs").map(Value::items).unwrap_or_default();
    let point: Arn = mounted.iter().find_map(|one| one.get("Arn")?.as_str()?.parse().ok())?;
    let head = point.as_str().strip_suffix(point.resource())?;
    Some(ResourcePattern::new(&format!("{head}file-system/*")))
}

fn runs_in_vpc(function: &Resource) -> bool {
    let subnets = function.api.get("VpcConfig").and_then(|config| config.get("SubnetIds"));
    member(&function.api, &["VpcConfig", "VpcId"]).is_some_and(|vpc| !vpc.is_empty())
        || subnets.is_some_and(|subnets| !subnets.items().is_empty())
}

fn push(
    needs: &mut Vec<Need>,
    rule: NeedRule,
    actions: &[&str],
    resources: &[ResourcePattern],
    function: &str,
    what: &str,
) {
    for action in actions.iter().filter_map(|text| text.parse::<Action>().ok()) {
        if let Some(need) = needs.iter_mut().find(|need| need.action == action && need.rule == rule) {
            let all = need.resources.get_or_insert_default();
            all.extend(resources.iter().cloned());
            all.sort();
            all.dedup();
            if !need.functions.iter().any(|known| known == function) {
                need.functions.push(function.to_owned());
            }
            continue;
        }
        let because = format!("Lambda needs it: `{function}` {what}");
        let mut need = Need::unseen(action, Some(resources.to_vec()), rule, because);
        need.functions.push(function.to_owned());
        needs.push(need);
    }
}

/// The function's log groups, and the streams in them.
///
/// At the edge a function writes to the Region it runs in, to a group named after the Region it comes from.
fn logs(function: &Resource, at_edge: bool) -> Vec<Vec<ResourcePattern>> {
    let name = function_name(function);
    let own = match member(&function.api, &["LoggingConfig", "LogGroup"]) {
        Some(group) => group.to_owned(),
        None => format!("/aws/lambda/{name}"),
    };
    let mut groups = vec![group_patterns(function, &own)];
    if at_edge {
        groups.push(group_in(function, "*", &format!("/aws/lambda/us-east-1.{name}")));
    }
    groups
}

fn group_patterns(function: &Resource, group: &str) -> Vec<ResourcePattern> {
    group_in(function, function.arn.region(), group)
}

fn group_in(function: &Resource, region: &str, group: &str) -> Vec<ResourcePattern> {
    let (partition, account) = (function.arn.partition(), function.arn.account_text());
    let prefix = format!("arn:{partition}:logs:{region}:{account}:log-group:{group}");
    vec![ResourcePattern::new(&prefix), ResourcePattern::new(&format!("{prefix}:*"))]
}

fn member<'a>(value: &'a Value, path: &[&str]) -> Option<&'a str> {
    path.iter().try_fold(value, |value, key| value.get(key))?.as_str()
}

/// Every text that a path leads to, through lists too.
fn texts<'a>(value: &'a Value, path: &[&str]) -> Vec<&'a str> {
    if let Value::Array(items) = value {
        return items.iter().flat_map(|item| texts(item, path)).collect();
    }
    match path.split_first() {
        Some((key, rest)) => value.get(key).map(|found| texts(found, rest)).unwrap_or_default(),
        None => value.as_str().into_iter().collect(),
    }
}

/// The name of a function, from its description or its ARN.
pub(crate) fn function_name(function: &Resource) -> &str {
    function.api.get("FunctionName").and_then(|name| name.as_str()).unwrap_or_else(|| function.arn.name())
}
