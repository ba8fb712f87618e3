//! Each call of the table, made: the request, its pages, and the answer as the AWS CLI prints it.
//!
//! Decides nothing: what is asked about, how often and what a failure means is for the modules beside this one.

use std::pin::Pin;

use aws_config::SdkConfig;
use iam_model::json::Value;

use super::answer::{Failure, one, pages};
use super::{analyzer, identities, last_accessed, xml};
use crate::calls::Operation;

/// An answer that is on its way.
pub(super) type Asked = Pin<Box<dyn Future<Output = Result<Answer, Failure>> + Send>>;

/// An answer, or its text where it is too large to be held twice.
pub(super) enum Answer {
    Value(Value),
    Text(String),
}

/// Who is asked, and about what.
#[derive(Clone)]
pub(super) struct Question {
    pub(super) config: SdkConfig,
    pub(super) region: Option<String>,
    /// What is asked about; empty for calls about the whole account.
    pub(super) id: String,
    /// Pauses between looks at a job.
    pub(super) pause: std::time::Duration,
}

/// A client of a service, in the question's region.
macro_rules! client {
    ($sdk:ident, $question:expr) => {{
        let mut config = $sdk::config::Builder::from(&$question.config);
        if let Some(region) = &$question.region {
            config.set_region(Some(aws_config::Region::new(region.clone())));
        }
        $sdk::Client::from_conf(config.build())
    }};
}
pub(super) use client;

/// Makes a call.
pub(super) fn ask(operation: Operation, q: Question) -> Asked {
    use Operation as O;
    match operation {
        O::GetAccountAuthorizationDetails => Box::pin(async move { identities::details(q).await.map(Answer::Text) }),
        O::ListRegions => value(async move { regions(q).await }),
        O::LastAccessed => Box::pin(async move { last_accessed::details(q).await.map(Answer::Value) }),
        O::ListAccessKeys | O::GetLoginProfile => value(async move { identities::user(operation, q).await }),
        O::ListBuckets | O::GetBucketPolicy | O::GetPublicAccessBlock | O::GetBucketNotification => {
            value(async move { xml::bucket(operation, q).await })
        }
        O::ListTopics | O::GetTopicAttributes | O::ListSubscriptions => {
            value(async move { xml::topic(operation, q).await })
        }
        O::DescribeStacks | O::ListStackResources => value(async move { xml::stack(operation, q).await }),
        O::ListFunctions
        | O::GetFunctionPolicy
        | O::GetFunctionUrlConfig
        | O::ListFunctionTags
        | O::ListAliases
        | O::ListEventInvokeConfigs
        | O::GetAliasPolicy
        | O::GetAliasUrlConfig
        | O::ListEventSourceMappings => value(async move { function(operation, q).await }),
        O::ListQueues | O::GetQueueAttributes | O::ListKeys | O::GetKeyPolicy | O::ListGrants => {
            value(async move { queue_or_key(operation, q).await })
        }
        O::ListTables | O::DescribeTable | O::GetTablePolicy => value(async move { table(operation, q).await }),
        O::ListSecrets | O::GetSecretPolicy | O::DescribeRepositories | O::GetRepositoryPolicy => {
            value(async move { secret_or_repository(operation, q).await })
        }
        O::ListAnalyzers
        | O::ListFindings
        | O::GetFinding
        | O::GetFindingRecommendation
        | O::ListPolicyGenerations
        | O::GetGeneratedPolicy => value(async move { analyzer::ask(operation, q).await }),
        O::ListEventBuses | O::ListRules | O::ListTargets | O::GetRestApis | O::GetApiResources => {
            value(async move { bus_or_api(operation, q).await })
        }
        O::DescribeTrails | O::GetEventSelectors | O::GetTrailStatus => value(async move { trail(operation, q).await }),
    }
}

fn value(asked: impl Future<Output = Result<Value, Failure>> + Send + 'static) -> Asked {
    Box::pin(async move { asked.await.map(Answer::Value) })
}

/// The regions that the account has switched on, or that nobody can switch off.
async fn regions(q: Question) -> Result<Value, Failure> {
    use aws_sdk_account::types::RegionOptStatus::{Enabled, EnabledByDefault};
    let client = client!(aws_sdk_account, q);
    let request = client.list_regions().max_results(50).region_opt_status_contains(Enabled);
    let request = request.region_opt_status_contains(EnabledByDefault);
    pages!(request.clone(), "Regions", set_next_token, next_token)
}

async fn function(operation: Operation, q: Question) -> Result<Value, Failure> {
    let client = client!(aws_sdk_lambda, q);
    match operation {
        Operation::ListFunctions => pages!(client.list_functions(), "Functions", set_marker, next_marker),
        Operation::ListEventSourceMappings => {
            pages!(client.list_event_source_mappings(), "EventSourceMappings", set_marker, next_marker)
        }
        Operation::ListEventInvokeConfigs => {
            let request = client.list_function_event_invoke_configs().function_name(&q.id);
            pages!(request.clone(), "FunctionEventInvokeConfigs", set_marker, next_marker)
        }
        Operation::ListAliases => {
            pages!(client.list_aliases().function_name(&q.id), "Aliases", set_marker, next_marker)
        }
        Operation::GetAliasPolicy | Operation::GetAliasUrlConfig => {
            let (function, alias) = q.id.rsplit_once(':').unwrap_or((&q.id, ""));
            match operation {
                Operation::GetAliasPolicy => one!(client.get_policy().function_name(function).qualifier(alias)),
                _ => one!(client.get_function_url_config().function_name(function).qualifier(alias)),
            }
        }
        Operation::GetFunctionPolicy => one!(client.get_policy().function_name(q.id)),
        Operation::GetFunctionUrlConfig => one!(client.get_function_url_config().function_name(q.id)),
        _ => one!(client.list_tags().resource(q.id)),
    }
}

async fn queue_or_key(operation: Operation, q: Question) -> Result<Value, Failure> {
    use aws_sdk_sqs::types::QueueAttributeName;
    let (sqs, kms) = (client!(aws_sdk_sqs, q), client!(aws_sdk_kms, q));
    match operation {
        Operation::ListQueues => {
            pages!(sqs.list_queues().max_results(1000), "QueueUrls", set_next_token, next_token)
        }
        Operation::GetQueueAttributes => {
            one!(sqs.get_queue_attributes().queue_url(q.id).attribute_names(QueueAttributeName::All))
        }
        Operation::ListKeys => pages!(kms.list_keys().limit(1000), "Keys", set_marker, next_marker),
        Operation::ListGrants => {
            pages!(kms.list_grants().key_id(&q.id).limit(100), "Grants", set_marker, next_marker)
        }
        _ => one!(kms.get_key_policy().key_id(q.id).policy_name("default")),
    }
}

async fn table(operation: Operation, q: Question) -> Result<Value, Failure> {
    let client = client!(aws_sdk_dynamodb, q);
    match operation {
        Operation::ListTables => {
            pages!(client.list_tables(), "TableNames", set_exclusive_start_table_name, last_evaluated_table_name)
        }
        Operation::DescribeTable => one!(client.describe_table().table_name(q.id)),
        _ => one!(client.get_resource_policy().resource_arn(q.id)),
    }
}

async fn secret_or_repository(operation: Operation, q: Question) -> Result<Value, Failure> {
    let (secrets, ecr) = (client!(aws_sdk_secretsmanager, q), client!(aws_sdk_ecr, q));
    match operation {
        Operation::ListSecrets => {
            pages!(secrets.list_secrets().max_results(100), "SecretList", set_next_token, next_token)
        }
        Operation::GetSecretPolicy => one!(secrets.get_resource_policy().secret_id(q.id)),
        Operation::DescribeRepositories => {
            pages!(ecr.describe_repositories().max_results(1000), "repositories", set_next_token, next_token)
        }
        _ => one!(ecr.get_repository_policy().repository_name(q.id)),
    }
}

async fn bus_or_api(operation: Operation, q: Question) -> Result<Value, Failure> {
    let (events, gateway) = (client!(aws_sdk_eventbridge, q), client!(aws_sdk_apigateway, q));
    match operation {
        Operation::ListEventBuses => pages!(events.list_event_buses(), "EventBuses", set_next_token, next_token),
        Operation::ListRules => {
            pages!(events.list_rules().event_bus_name(&q.id), "Rules", set_next_token, next_token)
        }
        Operation::ListTargets => {
            let (bus, rule) = q.id.split_once(' ').unwrap_or(("default", &q.id));
            let request = events.list_targets_by_rule().event_bus_name(bus).rule(rule);
            pages!(request.clone(), "Targets", set_next_token, next_token)
        }
        Operation::GetApiResources => {
            let request = gateway.get_resources().rest_api_id(&q.id).embed("methods").limit(500);
            pages!(request.clone(), "items", set_position, position)
        }
        _ => pages!(gateway.get_rest_apis().limit(500), "items", set_position, position),
    }
}

async fn trail(operation: Operation, q: Question) -> Result<Value, Failure> {
    let client = client!(aws_sdk_cloudtrail, q);
    match operation {
        Operation::DescribeTrails => one!(client.describe_trails()),
        Operation::GetEventSelectors => one!(client.get_event_selectors().trail_name(q.id)),
        _ => one!(client.get_trail_status().name(q.id)),
    }
}
