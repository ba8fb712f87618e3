//! What calls are checked on where the record does not say it plainly.

use super::{check, event, log, one, rows};

/// Found by review: a revision was written twice, and a family without one as its own revision.
#[test]
fn a_family_and_its_revision_are_two_halves_of_one_name() {
    let run = |name: &str| format!(r#"{{"cluster": "c", "taskDefinition": "{name}"}}"#);
    one("ecs", "RunTask", &run("td:1"), &["ecs:RunTask on arn:aws:ecs:R:A:task-definition/td:1"]);
    one("ecs", "RunTask", &run("td"), &["ecs:RunTask on arn:aws:ecs:R:A:task-definition/td:*"]);
}

/// Found by review: one of the resources a call is checked on was named, and the others were cut.
#[test]
fn what_is_checked_on_several_resources_is_told_on_all_of_them() {
    one(
        "glue",
        "GetTable",
        r#"{"databaseName": "db", "name": "t"}"#,
        &["glue:GetTable on arn:aws:glue:R:A:catalog arn:aws:glue:R:A:database/db arn:aws:glue:R:A:table/db/t"],
    );
    one(
        "glue",
        "GetTable",
        r#"{"catalogId": "999999999999", "databaseName": "db", "name": "t"}"#,
        &["glue:GetTable on ?*"],
    );
    one(
        "batch",
        "SubmitJob",
        r#"{"jobName": "j", "jobQueue": "arn:aws:batch:eu-west-1:111122223333:job-queue/q", "jobDefinition": "jd"}"#,
        &["batch:SubmitJob on arn:aws:batch:R:A:job-definition/* arn:aws:batch:R:A:job-definition/*:* \
           arn:aws:batch:R:A:job-queue/q"],
    );
    one(
        "ssm",
        "SendCommand",
        r#"{"documentName": "Doc", "targets": [{"key": "tag:a", "values": ["b"]}]}"#,
        &["ssm:SendCommand on arn:aws:ec2:R:A:instance/* arn:aws:ssm:eu-west-1:*:document/Doc \
           arn:aws:ssm:R:A:managed-instance/*"],
    );
}

/// Found by review: AWS asks for the group with a star behind it, and grants without one give nothing.
#[test]
fn log_groups_are_named_with_all_they_hold() {
    let group = r#"{"logGroupName": "/x/z"}"#;
    one("logs", "FilterLogEvents", group, &["logs:FilterLogEvents on arn:aws:logs:R:A:log-group:/x/z:*"]);
    one("logs", "PutRetentionPolicy", group, &["logs:PutRetentionPolicy on arn:aws:logs:R:A:log-group:/x/z:*"]);
}

/// Found by review: the default bus was meant whatever the call named.
#[test]
fn rules_stand_on_the_bus_that_the_call_names() {
    let rule = |bus: &str| format!(r#"{{"name": "r", "eventBusName": {bus}}}"#);
    one("events", "PutRule", &rule("\"bus\""), &["events:PutRule on arn:aws:events:R:A:rule/bus/r"]);
    one("events", "PutRule", &rule("null"), &["events:PutRule on arn:aws:events:R:A:rule/r"]);
    one("events", "PutRule", &rule("\"default\""), &["events:PutRule on arn:aws:events:R:A:rule/r"]);
}

/// Found by review: the event's own resources name the copy, and reading was granted there.
#[test]
fn copies_are_read_where_they_are_made_from() {
    let event = event(
        "s3",
        "CopyObject",
        r#"{"bucketName": "dst", "key": "k", "x-amz-copy-source": "src/k0"}"#,
        r#""resources": [{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::dst/k"}]"#,
    );
    check(&[event], &["s3:GetObject on arn:aws:s3:::src/k0", "s3:PutObject on arn:aws:s3:::dst/k"]);
}

/// Found by review: a function named by the end of its ARN was written behind the whole of it.
#[test]
fn functions_may_be_named_by_the_end_of_their_arn() {
    let invoke = |name: &str| format!(r#"{{"functionName": "{name}"}}"#);
    let expected = ["lambda:InvokeFunction on arn:aws:lambda:R:A:function:f"];
    one("lambda", "Invoke", &invoke("111122223333:function:f"), &expected);
    one("lambda", "Invoke", &invoke("function:f"), &expected);
}

/// Found by review: calls that pass no role, or one by its name alone.
#[test]
fn roles_count_as_passed_where_the_call_names_one() {
    let topic = r#"{"topicArn": "arn:aws:sns:eu-west-1:111122223333:t", "attributeName": "DisplayName"}"#;
    one("sns", "SetTopicAttributes", topic, &["sns:SetTopicAttributes on arn:aws:sns:R:A:t"]);
    let rows = rows(&log(&[event("elasticmapreduce", "RunJobFlow", r#"{"name": "n", "serviceRole": "EMR"}"#, "")]));
    assert!(rows.iter().any(|row| row.starts_with("iam:PassRole on ?*")), "{rows:?}");
}

/// Found by review: the models behind an inference profile are asked for too, and the record does not name them.
#[test]
fn models_behind_a_profile_are_not_told() {
    let model = |id: &str| format!(r#"{{"modelId": "{id}"}}"#);
    one("bedrock", "InvokeModel", &model("us.anthropic.claude-3"), &["bedrock:InvokeModel on ?*"]);
}
