//! Wildcards against a naive matcher, and against the clock.

use super::*;
use proptest::prelude::*;

fn check(pattern: &str, text: &str) -> bool {
    matches(&pieces(pattern), text, Case::Counts)
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
    assert!(matches(&pieces("s3:get*T"), "S3:GetObject", Case::Folds));
    assert!(matches(&pieces("*get*t"), "S3:GetObjecT", Case::Folds));
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
        prop_assert_eq!(matches(&pieces(&pattern), &text, Case::Folds), naive(&p, &t));
    }
}
