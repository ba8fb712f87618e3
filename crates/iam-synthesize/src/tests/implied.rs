//! What no call of its own shows and a role needs all the same: passed roles, siblings, keys behind services, pollers.

use super::*;
use crate::NeedRule;

const ACCOUNT: &str = "us-east-1:111122223333";

fn grant(actions: &str) -> String {
    format!(r#"[{{"Effect": "Allow", "Action": {actions}, "Resource": "*"}}]"#)
}

/// What a proposal keeps by a rule, with the resources and the condition.
fn kept(proposal: &RoleProposal, rule: NeedRule) -> Vec<String> {
    let of = proposal.needs.iter().filter(|need| need.rule == rule);
    of.map(|need| {
        let on = need.resources.iter().flatten().map(|r| format!(" {r}")).collect::<String>();
        let bound = need.bound.as_ref().map(|b| format!(" if {} {:?}", b.key, b.values)).unwrap_or_default();
        format!("{}{on}{bound}", need.action)
    })
    .collect()
}

fn allows(proposal: &RoleProposal, action: &str, resource: &str) -> bool {
    let set = PermissionSet::of_document(proposal.changes[0].after.as_ref().unwrap());
    set.allows(&action.parse().unwrap(), &ResourcePattern::new(resource)) == Possibility::Yes
}

#[test]
fn a_passed_role_is_implied_by_the_calls_that_pass_it() {
    let mut pass = seen("iam:PassRole", "arn:aws:iam::111122223333:role/fn");
    pass.context = BTreeMap::from([(
        iam_model::condition::ConditionKey::new("iam:PassedToService"),
        vec!["lambda.amazonaws.com".into()],
    )]);
    let snapshot = snapshot(&[&grant(r#"["iam:PassRole", "lambda:*"]"#)], BASIC, FUNCTION);
    let proposal = propose(&snapshot, vec![pass]);
    let need = proposal.needs.iter().find(|need| need.rule == NeedRule::AskedByCalls).unwrap();
    assert_eq!((need.grade(), need.seen.as_ref().map(|seen| seen.count)), (Grade::Implied, Some(3)));
    assert_eq!(need.because, "3 calls that ask for it, 1970-01-01 to 1970-04-03");
    assert!(allows(&proposal, "iam:PassRole", "arn:aws:iam::111122223333:role/fn"));
    assert!(!allows(&proposal, "iam:PassRole", "arn:aws:iam::111122223333:role/other"), "no wider for being named");
}

#[test]
fn siblings_stay_where_enough_was_seen_or_the_rest_could_not_be() {
    let check = |granted: &str, calls: &[(&str, &str)], expected: &[&str]| {
        let snapshot = snapshot(&[&grant(granted)], BASIC, FUNCTION);
        let proposal = propose(&snapshot, calls.iter().map(|(action, on)| seen(action, on)).collect());
        assert_eq!(kept(&proposal, NeedRule::Siblings), expected, "{calls:?}");
    };
    let (receive, delete) = (("sqs:ReceiveMessage", QUEUE), ("sqs:DeleteMessage", QUEUE));
    let rest = [format!("sqs:ChangeMessageVisibility {QUEUE}"), format!("sqs:GetQueueAttributes {QUEUE}")];
    check(r#""sqs:*""#, &[receive, delete], &[&rest[0], &rest[1]]);
    check(r#""*""#, &[receive, delete], &[&rest[0], &rest[1]]);
    check(r#"["sqs:ReceiveMessage", "sqs:DeleteMessage"]"#, &[receive, delete], &[]);
    // One call of a kind that is recorded says that the others would have been, too.
    check(r#""sqs:*""#, &[receive], &[]);
    check(r#""sqs:*""#, &[("sqs:GetQueueAttributes", QUEUE)], &[]);
    let (stream, rows) = (format!("{TABLE}/stream/1"), "dynamodb:GetShardIterator");
    check(
        r#""dynamodb:*""#,
        &[("dynamodb:DescribeStream", &stream)],
        &[&format!("dynamodb:GetRecords {stream}"), &format!("{rows} {stream}")],
    );
    let group = |name: &str| format!("arn:aws:logs:{ACCOUNT}:log-group:{name}");
    let opened = |name: &str| format!("{}:log-stream:2026/x", group(name));
    check(
        r#""logs:*""#,
        &[("logs:CreateLogStream", &opened("/app/a")), ("logs:CreateLogStream", &opened("/aws/lambda/other"))],
        &[&format!("logs:PutLogEvents {}:*", group("/app/a"))],
    );
    let traces = ["xray:GetSamplingTargets *", "xray:PutTelemetryRecords *", "xray:PutTraceSegments *"];
    check(r#""xray:*""#, &[("xray:GetSamplingRules", "*")], &traces);
}

#[test]
fn a_sibling_that_was_always_denied_is_not_needed() {
    let mut denied = seen("sqs:ChangeMessageVisibility", QUEUE);
    (denied.count, denied.denied) = (0, 4);
    let calls = vec![seen("sqs:ReceiveMessage", QUEUE), seen("sqs:DeleteMessage", QUEUE), denied];
    let proposal = propose(&snapshot(&[&grant(r#""sqs:*""#)], BASIC, FUNCTION), calls);
    assert_eq!(kept(&proposal, NeedRule::Siblings), [format!("sqs:GetQueueAttributes {QUEUE}")]);
}

/// Proposes where the trail leaves the events of KMS out, as many do.
fn without_kms(policy: &str, calls: Vec<Observation>) -> RoleProposal {
    let hides = |action: &Action| action.service() == "kms";
    propose_hiding(
        &snapshot(&[policy], BASIC, FUNCTION),
        calls,
        &Rules { min_days: 30, ..Rules::default() },
        90,
        &hides,
    )
}

#[test]
fn keys_behind_services_stay_for_these_services_alone_where_the_trail_leaves_them_out() {
    let put = || {
        vec![
            seen("s3:PutObject", "arn:aws:s3:::b/k"),
            seen("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:s-abcdef"),
        ]
    };
    let proposal = without_kms(&grant(r#""*""#), put());
    let kept = kept(&proposal, NeedRule::ThroughService);
    assert!(kept.contains(&r#"kms:GenerateDataKey if kms:ViaService ["s3.*.amazonaws.com"]"#.to_owned()), "{kept:?}");
    let decrypt = kept.iter().find(|text| text.starts_with("kms:Decrypt")).unwrap();
    assert!(decrypt.contains("secretsmanager.eu-west-1.amazonaws.com"), "{kept:?}");
    let text = after(&proposal).concat();
    assert!(text.contains(r#""Condition":{"StringLike":{"kms:ViaService":"#), "{text}");
    let blind: Vec<_> = proposal.blind_spots.iter().flat_map(|s| s.actions.iter()).map(Action::as_str).collect();
    assert!(blind.contains(&"kms:Decrypt"), "calls of the code's own are cut, and asked about");
    let seen_all = propose(&snapshot(&[&grant(r#""*""#)], BASIC, FUNCTION), put());
    assert!(!after(&seen_all).concat().contains("kms:"), "where the trail records keys, there were no calls");
    let named = without_kms(&grant(r#"["s3:*", "kms:Decrypt"]"#), put());
    let text = after(&named).concat();
    assert!(text.contains("kms:Decrypt") && !text.contains("ViaService"), "named, it stays as it is: {text}");
}

fn function_with(api: &str) -> String {
    FUNCTION.replace(r#""VpcConfig": {"VpcId": "vpc-1"}"#, api)
}

#[test]
fn what_reads_the_event_source_stays() {
    let check = |source: &str, more: &str, expected: &[&str], gone: &[&str]| {
        let api = format!(r#""EventSourceMappings": [{{"EventSourceArn": "{source}"{more}}}]"#);
        let snapshot = snapshot(&[&grant(r#""*""#)], BASIC, &function_with(&api));
        let proposal = propose(&snapshot, vec![seen("dynamodb:PutItem", TABLE)]);
        let kept = kept(&proposal, NeedRule::ReadsEventSource).join("\n");
        let set = PermissionSet::of_document(proposal.changes[0].after.as_ref().unwrap());
        for action in expected {
            assert!(kept.contains(action), "{action}: {kept}");
            assert_ne!(set.allows_action(&action.parse().unwrap()), Possibility::No, "{action}");
        }
        for action in gone {
            assert_eq!(set.allows_action(&action.parse().unwrap()), Possibility::No, "{action}");
        }
    };
    let sqs = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
    check(QUEUE, "", &sqs, &["sqs:SendMessage", "ec2:CreateNetworkInterface"]);
    let failed = r#", "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::failed"}}"#;
    check(
        &format!("{TABLE}/stream/1"),
        failed,
        &["dynamodb:GetRecords", "dynamodb:ListStreams", "s3:PutObject"],
        &["s3:GetObject"],
    );
    check(
        &format!("arn:aws:kinesis:{ACCOUNT}:stream/s"),
        "",
        &["kinesis:GetRecords", "kinesis:ListShards"],
        &["kinesis:PutRecord"],
    );
    let secret = r#", "SourceAccessConfigurations": [{"Type": "BASIC_AUTH", "URI": "arn:aws:secretsmanager:us-east-1:111122223333:secret:mq-abcdef"}]"#;
    let broker =
        ["mq:DescribeBroker", "secretsmanager:GetSecretValue", "ec2:CreateNetworkInterface", "ec2:DescribeVpcs"];
    check(&format!("arn:aws:mq:{ACCOUNT}:broker:b:b-1"), secret, &broker, &["mq:CreateUser"]);
    let kafka = ["kafka:GetBootstrapBrokers", "kafka-cluster:ReadData", "kafka-cluster:AlterGroup"];
    check(&format!("arn:aws:kafka:{ACCOUNT}:cluster/c/1"), "", &kafka, &["kafka-cluster:WriteData"]);
}

#[test]
fn a_level_may_ask_for_more_days_before_it_is_cut() {
    let policy =
        r#"[{"Effect": "Allow", "Action": ["dynamodb:*", "iam:AttachRolePolicy", "iam:GetRole"], "Resource": "*"}]"#;
    let calls = || vec![seen("dynamodb:PutItem", TABLE)];
    let rules = |days| Rules {
        min_days: 30,
        min_days_of: BTreeMap::from([(iam_model::catalog::AccessLevel::PermissionsManagement, days)]),
        ..Rules::default()
    };
    let propose = |days| propose_with(&snapshot(&[policy], BASIC, FUNCTION), calls(), &rules(days), 90);
    let text = after(&propose(365)).concat();
    assert!(text.contains("iam:AttachRolePolicy") && text.contains("dynamodb:PutResourcePolicy"), "{text}");
    assert!(!text.contains("iam:GetRole") && !text.contains("dynamodb:DeleteTable"), "other levels go: {text}");
    let long = propose(365);
    let need = long.needs.iter().find(|need| need.rule == NeedRule::TooEarly).unwrap();
    assert_eq!(need.grade(), Grade::Retained);
    assert_eq!(
        need.because,
        "the logs of account 111122223333 span 90 days, and 365 are asked for before a Permissions management action counts as unused"
    );
    assert!(!after(&propose(90)).concat().contains("iam:AttachRolePolicy"), "90 days are enough");
}

#[test]
fn of_a_wildcard_over_every_service_too_early_actions_are_asked_about() {
    let rules = Rules {
        min_days_of: BTreeMap::from([(iam_model::catalog::AccessLevel::PermissionsManagement, 365)]),
        ..Rules::default()
    };
    let proposal = propose_with(&snapshot(&[], ADMIN, FUNCTION), vec![seen("dynamodb:PutItem", TABLE)], &rules, 90);
    let spot = proposal.blind_spots.iter().find(|spot| spot.service == "iam" && spot.why.contains("365 are asked for"));
    assert!(spot.is_some_and(|spot| spot.actions.iter().any(|action| action.as_str() == "iam:AttachRolePolicy")));
}
