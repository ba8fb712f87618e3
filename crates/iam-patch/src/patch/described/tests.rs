//! What each kind of source says that Lambda does for the functions of a role.

use iam_model::json::Value;
use iam_model::snapshot::read;
use iam_model::text::{SourceName, SourceText};

use super::*;

const SNAPSHOT: &str = r#"{"schema": "paring-snapshot/1", "organization": null, "accounts": {"111122223333": {
    "authorization_details": {"RoleDetailList": [{"RoleName": "r", "Arn": "arn:aws:iam::111122223333:role/r",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}}]},
    "resources": [{"kind": "lambda.function", "arn": "arn:aws:lambda:us-east-1:111122223333:function:f",
        "role_arn": "arn:aws:iam::111122223333:role/r", "api": {}}]}}}"#;

/// Every text of the descriptions as `path value`, the name left out.
fn told(name: &str, text: &str) -> Vec<String> {
    let source = |name: &str, text: &str| SourceText { name: SourceName::new(name), text: text.into() };
    let (snapshot, _) = read(source("s", SNAPSHOT)).unwrap();
    let (index, _) = SnapshotIndex::new(&snapshot);
    let (project, diagnostics) = Project::read(vec![source(name, text)]);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let role: Arn = "arn:aws:iam::111122223333:role/r".parse().unwrap();
    let found = settings_of_functions(&project, &index, &[&role]).remove(&role).unwrap_or_default();
    let mut words = Vec::new();
    for function in &found {
        let own = if function.arn.region() == "*" { "?" } else { function.arn.name() };
        let Value::Object(members) = &function.api else { panic!() };
        members.iter().filter(|(key, _)| key != "FunctionName").for_each(|(key, value)| {
            flat(&format!("{own} {key}"), value, &mut words);
        });
    }
    words.sort();
    words
}

fn flat(path: &str, value: &Value, words: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(key, value)| flat(&format!("{path}.{key}"), value, words)),
        Value::Array(items) => items.iter().for_each(|item| flat(path, item, words)),
        Value::String(text) => words.push(format!("{path} {text}")),
        _ => {}
    }
}

#[track_caller]
fn check(name: &str, text: &str, expected: &[&str]) {
    assert_eq!(told(name, text), expected, "{text}");
}

const ROLE: &str = "Resources:\n  R: {Type: AWS::IAM::Role, Properties: {RoleName: r}}\n";

/// A destination in the very template was cut from its role: nothing read it.
#[test]
fn what_cloudformation_sets_of_a_function_is_told() {
    let own =
        "  F:\n    Type: AWS::Lambda::Function\n    Properties:\n      FunctionName: f\n      Role: !GetAtt R.Arn\n";
    let text = format!(
        "{ROLE}{own}      DeadLetterConfig: {{TargetArn: !GetAtt Q.Arn}}
      FileSystemConfigs: [{{Arn: !GetAtt P.Arn, LocalMountPath: /mnt/a}}]
      VpcConfig: {{SubnetIds: [subnet-1]}}
      TracingConfig: {{Mode: Active}}
  Q: {{Type: AWS::SQS::Queue, Properties: {{QueueName: dead}}}}
  P: {{Type: AWS::EFS::AccessPoint}}
  T: {{Type: AWS::SNS::Topic}}
  I:
    Type: AWS::Lambda::EventInvokeConfig
    Properties: {{FunctionName: !Ref F, DestinationConfig: {{OnFailure: {{Destination: !Ref T}}, OnSuccess: {{Destination: 'arn:aws:sqs:us-east-1:111122223333:ok'}}}}}}
  M:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {{FunctionName: f, EventSourceArn: !GetAtt D.StreamArn, DestinationConfig: {{OnFailure: {{Destination: !Sub 'arn:aws:sqs:us-east-1:111122223333:fail-${{Stage}}'}}}}}}
  D: {{Type: AWS::DynamoDB::Table}}
"
    );
    check(
        "t.yaml",
        &text,
        &[
            "f DeadLetterConfig.TargetArn arn:aws:sqs:*:*:*",
            "f EventInvokeConfigs.DestinationConfig.OnFailure.Destination arn:aws:sns:*:*:*",
            "f EventInvokeConfigs.DestinationConfig.OnSuccess.Destination arn:aws:sqs:us-east-1:111122223333:ok",
            "f EventSourceMappings.DestinationConfig.OnFailure.Destination arn:aws:sqs:us-east-1:111122223333:fail-*",
            "f EventSourceMappings.EventSourceArn arn:aws:dynamodb:*:*:*",
            "f FileSystemConfigs.Arn arn:aws:elasticfilesystem:*:111122223333:access-point/*",
            "f TracingConfig.Mode Active",
            "f VpcConfig.VpcId *",
        ],
    );
    let others = format!(
        "{ROLE}{own}  G: {{Type: AWS::Lambda::Function, Properties: {{FunctionName: g, Role: 'arn:aws:iam::111122223333:role/other', DeadLetterConfig: {{TargetArn: 'arn:aws:sqs:us-east-1:111122223333:dead'}}}}}}\n  I: {{Type: AWS::Lambda::EventInvokeConfig, Properties: {{FunctionName: g, DestinationConfig: {{OnFailure: {{Destination: 'arn:aws:sqs:us-east-1:111122223333:x'}}}}}}}}\n"
    );
    check("t.yaml", &others, &[]);
}

/// The role may be made in another template than the function.
#[test]
fn a_function_whose_role_another_template_makes_is_told_by_its_name() {
    let text = "Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties: {FunctionName: f, Role: !ImportValue role, DeadLetterConfig: {TargetArn: !ImportValue dead}}\n";
    let any = ["events", "lambda", "sns", "sqs"]
        .map(|service| format!("f DeadLetterConfig.TargetArn arn:aws:{service}:*:*:*"));
    let mut expected: Vec<String> = any.into();
    expected.insert(2, "f DeadLetterConfig.TargetArn arn:aws:s3:::*".into());
    assert_eq!(told("t.yaml", text), expected);
}

#[test]
fn what_sam_sets_of_a_function_is_told() {
    let text = format!(
        "Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {{Tracing: Active}}
{ROLE}  F:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: f
      Role: !GetAtt R.Arn
      DeadLetterQueue: {{Type: SNS, TargetArn: 'arn:aws:sns:us-east-1:111122223333:dead'}}
      EventInvokeConfig: {{DestinationConfig: {{OnFailure: {{Type: SQS}}, OnSuccess: {{Type: EventBridge, Destination: !GetAtt B.Arn}}}}}}
      Events:
        Q: {{Type: SQS, Properties: {{Queue: 'arn:aws:sqs:us-east-1:111122223333:in'}}}}
        M: {{Type: MQ, Properties: {{Broker: !GetAtt Broker.Arn, Queues: [q], SourceAccessConfigurations: [{{Type: BASIC_AUTH, URI: !Ref S}}]}}}}
        H: {{Type: Api, Properties: {{Path: /, Method: get}}}}
  B: {{Type: AWS::Events::EventBus, Properties: {{Name: b}}}}
  S: {{Type: AWS::SecretsManager::Secret}}
"
    );
    check(
        "t.yaml",
        &text,
        &[
            "f DeadLetterConfig.TargetArn arn:aws:sns:us-east-1:111122223333:dead",
            "f EventInvokeConfigs.DestinationConfig.OnFailure.Destination arn:aws:sqs:*:*:*",
            "f EventInvokeConfigs.DestinationConfig.OnSuccess.Destination arn:aws:events:*:*:*",
            "f EventSourceMappings.EventSourceArn arn:aws:mq:*:*:*",
            "f EventSourceMappings.EventSourceArn arn:aws:sqs:us-east-1:111122223333:in",
            "f EventSourceMappings.SourceAccessConfigurations.URI arn:aws:secretsmanager:*:111122223333:secret:*",
            "f TracingConfig.Mode Active",
        ],
    );
}

#[test]
fn what_the_serverless_framework_sets_of_a_function_is_told() {
    let text = "service: s
provider:
  name: aws
  runtime: python3.12
  tracing: {lambda: true}
functions:
  one:
    name: f
    handler: a.b
    role: arn:aws:iam::111122223333:role/r
    onError: arn:aws:sns:us-east-1:111122223333:dead
    destinations: {onFailure: {type: sqs, arn: !GetAtt Q.Arn}, onSuccess: two}
    fileSystemConfig: {localMountPath: /mnt/a, arn: 'arn:aws:elasticfilesystem:us-east-1:111122223333:access-point/fsap-1'}
    events:
      - sqs: arn:aws:sqs:us-east-1:111122223333:in
      - stream: {type: kinesis, arn: 'arn:aws:kinesis:us-east-1:111122223333:stream/s', destinations: {onFailure: 'arn:aws:sqs:us-east-1:111122223333:bad'}}
      - http: GET /
  two: {handler: c.d, role: 'arn:aws:iam::111122223333:role/other', onError: 'arn:aws:sns:us-east-1:111122223333:others'}
resources:
  Resources:
    Q: {Type: AWS::SQS::Queue}
";
    check(
        "serverless.yml",
        text,
        &[
            "f DeadLetterConfig.TargetArn arn:aws:sns:us-east-1:111122223333:dead",
            "f EventInvokeConfigs.DestinationConfig.OnFailure.Destination arn:aws:sqs:*:*:*",
            "f EventInvokeConfigs.DestinationConfig.OnSuccess.Destination arn:aws:lambda:*:*:*",
            "f EventSourceMappings.DestinationConfig.OnFailure.Destination arn:aws:sqs:us-east-1:111122223333:bad",
            "f EventSourceMappings.EventSourceArn arn:aws:kinesis:us-east-1:111122223333:stream/s",
            "f EventSourceMappings.EventSourceArn arn:aws:sqs:us-east-1:111122223333:in",
            "f FileSystemConfigs.Arn arn:aws:elasticfilesystem:us-east-1:111122223333:access-point/fsap-1",
            "f TracingConfig.Mode Active",
        ],
    );
}

#[test]
fn what_terraform_sets_of_a_function_is_told() {
    let text = r#"
resource "aws_iam_role" "r" { name = "r" }
resource "aws_lambda_function" "f" {
  function_name = "f"
  role          = aws_iam_role.r.arn
  dead_letter_config { target_arn = aws_sqs_queue.dead.arn }
  file_system_config {
    arn              = aws_efs_access_point.p.arn
    local_mount_path = "/mnt/a"
  }
  tracing_config { mode = "Active" }
}
resource "aws_sqs_queue" "dead" { name = "dead" }
resource "aws_sns_topic" "failed" { name_prefix = "failed-" }
resource "aws_lambda_function_event_invoke_config" "i" {
  function_name = aws_lambda_function.f.function_name
  destination_config {
    on_failure { destination = aws_sns_topic.failed.arn }
    on_success { destination = "arn:aws:sqs:us-east-1:111122223333:ok" }
  }
}
resource "aws_lambda_event_source_mapping" "m" {
  event_source_arn = aws_dynamodb_table.t.stream_arn
  function_name    = aws_lambda_function.f.arn
  destination_config {
    on_failure { destination_arn = var.unknown }
  }
}
resource "aws_dynamodb_table" "t" { name = "t" }
resource "aws_lambda_function" "other" {
  function_name = "g"
  role          = "arn:aws:iam::111122223333:role/other"
  dead_letter_config { target_arn = aws_sqs_queue.dead.arn }
}
"#;
    let told = told("main.tf", text);
    for expected in [
        "f DeadLetterConfig.TargetArn arn:aws:sqs:*:111122223333:dead",
        "f EventInvokeConfigs.DestinationConfig.OnFailure.Destination arn:aws:sns:*:111122223333:failed-*",
        "f EventInvokeConfigs.DestinationConfig.OnSuccess.Destination arn:aws:sqs:us-east-1:111122223333:ok",
        "f EventSourceMappings.DestinationConfig.OnFailure.Destination arn:aws:s3:::*",
        "f EventSourceMappings.EventSourceArn arn:aws:dynamodb:*:*:*",
        "f FileSystemConfigs.Arn arn:aws:elasticfilesystem:*:111122223333:access-point/*",
        "f TracingConfig.Mode Active",
    ] {
        assert!(told.iter().any(|one| one == expected), "{expected}: {told:#?}");
    }
    assert_eq!(told.iter().filter(|one| one.contains("DeadLetterConfig")).count(), 1, "{told:#?}");
}
