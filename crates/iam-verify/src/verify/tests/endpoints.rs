//! Changes of VPC endpoints' policies: proved where every call that may come through is let through, and callers whose
//! calls the logs do not hold lose nothing.

use super::*;

const ENDPOINT: &str = "arn:aws:ec2:eu-west-1:111122223333:vpc-endpoint/vpce-1";
const OBJECT: &str = "arn:aws:s3:::data/1";

fn passes(actions: &Value, resource: &Value, condition: &Value) -> Value {
    let mut statement = json!({"Effect": "Allow", "Principal": "*", "Action": actions, "Resource": resource});
    if !condition.is_null() {
        statement["Condition"] = condition.clone();
    }
    statement
}

fn everything() -> Value {
    doc(&json!([passes(&json!("*"), &json!("*"), &Value::Null)]))
}

fn others() -> Value {
    passes(&json!("*"), &json!("*"), &json!({"ArnNotLike": {"aws:PrincipalArn": arn("role/*")}}))
}

fn reader(role: &str) -> Value {
    passes(
        &json!("s3:GetObject"),
        &json!(OBJECT),
        &json!({"ArnEquals": {"aws:PrincipalArn": arn(&format!("role/{role}"))}}),
    )
}

/// Judges the change of one endpoint to S3 from `before` to `after`; the outcomes of keeps-used and adds-nothing.
fn outcomes(before: &Value, after: &Value, calls: &[(Arn, Observation)]) -> [Outcome; 2] {
    let endpoint = json!({"kind": "ec2.vpc_endpoint", "arn": ENDPOINT, "api": {"VpcEndpointId": "vpce-1",
        "ServiceName": "com.amazonaws.eu-west-1.s3", "VpcId": "vpc-1", "PolicyDocument": before.to_string()}});
    let outside = json!({"kind": "lambda.function", "arn": "arn:aws:lambda:eu-west-1:111122223333:function:orders",
        "role_arn": arn("role/outside"), "api": {"FunctionName": "orders"}});
    let own = json!([allow(&json!("s3:*"))]);
    let roles =
        json!([role("app", &own, &[], None), role("outside", &own, &[], None), role("bare", &Value::Null, &[], None)]);
    let snapshot = account(&json!({"RoleDetailList": roles}), &json!({"resources": [endpoint, outside]}));
    let change = json!([{"attachment": {"kind": "vpc_endpoint", "resource_arn": ENDPOINT}, "before": before, "after": after, "reasons": []}]);
    let (file, said) = changes(&change, &json!([]));
    assert_eq!(said, 0);
    let claims = judge(&snapshot, &file, calls).remove(0);
    let of = |claim: Claim| claims.iter().find(|(known, _)| *known == claim).unwrap().1.clone();
    assert!(of(Claim::OpensNoPath).is_proved(), "{claims:?}");
    [of(Claim::KeepsUsed), of(Claim::AddsNothing)]
}

fn through(role: &str, endpoint: Option<&str>, resource: &str) -> (Arn, Observation) {
    let (arn, mut seen) = call(role, "s3:GetObject", resource);
    let endpoint = endpoint.map(|id| (iam_model::condition::ConditionKey::new("aws:SourceVpce"), vec![id.to_owned()]));
    seen.context.extend(endpoint);
    (arn, seen)
}

#[track_caller]
fn check(after: &[Value], calls: &[(Arn, Observation)], expected: &str) {
    let [keeps, adds] = outcomes(&everything(), &doc(&json!(after)), calls);
    assert!(adds.is_proved(), "{adds:?}");
    let text = format!("{keeps:?}");
    assert!(text.starts_with(expected.split(": ").next().unwrap()), "{text}");
    assert!(expected.split(": ").skip(1).all(|part| text.contains(part)), "{text}");
}

#[test]
fn what_came_through_an_endpoint_must_still_come_through_and_so_must_what_may_have() {
    let seen = || through("app", Some("vpce-1"), OBJECT);
    check(&[others(), reader("app")], &[seen()], "Proved");
    check(&[others(), reader("bare")], &[seen()], "Refuted");
    // By other endpoints, by none, and for other services it need not come through.
    check(&[others(), reader("bare")], &[through("app", Some("vpce-2"), OBJECT)], "Proved");
    check(&[others(), reader("bare")], &[through("outside", None, OBJECT)], "Proved");
    check(
        &[others(), reader("bare")],
        &[call("app", "sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:q")],
        "Proved",
    );
    // The log does not say how it came.
    check(&[others(), reader("app")], &[through("app", None, OBJECT)], "Proved");
    check(&[others(), reader("bare")], &[through("app", None, OBJECT)], "Undecided: do not say through which endpoint");
    check(
        &[others(), reader("app")],
        &[through("app", Some("vpce-1"), "arn:aws:s3:::data/*")],
        "Undecided: no longer let all of",
    );
    // What nothing of the snapshot allows, and came through all the same.
    check(
        &[others(), reader("app")],
        &[seen(), through("bare", Some("vpce-1"), OBJECT)],
        "Undecided: nothing in this snapshot",
    );
}

#[test]
fn callers_whose_calls_no_log_holds_must_lose_nothing_at_an_endpoint() {
    let seen = [through("app", Some("vpce-1"), OBJECT)];
    check(&[reader("app")], &seen, "Undecided: callers that are no roles");
    let narrower = passes(&json!("s3:*"), &json!("*"), &json!({"ArnNotLike": {"aws:PrincipalArn": arn("role/*")}}));
    check(&[narrower, reader("app")], &seen, "Undecided: callers that are no roles");
}

#[test]
fn an_endpoint_that_goes_back_to_its_default_widens() {
    let narrow = doc(&json!([others(), reader("app")]));
    let [_, adds] = outcomes(&narrow, &Value::Null, &[through("app", Some("vpce-1"), OBJECT)]);
    assert!(matches!(adds, Outcome::Refuted { .. }), "{adds:?}");
    let [keeps, adds] = outcomes(&narrow, &everything(), &[through("app", Some("vpce-1"), OBJECT)]);
    assert!(keeps.is_proved() && matches!(adds, Outcome::Refuted { .. }), "{keeps:?} {adds:?}");
}
