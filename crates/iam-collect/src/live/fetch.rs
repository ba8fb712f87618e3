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
        O::LastAccessed => Box::pin(async move { last_accessed::details(q).await.map(Answer::Value) }),
        O::ListAccessKeys | O::GetLoginProfile => value(async move { identities::user(operation, q).await }),
        O::ListBuckets | O::GetBucketPolicy | O::GetPublicAccessBlock => {
            value(async move { xml::bucket(operation, q).await })
        }
        O::ListTopics | O::GetTopicAttributes => value(async move { xml::topic(operation, q).await }),
        O::DescribeStacks | O::ListStackResources => value(async move { xml::stack(operation, q).await }),
        O::ListFunctions
        | O::GetFunctionPolicy
        | O::GetFunctionUrlConfig
        | O::ListFunctionTags
        | O::ListEventSourceMappings => value(async move { function(operation, q).await }),
        O::ListQueues | O::GetQueueAttributes | O::ListKeys | O::GetKeyPolicy => {
            value(async move { queue_or_key(operation, q).await })
        }
        O::ListTables | O::DescribeTable | O::GetTablePolicy => value(async move { table(operation, q).await }),
        O::ListSecrets | O::GetSecretPolicy | O::DescribeRepositories | O::GetRepositoryPolicy => {
            value(async move { secret_or_repository(operation, q).await })
        }
        O::ListAnalyzers
        | O::ListFindings
        | O::GetFindingRecommendation
        | O::ListPolicyGenerations
        | O::GetGeneratedPolicy => value(async move { analyzer::ask(operation, q).await }),
        O::ListEventBuses | O::GetRestApis => value(async move { bus_or_api(operation, q).await }),
        O::DescribeTrails | O::GetEventSelectors | O::GetTrailStatus => value(async move { trail(operation, q).await }),
    }
}

fn value(asked: impl Future<Output = Result<Value, Failure>> + Send + 'static) -> Asked {
    Box::pin(async move { asked.await.map(Answer::Value) })
}

async fn function(operation: Operation, q: Question) -> Result<Value, Failure> {
    let client = client!(aws_sdk_lambda, q);
    match operation {
        Operation::ListFunctions => pages!(client.list_functions(), "Functions", set_marker, next_marker),
        Operation::ListEventSourceMappings => {
            pages!(client.list_event_source_mappings(), "EventSourceMappings", set_marker, next_marker)
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
