//! Saved answers of Access Analyzer and Security Hub, good and bad.

use iam_model::policy::{PrintStyle, print};

use super::*;

fn source(name: &str, text: &str) -> SourceText {
    SourceText { name: SourceName::new(name), text: text.into() }
}

fn snapshot() -> Snapshot {
    let text = r#"{"schema": "paring-snapshot/1", "organization": null, "accounts": {"111122223333": {"authorization_details": {},
        "resources": [{"kind": "s3.bucket", "arn": "arn:aws:s3:::orders", "api": {}}, {"kind": "s3.bucket", "arn": "arn:aws:s3:::logs", "api": {}},
        {"kind": "sqs.queue", "arn": "arn:aws:sqs:us-east-1:111122223333:jobs", "api": {}}]}}}"#;
    iam_model::snapshot::read(source("s.json", text)).unwrap().0
}

fn generated(status: &str, policy: &str) -> String {
    format!(
        r#"{{"jobDetails": {{"jobId": "j", "status": "{status}", "startedOn": "2026-11-01T00:00:00Z"}},
            "generatedPolicyResult": {{"properties": {{"isComplete": true, "principalArn": "arn:aws:iam::111122223333:role/r",
            "cloudTrailProperties": {{"trailProperties": [], "startTime": "2026-08-01T00:00:00Z", "endTime": "2026-10-30T00:00:00Z"}}}},
            "generatedPolicies": [{{"policy": {}}}]}}}}"#,
        Value::text(policy).to_compact()
    )
}

const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["s3:GetBucketLocation", "s3:ListAllMyBuckets"], "Resource": "arn:aws:s3:::${BucketName}"},
    {"Effect": "Allow", "Action": "sqs:GetQueueAttributes", "Resource": "arn:aws:sqs:${Region}:${Account}:${QueueName}"},
    {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "arn:aws:kms:${Region}:${Account}:key/${KeyId}"},
    {"Effect": "Allow", "Action": ["dynamodb:*"], "Resource": "*"}]}"#;

#[test]
fn placeholders_are_looked_up_and_services_without_actions_are_marked() {
    let found = generation(&source("g.json", &generated("SUCCEEDED", POLICY)), &snapshot()).unwrap();
    let actions: Vec<&str> = found.actions.iter().map(Action::as_str).collect();
    assert_eq!(actions, ["kms:Decrypt", "s3:GetBucketLocation", "s3:ListAllMyBuckets", "sqs:GetQueueAttributes"]);
    assert_eq!(found.services.iter().collect::<Vec<_>>(), ["dynamodb"], "no wildcard is taken over");
    assert_eq!(found.placeholders["arn:aws:s3:::${BucketName}"], ["arn:aws:s3:::logs", "arn:aws:s3:::orders"]);
    let queue = &found.placeholders["arn:aws:sqs:${Region}:${Account}:${QueueName}"];
    assert_eq!(queue, &["arn:aws:sqs:us-east-1:111122223333:jobs"]);
    let key = &found.placeholders["arn:aws:kms:${Region}:${Account}:key/${KeyId}"];
    assert_eq!(key, &["arn:aws:kms:*:*:key/*"], "what the snapshot does not hold stays open");
    assert!(!print(&found.policies[0], PrintStyle::Compact).contains("${"));
    let (first, last) = found.window.unwrap();
    assert_eq!((last.day() - first.day(), found.complete), (90, true));
}

#[test]
fn what_is_no_result_is_refused_with_its_status() {
    let check = |text: &str, what: &str| {
        let error = generation(&source("g.json", text), &snapshot()).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
    };
    check(&generated("IN_PROGRESS", POLICY), "its status is `IN_PROGRESS`");
    check(&generated("SUCCEEDED", "{"), "a policy of it is not JSON");
    check("{}", "its status is `unknown`");
    check("[", "not JSON");
}

#[test]
fn recommendations_of_both_services_read_alike() {
    let policy = r#"{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"s3:GetObject\", \"Resource\": \"*\"}]}"#;
    let analyzer = format!(
        r#"{{"status": "SUCCEEDED", "resourceArn": "arn:aws:iam::111122223333:role/r", "recommendationType": "UnusedPermissionRecommendation",
            "recommendedSteps": [{{"unusedPermissionsRecommendedStep": {{"recommendedAction": "CREATE_POLICY", "existingPolicyId": "p", "recommendedPolicy": "{policy}"}}}},
            {{"unusedPermissionsRecommendedStep": {{"recommendedAction": "DETACH_POLICY", "existingPolicyId": "q"}}}}]}}"#
    );
    let hub = format!(
        r#"{{"Status": "SUCCEEDED", "ResourceArn": "arn:aws:iam::111122223333:role/r", "RecommendationType": "UNUSED_PERMISSION_RECOMMENDATION",
            "RecommendationSteps": [{{"UnusedPermissions": {{"RecommendedAction": "CREATE_POLICY", "ExistingPolicyId": "p", "RecommendedPolicy": "{policy}"}}}},
            {{"UnusedPermissions": {{"RecommendedAction": "DETACH_POLICY", "ExistingPolicyId": "q"}}}}]}}"#
    );
    let read = |text: &str| {
        let found = recommendations(&source("r.json", text)).unwrap();
        found.iter().map(|r| format!("{} {:?} {}", r.resource, r.existing, r.recommended.is_some())).collect::<Vec<_>>()
    };
    assert_eq!(read(&analyzer), read(&hub));
    assert_eq!(
        read(&hub),
        ["arn:aws:iam::111122223333:role/r Some(\"p\") true", "arn:aws:iam::111122223333:role/r Some(\"q\") false"]
    );
    let pending = analyzer.replace("SUCCEEDED", "IN_PROGRESS");
    assert!(recommendations(&source("r.json", &pending)).unwrap_err().to_string().contains("IN_PROGRESS"));
}
