//! How many decisions a second: against a compiled snapshot of a thousand roles, and from text, policies read each time.
//!
//! `cargo bench -p iam-evaluate`. The snapshot and the cases are made here, so that it needs no file.

use divan::Bencher;
use divan::counter::ItemsCount;
use iam_evaluate::case::Case;
use iam_evaluate::{Context, Evaluator, Principal, Request};
use iam_model::arn::Arn;
use iam_model::condition::ConditionKey;
use iam_model::json::Arena;
use iam_model::snapshot::{self, SnapshotIndex};
use iam_model::text::{SourceName, SourceText};

// As the command line has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROLES: usize = 1000;

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

/// Five thousand requests, five for each role.
#[divan::bench]
fn compiled_snapshot_of_a_thousand_roles(bencher: Bencher<'_, '_>) {
    let source = SourceText { name: SourceName::new("snapshot"), text: snapshot_text() };
    let (Ok((snapshot, _)), Some(requests)) = (snapshot::read(source), requests()) else { return };
    let (index, _) = SnapshotIndex::new(&snapshot);
    let evaluator = Evaluator::new(&index);
    let decide = |(principal, request): &(Arn, Request)| evaluator.decide(principal, request).outcome.is_allow();
    bencher.counter(ItemsCount::new(requests.len())).bench_local(|| requests.iter().filter(|r| decide(r)).count());
}

/// A line of JSON with a role's policies, guardrails and a dozen facts, read and decided.
#[divan::bench]
fn case_from_text(bencher: Bencher<'_, '_>) {
    let policies = r#"[{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::data/*"},
        {"Effect": "Allow", "Action": "sqs:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}]}]"#;
    let full = r#"[[{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}]]"#;
    let text = format!(
        r#"{{"id": "a", "request": {{"principal": "arn:aws:iam::111122223333:role/R", "action": "s3:GetObject",
        "resource": {{"arn": "arn:aws:s3:::data/2026/a.json", "account": "111122223333"}}, "context": {{
        "aws:PrincipalArn": "arn:aws:iam::111122223333:role/R", "aws:PrincipalAccount": "111122223333",
        "aws:SecureTransport": "true", "aws:RequestedRegion": "eu-west-1", "aws:SourceIp": "192.0.2.1"}}}},
        "identity_policies": {policies}, "scps": {full}, "rcps": {full}}}"#
    );
    let line = SourceText { name: SourceName::new("case"), text };
    let mut arena = Arena::new();
    let counter = ItemsCount::new(1_usize);
    bencher.counter(counter).bench_local(|| Case::read_in(&mut arena, &line).map(|(case, _)| case.evaluate()));
}

fn main() {
    divan::main();
}
