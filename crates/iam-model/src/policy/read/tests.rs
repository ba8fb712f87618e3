//! What is read, what is reported, and that nothing is dropped without a word.

use super::*;
use crate::policy::{Effect, PrincipalElement, PrincipalPattern, ResourceElement};
use crate::text::SourceName;

fn source(text: &str) -> SourceText {
    SourceText { name: SourceName::new("p.json"), text: text.into() }
}

/// The policy is read with exactly these diagnostics, and is marked unknown where one is expected.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let (document, diagnostics) = parse(&source(text));
    let shown: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(shown, expected, "{text}");
    let marked = !document.unknown.is_empty()
        || document.statements.iter().any(|s| {
            !s.unknown.is_empty()
                || s.conditions.iter().any(|c| matches!(c.operator, crate::condition::Operator::Unknown(_)))
                || matches!(&s.principal, Some(PrincipalElement::Principal(p)) if p.iter().any(|p| matches!(p.value, PrincipalPattern::Unknown { .. })))
        });
    assert_eq!(marked, !expected.is_empty(), "a part that was not understood must stay in the document: {text}");
}

const STATEMENT: &str = r#""Effect":"Allow","Action":"s3:*","Resource":"*""#;

fn with(statement_extra: &str) -> String {
    format!("{{\"Statement\":[{{{STATEMENT},{statement_extra}}}]}}")
}

#[test]
fn valid_policies_have_no_diagnostics() {
    check(&with(r#""Sid":"A","Condition":{"Bool":{"aws:SecureTransport":[true,"x",1.5]}}"#), &[]);
    check(&with(r#""NotPrincipal":{"AWS":["111122223333"],"CanonicalUser":"79a5"}"#), &[]);
    check(r#"{"Version":"2008-10-17","Id":"i","Statement":[]}"#, &[]);
    check(r#"{"Statement":{"Effect":"Deny","NotAction":["a:b"],"NotResource":"*"}}"#, &[]);
}

#[test]
fn text_that_is_not_json_is_an_unknown_document_with_an_error() {
    for (text, message) in [
        ("", "error[json-invalid]: p.json:1:1: the policy is not JSON: the text is empty"),
        (
            "{\"Statement\":[],}",
            "error[json-invalid]: p.json:1:17: the policy is not JSON: a comma must be followed by another value",
        ),
        ("{\n// all\n}", "error[json-invalid]: p.json:2:1: the policy is not JSON: comments are not JSON"),
        (
            "\u{feff}{}",
            "error[json-invalid]: p.json:1:1: the policy is not JSON: the text starts with a byte order mark",
        ),
        (
            "{\"Id\":\"a\",\"Id\":\"b\"}",
            "error[json-invalid]: p.json:1:11: the policy is not JSON: the key `Id` stands twice in one object",
        ),
        ("[1]", "error[policy-invalid]: p.json:1:1: a policy is a JSON object"),
    ] {
        check(text, &[message]);
        let hinted = parse(&source(text)).1.iter().all(|d| d.hint.is_some());
        assert_eq!(hinted, !text.is_empty(), "{text}");
    }
}

#[test]
fn huge_and_deep_documents_are_refused() {
    let huge = format!("{{\"Id\":\"{}\"}}", "x".repeat(10 << 20));
    check(&huge, &["error[json-invalid]: p.json:1:1: the policy is not JSON: the text is larger than 1048576 bytes"]);
    let deep = "[".repeat(100_000);
    check(
        &deep,
        &["error[json-invalid]: p.json:1:33: the policy is not JSON: values are nested deeper than 32 levels"],
    );
}

#[test]
fn misread_parts_of_a_document_are_reported_and_kept() {
    let document = "warning[policy-invalid]: p.json:1:";
    check("{}", &[&format!("{document}1: the policy holds a document without `Statement`")]);
    check(
        r#"{"Version":"2020-01-01","Statement":[]}"#,
        &[&format!("{document}12: the policy holds a `Version` that AWS does not know")],
    );
    check(
        r#"{"Id":1,"Statement":"all"}"#,
        &[
            &format!("{document}7: the policy holds an `Id` that is a number"),
            &format!("{document}21: the policy holds a `Statement` that is a string"),
        ],
    );
    check(
        r#"{"statement":[],"Statement":[null]}"#,
        &[
            "warning[policy-unknown-element]: p.json:1:2: the policy holds the element `statement`, which is not known",
            &format!("{document}30: the policy holds a statement that is null"),
        ],
    );
}

#[test]
fn misread_parts_of_a_statement_are_reported_and_kept() {
    let at = |column: usize, what: &str| format!("warning[policy-invalid]: p.json:1:{column}: the policy holds {what}");
    check(r#"{"Statement":[{"Effect":"allow","Action":"a:b","Resource":"*"}]}"#, &[&at(25, "the effect `allow`")]);
    check(r#"{"Statement":[{"Action":"a:b","Resource":"*"}]}"#, &[&at(15, "a statement without `Effect`")]);
    check(r#"{"Statement":[{"Effect":"Allow","Resource":"*"}]}"#, &[&at(15, "a statement without `Action`")]);
    check(
        r#"{"Statement":[{"Effect":"Allow","Action":[1],"Resource":{}}]}"#,
        &[&at(43, "an action that is a number"), &at(57, "a resource that is an object")],
    );
    check(&with(r#""NotAction":"x:y""#), &[&at(15, "a statement with both `Action` and `NotAction`")]);
    check(&with(r#""NotResource":"*""#), &[&at(15, "a statement with both `Resource` and `NotResource`")]);
    check(
        &with(r#""Principal":"*","NotPrincipal":"*""#),
        &[&at(80, "a statement with both `Principal` and `NotPrincipal`")],
    );
    check(&with(r#""Principal":"111122223333""#), &[&at(76, "the principal `111122223333` without a type")]);
    check(&with(r#""Condition":[]"#), &[&at(76, "a `Condition` that is a list")]);
    check(&with(r#""Condition":{"Bool":{"k":null}}"#), &[&at(89, "a condition value that is null")]);
}

#[test]
fn unknown_elements_operators_and_principal_types_are_reported_and_kept() {
    let at = |column: usize, what: &str| {
        format!("warning[policy-unknown-element]: p.json:1:{column}: the policy holds {what}, which is not known")
    };
    check(&with(r#""Limit":1"#), &[&at(64, "the element `Limit`")]);
    check(&with(r#""Principal":{"Google":"x"}"#), &[&at(77, "the principal type `Google`")]);
    check(&with(r#""Condition":{"StringMatches":{"k":"v"}}"#), &[&at(77, "the condition operator `StringMatches`")]);
}

#[test]
fn a_wrong_letter_case_is_explained() {
    let (_, diagnostics) = parse(&source(&with(r#""condition":{}"#)));
    assert_eq!(diagnostics[0].hint.as_deref(), Some("element names are case-sensitive: write `Condition`"));
}

#[test]
fn a_flood_of_errors_is_counted() {
    let text = format!("{{\"Statement\":[{}]}}", vec!["1"; 1000].join(","));
    let (document, diagnostics) = parse(&source(&text));
    assert_eq!((document.unknown.len(), diagnostics.len()), (1000, 21));
    assert_eq!(diagnostics[20].message, "980 more parts of the policy could not be read");
}

#[test]
fn spans_point_at_the_words() {
    let text = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":["s3:Get*"],"Condition":{"Bool":{"k":"true"}}}]}"#;
    let (document, _) = parse(&source(text));
    let statement = &document.statements[0];
    assert!(statement.span.slice(text).starts_with("{\"Effect\""));
    assert_eq!(statement.effect, Effect::Allow);
    assert_eq!(statement.action.patterns()[0].span.slice(text), "\"s3:Get*\"");
    assert_eq!(statement.conditions[0].span.slice(text), "\"k\"");
    assert_eq!(statement.conditions[0].values[0].span.slice(text), "\"true\"");
    assert_eq!(statement.resource, ResourceElement::Absent);
    let Some(PrincipalElement::Principal(principals)) = &statement.principal else { panic!("no principal") };
    assert_eq!(principals[0].value, PrincipalPattern::Aws("111122223333".into()));
}

#[test]
fn policies_inside_a_larger_text_are_objects_or_plain_or_encoded_strings() {
    let policy = format!("{{\"Statement\":[{{{STATEMENT}}}]}}");
    let encoded: String = policy.bytes().map(|b| format!("%{b:02X}")).collect();
    let outer = |inner: &str| format!("{{\"pad\": 1,\n\"doc\": {inner}}}");
    let plain = json::Value::text(&policy).to_compact();
    for text in [outer(&policy), outer(&plain), outer(&format!("\"{encoded}\""))] {
        let whole = source(&text);
        let arena = Arena::new();
        let node = json::parse(&arena, &whole.text, Limits::FILE).unwrap();
        let (document, diagnostics) = from_json(node.get("doc").unwrap(), &whole, "role A");
        assert_eq!((document.statements.len(), diagnostics.len()), (1, 0), "{text}");
        assert_eq!(crate::text::Position::of(&text, document.statements[0].span.start).line, 2);
    }
}

#[test]
fn trouble_inside_an_encoded_policy_names_both_places() {
    let whole = source("{\"doc\": \"%7B%22Statement%22:%0A[1]%7D\"}");
    let arena = Arena::new();
    let node = json::parse(&arena, &whole.text, Limits::FILE).unwrap();
    let (_, diagnostics) = from_json(node.get("doc").unwrap(), &whole, "role A");
    let shown: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "warning[policy-invalid]: p.json:1:9 (role A, at 2:2 of the policy's text): the policy holds a statement that is a number",
        ]
    );
}
