//! Operators as documented: what each says of present, missing and unknown keys.

use iam_model::condition::Comparison;
use iam_model::text::{Span, Spanned};
use proptest::prelude::*;

use super::*;
use crate::context::Context;

fn holds(operator: &str, listed: &[&str], context: &Context) -> Truth {
    let condition = Condition {
        operator: Operator::parse(operator),
        key: ConditionKey::new("test:Key"),
        values: listed.iter().map(|value| Spanned::synthetic((*value).to_owned())).collect(),
        span: Span::default(),
    };
    let facts = Facts { request: context, derived: &[] };
    CompiledCondition::new(&condition, PolicyVersion::V2012).holds(&facts)
}

/// Values of the key in the request; `None` for a key that is missing.
#[track_caller]
fn check(operator: &str, listed: &[&str], values: Option<&[&str]>, expected: bool) {
    let mut context = Context::complete();
    if let Some(values) = values {
        context.set(ConditionKey::new("test:Key"), values.iter().map(|v| (*v).to_owned()).collect());
    }
    assert_eq!(holds(operator, listed, &context), expected.into(), "{operator} {listed:?} {values:?}");
}

#[test]
fn operators_compare_by_type() {
    for (operator, listed, value, expected) in [
        ("StringEquals", "a*", "ab", false),
        ("StringEquals", "A", "a", false),
        ("StringEqualsIgnoreCase", "ÄB", "äb", true),
        ("StringLike", "a*:?", "a/b:c", true),
        ("NumericEquals", "10", "10.0", true),
        ("NumericLessThan", "10", "9.5", true),
        ("NumericGreaterThanEquals", "10", "ten", false),
        ("NumericNotEquals", "10", "ten", true),
        ("DateEquals", "1700000000", "2023-11-14T22:13:20Z", true),
        ("DateLessThan", "2023-11-14", "1700000000", false),
        ("Bool", "TRUE", "true", true),
        ("BinaryEquals", "QQ==", "QQ", true),
        ("IpAddress", "192.0.2.0/24", "192.0.2.7", true),
        ("NotIpAddress", "0.0.0.0/0", "2001:db8::1", true),
        ("ArnLike", "arn:aws:s3:::*", "arn:aws:s3:::a/b", true),
        ("ArnEquals", "arn:aws:sns:*:*:t?", "arn:aws:sns:us-east-1:111122223333:t1", true),
        ("ArnLike", "arn:aws:iam::*:role/a", "arn:aws:iam::1:x:role/a", false),
    ] {
        check(operator, &[listed], Some(&[value]), expected);
    }
}

#[test]
fn a_missing_key_fails_positive_operators_and_satisfies_negated_ones() {
    for (operator, expected) in [
        ("StringEquals", false),
        ("StringNotEquals", true),
        ("NumericLessThan", false),
        ("ArnNotLike", true),
        ("StringEqualsIfExists", true),
        ("StringNotEqualsIfExists", true),
        ("ForAllValues:StringEquals", true),
        ("ForAllValues:StringNotEquals", true),
        ("ForAnyValue:StringEquals", false),
        ("ForAnyValue:StringNotEquals", false),
    ] {
        check(operator, &["a"], None, expected);
    }
    check("Null", &["true"], None, true);
    check("Null", &["false"], None, false);
    check("Null", &["false"], Some(&["x"]), true);
}

#[test]
fn for_any_value_if_exists_holds_where_the_key_is_missing() {
    check("ForAnyValue:StringEqualsIfExists", &["a"], None, true);
    check("ForAnyValue:StringEqualsIfExists", &["a"], Some(&[]), false);
}

#[test]
fn set_operators_quantify_over_the_values_of_the_request() {
    for (operator, values, expected) in [
        ("ForAllValues:StringEquals", &["a", "b"][..], true),
        ("ForAllValues:StringEquals", &["a", "c"], false),
        ("ForAnyValue:StringEquals", &["c", "a"], true),
        ("ForAllValues:StringNotEquals", &["c", "d"], true),
        ("ForAllValues:StringNotEquals", &["c", "a"], false),
        ("ForAnyValue:StringNotEquals", &["a", "c"], true),
        ("ForAnyValue:StringNotEquals", &["a", "b"], false),
        ("ForAllValues:StringEquals", &[], true),
        ("ForAnyValue:StringEquals", &[], false),
    ] {
        check(operator, &["a", "b"], Some(values), expected);
    }
}

#[test]
fn several_values_without_a_set_operator_are_unknown() {
    let mut context = Context::complete();
    context.set(ConditionKey::new("test:Key"), vec!["a".into(), "b".into()]);
    assert_eq!(holds("StringEquals", &["a"], &context), Truth::Maybe);
}

#[test]
fn an_unknown_key_and_an_unknown_operator_are_unknown() {
    for operator in ["StringEquals", "StringNotEqualsIfExists", "Null", "ForAllValues:StringLike"] {
        assert_eq!(holds(operator, &["true"], &Context::open()), Truth::Maybe, "{operator}");
    }
    assert_eq!(holds("StringMatches", &["a"], &Context::complete()), Truth::Maybe);
}

#[test]
fn a_value_of_the_wrong_type_compares_with_nothing() {
    for operator in ["NumericEquals", "DateEquals", "IpAddress", "Bool", "BinaryEquals"] {
        check(operator, &["!"], Some(&["!"]), false);
    }
    check("NumericNotEquals", &["!"], Some(&["!"]), true);
}

proptest! {
    /// Whatever an operator is given, it answers; and a negated operator is the opposite of the plain one.
    #[test]
    fn operators_never_panic(value in ".{0,20}", listed in ".{0,20}", which in 0..26_usize) {
        let comparison = Comparison::ALL[which];
        let mut context = Context::complete();
        context.set(ConditionKey::new("test:Key"), vec![value]);
        let found = holds(comparison.as_str(), &[&listed], &context);
        prop_assert_ne!(found, Truth::Maybe);
        if let Some(plain) = comparison.as_str().strip_prefix("StringNot") {
            prop_assert_eq!(!found, holds(&format!("String{plain}"), &[&listed], &context));
        }
    }
}
