//! Calls of which the logs tell no resource, policies that AWS does not save, functions that could not run any more.

use super::*;

fn with_function(own: &Value) -> String {
    let function = json!({"kind": "lambda.function", "arn": "arn:aws:lambda:eu-west-1:111122223333:function:orders",
        "role_arn": arn("role/a"), "api": {"FunctionName": "orders"}});
    account(&json!({"RoleDetailList": [role("a", own, &[], None)]}), &json!({"resources": [function]}))
}

/// `check` said "kinesis:GetRecords on arn:aws:a:::a would be denied", of a call that was never made.
#[test]
fn a_call_of_an_unknown_resource_is_denied_only_where_none_is_allowed_any_more() {
    let own = json!([allow(&json!(["s3:*", "kinesis:*"]))]);
    let (who, mut seen) = call("a", "kinesis:GetRecords", "*");
    seen.resource_known = false;
    let calls = [call("a", "s3:GetObject", "arn:aws:s3:::bk/x"), (who, seen)];
    let to = |more: Value| json!([edit("identity", Some("role/a"), Some("own"), &own, &json!([own[0].clone(), more]))]);
    let deny = |condition: Value| json!({"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition});
    for condition in [
        json!({"Bool": {"aws:SecureTransport": "false"}}),
        json!({"DateLessThan": {"aws:CurrentTime": "2026-12-01T00:00:00Z"}}),
    ] {
        check(&with_function(&own), &to(deny(condition)), &calls, &[(Claim::KeepsUsed, "undecided")]);
    }
    let one = json!({"Effect": "Deny", "Action": "kinesis:*", "Resource": "arn:aws:kinesis:*:*:stream/other"});
    check(&with_function(&own), &to(one), &calls, &[(Claim::KeepsUsed, "undecided")]);
    let all = json!({"Effect": "Deny", "Action": "kinesis:*", "Resource": "*"});
    check(&with_function(&own), &to(all), &calls, &[(Claim::KeepsUsed, "refuted: 2 of 4 observed calls")]);
}

/// All four claims were proved of policies that AWS answers with `MalformedPolicyDocument` or a quota.
#[test]
fn nothing_is_proved_of_a_policy_that_aws_refuses() {
    let own = json!([allow(&json!("s3:*"))]);
    let calls = [call("a", "s3:GetObject", "arn:aws:s3:::bk/x")];
    let put = |key: &str, value: Value| {
        let mut statement = allow(&json!("s3:Get*"));
        statement[key] = value;
        statement
    };
    let mut bare = allow(&json!("s3:Put*"));
    bare.as_object_mut().unwrap().remove("Resource");
    let twice = put("Sid", json!("Same"));
    let many: Vec<Value> =
        (0..200).map(|n| put("Resource", json!(format!("arn:aws:s3:::bucket-of-some-length-{n}/*")))).collect();
    for (after, why) in [
        (json!([allow(&json!("s3:Get*")), bare]), "names no resource"),
        (json!([put("Principal", json!("*")), allow(&json!("s3:Get*"))]), "names a principal"),
        (json!([twice.clone(), twice]), "`Same` stands twice"),
        (json!([allow(&json!("s3:Get*"))].into_iter().chain(many).collect::<Vec<_>>()), "10240"),
    ] {
        let change = json!([edit("identity", Some("role/a"), Some("own"), &own, &after)]);
        for claim in [Claim::KeepsUsed, Claim::AddsNothing] {
            check(&with_function(&own), &change, &calls, &[(claim, "undecided"), (claim, why)]);
        }
        // What is deployed with a fault was saved with it.
        let kept = json!([edit("identity", Some("role/a"), Some("own"), &after, &after)]);
        let claims = judge(&with_function(&after), &changes(&kept, &Value::Null).0, &calls);
        assert!(!said(&claims[0], Claim::AddsNothing).contains("AWS refuses"), "{why}");
    }
}

#[test]
fn a_trust_policy_that_shuts_lambda_out_of_a_running_functions_role_is_refuted() {
    let own = json!([allow(&json!("s3:*"))]);
    let trusts =
        |service: &str| json!([{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]);
    let lambda =
        json!({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"});
    let to = |after: &Value| json!([edit("trust", Some("role/a"), None, &lambda, after)]);
    let calls = [call("a", "s3:GetObject", "arn:aws:s3:::bk/x")];
    let away = to(&trusts("ec2.amazonaws.com"));
    check(
        &with_function(&own),
        &away,
        &calls,
        &[(Claim::KeepsUsed, "refuted: Lambda could not run orders with a any more")],
    );
    let idle = account(&json!({"RoleDetailList": [role("a", &own, &[], None)]}), &json!({}));
    check(&idle, &away, &calls, &[(Claim::KeepsUsed, "undecided")]);
    check(&with_function(&own), &to(&trusts("lambda.amazonaws.com")), &calls, &[(Claim::KeepsUsed, "proved")]);
}

/// Only `Version` was dropped, and "keeps ec2:* on every resource" was said to be broken by the change.
#[test]
fn a_change_from_which_nothing_goes_is_not_blamed_for_what_it_keeps() {
    let own = json!([allow(&json!(["ec2:*", "s3:*"]))]);
    let after = json!([allow(&json!(["s3:*", "ec2:*"]))]);
    let mut change = edit("identity", Some("role/a"), Some("own"), &own, &after);
    change["after"].as_object_mut().unwrap().remove("Version");
    let calls = [call("a", "s3:GetObject", "arn:aws:s3:::bk/x")];
    let claims = judge(&with_function(&own), &changes(&json!([change]), &Value::Null).0, &calls);
    assert!(!said(&claims[0], Claim::ObeysGuardrails).starts_with("refuted"), "{claims:?}");
}
