//! The three classes: would have been seen, could not have been seen, and in doubt the second.

use super::*;
use std::collections::BTreeSet;

fn set(items: &[&str]) -> BTreeSet<String> {
    items.iter().map(ToString::to_string).collect()
}

fn all() -> AccountCoverage {
    AccountCoverage { management_read: true, management_write: true, ..AccountCoverage::default() }
}

/// `expected` is empty where the call would have been seen, else a part of the reason.
fn check(trail: &AccountCoverage, region: Option<&str>, action: &str, expected: &str) {
    let catalog = Catalog::embedded().unwrap();
    let account: AccountId = "111122223333".parse().unwrap();
    let coverage = Coverage { accounts: [(account.clone(), trail.clone())].into(), days: 90, ..Coverage::default() };
    let found = visibility(&coverage, &catalog, &account, region, &action.parse().unwrap());
    match found {
        Visibility::Visible => assert_eq!(expected, "", "{action}"),
        Visibility::Invisible(why) => assert!(!expected.is_empty() && why.contains(expected), "{action}: {why}"),
    }
}

#[test]
fn management_events() {
    check(&all(), None, "lambda:UpdateFunctionCode", "");
    check(&all(), None, "kms:Decrypt", "");
    check(&all(), None, "iam:PassRole", "");
    check(
        &AccountCoverage { excluded_sources: set(&["kms.amazonaws.com"]), ..all() },
        None,
        "kms:Decrypt",
        "leave out",
    );
    check(&AccountCoverage { management_write: false, ..all() }, None, "lambda:GetFunction", "");
    check(
        &AccountCoverage { management_write: false, ..all() },
        None,
        "lambda:CreateFunction",
        "reading management events only",
    );
    // AWS classes it as a change, and its events say that they only read.
    check(&AccountCoverage { management_read: false, ..all() }, None, "kms:Decrypt", "writing management events only");
    check(&AccountCoverage { management_read: false, ..all() }, None, "lambda:CreateFunction", "");
    check(&AccountCoverage::default(), None, "lambda:CreateFunction", "no management events");
}

#[test]
fn data_events() {
    check(&all(), None, "s3:GetObject", "no data events of AWS::S3::Object");
    let objects = AccountCoverage { data_types: set(&["AWS::S3::Object"]), ..all() };
    check(&objects, None, "s3:GetObject", "");
    let some = AccountCoverage { partial_data_types: set(&["AWS::S3::Object"]), ..all() };
    check(&some, None, "s3:GetObject", "only in part");
    let tables = AccountCoverage { data_types: set(&["AWS::DynamoDB::Table"]), ..all() };
    check(&tables, None, "dynamodb:PutItem", "");
    check(&tables, None, "dynamodb:GetRecords", "");
    check(&AccountCoverage { data_types: set(&["AWS::SNS::Topic"]), ..all() }, None, "sns:Publish", "PlatformEndpoint");
}

#[test]
fn what_is_never_logged_is_never_visible() {
    for action in ["logs:PutLogEvents", "xray:PutTraceSegments", "execute-api:Invoke", "ec2messages:GetMessages"] {
        check(&all(), None, action, "does not log");
    }
    check(&all(), None, "nosuchservice:DoThing", "does not know");
}

#[test]
fn regions() {
    let one = AccountCoverage { regions: Some(set(&["eu-west-1"])), ..all() };
    check(&one, Some("eu-west-1"), "lambda:CreateFunction", "");
    check(&one, Some("us-east-1"), "lambda:CreateFunction", "no trail records region us-east-1");
    check(&one, None, "lambda:CreateFunction", "eu-west-1 only");
    check(&one, Some("eu-west-1"), "iam:CreateRole", "no trail records region us-east-1");
}

#[test]
fn an_account_nobody_records_shows_nothing() {
    let catalog = Catalog::embedded().unwrap();
    let found = visibility(
        &Coverage::default(),
        &catalog,
        &"111122223333".parse().unwrap(),
        None,
        &"lambda:CreateFunction".parse().unwrap(),
    );
    assert!(matches!(found, Visibility::Invisible(why) if why.contains("no trail")));
}
