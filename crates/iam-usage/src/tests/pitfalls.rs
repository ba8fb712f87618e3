//! The ways CloudTrail misleads a reader, each with the events that do it.

use iam_model::usage::{SkipReason, UsageLog};

use crate::{FileKind, LogSource, Options, kind_of_path, read};

const ROLE: &str = "arn:aws:iam::111122223333:role/service-role/worker-role";

/// A record of a Lambda session of [`ROLE`]; `more` is members that follow, each after a comma.
pub(super) fn event(source: &str, name: &str, parameters: &str, more: &str) -> String {
    let more = if more.is_empty() { String::new() } else { format!(", {more}") };
    let id = format!("{source}{name}{parameters}{more}")
        .bytes()
        .fold(0_u64, |n, b| n.wrapping_mul(31).wrapping_add(b.into()));
    format!(
        r#"{{"eventID": "{id}", "eventTime": "2026-11-20T08:15:30Z", "eventSource": "{source}.amazonaws.com", "eventName": "{name}",
        "awsRegion": "eu-west-1", "recipientAccountId": "111122223333", "requestParameters": {parameters}, "userIdentity":
        {{"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/worker-role/worker", "sessionContext":
        {{"sessionIssuer": {{"type": "Role", "arn": "{ROLE}"}}}}}}{more}}}"#
    )
}

pub(super) fn log(records: &[String]) -> UsageLog {
    let text = format!(r#"{{"Records": [{}]}}"#, records.join(",\n"));
    let (log, diagnostics) =
        read([LogSource::from_bytes("trail.json", text.into_bytes())], super::catalog(), &Options::default(), &|_| {});
    assert_eq!(diagnostics, []);
    super::check_sum(&log);
    log
}

/// `action on resources [when key=value] [xN] [denied]`, in order; `?` before resources that the event did not tell.
pub(super) fn rows(log: &UsageLog) -> Vec<String> {
    let mut rows = Vec::new();
    for o in log.principals.values().flat_map(|usage| &usage.observations) {
        let resources: Vec<&str> = o.resources.iter().map(|r| r.as_str()).collect();
        let unknown = if o.resource_known { "" } else { "?" };
        let mut row =
            format!("{} on {unknown}{}", o.action, resources.join(" ")).replace("eu-west-1:111122223333", "R:A");
        for (key, values) in &o.context {
            row += &format!(" when {key}={}", values.join(","));
        }
        if o.denied > 0 {
            row += " denied";
        }
        if o.count > 1 {
            row += &format!(" x{}", o.count);
        }
        rows.push(row);
    }
    rows
}

pub(super) fn check(records: &[String], expected: &[&str]) {
    assert_eq!(rows(&log(records)), expected, "{records:#?}");
}

/// What a call says, as [`rows`].
pub(super) fn told(source: &str, name: &str, parameters: &str) -> Vec<String> {
    rows(&log(&[event(source, name, parameters, "")]))
}

pub(super) fn one(source: &str, name: &str, parameters: &str, expected: &[&str]) {
    check(&[event(source, name, parameters, "")], expected);
}

#[test]
fn p01_version_suffixes_are_cut_where_they_are_suffixes() {
    let f = r#"{"functionName": "f"}"#;
    one("lambda", "GetFunction20150331v2", f, &["lambda:GetFunction on arn:aws:lambda:R:A:function:f"]);
    one("lambda", "DeleteFunction20150331", f, &["lambda:DeleteFunction on arn:aws:lambda:R:A:function:f"]);
    one(
        "cloudfront",
        "CreateInvalidation2020_05_31",
        r#"{"distributionId": "E1"}"#,
        &["cloudfront:CreateInvalidation on arn:aws:cloudfront::111122223333:distribution/E1"],
    );
    one("kafka", "CreateClusterV2", "{}", &["kafka:CreateClusterV2 on ?*"]);
    one("guardduty", "ListDetectors", "{}", &["guardduty:ListDetectors on *"]);
    one(
        "rds",
        "RestoreDBInstanceFromS3",
        r#"{"dBInstanceIdentifier": "d"}"#,
        &["rds:RestoreDBInstanceFromS3 on arn:aws:rds:R:A:db:d"],
    );
}

#[test]
fn p02_event_names_are_not_action_names() {
    let object = r#"{"bucketName": "b", "key": "k"}"#;
    one("lambda", "Invoke", r#"{"functionName": "f"}"#, &["lambda:InvokeFunction on arn:aws:lambda:R:A:function:f"]);
    one("s3", "HeadObject", object, &["s3:GetObject on arn:aws:s3:::b/k"]);
    one("s3", "ListObjects", r#"{"bucketName": "b", "list-type": "2"}"#, &["s3:ListBucket on arn:aws:s3:::b"]);
    one("s3", "HeadBucket", r#"{"bucketName": "b"}"#, &["s3:ListBucket on arn:aws:s3:::b"]);
    one("s3", "ListBuckets", "null", &["s3:ListAllMyBuckets on *"]);
    one("s3", "CompleteMultipartUpload", object, &["s3:PutObject on arn:aws:s3:::b/k"]);
    one("s3", "PutBucketReplication", r#"{"bucketName": "b"}"#, &["s3:PutReplicationConfiguration on arn:aws:s3:::b"]);
    one("s3", "DeleteBucketTagging", r#"{"bucketName": "b"}"#, &["s3:PutBucketTagging on arn:aws:s3:::b"]);
    one(
        "dynamodb",
        "TransactWriteItems",
        r#"{"transactItems": [{"put": {"tableName": "T"}}, {"delete": {"tableName": "U"}}]}"#,
        &["dynamodb:DeleteItem on arn:aws:dynamodb:R:A:table/U", "dynamodb:PutItem on arn:aws:dynamodb:R:A:table/T"],
    );
    one(
        "dynamodb",
        "ExecuteStatement",
        r#"{"statement": "select * from T"}"#,
        &["dynamodb:PartiQLSelect on arn:aws:dynamodb:R:A:table/T"],
    );
    one(
        "apigateway",
        "GetRestApi",
        r#"{"restApiId": "x"}"#,
        &["apigateway:GET on arn:aws:apigateway:eu-west-1::/restapis/x"],
    );
}

#[test]
fn p03_cloudtrail_has_names_of_its_own_for_s3() {
    let bucket = r#"{"bucketName": "b"}"#;
    one("s3", "GetBucketPublicAccessBlock", bucket, &["s3:GetBucketPublicAccessBlock on arn:aws:s3:::b"]);
    one("s3", "GetAccountPublicAccessBlock", "{}", &["s3:GetAccountPublicAccessBlock on *"]);
    one("s3", "GetBucketLifecycle", bucket, &["s3:GetLifecycleConfiguration on arn:aws:s3:::b"]);
    one("s3", "GetBucketNotification", bucket, &["s3:GetBucketNotification on arn:aws:s3:::b"]);
}

#[test]
fn p04_event_sources_are_not_prefixes() {
    one(
        "monitoring",
        "PutMetricAlarm",
        r#"{"alarmName": "a"}"#,
        &["cloudwatch:PutMetricAlarm on arn:aws:cloudwatch:R:A:alarm:a"],
    );
    one(
        "rdsdata",
        "ExecuteStatement",
        r#"{"resourceArn": "arn:aws:rds:eu-west-1:111122223333:cluster:c"}"#,
        &["rds-data:ExecuteStatement on arn:aws:rds:R:A:cluster:c"],
    );
    one("tagging", "GetResources", "{}", &["tag:GetResources on *"]);
    one("streams.dynamodb", "ListStreams", "{}", &["dynamodb:ListStreams on *"]);
    let autoscaling = |parameters: &str, expected: &str| {
        let rows = rows(&log(&[event("autoscaling", "DescribeScalingActivities", parameters, "")]));
        assert!(rows[0].starts_with(expected), "{rows:?}");
    };
    autoscaling(r#"{"serviceNamespace": "ecs"}"#, "application-autoscaling:");
    autoscaling(r#"{"autoScalingGroupName": "g"}"#, "autoscaling:");
}

#[test]
fn p05_further_actions_count_only_when_the_request_shows_them() {
    let put = |more: &str| format!(r#"{{"bucketName": "b", "key": "k"{more}}}"#);
    one("s3", "PutObject", &put(""), &["s3:PutObject on arn:aws:s3:::b/k"]);
    let named = r#""resources": [{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::b/k"}, {"ARN": "arn:aws:s3:::b"}]"#;
    check(
        &[event("s3", "PutObject", &put(r#", "x-amz-acl": "private", "x-amz-tagging": "a=b""#), named)],
        &[
            "s3:PutObject on arn:aws:s3:::b/k",
            "s3:PutObjectAcl on arn:aws:s3:::b/k",
            "s3:PutObjectTagging on arn:aws:s3:::b/k",
        ],
    );
    one(
        "sts",
        "AssumeRole",
        r#"{"roleArn": "arn:aws:iam::444455556666:role/x"}"#,
        &["sts:AssumeRole on arn:aws:iam::444455556666:role/x"],
    );
    one(
        "sts",
        "AssumeRole",
        r#"{"roleArn": "arn:aws:iam::444455556666:role/x", "tags": [{"key": "a"}]}"#,
        &["sts:AssumeRole on arn:aws:iam::444455556666:role/x", "sts:TagSession on arn:aws:iam::444455556666:role/x"],
    );
}

#[test]
fn p06_passing_a_role_has_no_event_of_its_own() {
    one(
        "lambda",
        "CreateFunction20150331",
        r#"{"functionName": "f", "role": "arn:aws:iam::111122223333:role/app/r"}"#,
        &[
            "iam:PassRole on arn:aws:iam::111122223333:role/app/r when iam:PassedToService=lambda.amazonaws.com",
            "lambda:CreateFunction on arn:aws:lambda:R:A:function:f",
        ],
    );
    one(
        "cloudformation",
        "CreateStack",
        r#"{"stackName": "s"}"#,
        &["cloudformation:CreateStack on arn:aws:cloudformation:R:A:stack/s/*"],
    );
    one(
        "ec2",
        "AssociateIamInstanceProfile",
        r#"{"instanceId": "i-1", "iamInstanceProfile": {"name": "p"}}"#,
        &[
            "ec2:AssociateIamInstanceProfile on arn:aws:ec2:R:A:instance/i-1",
            "iam:PassRole on ?* when iam:PassedToService=ec2.amazonaws.com",
        ],
    );
}

#[test]
fn p07_calls_a_service_makes_for_the_caller_count_and_the_service_s_own_do_not() {
    let key = "arn:aws:kms:eu-west-1:111122223333:key/k1";
    let via = event("kms", "Decrypt", "{}", &format!(r#""resources": [{{"ARN": "{key}", "type": "AWS::KMS::Key"}}]"#))
        .replace(r#""type": "AssumedRole","#, r#""type": "AssumedRole", "invokedBy": "s3.amazonaws.com","#);
    check(&[via], &["kms:Decrypt on arn:aws:kms:R:A:key/k1 when kms:ViaService=s3.eu-west-1.amazonaws.com"]);
    let service = event("sts", "AssumeRole", &format!(r#"{{"roleArn": "{ROLE}"}}"#), "")
        .replace(r#""type": "AssumedRole","#, r#""type": "AWSService", "invokedBy": "lambda.amazonaws.com","#);
    let linked =
        event("ecs", "RunTask", "{}", "").replace("role/service-role/", "role/aws-service-role/ecs.amazonaws.com/");
    let log = log(&[service, linked]);
    assert_eq!(log.skipped.get(&SkipReason::ServiceEvent), Some(&2));
    assert!(log.principals.is_empty());
}

#[test]
fn p08_some_calls_need_no_permission_and_some_records_are_no_calls() {
    let log = log(&[
        event("sts", "GetCallerIdentity", "null", ""),
        event("dynamodb", "DescribeEndpoints", "null", ""),
        event("signin", "ConsoleLogin", "null", r#""eventType": "AwsConsoleSignIn""#),
        event("kms", "RotateKey", "null", r#""eventType": "AwsServiceEvent""#),
        event("kms", "ListKeys", "null", r#""eventType": "AwsVpceEvent""#),
    ]);
    assert_eq!(log.skipped.get(&SkipReason::NoPermissionNeeded), Some(&2));
    assert_eq!(log.skipped.get(&SkipReason::NotAnApiCall), Some(&3));
    assert!(log.principals.is_empty());
}

#[test]
fn p09_denied_calls_are_wants_and_failed_calls_are_needs() {
    let t = r#"{"tableName": "T"}"#;
    check(
        &[event("dynamodb", "PutItem", t, r#""errorCode": "AccessDenied""#)],
        &["dynamodb:PutItem on arn:aws:dynamodb:R:A:table/T denied"],
    );
    check(
        &[event("dynamodb", "PutItem", t, r#""errorCode": "ConditionalCheckFailedException""#)],
        &["dynamodb:PutItem on arn:aws:dynamodb:R:A:table/T"],
    );
    let twice = log(&[
        event("dynamodb", "PutItem", t, r#""errorCode": "AccessDenied""#),
        event("dynamodb", "PutItem", t, r#""errorCode": "ThrottlingException""#),
    ]);
    let o = &twice.principals.values().next().unwrap().observations[0];
    assert_eq!((o.count, o.denied), (1, 1));
}

#[test]
fn p10_resources_of_other_types_are_not_the_action_s() {
    let named = r#""resources": [{"ARN": "arn:aws:s3:::b"}, {"ARN": "arn:aws:s3:::b/k"},
        {"ARN": "arn:aws:kms:eu-west-1:111122223333:key/k1"}, {"ARNPrefix": "arn:aws:s3:::b/"}]"#;
    check(
        &[event("s3", "GetObject", r#"{"bucketName": "b", "key": "k"}"#, named)],
        &["s3:GetObject on arn:aws:s3:::b/k"],
    );
    one("dynamodb", "PutItem", "null", &["dynamodb:PutItem on ?*"]);
}

#[test]
fn p11_parameters_are_spelt_in_many_ways() {
    one("rds", "StopDBInstance", r#"{"dBInstanceIdentifier": "d"}"#, &["rds:StopDBInstance on arn:aws:rds:R:A:db:d"]);
    one(
        "ec2",
        "StopInstances",
        r#"{"instancesSet": {"items": [{"instanceId": "i-1"}, {"instanceId": "i-2"}]}}"#,
        &["ec2:StopInstances on arn:aws:ec2:R:A:instance/i-1 arn:aws:ec2:R:A:instance/i-2"],
    );
    one("dynamodb", "PutItem", r#"{"TableName": "T"}"#, &["dynamodb:PutItem on arn:aws:dynamodb:R:A:table/T"]);
}

#[test]
fn p12_names_become_arns_in_a_way_of_their_own() {
    one("kms", "Decrypt", r#"{"keyId": "alias/x"}"#, &["kms:Decrypt on ?*"]);
    one(
        "ssm",
        "GetParameters",
        r#"{"names": ["/app/db", "plain"]}"#,
        &["ssm:GetParameters on arn:aws:ssm:R:A:parameter/app/db arn:aws:ssm:R:A:parameter/plain"],
    );
    one(
        "secretsmanager",
        "GetSecretValue",
        r#"{"secretId": "db"}"#,
        &["secretsmanager:GetSecretValue on arn:aws:secretsmanager:R:A:secret:db-??????"],
    );
    one(
        "secretsmanager",
        "GetSecretValue",
        r#"{"secretId": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db"}"#,
        &["secretsmanager:GetSecretValue on arn:aws:secretsmanager:R:A:secret:db-??????"],
    );
    one(
        "secretsmanager",
        "GetSecretValue",
        r#"{"secretId": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-a1B2c3"}"#,
        &["secretsmanager:GetSecretValue on arn:aws:secretsmanager:R:A:secret:db-a1B2c3"],
    );
    one(
        "sqs",
        "SendMessage",
        r#"{"queueUrl": "https://sqs.eu-west-1.amazonaws.com/444455556666/jobs"}"#,
        &["sqs:SendMessage on arn:aws:sqs:eu-west-1:444455556666:jobs"],
    );
    one(
        "kinesis",
        "PutRecord",
        r#"{"streamARN": "arn:aws:kinesis:eu-west-1:111122223333:stream/s"}"#,
        &["kinesis:PutRecord on arn:aws:kinesis:R:A:stream/s"],
    );
    one(
        "dynamodb",
        "Query",
        r#"{"tableName": "T", "indexName": "I"}"#,
        &["dynamodb:Query on arn:aws:dynamodb:R:A:table/T/index/I"],
    );
    let table = r#""resources": [{"ARN": "arn:aws:dynamodb:eu-west-1:111122223333:table/T"}]"#;
    check(
        &[event("dynamodb", "Query", r#"{"tableName": "T", "indexName": "I"}"#, table)],
        &["dynamodb:Query on arn:aws:dynamodb:R:A:table/T/index/I"],
    );
    one(
        "s3",
        "CopyObject",
        r#"{"bucketName": "to", "key": "k", "x-amz-copy-source": "from/a%20b"}"#,
        &["s3:GetObject on arn:aws:s3:::from/a b", "s3:PutObject on arn:aws:s3:::to/k"],
    );
    one(
        "dynamodb",
        "BatchGetItem",
        r#"{"requestItems": {"T": {}, "U": {}}}"#,
        &["dynamodb:BatchGetItem on arn:aws:dynamodb:R:A:table/T arn:aws:dynamodb:R:A:table/U"],
    );
}

#[test]
fn p13_actions_without_resource_types_take_only_a_star() {
    one(
        "ec2",
        "DescribeInstances",
        r#"{"instancesSet": {"items": [{"instanceId": "i-1"}]}}"#,
        &["ec2:DescribeInstances on *"],
    );
    one(
        "cognito-idp",
        "CreateUserPoolClient",
        r#"{"userPoolId": "eu-west-1_x"}"#,
        &["cognito-idp:CreateUserPoolClient on arn:aws:cognito-idp:R:A:userpool/eu-west-1_x"],
    );
}

#[test]
fn p13_calls_that_name_nothing_are_checked_on_any_of_the_kind() {
    one("rds", "DescribeDBInstances", r#"{"maxRecords": 20}"#, &["rds:DescribeDBInstances on arn:aws:rds:R:A:db:*"]);
    one("ec2", "CreateVpc", r#"{"cidrBlock": "10.0.0.0/16"}"#, &["ec2:CreateVpc on arn:aws:ec2:R:A:vpc/*"]);
    // Something of another account, or left out of the record, may be meant.
    one("rds", "DescribeDBInstances", r#"{"filters": ["444455556666"]}"#, &["rds:DescribeDBInstances on ?*"]);
    one("rds", "DescribeDBInstances", r#"{"omitted": true}"#, &["rds:DescribeDBInstances on ?*"]);
    one("kms", "Decrypt", r#"{"encryptionAlgorithm": "SYMMETRIC_DEFAULT"}"#, &["kms:Decrypt on ?*"]);
}

#[test]
fn p11_ids_types_and_names_tell_resources_where_no_template_does() {
    one(
        "ec2",
        "DeleteFlowLogs",
        r#"{"DeleteFlowLogsRequest": {"FlowLogId": {"content": "fl-0ef673ef70c4f07cc", "tag": 1}}}"#,
        &["ec2:DeleteFlowLogs on arn:aws:ec2:R:A:vpc-flow-log/fl-0ef673ef70c4f07cc"],
    );
    one(
        "ec2",
        "RunInstances",
        r#"{"instancesSet": {"items": [{"imageId": "ami-0b98a32b1c5e0d105", "keyName": "K"}]}, "subnetId": "subnet-12345678"}"#,
        &[
            "ec2:RunInstances on arn:aws:ec2:R:A:instance/* arn:aws:ec2:R:A:key-pair/K arn:aws:ec2:R:A:network-interface/* \
           arn:aws:ec2:R:A:security-group/* arn:aws:ec2:R:A:subnet/subnet-12345678 arn:aws:ec2:R:A:volume/* \
           arn:aws:ec2:eu-west-1::image/ami-0b98a32b1c5e0d105",
        ],
    );
    // What a launch template holds is not in the request.
    one(
        "ec2",
        "RunInstances",
        r#"{"launchTemplate": {"launchTemplateName": "web"}, "subnetId": "subnet-12345678"}"#,
        &["ec2:RunInstances on ?*"],
    );
    one(
        "ssm",
        "ListTagsForResource",
        r#"{"resourceType": "Parameter", "resourceId": "/app/key"}"#,
        &["ssm:ListTagsForResource on arn:aws:ssm:R:A:parameter/app/key"],
    );
    one(
        "securityhub",
        "GetFindingAggregator",
        r#"{"FindingAggregatorArn": "arn%3Aaws%3Asecurityhub%3Aeu-west-1%3A111122223333%3Afinding-aggregator/dc"}"#,
        &["securityhub:GetFindingAggregator on arn:aws:securityhub:R:A:finding-aggregator/dc"],
    );
    one(
        "cloudshell",
        "GetEnvironmentStatus",
        r#"{"EnvironmentId": "72d5b773"}"#,
        &["cloudshell:GetEnvironmentStatus on arn:aws:cloudshell:R:A:environment/72d5b773"],
    );
}

#[test]
fn p15_calls_of_aws_s_own_consoles_are_recognised_and_listed() {
    let log = log(&[event("ec2messages", "SendHeartbeat", "null", ""), event("s3", "NewThing", "null", "")]);
    let kinds: Vec<(&str, &str)> =
        log.unresolved.iter().map(|event| (event.event_name.as_str(), event.kind.as_str())).collect();
    assert_eq!(kinds, [("SendHeartbeat", "internal"), ("NewThing", "unknown")]);
}

#[test]
fn p14_the_role_is_the_session_issuer_and_keeps_its_path() {
    let log = log(&[event("dynamodb", "PutItem", r#"{"tableName": "T"}"#, "")]);
    let (role, usage) = log.principals.iter().next().unwrap();
    assert_eq!(role.as_str(), ROLE);
    assert_eq!(usage.observations[0].function.as_deref(), Some("worker"));
    assert_eq!(log.seen_in.iter().next().unwrap().1, "eu-west-1");
}

#[test]
fn p15_what_is_missing_is_told_by_coverage_and_nothing_is_dropped() {
    let log = log(&[event("dynamodb", "FrobnicateTable", "{}", ""), event("nosuch", "Get", "{}", "")]);
    let names: Vec<&str> = log.unresolved.iter().map(|u| u.event_name.as_str()).collect();
    assert_eq!(names, ["FrobnicateTable", "Get"]);
    assert_eq!(log.unresolved[0].principals.iter().next().unwrap().as_str(), ROLE);
}

#[test]
fn p16_files_lie_beside_others_and_records_come_twice_or_in_part() {
    assert_eq!(kind_of_path("AWSLogs/o-x/1/CloudTrail-Insight/r/2026/x.json.gz"), FileKind::NotALog);
    let one = event("dynamodb", "PutItem", r#"{"tableName": "T"}"#, "");
    let twice = log(&[one.clone(), one]);
    assert_eq!(twice.skipped.get(&SkipReason::Duplicate), Some(&1));
    assert_eq!(rows(&twice), ["dynamodb:PutItem on arn:aws:dynamodb:R:A:table/T"]);
    one_of_parts("null");
    one_of_parts(r#""HIDDEN_DUE_TO_SECURITY_REASONS""#);
    one_of_parts(r#"{"omitted": true, "originalSize": 110000, "reason": "too large"}"#);
    one_of_parts(r#"{"tableName": "HIDDEN_DUE_TO_SECURITY_REASONS"}"#);
}

fn one_of_parts(parameters: &str) {
    one("dynamodb", "PutItem", parameters, &["dynamodb:PutItem on ?*"]);
}

#[test]
fn the_encryption_context_of_a_call_is_proved_by_it() {
    let key = "arn:aws:kms:eu-west-1:111122223333:key/k1";
    let resources = format!(r#""resources": [{{"ARN": "{key}", "type": "AWS::KMS::Key"}}]"#);
    let of = |context: &str| event("kms", "Decrypt", &format!(r#"{{"encryptionContext": {context}}}"#), &resources);
    let plain = "kms:Decrypt on arn:aws:kms:R:A:key/k1";
    let one = |context: &str, expected: &str| check(&[of(context)], &[&format!("{plain}{expected}")]);
    one(
        r#"{"app": "orders", "a\"b": "1"}"#,
        " when kms:EncryptionContext:a\"b=1 when kms:EncryptionContext:app=orders when kms:EncryptionContextKeys=a\"b,app",
    );
    one("{}", "");
    one(r#"{"app": 7}"#, "");
    one(r#"{"app": "1", "app": "2"}"#, "");
    one(&format!(r#"{{"app": "{}"}}"#, "x".repeat(2000)), "");
    // Of many objects' contexts only what all have in common is told.
    let many: Vec<String> = (0..40).map(|n| of(&format!(r#"{{"app": "orders", "object": "{n}"}}"#))).collect();
    let shared = " when kms:EncryptionContext:app=orders when kms:EncryptionContextKeys=app,object x40";
    check(&many, &[&format!("{plain}{shared}")]);
}

mod guessed;
mod resources;
