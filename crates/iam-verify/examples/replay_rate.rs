//! How long a replay of 100,000 aggregated observations over 500 roles takes:
//! `cargo run --release -p iam-verify --example replay_rate`.
//!
//! Makes its account and logs from a seed, so that every run replays the same; prints seconds and judges nothing.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints, and its input is its own")]

use std::collections::BTreeMap;
use std::time::Instant;

use iam_evaluate::Evaluator;
use iam_model::arn::ResourcePattern;
use iam_model::change::{Attachment, AttachmentKind, Change};
use iam_model::condition::ConditionKey;
use iam_model::policy::{PolicyDocument, parse};
use iam_model::snapshot::{self, SnapshotIndex};
use iam_model::text::{SourceName, SourceText};
use iam_model::time::Timestamp;
use iam_model::usage::{Observation, PrincipalUsage, UsageLog};
use iam_verify::keeps_used;

const ROLES: usize = 500;
const OBSERVATIONS: usize = 200;
const ACCOUNTS: usize = 5;

/// A small generator with a fixed seed (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

fn account(role: usize) -> String {
    format!("11112222{:04}", role % ACCOUNTS)
}

fn own_policy(role: usize) -> String {
    let account = account(role);
    format!(
        r#"{{"Version": "2012-10-17", "Statement": [
        {{"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"], "Resource": "arn:aws:dynamodb:*:{account}:table/t{role}-*"}},
        {{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b{role}/*"}},
        {{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*", "Condition": {{"StringEquals": {{"aws:PrincipalAccount": "{account}"}}}}}},
        {{"Effect": "Deny", "Action": "dynamodb:DeleteTable", "Resource": "*"}}]}}"#
    )
}

fn snapshot_text() -> String {
    let mut accounts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for role in 0..ROLES {
        let id = account(role);
        let text = format!(
            r#"{{"RoleName": "r{role}", "Arn": "arn:aws:iam::{id}:role/r{role}", "AssumeRolePolicyDocument": {{"Statement": []}}, "AttachedManagedPolicies": [],
            "RolePolicyList": [{{"PolicyName": "own", "PolicyDocument": {}}}]}}"#,
            own_policy(role)
        );
        accounts.entry(id).or_default().push(text);
    }
    let full = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;
    let laws: Vec<String> =
        accounts.keys().map(|id| format!(r#""{id}": {{"scps": [[{full}]], "rcps": []}}"#)).collect();
    let accounts: Vec<String> = accounts
        .iter()
        .map(|(id, roles)| {
            format!(r#""{id}": {{"authorization_details": {{"RoleDetailList": [{}]}}}}"#, roles.join(","))
        })
        .collect();
    format!(
        r#"{{"schema": "paring-snapshot/1", "accounts": {{{}}}, "organization": {{"id": "o-a", "management_account_id": "999900001111", "accounts": {{{}}}}}}}"#,
        accounts.join(","),
        laws.join(",")
    )
}

fn observation(role: usize, place: usize, numbers: &mut Numbers) -> Observation {
    let region = ["eu-west-1", "us-east-1", "ap-northeast-1"].get(numbers.below(3)).copied().unwrap_or_default();
    let id = account(role);
    let (action, resource) = match numbers.below(4) {
        0 => ("dynamodb:PutItem", format!("arn:aws:dynamodb:{region}:{id}:table/t{role}-{place}")),
        1 => ("dynamodb:GetItem", format!("arn:aws:dynamodb:{region}:{id}:table/t{role}-{place}")),
        2 => ("s3:GetObject", format!("arn:aws:s3:::b{role}/k{place}")),
        _ => ("sqs:SendMessage", format!("arn:aws:sqs:{region}:{id}:q{place}")),
    };
    Observation {
        action: action.parse().unwrap(),
        resources: vec![ResourcePattern::new(&resource)],
        resource_known: true,
        context: BTreeMap::from([(ConditionKey::new("aws:RequestedRegion"), vec![region.to_owned()])]),
        function: None,
        count: 1 + numbers.below(1000) as u64,
        denied: 0,
        first: Timestamp::from_epoch_seconds(1_790_000_000),
        last: Timestamp::from_epoch_seconds(1_795_000_000),
        sample_event_ids: Vec::new(),
    }
}

fn document(text: &str) -> PolicyDocument {
    parse(&SourceText { name: SourceName::new("p.json"), text: text.to_owned() }).0
}

fn main() {
    let source = SourceText { name: SourceName::new("s.json"), text: snapshot_text() };
    let (snapshot, _) = snapshot::read(source).unwrap();
    let (index, _) = SnapshotIndex::new(&snapshot);
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut usage = UsageLog::default();
    for role in 0..ROLES {
        let observations = (0..OBSERVATIONS).map(|place| observation(role, place, &mut numbers)).collect();
        let arn = format!("arn:aws:iam::{}:role/r{role}", account(role)).parse().unwrap();
        usage.principals.insert(arn, PrincipalUsage { observations });
    }
    let deny = document(
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "NotAction": "iam:*", "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}}}]}"#,
    );
    let scp = Change {
        attachment: Attachment {
            kind: AttachmentKind::ServiceControl,
            principal_arn: None,
            resource_arn: None,
            logical_id: None,
            address: None,
            policy_name: Some("deny-regions".into()),
            index: None,
        },
        before: None,
        after: Some(deny),
        reasons: Vec::new(),
    };
    let narrowed = |role: usize| {
        let arn = format!("arn:aws:iam::{}:role/r{role}", account(role)).parse().unwrap();
        let before = own_policy(role);
        let after = before.replace("\"dynamodb:Query\"", "\"dynamodb:UpdateItem\"");
        Change {
            attachment: Attachment::identity(arn, "own".into()),
            before: Some(document(&before)),
            after: Some(document(&after)),
            reasons: Vec::new(),
        }
    };
    let roles: Vec<Change> = (0..ROLES).map(narrowed).collect();
    measure("one service control policy over all accounts", &[&scp], &index, &usage);
    measure("a change of every role", &roles.iter().collect::<Vec<_>>(), &index, &usage);
}

fn measure(name: &str, changes: &[&Change], index: &SnapshotIndex<'_>, usage: &UsageLog) {
    let mut times: Vec<f64> = (0..5)
        .map(|_| {
            let start = Instant::now();
            let evaluator = Evaluator::new(index);
            let replayed = keeps_used::check(changes, index, &evaluator, usage);
            assert_eq!(replayed.principals.len(), ROLES);
            start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    println!("{} observations of {ROLES} roles, {name}: {median:.3} s", ROLES * OBSERVATIONS);
}
