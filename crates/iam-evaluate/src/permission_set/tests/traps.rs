//! The traps of the field, each by name.

use super::super::*;
use super::document;

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Pass,
    Fail,
    Undecided,
}

const OLD: &str = "2008-10-17";
const NOW: &str = "2012-10-17";

fn policy(version: &str, statements: &[&str]) -> PermissionSet {
    let text = format!(r#"{{"Version": "{version}", "Statement": [{}]}}"#, statements.join(", "));
    PermissionSet::of_document(&document(&text))
}

fn verdict(new: &PermissionSet, old: &PermissionSet) -> Verdict {
    match new.included_in(old, Limits::default()) {
        Inclusion::Included(_) => Verdict::Pass,
        Inclusion::Excluded(_) => Verdict::Fail,
        Inclusion::Undecided(_) => Verdict::Undecided,
    }
}

fn on(resource: &str, condition: &str) -> String {
    format!(
        r#"{{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "{resource}", "Condition": {{{condition}}}}}"#
    )
}

/// New and old allow the same action under these conditions.
fn conditions(new: &str, old: &str) -> Verdict {
    verdict(&policy(NOW, &[&on("*", new)]), &policy(NOW, &[&on("*", old)]))
}

fn resources(new: &str, old: &str) -> Verdict {
    verdict(&policy(NOW, &[&on(new, "")]), &policy(NOW, &[&on(old, "")]))
}

#[test]
fn a_variable_under_two_patterns_is_no_rigid_symbol() {
    let new = on("*", r#""StringEquals": {"s3:prefix": "home/bob"}"#);
    let deny = r#"{"Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {"StringEquals": {"s3:prefix": "home/${aws:username}"}}}"#;
    assert_eq!(verdict(&policy(NOW, &[&new]), &policy(NOW, &[&on("*", ""), deny])), Verdict::Fail);
}

#[test]
fn a_star_does_not_leave_its_arn_segment() {
    assert_eq!(resources("arn:aws:sns:eu:1:t", "arn:aws:sns:*:1:*"), Verdict::Pass);
    assert_eq!(resources("arn:aws:s3:::b", "arn:*"), Verdict::Pass);
    assert_eq!(resources("*", "arn:*"), Verdict::Fail);
    assert_eq!(resources("arn:aws:s3:::a:b", "arn:aws:*:b"), Verdict::Undecided);
    assert_eq!(resources("arn:aws:logs:*:*:g:*", "arn:aws:logs:*:*:g*"), Verdict::Pass);
}

#[test]
fn no_resource_is_covered_by_the_bare_star_only() {
    assert_eq!(resources("*", "arn:*:*:*:*:*"), Verdict::Fail);
    assert_eq!(resources("arn:*:*:*:*:*", "*"), Verdict::Pass);
}

#[test]
fn negated_operators_hold_on_absent_keys() {
    let absent = r#""Null": {"aws:RequestedRegion": "true"}"#;
    assert_eq!(conditions(absent, r#""StringNotEquals": {"aws:RequestedRegion": "eu"}"#), Verdict::Pass);
    assert_eq!(conditions(absent, r#""StringEquals": {"aws:RequestedRegion": "eu"}"#), Verdict::Fail);
    assert_eq!(conditions(absent, r#""StringEqualsIfExists": {"aws:RequestedRegion": "eu"}"#), Verdict::Pass);
    assert_eq!(conditions(absent, r#""ForAllValues:StringEquals": {"aws:RequestedRegion": "eu"}"#), Verdict::Pass);
    assert_eq!(conditions(absent, r#""ForAnyValue:StringNotEquals": {"aws:RequestedRegion": "eu"}"#), Verdict::Fail);
}

#[test]
fn bool_and_bool_if_exists_differ_on_absent_keys() {
    let deny = |operator: &str| {
        let condition = format!(r#""{operator}": {{"aws:MultiFactorAuthPresent": "false"}}"#);
        let deny = format!(r#"{{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {{{condition}}}}}"#);
        policy(NOW, &[&on("*", ""), &deny])
    };
    assert_eq!(verdict(&deny("Bool"), &deny("BoolIfExists")), Verdict::Fail);
    assert_eq!(verdict(&deny("BoolIfExists"), &deny("Bool")), Verdict::Pass);
}

#[test]
fn ignore_case_does_not_imply_a_case() {
    let ignoring = r#""StringEqualsIgnoreCase": {"k:x": "dev"}"#;
    assert_eq!(conditions(ignoring, r#""StringEquals": {"k:x": "dev"}"#), Verdict::Fail);
    assert_eq!(conditions(r#""StringEquals": {"k:x": "DeV"}"#, ignoring), Verdict::Pass);
    let variable = r#""StringEqualsIgnoreCase": {"k:x": "${aws:username}"}"#;
    assert_eq!(conditions(variable, variable), Verdict::Pass);
    assert_eq!(conditions(variable, r#""StringEquals": {"k:x": "${aws:username}"}"#), Verdict::Undecided);
}

#[test]
fn without_the_2012_version_variables_are_text() {
    let own = on("arn:aws:s3:::b/${aws:username}", "");
    assert_eq!(verdict(&policy(NOW, &[&own]), &policy(OLD, &[&own])), Verdict::Fail);
    assert_eq!(verdict(&policy(OLD, &[&own]), &policy(OLD, &[&own])), Verdict::Pass);
    assert_eq!(verdict(&policy(OLD, &[&own]), &policy(NOW, &[&on("arn:aws:s3:::b/${*}*", "")])), Verdict::Fail);
}

#[test]
fn actions_and_keys_ignore_case_but_resources_and_values_do_not() {
    assert_eq!(resources("arn:aws:s3:::B", "arn:aws:s3:::b"), Verdict::Fail);
    let (upper, lower) = (r#""StringEquals": {"K:X": "a"}"#, r#""StringEquals": {"k:x": "a"}"#);
    assert_eq!(conditions(upper, lower), Verdict::Pass);
    assert_eq!(conditions(r#""StringEquals": {"k:x": "A"}"#, lower), Verdict::Fail);
}

#[test]
fn lists_of_not_action_and_not_resource_are_conjunctions() {
    let not = |list: &str| format!(r#"{{"Effect": "Allow", "Action": "*", "NotResource": {list}}}"#);
    let both = not(r#"["arn:aws:s3:::a", "arn:aws:s3:::b"]"#);
    let wide = policy(NOW, &[&both]);
    assert_eq!(verdict(&policy(NOW, &[&on("arn:aws:s3:::b", "")]), &wide), Verdict::Fail);
    assert_eq!(verdict(&policy(NOW, &[&on("arn:aws:s3:::c", "")]), &wide), Verdict::Pass);
    assert_eq!(verdict(&wide, &policy(NOW, &[&not(r#""arn:aws:s3:::a""#)])), Verdict::Pass);
}

#[test]
fn two_grants_do_not_make_their_cross_product() {
    let grant =
        |action: &str, resource: &str| format!(r#"{{"Effect": "Allow", "Action": {action}, "Resource": {resource}}}"#);
    let old =
        policy(NOW, &[&grant(r#""s3:Get""#, r#""arn:aws:s3:::a""#), &grant(r#""s3:Put""#, r#""arn:aws:s3:::b""#)]);
    let new = policy(NOW, &[&grant(r#"["s3:Get", "s3:Put"]"#, r#"["arn:aws:s3:::a", "arn:aws:s3:::b"]"#)]);
    assert_eq!(verdict(&new, &old), Verdict::Fail);
    assert_eq!(verdict(&old, &new), Verdict::Pass);
}

#[test]
fn what_is_not_understood_proves_nothing_unless_it_is_the_same_on_both_sides() {
    let strange = r#""StringMatches": {"k:x": "a"}"#;
    assert_eq!(conditions(strange, strange), Verdict::Pass);
    assert_eq!(conditions("", strange), Verdict::Undecided);
    assert_eq!(conditions(strange, ""), Verdict::Pass);
    assert_eq!(conditions(strange, r#""StringEquals": {"k:x": "a"}"#), Verdict::Undecided);
    let effect = r#"{"Effect": "Permit", "Action": "*", "Resource": "*"}"#;
    assert_eq!(verdict(&policy(NOW, &[effect]), &policy(NOW, &[&on("*", "")])), Verdict::Undecided);
    assert_eq!(verdict(&policy(NOW, &[&on("*", "")]), &policy(NOW, &[&on("*", ""), effect])), Verdict::Undecided);
    let nonsense = PermissionSet::of_document(&document("{"));
    assert_eq!(verdict(&nonsense, &policy(NOW, &[&on("*", "")])), Verdict::Undecided);
    assert_eq!(verdict(&policy(NOW, &[&on("*", "")]), &nonsense), Verdict::Undecided);
}

#[test]
fn an_old_policy_that_says_no_and_a_new_one_that_says_nothing_are_included() {
    let deny = r#"{"Effect": "Deny", "Action": "*", "Resource": "*"}"#;
    assert_eq!(verdict(&policy(NOW, &[deny]), &policy(NOW, &[])), Verdict::Pass);
    assert_eq!(verdict(&policy(NOW, &[&on("*", "")]), &policy(NOW, &[&on("*", ""), deny])), Verdict::Fail);
    assert_eq!(verdict(&policy(NOW, &[&on("*", ""), deny]), &policy(NOW, &[])), Verdict::Pass);
}

#[test]
fn adversarial_patterns_end_within_their_limits() {
    let many: Vec<String> = (0..40).map(|n| format!("\"arn:aws:s3:::*{n}a????????{n}*\"")).collect();
    let list = |resources: &[String]| {
        policy(NOW, &[&format!(r#"{{"Effect": "Allow", "Action": "*", "Resource": [{}]}}"#, resources.join(", "))])
    };
    let limits = Limits { steps: 500, states: 500, ..Limits::default() };
    let (new, old) = (list(&["\"arn:aws:s3:::*a*\"".into()]), list(&many));
    assert!(!matches!(new.included_in(&old, limits), Inclusion::Included(_)));
}

#[test]
fn questions_about_one_action() {
    let set = policy(
        NOW,
        &[
            r#"{"Effect": "Allow", "Action": "s3:Get*", "Resource": ["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"]}"#,
            r#"{"Effect": "Allow", "Action": "s3:Put*", "Resource": "*", "Condition": {"Bool": {"k:x": "true"}}}"#,
            r#"{"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"}"#,
        ],
    );
    let (get, put, list) = ("s3:GetObject", "s3:PutObject", "s3:ListBucket");
    for (action, expected) in [(get, Possibility::Yes), (put, Possibility::Conditional), (list, Possibility::No)] {
        assert_eq!(set.allows_action(&action.parse().unwrap()), expected, "{action}");
    }
    for (action, resource, expected) in [
        (get, "arn:aws:s3:::a/1", Possibility::Yes),
        (get, "arn:aws:s3:::b/1", Possibility::No),
        (get, "arn:aws:s3:::?/*", Possibility::Conditional),
        (put, "arn:aws:s3:::a/1", Possibility::Conditional),
    ] {
        let pattern = iam_model::arn::ResourcePattern::new(resource);
        assert_eq!(set.allows(&action.parse().unwrap(), &pattern), expected, "{action} {resource}");
    }
    let reach = set.resources_for(&get.parse().unwrap());
    assert_eq!(reach.iter().map(|r| r.resource.as_str()).collect::<Vec<_>>(), ["arn:aws:s3:::a/*"]);
}

fn why(new: &PermissionSet, old: &PermissionSet, limits: Limits) -> Why {
    match new.included_in(old, limits) {
        Inclusion::Undecided(why) => why,
        decided => panic!("{decided:?}"),
    }
}

#[test]
fn a_limit_that_is_reached_is_told() {
    let list = |form: &dyn Fn(usize) -> String, count: usize| {
        let resources: Vec<String> = (0..count).map(|n| format!("\"arn:aws:s3:::{}\"", form(n))).collect();
        policy(NOW, &[&format!(r#"{{"Effect": "Allow", "Action": "*", "Resource": [{}]}}"#, resources.join(", "))])
    };
    let (new, old) = (list(&|n| format!("*{n}"), 12), list(&|n| format!("{n}*a*{n}"), 12));
    let whole = new.included_in(&old, Limits::default());
    assert!(!matches!(whole, Inclusion::Included(_)));
    assert_eq!(
        why(&new, &list(&|n| format!("*?{n}"), 12), Limits { steps: 1, states: 1, ..Limits::default() }),
        Why::Limit
    );
}

#[test]
fn keys_whose_values_would_decide_are_named() {
    let new = on("*", r#""NumericLessThan": {"k:n": "5"}, "StringLike": {"k:n": "5*"}"#);
    let old = on("*", r#""DateLessThan": {"k:n": "1970-01-02"}"#);
    let decided = policy(NOW, &[&new]).included_in(&policy(NOW, &[&old]), Limits::default());
    let Inclusion::Undecided(Why::Keys(keys)) = decided else { panic!("{decided:?}") };
    assert_eq!(keys, [ConditionKey::new("k:n")]);
}

/// Compared without set operators only, a key has one value, as AWS asks of such keys. Where others ask about a set of
/// values, nothing is concluded from a condition that does not.
#[test]
fn a_condition_without_set_operator_is_about_one_value() {
    let single = r#""StringEquals": {"k:x": "a"}"#;
    assert_eq!(conditions(single, r#""StringEquals": {"k:x": ["a", "b"]}"#), Verdict::Pass);
    assert_eq!(conditions(r#""ForAnyValue:StringEquals": {"k:x": "a"}"#, single), Verdict::Undecided);
    assert_eq!(conditions(single, r#""ForAllValues:StringEquals": {"k:x": "a"}"#), Verdict::Undecided);
}

/// What AWS does not document proves nothing: bytes, booleans that are none, variables of another form, strange actions.
#[test]
fn what_two_readers_may_read_differently_proves_nothing() {
    for (strange, value) in [
        (r#""BinaryEquals": {"k:b": "QQ=="}"#, "QQ=="),
        (r#""Bool": {"k:b": "yes"}"#, "yes"),
        (r#""StringLike": {"k:b": "${a, b}"}"#, "${a, b}"),
        (r#""StringEqualsIgnoreCase": {"k:b": "ä"}"#, "Ä"),
        (r#""ArnLike": {"k:b": "arn:aws"}"#, "arn:aws"),
    ] {
        assert_eq!(conditions(strange, strange), Verdict::Pass, "{strange}");
        let plain = format!(r#""StringEquals": {{"k:b": "{value}"}}"#);
        assert_ne!(conditions(&plain, strange), Verdict::Pass, "{strange}");
    }
    let action =
        |action: &str| policy(NOW, &[&format!(r#"{{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}"#)]);
    assert_eq!(verdict(&action("s3:GetObject"), &action("s*:GetObject")), Verdict::Undecided);
    assert_eq!(verdict(&action("s*:GetObject"), &action("*")), Verdict::Pass);
    assert_eq!(resources("arn:aws:s3:::b/1", "arn:aws:s3:::b/${}"), Verdict::Undecided);
}

/// "Every action" means every text: what AWS adds later is proved along, and a list of today's names is no wildcard.
#[test]
fn actions_that_aws_adds_later_are_part_of_the_answer() {
    let actions = |list: &str| policy(NOW, &[&format!(r#"{{"Effect": "Allow", "Action": {list}, "Resource": "*"}}"#)]);
    let today = actions(r#"["sqs:ReceiveMessage", "sqs:SendMessage"]"#);
    assert_eq!(verdict(&actions(r#""sqs:*Message""#), &today), Verdict::Fail);
    assert_eq!(verdict(&today, &actions(r#""sqs:*Message""#)), Verdict::Pass);
}

#[test]
fn everyone_is_also_services_and_providers_and_an_account_is_its_root() {
    let whom = |principal: &str| {
        let statement = format!(r#"{{"Effect": "Allow", "Principal": {principal}, "Action": "sts:*"}}"#);
        policy(NOW, &[&statement])
    };
    let everyone = [r#""*""#, r#"{"AWS": "*"}"#];
    let others = [r#"{"Service": "lambda.amazonaws.com"}"#, r#"{"Federated": "accounts.google.com"}"#];
    for all in everyone {
        for one in others.iter().chain(&everyone).chain(&[r#"{"AWS": "111122223333"}"#]) {
            assert_eq!(verdict(&whom(one), &whom(all)), Verdict::Pass, "{one} in {all}");
        }
    }
    for one in others {
        assert_eq!(verdict(&whom(everyone[1]), &whom(one)), Verdict::Fail, "everyone in {one}");
    }
    let (id, root) = (r#"{"AWS": "111122223333"}"#, r#"{"AWS": "arn:aws:iam::111122223333:root"}"#);
    assert_eq!((verdict(&whom(id), &whom(root)), verdict(&whom(root), &whom(id))), (Verdict::Pass, Verdict::Pass));
}
