//! Hostile policies end after a bounded count of work, with the same answer everywhere; what people write costs little.

use iam_model::action::Action;
use iam_model::arn::ResourcePattern;

use super::super::*;
use super::document;
use crate::budget::{Budget, QUESTION};

/// The statement of this number of a hostile policy.
type Make = fn(usize) -> String;

fn allow(action: &str, resource: &str) -> String {
    format!(r#"{{"Effect": "Allow", "Action": "{action}", "Resource": "{resource}"}}"#)
}

fn when(condition: &str) -> String {
    format!(r#"{{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*", "Condition": {{{condition}}}}}"#)
}

/// Families of statements that make a search or an automaton grow, each seen to take minutes or gigabytes once.
const HOSTILE: &[(&str, Make)] = &[
    ("globs", |n| allow("s3:GetObject", &format!("arn:aws:s3:::*{n}*x*{}*", n % 97))),
    ("globs under denies", |n| {
        let effect = if n % 2 == 0 { "Allow" } else { "Deny" };
        format!(r#"{{"Effect": "{effect}", "Action": "s3:*", "Resource": "arn:aws:s3:::*{n}*x*{}*"}}"#, n % 97)
    }),
    ("two letters", |n| {
        let letters: Vec<&str> = (0..12).map(|bit| if n >> bit & 1 == 0 { "a" } else { "b" }).collect();
        allow("s3:GetObject", &format!("arn:aws:s3:::{}*", letters.join("*")))
    }),
    ("runs of question marks", |n| {
        allow("s3:GetObject", &format!("arn:aws:s3:::*{}{}*{}", "?".repeat(n * 7 % 200), n % 7, "?".repeat(n % 31)))
    }),
    ("wild actions", |n| allow(&format!("*{n}*:*{}*a*{}*", n % 89, n % 7), "*")),
    ("all but some actions", |n| {
        format!(
            r#"{{"Effect": "Allow", "NotAction": ["s3:*{n}*", "*:*{}"], "Resource": "arn:aws:s3:::*{n}*x*"}}"#,
            n % 31
        )
    }),
    ("all but some of both", |n| {
        format!(r#"{{"Effect": "Allow", "NotAction": "s3:*{}*", "NotResource": "arn:aws:s3:::*{n}*x*"}}"#, n % 71)
    }),
    ("one key", |n| when(&format!(r#""StringLike": {{"aws:PrincipalTag/team": ["*{n}*y*", "*{}*y*"]}}"#, n + 1))),
    ("not one key", |n| {
        when(&format!(r#""StringNotLike": {{"aws:PrincipalTag/team": ["*{n}*y*", "*{}*y*"]}}"#, n + 1))
    }),
    ("sets of values", |n| {
        let word = if n % 2 == 0 { "Any" } else { "All" };
        when(&format!(r#""For{word}Values:StringLike": {{"aws:TagKeys": ["*{n}*1*", "*{n}*2*"]}}"#))
    }),
    ("ranges", |n| {
        when(&format!(
            r#""NumericGreaterThan": {{"s3:max-keys": "{n}"}}, "NumericLessThan": {{"s3:max-keys": "{}"}}"#,
            n + 2
        ))
    }),
    ("variables", |n| allow("s3:GetObject", &format!("arn:aws:s3:::b/${{aws:PrincipalTag/t{}}}/*{n}*", n % 50))),
    ("a deny for each key", |n| {
        let condition = format!(r#"{{"StringLike": {{"aws:RequestTag/t{n}": ["*{n}*y*"]}}}}"#);
        let effect = if n == 0 { "Allow" } else { "Deny" };
        format!(r#"{{"Effect": "{effect}", "Action": "s3:*", "Resource": "*", "Condition": {condition}}}"#)
    }),
    ("one long pattern", |n| allow("s3:GetObject", &format!("arn:aws:s3:::*{}c{n}", "a*b*".repeat(40)))),
];

fn set(make: Make, numbers: impl Iterator<Item = usize>) -> PermissionSet {
    let statements: Vec<String> = numbers.map(make).collect();
    PermissionSet::of_document(&document(&format!(
        r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#,
        statements.join(", ")
    )))
}

/// An answer and the units it took of at most so many.
fn ask(new: &PermissionSet, old: &PermissionSet, units: u64) -> (Inclusion, u64) {
    let budget = Budget::new(units);
    let answer = new.included_in(old, Limits::of(&budget));
    (answer, units - budget.left())
}

#[test]
fn hostile_policies_end_on_their_budget_with_the_same_answer() {
    for (name, make) in HOSTILE {
        let (new, old) = (set(*make, 2..42), set(*make, 0..40));
        for (new, old) in [(&new, &old), (&old, &new), (&old, &old)] {
            let first = ask(new, old, 2_000_000);
            assert!(first.0 != Inclusion::Undecided(Why::Limit) || first.1 > 1_000, "{name}: {first:?}");
            let elsewhere = std::thread::scope(|scope| scope.spawn(|| ask(new, old, 2_000_000)).join());
            assert_eq!(elsewhere.unwrap(), first, "{name}");
            assert_eq!(ask(new, old, 2_000_000), first, "{name}");
        }
    }
}

/// With hardly anything to spend no answer is wrong: more work may decide what less left open, and nothing else.
#[test]
fn a_smaller_budget_decides_less_and_never_otherwise() {
    for (name, make) in HOSTILE {
        let (new, old) = (set(*make, 1..7), set(*make, 0..6));
        for (new, old) in [(&new, &old), (&old, &new), (&old, &old)] {
            let whole = ask(new, old, 5_000_000).0;
            for units in [0, 1, 10, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 1_000_000] {
                match (ask(new, old, units).0, &whole) {
                    (Inclusion::Included(_), Inclusion::Included(_)) | (Inclusion::Undecided(_), _) => {}
                    (Inclusion::Excluded(_), Inclusion::Excluded(_)) => {}
                    (less, more) => panic!("{name}: {less:?} with {units} units, {more:?} with more"),
                }
            }
        }
    }
}

#[test]
fn several_questions_share_what_there_is() {
    let (_, make) = HOSTILE[0];
    let (new, old) = (set(make, 40..80), set(make, 0..40));
    let budget = Budget::new(50_000);
    let limits = Limits { work: 30_000, ..Limits::of(&budget) };
    assert_eq!(new.included_in(&old, limits), Inclusion::Undecided(Why::Limit));
    assert_eq!(budget.left(), 20_000);
    assert_eq!(new.included_in(&old, limits), Inclusion::Undecided(Why::Limit));
    assert!(limits.are_spent());
    let narrow = set(make, 0..1);
    assert_eq!(narrow.included_in(&narrow, limits), Inclusion::Undecided(Why::Limit));
    assert!(matches!(narrow.included_in(&narrow, Limits::default()), Inclusion::Included(_)));
}

#[test]
fn what_people_write_costs_a_thousandth_of_a_question() {
    let statement = |n: usize| {
        let condition = r#"{"StringEquals": {"aws:PrincipalTag/team": "a"}, "Bool": {"aws:SecureTransport": "true"}}"#;
        format!(
            r#"{{"Effect": "Allow", "Action": ["dynamodb:Get*", "dynamodb:PutItem", "s3:GetObject", "sqs:*"],
                "Resource": ["arn:aws:dynamodb:*:111122223333:table/t{n}*", "arn:aws:s3:::b{n}/*", "arn:aws:sqs:*:*:q{n}"],
                "Condition": {condition}}}"#
        )
    };
    let (narrow, wide) = (set(statement, 0..10), set(statement, 0..20));
    let (answer, units) = ask(&narrow, &wide, QUESTION);
    assert!(matches!(answer, Inclusion::Included(_)) && units < QUESTION / 1_000, "{units}");
    let (answer, units) = ask(&wide, &narrow, QUESTION);
    assert!(matches!(answer, Inclusion::Excluded(_)) && units < QUESTION / 1_000, "{units}");
}

/// The short way by matching names, and the search, agree wherever both answer.
#[test]
fn matching_one_name_tells_what_the_search_tells() {
    let statements = [
        allow("s3:Get*", "arn:aws:s3:::a/*"),
        allow("*", "arn:aws:s3:::b"),
        r#"{"Effect": "Allow", "NotAction": "s3:*", "NotResource": ["arn:aws:s3:::b", "arn:aws:s3:::c/*"]}"#.to_owned(),
        r#"{"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::c/${aws:username}"}"#.to_owned(),
        r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/x"}"#.to_owned(),
        allow("s3:*", "arn:aws:s3:::c/${aws:username}"),
        when(r#""Bool": {"aws:SecureTransport": "true"}"#),
        r#"{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "s3:*", "Resource": "*"}"#.to_owned(),
        allow("s3:*", "short"),
    ];
    let names = ["a/x", "a/y", "b", "c/bob", ""].map(|name| format!("arn:aws:s3:::{name}"));
    let others = ["arn:aws::::x", "x", "arn:aws:sns:eu:1:t"].map(str::to_owned);
    let mut told = 0;
    for chosen in 1..1_usize << statements.len() {
        let some = statements.iter().enumerate().filter(|(at, _)| chosen >> at & 1 == 1).map(|(_, s)| s.as_str());
        let some: Vec<&str> = some.collect();
        if some.len() > 3 {
            continue;
        }
        let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, some.join(", "));
        let set = PermissionSet::of_document(&document(&text));
        // Two terms keep the short way away.
        let by_search = set.union(&PermissionSet::of_document(&document(r#"{"Statement": []}"#)));
        for name in names.iter().chain(&others) {
            for action in ["s3:GetObject", "s3:PutObject", "sqs:SendMessage"] {
                let (action, name): (Action, _) = (action.parse().unwrap(), ResourcePattern::new(name));
                let short = set.told_by_matching(&action, &name, &Budget::unlimited());
                told += usize::from(short.is_some());
                let long = by_search.allows(&action, &name);
                assert!(short.is_none_or(|short| short == long), "{text}\n{action} {name}: {short:?}, {long:?}");
            }
        }
    }
    assert!(told > 1_000, "{told}");
}
