//! What is said of guardrails: each case a statement that must be told of, and one beside it that must not.

use std::sync::LazyLock;

use iam_model::catalog::Catalog;
use iam_model::policy::parse;
use iam_model::text::{SourceName, SourceText};

use crate::policy_check::{PolicyKind, Validator};

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::embedded().unwrap());
const EXEMPT: &str = r#""ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/BreakGlass"}"#;

/// The codes said of a policy of these statements.
fn codes(kind: PolicyKind, statements: &str) -> Vec<&'static str> {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": {statements}}}"#);
    let source = SourceText { name: SourceName::new("p.json"), text };
    let (document, diagnostics) = parse(&source);
    assert_eq!(diagnostics, [], "{statements}");
    Validator::new(&CATALOG).check(&document, kind, &source).iter().map(|one| one.code.as_str()).collect()
}

/// Of a service control policy with one Deny of these parts, the first says the code and the second does not.
#[track_caller]
fn check(code: &str, with: &str, without: &str) {
    for (body, expected) in [(with, true), (without, false)] {
        let said = codes(PolicyKind::ServiceControl, &format!(r#"[{{"Effect": "Deny", {body}}}]"#));
        assert_eq!(said.contains(&code), expected, "{code} of {body}: {said:?}");
    }
}

fn deny(action: &str, condition: &str) -> String {
    format!(r#""Action": {action}, "Resource": "*", "Condition": {{{condition}}}"#)
}

#[test]
fn what_a_template_left_to_fill_in_is_told() {
    let to = |value: &str| {
        deny(r#""ec2:RunInstances""#, &format!(r#""StringNotEquals": {{"aws:PrincipalOrgID": "{value}"}}"#))
    };
    for left in ["[ORG]", "<my-org-id>", "{{org}}", "{org}", "${Org}", "MY_ORG_ID"] {
        check("unresolved-placeholder", &to(left), &to("o-a1b2c3d4e5"));
    }
    let region = |vpc: &str, region: &str| {
        format!(
            r#"{{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {{"StringEquals": {{"aws:SourceVpc": "{vpc}"}},
            "StringNotEquals": {{"aws:RequestedRegion": "{region}"}}}}}}"#
        )
    };
    let both = |a: &str, b: &str| format!("[{}, {}]", region(a, "eu-west-1"), region(b, "us-east-1"));
    assert!(codes(PolicyKind::ServiceControl, &both("<vpc>", "<vpc>")).contains(&"template-trap"));
    assert!(!codes(PolicyKind::ServiceControl, &both("<vpc-1>", "<vpc-2>")).contains(&"template-trap"));
}

#[test]
fn sets_and_absent_keys_under_a_deny() {
    let tags = |operator: &str| {
        deny(r#""ec2:CreateTags""#, &format!(r#"{EXEMPT}, "{operator}": {{"aws:TagKeys": ["owner"]}}"#))
    };
    check("forallvalues-evasion", &tags("ForAllValues:StringEquals"), &tags("ForAnyValue:StringEquals"));
    check(
        "forallvalues-overdeny",
        &tags("ForAllValues:StringEquals"),
        &deny(
            r#""ec2:CreateTags""#,
            r#""ForAllValues:StringEquals": {"aws:TagKeys": ["owner"]}, "Null": {"aws:TagKeys": "false"}"#,
        ),
    );
    let days = |operator: &str| {
        deny(
            r#""kms:ScheduleKeyDeletion""#,
            &format!(r#""{operator}": {{"kms:ScheduleKeyDeletionPendingWindowInDays": "30"}}"#),
        )
    };
    check("missing-key-bypass", &days("NumericLessThan"), &days("NumericLessThanIfExists"));
    let mfa = |operator: &str| {
        deny(r#""iam:DeleteUser""#, &format!(r#""{operator}": {{"aws:MultiFactorAuthPresent": "false"}}"#))
    };
    check("missing-key-bypass", &mfa("Bool"), &mfa("BoolIfExists"));
    let owner = |operator: &str| {
        deny(
            r#""s3:CreateBucket""#,
            &format!(r#""{operator}": {{"s3:x-amz-object-ownership": "BucketOwnerEnforced"}}"#),
        )
    };
    check("missing-key-overdeny", &owner("StringNotEquals"), &owner("StringNotEqualsIfExists"));
}

#[test]
fn names_that_a_path_gets_past() {
    let role = |name: &str| format!(r#""Action": "iam:DeleteRole", "Resource": "arn:aws:iam::*:role/{name}""#);
    check("path-trap", &role("audit-*"), &role("*audit-*"));
    check("path-trap", &role("audit-*"), &role("audit"));
    check(
        "path-trap",
        &role("aws-reserved/sso.amazonaws.com/AWSReservedSSO_*"),
        &role("aws-reserved/sso.amazonaws.com/*AWSReservedSSO_*"),
    );
}

#[test]
fn calls_of_every_workload() {
    let mfa = |operator: &str| {
        format!(
            r#""NotAction": ["iam:*"], "Resource": "*", "Condition": {{"{operator}": {{"aws:MultiFactorAuthPresent": "false"}}}}"#
        )
    };
    check("workload-lockout", &mfa("BoolIfExists"), &mfa("Bool"));
    check(
        "workload-lockout",
        &deny(r#"["sqs:*"]"#, r#""StringNotEqualsIfExists": {"aws:SourceOrgID": "o-1"}"#),
        &deny(
            r#"["sqs:*"]"#,
            r#""StringNotEqualsIfExists": {"aws:SourceOrgID": "o-1"}, "Bool": {"aws:PrincipalIsAWSService": "true"}"#,
        ),
    );
    check(
        "workload-impact",
        r#""Action": "lambda:GetFunction", "Resource": "*""#,
        &deny(r#""lambda:GetFunction""#, r#""StringEquals": {"aws:SourceVpc": "vpc-1"}"#),
    );
    let region = |exempt: &str| {
        format!(
            r#""NotAction": [{exempt}], "Resource": "*", "Condition": {{"StringNotEquals": {{"aws:RequestedRegion": "eu-west-1"}}}}"#
        )
    };
    let home = r#""acm:*", "lambda:*", "wafv2:*", "cloudfront:*", "route53:*", "iam:*", "sts:*", "organizations:*", "support:*""#;
    check("workload-impact", &region(r#""iam:*""#), &region(home));
}

#[test]
fn what_a_guardrail_leaves_out() {
    check(
        "gap",
        r#""Action": "kms:ScheduleKeyDeletion", "Resource": "*""#,
        r#""Action": ["kms:ScheduleKeyDeletion", "kms:Disable*", "kms:PutKeyPolicy"], "Resource": "*""#,
    );
    check(
        "no-exemption",
        &deny(r#""ec2:DeleteVpc""#, r#""Bool": {"aws:SecureTransport": "false"}"#),
        &deny(r#""ec2:DeleteVpc""#, EXEMPT),
    );
    let services: Vec<String> = [
        "acm",
        "athena",
        "backup",
        "batch",
        "cloudfront",
        "cloudtrail",
        "config",
        "dms",
        "ds",
        "dynamodb",
        "ec2",
        "ecr",
        "ecs",
        "eks",
        "glue",
        "iam",
        "kms",
        "lambda",
        "logs",
        "s3",
    ]
    .iter()
    .map(|service| format!(r#""{service}:*""#))
    .collect();
    let list = format!(r#""NotAction": [{}], "Resource": "*""#, services.join(", "));
    check(
        "stale-notaction",
        &list,
        &format!(r#"{list}, "Condition": {{"StringNotEquals": {{"aws:RequestedRegion": "eu-west-1"}}}}"#),
    );
}

#[test]
fn spellings_and_forms() {
    check(
        "case-sensitivity",
        r#""Action": "ec2:CreateVPNGateway", "Resource": "*""#,
        r#""Action": "ec2:CreateVpnGateway", "Resource": "*""#,
    );
    let like =
        |operator: &str| deny(r#""ec2:DeleteVpc""#, &format!(r#""{operator}": {{"aws:PrincipalTag/team": "a*"}}"#));
    check("operator-case", &like("Stringlike"), &like("StringLike"));
    let one = r#"{"Effect": "Deny", "Action": "ec2:DeleteVpc", "Resource": "*"}"#;
    assert!(codes(PolicyKind::ServiceControl, one).contains(&"statement-not-array"));
    assert!(!codes(PolicyKind::ServiceControl, &format!("[{one}]")).contains(&"statement-not-array"));
    // None of this is said of policies that grant.
    assert_eq!(
        codes(PolicyKind::Identity, r#"{"Effect": "Allow", "Action": "ec2:CreateVPNGateway", "Resource": "*"}"#),
        Vec::<&str>::new()
    );
}
