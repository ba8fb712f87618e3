//! `reach`: what a function reaches, directly and by becoming others, and who reaches it.

use crate::run::{Folder, Output, example};

/// An account in which a function may have a second role assumed, and that role reads what the first may not.
const CHAIN: &str = r#"{"schema": "paring-snapshot/1", "accounts": {"111122223333": {
 "authorization_details": {"RoleDetailList": [
  {"RoleName": "front", "Arn": "arn:aws:iam::111122223333:role/front",
   "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
     "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]},
   "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
     {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::111122223333:role/vault"}]}}]},
  {"RoleName": "vault", "Arn": "arn:aws:iam::111122223333:role/vault",
   "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
     "Principal": {"AWS": "arn:aws:iam::111122223333:role/front"}, "Action": "sts:AssumeRole"}]},
   "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
     {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue",
      "Resource": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:card-Ab12Cd"}]}}]}]},
 "resources": [
  {"kind": "lambda.function", "arn": "arn:aws:lambda:eu-west-1:111122223333:function:shop",
   "role_arn": "arn:aws:iam::111122223333:role/front"},
  {"kind": "secretsmanager.secret", "arn": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:card-Ab12Cd"}]}}}"#;

fn reach(snapshot: &str, function: &str, more: &[&str]) -> String {
    let folder = Folder::new();
    std::fs::write(folder.path().join("s.json"), snapshot).unwrap();
    let Output { code, stdout, stderr } = folder.paring(&[&["reach", function, "--snapshot", "s.json"], more].concat());
    format!("{stdout}{stderr}= {code}\n")
}

#[test]
fn what_another_role_holds_is_reached_by_becoming_it() {
    insta::assert_snapshot!(reach(CHAIN, "shop", &[]));
    let json = reach(CHAIN, "shop", &["--format", "json"]);
    assert!(json.contains("arn:aws:secretsmanager:eu-west-1:111122223333:secret:card-Ab12Cd"), "{json}");
}

#[test]
fn of_the_example_what_is_reached_and_who_reaches_it() {
    let snapshot = std::fs::read_to_string(example().join("snapshot.json")).unwrap();
    insta::assert_snapshot!(reach(&snapshot, "tuktuk-dispatch-RequestRideFunction-E974DC1727AA", &[]));
}

#[test]
fn a_function_that_is_not_there_is_an_error_by_name() {
    insta::assert_snapshot!(reach(CHAIN, "nosuch", &[]));
}
