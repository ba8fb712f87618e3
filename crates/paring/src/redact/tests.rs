//! What is replaced, and what stays.

use super::Redactor;

fn check(text: &str, expected: &str) {
    let mut redactor = Redactor::default();
    redactor.read(text);
    assert_eq!(redactor.redacted(text), expected, "{text}");
}

#[test]
fn what_tells_whose_account_it_is_has_a_stand_in() {
    for (text, expected) in [
        ("account 111122223333", "account 000000000001"),
        ("arn:aws:iam::111122223333:role/app/Orders, Orders", "arn:aws:iam::000000000001:role/name-1/role-1, role-1"),
        (
            "arn:aws:sts::111122223333:assumed-role/Orders/aoi@corp.jp.",
            "arn:aws:sts::000000000001:assumed-role/role-1/session-1.",
        ),
        ("arn:aws:s3:::acme-logs-111122223333/2026/*", "arn:aws:s3:::name-1/2026/*"),
        (
            "arn:aws:dynamodb:us-east-1:111122223333:table/Orders/index/*",
            "arn:aws:dynamodb:us-east-1:000000000001:table/name-1/index/*",
        ),
        ("arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::aws:policy/AdministratorAccess"),
        ("from 203.0.113.9 and 0.0.0.0/0, 2001:db8::1", "from 192.0.2.1 and 0.0.0.0/0, 192.0.2.2"),
        ("at 2026-11-20T08:00:00Z, 3 of 12", "at 2026-11-20T08:00:00Z, 3 of 12"),
        ("mail aoi.s@corp.example.jp.", "mail person-1@example.com."),
        ("AKIAIOSFODNN7EXAMPLE", "id-1"),
        ("role/app/Orders-prod runs policies/Orders-prod.json", "role/name-1/role-1 runs policies/role-1.json"),
        ("bucket acme-111122223333-x", "bucket acme-000000000001-x"),
        ("\u{1b}[1mOrders\u{1b}[0m is role/Orders", "\u{1b}[1mrole-1\u{1b}[0m is role/role-1"),
        ("arn:aws:iam::*:role/${aws:username}", "arn:aws:iam::*:role/${aws:username}"),
        ("s3:GetObject, logs:PutLogEvents", "s3:GetObject, logs:PutLogEvents"),
    ] {
        check(text, expected);
    }
}

#[test]
fn the_same_thing_has_the_same_stand_in_and_words_of_the_format_stay() {
    check(
        r#"{"principal": "arn:aws:iam::111122223333:role/resource", "resource": "resource", "again": "111122223333"}"#,
        r#"{"principal": "arn:aws:iam::000000000001:role/role-1", "resource": "role-1", "again": "000000000001"}"#,
    );
    let mut redactor = Redactor::default();
    redactor.read("role/Orders");
    assert_eq!(redactor.redacted("Orders of 111122223333"), "role-1 of 000000000001");
    assert_eq!(redactor.redacted("444455556666, 111122223333, Orders"), "000000000002, 000000000001, role-1");
}
