//! Portability: no path of one person's machine, no private registry, and workflows that cannot change under us.
//!
//! Looks at every text file of the repository, data and documents included.

use crate::rust_text::occurrences;
use crate::workspace::{read, report, text_files};

/// Starts of absolute paths that exist on one machine only; in two halves, so that this file does not find itself.
const MACHINE_PATHS: &[(&str, &str)] = &[
    ("/ho", "me/"),
    ("/ro", "ot/"),
    ("/Us", "ers/"),
    ("/wo", "rk/"),
    ("/tmp/", "wt"),
    ("/fa", "rm/"),
    ("C:\\", "Users"),
];

#[test]
fn no_path_of_one_machine() {
    let mut problems = Vec::new();
    for file in text_files() {
        for (number, line) in file.text.lines().enumerate() {
            let found = MACHINE_PATHS.iter().map(|(a, b)| format!("{a}{b}")).find(|path| starts_a_path(line, path));
            problems.extend(found.map(|path| format!("{}:{}: `{path}`", file.path, number + 1)));
        }
    }
    report(&problems, "use a path relative to the repository, or a variable such as $HOME");
}

/// Whether an absolute path begins there: not in the middle of a URL, an ARN or a relative path.
fn starts_a_path(line: &str, path: &str) -> bool {
    let opens = |c: char| c.is_whitespace() || "\"'`(=:[,".contains(c);
    occurrences(line, path).any(|(before, _)| before.chars().next_back().is_none_or(opens))
}

#[test]
fn no_private_registry() {
    let problems: Vec<String> = text_files()
        .iter()
        .filter(|f| f.path.ends_with(".toml") || f.path.ends_with("/config"))
        .filter(|f| {
            f.text.contains("\n[source.") || f.text.contains("\n[registries") || f.text.contains("\nregistry = ")
        })
        .map(|f| f.path.clone())
        .collect();
    report(&problems, "keep registry settings in your own cargo home");
}

#[test]
fn workflows_are_pinned_and_have_no_rights() {
    let mut problems = Vec::new();
    for file in text_files().iter().filter(|f| f.path.starts_with(".github/workflows/")) {
        if !file.text.contains("\npermissions: {}") && !file.text.contains("\npermissions:\n  contents: read\n") {
            problems.push(format!("{}: does not give up the token's rights", file.path));
        }
        for line in file.text.lines().filter_map(|l| l.split("uses: ").nth(1)) {
            let pin = line.split(['@', ' ']).nth(1).unwrap_or_default();
            if pin.len() != 40 || !pin.chars().all(|c| c.is_ascii_hexdigit()) {
                problems.push(format!("{}: `{line}` is not pinned to a commit", file.path));
            }
        }
    }
    report(&problems, "write `permissions: {}` at the top, and pin actions as `name@<40 hex digits> # <tag>`");
    assert!(read(".github/workflows/ci.yml").contains("bash .ci/run"), "ci.yml does not run the same as .ci/run");
}

#[test]
fn only_beginnings_of_paths_count() {
    let home = MACHINE_PATHS[0].0.to_owned() + MACHINE_PATHS[0].1;
    assert!(starts_a_path(&format!("cd {home}me"), &home) && starts_a_path(&format!("\"{home}"), &home));
    assert!(!starts_a_path(&format!("https://example.com{home}"), &home) && !starts_a_path(&format!("x{home}"), &home));
}
