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

/// The keys that a statement's answer hangs on where no key is known.
#[track_caller]
#[cfg(test)]
fn keys_that_decide(statement: &str) -> Vec<ConditionKey> {
    let policy = policy(statement);
    let open = Request { context: Context::open(), ..request(USER, "s3:GetObject", "arn:aws:s3:::b/k") };
    let decision = evaluate(&open, &Policies { identity: vec![&policy], ..Policies::default() });
    let Outcome::Unknown(unknowns) = decision.outcome else { panic!("{:?}", decision.outcome) };
    unknowns.keys
}

#[test]
fn an_unknown_key_is_named() {
    let statement =
        r#"{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:ViaAWSService": "true"}}}"#;
    assert_eq!(keys_that_decide(statement), [ConditionKey::new("aws:ViaAWSService")]);
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

/// What one identity statement says of a request with these context values; every key that is not listed is absent.
#[cfg(test)]
fn with(statement: &str, context: &[(&str, &[&str])]) -> Outcome {
    let policy = policy(statement);
    let mut asked = request(USER, "s3:GetObject", "arn:aws:s3:::b/k");
    for (key, values) in context {
        asked.context.set(ConditionKey::new(key), values.iter().map(|v| (*v).to_owned()).collect());
    }
    evaluate(&asked, &Policies { identity: vec![&policy], ..Policies::default() }).outcome
}

/// Whether an allow on everything holds under a condition.
#[cfg(test)]
fn holds(condition: &str, context: &[(&str, &[&str])]) -> bool {
    let statement = format!(r#"{{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {condition}}}"#);
    with(&statement, context).is_allow()
}

#[cfg(test)]
fn on(resource: &str) -> String {
    format!(r#"{{"Effect": "Allow", "Action": "*", "Resource": "{resource}"}}"#)
}

#[test]
fn a_variable_whose_key_is_not_known() {
    let statement = on("arn:aws:s3:::b/${aws:PrincipalTag/team}");
    assert_eq!(keys_that_decide(&statement), [ConditionKey::new("aws:PrincipalTag/team")]);
}

#[test]
fn an_effect_nobody_knows() {
    unknown(&identity(r#"{"Effect": "Permit", "Action": "*", "Resource": "*"}"#), "the effect");
    unknown(&identity(r#"{"Action": "*", "Resource": "*"}"#), "without `Effect`");
}

#[test]
fn a_principal_type_nobody_knows() {
    let statement = r#"{"Effect": "Allow", "Principal": {"Robot": "r"}, "Action": "*", "Resource": "*"}"#;
    unknown(&resource(statement), "whom a statement");
}

#[test]
fn a_session_of_the_role_which_is_not_known() {
    let session = "arn:aws:sts::111122223333:assumed-role/R/s";
    let policy = policy(&format!(
        r#"{{"Effect": "Allow", "Principal": {{"AWS": "{session}"}}, "Action": "*", "Resource": "*"}}"#
    ));
    let decide = |principal: &str| {
        let policies = Policies { resource: Some(&policy), ..Policies::default() };
        evaluate(&request(principal, "s3:GetObject", "arn:aws:s3:::b/k"), &policies).outcome
    };
    unknown(&decide(ROLE), "whom a statement");
    assert_eq!(decide(session), Outcome::Allow);
    assert_eq!(decide("arn:aws:iam::111122223333:role/Other"), Outcome::ImplicitDeny);
}

#[test]
fn a_resource_policy_statement_without_principal() {
    unknown(&resource(r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#), "whom a statement");
}

#[test]
fn a_principal_in_an_identity_policy() {
    let statement = r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}"#;
    unknown(&identity(statement), "whom a statement");
}

#[test]
fn a_short_resource_pattern_that_ends_in_a_star() {
    for (pattern, allowed) in
        [("arn:aws:s3*", true), ("arn:*", true), ("arn:aws:s3:::*", true), ("arn:aws:sns*", false)]
    {
        assert_eq!(identity(&on(pattern)).is_allow(), allowed, "{pattern}");
    }
}

#[test]
fn a_pattern_of_nothing_but_stars_is_everything() {
    let policy = policy(&on("**"));
    let policies = Policies { identity: vec![&policy], ..Policies::default() };
    assert_eq!(evaluate(&request(USER, "s3:ListAllMyBuckets", "*"), &policies).outcome, Outcome::Allow);
}

#[test]
fn a_federated_star_means_every_provider() {
    let policy =
        policy(r#"{"Effect": "Allow", "Principal": {"Federated": "*"}, "Action": "sts:AssumeRoleWithWebIdentity"}"#);
    let decide = |principal: &str| {
        let policies = Policies { resource: Some(&policy), ..Policies::default() };
        evaluate(&request(principal, "sts:AssumeRoleWithWebIdentity", ROLE), &policies).outcome
    };
    assert_eq!(decide("accounts.google.com"), Outcome::Allow);
    assert_eq!(decide("arn:aws:iam::111122223333:oidc-provider/example.com"), Outcome::Allow);
    assert_eq!(decide(USER), Outcome::ImplicitDeny);
}

#[test]
fn an_action_without_a_service_matches_nothing() {
    for (action, allowed) in [
        ("GetObject", false),
        ("**", false),
        ("s*:GetObject", false),
        ("*:GetObject", true),
        ("*:*", true),
        ("*", true),
    ] {
        let statement = format!(r#"{{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}"#);
        assert_eq!(identity(&statement).is_allow(), allowed, "{action}");
    }
}

#[test]
fn several_values_are_no_variable() {
    let tags: &[(&str, &[&str])] = &[("aws:TagKeys", &["k", "l"])];
    assert_eq!(with(&on("arn:aws:s3:::b/${aws:TagKeys}"), tags), Outcome::ImplicitDeny);
    assert_eq!(with(&on("arn:aws:s3:::b/${aws:TagKeys, 'k'}"), tags), Outcome::Allow);
}

#[test]
fn a_variable_of_another_form_is_text() {
    for text in ["${", "${}", "${a, b}", "${aws:username"] {
        let policy = policy(&on(&format!("arn:aws:s3:::b/{text}")));
        let policies = Policies { identity: vec![&policy], ..Policies::default() };
        let asked = request(USER, "s3:GetObject", &format!("arn:aws:s3:::b/{text}"));
        assert_eq!(evaluate(&asked, &policies).outcome, Outcome::Allow, "{text}");
    }
}

#[test]
fn a_variable_before_the_sixth_segment_of_a_resource_is_text() {
    let statement = on("arn:aws:s3:::b/k").replace("arn:aws:s3::", "arn:aws:${k:s}::");
    assert_eq!(with(&statement, &[("k:s", &["s3"])]), Outcome::ImplicitDeny);
}

#[test]
fn four_digits_are_a_year() {
    let before = r#"{"DateLessThan": {"k:d": "2025"}}"#;
    assert!(holds(before, &[("k:d", &["2024-12-31"])]));
    assert!(!holds(before, &[("k:d", &["2025-01-02"])]));
    assert!(holds(before, &[("k:d", &["86400"])]));
}

#[test]
fn a_number_of_more_than_four_hundred_digits_compares_with_nothing() {
    let long = "9".repeat(401);
    for number in [long.as_str(), "1e500"] {
        assert!(!holds(r#"{"NumericGreaterThan": {"k:n": "1"}}"#, &[("k:n", &[number])]), "{number}");
        assert!(holds(r#"{"NumericNotEquals": {"k:n": "1"}}"#, &[("k:n", &[number])]), "{number}");
    }
    assert!(holds(r#"{"NumericGreaterThan": {"k:n": "1"}}"#, &[("k:n", &["1e300"])]));
}

#[test]
fn an_ipv4_address_written_as_ipv6_is_an_ipv6_address() {
    let range = r#"{"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}"#;
    assert!(!holds(range, &[("aws:SourceIp", &["::ffff:10.0.0.1"])]));
    assert!(holds(range, &[("aws:SourceIp", &["10.0.0.1"])]));
}

#[test]
fn letters_beyond_ascii_have_case_too() {
    let condition = r#"{"StringEqualsIgnoreCase": {"k:t": "STRASSE-Ä"}}"#;
    assert!(holds(condition, &[("k:t", &["strasse-ä"])]));
    assert!(!holds(r#"{"StringEqualsIgnoreCase": {"k:t": "k"}}"#, &[("k:t", &["j"])]));
}

#[test]
fn an_arn_condition_on_what_is_no_arn() {
    for (pattern, value, expected) in
        [("arn:aws:s3:::b", "b", false), ("*", "b", true), ("arn:aws:s3*", "arn:aws:s3", false), ("b", "b", false)]
    {
        let condition = format!(r#"{{"ArnLike": {{"aws:SourceArn": "{pattern}"}}}}"#);
        assert_eq!(holds(&condition, &[("aws:SourceArn", &[value])]), expected, "{pattern} {value}");
    }
}

#[test]
fn an_empty_list_of_values() {
    assert!(!holds(r#"{"StringEquals": {"k:t": []}}"#, &[("k:t", &["a"])]));
    assert!(holds(r#"{"StringNotEquals": {"k:t": []}}"#, &[("k:t", &["a"])]));
    assert!(holds(r#"{"StringEqualsIfExists": {"k:t": []}}"#, &[]));
}
