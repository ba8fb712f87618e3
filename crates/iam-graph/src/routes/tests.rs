//! Routes that let strangers in, and how bad that is.

use iam_model::finding::Finding;
use iam_model::route::{Authorization, Route};
use iam_model::snapshot::{self, SnapshotIndex};
use iam_model::text::{SourceName, SourceText};

use super::{open_routes, routes_of};
use crate::tests::{account, function, lambda_role};

fn allow(action: &str, resource: &str) -> String {
    format!(r#"{{"Effect": "Allow", "Action": "{action}", "Resource": "{resource}"}}"#)
}

/// The findings about one route to a function whose role has these statements.
fn findings(statements: &str, authorization: Authorization, narrowed_by: &[&str]) -> Vec<Finding> {
    let more = format!(r#", "resources": [{}]"#, function("f", "worker"));
    let text = account(&[], &[lambda_role("worker", statements)], &more);
    let (snapshot, _) = snapshot::read(SourceText { name: SourceName::new("s.json"), text }).unwrap();
    let (index, _) = SnapshotIndex::new(&snapshot);
    let graph = crate::build(&index, &[]);
    let route = Route {
        interface: "REST API Shop".into(),
        call: "GET /orders".into(),
        authorization,
        narrowed_by: narrowed_by.iter().map(|by| (*by).to_owned()).collect(),
        function: "arn:aws:lambda:us-east-1:111122223333:function:f".parse().ok(),
        place: None,
    };
    open_routes(&index, &graph, &[route]).0
}

#[test]
fn an_open_route_is_as_bad_as_what_the_role_reaches() {
    let secret = allow("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:*:*:secret:db-*");
    let guarded = r#"{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}"#;
    for (statements, severity, told) in [
        (allow("*", "*"), "critical", "its role is an administrator"),
        (secret, "high", "its role may secretsmanager:GetSecretValue on arn:aws:secretsmanager:*:*:secret:db-*"),
        (allow("dynamodb:*", "*"), "medium", "on any of dynamodb"),
        (
            allow("dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:111122223333:table/T"),
            "medium",
            "dynamodb:GetItem on arn",
        ),
        (guarded.to_owned(), "low", "if aws:SourceIp allows"),
        (allow("logs:PutLogEvents", "*"), "low", "reaches none of the kinds"),
    ] {
        let found = findings(&statements, Authorization::Nothing, &[]);
        let [one] = found.as_slice() else { panic!("{statements}: {found:?}") };
        assert_eq!(one.severity.as_str(), severity, "{statements}");
        let evidence = one.evidence.join("; ");
        assert!(evidence.contains(told), "{statements}: {evidence}");
        assert!(evidence.starts_with("GET /orders of REST API Shop asks nobody who calls"), "{evidence}");
    }
}

#[test]
fn what_is_not_known_is_told_as_that_and_what_asks_is_not_told() {
    let statements = allow("secretsmanager:GetSecretValue", "*");
    for asks in [Authorization::Iam, Authorization::Cognito, Authorization::Lambda, Authorization::Jwt] {
        assert!(findings(&statements, asks, &[]).is_empty());
    }
    let open = findings(&statements, Authorization::Unknown("a parameter says".into()), &[]);
    assert_eq!((open[0].severity.as_str(), open[0].confidence.as_str()), ("medium", "low"));
    assert!(open[0].evidence[0].ends_with("is not known: a parameter says"), "{:?}", open[0].evidence);
    let shielded = findings(&statements, Authorization::Nothing, &["a private network"]);
    assert_eq!((shielded[0].severity.as_str(), shielded[0].confidence.as_str()), ("medium", "medium"));
    let key = findings(&statements, Authorization::Nothing, &["an API key, which does not tell who calls"]);
    assert_eq!((key[0].severity.as_str(), key[0].confidence.as_str()), ("high", "high"));
}

/// A new route to a function that was open already is a finding of its own for `--baseline`.
#[test]
fn two_routes_to_one_function_are_two_findings() {
    let one = findings(&allow("s3:*", "*"), Authorization::Nothing, &[]);
    let mut other = one.clone();
    other[0].route = Some("POST /orders of REST API Shop".into());
    assert_ne!(one[0].fingerprint(), other[0].fingerprint());
}

#[test]
fn deployed_interfaces_tell_their_routes() {
    let uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:111122223333:function:f:live/invocations";
    let method = |asks: &str| {
        format!(r#"{{"authorizationType": "{asks}", "methodIntegration": {{"type": "AWS_PROXY", "uri": "{uri}"}}}}"#)
    };
    let rest = format!(
        r#"{{"kind": "apigateway.rest_api", "arn": "arn:aws:execute-api:us-east-1:111122223333:a1", "api": {{"id": "a1", "name": "shop",
        "Resources": [{{"path": "/a", "resourceMethods": {{"GET": {}, "PUT": {}, "OPTIONS": {{"authorizationType": "NONE", "methodIntegration": {{"type": "MOCK"}}}}}}}}]}}}}"#,
        method("NONE"),
        method("COGNITO_USER_POOLS")
    );
    let http = r#"{"kind": "apigatewayv2.api", "arn": "arn:aws:execute-api:us-east-1:111122223333:h1", "api": {"ApiId": "h1", "Name": "web", "ProtocolType": "HTTP",
        "Integrations": [{"IntegrationId": "i", "IntegrationUri": "arn:aws:lambda:us-east-1:111122223333:function:f"}],
        "Routes": [{"RouteKey": "$default", "AuthorizationType": "NONE", "Target": "integrations/i"}, {"RouteKey": "GET /x", "AuthorizationType": "JWT", "Target": "integrations/i"}]}}"#;
    let bare = r#"{"kind": "apigatewayv2.api", "arn": "arn:aws:execute-api:us-east-1:111122223333:h2", "api": {"ApiId": "h2"}}"#;
    let more = format!(r#", "resources": [{}, {rest}, {http}, {bare}]"#, function("f", "worker"));
    let text = account(&[], &[lambda_role("worker", "")], &more);
    let (snapshot, _) = snapshot::read(SourceText { name: SourceName::new("s.json"), text }).unwrap();
    let (index, _) = SnapshotIndex::new(&snapshot);
    let (routes, not_checked) = routes_of(&index);
    let lines: Vec<String> = routes
        .iter()
        .map(|route| {
            format!("{} {} {}", route.name(), route.authorization.as_str(), route.function.as_ref().unwrap().name())
        })
        .collect();
    assert_eq!(
        lines,
        [
            "GET /a of REST API shop none f",
            "PUT /a of REST API shop cognito f",
            "every other call of HTTP API web none f",
            "GET /x of HTTP API web jwt f"
        ]
    );
    assert_eq!(not_checked.into_iter().collect::<Vec<_>>(), ["HTTP API h2: its routes are not in the snapshot"]);
}
