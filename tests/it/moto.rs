//! A proposal at work: attached in moto with its policies enforced, the calls of the log succeed and changed ones do not.
//!
//! moto decides by resource for S3 and SQS alone, so these are tried. It is a smoke test, not the judge of a policy.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::moto_server::Moto;
use crate::run::Folder;

const ROLE: &str = "arn:aws:iam::123456789012:role/worker";

/// A call in the words of moto's client, and of the log.
struct Call {
    service: &'static str,
    operation: &'static str,
    arguments: Value,
    event: (&'static str, &'static str),
    parameters: Value,
    resources: Value,
}

fn object(operation: &'static str, event: &'static str, key: &str) -> Call {
    let arn = format!("arn:aws:s3:::orders/{key}");
    Call {
        service: "s3",
        operation,
        arguments: json!({"Bucket": "orders", "Key": key}),
        event: ("s3.amazonaws.com", event),
        parameters: json!({"bucketName": "orders", "key": key}),
        resources: json!([{"type": "AWS::S3::Object", "ARN": arn},
            {"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::orders", "accountId": "123456789012"}]),
    }
}

fn send(queues: &Value, queue: &str) -> Call {
    Call {
        service: "sqs",
        operation: "send_message",
        arguments: json!({"QueueUrl": queues[queue], "MessageBody": "hello"}),
        event: ("sqs.amazonaws.com", "SendMessage"),
        parameters: json!({"queueUrl": format!("https://sqs.us-east-1.amazonaws.com/123456789012/{queue}")}),
        resources: json!([{"type": "AWS::SQS::Queue", "ARN": format!("arn:aws:sqs:us-east-1:123456789012:{queue}"),
            "accountId": "123456789012"}]),
    }
}

/// Forty days of the calls, one of each a day.
fn log(calls: &[Call]) -> String {
    let mut records = Vec::new();
    for day in 0..40 {
        for (place, call) in calls.iter().enumerate() {
            let date = if day < 30 { format!("2026-09-{:02}", day + 1) } else { format!("2026-10-{:02}", day - 29) };
            records.push(json!({
                "eventVersion": "1.11",
                "userIdentity": {"type": "AssumedRole", "principalId": "AROAEXAMPLE:w",
                    "arn": "arn:aws:sts::123456789012:assumed-role/worker/w", "accountId": "123456789012",
                    "sessionContext": {"sessionIssuer": {"type": "Role", "principalId": "AROAEXAMPLE", "arn": ROLE,
                        "accountId": "123456789012", "userName": "worker"}}},
                "eventTime": format!("{date}T10:00:0{place}Z"), "eventSource": call.event.0, "eventName": call.event.1,
                "awsRegion": "us-east-1", "sourceIPAddress": "10.0.0.1", "userAgent": "aws-sdk",
                "requestParameters": call.parameters, "responseElements": null, "resources": call.resources,
                "eventID": format!("00000000-0000-4000-8000-0000000{day:02}{place:03}"), "eventType": "AwsApiCall",
                "managementEvent": false, "recipientAccountId": "123456789012", "eventCategory": "Data",
            }));
        }
    }
    json!({"Records": records}).to_string()
}

fn snapshot() -> Value {
    let any = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    json!({"schema": "paring-snapshot/1", "organization": null, "accounts": {"123456789012": {
        "authorization_details": {"UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": [{
            "RoleName": "worker", "Arn": ROLE, "Path": "/", "AssumeRolePolicyDocument": trust,
            "RolePolicyList": [{"PolicyName": "all", "PolicyDocument": any}], "AttachedManagedPolicies": []}]},
        "trails": [{"TrailARN": "arn:aws:cloudtrail:us-east-1:123456789012:trail/t", "IsMultiRegionTrail": true,
            "event_selectors": {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true, "DataResources": [
                {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}, {"Type": "AWS::SQS::Queue", "Values": ["arn:aws:sqs"]}]}]}}]}}})
}

fn replayed(moto: &mut Moto, calls: &[Call]) -> String {
    let calls: Vec<Value> = calls
        .iter()
        .map(|call| json!({"service": call.service, "operation": call.operation, "arguments": call.arguments}))
        .collect();
    let answer = moto.ask(&json!({"do": "replay", "role": "worker", "calls": calls}).to_string());
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let mut said = String::new();
    for outcome in answer["outcomes"].as_array().unwrap() {
        let _ = writeln!(said, "{}", outcome.as_str().unwrap());
    }
    said
}

#[test]
fn what_was_seen_works_under_the_proposal_and_what_was_not_is_denied() {
    let Some(mut moto) = Moto::start() else { return };
    let made: Value = serde_json::from_str(&moto.ask(r#"{"do": "small"}"#)).unwrap();
    let queues = &made["queues"];
    let seen = [object("get_object", "GetObject", "in/1.json"), send(queues, "jobs")];
    let changed = [
        object("get_object", "GetObject", "private/1.json"),
        object("put_object", "PutObject", "in/1.json"),
        object("delete_object", "DeleteObject", "in/1.json"),
        send(queues, "audit"),
    ];
    assert_eq!(replayed(&mut moto, &seen), "denied\ndenied\n", "moto enforces: without a policy nothing is allowed");

    let folder = Folder::new();
    folder.write("snapshot.json", snapshot().to_string());
    folder.write("trail/log.json", log(&seen));
    let proposal =
        folder.paring(&["synthesize", "--role", "worker", "--snapshot", "snapshot.json", "--trail", "trail"]);
    assert_eq!(proposal.code, 0, "{}", proposal.stderr);
    let policy: Value = serde_json::from_str(&proposal.stdout).unwrap();
    moto.ask(&json!({"do": "attach", "role": "worker", "policy": policy}).to_string());

    assert_eq!(replayed(&mut moto, &seen), "allowed\nallowed\n", "{}", proposal.stdout);
    assert_eq!(replayed(&mut moto, &changed), "denied\ndenied\ndenied\ndenied\n", "{}", proposal.stdout);
}
