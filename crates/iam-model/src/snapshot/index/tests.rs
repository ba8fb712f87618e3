//! Looking up: policies through groups and across accounts, functions by role, dangling references.

use super::*;
use crate::snapshot;
use crate::text::SourceText;

fn read(text: &str) -> Snapshot {
    let source = SourceText { name: SourceName::new("s.json"), text: text.into() };
    snapshot::read(source).unwrap().0
}

fn arn(text: &str) -> Arn {
    text.parse().unwrap()
}

const TWO_ACCOUNTS: &str = r#"{"schema": "paring-snapshot/1", "accounts": {
  "111122223333": {"authorization_details": {
    "UserDetailList": [{"UserName": "ada", "Arn": "arn:aws:iam::111122223333:user/ada", "GroupList": ["dev", "gone"],
      "UserPolicyList": [{"PolicyName": "own", "PolicyDocument": {}}],
      "AttachedManagedPolicies": [{"PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]}],
    "GroupDetailList": [{"GroupName": "dev", "Arn": "arn:aws:iam::111122223333:group/teams/dev",
      "GroupPolicyList": [{"PolicyName": "g", "PolicyDocument": {}}],
      "AttachedManagedPolicies": [{"PolicyArn": "arn:aws:iam::111122223333:policy/lost"}]}],
    "RoleDetailList": [
      {"RoleName": "b", "Arn": "arn:aws:iam::111122223333:role/b", "AssumeRolePolicyDocument": {},
       "PermissionsBoundary": {"PermissionsBoundaryArn": "arn:aws:iam::111122223333:policy/lost"}},
      {"RoleName": "a", "Arn": "arn:aws:iam::111122223333:role/a", "AssumeRolePolicyDocument": {}},
      {"RoleName": "a", "Arn": "arn:aws:iam::111122223333:role/a", "AssumeRolePolicyDocument": {}}]},
    "resources": [
      {"kind": "lambda.function", "arn": "arn:aws:lambda:us-east-1:111122223333:function:z", "role_arn": "arn:aws:iam::111122223333:role/a"},
      {"kind": "lambda.function", "arn": "arn:aws:lambda:us-east-1:111122223333:function:y", "role_arn": "arn:aws:iam::111122223333:role/a"},
      {"kind": "glue.job", "arn": "arn:aws:glue:us-east-1:111122223333:job/x", "role_arn": "arn:aws:iam::111122223333:role/a"}],
    "resource_policies": {"arn:aws:s3:::shared": {}}},
  "444455556666": {"authorization_details": {
    "UserDetailList": [{"UserName": "bob", "Arn": "arn:aws:iam::444455556666:user/bob", "GroupList": ["dev"]}],
    "GroupDetailList": [{"GroupName": "dev", "Arn": "arn:aws:iam::444455556666:group/dev"}],
    "Policies": [{"PolicyName": "ReadOnlyAccess", "Arn": "arn:aws:iam::aws:policy/ReadOnlyAccess", "DefaultVersionId": "v1",
      "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true, "Document": {}}]}]}}},
 "organization": {"id": "o-1", "accounts": {"111122223333": {"scps": [[]], "rcps": []}}}}"#;

#[test]
fn identity_policies_come_in_one_order_with_their_origin() {
    let snapshot = read(TWO_ACCOUNTS);
    let (index, _) = SnapshotIndex::new(&snapshot);
    let policies = index.identity_policies(&arn("arn:aws:iam::111122223333:user/ada"));
    let names: Vec<(&str, bool)> = policies.iter().map(|p| (p.name, std::ptr::eq(p.document, &*MISSING))).collect();
    assert_eq!(names, [("own", false), ("ReadOnlyAccess", false), ("g", false), ("lost", true), ("gone", true)]);
    let group = arn("arn:aws:iam::111122223333:group/teams/dev");
    assert_eq!(policies[0].origin, PolicyOrigin::Inline(0));
    assert_eq!(policies[1].origin, PolicyOrigin::Managed(&arn("arn:aws:iam::aws:policy/ReadOnlyAccess")));
    assert_eq!(policies[2].origin, PolicyOrigin::Group(&group));
    assert_eq!(index.identity_policies(&arn("arn:aws:iam::444455556666:user/bob")).len(), 0, "its own account's group");
    assert_eq!(index.identity_policies(&arn("arn:aws:iam::444455556666:user/nobody")).len(), 0);
}

#[test]
fn what_is_attached_and_not_held_is_named_once_with_its_count() {
    let snapshot = read(TWO_ACCOUNTS);
    let (index, diagnostics) = SnapshotIndex::new(&snapshot);
    let messages: Vec<&str> = diagnostics.iter().map(|d| d.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "`arn:aws:iam::111122223333:role/a` stands twice in the snapshot; the first one counts",
            "the group `gone` of 1 principal is not in the snapshot; what it grants counts as unknown",
            "the policy `arn:aws:iam::111122223333:policy/lost` of 2 principals is not in the snapshot; what it grants counts as unknown",
            "the account 444455556666 is not in the snapshot's organization; its guardrails are not known",
        ]
    );
    let boundary = index.boundary(&arn("arn:aws:iam::111122223333:role/b")).unwrap();
    assert!(!boundary.unknown.is_empty(), "a boundary that is not held limits in an unknown way");
    assert!(index.boundary(&arn("arn:aws:iam::111122223333:role/a")).is_none());
}

#[test]
fn lookups_answer_by_arn_and_in_order() {
    let snapshot = read(TWO_ACCOUNTS);
    let (index, _) = SnapshotIndex::new(&snapshot);
    let roles: Vec<&str> = index.roles().map(|r| r.identity.name.as_str()).collect();
    assert_eq!(roles, ["a", "b"]);
    let users: Vec<&str> = index.users().map(|u| u.identity.name.as_str()).collect();
    assert_eq!(users, ["ada", "bob"]);
    let functions: Vec<&str> =
        index.functions_of(&arn("arn:aws:iam::111122223333:role/a")).iter().map(|f| f.arn.name()).collect();
    assert_eq!(functions, ["y", "z"], "functions only, by ARN");
    assert!(index.role(&arn("arn:aws:iam::111122223333:user/ada")).is_none());
    assert!(index.user(&arn("arn:aws:iam::111122223333:user/ada")).is_some());
    assert!(index.identity(&arn("arn:aws:iam::111122223333:group/teams/dev")).is_some());
    assert!(index.resource_policy(&arn("arn:aws:s3:::shared")).is_some());
    assert!(index.guardrails(&"111122223333".parse().unwrap()).is_some());
    assert!(index.guardrails(&"444455556666".parse().unwrap()).is_none());
    assert!(!index.is_management_account(&"111122223333".parse().unwrap()));
}
