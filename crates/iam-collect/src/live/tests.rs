//! Pages, throttling and refusals, through the real clients against a stand-in on loopback.

use iam_model::snapshot::SnapshotIndex;

use super::*;
use crate::file_form;
use crate::stub::{CANARY, Stub, serve};

const TRUST: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%22lambda.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";

/// A page of `GetAccountAuthorizationDetails` with one role.
fn page(role: &str, marker: Option<&str>) -> (u16, String) {
    let more = marker.map_or_else(
        || "<IsTruncated>false</IsTruncated>".into(),
        |marker| format!("<IsTruncated>true</IsTruncated><Marker>{marker}</Marker>"),
    );
    let body = format!(
        "<GetAccountAuthorizationDetailsResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">
         <GetAccountAuthorizationDetailsResult>{more}<RoleDetailList><member>
         <RoleName>{role}</RoleName><RoleId>AROA{role}</RoleId><Arn>arn:aws:iam::111122223333:role/{role}</Arn><Path>/</Path>
         <AssumeRolePolicyDocument>{TRUST}</AssumeRolePolicyDocument>
         <RolePolicyList><member><PolicyName>p</PolicyName><PolicyDocument>{TRUST}</PolicyDocument></member></RolePolicyList>
         <Tags><member><Key>team</Key><Value>rides</Value></member></Tags>
         </member></RoleDetailList></GetAccountAuthorizationDetailsResult></GetAccountAuthorizationDetailsResponse>"
    );
    (200, body)
}

fn refused(code: &str, status: u16) -> (u16, String) {
    (
        status,
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
        ),
    )
}

fn functions(names: &[&str], next: &str) -> (u16, String) {
    let entries: Vec<String> = names
        .iter()
        .map(|name| {
            format!(
                r#"{{"FunctionName": "{name}", "FunctionArn": "arn:aws:lambda:us-east-1:111122223333:function:{name}",
                    "Role": "arn:aws:iam::111122223333:role/second", "Runtime": "python3.13",
                    "Environment": {{"Variables": {{"PASSWORD": "{CANARY}"}}}}}}"#
            )
        })
        .collect();
    (200, format!(r#"{{"Functions": [{}]{next}}}"#, entries.join(",")))
}

/// An account of two roles on two pages, and three functions on two.
fn account(request: &str, before: usize) -> (u16, String) {
    match request {
        r if r.contains("Action=GetAccountAuthorizationDetails") && r.contains("Marker=") => page("second", None),
        r if r.contains("Action=GetAccountAuthorizationDetails") && before == 0 => refused("Throttling", 400),
        r if r.contains("Action=GetAccountAuthorizationDetails") => page("first", Some("next")),
        r if r.contains("/functions?Marker=") || r.contains("&Marker=") => functions(&["c"], ""),
        r if r.starts_with("GET /2015-03-31/functions?")
            || r.starts_with("GET /2015-03-31/functions/ ")
            || r.starts_with("GET /2015-03-31/functions ") =>
        {
            functions(&["a", "b"], r#", "NextMarker": "m""#)
        }
        r if r.contains("/policy") && r.contains("function%3Aa") => {
            (200, r#"{"Policy": "{\"Version\": \"2012-10-17\", \"Statement\": []}"}"#.into())
        }
        r if r.contains("/policy") && r.contains("function%3Ac") => {
            (403, r#"{"__type": "AccessDeniedException", "Message": "not you"}"#.into())
        }
        r if r.contains("/policy") => (404, r#"{"__type": "ResourceNotFoundException", "Message": "none"}"#.into()),
        r if r.contains("/tags/") => (200, r#"{"Tags": {"team": "rides"}}"#.into()),
        other => (500, format!("nobody expects {other}")),
    }
}

fn collected(stub: &Stub) -> Result<(Snapshot, Vec<Diagnostic>), CollectError> {
    block_on(collect_with(&stub.config(), &[])).unwrap()
}

#[test]
fn pages_and_throttling_lose_nothing_and_give_nothing_twice() {
    let stub = serve(account);
    let (snapshot, diagnostics) = collected(&stub).unwrap();
    let (index, _) = SnapshotIndex::new(&snapshot);
    let roles: Vec<&str> = index.roles().map(|role| role.identity.name.as_str()).collect();
    assert_eq!(roles, ["first", "second"]);
    let first = index.role(&"arn:aws:iam::111122223333:role/first".parse().unwrap()).unwrap();
    assert_eq!(first.trust.statements.len(), 1, "documents are decoded");
    assert_eq!(first.identity.tags["team"], "rides");
    let functions = index.functions_of(&"arn:aws:iam::111122223333:role/second".parse().unwrap());
    assert_eq!(functions.iter().map(|f| f.arn.name()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(functions[0].api.get("Tags").and_then(|tags| tags.get("team")?.as_str()), Some("rides"));
    assert!(index.resource_policy(&functions[0].arn).is_some());
    let messages: Vec<&str> = diagnostics.iter().map(|d| d.message.as_str()).collect();
    assert_eq!(messages.len(), 2, "{messages:#?}");
    assert!(messages[0].starts_with("`lambda:GetPolicy` failed: AccessDeniedException: not you: who may call 1 of 3"));
    assert!(messages[1].contains("are not collected from a live account yet"));
    let details = stub.asked().into_iter().filter(|r| r.contains("GetAccountAuthorizationDetails")).count();
    assert_eq!(details, 3, "one throttled, two pages");
}

#[test]
fn secrets_never_come_out() {
    let (snapshot, diagnostics) = collected(&serve(account)).unwrap();
    assert!(!file_form(&snapshot).unwrap().contains(CANARY));
    assert!(!format!("{snapshot:?} {diagnostics:?}").contains(CANARY));
    let error = collected(&serve(|_, _| refused("InvalidClientTokenId", 403))).unwrap_err();
    assert!(!format!("{error:?} {error}").contains(CANARY));
}

#[test]
fn equal_answers_give_equal_bytes() {
    let form = || file_form(&collected(&serve(account)).unwrap().0).unwrap();
    assert_eq!(form(), form());
}

#[test]
fn without_the_account_there_is_an_error_that_names_the_call() {
    let error = collected(&serve(|_, _| refused("AccessDenied", 403))).unwrap_err();
    assert_eq!(error.to_string(), "`iam:GetAccountAuthorizationDetails` failed: AccessDenied: no");
}

#[test]
fn a_page_that_is_refused_leaves_the_others_and_is_named() {
    let stub =
        serve(
            |request, before| {
                if request.contains("Marker=next") { refused("AccessDenied", 403) } else { account(request, before) }
            },
        );
    let (snapshot, diagnostics) = collected(&stub).unwrap();
    assert_eq!(SnapshotIndex::new(&snapshot).0.roles().count(), 1);
    assert!(diagnostics.iter().any(|d| d.message.contains("only the first 1 pages")), "{diagnostics:#?}");
}
