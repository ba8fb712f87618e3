//! What Lambda itself needs of a function's role: its log group, tracing, its network interfaces, its event sources, and
//! where it sends what failed.
//!
//! The function's code never calls these, so no absence of calls argues against them.
//! Follows the Lambda Developer Guide topics "Defining Lambda function permissions with an execution role" and
//! "Giving Lambda functions access to resources in an Amazon VPC". What is not granted now is not added.

mod sources;

use iam_model::action::Action;
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::json::Value;
use iam_model::snapshot::Resource;

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
    (&["EventInvokeConfig", "DestinationConfig", "OnFailure", "Destination"], "passes on events that failed"),
    (&["EventInvokeConfig", "DestinationConfig", "OnSuccess", "Destination"], "passes on its results"),
];
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
pub(crate) fn needs(functions: &[&Resource]) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    for function in functions {
        let name = function_name(function);
        let mut runs = |actions: &[&str], resources: &[ResourcePattern], what: &str| {
            push(&mut needs, NeedRule::RunsFunction, actions, resources, name, what);
        };
        runs(LOGS, &log_group(function, name), "writes its log");
        if member(function, &["TracingConfig", "Mode"]) == Some("Active") {
            runs(TRACING, &[ResourcePattern::everything()], "is traced");
        }
        if runs_in_vpc(function) {
            runs(NETWORK, &[ResourcePattern::everything()], "runs in a VPC");
        }
        if let Some(systems) = file_systems(function) {
            runs(FILES, &[systems], "mounts a file system");
        }
        for (path, what) in TARGETS {
            if let Some(target) = member(function, path).and_then(|text| text.parse::<Arn>().ok()) {
                sources::destination(&target, what, &mut |actions, on, what| runs(actions, &[on], &what));
            }
        }
        sources::each(function, &mut |actions, on, what| {
            push(&mut needs, NeedRule::ReadsEventSource, actions, &[on], name, &what);
        });
    }
    needs
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
    member(function, &["VpcConfig", "VpcId"]).is_some_and(|vpc| !vpc.is_empty())
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

/// The function's log group, and the streams in it.
fn log_group(function: &Resource, name: &str) -> Vec<ResourcePattern> {
    let group = match member(function, &["LoggingConfig", "LogGroup"]) {
        Some(group) => group.to_owned(),
        None => format!("/aws/lambda/{name}"),
    };
    let arn = &function.arn;
    let account = arn.account().map(|account| account.to_string()).unwrap_or_default();
    let prefix = format!("arn:{}:logs:{}:{account}:log-group:{group}", arn.partition(), arn.region());
    vec![ResourcePattern::new(&prefix), ResourcePattern::new(&format!("{prefix}:*"))]
}

fn member<'a>(function: &'a Resource, path: &[&str]) -> Option<&'a str> {
    let mut value: &Value = &function.api;
    for key in path {
        value = value.get(key)?;
    }
    value.as_str()
}

/// The name of a function, from its description or its ARN.
pub(crate) fn function_name(function: &Resource) -> &str {
    function.api.get("FunctionName").and_then(|name| name.as_str()).unwrap_or_else(|| function.arn.name())
}
