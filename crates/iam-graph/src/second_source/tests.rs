//! AWS's findings beside ours: said once, marked, and shown where they differ.

use iam_model::snapshot::SnapshotIndex;
use iam_model::text::{SourceName, SourceText};

use super::*;

const ANALYZER: &str = "arn:aws:access-analyzer:us-east-1:111122223333:analyzer/outside";

/// A bucket open to everyone, a queue for one account, a closed topic, a role; with what AWS says.
fn snapshot(analyzer: &str, findings: &str) -> Snapshot {
    let policy = |who: &str, arn: &str| {
        format!(
            r#""{arn}": {{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Principal": {{"AWS": "{who}"}}, "Action": "sqs:SendMessage", "Resource": "{arn}"}}]}}"#
        )
    };
    let (open, partner, shut) = (
        "arn:aws:sqs:us-east-1:111122223333:open",
        "arn:aws:sqs:us-east-1:111122223333:partner",
        "arn:aws:sqs:us-east-1:111122223333:shut",
    );
    let text = format!(
        r#"{{"schema": "paring-snapshot/1", "organization": null, "accounts": {{"111122223333": {{"authorization_details":
        {{"UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": []}},
        "resource_policies": {{{}, {}, {}}},
        "access_analyzer": {{"analyzers": [{analyzer}], "findings": [{findings}]}}}}}}}}"#,
        policy("*", open),
        policy("999988887777", partner),
        policy("111122223333", shut),
    );
    let source = SourceText { name: SourceName::new("s.json"), text };
    let (snapshot, said) = iam_model::snapshot::read(source).unwrap();
    assert!(said.is_empty(), "{said:?}");
    snapshot
}

fn analyzer(kind: &str) -> String {
    format!(
        r#"{{"arn": "{ANALYZER}", "name": "outside", "type": "{kind}", "status": "ACTIVE", "findings_read": true}}"#
    )
}

fn external(id: &str, queue: &str, status: &str, details: &str) -> String {
    format!(
        r#"{{"id": "{id}", "analyzerArn": "{ANALYZER}", "findingType": "ExternalAccess", "status": "{status}",
        "resource": "arn:aws:sqs:us-east-1:111122223333:{queue}", "resourceOwnerAccount": "111122223333",
        "findingDetails": [{details}]}}"#
    )
}

fn who(text: &str, public: bool) -> String {
    format!(
        r#"{{"externalAccessDetails": {{"principal": {{"AWS": "{text}"}}, "isPublic": {public}, "action": ["sqs:SendMessage"], "condition": {{}}}}}}"#
    )
}

/// Each finding as a line: code, severity, resource's name, evidence.
fn lines(snapshot: &Snapshot) -> (Vec<String>, Vec<String>) {
    let (index, _) = SnapshotIndex::new(snapshot);
    let mut findings = crate::build(&index, &[]).findings();
    let not_checked = beside_access_analyzer(&mut findings, snapshot);
    let line = |finding: &Finding| {
        let resource = finding.resource.as_ref().map_or("-", |arn| arn.name());
        format!("{} {} {resource}: {}", finding.severity.as_str(), finding.code, finding.evidence.join("; "))
    };
    (findings.iter().map(line).collect(), not_checked)
}

fn check(snapshot: &Snapshot, expected: &[&str]) -> Vec<String> {
    let (lines, not_checked) = lines(snapshot);
    for part in expected {
        assert!(lines.iter().any(|line| line.contains(part)), "no `{part}` in {lines:#?}");
    }
    assert_eq!(not_checked, [] as [&str; 0]);
    lines
}

#[test]
fn what_both_say_is_said_once() {
    let findings = [
        external("f-1", "open", "ACTIVE", &who("*", true)),
        external("f-2", "partner", "ACTIVE", &who("999988887777", false)),
    ];
    let lines = check(
        &snapshot(&analyzer("ACCOUNT"), &findings.join(",")),
        &[
            "high public-resource open: everyone is allowed sqs:SendMessage; Access Analyzer says so too (finding f-1)",
            "medium cross-account partner",
            "Access Analyzer says so too (finding f-2)",
        ],
    );
    assert_eq!(lines.len(), 2, "{lines:#?}");
}

#[test]
fn where_aws_looks_and_finds_nothing_both_are_shown() {
    let lines = check(
        &snapshot(&analyzer("ACCOUNT"), &external("f-2", "partner", "ARCHIVED", &who("999988887777", false))),
        &[
            "low opinion-differs open: ours: public-resource: everyone is allowed sqs:SendMessage; Access Analyzer (`outside`) looks at it and has no such finding",
            "Access Analyzer's finding about it was archived by somebody (finding f-2)",
        ],
    );
    assert_eq!(lines.len(), 3, "an archived finding is no difference: {lines:#?}");
}

#[test]
fn none_means_none_only_where_the_findings_were_read_by_one_that_looks() {
    for (kind, read) in [("ACCOUNT", "false"), ("ACCOUNT_UNUSED_ACCESS", "true")] {
        let analyzer = analyzer(kind).replace("\"findings_read\": true", &format!("\"findings_read\": {read}"));
        let (lines, _) = lines(&snapshot(&analyzer, ""));
        assert!(lines.iter().all(|line| !line.contains("Access Analyzer")), "{kind}, {read}: {lines:#?}");
    }
    let elsewhere = analyzer("ACCOUNT").replace(":us-east-1:", ":eu-west-1:");
    let (lines, _) = lines(&snapshot(&elsewhere, ""));
    assert!(lines.iter().all(|line| !line.contains("Access Analyzer")), "of another region: {lines:#?}");
}

#[test]
fn what_aws_alone_finds_is_marked_and_weighed_against_what_we_know() {
    let findings = [
        external("f-1", "open", "ACTIVE", &who("*", true)),
        external("f-2", "partner", "ACTIVE", &who("999988887777", false)),
        external("f-3", "shut", "ACTIVE", &who("444455556666", false)),
        external("f-4", "unseen", "ACTIVE", &who("444455556666", false)),
        external("f-5", "open", "ACTIVE", &who("111122223333", false)),
        external("f-6", "shut", "RESOLVED", &who("*", true)),
        external("f-7", "shut", "ACTIVE", ""),
    ];
    let lines = check(
        &snapshot(&analyzer("ACCOUNT"), &findings.join(",")),
        &[
            "medium opinion-differs shut: ours: its policy, as collected, lets in nobody from outside who brings nothing of ours; Access Analyzer: 444455556666 can use sqs:SendMessage",
            "medium aws-external-access unseen: Access Analyzer: 444455556666 can use sqs:SendMessage; ours: the snapshot holds no policy of it",
            "low aws-external-access open: Access Analyzer: 111122223333 can use sqs:SendMessage; outside the account, and of its organization",
            "medium aws-external-access shut: Access Analyzer: someone can use it; the finding's details were not read",
        ],
    );
    assert!(lines.iter().all(|line| !line.contains("f-6")), "{lines:#?}");
}

#[test]
fn unused_access_comes_with_what_aws_recommends() {
    let role = "arn:aws:iam::111122223333:role/old";
    let of = |id: &str, kind: &str, more: &str| {
        format!(r#"{{"id": "{id}", "findingType": "{kind}", "status": "ACTIVE", "resource": "{role}"{more}}}"#)
    };
    let permissions = r#", "findingDetails": [{"unusedPermissionDetails": {"serviceNamespace": "sqs", "actions":
        [{"action": "SendMessage", "lastAccessed": "2026-01-01T00:00:00+00:00"}]}}, {"unusedPermissionDetails": {"serviceNamespace": "kms"}}],
        "recommendation": {"recommendedSteps": [{"unusedPermissionsRecommendedStep": {"recommendedAction": "CREATE_POLICY",
        "existingPolicyId": "arn:aws:iam::111122223333:policy/p"}}]}"#;
    let last = r#", "findingDetails": [{"unusedIamRoleDetails": {"lastAccessed": "2026-02-01T00:00:00Z"}}]"#;
    let findings = [
        of("f-1", "UnusedPermission", permissions),
        of("f-2", "UnusedIAMRole", last),
        of(
            "f-3",
            "InternalAccess",
            r#", "findingDetails": [{"internalAccessDetails": {"principal": {"AWS": "arn:aws:iam::111122223333:role/x"}, "action": ["s3:GetObject"]}}]"#,
        ),
        of("f-4", "SomethingNew", ""),
        of("f-5", "UnusedIAMRole", r#", "error": "ACCESS_DENIED""#),
    ];
    let snapshot = snapshot("", &findings.join(","));
    let (lines, not_checked) = lines(&snapshot);
    for part in [
        "low aws-unused-access old: Access Analyzer: not used: the services kms; the actions sqs:SendMessage; Access Analyzer recommends to replace arn:aws:iam::111122223333:policy/p",
        "medium aws-unused-access old: Access Analyzer: nobody uses the role since 2026-02-01T00:00:00Z",
        "info aws-internal-access old: Access Analyzer: arn:aws:iam::111122223333:role/x can use s3:GetObject",
    ] {
        assert!(lines.iter().any(|line| line == part), "no `{part}` in {lines:#?}");
    }
    assert_eq!(
        not_checked,
        [
            "Access Analyzer could not analyze arn:aws:iam::111122223333:role/old: ACCESS_DENIED",
            "Access Analyzer has findings of the kind `SomethingNew`, which is not known"
        ]
    );
    assert_eq!(unused_access_of(&snapshot, &role.parse().unwrap()).len(), 3);
}
