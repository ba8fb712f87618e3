//! Good and bad changes files, and printing and reading again.

use super::*;
use crate::change::write;
use crate::text::SourceName;

fn source(text: &str) -> SourceText {
    SourceText { name: SourceName::new("c.json"), text: text.into() }
}

fn file(changes: &str) -> String {
    format!(r#"{{"schema": "paring-changes/1", "changes": [{changes}]}}"#)
}

const POLICY: &str =
    r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}"#;

#[test]
fn what_is_no_changes_file_is_refused_with_place_and_hint() {
    let check = |text: &str, message: &str, hint: &str| {
        let error = read(&source(text)).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert!(error.hint().unwrap_or_default().contains(hint), "{:?}", error.hint());
    };
    check("{\"schema\": \"paring-ch", "c.json:1:22: not JSON: the text ends before the value does", "cut off");
    check("7", "c.json:1:1: not a changes file: a number", "paring-changes/1");
    check("{}", "c.json:1:1: not a changes file: an object without `schema`", "paring-changes/1");
    check("{\"schema\": \"paring-changes/1\"}", "c.json:1:1: not a changes file: an object without `changes`", "list");
    let later = "{\"schema\": \"paring-changes/2\", \"changes\": []}";
    check(later, "c.json:1:12: this is `paring-changes/2`; this version reads `paring-changes/1`", "version");
    let other = "{\"schema\": \"paring-snapshot/1\"}";
    check(other, "c.json:1:12: this is `paring-snapshot/1`; this version reads `paring-changes/1`", "tighten --out");
}

#[test]
fn printing_and_reading_again_gives_the_same_changes() {
    let text = file(&format!(
        r#"{{"attachment": {{"kind": "identity", "principal_arn": "arn:aws:iam::111122223333:role/R", "policy_name": "p \"q\"", "index": 2}},
             "before": {POLICY}, "after": null, "reasons": [{{"statement": null, "because": "not used", "evidence": ["0 of 9 calls", "é"]}}]}},
           {{"attachment": {{"kind": "trust", "logical_id": "Role", "address": "aws_iam_role.r[\"a\"]", "resource_arn": "arn:aws:s3:::b"}},
             "before": null, "after": {POLICY}, "reasons": [{{"statement": 0, "because": "used", "evidence": []}}]}}"#
    ));
    let (changes, diagnostics) = read(&source(&text)).unwrap();
    assert_eq!(diagnostics, []);
    let printed = write(&changes.changes, &[]);
    let (again, diagnostics) = read(&source(&printed)).unwrap();
    assert_eq!(diagnostics, []);
    assert_eq!(write(&again.changes, &[]), printed);
    assert_eq!(again.changes.len(), 2);
    for (a, b) in changes.changes.iter().zip(&again.changes) {
        assert_eq!((&a.attachment, &a.reasons), (&b.attachment, &b.reasons));
        for (a, b) in [(&a.before, &b.before), (&a.after, &b.after)] {
            assert!(a.is_some() == b.is_some() && a.iter().zip(b).all(|(a, b)| a.same_text(b)));
        }
    }
    let kinds = AttachmentKind::ALL
        .iter()
        .map(|kind| format!(r#"{{"attachment": {{"kind": "{}"}}, "before": null, "after": {POLICY}}}"#, kind.as_str()));
    let (all, _) = read(&source(&file(&kinds.collect::<Vec<_>>().join(",")))).unwrap();
    assert_eq!(all.changes.iter().map(|c| c.attachment.kind).collect::<Vec<_>>(), AttachmentKind::ALL);
}

#[test]
fn a_change_that_cannot_be_read_is_named_and_the_others_are_read() {
    let good = format!(r#"{{"attachment": {{"kind": "identity"}}, "before": {POLICY}, "after": null, "reasons": []}}"#);
    let check = |bad: &str, expected: &str| {
        let (changes, diagnostics) = read(&source(&file(&format!("{bad}, {good}")))).unwrap();
        assert_eq!(changes.changes.len(), 1, "{bad}");
        let all: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
        assert!(all.iter().any(|d| d.contains("change 0") && d.contains(expected)), "{bad}: {all:#?}");
    };
    check("7", "its `attachment` cannot be read");
    check(r#"{"attachment": {"kind": "wish"}, "after": null}"#, "`wish` is no kind of attachment");
    check(
        &format!(r#"{{"attachment": {{"kind": "trust", "principal_arn": "R"}}, "after": {POLICY}}}"#),
        "`principal_arn`",
    );
    check(&format!(r#"{{"attachment": {{"kind": "trust", "index": -1}}, "after": {POLICY}}}"#), "`index`");
    check(r#"{"attachment": {"kind": "trust"}, "before": null}"#, "neither `before` nor `after`");
    check(r#"{"attachment": {"kind": "trust"}, "after": "x"}"#, "is not understood whole");
    check(r#"{"attachment": {"kind": "trust"}, "after": {"Statement": [], "Foo": 1}}"#, "is not understood whole");
}

#[test]
fn a_policy_that_was_not_understood_whole_never_reads_back_as_whole() {
    let text = file(
        r#"{"attachment": {"kind": "identity"}, "before": {"Statement": [{"Effect": "Allow", "Action": "a:b", "Resource": "*", "Foo": 1}]}, "after": null}"#,
    );
    let (changes, _) = read(&source(&text)).unwrap();
    let (again, _) = read(&source(&write(&changes.changes, &[]))).unwrap();
    assert!(!understood(again.changes[0].before.as_ref().unwrap()));
}

const SPLIT: &str = r#"{"role": "arn:aws:iam::111122223333:role/app/shared", "parts": [
    {"function": "arn:aws:lambda:us-east-1:111122223333:function:b", "role": "arn:aws:iam::111122223333:role/app/b", "trust": POLICY,
     "policies": [{"name": "p", "document": POLICY, "reasons": [{"statement": 0, "because": "seen", "evidence": ["e1"]}]}],
     "managed_policies": ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"],
     "boundary": "arn:aws:iam::111122223333:policy/edge", "description": "of b"},
    {"function": "arn:aws:lambda:us-east-1:111122223333:function:a", "role": "arn:aws:iam::111122223333:role/app/a", "trust": POLICY,
     "policies": [], "managed_policies": [], "boundary": null, "description": null}]}"#;

fn with_split(split: &str) -> String {
    let split = split.replace("POLICY", POLICY);
    format!(r#"{{"schema": "paring-changes/1", "changes": [], "splits": [{split}]}}"#)
}

#[test]
fn splits_are_read_and_printed_in_the_order_of_functions() {
    let (set, diagnostics) = read(&source(&with_split(SPLIT))).unwrap();
    assert_eq!(diagnostics, []);
    let functions: Vec<&str> = set.splits[0].parts.iter().map(|part| part.function.name()).collect();
    assert_eq!(functions, ["a", "b"]);
    assert_eq!(set.splits[0].parts[1].policies[0].reasons[0].evidence, ["e1"]);
    let printed = write(&set.changes, &set.splits);
    let (again, diagnostics) = read(&source(&printed)).unwrap();
    assert_eq!(diagnostics, []);
    assert_eq!(write(&again.changes, &again.splits), printed);
    assert_eq!(again.splits[0].parts[1].boundary, set.splits[0].parts[1].boundary);
}

#[test]
fn a_split_is_read_whole_or_not_at_all() {
    let check = |from: &str, to: &str, expected: &str| {
        let (set, diagnostics) = read(&source(&with_split(&SPLIT.replacen(from, to, 1)))).unwrap();
        assert_eq!(set.splits, [], "{to}");
        let all: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
        assert!(all.iter().any(|d| d.contains("the split is left out")), "{to}: {all:#?}");
        assert!(all.iter().any(|d| d.contains(expected)), "{to}: {all:#?}");
    };
    check("function:b", "function:a", "has two parts");
    check(r#""trust": POLICY"#, r#""trust": null"#, "it has no `trust`");
    check(r#""document": POLICY"#, r#""document": {"Statement": [], "Foo": 1}"#, "is not understood whole");
    check("arn:aws:iam::111122223333:policy/edge", "edge", "`edge` is not an ARN");
    check(r#"["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]"#, "[7]", "an ARN is expected");
    check("arn:aws:iam::111122223333:role/app/shared", "shared", "`shared` is not an ARN");
}

#[test]
fn the_page_on_changes_shows_what_is_read_and_names_every_field() {
    let page = include_str!("../../../../../docs/changes.md");
    let example = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let source = SourceText { name: SourceName::new("page"), text: example.into() };
    let (read, diagnostics) = read(&source).unwrap();
    assert_eq!((read.changes.len(), diagnostics.len()), (1, 0), "{diagnostics:?}");
    for key in ATTACHMENT_KEYS {
        assert!(page.contains(&format!("| `{key}` |")), "{key}");
    }
    for kind in AttachmentKind::ALL {
        assert!(page.contains(&format!("`{}`", kind.as_str())), "{}", kind.as_str());
    }
}
