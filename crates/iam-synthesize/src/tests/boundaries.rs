//! Boundaries that several roles share: never below what any of them is left with.

use super::*;
use crate::{DocumentProposal, boundaries};

const BOUNDARY: &str = "arn:aws:iam::111122223333:policy/limits";

/// An account with roles `orders` and `other`, and perhaps a user, within one boundary.
fn account(boundary: &str, own: &str, other: &str, user: bool) -> Snapshot {
    let role = |name: &str, statements: &str| {
        format!(
            r#"{{"Path": "/", "RoleName": "{name}", "RoleId": "AROA{name}", "Arn": "arn:aws:iam::111122223333:role/{name}", "InstanceProfileList": [],
            "AssumeRolePolicyDocument": {{"Version": "2012-10-17", "Statement": []}}, "AttachedManagedPolicies": [],
            "PermissionsBoundary": {{"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": "{BOUNDARY}"}},
            "RolePolicyList": [{{"PolicyName": "own", "PolicyDocument": {{"Version": "2012-10-17", "Statement": {statements}}}}}]}}"#
        )
    };
    let ada = format!(
        r#"{{"UserName": "ada", "UserId": "AIDAADA", "Arn": "arn:aws:iam::111122223333:user/ada", "Path": "/", "GroupList": [],
        "AttachedManagedPolicies": [], "UserPolicyList": [], "PermissionsBoundary": {{"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": "{BOUNDARY}"}}}}"#
    );
    let text = format!(
        r#"{{"schema": "paring-snapshot/1", "organization": null, "accounts": {{"111122223333": {{"authorization_details": {{
        "UserDetailList": [{}], "GroupDetailList": [], "RoleDetailList": [{}, {}], "Policies": [
          {{"PolicyName": "limits", "Arn": "{BOUNDARY}", "DefaultVersionId": "v1", "PolicyVersionList": [{{"VersionId": "v1",
            "IsDefaultVersion": true, "Document": {{"Version": "2012-10-17", "Statement": {boundary}}}}}]}}]}},
        "resources": [], "resource_policies": {{"{QUEUE}": {{"Version": "2012-10-17", "Statement": [
          {{"Effect": "Allow", "Action": "sqs:ChangeMessageVisibility", "Resource": "{QUEUE}", "Principal": {{"AWS": "arn:aws:iam::111122223333:role/orders"}}}},
          {{"Effect": "Allow", "Action": "sqs:PurgeQueue", "Resource": "{QUEUE}", "Principal": {{"AWS": "arn:aws:iam::999988887777:role/else"}}}}]}}}}}}}}}}"#,
        if user { &ada } else { "" },
        role("orders", own),
        role("other", other)
    );
    read(SourceText { name: SourceName::new("test"), text }).unwrap().0
}

/// What is proposed where `orders` put items and `other` was seen to do this.
fn propose_for(snapshot: &Snapshot, other: Option<&str>) -> Vec<DocumentProposal> {
    propose_from(snapshot, other, &Visibility::Visible)
}

/// The same from logs that show actions so.
fn propose_from(snapshot: &Snapshot, other: Option<&str>, shown: &Visibility) -> Vec<DocumentProposal> {
    let catalog = Catalog::embedded().unwrap();
    let mut usage = UsageLog::default();
    let mut see = |role: &str, action: &str, resource: &str| {
        let role: Arn = format!("arn:aws:iam::111122223333:role/{role}").parse().unwrap();
        usage.principals.insert(role, PrincipalUsage { observations: vec![seen(action, resource)] });
    };
    see("orders", "dynamodb:PutItem", TABLE);
    if let Some(action) = other {
        see("other", action, QUEUE);
    }
    let coverage = Coverage { days: 90, ..Coverage::of(BTreeMap::new(), &usage) };
    let visible = |_: &Arn, _: &Action| shown.clone();
    let evidence = Evidence {
        usage: &usage,
        coverage: &coverage,
        catalog: &catalog,
        visibility: &visible,
        every_use: &|_, _, _| Visibility::Visible,
        has_own_record: &|_| false,
    };
    let (index, _) = SnapshotIndex::new(snapshot);
    let roles: Vec<_> = index.roles().collect();
    let proposals = synthesize(&roles, &index, &evidence, &Rules { min_days: 30, ..Rules::default() });
    boundaries(&proposals, &index, &catalog, &QuotaProfile::AWS)
}

const ALL: &str = r#"[{"Effect": "Allow", "Action": "*", "Resource": "*"}]"#;
const WIDE: &str = r#"[{"Effect": "Allow", "Action": ["dynamodb:*", "sqs:*", "s3:*"], "Resource": "*"}, {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}]"#;

#[test]
fn a_boundary_keeps_what_any_of_its_roles_is_left_with() {
    let proposals = propose_for(&account(WIDE, ALL, ALL, false), Some("sqs:GetQueueUrl"));
    let [only] = proposals.as_slice() else { panic!("{proposals:#?}") };
    // The same document for each role that has it.
    assert_eq!(only.changes.len(), 2);
    for change in &only.changes {
        assert_eq!(change.attachment.policy_name.as_deref(), Some(BOUNDARY));
        let text = print(change.after.as_ref().unwrap(), PrintStyle::Compact);
        // The queue's own policy grants one more, which no call need have shown.
        let kept = r#""Action":["dynamodb:PutItem","sqs:ChangeMessageVisibility","sqs:GetQueueUrl"],"Resource":"*""#;
        assert!(text.contains(kept), "{text}");
        assert!(text.contains(r#""Effect":"Deny","Action":"iam:*""#), "{text}");
    }
}

#[test]
fn a_boundary_stays_where_somebody_in_it_is_not_known() {
    let why = |snapshot: &Snapshot, other| {
        let proposals = propose_for(snapshot, other);
        let [only] = proposals.as_slice() else { panic!("{proposals:#?}") };
        assert!(only.changes.is_empty(), "{only:#?}");
        only.left_alone.join("; ")
    };
    assert!(why(&account(WIDE, ALL, ALL, false), None).contains("nothing is known of other"));
    assert!(why(&account(WIDE, ALL, ALL, true), Some("sqs:GetQueueUrl")).contains("ada has it too and is not judged"));
    let none = r#"[{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]"#;
    assert!(why(&account(none, ALL, ALL, false), Some("sqs:GetQueueUrl")).contains("a boundary that allows nothing"));
    // Who makes roles has to give them this boundary: it is for roles that nobody knows yet.
    let makes = r#"[{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Allow", "Action": "iam:CreateRole", "Resource": "*",
      "Condition": {"StringEquals": {"iam:PermissionsBoundary": "arn:aws:iam::111122223333:policy/limits"}}}]"#;
    let said = why(&account(WIDE, makes, ALL, false), Some("sqs:GetQueueUrl"));
    assert!(said.contains("`own` asks for it as the boundary of roles that are yet to be made"), "{said}");
}

#[test]
fn a_boundary_that_is_too_long_gives_the_longest_services_whole() {
    // What the roles keep by name, as the logs could not have shown it.
    let catalog = Catalog::embedded().unwrap();
    let names = |service: &str, most: usize| -> Vec<String> {
        catalog.service_actions(service).take(most).map(|facts| facts.action().as_str().to_owned()).collect()
    };
    let (ec2, sqs, iot) = (names("ec2", 190), names("sqs", 10), names("iot", 60));
    let all: Vec<String> = ec2.iter().chain(&sqs).chain(&iot).map(|name| format!("{name:?}")).collect();
    let own = format!(r#"[{{"Effect": "Allow", "Action": [{}], "Resource": "*"}}]"#, all.join(", "));
    let of_services = r#"[{"Effect": "Allow", "Action": ["ec2:*", "iot:*", "sqs:*"], "Resource": "*"}]"#;
    let of_a_part = r#"[{"Effect": "Allow", "Action": ["ec2:*e*", "iot:*", "sqs:*"], "Resource": "*"}]"#;
    for (boundary, whole) in [(ALL, "ec2:*"), (of_services, "ec2:*"), (of_a_part, "ec2:*e*")] {
        let hidden = Visibility::Invisible("not recorded".into());
        let proposals = propose_from(&account(boundary, &own, &own, false), Some("sqs:GetQueueUrl"), &hidden);
        let change = proposals[0].changes.first().unwrap_or_else(|| panic!("{proposals:#?}"));
        let (before, after) = (change.before.as_ref().unwrap(), change.after.as_ref().unwrap());
        assert!(compact_len(after) <= QuotaProfile::AWS.boundary);
        let actions: Vec<&str> = after.statements[0].action.patterns().iter().map(|p| p.value.as_str()).collect();
        let wild: Vec<&&str> = actions.iter().filter(|action| action.contains('*')).collect();
        assert_eq!(wild, [&whole], "the longest alone");
        assert!(sqs.iter().chain(&iot).all(|name| actions.contains(&name.as_str())), "{actions:?}");
        let because = &change.reasons[0].because;
        assert!(
            because.ends_with("all that it allowed of ec2, as the names of their actions do not fit the quota"),
            "{because}"
        );
        let (new, old) = (PermissionSet::of_document(after), PermissionSet::of_document(before));
        assert!(matches!(new.included_in(&old, Limits::default()), Inclusion::Included(_)), "never more than it was");
    }
}
