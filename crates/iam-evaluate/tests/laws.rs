//! The laws of the fuzz targets without a fuzzer: over their seeds, over random mutations of these, and over every
//! input a fuzzer once broke one with.

#[cfg(test)]
#[expect(unreachable_pub, reason = "the functions are public to the fuzz targets, which share this file")]
#[path = "../../../fuzz/src/lib.rs"]
mod laws;

use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;

type Law = fn(&str);

const LAWS: &[(&str, Law)] = &[
    ("policy", laws::policy::check),
    ("pattern", laws::pattern::check),
    ("condition", laws::condition::check),
    ("snapshot", laws::snapshot::check),
    ("case", laws::case::check),
];

/// Targets whose laws are tests of other rooms: of `iam-usage` the first two, of `iam-patch` the others.
const ELSEWHERE: &[&str] = &["log", "rows", "last_accessed", "yaml", "json", "hcl"];

fn fuzz() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

#[cfg(test)]
fn seeds(target: &str) -> Vec<String> {
    let folder = fuzz().join("seeds").join(target);
    let mut paths: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// The words of the fuzzers' dictionaries.
#[cfg(test)]
fn words() -> Vec<String> {
    let read = |name: &str| std::fs::read_to_string(fuzz().join("dict").join(name)).unwrap();
    let text = read("json.dict") + &read("text.dict");
    let quoted = text.lines().filter_map(|line| line.strip_prefix('"')?.strip_suffix('"'));
    quoted.map(|word| word.replace("\\\"", "\"").replace("\\x0a", "\n").replace("\\\\", "\\")).collect()
}

#[test]
fn every_target_is_built_and_has_seeds_that_hold() {
    let manifest = std::fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for (target, law) in LAWS {
        assert!(manifest.contains(&format!("name = \"{target}\"")), "{target} is no fuzz target");
        let seeds = seeds(target);
        assert!(seeds.len() >= 3, "{target} has {} seeds", seeds.len());
        seeds.iter().for_each(|seed| law(seed));
    }
    for name in manifest.split("[[bin]]").skip(1).filter_map(|bin| bin.split('"').nth(1)) {
        let listed = LAWS.iter().any(|(target, _)| *target == name) || ELSEWHERE.contains(&name);
        assert!(listed, "the target `{name}` has no law that runs as a test");
    }
}

/// One small change to a text.
#[derive(Debug, Clone)]
enum Edit {
    Insert(Index, Index),
    Remove(Index, u8),
    Repeat(Index, u8),
    Replace(Index, char),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (any::<Index>(), any::<Index>()).prop_map(|(at, word)| Edit::Insert(at, word)),
        (any::<Index>(), 1..40_u8).prop_map(|(at, length)| Edit::Remove(at, length)),
        (any::<Index>(), 1..40_u8).prop_map(|(at, length)| Edit::Repeat(at, length)),
        (any::<Index>(), any::<char>()).prop_map(|(at, c)| Edit::Replace(at, c)),
    ]
}

#[cfg(test)]
fn apply(text: &str, edits: &[Edit], words: &[String]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for edit in edits {
        let (Edit::Insert(at, _) | Edit::Remove(at, _) | Edit::Repeat(at, _) | Edit::Replace(at, _)) = edit;
        let at = at.index(chars.len() + 1);
        let until = |length: &u8| (at + usize::from(*length)).min(chars.len());
        match edit {
            Edit::Insert(_, word) => drop(chars.splice(at..at, word.get(words).chars())),
            Edit::Remove(_, length) => drop(chars.drain(at..until(length))),
            Edit::Repeat(_, length) => {
                let part: Vec<char> = chars[at..until(length)].to_vec();
                chars.splice(at..at, part);
            }
            Edit::Replace(_, c) => {
                if let Some(slot) = chars.get_mut(at) {
                    *slot = *c;
                }
            }
        }
    }
    chars.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn laws_hold_of_mutated_seeds(
        (which, seed) in (0..LAWS.len(), any::<Index>()),
        edits in prop::collection::vec(edit(), 1..6),
    ) {
        let (target, law) = LAWS[which];
        let seeds = seeds(target);
        let text = apply(seed.get(&seeds).as_str(), &edits, &words());
        law(&text);
    }
}

/// An action without a service, or with a wildcard in part of one, matches nothing; a permission set does not say more.
#[test]
fn an_action_pattern_that_names_no_service() {
    for pattern in ["*?*?*", "**", "s?:GetObject", "GetObject", "*3:*"] {
        laws::pattern::check(&format!("{pattern}\n*\nb/k\nu"));
    }
}

/// `**` is `*`, also where there is no resource.
#[test]
fn a_resource_of_nothing_but_stars() {
    for pattern in ["**", "*", "***", "*?", "?*", "?"] {
        laws::pattern::check(&format!("*\n{pattern}\nb/k\nu"));
    }
}

/// A variable of a form that AWS does not document is text to one engine and open to the other, never two answers.
#[test]
fn a_variable_of_another_form() {
    for pattern in ["${}", "${a, b}", "${", "${aws:username", "${ aws:username}", "${a, 'b'c'}", "${*", "${a}}"] {
        for name in ["${}", "u", "b", "${a, b}", pattern] {
            laws::pattern::check(&format!("*\narn:aws:s3:::{pattern}\n{name}\nu"));
            laws::condition::check(&format!("{pattern}\n{name}\nu"));
        }
    }
    laws::pattern::check("*\narn:aws:s3:${aws:username}::b\nb\n");
}

/// A star before a variable whose value has no letters still covers any text.
#[test]
fn a_star_before_a_variable_without_letters() {
    for pattern in ["*${aws:username}", "*${aws:username}*", "?*${aws:username}b", "${aws:username}*${*}"] {
        for name in ["k", "b/kb", "*", "", "\0\0"] {
            laws::pattern::check(&format!("*\narn:aws:s3:::{pattern}\n{name}\n"));
        }
    }
}

/// A listed value that is no boolean compares with nothing.
#[test]
fn a_boolean_that_is_none() {
    for text in ["\n\n", "yes\nyes\n", " true\n true\n", "true|yes\nyes|true\n", "TRUE\nyes\n"] {
        each_third(text);
    }
}

/// The same bytes may be spelled in several ways.
#[test]
fn bytes_with_and_without_padding() {
    each_third("QQ==|Q-8_\nQQ|Q+8/\n");
}

/// A number of four digits is a year where a date is expected, and what is no number is none.
#[test]
fn years_fractions_and_what_is_no_number() {
    for text in ["2024\n2024-01-01|2024\n", "-0.5|.0x\n-0.5|0\n", ".0\n0|.\n", "1-1-1\n0001-01-01\n"] {
        each_third(text);
    }
}

/// Letters beyond ASCII have other cases, or several.
#[test]
fn letters_beyond_ascii() {
    each_third("ä|k|İ\nÄ|\u{212a}|i\u{307}\n");
}

/// An ARN pattern of fewer than six segments, and one that is empty.
#[test]
fn short_arn_patterns_in_conditions() {
    each_third("|arn:aws|arn:aws:s3*|?*\n|arn:aws:s3:::b|arn:aws\n");
    each_third("arn:aws:s3:${aws:username}*|**\narn:aws:s3:u::b|arn\nu");
}

/// Every operator: which third of them an input asks depends on its length.
#[cfg(test)]
fn each_third(text: &str) {
    for padding in ["", "x", "xy"] {
        laws::condition::check(&format!("{text}{padding}"));
    }
}
