//! Deciding against a snapshot, and against one with a change.

use iam_model::action::ActionPattern;
use iam_model::arn::ResourcePattern;
use iam_model::change::{Attachment, Change};
use iam_model::policy::Statement;
use iam_model::snapshot::{self, Snapshot};
use iam_model::text::{SourceName, SourceText};

use super::*;

const ROLE: &str = "arn:aws:iam::111122223333:role/app/R";

fn snapshot() -> Snapshot {
    let text = r#"{"schema": "paring-snapshot/1",
     "accounts": {"111122223333": {
      "authorization_details": {"RoleDetailList": [
       {"RoleName": "R", "Arn": "arn:aws:iam::111122223333:role/app/R", "Path": "/app/", "RoleId": "AROAR",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
          {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]},
        "Tags": [{"Key": "team", "Value": "orders"}],
        "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
          {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/${aws:PrincipalTag/team}/*"},
          {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"},
          {"Effect": "Allow", "Action": "sqs:*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}
        ]}}]}]},
      "resource_policies": {"arn:aws:s3:::data": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::data/orders/secret/*"}]}}}},
     "organization": {"id": "o-1", "management_account_id": "999999999999", "accounts": {"111122223333": {
       "scps": [[{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"},
         {"Effect": "Deny", "Action": "kms:*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}}]}]],
       "rcps": []}}}}"#;
    snapshot::read(SourceText { name: SourceName::new("s.json"), text: text.into() }).unwrap().0
}

fn decide(evaluator: &Evaluator<'_>, principal: &str, action: &str, resource: &str) -> String {
    let request = Request {
        principal: Principal::parse(principal).unwrap(),
        action: action.parse().unwrap(),
        resource: resource.parse().unwrap(),
        resource_account: None,
        context: Context::open(),
    };
    evaluator.decide_request(&request).outcome.as_str().to_owned()
}

#[test]
fn policies_of_caller_resource_and_account_are_found() {
    let snapshot = snapshot();
    let (index, _) = SnapshotIndex::new(&snapshot);
    let evaluator = Evaluator::new(&index);
    let session = "arn:aws:sts::111122223333:assumed-role/R/s";
    for (principal, action, resource, expected) in [
        (ROLE, "s3:GetObject", "arn:aws:s3:::data/orders/1", "allow"),
        (session, "s3:GetObject", "arn:aws:s3:::data/orders/1", "allow"),
        (ROLE, "s3:GetObject", "arn:aws:s3:::data/orders/secret/1", "explicit_deny"),
        (ROLE, "s3:GetObject", "arn:aws:s3:::data/billing/1", "implicit_deny"),
        (ROLE, "kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/k", "allow"),
        (ROLE, "kms:Decrypt", "arn:aws:kms:us-east-1:111122223333:key/k", "explicit_deny"),
        (ROLE, "sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:q", "unknown"),
        (ROLE, "sns:Publish", "arn:aws:sns:eu-west-1:111122223333:t", "implicit_deny"),
        ("lambda.amazonaws.com", "sts:AssumeRole", ROLE, "allow"),
        ("events.amazonaws.com", "sts:AssumeRole", ROLE, "implicit_deny"),
        ("arn:aws:iam::111122223333:role/Gone", "s3:GetObject", "arn:aws:s3:::data/orders/1", "unknown"),
        (ROLE, "kms:Decrypt", "arn:aws:kms:eu-west-1:444455556666:key/k", "unknown"),
    ] {
        assert_eq!(decide(&evaluator, principal, action, resource), expected, "{principal} {action} {resource}");
    }
}

#[test]
fn a_change_is_decided_without_touching_the_original() {
    let snapshot = snapshot();
    let (index, _) = SnapshotIndex::new(&snapshot);
    let evaluator = Evaluator::new(&index);
    let resource = "arn:aws:sns:eu-west-1:111122223333:t";
    let after = PolicyDocument::new(vec![Statement::allow(
        vec![ActionPattern::new("sns:Publish")],
        vec![ResourcePattern::new(resource)],
    )]);
    let attachment = Attachment::identity(ROLE.parse().unwrap(), "p".into());
    let change = Change { attachment, before: None, after: Some(after), reasons: Vec::new() };
    let changed = evaluator.with_change(&change).unwrap();
    assert_eq!(decide(&changed, ROLE, "sns:Publish", resource), "allow");
    assert_eq!(decide(&changed, ROLE, "s3:GetObject", "arn:aws:s3:::data/orders/1"), "implicit_deny");
    assert_eq!(decide(&evaluator, ROLE, "sns:Publish", resource), "implicit_deny");
}

#[test]
fn a_change_whose_place_is_not_there_is_refused() {
    let snapshot = snapshot();
    let (index, _) = SnapshotIndex::new(&snapshot);
    let attachment = Attachment::identity("arn:aws:iam::111122223333:role/Gone".parse().unwrap(), "p".into());
    let change = Change { attachment, before: None, after: None, reasons: Vec::new() };
    let refused = Evaluator::new(&index).with_change(&change).unwrap_err();
    assert!(matches!(refused, ChangeError::NotHeld { .. }), "{refused}");
}

/// An account of an organisation, a role whose sessions may bring tags, a bucket, and nothing else.
fn bare(organization: &str) -> Snapshot {
    let text = format!(
        r#"{{"schema": "paring-snapshot/1", "organization": {organization}, "accounts": {{"111122223333": {{
      "authorization_details": {{"RoleDetailList": [
       {{"RoleName": "T", "Arn": "arn:aws:iam::111122223333:role/T", "Tags": [{{"Key": "team", "Value": "a"}}],
        "AssumeRolePolicyDocument": {{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow",
          "Principal": {{"AWS": "111122223333"}}, "Action": ["sts:AssumeRole", "sts:TagSession"]}}]}},
        "RolePolicyList": [{{"PolicyName": "p", "PolicyDocument": {{"Version": "2012-10-17", "Statement": [
          {{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::${{aws:PrincipalTag/team}}/*"}},
          {{"Effect": "Allow", "Action": ["kms:*", "s3:PutObject", "sts:AssumeRole"], "Resource": "*"}}]}}}}]}}]}}}}}}}}"#
    );
    snapshot::read(SourceText { name: SourceName::new("s.json"), text }).unwrap().0
}

#[track_caller]
fn open(organization: &str, action: &str, resource: &str, element: &str) {
    let snapshot = bare(organization);
    let (index, _) = SnapshotIndex::new(&snapshot);
    let request = Request {
        principal: Principal::parse("arn:aws:iam::111122223333:role/T").unwrap(),
        action: action.parse().unwrap(),
        resource: resource.parse().unwrap(),
        resource_account: None,
        context: Context::open(),
    };
    let crate::Outcome::Unknown(unknowns) = Evaluator::new(&index).decide_request(&request).outcome else {
        panic!("{action} on {resource} is decided")
    };
    let said = unknowns.keys.iter().map(ToString::to_string).chain(unknowns.elements);
    assert!(said.clone().any(|said| said.contains(element)), "{:?}", said.collect::<Vec<_>>());
}

#[test]
fn a_role_whose_sessions_may_bring_tags_has_no_known_tags() {
    open("null", "s3:GetObject", "arn:aws:s3:::a/1", "aws:PrincipalTag/team");
}

#[test]
fn guardrails_the_snapshot_does_not_hold_are_unknown() {
    let organization = r#"{"id": "o-1", "management_account_id": "999999999999", "accounts": {}}"#;
    open(organization, "s3:PutObject", "arn:aws:s3:::a/1", "the guardrails above account 111122223333");
}

#[test]
fn a_role_of_another_account_has_an_unknown_trust_policy() {
    let role = "arn:aws:iam::444455556666:role/X";
    open("null", "sts:AssumeRole", role, "the policy of a resource that the snapshot does not hold");
}

#[test]
fn a_key_without_a_policy_has_the_default_one_and_a_bucket_nobody_holds_is_the_callers() {
    let snapshot = bare("null");
    let (index, _) = SnapshotIndex::new(&snapshot);
    let evaluator = Evaluator::new(&index);
    let role = "arn:aws:iam::111122223333:role/T";
    let key = "arn:aws:kms:eu-west-1:111122223333:key/k";
    for (action, resource) in [("kms:Decrypt", key), ("s3:PutObject", "arn:aws:s3:::nobodys/1")] {
        assert_eq!(decide(&evaluator, role, action, resource), "allow", "{action}");
    }
}

#[test]
fn the_policy_of_a_vpc_endpoint_limits_the_calls_that_come_through_it() {
    let mut snapshot = snapshot();
    let account = snapshot.accounts.values_mut().next().unwrap();
    let everyone = iam_model::policy::PrincipalElement::Principal(vec![iam_model::text::Spanned::synthetic(
        iam_model::policy::PrincipalPattern::Everyone,
    )]);
    let policy = |resource: &str| {
        let allow = Statement::allow(vec![ActionPattern::new("s3:*")], vec![ResourcePattern::new(resource)]);
        PolicyDocument::new(vec![Statement { principal: Some(everyone.clone()), ..allow }])
    };
    let arn: Arn = "arn:aws:ec2:eu-west-1:111122223333:vpc-endpoint/vpce-1".parse().unwrap();
    let endpoint = |id: &str, policy| snapshot::VpcEndpoint {
        id: id.into(),
        service: "com.amazonaws.eu-west-1.s3".into(),
        vpc: None,
        policy,
    };
    account.vpc_endpoints.insert(arn.clone(), endpoint("vpce-1", Some(policy("arn:aws:s3:::data/orders/a/*"))));
    let other = "arn:aws:ec2:eu-west-1:111122223333:vpc-endpoint/vpce-2".parse().unwrap();
    account.vpc_endpoints.insert(other, endpoint("vpce-2", None));
    let (index, _) = SnapshotIndex::new(&snapshot);
    let evaluator = Evaluator::new(&index);
    let through = |evaluator: &Evaluator<'_>, endpoint: &str, resource: &str| {
        let mut context = Context::open();
        context.set(ConditionKey::new("AWS:SourceVPCE"), vec![endpoint.to_owned()]);
        let request = Request {
            principal: Principal::parse(ROLE).unwrap(),
            action: "s3:GetObject".parse().unwrap(),
            resource: resource.parse().unwrap(),
            resource_account: None,
            context,
        };
        evaluator.decide_request(&request).outcome.as_str().to_owned()
    };
    let (inside, beside) = ("arn:aws:s3:::data/orders/a/1", "arn:aws:s3:::data/orders/b/1");
    assert_eq!(through(&evaluator, "vpce-1", inside), "allow");
    assert_eq!(through(&evaluator, "vpce-1", beside), "implicit_deny");
    assert_eq!(decide(&evaluator, ROLE, "s3:GetObject", beside), "allow", "by another way");
    // Endpoints that the snapshot does not hold, or without the policy, let nothing through for sure.
    assert_eq!(through(&evaluator, "vpce-2", inside), "unknown");
    assert_eq!(through(&evaluator, "vpce-9", inside), "unknown");
    let mut attachment = Attachment::identity(arn.clone(), String::new());
    attachment.kind = iam_model::change::AttachmentKind::VpcEndpoint;
    (attachment.principal_arn, attachment.resource_arn, attachment.policy_name) = (None, Some(arn), None);
    let change = |after| Change { attachment: attachment.clone(), before: None, after, reasons: Vec::new() };
    let changed = evaluator.with_change(&change(Some(policy("arn:aws:s3:::data/orders/b/*")))).unwrap();
    assert_eq!(through(&changed, "vpce-1", inside), "implicit_deny");
    assert_eq!(through(&changed, "vpce-1", beside), "allow");
    let default = changed.with_change(&change(None)).unwrap();
    assert_eq!(through(&default, "vpce-1", inside), "allow", "without one of its own, it lets everything through");
}
