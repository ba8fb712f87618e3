//! What Lambda needs to read a function's event sources and to pass on what failed.
//!
//! Lambda polls queues, streams and brokers with the function's role; the code calls none of it. Follows the Lambda
//! Developer Guide topics on event source mappings, one for each source, and "Retaining records of failed invocations".

use iam_model::arn::{Arn, ResourcePattern};
use iam_model::json::Value;
use iam_model::snapshot::Resource;

use super::{NETWORK, texts};

/// What one kind of source asks for.
struct Source {
    service: &'static str,
    on_source: &'static [&'static str],
    /// On what lies beside the source: the kind in its ARN, any of which is meant.
    beside: &'static [(&'static str, &'static str)],
    /// On every resource: these take none.
    anywhere: &'static [&'static str],
    /// Whether Lambda reaches the source through network interfaces in its VPC.
    in_vpc: bool,
}

/// What Lambda looks up before it reaches into a VPC that is not the function's.
const OTHERS_NETWORK: &[&str] = &["ec2:DescribeSecurityGroups", "ec2:DescribeVpcs"];

const SOURCES: &[Source] = &[
    Source {
        service: "sqs",
        on_source: &["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
        beside: &[],
        anywhere: &[],
        in_vpc: false,
    },
    Source {
        service: "dynamodb",
        on_source: &["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
        beside: &[],
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
            SUBSCRIBE,
        ],
        beside: &[],
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
        beside: &[],
        anywhere: OTHERS_NETWORK,
        in_vpc: true,
    },
    Source { service: "mq", on_source: &["mq:DescribeBroker"], beside: &[], anywhere: OTHERS_NETWORK, in_vpc: true },
    Source {
        service: "rds",
        on_source: &["rds:DescribeDBClusters"],
        beside: &[("cluster-pg", "rds:DescribeDBClusterParameters"), ("subgrp", "rds:DescribeDBSubnetGroups")],
        anywhere: OTHERS_NETWORK,
        in_vpc: true,
    },
];

const SUBSCRIBE: &str = "kinesis:SubscribeToShard";

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
        of_mapping(mapping, found);
    }
}

/// The same for one mapping.
pub(super) fn of_mapping(mapping: &Value, found: &mut dyn FnMut(&[&str], ResourcePattern, String)) {
    let source = arn_at(mapping, &["EventSourceArn"]);
    if let Some(source) = &source {
        of_source(source, mapping, found);
    }
    if mapping.get("SelfManagedEventSource").is_some() {
        let network: Vec<&str> = NETWORK.iter().chain(OTHERS_NETWORK).copied().collect();
        found(&network, ResourcePattern::everything(), "reads a Kafka cluster of its own".into());
    }
    let accesses = mapping.get("SourceAccessConfigurations").map(Value::items).unwrap_or_default().iter();
    let registry = ["AmazonManagedKafkaEventSourceConfig", "SelfManagedKafkaEventSourceConfig"];
    let registry = registry.iter().filter_map(|key| mapping.get(key)?.get("SchemaRegistryConfig"));
    let registries: Vec<&Value> = registry.collect();
    let also = registries.iter().flat_map(|one| one.get("AccessConfigs").map(Value::items).unwrap_or_default());
    for access in accesses.chain(also) {
        if let Some(secret) = arn_at(access, &["URI"]).filter(|arn| arn.service() == "secretsmanager") {
            let on = ResourcePattern::from(&secret);
            found(&["secretsmanager:GetSecretValue"], on, "signs in at its event source".into());
        }
    }
    for registry in registries.iter().filter_map(|one| arn_at(one, &["SchemaRegistryURI"])) {
        if let Some(head) = registry.as_str().strip_suffix(registry.resource()).filter(|_| registry.service() == "glue")
        {
            let what = || "reads the schemas of its records".to_owned();
            found(&["glue:GetRegistry", "glue:GetSchemaVersion"], ResourcePattern::from(&registry), what());
            found(&["glue:GetSchemaVersion"], ResourcePattern::new(&format!("{head}schema/*")), what());
        }
    }
    let failed = mapping.get("DestinationConfig").and_then(|config| config.get("OnFailure"));
    for target in failed.map(|failed| texts(failed, &["Destination"])).unwrap_or_default() {
        match (target.parse::<Arn>(), target.strip_prefix("kafka://"), &source) {
            (Ok(target), _, _) => destination(&target, "passes on records that failed", found),
            (Err(_), Some(topic), Some(source)) => to_topic(topic, source, found),
            _ => {}
        }
    }
}

/// A topic of the same cluster that takes records that failed.
fn to_topic(topic: &str, source: &Arn, found: &mut dyn FnMut(&[&str], ResourcePattern, String)) {
    let Some((head, cluster)) = source.as_str().split_once(":cluster/") else { return };
    let on = ResourcePattern::new(&format!("{head}:topic/{cluster}/{topic}"));
    found(&["kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"], on, "passes on records that failed".into());
}

fn of_source(source: &Arn, mapping: &Value, found: &mut dyn FnMut(&[&str], ResourcePattern, String)) {
    let Some(kind) = SOURCES.iter().find(|kind| kind.service == source.service()) else { return };
    // A consumer of a stream is subscribed to; all else is asked of the stream.
    let stream = source.as_str().split_once("/consumer/").map(|(stream, _)| stream);
    let what =
        format!("reads {}", stream.and_then(|stream| stream.rsplit('/').next()).unwrap_or_else(|| source.name()));
    let subscribes = stream.is_some();
    if subscribes {
        found(&[SUBSCRIBE], ResourcePattern::from(source), what.clone());
    }
    let on_source: Vec<&str> =
        kind.on_source.iter().copied().filter(|action| !subscribes || *action != SUBSCRIBE).collect();
    let on = stream.unwrap_or(source.as_str());
    let on =
        if source.resource().starts_with("vpc-connection/") { across_accounts(source, found) } else { on.to_owned() };
    found(&on_source, ResourcePattern::new(&on), what.clone());
    for (beside, action) in kind.beside {
        if let Some(head) = source.as_str().strip_suffix(source.resource()) {
            found(&[action], ResourcePattern::new(&format!("{head}{beside}:*")), what.clone());
        }
    }
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

/// A cluster of another account, which only the connection to it is known of: whatever is granted there is meant.
fn across_accounts(connection: &Arn, found: &mut dyn FnMut(&[&str], ResourcePattern, String)) -> String {
    let what = "reads a cluster of another account".to_owned();
    found(&["kafka:DescribeVpcConnection"], ResourcePattern::from(connection), what.clone());
    let any = format!("arn:{}:kafka:{}:*:*", connection.partition(), connection.region());
    for (_, actions) in WITHIN_KAFKA {
        found(actions, ResourcePattern::new(&any), what.clone());
    }
    any
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
