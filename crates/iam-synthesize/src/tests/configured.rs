//! What environment variables say of a role's resources, beside what was seen.

use iam_model::policy::PolicyDocument;
use iam_model::snapshot::EnvironmentVariable;

use super::*;
use crate::{Configured, Known, Use, configured};

const BUCKET: &str = "arn:aws:s3:::receipts-1";
const SECRET: &str = "arn:aws:secretsmanager:us-east-1:111122223333:secret:prod/key-AbCdEf";

/// Resources that the account has besides.
fn world(policy: &str) -> Snapshot {
    let resources = format!(
        r#"{FUNCTION}, {{"kind": "dynamodb.table", "arn": "{TABLE}", "api": {{}}}}, {{"kind": "s3.bucket", "arn": "{BUCKET}", "api": {{}}}},
        {{"kind": "secretsmanager.secret", "arn": "{SECRET}", "api": {{}}}}, {{"kind": "sqs.queue", "arn": "{QUEUE}", "api": {{}}}}"#
    );
    snapshot(&[policy], BASIC, &resources)
}

/// What a variable of this value says, of a role that was seen to put items into the table.
fn said(policy: &str, calls: Vec<Observation>, values: &[&str]) -> Vec<Configured> {
    let snapshot = world(policy);
    let proposal = propose(&snapshot, calls.clone());
    let (index, _) = SnapshotIndex::new(&snapshot);
    let role: Arn = ROLE.parse().unwrap();
    let mut usage = UsageLog::default();
    usage.principals.insert(role.clone(), PrincipalUsage { observations: calls });
    let catalog = Catalog::embedded().unwrap();
    // As in the other tests: management events and the items of tables.
    let visibility = |_: &Arn, action: &Action| match catalog.action(action).map(|facts| facts.logging()) {
        Some(Logging::Management { .. }) => Visibility::Visible,
        Some(Logging::Data(types)) if types.contains(&"AWS::DynamoDB::Table") => Visibility::Visible,
        _ => Visibility::Invisible("not recorded".into()),
    };
    let evidence = Evidence {
        usage: &usage,
        coverage: &Coverage::default(),
        catalog: &catalog,
        visibility: &visibility,
        every_use: &|_, _, _| Visibility::Visible,
        has_own_record: &|_| false,
    };
    let before: Vec<&PolicyDocument> = index.identity_policies(&role).iter().map(|policy| policy.document).collect();
    let after: Vec<&PolicyDocument> = match proposal.changes.is_empty() {
        true => before.clone(),
        false => proposal.changes.iter().filter_map(|change| change.after.as_ref()).collect(),
    };
    let variable = |(n, value): (usize, &&str)| EnvironmentVariable {
        function: "orders".into(),
        name: format!("V{n}"),
        value: (*value).into(),
    };
    let variables: Vec<EnvironmentVariable> = values.iter().enumerate().map(variable).collect();
    let rules = Rules::default();
    configured(Known { role: &role, evidence: &evidence, rules: &rules }, &variables, &index, (&before, &after))
}

const WIDE: &str = r#"[{"Effect": "Allow", "Action": "*", "Resource": "*"}]"#;

#[test]
fn a_variable_names_a_resource_by_name_arn_or_address() {
    let index = format!("{TABLE}/index/by-day");
    let queue = "https://sqs.us-east-1.amazonaws.com/111122223333/orders";
    let named = [
        ("Orders", TABLE),
        (TABLE, TABLE),
        (&index, TABLE),
        ("receipts-1", BUCKET),
        ("arn:aws:s3:::receipts-1/2026/", BUCKET),
        ("prod/key", SECRET),
        (queue, QUEUE),
    ];
    // Whatever else people put there.
    let others =
        ["", "1", "Or", "orders table", "Order*", "${Orders}", "(left out)", "https://x.example/orders", "arn:"];
    let values: Vec<&str> = named.iter().map(|(value, _)| *value).chain(others).collect();
    let found = said(WIDE, vec![seen("dynamodb:PutItem", TABLE)], &values);
    let told: Vec<(&str, &str)> = found.iter().map(|one| (one.variable.as_str(), one.resource.as_str())).collect();
    let expected: Vec<(String, &str)> = named.iter().enumerate().map(|(n, (_, on))| (format!("V{n}"), *on)).collect();
    assert_eq!(told, expected.iter().map(|(name, on)| (name.as_str(), *on)).collect::<Vec<_>>());
}

#[test]
fn what_is_named_and_was_not_seen_says_what_is_known_of_it() {
    let put = || vec![seen("dynamodb:PutItem", TABLE)];
    let of = |policy: &str, value: &str| said(policy, put(), &[value]).remove(0).use_of;
    let mut wide = said(WIDE, put(), &["Orders", "prod/key", "receipts-1"]);
    assert_eq!((&wide[0].use_of, &wide[1].use_of), (&Use::Seen(3), &Use::Unseen));
    let Use::Hidden { actions, why } = wide.remove(2).use_of else { panic!("objects are not recorded") };
    let actions: Vec<&str> = actions.iter().map(Action::as_str).collect();
    assert!(actions.contains(&"s3:GetObject") && actions.contains(&"s3:PutObject"), "{actions:?}");
    assert!(!actions.contains(&"s3:GetBucketPolicy"), "it would have been recorded: {actions:?}");
    assert_eq!(why, "not recorded");
    let narrow = r#"[{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]"#;
    assert_eq!(of(narrow, "receipts-1"), Use::NotGranted);
    // What is granted by name stays, and so nothing goes unseen.
    let named = r#"[{"Effect": "Allow", "Action": ["dynamodb:*", "s3:GetObject"], "Resource": "*"}]"#;
    assert_eq!(of(named, "receipts-1"), Use::Unseen);
    let mut by_other = seen("dynamodb:PutItem", TABLE);
    by_other.function = Some("other".into());
    assert_eq!(said(WIDE, vec![by_other], &["Orders"]).remove(0).use_of, Use::Unseen, "another function's calls");
}

#[test]
fn values_of_variables_are_never_printed() {
    let variable = EnvironmentVariable { function: "f".into(), name: "PASSWORD".into(), value: "canary".into() };
    assert_eq!(format!("{variable:?}"), "PASSWORD of f");
}
