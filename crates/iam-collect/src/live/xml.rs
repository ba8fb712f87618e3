//! Services that answer in XML: buckets, topics and stacks, as the AWS CLI prints them.
//!
//! Complete for what a snapshot uses, and no more. Parameters and outputs of stacks are left out: people put secrets there.

use aws_sdk_cloudformation::types::{Stack, StackResourceSummary};
use aws_sdk_s3::types::Bucket;
use iam_model::json::Value;

use super::answer::{Failure, Pages};
use super::fetch::{Question, client};
use super::shape::{list, object, sparse, text, time};
use crate::calls::Operation;
use crate::redact::LEFT_OUT;

pub(super) async fn bucket(operation: Operation, q: Question) -> Result<Value, Failure> {
    let client = client!(aws_sdk_s3, q);
    match operation {
        Operation::ListBuckets => {
            let mut marks = Pages::new("");
            let mut buckets = Vec::new();
            loop {
                // With a page size AWS tells each bucket's region.
                let request = client.list_buckets().max_buckets(1000).set_continuation_token(marks.mark());
                let page = request.send().await.map_err(|error| Failure::of(&error))?;
                buckets.extend(page.buckets().iter().map(described));
                if !marks.goes_on(page.continuation_token().map(ToOwned::to_owned))? {
                    return Ok(object([("Buckets", Value::Array(buckets))]));
                }
            }
        }
        Operation::GetBucketNotification => {
            let request = client.get_bucket_notification_configuration().bucket(q.id);
            let answer = request.send().await.map_err(|error| Failure::of(&error))?;
            Ok(notifications(&answer))
        }
        Operation::GetBucketPolicy => {
            let answer = client.get_bucket_policy().bucket(q.id).send().await.map_err(|error| Failure::of(&error))?;
            Ok(sparse([("Policy", text(answer.policy()))]))
        }
        _ => {
            let request = client.get_public_access_block().bucket(q.id);
            let answer = request.send().await.map_err(|error| Failure::of(&error))?;
            let block = answer.public_access_block_configuration().map(|block| {
                let flag = |flag: Option<bool>| Value::Bool(flag.unwrap_or(false));
                object([
                    ("BlockPublicAcls", flag(block.block_public_acls())),
                    ("IgnorePublicAcls", flag(block.ignore_public_acls())),
                    ("BlockPublicPolicy", flag(block.block_public_policy())),
                    ("RestrictPublicBuckets", flag(block.restrict_public_buckets())),
                ])
            });
            Ok(sparse([("PublicAccessBlockConfiguration", block)]))
        }
    }
}

/// Whom a bucket notifies, and of what; which keys are filtered is left out.
fn notifications(
    answer: &aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput,
) -> Value {
    let one = |id: Option<&str>, key: &str, arn: &str, events: &[aws_sdk_s3::types::Event]| {
        let mut members = vec![];
        members.extend(text(id).map(|id| ("Id".to_owned(), id)));
        members.push((key.to_owned(), Value::text(arn)));
        members.extend(list(events, |event| Value::text(event.as_str())).map(|list| ("Events".to_owned(), list)));
        Value::Object(members)
    };
    let kept = |found: Option<Value>| found.filter(|list| !list.items().is_empty());
    sparse([
        (
            "LambdaFunctionConfigurations",
            kept(list(answer.lambda_function_configurations(), |c| {
                one(c.id(), "LambdaFunctionArn", c.lambda_function_arn(), c.events())
            })),
        ),
        (
            "QueueConfigurations",
            kept(list(answer.queue_configurations(), |c| one(c.id(), "QueueArn", c.queue_arn(), c.events()))),
        ),
        (
            "TopicConfigurations",
            kept(list(answer.topic_configurations(), |c| one(c.id(), "TopicArn", c.topic_arn(), c.events()))),
        ),
        ("EventBridgeConfiguration", answer.event_bridge_configuration().map(|_| object([]))),
    ])
}

fn described(bucket: &Bucket) -> Value {
    sparse([
        ("Name", text(bucket.name())),
        ("CreationDate", time(bucket.creation_date())),
        ("BucketRegion", text(bucket.bucket_region())),
    ])
}

pub(super) async fn topic(operation: Operation, q: Question) -> Result<Value, Failure> {
    let client = client!(aws_sdk_sns, q);
    if operation == Operation::GetTopicAttributes {
        let request = client.get_topic_attributes().topic_arn(q.id);
        let answer = request.send().await.map_err(|error| Failure::of(&error))?;
        let mut attributes: Vec<(String, Value)> =
            answer.attributes().into_iter().flatten().map(|(key, value)| (key.clone(), Value::text(value))).collect();
        attributes.sort_by(|a, b| a.0.cmp(&b.0));
        return Ok(object([("Attributes", Value::Object(attributes))]));
    }
    let mut marks = Pages::new("");
    if operation == Operation::ListSubscriptions {
        let mut found = Vec::new();
        loop {
            let request = client.list_subscriptions().set_next_token(marks.mark());
            let page = request.send().await.map_err(|error| Failure::of(&error))?;
            found.extend(page.subscriptions().iter().map(subscription));
            if !marks.goes_on(page.next_token().map(ToOwned::to_owned))? {
                return Ok(object([("Subscriptions", Value::Array(found))]));
            }
        }
    }
    let mut topics = Vec::new();
    loop {
        let request = client.list_topics().set_next_token(marks.mark());
        let page = request.send().await.map_err(|error| Failure::of(&error))?;
        topics.extend(page.topics().iter().map(|topic| sparse([("TopicArn", text(topic.topic_arn()))])));
        if !marks.goes_on(page.next_token().map(ToOwned::to_owned))? {
            return Ok(object([("Topics", Value::Array(topics))]));
        }
    }
}

/// Of who gets what a topic publishes, addresses that are no ARN stay out: they are people's, or may hold a token.
fn subscription(one: &aws_sdk_sns::types::Subscription) -> Value {
    let endpoint = one.endpoint().map(|address| if address.starts_with("arn:") { address } else { LEFT_OUT });
    sparse([
        ("SubscriptionArn", text(one.subscription_arn())),
        ("Owner", text(one.owner())),
        ("Protocol", text(one.protocol())),
        ("Endpoint", text(endpoint)),
        ("TopicArn", text(one.topic_arn())),
    ])
}

pub(super) async fn stack(operation: Operation, q: Question) -> Result<Value, Failure> {
    let client = client!(aws_sdk_cloudformation, q);
    let mut marks = Pages::new("");
    let mut items = Vec::new();
    loop {
        let mark = if operation == Operation::DescribeStacks {
            let request = client.describe_stacks().set_next_token(marks.mark());
            let page = request.send().await.map_err(|error| Failure::of(&error))?;
            items.extend(page.stacks().iter().map(stack_described));
            page.next_token().map(ToOwned::to_owned)
        } else {
            // `DescribeStackResources` stops at a hundred; its shape is what is kept.
            let request = client.list_stack_resources().stack_name(&q.id).set_next_token(marks.mark());
            let page = request.send().await.map_err(|error| Failure::of(&error))?;
            items.extend(page.stack_resource_summaries().iter().map(|resource| stack_resource(&q.id, resource)));
            page.next_token().map(ToOwned::to_owned)
        };
        if !marks.goes_on(mark)? {
            let list = if operation == Operation::DescribeStacks { "Stacks" } else { "StackResources" };
            return Ok(object([(list, Value::Array(items))]));
        }
    }
}

fn stack_described(stack: &Stack) -> Value {
    let tag =
        |tag: &aws_sdk_cloudformation::types::Tag| sparse([("Key", text(tag.key())), ("Value", text(tag.value()))]);
    sparse([
        ("StackId", text(stack.stack_id())),
        ("StackName", text(stack.stack_name())),
        ("StackStatus", text(stack.stack_status().map(|status| status.as_str()))),
        ("RoleARN", text(stack.role_arn())),
        ("ParentId", text(stack.parent_id())),
        ("RootId", text(stack.root_id())),
        ("Capabilities", list(stack.capabilities(), |capability| Value::text(capability.as_str()))),
        ("Tags", list(stack.tags(), tag)),
    ])
}

fn stack_resource(stack: &str, resource: &StackResourceSummary) -> Value {
    // arn:aws:cloudformation:<region>:<account>:stack/<name>/<uuid>
    let name = stack.split('/').nth(1).unwrap_or(stack);
    sparse([
        ("StackName", Some(Value::text(name))),
        ("StackId", Some(Value::text(stack))),
        ("LogicalResourceId", text(resource.logical_resource_id())),
        ("PhysicalResourceId", text(resource.physical_resource_id())),
        ("ResourceType", text(resource.resource_type())),
        ("ResourceStatus", text(resource.resource_status().map(|status| status.as_str()))),
    ])
}
