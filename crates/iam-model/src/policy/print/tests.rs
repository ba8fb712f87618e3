//! What is printed, and that reading it again gives the same document.

use super::super::parse;
use super::*;
use crate::text::{SourceName, SourceText};

fn read(text: &str) -> PolicyDocument {
    parse(&SourceText { name: SourceName::new("test"), text: text.into() }).0
}

#[track_caller]
fn check(text: &str, compact: &str) {
    let document = read(text);
    assert_eq!(print(&document, PrintStyle::Compact), compact);
    let pretty = print(&document, PrintStyle::Pretty);
    assert!(read(&pretty).same_text(&document), "{pretty}");
}

#[test]
fn keys_have_one_order_and_lists_of_one_are_scalars() {
    check(
        r#"{"Statement":[{"Resource":["*"],"Condition":{"Bool":{"aws:SecureTransport":false}},"NotAction":["iam:*","sts:*"],
            "Principal":{"Service":["sns.amazonaws.com"],"AWS":["111122223333","*"]},"Effect":"Deny","Sid":"A"}],
            "Id":"x","Version":"2012-10-17"}"#,
        r#"{"Version":"2012-10-17","Id":"x","Statement":[{"Sid":"A","Effect":"Deny","Principal":{"Service":"sns.amazonaws.com","AWS":["111122223333","*"]},"NotAction":["iam:*","sts:*"],"Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}"#,
    );
}

#[test]
fn no_condition_is_lost_when_two_operators_print_alike() {
    check(
        r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{
            "StringLike":{"aws:a":"1"},"Null":{"k":"true"},"stringlike":{"aws:a":"2"},"STRINGLIKE":{"aws:a":"3"}}}}"#,
        r#"{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringLike":{"aws:a":"1","Aws:a":"2","AWs:a":"3"},"Null":{"k":"true"}}}]}"#,
    );
}

#[test]
fn size_counts_no_white_space() {
    let document = read(r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::a b"}}"#);
    assert_eq!(compact_len(&document), print(&document, PrintStyle::Compact).len() - 1);
}
