//! What Lambda needs to read a function's event sources and to pass on what failed.
//!
//! Lambda polls queues, streams and brokers with the function's role; the code calls none of it. Follows the Lambda
//! Developer Guide topics on event source mappings, one for each source, and "Retaining records of failed invocations".

use iam_model::arn::{Arn, ResourcePattern};
use iam_model::json::Value;
use iam_model::snapshot::Resource;

use super::NETWORK;

/// What one kind of source asks for, on the source itself.
struct Source {
    service: &'static str,
    on_source: &'static [&'static str],
    /// On every resource: these take none.
    anywhere: &'static [&'static str],
    /// Whether Lambda reaches the source through network interfaces in its VPC.
    in_vpc: bool,
}

const SOURCES: &[Source] = &[
    Source {
        service: "sqs",
        on_source: &["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
        anywhere: &[],
        in_vpc: false,
    },
    Source {
        service: "dynamodb",
        on_source: &["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
        anywhere: &["dynamodb:ListStreams"],
        in_vpc: false,
    },
    Source {
        service: "kinesis",
        on_source: &[
            "kinesis:DescribeStream",
            "kinesis:DescribeStreamSummary",
            "kinesis:GetRecords",
            "kinesis:GetShardIterator",
            "kinesis:ListShards",
            "kinesis:SubscribeToShard",
        ],
        anywhere: &["kinesis:ListStreams"],
        in_vpc: false,
    },
    Source {
        service: "kafka",
        on_source: &[
            "kafka-cluster:Connect",
            "kafka-cluster:DescribeClusterDynamicConfiguration",
            "kafka:DescribeCluster",
            "kafka:DescribeClusterV2",
            "kafka:GetBootstrapBrokers",
        ],
        anywhere: &["ec2:DescribeSecurityGroups", "ec2:DescribeVpcs"],
        in_vpc: true,
    },
    Source {
        service: "mq",
        on_source: &["mq:DescribeBroker"],
        anywhere: &["ec2:DescribeSecurityGroups", "ec2:DescribeVpcs"],
        in_vpc: true,
    },
    Source {
        service: "rds",
        on_source: &["rds:DescribeDBClusterParameters", "rds:DescribeDBClusters", "rds:DescribeDBSubnetGroups"],
        anywhere: &["ec2:DescribeSecurityGroups", "ec2:DescribeVpcs"],
        in_vpc: true,
    },
];

/// Actions on what lies within a cluster of Kafka, by the kind of its ARN.
const WITHIN_KAFKA: &[(&str, &[&str])] = &[
    ("topic", &["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"]),
    ("group", &["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"]),
];

/// What takes records that failed.
const DESTINATIONS: &[(&str, &[&str])] = &[
    ("sqs", &["sqs:SendMessage"]),
    ("sns", &["sns:Publish"]),
    ("lambda", &["lambda:InvokeFunction"]),
    ("events", &["events:PutEvents"]),
];

/// Tells `found` every action that a function's event sources ask for, with its resource and what it is for.
pub(super) fn each(function: &Resource, found: &mut dyn FnMut(&[&str], ResourcePattern, String)) {
    let mappings = function.api.get("EventSourceMappings").map(Value::items).unwrap_or_default();
    for mapping in mappings {
        if let Some(source) = arn_at(mapping, &["EventSourceArn"]) {
            of_source(&source, mapping, found);
        }
        if mapping.get("SelfManagedEventSource").is_some() {
            found(NETWORK, ResourcePattern::everything(), "reads a Kafka cluster of its own".into());
        }
        for access in mapping.get("SourceAccessConfigurations").map(Value::items).unwrap_or_default() {
            if let Some(secret) = arn_at(access, &["URI"]).filter(|arn| arn.service() == "secretsmanager") {
                let on = ResourcePattern::from(&secret);
                found(&["secretsmanager:GetSecretValue"], on, "signs in at its event source".into());
            }
        }
        if let Some(target) = arn_at(mapping, &["DestinationConfig", "OnFailure", "Destination"]) {
            destination(&target, "passes on records that failed", found);
        }
    }
}

fn of_source(source: &Arn, mapping: &Value, found: &mut dyn FnMut(&[&str], ResourcePattern, String)) {
    let Some(kind) = SOURCES.iter().find(|kind| kind.service == source.service()) else { return };
    // A consumer of a stream is subscribed to; the rest is asked of the stream.
    let stream = source.as_str().split_once("/consumer/").map(|(stream, _)| stream);
    let what =
        format!("reads {}", stream.and_then(|stream| stream.rsplit('/').next()).unwrap_or_else(|| source.name()));
    if stream.is_some() {
        found(&["kinesis:SubscribeToShard"], ResourcePattern::from(source), what.clone());
    }
    found(kind.on_source, ResourcePattern::new(stream.unwrap_or(source.as_str())), what.clone());
    found(kind.anywhere, ResourcePattern::everything(), what.clone());
    if kind.in_vpc {
        found(NETWORK, ResourcePattern::everything(), what.clone());
    }
    for (within, actions) in WITHIN_KAFKA {
        if let Some((head, cluster)) = source.as_str().split_once(":cluster/").filter(|_| kind.service == "kafka") {
            for name in within_kafka(within, mapping) {
                found(actions, ResourcePattern::new(&format!("{head}:{within}/{cluster}/{name}")), what.clone());
            }
        }
    }
}

/// The topics that a mapping reads, and the group it reads them as; all where it does not say.
fn within_kafka<'m>(within: &str, mapping: &'m Value) -> Vec<&'m str> {
    let group = || mapping.get("AmazonManagedKafkaEventSourceConfig")?.get("ConsumerGroupId")?.as_str();
    let topics = || mapping.get("Topics").map(Value::items).unwrap_or_default().iter().filter_map(Value::as_str);
    let named: Vec<&str> = if within == "topic" { topics().collect() } else { group().into_iter().collect() };
    if named.is_empty() { vec!["*"] } else { named }
}

/// What a target of failed records or dead letters asks for.
pub(super) fn destination(target: &Arn, what: &str, found: &mut dyn FnMut(&[&str], ResourcePattern, String)) {
    if target.service() == "s3" {
        found(&["s3:ListBucket"], ResourcePattern::from(target), what.into());
        found(&["s3:PutObject"], ResourcePattern::new(&format!("{target}/*")), what.into());
    }
    for (_, actions) in DESTINATIONS.iter().filter(|(service, _)| *service == target.service()) {
        found(actions, ResourcePattern::from(target), what.into());
    }
}

/// The ARN of the account's resources that a description names.
fn arn_at(value: &Value, path: &[&str]) -> Option<Arn> {
    let found = path.iter().try_fold(value, |value, key| value.get(key))?;
    found.as_str()?.parse().ok()
}
