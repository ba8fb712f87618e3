//! Decides requests of a thousand roles against one compiled snapshot, and prints how many a second.
//!
//! The measurement behind `docs/performance.md`; the snapshot is made here, so that it needs no file.

use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

use iam_evaluate::{Context, Evaluator, Principal, Request};
use iam_model::arn::Arn;
use iam_model::condition::ConditionKey;
use iam_model::snapshot::{self, SnapshotIndex};
use iam_model::text::{SourceName, SourceText};

const ROLES: usize = 1000;
const DECISIONS: usize = 4_000_000;

/// A role as Lambda functions have them: three inline policies, eight statements, one with a condition.
fn role(number: usize) -> String {
    format!(
        r#"{{"RoleName": "fn-{number}", "Arn": "arn:aws:iam::111122223333:role/fn-{number}",
        "AssumeRolePolicyDocument": {{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow",
          "Principal": {{"Service": "lambda.amazonaws.com"}}, "Action": "sts:AssumeRole"}}]}},
        "RolePolicyList": [
         {{"PolicyName": "logs", "PolicyDocument": {{"Version": "2012-10-17", "Statement": [
          {{"Effect": "Allow", "Action": "logs:CreateLogGroup", "Resource": "arn:aws:logs:eu-west-1:111122223333:*"}},
          {{"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/fn-{number}:*"}}]}}}},
         {{"PolicyName": "data", "PolicyDocument": {{"Version": "2012-10-17", "Statement": [
          {{"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"],
            "Resource": "arn:aws:dynamodb:eu-west-1:111122223333:table/t{number}*"}},
          {{"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::data-{number}/*"}},
          {{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::data-{number}"}}]}}}},
         {{"PolicyName": "messages", "PolicyDocument": {{"Version": "2012-10-17", "Statement": [
          {{"Effect": "Allow", "Action": "sqs:*", "Resource": "arn:aws:sqs:*:111122223333:q-{number}"}},
          {{"Effect": "Allow", "Action": "sns:Publish", "Resource": "*",
            "Condition": {{"StringEquals": {{"aws:RequestedRegion": "eu-west-1"}}}}}},
          {{"Effect": "Deny", "Action": "sqs:DeleteQueue", "Resource": "*"}}]}}}}]}}"#
    )
}

fn snapshot_text() -> String {
    let roles: Vec<String> = (0..ROLES).map(role).collect();
    format!(
        r#"{{"schema": "paring-snapshot/1", "accounts": {{"111122223333": {{"authorization_details": {{"RoleDetailList": [{}]}}}}}},
        "organization": {{"id": "o-1", "management_account_id": "999999999999", "accounts": {{"111122223333": {{"scps": [
          [{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "*", "Resource": "*"}}]}}],
          [{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "*", "Resource": "*"}},
            {{"Effect": "Deny", "Action": ["organizations:*", "account:*"], "Resource": "*"}}]}}]], "rcps": []}}}}}}}}"#,
        roles.join(",")
    )
}

fn requests() -> Option<Vec<(Arn, Request)>> {
    let mut requests = Vec::new();
    for number in 0..ROLES {
        let arn = format!("arn:aws:iam::111122223333:role/fn-{number}");
        for (action, resource) in [
            ("dynamodb:GetItem", format!("arn:aws:dynamodb:eu-west-1:111122223333:table/t{number}")),
            ("s3:GetObject", format!("arn:aws:s3:::data-{number}/a/b/c.json")),
            ("sqs:SendMessage", format!("arn:aws:sqs:eu-west-1:111122223333:q-{number}")),
            ("sns:Publish", "arn:aws:sns:eu-west-1:111122223333:topic".to_owned()),
            ("ec2:RunInstances", "arn:aws:ec2:eu-west-1:111122223333:instance/i-1".to_owned()),
        ] {
            let mut context = Context::complete();
            context.set(ConditionKey::new("aws:RequestedRegion"), vec!["eu-west-1".into()]);
            context.set(ConditionKey::new("aws:SecureTransport"), vec!["true".into()]);
            let request = Request {
                principal: Principal::parse(&arn).ok()?,
                action: action.parse().ok()?,
                resource: resource.parse().ok()?,
                resource_account: None,
                context,
            };
            requests.push((arn.parse().ok()?, request));
        }
    }
    Some(requests)
}

fn main() -> ExitCode {
    let source = SourceText { name: SourceName::new("snapshot"), text: snapshot_text() };
    let (Ok((snapshot, _)), Some(requests)) = (snapshot::read(source), requests()) else { return ExitCode::from(2) };
    let (index, _) = SnapshotIndex::new(&snapshot);
    let evaluator = Evaluator::new(&index);
    let mut allowed = 0_usize;
    let start = Instant::now();
    for (principal, request) in requests.iter().cycle().take(DECISIONS) {
        allowed += usize::from(evaluator.decide(principal, request).outcome.is_allow());
    }
    let seconds = start.elapsed().as_secs_f64();
    let line =
        format!("{DECISIONS} decisions, {allowed} allowed, {ROLES} roles: {:.0} a second", 4_000_000.0 / seconds);
    if writeln!(std::io::stdout(), "{line}").is_ok() { ExitCode::SUCCESS } else { ExitCode::from(2) }
}
