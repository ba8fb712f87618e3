//! Modules: no cycle between a crate's top-level modules, and no module named after nothing.
//!
//! A count of paths in the text (`crate::x`, and `super::x` where it leads to the root), tests cut; re-exports through
//! the root are not followed.

use std::collections::{BTreeMap, BTreeSet};

use crate::rust_text::occurrences;
use crate::workspace::{RustFile, report, rust_files};

type Graph = BTreeMap<String, BTreeSet<String>>;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["utils", "util", "common", "core", "types", "helpers", "misc", "shared"];

#[test]
fn no_module_cycles() {
    let mut crates: BTreeMap<&str, Graph> = BTreeMap::new();
    let files = rust_files();
    for file in files.iter().filter(|f| !f.is_test()) {
        let (Some(room), Some(module)) = (file.room(), top_module(file)) else { continue };
        let edges = crates.entry(room).or_default().entry(module.clone()).or_default();
        edges.extend(mentioned(file).into_iter().filter(|other| *other != module));
    }
    let mut problems = Vec::new();
    for (room, mut graph) in crates {
        let modules: BTreeSet<String> = graph.keys().cloned().collect();
        graph.values_mut().for_each(|edges| edges.retain(|e| modules.contains(e)));
        if let Some(cycle) = cycle(&graph) {
            problems.push(format!("{room}: {}", cycle.join(" -> ")));
        }
    }
    report(&problems, "move what both need to a lower module of its own, or make the two one module");
}

#[test]
fn module_names_say_what_is_inside() {
    let problems: Vec<String> = rust_files()
        .iter()
        .filter(|f| f.path.trim_end_matches(".rs").split('/').skip(3).any(|part| EMPTY_NAMES.contains(&part)))
        .map(|f| f.path.clone())
        .collect();
    report(&problems, "name the module after the thing it handles");
}

/// The top-level module a file belongs to; nothing for a crate's root.
fn top_module(file: &RustFile) -> Option<String> {
    let inside = file.path.split_once("/src/")?.1;
    let first = inside.split('/').next()?.trim_end_matches(".rs");
    (!["lib", "main", "bin"].contains(&first)).then(|| first.to_owned())
}

/// Modules of the crate's root that a file's code names.
fn mentioned(file: &RustFile) -> BTreeSet<String> {
    let depth = file.path.split_once("/src/").map_or(0, |(_, inside)| inside.matches('/').count());
    let depth = if file.path.ends_with("/mod.rs") { depth.saturating_sub(1) } else { depth };
    let to_root = format!("{}::", vec!["super"; depth + 1].join("::"));
    let mut found = names_after(&file.rust.code, "crate::");
    found.extend(names_after(&file.rust.code, &to_root));
    found
}

fn names_after(code: &str, prefix: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (before, rest) in occurrences(code, prefix) {
        if before.ends_with(|c: char| c.is_alphanumeric() || "_:$".contains(c)) {
            continue;
        }
        match rest.strip_prefix('{') {
            Some(group) => found.extend(group_heads(group)),
            None => found.extend([first_word(rest)]),
        }
    }
    found
}

/// The first word of each entry of a `use` group.
fn group_heads(group: &str) -> Vec<String> {
    let (mut entries, mut depth) = (vec![String::new()], 0_usize);
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => entries.push(String::new()),
            c if depth == 0 => entries.last_mut().expect("one entry at least").push(c),
            _ => {}
        }
    }
    entries.iter().map(|entry| first_word(entry.trim_start())).filter(|word| !word.is_empty()).collect()
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// One cycle, as a list of modules that starts and ends with the same.
fn cycle(graph: &Graph) -> Option<Vec<String>> {
    fn visit(graph: &Graph, at: &str, path: &mut Vec<String>, done: &mut BTreeSet<String>) -> Option<Vec<String>> {
        if let Some(start) = path.iter().position(|p| p == at) {
            return Some(path[start..].iter().cloned().chain([at.to_owned()]).collect());
        }
        if !done.insert(at.to_owned()) {
            return None;
        }
        path.push(at.to_owned());
        let found = graph.get(at)?.iter().find_map(|next| visit(graph, next, path, done));
        path.pop();
        found
    }
    let mut done = BTreeSet::new();
    graph.keys().find_map(|start| visit(graph, start, &mut Vec::new(), &mut done))
}

#[test]
fn a_cycle_is_found_and_a_diamond_is_none() {
    let graph = |edges: &[(&str, &str)]| {
        let mut graph = Graph::new();
        for (from, to) in edges {
            graph.entry((*from).into()).or_default().insert((*to).into());
            graph.entry((*to).into()).or_default();
        }
        graph
    };
    let round = graph(&[("a", "b"), ("b", "c"), ("c", "b"), ("a", "c")]);
    assert_eq!(cycle(&round), Some(vec!["b".into(), "c".into(), "b".into()]));
    assert_eq!(cycle(&graph(&[("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")])), None);
}

#[test]
fn paths_are_read_from_single_and_grouped_uses() {
    let code = "use crate::{arn::{Arn, Id}, text::Span, time}; fn a() { crate::json::parse(); not_crate::no(); $crate::no(); }";
    let expected = ["arn", "json", "text", "time"].map(str::to_owned);
    assert_eq!(names_after(code, "crate::"), BTreeSet::from(expected));
}
