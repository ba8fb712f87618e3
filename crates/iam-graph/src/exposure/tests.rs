//! What is found exposed, and what is not: each policy with the findings it must give.

use iam_model::finding::{Finding, FindingCode};

use crate::AccessGraph;
use crate::tests::{ADMIN, account, role, user, with_graph};

fn findings(text: &str) -> Vec<Finding> {
    let escalation = [FindingCode::EscalationPath, FindingCode::SharedRole, FindingCode::WildcardGrant];
    let all = with_graph(text, &[], AccessGraph::findings);
    all.into_iter().filter(|finding| !escalation.contains(&finding.code)).collect()
}

fn check(text: &str, expected: &[&str]) {
    let short = |finding: Finding| {
        let who = finding.principal.as_ref().map(|who| who.name().to_owned()).unwrap_or_default();
        let on = finding.resource.as_ref().map(|arn| arn.name().to_owned()).unwrap_or_default();
        let keys: String = finding.conditional_on.iter().map(|key| format!(" if {key}")).collect();
        format!("{} {} {who} -> {on}{keys}", finding.severity.as_str(), finding.code)
    };
    assert_eq!(findings(text).into_iter().map(short).collect::<Vec<_>>(), expected, "{text}");
}

/// An account with a policy on something.
fn with_policy(arn: &str, statements: &str, more: &str) -> String {
    let policy = format!(
        r#", "resource_policies": {{"{arn}": {{"Version": "2012-10-17", "Statement": [{statements}]}}}}{more}"#
    );
    account(&[], &[], &policy)
}

const FUNCTION: &str = "arn:aws:lambda:us-east-1:111122223333:function:f";
const BUCKET: &str = "arn:aws:s3:::b";
const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:q";
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/k";

/// A statement of a resource policy.
fn allow(principal: &str, action: &str, condition: &str) -> String {
    let condition = if condition.is_empty() { String::new() } else { format!(r#", "Condition": {{{condition}}}"#) };
    format!(r#"{{"Effect": "Allow", "Principal": {principal}, "Action": "{action}", "Resource": "*"{condition}}}"#)
}

#[test]
fn a_function_is_public_by_its_url_or_by_everyones_permission() {
    let url = |kind: &str| format!(r#""StringEquals": {{"lambda:FunctionUrlAuthType": "{kind}"}}"#);
    let function = |statement: &str| with_policy(FUNCTION, statement, "");
    check(&function(&allow(r#""*""#, "lambda:InvokeFunctionUrl", &url("NONE"))), &["high public-function * -> f"]);
    check(&function(&allow(r#"{"AWS": "*"}"#, "lambda:InvokeFunction", "")), &["high public-function * -> f"]);
    let ours = r#""StringEquals": {"aws:PrincipalOrgID": "o-ours"}"#;
    check(&function(&allow(r#""*""#, "lambda:InvokeFunction", ours)), &[]);
    check(&function(&allow(r#"{"AWS": "111122223333"}"#, "lambda:*", "")), &[]);
}

#[test]
fn a_resource_is_public_unless_a_condition_shuts_strangers_out() {
    let bucket = |condition: &str, more: &str| with_policy(BUCKET, &allow(r#""*""#, "s3:GetObject", condition), more);
    check(&bucket("", ""), &["high public-resource * -> b"]);
    check(&bucket(r#""IpAddress": {"aws:SourceIp": "203.0.113.0/24"}"#, ""), &[]);
    check(&bucket(r#""IpAddress": {"aws:SourceIp": "0.0.0.0/0"}"#, ""), &["high public-resource * -> b"]);
    check(&bucket(r#""StringEquals": {"aws:SourceVpce": "vpce-1"}"#, ""), &[]);
    check(
        &bucket(r#""StringLike": {"aws:Referer": "https://x/*"}"#, ""),
        &["medium public-resource * -> b if aws:Referer"],
    );
    let blocked = r#", "resources": [{"kind": "s3.bucket", "arn": "arn:aws:s3:::b",
        "api": {"PublicAccessBlockConfiguration": {"RestrictPublicBuckets": true}}}]"#;
    check(&bucket("", blocked), &[]);
    let by_topic = r#""ArnEquals": {"aws:SourceArn": "arn:aws:sns:us-east-1:111122223333:t"}"#;
    check(&with_policy(QUEUE, &allow(r#""*""#, "sqs:SendMessage", by_topic), ""), &[]);
    let by_us = r#""StringEquals": {"kms:CallerAccount": "111122223333"}"#;
    check(&with_policy(KEY, &allow(r#"{"AWS": "*"}"#, "kms:*", by_us), ""), &[]);
    let denied = format!(
        r#"{}, {{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}}"#,
        allow(r#""*""#, "s3:*", "")
    );
    check(&with_policy(BUCKET, &denied, ""), &[]);
}

#[test]
fn an_endpoint_with_the_policy_that_aws_gives_it_is_open() {
    let endpoint = |policy: &str| {
        let text = policy.replace('"', r#"\""#);
        let more = format!(
            r#", "resources": [{{"kind": "ec2.vpc_endpoint", "arn": "arn:aws:ec2:us-east-1:111122223333:vpc-endpoint/vpce-1",
            "api": {{"VpcEndpointId": "vpce-1", "ServiceName": "com.amazonaws.us-east-1.s3", "PolicyDocument": "{text}"}}}}]"#
        );
        account(&[], &[], &more)
    };
    let statements = |list: &str| endpoint(&format!(r#"{{"Statement": [{list}]}}"#));
    check(&statements(&allow(r#""*""#, "*", "")), &["low open-endpoint  -> vpce-1"]);
    check(&statements(&allow(r#"{"AWS": "*"}"#, "*", "")), &["low open-endpoint  -> vpce-1"]);
    check(&statements(&allow(r#""*""#, "*", r#""StringEquals": {"aws:PrincipalOrgID": "o-1"}"#)), &[]);
    check(&statements(&allow(r#""*""#, "s3:*", "")), &[]);
    check(&endpoint("{}"), &[]);
}

#[test]
fn outside_accounts_and_services_that_act_for_anyone_are_named() {
    let outside = allow(r#"{"AWS": "arn:aws:iam::999988887777:role/Partner"}"#, "sqs:SendMessage", "");
    check(&with_policy(QUEUE, &outside, ""), &["medium cross-account Partner -> q"]);
    let events = |condition: &str| allow(r#"{"Service": "events.amazonaws.com"}"#, "sqs:SendMessage", condition);
    check(&with_policy(QUEUE, &events(""), ""), &["low cross-account * -> q"]);
    check(&with_policy(QUEUE, &events(r#""StringEquals": {"aws:SourceAccount": "111122223333"}"#), ""), &[]);
    check(&with_policy(QUEUE, &events(r#""ArnLike": {"aws:SourceArn": "arn:aws:events:*:111122223333:*"}"#), ""), &[]);
}

#[test]
fn trust_in_strangers_is_found_and_trust_in_services_and_ourselves_is_not() {
    let trusting = |principal: &str, condition: &str| {
        let plain = role("r", principal, "");
        let condition = format!(r#""Principal": {principal}, "Condition": {{{condition}}}"#);
        account(&[], &[plain.replace(&format!(r#""Principal": {principal}"#), &condition)], "")
    };
    check(&trusting(r#"{"AWS": "999988887777"}"#, ""), &["medium cross-account root -> r"]);
    let secret = r#""StringEquals": {"sts:ExternalId": "s"}"#;
    check(&trusting(r#"{"AWS": "999988887777"}"#, secret), &["low cross-account root -> r if sts:ExternalId"]);
    check(&trusting(r#""*""#, ""), &["high public-resource * -> r"]);
    check(&trusting(r#"{"Service": "lambda.amazonaws.com"}"#, ""), &[]);
    check(&trusting(r#"{"AWS": "arn:aws:iam::111122223333:root"}"#, ""), &[]);
}

#[test]
fn tokens_that_everyone_can_get_must_be_asked_for_their_subject() {
    let host = "token.actions.githubusercontent.com";
    let provider = format!(r#"{{"Federated": "arn:aws:iam::111122223333:oidc-provider/{host}"}}"#);
    let trusting = |condition: &str| {
        let role = role("r", &provider, "").replace("sts:AssumeRole\"", "sts:AssumeRoleWithWebIdentity\"");
        let condition = format!(r#""Principal": {provider}, "Condition": {{{condition}}}"#);
        account(&[], &[role.replace(&format!(r#""Principal": {provider}"#), &condition)], "")
    };
    let audience = format!(r#""StringEquals": {{"{host}:aud": "sts.amazonaws.com"}}"#);
    check(&trusting(&audience), &[&format!("high cross-account * -> r if {host}:aud")]);
    check(&trusting(&format!(r#"{audience}, "StringLike": {{"{host}:sub": "repo:ours/app:*"}}"#)), &[]);
    check(
        &trusting(&format!(r#"{audience}, "StringLike": {{"{host}:sub": "repo:*"}}"#)),
        &[&format!("high cross-account * -> r if {host}:aud")],
    );
}

#[test]
fn tokens_of_shared_providers_must_be_asked_for_their_application_or_pool() {
    for (host, key, value) in [
        ("cognito-identity.amazonaws.com", "aud", "us-east-1:12345678-dead-beef-cafe-123456790ab"),
        ("accounts.google.com", "aud", "66677788899900pro0"),
        ("accounts.google.com", "sub", "112233445566778899000"),
        ("graph.facebook.com", "app_id", "112233445566"),
        ("www.amazon.com", "app_id", "amzn1.application-oa2-client.1"),
    ] {
        let provider = format!(r#"{{"Federated": "{host}"}}"#);
        let trusting = |condition: &str| {
            let role = role("r", &provider, "").replace("sts:AssumeRole\"", "sts:AssumeRoleWithWebIdentity\"");
            let condition = format!(r#""Principal": {provider}, "Condition": {{{condition}}}"#);
            account(&[], &[role.replace(&format!(r#""Principal": {provider}"#), &condition)], "")
        };
        check(&trusting(""), &["high cross-account * -> r"]);
        check(&trusting(&format!(r#""StringEquals": {{"{host}:{key}": "{value}"}}"#)), &[]);
    }
}

#[test]
fn a_policy_of_an_api_names_its_own_paths_for_short() {
    let with = |resource: &str| {
        let api = "arn:aws:execute-api:us-east-1:111122223333:api1";
        let policy = format!(
            r#", "resource_policies": {{"{api}": {{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Principal": "*",
                "Action": "execute-api:Invoke", "Resource": "{resource}"}}]}}}}"#
        );
        account(&[], &[], &policy)
    };
    let long = "arn:aws:execute-api:us-east-1:111122223333:api1/*";
    for resource in ["execute-api:/*", long] {
        check(&with(resource), &["high public-resource * -> api1"]);
    }
}

#[test]
fn names_of_the_gone_are_stale_and_names_of_the_living_are_not() {
    let trusting = |who: &str| {
        let named = format!(r#"{{"AWS": "{who}"}}"#);
        account(
            &[user("dev", "")],
            &[role("r", &named, ""), role("there", r#"{"Service": "ec2.amazonaws.com"}"#, "")],
            "",
        )
    };
    check(&trusting("AROAEXAMPLEEXAMPLE00"), &["low stale-trust r -> "]);
    check(&trusting("arn:aws:iam::111122223333:user/gone"), &["low stale-trust r -> "]);
    check(&trusting("arn:aws:sts::111122223333:assumed-role/gone/session"), &["low stale-trust r -> "]);
    check(&trusting("arn:aws:iam::111122223333:user/dev"), &[]);
    check(&trusting("arn:aws:sts::111122223333:assumed-role/there/session"), &[]);
}

#[test]
fn credentials_in_plain_text_are_named_and_never_shown() {
    let with = |variables: &str| {
        let function = format!(
            r#", "resources": [{{"kind": "lambda.function", "arn": "{FUNCTION}", "api": {{"Environment": {{"Variables": {{{variables}}}}}}}}}]"#
        );
        account(&[], &[], &function)
    };
    check(&with(r#""KEY": "AKIAIOSFODNN7EXAMPLE""#), &["high credential-exposure  -> f"]);
    check(&with(r#""DB_PASSWORD": "correct-horse""#), &["medium credential-exposure  -> f"]);
    check(
        &with(
            r#""DB_PASSWORD_ARN": "arn:aws:secretsmanager:us-east-1:111122223333:secret:x", "TOKEN_TTL": "360000000",
        "SECRET_NAME": "prod/database", "TABLE": "Orders", "API_TOKEN": "{{resolve:ssm:x}}""#,
        ),
        &[],
    );
    let told = format!("{:?}", findings(&with(r#""DB_PASSWORD": "correct-horse""#)));
    assert!(told.contains("DB_PASSWORD") && !told.contains("correct-horse"), "{told}");
}

#[test]
fn what_no_request_can_use_is_dead() {
    let limited = |scp: &str, statement: &str| {
        let all = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;
        let own = format!(r#"{{"Version": "2012-10-17", "Statement": [{scp}]}}"#);
        let text = account(&[user("dev", statement)], &[], "");
        let organization = format!(
            r#", "organization": {{"id": "o-1", "management_account_id": "999999999999", "accounts":
            {{"111122223333": {{"scps": [[{all}], [{own}]], "rcps": []}}}}}}}}"#
        );
        format!("{}{organization}", text.strip_suffix('}').unwrap())
    };
    let grant = r#"{"Effect": "Allow", "Action": ["s3:GetObject", "ec2:RunInstances"], "Resource": "*"}"#;
    let dead = |text: &str| findings(text).into_iter().flat_map(|f| f.evidence).collect::<Vec<_>>();
    let only_s3 = r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}"#;
    assert_eq!(dead(&limited(only_s3, grant)), ["`ec2:RunInstances` is taken away by the service control policies"]);
    let no_ec2 = format!(r#"{ADMIN}, {{"Effect": "Deny", "Action": "ec2:*", "Resource": "*"}}"#);
    assert_eq!(dead(&limited(&no_ec2, grant)), ["`ec2:RunInstances` is taken away by the service control policies"]);
    let sometimes = format!(
        r#"{ADMIN}, {{"Effect": "Deny", "Action": "ec2:*", "Resource": "*", "Condition": {{"Bool": {{"aws:MultiFactorAuthPresent": "false"}}}}}}"#
    );
    assert!(dead(&limited(&sometimes, grant)).is_empty());
    assert!(dead(&limited(ADMIN, grant)).is_empty());
    let part = format!(
        r#"{ADMIN}, {{"Effect": "Deny", "Action": "ec2:RunInstances", "Resource": "arn:aws:ec2:*:*:subnet/*"}}"#
    );
    assert!(dead(&limited(&part, grant)).is_empty());
}
