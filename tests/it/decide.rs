//! Single decisions: `simulate`, `can` and `who-can`, on a small account and on the built-in example.

use crate::run::{Folder, Output, copy, example, testdata};

fn folder() -> Folder {
    let folder = Folder::new();
    copy(&testdata("decisions"), folder.path());
    std::fs::copy(example().join("snapshot.json"), folder.path().join("example.json")).unwrap();
    folder
}

/// The command line, the exit code, what was printed and what was said besides, one after the other.
fn told(folder: &Folder, questions: &[&[&str]]) -> String {
    let mut text = String::new();
    for question in questions {
        let Output { code, stdout, stderr } = folder.paring(question);
        text.push_str(&format!("$ paring {}\n{stdout}", question.join(" ")));
        let notes = stderr.lines().filter(|line| !line.starts_with("warning") && !line.starts_with("  hint"));
        notes.for_each(|line| text.push_str(&format!("! {line}\n")));
        text.push_str(&format!("= {code}\n\n"));
    }
    text
}

const ORDER: &str = "arn:aws:s3:::shop-orders/1";
const SECRET: &str = "arn:aws:s3:::shop-orders/secret/1";
const SHOP: [&str; 2] = ["--snapshot", "shop.json"];

fn can<'a>(folder: &Folder, questions: &[&[&'a str]]) -> String {
    let lines: Vec<Vec<&'a str>> = questions.iter().map(|q| [&["can"][..], q, &SHOP].concat()).collect();
    told(folder, &lines.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

#[test]
fn can_quotes_the_statements_that_allow() {
    insta::assert_snapshot!(can(&folder(), &[&["orders", "s3:GetObject", ORDER], &["ada", "sts:GetCallerIdentity"]]));
}

#[test]
fn can_quotes_the_statement_that_denies() {
    let key = "arn:aws:kms:us-east-1:111122223333:key/k";
    insta::assert_snapshot!(can(&folder(), &[&["orders", "s3:GetObject", SECRET], &["orders", "kms:Decrypt", key]]));
}

#[test]
fn can_says_which_layer_is_silent() {
    insta::assert_snapshot!(can(&folder(), &[&["orders", "s3:DeleteObject", ORDER], &["ada", "s3:PutObject", ORDER]]));
}

#[test]
fn can_names_the_key_that_decides_and_takes_it() {
    let asked = ["auditor", "s3:GetObject", ORDER];
    let with = |more: &[&'static str]| [&asked[..], more].concat();
    let (inside, outside, none) = (
        with(&["--context", "aws:SourceIp=192.0.2.7"]),
        with(&["--context", "aws:SourceIp=203.0.113.7"]),
        with(&["--complete"]),
    );
    insta::assert_snapshot!(can(&folder(), &[&asked, &inside, &outside, &none]));
}

#[test]
fn can_says_what_it_does_not_know_besides_keys() {
    let partner = "arn:aws:sts::444455556666:assumed-role/partner/x";
    insta::assert_snapshot!(can(&folder(), &[&["legacy", "s3:GetObject", ORDER], &[partner, "s3:GetObject", ORDER]]));
}

#[test]
fn can_prints_json_for_programs() {
    insta::assert_snapshot!(can(&folder(), &[&["auditor", "s3:GetObject", ORDER, "--format", "json"]]));
}

#[test]
fn who_can_lists_those_who_may_those_who_may_under_conditions_and_what_is_not_known() {
    let role = "arn:aws:iam::111122223333:role/auditor";
    insta::assert_snapshot!(told(
        &folder(),
        &[
            &["who-can", "s3:GetObject", ORDER, "--snapshot", "shop.json"],
            &["who-can", "s3:GetObject", SECRET, "--snapshot", "shop.json"],
            &["who-can", "sts:AssumeRole", role, "--snapshot", "shop.json"],
            &["who-can", "s3:GetObject", ORDER, "--snapshot", "shop.json", "--complete", "--format", "json"],
        ]
    ));
}

#[test]
fn the_example_answers_too() {
    let folder = folder();
    let role = "tuktuk-dispatch-ArchiveRidesFunctionRole-12A1A5D49AFE";
    let bucket = "arn:aws:s3:::tuktuk-dispatch-receipts-111122223333/2026/1.json";
    insta::assert_snapshot!(told(
        &folder,
        &[
            &["can", role, "s3:PutObject", bucket, "--snapshot", "example.json"],
            &["who-can", "s3:PutObject", bucket, "--snapshot", "example.json"],
        ]
    ));
}

#[test]
fn simulate_decides_one_request_from_flags() {
    let ask = |principal: &'static str, resource: &'static str| {
        [
            "simulate",
            "--snapshot",
            "shop.json",
            "--principal",
            principal,
            "--action",
            "s3:GetObject",
            "--resource",
            resource,
        ]
    };
    let (allowed, denied, open) = (ask("orders", ORDER), ask("orders", SECRET), ask("auditor", ORDER));
    insta::assert_snapshot!(told(&folder(), &[&allowed, &denied, &open]));
}

const CASE: &str = r#"{"id": "ID", "request": {"principal": "arn:aws:iam::111122223333:user/u", "action": "ACTION",
 "resource": {"arn": "arn:aws:s3:::b/k", "account": "111122223333"}, "context": {}},
 "identity_policies": [{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"},
 {"Effect": "Deny", "Action": "s3:GetObjectAcl", "Resource": "*"}]}], "expected": {"decision": "EXPECTED"}}"#;

fn case(id: &str, action: &str, expected: &str) -> String {
    let text = CASE.replace('\n', "").replace("ID", id).replace("ACTION", action);
    if expected.is_empty() {
        return text.replace(r#", "expected": {"decision": "EXPECTED"}"#, "") + "\n";
    }
    text.replace("EXPECTED", expected) + "\n"
}

#[test]
fn simulate_counts_the_cases_that_are_as_expected() {
    let folder = folder();
    let right = case("a", "s3:GetObject", "allow") + &case("b", "s3:GetObjectAcl", "explicit_deny");
    folder.write("right.jsonl", right.clone() + "\n" + &case("c", "s3:PutObject", "implicit_deny"));
    folder.write("wrong.jsonl", right + &case("c", "s3:PutObject", "allow"));
    folder.write("free.jsonl", case("a", "s3:PutObject", ""));
    insta::assert_snapshot!(told(
        &folder,
        &[
            &["simulate", "--cases", "right.jsonl"],
            &["simulate", "--cases", "wrong.jsonl"],
            &["simulate", "--cases", "free.jsonl"],
        ]
    ));
}

#[test]
fn a_line_that_is_no_case_is_placed_and_the_others_are_decided() {
    let folder = folder();
    let good = case("a", "s3:GetObject", "allow");
    let bad = ["{\"id\": 1,}", "{\"id\": \"x\"}", "not json", "// a comment", "{\"id\": 1, \"id\": 2}"];
    folder.write("cases.jsonl", good.clone() + &bad.join("\n") + "\n" + &good);
    let output = folder.paring(&["simulate", "--cases", "cases.jsonl"]);
    assert_eq!(output.code, 2, "{}", output.stderr);
    assert_eq!(output.stdout.matches(r#""decision":"allow""#).count(), 2, "{}", output.stdout);
    for part in [
        "cases.jsonl:2:10",
        "take the last comma out",
        "cases.jsonl:3:1",
        "`request`",
        "cases.jsonl:4:1",
        "cases.jsonl:5:1",
        "take the comment out",
        "cases.jsonl:6:11",
        "stands twice",
        "5 of 7 cases could not be read",
    ] {
        assert!(output.stderr.contains(part), "no `{part}` in:\n{}", output.stderr);
    }
}

#[test]
fn a_case_that_is_nested_too_deep_is_refused() {
    let folder = Folder::new();
    folder.write("cases.jsonl", format!("{{\"id\": {}", "[".repeat(100_000)));
    let output = folder.paring(&["simulate", "--cases", "cases.jsonl"]);
    assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{}", output.stderr);
    assert!(output.stderr.contains("nested deeper than 40 levels"), "{}", output.stderr);
}

#[test]
fn a_name_nobody_has_or_several_have_is_explained() {
    let folder = folder();
    for (question, parts) in [
        (&["can", "nobody", "s3:GetObject"][..], &["`nobody` is no principal", "hint:"][..]),
        (&["can", "orders", "GetObject"], &["`GetObject` is not an action"]),
        (&["can", "orders", "s3:GetObject", "bucket"], &["`bucket` is not an ARN"]),
        (&["can", "orders", "s3:GetObject", ORDER, "--context", "x"], &["`x` is not KEY=VALUE", "hint:"]),
        (&["who-can", "s3:*", ORDER], &["`s3:*` is not an action"]),
    ] {
        let output = folder.paring(&[question, &SHOP].concat());
        assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{question:?}");
        for part in parts {
            assert!(output.stderr.contains(part), "no `{part}` in:\n{}", output.stderr);
        }
    }
}
