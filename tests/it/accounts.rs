//! A small organisation for tests: two accounts, three roles, a function each, and what they were seen to do.

use crate::run::Folder;

/// Writes `s.json` and `usage.json`.
pub(crate) fn write(folder: &Folder) {
    folder.write("s.json", SNAPSHOT);
    folder.write("usage.json", USAGE);
}

const SNAPSHOT: &str = r#"{"schema": "paring-snapshot/1", "accounts": {
  "111122223333": {"authorization_details": {"RoleDetailList": [
    {"RoleName": "orders", "Arn": "arn:aws:iam::111122223333:role/orders",
     "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]},
     "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
       {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}, {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::reports/*"}]}}],
     "AttachedManagedPolicies": []},
    {"RoleName": "deploy", "Arn": "arn:aws:iam::111122223333:role/deploy",
     "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999988887777:root"}, "Action": "sts:AssumeRole"}]},
     "RolePolicyList": [{"PolicyName": "pass", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
       {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}]}}],
     "AttachedManagedPolicies": []}]},
   "resources": [{"kind": "lambda.function", "arn": "arn:aws:lambda:eu-west-1:111122223333:function:orders", "role_arn": "arn:aws:iam::111122223333:role/orders", "api": {}},
     {"kind": "lambda.function", "arn": "arn:aws:lambda:eu-west-1:111122223333:function:refunds", "role_arn": "arn:aws:iam::111122223333:role/orders", "api": {}}],
   "resource_policies": {"arn:aws:lambda:eu-west-1:111122223333:function:orders": {"Version": "2012-10-17", "Statement": [
     {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:eu-west-1:111122223333:function:orders"}]}}},
  "444455556666": {"authorization_details": {"RoleDetailList": [
    {"RoleName": "batch", "Arn": "arn:aws:iam::444455556666:role/batch",
     "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]},
     "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
       {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "arn:aws:dynamodb:us-east-1:444455556666:table/Jobs"}]}}],
     "AttachedManagedPolicies": []}]}}},
 "organization": {"id": "o-abc", "management_account_id": "777788889999", "accounts": {
   "111122223333": {"scps": [[{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}]], "rcps": []},
   "444455556666": {"scps": [[{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}]], "rcps": []}}}}"#;

const USAGE: &str = r#"{"schema": "paring-usage/1", "principals": {
  "arn:aws:iam::111122223333:role/orders": {"observations": [
    {"action": "dynamodb:PutItem", "resources": ["arn:aws:dynamodb:eu-west-1:111122223333:table/Orders"], "count": 1200, "first": "2026-08-01T00:00:00Z", "last": "2026-11-20T00:00:00Z", "denied": 0,
     "context": {"aws:RequestedRegion": ["eu-west-1"]}},
    {"action": "s3:GetObject", "resources": ["arn:aws:s3:::reports/*"], "count": 30, "first": "2026-08-01T00:00:00Z", "last": "2026-11-20T00:00:00Z", "denied": 0}]},
  "arn:aws:iam::444455556666:role/batch": {"observations": [
    {"action": "dynamodb:PutItem", "resources": ["arn:aws:dynamodb:us-east-1:444455556666:table/Jobs"], "count": 70, "first": "2026-08-01T00:00:00Z", "last": "2026-11-20T00:00:00Z", "denied": 0,
     "context": {"aws:RequestedRegion": ["us-east-1"]}}]}},
 "coverage": {"first": "2026-08-01T00:00:00Z", "last": "2026-11-20T00:00:00Z"}}"#;

/// A changes file with one change.
pub(crate) fn change(attachment: &str, before: &str, after: &str) -> String {
    format!(
        r#"{{"schema": "paring-changes/1", "changes": [{{"attachment": {attachment}, "before": {before}, "after": {after}, "reasons": []}}]}}"#
    )
}

/// The document of role `orders`' own policy.
pub(crate) const OWN: &str = r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}, {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::reports/*"}]}"#;
