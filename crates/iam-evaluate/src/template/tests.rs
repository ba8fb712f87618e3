//! Variables: when they are variables, what fills them in, and what a value can never do.

use super::*;
use crate::context::Context;

#[track_caller]
fn check(template: &str, version: PolicyVersion, text: &str, expected: Option<bool>) {
    let mut context = Context::complete();
    context.set(ConditionKey::new("aws:username"), vec!["alice".into()]);
    context.set(ConditionKey::new("aws:PrincipalTag/star"), vec!["a*".into()]);
    context.set(ConditionKey::new("aws:TagKeys"), vec!["a".into(), "b".into()]);
    context.set_unknown(ConditionKey::new("aws:userid"));
    let facts = Facts { request: &context, derived: &[] };
    let template = Template::new(template, version, Wildcards::Match);
    let found = match template.matches(text, &facts) {
        Truth::Yes => Some(true),
        Truth::No => Some(false),
        Truth::Maybe => None,
    };
    assert_eq!(found, expected, "{template:?} against {text}");
}

#[test]
fn variables_are_filled_in() {
    let v = PolicyVersion::V2012;
    check("home/${aws:username}/*", v, "home/alice/x", Some(true));
    check("home/${AWS:UserName}/*", v, "home/bob/x", Some(false));
    check("${aws:username}-queue", v, "alice-queue", Some(true));
    check("${aws:PrincipalTag/none}", v, "", Some(false));
    check("${aws:PrincipalTag/none, 'dev'}/?", v, "dev/1", Some(true));
    check("${aws:username, 'dev'}", v, "dev", Some(false));
    check("${aws:userid}", v, "x", None);
    check("${aws:userid}${aws:PrincipalTag/none}", v, "x", Some(false));
    check("${aws:TagKeys}", v, "a", Some(false));
}

#[test]
fn special_characters_are_literal() {
    for (pattern, text, expected) in
        [("a${*}", "a*", true), ("a${*}", "ab", false), ("${?}", "?", true), ("${$}{x}", "${x}", true)]
    {
        check(pattern, PolicyVersion::V2012, text, Some(expected));
    }
}

#[test]
fn wildcards_in_a_value_are_literal() {
    check("${aws:PrincipalTag/star}", PolicyVersion::V2012, "a*", Some(true));
    check("${aws:PrincipalTag/star}", PolicyVersion::V2012, "ab", Some(false));
}

#[test]
fn variables_are_text_without_version_2012() {
    check("${aws:username}", PolicyVersion::V2008, "${aws:username}", Some(true));
    check("${aws:username}", PolicyVersion::V2008, "alice", Some(false));
    check("${*}", PolicyVersion::V2008, "${x}", Some(true));
}

#[test]
fn malformed_variables_are_text() {
    for text in ["${", "${}", "${aws:username", "${a, b}", "${a, 'b}", "$", "$$"] {
        check(text, PolicyVersion::V2012, text, Some(true));
    }
}
