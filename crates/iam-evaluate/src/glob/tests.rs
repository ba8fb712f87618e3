//! Patterns against brute force, and the facts the decision procedure rests on.

use proptest::prelude::*;

use super::language::{Answer, Caps, Problem, decide};
use super::*;
use crate::budget::Budget;

const PLAIN: Reading = Reading { case: Case::Sensitive, wildcards: Wildcards::Anywhere, variables: true };
const RESOURCE: Reading = Reading { case: Case::Sensitive, wildcards: Wildcards::BySegment, variables: true };

fn plain(text: &str) -> Glob {
    Glob::parse(text, PLAIN)
}

#[test]
fn texts_match_as_the_user_guide_says() {
    let cases = [
        (PLAIN, "b/*", "b/", true),
        (PLAIN, "b/?", "b/", false),
        (PLAIN, "*?*?*", "a", false),
        (PLAIN, "*?*?*", "ab", true),
        (PLAIN, "${*}", "*", true),
        (PLAIN, "${*}", "a", false),
        (PLAIN, "a${$}{b}", "a${b}", true),
        (PLAIN, "*ab*abc", "ababab abc", true),
        (Reading::ACTION, "s3:GET*", "S3:getObject", true),
        (RESOURCE, "arn:aws:logs:*:1:g*", "arn:aws:logs:eu:1:g:stream:s", true),
        (RESOURCE, "arn:aws:s*:::b", "arn:aws:s3:::b", true),
        (RESOURCE, "arn:*:s*", "arn:aws:s3:::b", true),
        (RESOURCE, "arn:*:s*", "arn:aws:x:s3::b", false),
        (RESOURCE, "arn:aws:*:*:*:x", "arn:aws:s3:::b:x", false),
        (RESOURCE, "arn:aws:s3:*", "arn:aws:s3:::b", true),
    ];
    for (reading, pattern, text, expected) in cases {
        assert_eq!(Glob::parse(pattern, reading).matches(text), expected, "{pattern} {text}");
    }
}

#[test]
fn without_the_2012_version_a_variable_is_text() {
    let old = Glob::parse("b/${aws:username}", Reading::resource(PolicyVersion::V2008));
    assert!(old.matches("b/${aws:username}"));
    assert!(!old.has_variable());
}

#[test]
fn a_variable_takes_its_value_or_default_or_matches_nothing() {
    let glob = plain("b/${aws:username, 'guest'}/${aws:userid}");
    let bound = glob.bind(&|v| (v.key == ConditionKey::new("AWS:UserId")).then_some("*")).unwrap();
    assert!(bound.matches("b/guest/*"));
    assert!(!bound.matches("b/guest/x"));
    assert!(glob.bind(&|_| None).is_none());
}

#[test]
fn two_thousand_wildcards_stay_linear() {
    let steps = |wildcards: usize, characters: usize, expected: bool| {
        let pattern = Glob::parse(&"*?".repeat(wildcards), PLAIN);
        let text = "a".repeat(characters);
        crate::wildcard::tests::steps_of(|| assert_eq!(pattern.matches(&text), expected))
    };
    assert!(steps(2_000, 2_048, true) <= 4_100);
    assert!(steps(2_000, 1_999, false) <= 4_100);
    assert!(steps(1_000, 1_024, true) <= 2_100);
}

fn answer(required: &[&str], excluded: &[&str]) -> Answer {
    let required: Vec<Glob> = required.iter().map(|t| plain(t)).collect();
    let excluded: Vec<Glob> = excluded.iter().map(|t| plain(t)).collect();
    let problem = Problem {
        required: required.iter().map(std::slice::from_ref).collect(),
        excluded: excluded.iter().collect(),
        domain: &[],
    };
    decide(&problem, Caps::on(&Budget::unlimited()))
}

#[test]
fn unions_of_patterns_are_decided_exactly() {
    for (required, excluded) in [
        (&["b/*"][..], &["b/", "b/?*"][..]),
        (&["*a"], &["?*"]),
        (&["a*", "*b"], &["a*b"]),
        (&["a*", "b*"], &[]),
        (&["${x}"], &["${x}"]),
        (&["*"], &["", "?", "??*"]),
        (&["home/${u}"], &["home/*"]),
    ] {
        assert!(matches!(answer(required, excluded), Answer::Empty), "{required:?} {excluded:?}");
    }
    assert_eq!(answer(&["a*", "*b"], &["ab"]), Answer::Inhabited(Some("acb".into())));
}

/// A required symbol beside a second required pattern is no rigid symbol: its value may be what the second one says.
#[test]
fn variables_under_two_patterns_are_widened() {
    assert!(matches!(answer(&["home/${u}", "home/bob"], &[]), Answer::Inhabited(_)));
    assert!(matches!(answer(&["home/*", "home/bob"], &["home/${u}"]), Answer::Inhabited(_)));
    assert!(matches!(answer(&["home/${u}", "home/bob"], &["home/${u}"]), Answer::Empty));
    assert!(matches!(answer(&["home/${u}", "work/*"], &[]), Answer::Empty));
}

#[test]
fn a_reached_cap_is_no_answer() {
    let problem_globs = [plain("*a????????????????"), plain("*b????????????????")];
    let problem = Problem { required: vec![], excluded: problem_globs.iter().collect(), domain: &[] };
    assert!(matches!(
        decide(&problem, Caps { states: 2, combinations: 1, budget: &Budget::unlimited() }),
        Answer::Inhabited(_)
    ));
    let hard =
        Problem { required: problem_globs.iter().map(std::slice::from_ref).collect(), excluded: vec![], domain: &[] };
    assert_eq!(decide(&hard, Caps { states: 2, combinations: 1, budget: &Budget::unlimited() }), Answer::Empty);
    let open = [plain("*a???"), plain("*b?")];
    let open = Problem { required: open.iter().map(std::slice::from_ref).collect(), excluded: vec![], domain: &[] };
    assert_eq!(decide(&open, Caps { states: 2, combinations: 1, budget: &Budget::unlimited() }), Answer::Capped);
}

fn pattern() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", ":", "*", "?"]), 0..6).prop_map(|p| p.concat())
}

fn words() -> Vec<String> {
    let mut all = vec![String::new()];
    let mut last = all.clone();
    for _ in 0..6 {
        last = last.iter().flat_map(|w| ["a", "b", ":", "z"].map(|c| format!("{w}{c}"))).collect();
        all.extend(last.iter().cloned());
    }
    all
}

/// The definition of `*` and `?`, on characters.
fn slow(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), _) => slow(rest, text) || (!text.is_empty() && slow(pattern, &text[1..])),
        (Some((p, rest)), Some((c, tail))) if *p == '?' || p == c => slow(rest, tail),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn matching_and_relations_agree_with_brute_force(p in pattern(), q in pattern(), n in pattern()) {
        let (gp, gq, gn) = (plain(&p), plain(&q), plain(&n));
        let chars = |t: &str| t.chars().collect::<Vec<_>>();
        let mut common = None;
        for word in words() {
            let (mp, mq) = (slow(&chars(&p), &chars(&word)), slow(&chars(&q), &chars(&word)));
            prop_assert_eq!(gp.matches(&word), mp, "{} {}", p, word);
            prop_assert!(!(mp && !mq && gq.includes(&gp)), "{} is not in {}: {}", p, q, word);
            prop_assert!(!(mp && mq && gp.disjoint(&gq)), "{} meets {}: {}", p, q, word);
            if mp && mq && !gn.matches(&word) && common.is_none() {
                common = Some(word);
            }
        }
        match answer(&[&p, &q], &[&n]) {
            Answer::Empty => prop_assert_eq!(common, None, "{} & {} - {}", p, q, n),
            Answer::Inhabited(word) => {
                let word = word.unwrap();
                prop_assert!(gp.matches(&word) && gq.matches(&word) && !gn.matches(&word));
                prop_assert!(common.is_none_or(|c| word.chars().count() <= c.len() + 6), "not short: {}", word);
            }
            Answer::Capped => prop_assert!(false, "capped"),
        }
    }
}
