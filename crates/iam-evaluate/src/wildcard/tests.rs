//! Wildcards against a naive matcher, and against the clock.

use super::*;
use proptest::prelude::*;

fn check(pattern: &str, text: &str) -> bool {
    matches(pieces(pattern), text, Case::Counts)
}

#[test]
fn wildcards_match_as_documented() {
    for (pattern, text, expected) in [
        ("", "", true),
        ("", "a", false),
        ("*", "", true),
        ("?", "", false),
        ("?", "é", true),
        ("?", "ab", false),
        ("a*c", "abcbc", true),
        ("a*c", "abcb", false),
        ("*a?", "aab", true),
        ("*?", "", false),
        ("a?*", "a", false),
        ("*ab*ab", "abab", true),
        ("*ab*ab", "aba", false),
        ("日*語", "日本語", true),
        ("A", "a", false),
    ] {
        assert_eq!(check(pattern, text), expected, "{pattern} {text}");
    }
    assert!(matches(pieces("s3:get*T"), "S3:GetObject", Case::Folds));
    assert!(matches(pieces("*get*t"), "S3:GetObjecT", Case::Folds));
}

thread_local! {
    static STEPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Counts one turn of a matcher's loop.
pub(crate) fn step() {
    STEPS.with(|steps| steps.set(steps.get() + 1));
}

/// The turns a matcher needs.
pub(crate) fn steps_of(run: impl FnOnce()) -> usize {
    STEPS.with(|steps| steps.set(0));
    run();
    STEPS.with(std::cell::Cell::get)
}

/// A pattern of nothing but stars and question marks costs a step for each of its pieces and no more, whether it matches
/// or not; twice the pattern and twice the text cost twice the steps.
#[test]
fn two_thousand_stars_and_question_marks_stay_linear() {
    for form in ["*", "?", "*?", "?*?", "**??*"] {
        for last in ["", "x"] {
            let steps = |length: usize| {
                let pattern = form.repeat(length / form.len()) + last;
                let pattern = pieces(&pattern);
                let text = "arn:aws:s3:::".to_owned() + &"a".repeat(length);
                let used = steps_of(|| {
                    matches(pattern.clone(), &text, Case::Counts);
                });
                assert!(used <= pattern.clone().count() + text.len() + 2, "{form}{last}, {length}: {used} steps");
                used
            };
            assert!(steps(2_000) <= 2 * steps(1_000) + 20, "{form}{last}: {} and {}", steps(2_000), steps(1_000));
        }
    }
}

/// Whatever the pattern, the steps are at most the product of both lengths: no exponent, no recursion.
#[test]
fn steps_are_bounded_by_the_product_of_both_lengths() {
    for pattern in ["*a".repeat(300) + "b", "*a?".repeat(200), "*aab".repeat(150), format!("*{}b", "a?".repeat(150))] {
        let pattern = pieces(&pattern);
        let text = "a".repeat(2_000);
        let used = steps_of(|| {
            matches(pattern.clone(), &text, Case::Folds);
        });
        assert!(used <= pattern.clone().count() * (text.len() + 1), "{used} steps");
    }
}

/// Two thousand wildcards against two thousand characters: a matcher that backtracks would not come back.
#[test]
fn hostile_patterns_stay_linear() {
    let text = "a".repeat(2000);
    for pattern in ["*?".repeat(1000), "*a".repeat(1000), "?*a*".repeat(500), "*".repeat(2000), "*a?".repeat(600)] {
        assert!(!check(&format!("{pattern}b"), &text), "{pattern}");
    }
    assert!(check(&"*?".repeat(1000), &text));
    let halves = format!("*{}b*", "a?".repeat(500));
    assert!(!check(&halves, &text));
}

fn naive(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some(('*', p)), _) => naive(p, text) || text.split_first().is_some_and(|(_, t)| naive(pattern, t)),
        (Some(('?', p)), Some((_, t))) => naive(p, t),
        (Some((c, p)), Some((d, t))) => c == d && naive(p, t),
        _ => false,
    }
}

proptest! {
    #[test]
    fn the_matcher_agrees_with_a_naive_one(pattern in "[ab*?é]{0,9}", text in "[abé]{0,9}") {
        let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
        prop_assert_eq!(check(&pattern, &text), naive(&p, &t));
        prop_assert_eq!(matches(pieces(&pattern), &text, Case::Folds), naive(&p, &t));
    }
}
