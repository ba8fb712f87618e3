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

fn resource(action: &Action, place: usize) -> ResourcePattern {
    let resource = match action.service() {
        "dynamodb" => format!("arn:aws:dynamodb:eu-west-1:111122223333:table/T{place}"),
        "s3" => format!("arn:aws:s3:::bucket/folder/{place}"),
        "sqs" => format!("arn:aws:sqs:eu-west-1:111122223333:q{place}"),
        _ => format!("arn:aws:iam::111122223333:role/r{place}"),
    };
    ResourcePattern::new(&resource)
}

fn call((function, action, place): &(usize, usize, usize)) -> Observation {
    let action: Action = ACTIONS[*action].parse().unwrap();
    Observation {
        resources: vec![resource(&action, *place)],
        action,
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

/// What the logs could not have shown: some actions, and of one the uses in places of odd numbers.
#[derive(Debug, Clone, Default)]
struct Hidden {
    actions: Vec<usize>,
    in_part: Option<usize>,
    /// Whether an action that is recorded in part counts as visible where it was seen.
    seen_is_visible: bool,
}

impl Hidden {
    fn is_one(of: Option<usize>, action: &Action) -> bool {
        of.is_some_and(|at| action.as_str() == ACTIONS[at])
    }

    fn whole(&self, action: &Action) -> bool {
        self.actions.iter().any(|at| action.as_str() == ACTIONS[*at])
    }

    fn visibility(&self, action: &Action) -> Visibility {
        let in_part = Self::is_one(self.in_part, action) && !self.seen_is_visible;
        if self.whole(action) || in_part { Visibility::Invisible("hidden".into()) } else { Visibility::Visible }
    }

    /// A pattern may name a place of an odd number, where it is not one of an even one.
    fn every_use(&self, action: &Action, on: &ResourcePattern) -> Visibility {
        let even = on.as_str().ends_with(['0', '2']);
        let in_part = Self::is_one(self.in_part, action) && !even;
        if self.whole(action) || in_part { Visibility::Invisible("hidden".into()) } else { Visibility::Visible }
    }

    fn hides(&self, action: &Action, place: usize) -> bool {
        self.whole(action) || (Self::is_one(self.in_part, action) && place % 2 == 1)
    }
}

fn taken_apart(snapshot: &Snapshot, observations: Vec<Observation>, hidden: &Hidden) -> SplitProposal {
    static CATALOG: std::sync::LazyLock<Catalog> = std::sync::LazyLock::new(|| Catalog::embedded().unwrap());
    let mut usage = UsageLog::default();
    usage.principals.insert(SHARED.parse().unwrap(), PrincipalUsage { observations });
    let coverage = Coverage { days: 90, ..Coverage::of(BTreeMap::new(), &usage) };
    let visible = |_: &Arn, action: &Action| hidden.visibility(action);
    let evidence = Evidence {
        usage: &usage,
        coverage: &coverage,
        catalog: &CATALOG,
        visibility: &visible,
        every_use: &|_, action, on| hidden.every_use(action, on),
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
        let done = taken_apart(&snapshot, observations.clone(), &Hidden::default()).split.unwrap();
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

    /// What a function may have used without a trace stays with it, or is listed as lost: whatever the others were seen to do.
    #[test]
    fn what_a_function_may_have_used_without_a_trace_is_kept_or_listed_for_each(
        policies in proptest::collection::vec(proptest::collection::vec(0..STATEMENTS.len(), 1..4), 1..3),
        calls in proptest::collection::vec((0..2_usize, 0..ACTIONS.len(), 0..4_usize), 1..10),
        actions in proptest::collection::vec(0..ACTIONS.len(), 0..3),
        in_part in proptest::option::of(0..ACTIONS.len()),
        seen_is_visible in any::<bool>(),
    ) {
        let snapshot = snapshot(&policies);
        let hidden = Hidden { actions, in_part, seen_is_visible };
        let observations: Vec<Observation> = calls.iter().map(call).collect();
        let (index, _) = SnapshotIndex::new(&snapshot);
        let held = index.identity_policies(&SHARED.parse().unwrap());
        let old = PermissionSet::of_documents(held.iter().map(|policy| policy.document));
        let done = taken_apart(&snapshot, observations.clone(), &hidden);
        for (part, decided) in done.split.unwrap().parts.iter().zip(&done.parts) {
            let documents = part.policies.iter().chain(&part.new_managed_policies).map(|policy| &policy.document);
            let new = PermissionSet::of_documents(documents);
            let inside = new.included_in(&old, Limits::default());
            prop_assert!(matches!(inside, Inclusion::Included(_)), "{:?}: {:?}", part.function, inside);
            let seen = |action: &Action| observations.iter().any(|call| call.action == *action);
            for (at, place) in (0..ACTIONS.len()).flat_map(|at| (0..4).map(move |place| (at, place))) {
                let action: Action = ACTIONS[at].parse().unwrap();
                // That an action nobody was seen to use is recorded in part alone is said by its visibility.
                let told = hidden.whole(&action) || !hidden.seen_is_visible || seen(&action);
                let resource = resource(&action, place);
                if told && hidden.hides(&action, place) && old.allows(&action, &resource) == Possibility::Yes {
                    let listed = decided.blind_spots.iter().any(|spot| spot.actions.contains(&action));
                    let kept = new.allows(&action, &resource) == Possibility::Yes;
                    prop_assert!(kept || listed, "{}: {action} on {resource}", part.function.name());
                }
            }
        }
    }
}
