//! Public signatures: actions, ARNs, accounts, effects and operators have types of their own.
//!
//! Looks at names of parameters and fields; a text called `text` or `source` may be a `&str`, one called `action` may not.

use crate::rust_text::occurrences;
use crate::workspace::{report, rust_files};

/// Names (or endings after `_`) that promise one of the nouns.
const NOUNS: &[&str] = &[
    "action",
    "actions",
    "arn",
    "arns",
    "account",
    "accounts",
    "account_id",
    "effect",
    "operator",
    "condition_key",
    "condition_keys",
    "principal",
    "principals",
    "resource",
    "resources",
];

#[test]
fn nouns_are_not_strings() {
    let mut problems = Vec::new();
    for file in rust_files().iter().filter(|f| !f.is_test() && f.room().is_some_and(|room| room.starts_with("iam-"))) {
        for (line, name, kind) in public_names(&file.rust.code) {
            if is_noun(&name) && is_text(&kind) {
                problems.push(format!("{}:{line}: `{name}: {kind}`", file.path));
            }
        }
    }
    report(
        &problems,
        "use the newtype of iam-model (`Action`, `Arn`, `AccountId`, `Effect`, ...); name a raw text `text`",
    );
}

fn is_noun(name: &str) -> bool {
    NOUNS.iter().any(|noun| name == *noun || name.strip_suffix(noun).is_some_and(|rest| rest.ends_with('_')))
}

fn is_text(kind: &str) -> bool {
    kind.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "String" || word == "str")
}

/// Fields and parameters of public items: line, name, type.
fn public_names(code: &str) -> Vec<(usize, String, String)> {
    let mut found = Vec::new();
    for (before, rest) in occurrences(code, "pub ") {
        let line = before.matches('\n').count() + 1;
        let head = rest.split(['(', '{', ';', '\n']).next().unwrap_or_default();
        if head.split_whitespace().any(|word| word == "fn") {
            found.extend(parameters(rest).into_iter().map(|(name, kind)| (line, name, kind)));
        } else if let Some((name, kind)) = field(rest) {
            found.push((line, name, kind));
        }
    }
    found
}

fn field(text: &str) -> Option<(String, String)> {
    let (name, kind) = text.lines().next()?.split_once(": ")?;
    let plain = name.chars().all(|c| c.is_alphanumeric() || c == '_');
    plain.then(|| (name.to_owned(), kind.trim_end_matches(',').to_owned()))
}

/// The parameters of a function: split at commas outside brackets.
fn parameters(signature: &str) -> Vec<(String, String)> {
    let Some((_, list)) = signature.split_once('(') else { return Vec::new() };
    let (mut depth, mut part, mut parts) = (0_i32, String::new(), Vec::new());
    for c in list.chars() {
        match c {
            ')' if depth == 0 => break,
            '(' | '<' | '[' => depth += 1,
            ')' | '>' | ']' => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 {
            parts.push(std::mem::take(&mut part));
        } else {
            part.push(c);
        }
    }
    parts.push(part);
    parts
        .iter()
        .filter_map(|part| part.trim().split_once(": "))
        .map(|(n, k)| (n.to_owned(), k.trim().to_owned()))
        .collect()
}

#[test]
fn strings_for_nouns_are_found() {
    let code = "pub struct A { \n pub action: String,\n pub name: String,\n pub role_arn: Option<String>,\n}\n\
                pub const fn b(text: &str, resource: &str, list: BTreeMap<Arn, Vec<u8>>) -> String {}\nfn c(arn: &str) {}";
    let found: Vec<String> =
        public_names(code).into_iter().filter(|(_, n, k)| is_noun(n) && is_text(k)).map(|(_, n, _)| n).collect();
    assert_eq!(found, ["action", "role_arn", "resource"]);
}
