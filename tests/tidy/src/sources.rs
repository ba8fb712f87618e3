//! Source files: their openings and sizes, and words that must not occur in them.
//!
//! Clippy holds what it can see in a syntax tree (functions over 60 lines, unwrap, indexing, printing); this holds the rest.

use crate::rust_text::{RustText, occurrences};
use crate::workspace::{RustFile, report, rust_files};

const FILE_LINES: usize = 500;
const INLINE_TEST_LINES: usize = 80;

fn check(what_to_do: &str, problem: impl Fn(&RustFile) -> Option<String>) {
    let found: Vec<String> = rust_files().iter().filter_map(|f| Some(format!("{}: {}", f.path, problem(f)?))).collect();
    report(&found, what_to_do);
}

/// The first place of a word in code, as a line number and the word.
fn first(code: &str, words: &[&str]) -> Option<String> {
    code.lines().enumerate().find_map(|(line, text)| {
        let word = words.iter().find(|word| occurs(text, word))?;
        Some(format!("line {}: `{word}`", line + 1))
    })
}

/// Whether a word occurs as a whole word.
fn occurs(line: &str, word: &str) -> bool {
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    occurrences(line, word).any(|(before, after)| {
        let glued_before = joins(before.chars().next_back()) && joins(word.chars().next());
        let glued_after = joins(after.chars().next()) && joins(word.chars().next_back());
        !glued_before && !glued_after
    })
}

#[test]
fn every_module_opens_with_its_job() {
    check("begin the file with `//!`: its job in one sentence, then what it does not do", |file| {
        (!file.text.starts_with("//! ")).then(|| "does not open with `//!`".to_owned())
    });
}

#[test]
fn files_stay_below_500_lines() {
    check("split the file by what its parts are about", |file| {
        let lines = file.text.lines().count() - file.rust.test_lines;
        (!file.is_test() && lines > FILE_LINES).then(|| format!("{lines} lines that are no tests"))
    });
}

#[test]
fn long_tests_live_beside_the_code() {
    check("move the tests to a sibling `tests.rs` (`#[cfg(test)] mod tests;`)", |file| {
        let lines = file.rust.longest_test;
        (!file.is_test() && lines > INLINE_TEST_LINES).then(|| format!("{lines} lines of tests inside the file"))
    });
}

#[test]
fn lints_are_silenced_with_a_reason_only() {
    check("use `#[expect(lint, reason = \"...\")]`, or do what the lint asks for", |file| {
        first(&file.rust.code, &["#[allow", "#![allow"])
    });
}

#[test]
fn nothing_is_left_unfinished() {
    check("finish it, or leave it out", |file| {
        first(&file.rust.code, &["todo!", "unimplemented!", "dbg!", "FIXME", "XXX"])
    });
}

#[test]
fn tests_run_always_and_do_not_wait() {
    check("make the test deterministic and quick instead", |file| {
        // Blank the tests' own marker, so that the tests count as code.
        let whole = RustText::of(&file.text.replace("#[cfg(test)]", "            "));
        let waits = ["#[ignore", "should_panic", "thread::sleep", "time::sleep"];
        first(&whole.code, &waits).filter(|_| file.is_test() || file.rust.test_lines > 0)
    });
}

#[test]
fn errors_are_enums() {
    check("write a `thiserror` enum that a test can match", |file| {
        first(&file.rust.code, &["anyhow", "Box<dyn Error", "Box<dyn std::error::Error"])
    });
}

#[test]
fn no_hash_order_in_pure_rooms() {
    check(
        "use `BTreeMap` or `BTreeSet`; where order never reaches output, `#[expect(clippy::disallowed_types, reason = \"...\")]`",
        |file| {
            let excused = file.text.contains("clippy::disallowed_types");
            first(&file.rust.code, &["HashMap", "HashSet"]).filter(|_| file.is_pure() && !excused)
        },
    );
}

#[test]
fn pure_rooms_touch_nothing_outside() {
    const OUTSIDE: &[&str] = &[
        "std::fs",
        "std::env",
        "std::net",
        "std::process",
        "std::io::stdin",
        "std::io::stdout",
        "std::io::stderr",
        "SystemTime::now",
        "Instant::now",
        "async fn",
        ".await",
        "tokio",
        "rand::",
        "std::thread",
    ];
    check("take it as an argument; files, clocks and the environment belong to `paring` and `iam-collect`", |file| {
        first(&file.rust.code, OUTSIDE).filter(|_| file.is_pure())
    });
}

#[test]
fn async_stays_in_the_collecting_room() {
    check("collect facts first; everything after is plain functions", |file| {
        first(&file.rust.code, &["async fn", ".await"]).filter(|_| file.room() != Some("iam-collect"))
    });
}

#[test]
fn json_maps_do_not_print() {
    // Cedar turns on `preserve_order` for the whole build, so such a map's order depends on what is built with it.
    check("print through our own printer with a fixed order of keys", |file| {
        first(&file.rust.code, &["serde_json::Map", "json!"])
            .filter(|_| !file.is_test() && file.path.starts_with("crates/") && file.room() != Some("iam-verify"))
    });
}

#[test]
fn the_shell_knows_no_action() {
    check("ask the room that knows (evaluate, graph, synthesize or verify)", |file| {
        let shell = file.room() == Some("paring") && !file.is_test();
        let named = file.rust.with_literals.lines().enumerate().find_map(|(line, text)| {
            let literal = text.split('"').skip(1).step_by(2).find(|literal| is_action(literal))?;
            Some(format!("line {}: `{literal}`", line + 1))
        });
        named.filter(|_| shell)
    });
}

fn is_action(text: &str) -> bool {
    text.split_once(':').is_some_and(|(service, name)| {
        !service.is_empty()
            && service.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            && name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '*')
    })
}

#[test]
fn words_are_found_whole() {
    for (line, word, expected) in [
        ("let a = HashMap::new();", "HashMap", true),
        ("let a = MyHashMap::new();", "HashMap", false),
        ("json!({})", "json!", true),
        ("my_json!({})", "json!", false),
        ("x.await;", ".await", true),
        ("x.awaited;", ".await", false),
    ] {
        assert_eq!(occurs(line, word), expected, "`{word}` in `{line}`");
    }
    assert!(
        is_action("dynamodb:PutItem") && is_action("s3:Get*") && !is_action("hint: This") && !is_action("http://X")
    );
}
