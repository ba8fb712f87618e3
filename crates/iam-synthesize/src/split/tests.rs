//! Shared roles taken apart, at random: no part exceeds the shared role, and each serves its own function.

use std::collections::BTreeMap;

use iam_evaluate::permission_set::{Inclusion, Limits, PermissionSet, Possibility};
use iam_model::action::Action;
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::catalog::Catalog;
use iam_model::policy::PolicyDocument;
use iam_model::quota::QuotaProfile;
use iam_model::snapshot::{Snapshot, SnapshotIndex, read};
use iam_model::text::{SourceName, SourceText};
use iam_model::time::Timestamp;
use iam_model::usage::{Coverage, Observation, PrincipalUsage, UsageLog, Visibility};
use proptest::prelude::*;

use super::{SplitProposal, Splitter};
use crate::{Evidence, Rules};

const SHARED: &str = "arn:aws:iam::111122223333:role/app/shared";
const FUNCTIONS: [&str; 3] = ["orders", "builds", "quiet"];
const ACTIONS: [&str; 5] = ["dynamodb:GetItem", "dynamodb:PutItem", "s3:GetObject", "sqs:SendMessage", "iam:GetRole"];

/// Statements of the shared role: wide and narrow ones, with conditions, `Not…`, and denies.
const STATEMENTS: [&str; 7] = [
    r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#,
    r#"{"Effect": "Allow", "Action": ["dynamodb:*", "s3:*"], "Resource": "*"}"#,
    r#"{"Effect": "Allow", "Action": ["sqs:SendMessage", "iam:GetRole"], "Resource": "*"}"#,
    r#"{"Effect": "Allow", "NotAction": "iam:*", "NotResource": "arn:aws:dynamodb:*:*:table/T0"}"#,
    r#"{"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::bucket/*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}"#,
    r#"{"Effect": "Deny", "Action": "dynamodb:PutItem", "Resource": "arn:aws:dynamodb:*:*:table/T1"}"#,
    r#"{"Effect": "Deny", "NotAction": ["dynamodb:*", "s3:*", "sqs:*"], "Resource": "*", "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}}"#,
];

fn snapshot(policies: &[Vec<usize>]) -> Snapshot {
    let inline: Vec<String> = (policies.iter().enumerate())
        .map(|(n, statements)| {
            let statements: Vec<&str> = statements.iter().map(|at| STATEMENTS[*at]).collect();
            let statements = statements.join(",");
            format!(r#"{{"PolicyName": "p{n}", "PolicyDocument": {{"Version": "2012-10-17", "Statement": [{statements}]}}}}"#)
        })
        .collect();
    let functions: Vec<String> = (FUNCTIONS.iter())
        .map(|name| {
            format!(
                r#"{{"kind": "lambda.function", "arn": "arn:aws:lambda:eu-west-1:111122223333:function:{name}", "role_arn": "{SHARED}", "api": {{"FunctionName": "{name}"}}}}"#
            )
        })
        .collect();
    let text = format!(
        r#"{{"schema": "paring-snapshot/1", "organization": null, "accounts": {{"111122223333": {{"authorization_details": {{
        "UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": [{{"Path": "/app/", "RoleName": "shared",
          "RoleId": "AROAEXAMPLE", "Arn": "{SHARED}", "InstanceProfileList": [], "AttachedManagedPolicies": [], "RolePolicyList": [{}],
          "AssumeRolePolicyDocument": {{"Version": "2012-10-17", "Statement": [
            {{"Effect": "Allow", "Principal": {{"Service": "lambda.amazonaws.com"}}, "Action": "sts:AssumeRole"}}]}}}}]}},
        "resources": [{}], "resource_policies": {{}}}}}}}}"#,
        inline.join(","),
        functions.join(",")
    );
    read(SourceText { name: SourceName::new("test"), text }).unwrap().0
}

fn call((function, action, place): &(usize, usize, usize)) -> Observation {
    let action: Action = ACTIONS[*action].parse().unwrap();
    let resource = match action.service() {
        "dynamodb" => format!("arn:aws:dynamodb:eu-west-1:111122223333:table/T{place}"),
        "s3" => format!("arn:aws:s3:::bucket/folder/{place}"),
        "sqs" => format!("arn:aws:sqs:eu-west-1:111122223333:q{place}"),
        _ => format!("arn:aws:iam::111122223333:role/r{place}"),
    };
    Observation {
        action,
        resources: vec![ResourcePattern::new(&resource)],
        resource_known: true,
        context: BTreeMap::new(),
        function: Some(FUNCTIONS[*function].into()),
        count: 2,
        denied: 0,
        first: Timestamp::from_epoch_seconds(0),
        last: Timestamp::from_epoch_seconds(8_000_000),
        sample_event_ids: Vec::new(),
    }
}

fn taken_apart(snapshot: &Snapshot, observations: Vec<Observation>) -> SplitProposal {
    static CATALOG: std::sync::LazyLock<Catalog> = std::sync::LazyLock::new(|| Catalog::embedded().unwrap());
    let mut usage = UsageLog::default();
    usage.principals.insert(SHARED.parse().unwrap(), PrincipalUsage { observations });
    let coverage = Coverage { days: 90, ..Coverage::of(BTreeMap::new(), &usage) };
    let visible = |_: &Arn, _: &Action| Visibility::Visible;
    let evidence = Evidence {
        usage: &usage,
        coverage: &coverage,
        catalog: &CATALOG,
        visibility: &visible,
        every_use: &|_, _, _| Visibility::Visible,
        has_own_record: &|_| false,
    };
    let (index, _) = SnapshotIndex::new(snapshot);
    let roles: Vec<_> = index.roles().collect();
    let rules = Rules { min_days: 30, ..Rules::default() };
    let splitter = Splitter::new(&roles, &index, &evidence, (&rules, &QuotaProfile::AWS));
    splitter.split(splitter.shared().last().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Together the parts allow nothing that the shared role did not, and each allows what its function was seen to do
    /// as surely as the shared role did.
    #[test]
    fn the_parts_never_exceed_the_shared_role_and_keep_what_each_function_did(
        policies in proptest::collection::vec(proptest::collection::vec(0..STATEMENTS.len(), 1..4), 1..3),
        calls in proptest::collection::vec((0..2_usize, 0..ACTIONS.len(), 0..4_usize), 1..10),
    ) {
        let snapshot = snapshot(&policies);
        let observations: Vec<Observation> = calls.iter().map(call).collect();
        let (index, _) = SnapshotIndex::new(&snapshot);
        let held = index.identity_policies(&SHARED.parse().unwrap());
        let old = PermissionSet::of_documents(held.iter().map(|policy| policy.document));
        let done = taken_apart(&snapshot, observations.clone()).split.unwrap();
        prop_assert_eq!(done.parts.len(), FUNCTIONS.len());
        for part in &done.parts {
            let documents: Vec<&PolicyDocument> = part.policies.iter().map(|policy| &policy.document).collect();
            let new = PermissionSet::of_documents(documents.iter().copied());
            let inside = new.included_in(&old, Limits::default());
            prop_assert!(matches!(inside, Inclusion::Included(_)), "{:?}: {:?}", part.function, inside);
            let own = observations.iter().filter(|o| o.function.as_deref() == Some(part.function.name()));
            for seen in own.filter(|o| old.allows(&o.action, &o.resources[0]) == Possibility::Yes) {
                prop_assert_eq!(new.allows(&seen.action, &seen.resources[0]), Possibility::Yes, "{:?}", seen);
            }
        }
    }
}
