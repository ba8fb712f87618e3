//! What Lambda does for a function with the function's role: exactly what each event source and destination asks for, on
//! exactly that queue, stream or topic.

use super::*;
use crate::NeedRule;

const AT: &str = "us-east-1:111122223333";

/// Everything of a wildcard that stays beside the log, the VPC and the one call that was seen: `action resource`, sorted.
fn kept(api: &str, hides: &(dyn Fn(&Action) -> bool + Sync)) -> Vec<String> {
    let function = FUNCTION.replace(r#""VpcConfig": {"VpcId": "vpc-1"}"#, api);
    let wide = r#"[{"Effect": "Allow", "Action": "*", "Resource": "*"}]"#;
    let rules = Rules { min_days: 30, ..Rules::default() };
    let proposal =
        propose_hiding(&snapshot(&[wide], BASIC, &function), vec![seen("dynamodb:PutItem", TABLE)], &rules, 90, hides);
    let document = proposal.changes[0].after.as_ref().unwrap();
    let mut words = Vec::new();
    for statement in &document.statements {
        let values = statement.conditions.iter().flat_map(|condition| &condition.values);
        let conditions: String = values.map(|value| format!(" if {}", value.value)).collect();
        for action in statement.action.patterns().iter().map(|p| p.value.as_str()) {
            let own = action.starts_with("logs:") || action == "dynamodb:PutItem";
            let on = statement.resource.patterns().iter().filter(|_| !own);
            words.extend(on.map(|resource| format!("{action} {}{conditions}", resource.value)));
        }
    }
    words.sort();
    words
}

/// `expected`: a resource, and the actions on it, line by line.
#[track_caller]
fn check(api: &str, expected: &[(&str, &[&str])]) {
    let mut words: Vec<String> =
        expected.iter().flat_map(|(on, actions)| actions.iter().map(move |action| format!("{action} {on}"))).collect();
    words.sort();
    assert_eq!(kept(api, &|_| false), words, "{api}");
}

fn reads(source: &str, more: &str) -> String {
    format!(r#""EventSourceMappings": [{{"EventSourceArn": "{source}"{more}}}]"#)
}

const NETWORK: &[&str] = &[
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ec2:UnassignPrivateIpAddresses",
];

#[test]
fn each_event_source_keeps_what_its_poller_asks_for() {
    check(&reads(QUEUE, ""), &[(QUEUE, &["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"])]);
    let stream = format!("{TABLE}/stream/2026-01-01T00:00:00.000");
    let of_table: &[&str] = &["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"];
    check(&reads(&stream, ""), &[(&stream, of_table), ("*", &["dynamodb:ListStreams"])]);
    let stream = format!("arn:aws:kinesis:{AT}:stream/clicks");
    let of_stream: &[&str] = &[
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
    ];
    let subscribes: &[&str] = &["kinesis:SubscribeToShard"];
    check(&reads(&stream, ""), &[(&stream, of_stream), (&stream, subscribes), ("*", &["kinesis:ListStreams"])]);
    let consumer = format!("{stream}/consumer/fast:1700000000");
    check(&reads(&consumer, ""), &[(&stream, of_stream), (&consumer, subscribes), ("*", &["kinesis:ListStreams"])]);
    let secret = format!("arn:aws:secretsmanager:{AT}:secret:mq-abcdef");
    let signs_in = format!(r#", "SourceAccessConfigurations": [{{"Type": "BASIC_AUTH", "URI": "{secret}"}}]"#);
    let broker = format!("arn:aws:mq:{AT}:broker:b:b-1");
    let gets: &[&str] = &["secretsmanager:GetSecretValue"];
    check(&reads(&broker, &signs_in), &[(&broker, &["mq:DescribeBroker"]), ("*", NETWORK), (&secret, gets)]);
    let documents = format!("arn:aws:rds:{AT}:cluster:docs");
    let (parameters, subnets) = (format!("arn:aws:rds:{AT}:cluster-pg:*"), format!("arn:aws:rds:{AT}:subgrp:*"));
    let describes: &[(&str, &[&str])] = &[
        (&documents, &["rds:DescribeDBClusters"]),
        (&parameters, &["rds:DescribeDBClusterParameters"]),
        (&subnets, &["rds:DescribeDBSubnetGroups"]),
        ("*", NETWORK),
    ];
    check(&reads(&documents, ""), describes);
}

/// What reads a stream lies apart from the function in some snapshots, as destinations do.
#[test]
fn settings_that_stand_apart_from_their_function_stay() {
    let function = "arn:aws:lambda:us-east-1:111122223333:function:orders";
    let apart = |kind: &str, api: &str| {
        let own = format!(r#""FunctionArn": "{function}:$LATEST", {api}"#);
        format!(r#""Runtime": "r"}}}}, {{"kind": "{kind}", "arn": "{function}", "api": {{{own}"#)
    };
    let passes = format!(r#""DestinationConfig": {{"OnFailure": {{"Destination": "{QUEUE}"}}}}"#);
    check(&apart("lambda.event_invoke_config", &passes), &[(QUEUE, &["sqs:SendMessage"])]);
    let receives: &[&str] = &["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];
    let reads = format!(r#""EventSourceArn": "{QUEUE}""#);
    check(&apart("lambda.event_source_mapping", &reads), &[(QUEUE, receives)]);
}

/// CloudFront runs copies in every Region, which write to groups named after the Region that they come from.
#[test]
fn a_role_at_the_edge_writes_its_logs_in_every_region() {
    let wide = r#"[{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}, {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]"#;
    let text = |at_edge: bool| {
        let mut snapshot = snapshot(&[wide], "", FUNCTION);
        let role = &mut snapshot.accounts.values_mut().next().unwrap().roles[0];
        let services = if at_edge {
            r#"["lambda.amazonaws.com", "edgelambda.amazonaws.com"]"#
        } else {
            r#""lambda.amazonaws.com""#
        };
        let trust = format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Principal": {{"Service": {services}}}, "Action": "sts:AssumeRole"}}]}}"#
        );
        let source = SourceText { name: SourceName::new("trust"), text: trust };
        role.trust = iam_model::policy::parse(&source).0;
        after(&propose(&snapshot, vec![seen("dynamodb:PutItem", TABLE)])).concat()
    };
    let (edge, plain) =
        ("arn:aws:logs:*:111122223333:log-group:/aws/lambda/us-east-1.orders:*", "log-group:/aws/lambda/orders:*");
    assert!(text(true).contains(edge) && text(true).contains(plain), "{}", text(true));
    assert!(!text(false).contains("us-east-1.orders") && text(false).contains(plain), "{}", text(false));
}

/// Insights and application signals write to groups of their own; what is durable keeps its checkpoints.
#[test]
fn what_layers_and_checkpoints_write_stays() {
    let function = "arn:aws:lambda:us-east-1:111122223333:function:orders";
    let versions = format!("{function}:*");
    let durable: &[&str] = &["lambda:CheckpointDurableExecution", "lambda:GetDurableExecutionState"];
    let config = r#""DurableConfig": {"ExecutionTimeout": 60}"#;
    check(config, &[(function, durable), (&versions, durable)]);
    let insights = r#"{"kind": "lambda.function", "arn": "arn:aws:lambda:us-east-1:111122223333:function:orders",
        "role_arn": "arn:aws:iam::111122223333:role/orders", "api": {"FunctionName": "orders",
        "Layers": [{"Arn": "arn:aws:lambda:us-east-1:580247275435:layer:LambdaInsightsExtension:38"}]}}"#;
    let wide = r#"[{"Effect": "Allow", "Action": "*", "Resource": "*"}]"#;
    let text = after(&propose(&snapshot(&[wide], "", insights), vec![seen("dynamodb:PutItem", TABLE)])).concat();
    assert!(text.contains("log-group:/aws/lambda-insights:*"), "{text}");
}

#[test]
fn a_poller_of_kafka_reads_the_topics_of_its_mapping_as_its_group() {
    let at = |kind: &str, rest: &str| format!("arn:aws:kafka:{AT}:{kind}/c/1-2{rest}");
    let cluster: &[&str] = &[
        "kafka-cluster:Connect",
        "kafka-cluster:DescribeClusterDynamicConfiguration",
        "kafka:DescribeCluster",
        "kafka:DescribeClusterV2",
        "kafka:GetBootstrapBrokers",
    ];
    let group: &[&str] = &["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"];
    let topic: &[&str] = &["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"];
    let says = r#", "Topics": ["orders"], "AmazonManagedKafkaEventSourceConfig": {"ConsumerGroupId": "g"}"#;
    for (more, own_topic, own_group) in [(says, "/orders", "/g"), ("", "/*", "/*")] {
        check(
            &reads(&at("cluster", ""), more),
            &[
                (&at("cluster", ""), cluster),
                (&at("topic", own_topic), topic),
                (&at("group", own_group), group),
                ("*", NETWORK),
            ],
        );
    }
}

#[test]
fn what_a_function_passes_on_and_mounts_stays() {
    let topic = format!("arn:aws:sns:{AT}:failed");
    let destinations = format!(
        r#""EventInvokeConfig": {{"DestinationConfig": {{"OnFailure": {{"Destination": "{topic}"}}, "OnSuccess": {{"Destination": "{QUEUE}"}}}}}}"#
    );
    check(&destinations, &[(&topic, &["sns:Publish"]), (QUEUE, &["sqs:SendMessage"])]);
    let bus = format!("arn:aws:events:{AT}:event-bus/b");
    check(&format!(r#""DeadLetterConfig": {{"TargetArn": "{QUEUE}"}}"#), &[(QUEUE, &["sqs:SendMessage"])]);
    let failed = |to: &str| format!(r#", "DestinationConfig": {{"OnFailure": {{"Destination": "{to}"}}}}"#);
    let receives: &[&str] = &["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];
    check(&reads(QUEUE, &failed(&bus)), &[(QUEUE, receives), (&bus, &["events:PutEvents"])]);
    let mounts = format!(
        r#""FileSystemConfigs": [{{"Arn": "arn:aws:elasticfilesystem:{AT}:access-point/fsap-1", "LocalMountPath": "/mnt/a"}}]"#
    );
    let systems = format!("arn:aws:elasticfilesystem:{AT}:file-system/*");
    check(&mounts, &[(&systems, &["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"])]);
    check(r#""Runtime": "python3.13""#, &[]);
}

#[test]
fn a_poller_of_an_encrypted_queue_keeps_the_key_where_the_trail_leaves_keys_out() {
    let api = reads(QUEUE, "");
    let hides = |action: &Action| action.service() == "kms";
    let through_sqs = |words: Vec<String>| {
        let keys = words.into_iter().filter(|word| word.starts_with("kms:") && word.contains("if sqs."));
        keys.map(|word| word.split(" * ").next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(through_sqs(kept(&api, &hides)), ["kms:Decrypt"]);
    assert_eq!(through_sqs(kept(&api, &|_| false)), [""; 0], "where the trail records keys, no use of one was seen");
    assert_eq!(through_sqs(kept(r#""Runtime": "python3.13""#, &hides)), [""; 0]);
}

/// `rds-db:connect` is asked by no call of the API, so that no trail shows it.
#[test]
fn signing_in_at_a_database_stays_where_it_is_named_and_is_asked_about_where_not() {
    let user = format!("arn:aws:rds-db:{AT}:dbuser:cluster-ABCDEFGHIJKL01234/app");
    let policy = |action: &str, on: &str| {
        format!(r#"[{{"Effect": "Allow", "Action": ["{action}", "dynamodb:*"], "Resource": "{on}"}}]"#)
    };
    let propose = |policy: &str| propose(&snapshot(&[policy], BASIC, FUNCTION), vec![seen("dynamodb:PutItem", TABLE)]);
    for on in [user.as_str(), "*"] {
        let proposal = propose(&policy("rds-db:connect", on));
        let need = proposal.needs.iter().find(|need| need.action.as_str() == "rds-db:connect").unwrap();
        assert_eq!((need.rule, need.grade()), (NeedRule::NotShown, Grade::Retained));
        assert!(after(&proposal).concat().contains("rds-db:connect"), "{on}");
    }
    let wild = propose(&policy("rds-db:*", "*"));
    assert!(!after(&wild).concat().contains("rds-db"));
    assert!(wild.blind_spots.iter().any(|spot| spot.service == "rds-db"), "{:?}", wild.blind_spots);
}

#[test]
fn secrets_and_parameters_stay_by_their_own_arns_with_their_keys() {
    let secret = format!("arn:aws:secretsmanager:{AT}:secret:prod/db-AbCdEf");
    let parameter = format!("arn:aws:ssm:{AT}:parameter/prod/db");
    let wide = r#"[{"Effect": "Allow", "Action": "*", "Resource": "*"}]"#;
    let calls = || vec![seen("secretsmanager:GetSecretValue", &secret), seen("ssm:GetParameter", &parameter)];
    let rules = Rules { min_days: 30, ..Rules::default() };
    let hides = |action: &Action| action.service() == "kms";
    let text = after(&propose_hiding(&snapshot(&[wide], BASIC, FUNCTION), calls(), &rules, 90, &hides)).concat();
    for word in [&secret, &parameter, "secretsmanager.us-east-1.amazonaws.com", "ssm.us-east-1.amazonaws.com"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(!text.contains("secret:*") && !text.contains("parameter/*"), "{text}");
}
