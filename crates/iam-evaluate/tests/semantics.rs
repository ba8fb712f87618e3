//! One test for each answer that `docs/semantics.md` names, by the name it gives there.

use iam_evaluate::{Context, Outcome, Policies, Principal, Request, evaluate};
use iam_model::condition::ConditionKey;
use iam_model::policy::{PolicyDocument, parse};
use iam_model::text::{SourceName, SourceText};

const USER: &str = "arn:aws:iam::111122223333:user/u";
const ROLE: &str = "arn:aws:iam::111122223333:role/R";

fn policy(statements: &str) -> PolicyDocument {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
    parse(&SourceText { name: SourceName::new("policy"), text }).0
}

#[cfg(test)]
fn request(principal: &str, action: &str, resource: &str) -> Request {
    Request {
        principal: Principal::parse(principal).unwrap(),
        action: action.parse().unwrap(),
        resource: resource.parse().unwrap(),
        resource_account: Some("111122223333".parse().unwrap()),
        context: Context::complete(),
    }
}

/// What one identity statement says of a user's reading of one object.
fn identity(statement: &str) -> Outcome {
    let policy = policy(statement);
    let policies = Policies { identity: vec![&policy], ..Policies::default() };
    evaluate(&request(USER, "s3:GetObject", "arn:aws:s3:::b/k"), &policies).outcome
}

/// What one statement of a resource policy says of it.
fn resource(statement: &str) -> Outcome {
    let policy = policy(statement);
    let policies = Policies { resource: Some(&policy), ..Policies::default() };
    evaluate(&request(USER, "s3:GetObject", "arn:aws:s3:::b/k"), &policies).outcome
}

#[track_caller]
#[cfg(test)]
fn unknown(outcome: &Outcome, element: &str) {
    let Outcome::Unknown(unknowns) = outcome else { panic!("{outcome:?}") };
    assert!(unknowns.elements.iter().any(|found| found.contains(element)), "{unknowns:?}");
}

#[test]
fn an_unknown_key_is_named() {
    let policy = policy(
        r#"{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:ViaAWSService": "true"}}}"#,
    );
    let open = Request { context: Context::open(), ..request(USER, "s3:GetObject", "arn:aws:s3:::b/k") };
    let decision = evaluate(&open, &Policies { identity: vec![&policy], ..Policies::default() });
    let Outcome::Unknown(unknowns) = decision.outcome else { panic!("{:?}", decision.outcome) };
    assert_eq!(unknowns.keys, [ConditionKey::new("aws:ViaAWSService")]);
}

#[test]
fn an_unknown_operator_is_unknown() {
    let statement =
        r#"{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringMatches": {"k": "v"}}}"#;
    unknown(&identity(statement), "StringMatches");
}

#[test]
fn an_unknown_element_is_unknown() {
    unknown(&identity(r#"{"Effect": "Allow", "Action": "*", "Resource": "*", "Limit": 1}"#), "Limit");
}

#[test]
fn an_unknown_deny_takes_certainty_away() {
    let both = r#"{"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringMatches": {"k": "v"}}}"#;
    unknown(&identity(both), "StringMatches");
}

#[test]
fn a_document_that_is_not_json_is_unknown() {
    let document = parse(&SourceText { name: SourceName::new("p"), text: "{,}".into() }).0;
    let policies = Policies { identity: vec![&document], ..Policies::default() };
    unknown(&evaluate(&request(USER, "s3:GetObject", "arn:aws:s3:::b/k"), &policies).outcome, "not JSON");
}

#[test]
fn nothing_allowed_is_an_implicit_deny_whatever_else_is_unknown() {
    let statement = r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringMatches": {"k": "v"}}}"#;
    assert_eq!(identity(statement), Outcome::ImplicitDeny);
}

#[test]
fn several_values_without_a_set_operator() {
    let policy = policy(
        r#"{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:TagKeys": "a"}}}"#,
    );
    let mut tagged = request(USER, "s3:GetObject", "arn:aws:s3:::b/k");
    tagged.context.set(ConditionKey::new("aws:TagKeys"), vec!["a".into(), "b".into()]);
    let decision = evaluate(&tagged, &Policies { identity: vec![&policy], ..Policies::default() });
    unknown(&decision.outcome, "without a set operator");
}

#[test]
fn for_any_value_if_exists_without_the_key() {
    let statement = r#"{"Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": {"ForAnyValue:StringEqualsIfExists": {"aws:TagKeys": "a"}}}"#;
    assert_eq!(identity(statement), Outcome::Allow);
}

#[test]
fn a_short_resource_pattern() {
    unknown(&identity(r#"{"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3"}"#), "fewer than six segments");
}

#[test]
fn a_wildcard_in_the_resource_type() {
    let policy = policy(r#"{"Effect": "Allow", "Action": "iam:*", "Resource": "arn:aws:iam::111122223333:ro*/R"}"#);
    let policies = Policies { identity: vec![&policy], ..Policies::default() };
    assert_eq!(evaluate(&request(USER, "iam:GetRole", ROLE), &policies).outcome, Outcome::Allow);
}

#[test]
fn a_wildcard_in_a_principal_arn() {
    let statement = r#"{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:user/*"}, "Action": "*", "Resource": "*"}"#;
    assert_eq!(resource(statement), Outcome::ImplicitDeny);
}

#[test]
fn a_unique_id_as_principal() {
    let statement = r#"{"Effect": "Allow", "Principal": {"AWS": "AIDAEXAMPLE"}, "Action": "*", "Resource": "*"}"#;
    assert_eq!(resource(statement), Outcome::ImplicitDeny);
}

#[test]
fn a_canonical_user_as_principal() {
    let statement = r#"{"Effect": "Allow", "Principal": {"CanonicalUser": "79a5"}, "Action": "*", "Resource": "*"}"#;
    unknown(&resource(statement), "whom a statement");
}

#[test]
fn not_principal_that_lists_in_part() {
    let statement = r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:user/u"}, "Action": "*", "Resource": "*"}"#;
    unknown(&resource(statement), "whom a statement");
}

#[test]
fn not_principal_and_a_boundary() {
    let all = policy(r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#);
    let on = policy(
        r#"{"Effect": "Deny", "NotPrincipal": {"AWS": ["arn:aws:iam::111122223333:user/u", "111122223333"]}, "Action": "*", "Resource": "*"}"#,
    );
    let read = request(USER, "s3:GetObject", "arn:aws:s3:::b/k");
    let without = Policies { identity: vec![&all], resource: Some(&on), ..Policies::default() };
    assert_eq!(evaluate(&read, &without).outcome, Outcome::Allow);
    let within = Policies { boundary: vec![&all], ..without };
    assert_eq!(evaluate(&read, &within).outcome, Outcome::ExplicitDeny);
}

#[test]
fn not_principal_with_allow() {
    let statement = r#"{"Effect": "Allow", "NotPrincipal": {"AWS": "444455556666"}, "Action": "*", "Resource": "*"}"#;
    unknown(&resource(statement), "whom a statement");
}

#[test]
fn a_statement_without_resource() {
    unknown(&identity(r#"{"Effect": "Allow", "Action": "*"}"#), "without `Resource`");
    assert_eq!(resource(r#"{"Effect": "Allow", "Principal": "*", "Action": "*"}"#), Outcome::Allow);
}

#[test]
fn a_variable_without_value_in_not_resource() {
    let statement = r#"{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::b/${aws:PrincipalTag/none}"}"#;
    assert_eq!(identity(statement), Outcome::Allow);
}

#[test]
fn resource_control_policies_reach_listed_services() {
    let all = policy(r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#);
    let deny = policy(r#"{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}"#);
    let decide = |action: &str, resource: &str| {
        let policies = Policies { identity: vec![&all], rcps: vec![vec![&deny]], ..Policies::default() };
        evaluate(&request(USER, action, resource), &policies).outcome
    };
    assert_eq!(decide("s3:GetObject", "arn:aws:s3:::b/k"), Outcome::ExplicitDeny);
    assert_eq!(decide("sns:Publish", "arn:aws:sns:eu-west-1:111122223333:t"), Outcome::Allow);
    let other = decide("athena:GetWorkGroup", "arn:aws:athena:eu-west-1:111122223333:workgroup/w");
    unknown(&other, "whether resource control policies reach");
}

#[test]
fn what_belongs_to_aws_cannot_be_changed() {
    let all = policy(r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#);
    let decide = |action: &str, resource: &str| {
        evaluate(&request(USER, action, resource), &Policies { identity: vec![&all], ..Policies::default() }).outcome
    };
    let managed = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    assert_eq!(decide("iam:CreatePolicyVersion", managed), Outcome::ImplicitDeny);
    assert_eq!(decide("iam:GetPolicy", managed), Outcome::Allow);
}
