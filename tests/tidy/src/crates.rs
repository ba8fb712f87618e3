//! Manifests: the crate graph, versions, licences, lints and features.
//!
//! The graph is compared with the table of walls in `docs/architecture.md`, so that page cannot drift.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::workspace::{packages, read, report, rust_files, text_files};

const LOCK_CEILING: usize = 430;
/// What tests may use beside what their room may use.
const TEST_CRATES: &[&str] = &["insta", "proptest", "serde_json", "flate2", "roxmltree", "divan", "mimalloc"];

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn dependencies(package: &Value, kind: &Value) -> BTreeSet<String> {
    let all = package["dependencies"].as_array().expect("dependencies");
    all.iter().filter(|d| d["kind"] == *kind).map(|d| text(d, "name").to_owned()).collect()
}

/// The rows of the table of walls: room, and what it may use.
fn walls() -> BTreeMap<String, BTreeSet<String>> {
    let page = read("docs/architecture.md");
    let rows = page.lines().skip_while(|line| !line.starts_with("| Room | May use |")).skip(2);
    rows.take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let ticked = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>();
            (ticked(cells[1]).pop_first().expect("a room in back-ticks"), ticked(cells[2]))
        })
        .collect()
}

fn rooms() -> Vec<Value> {
    packages().into_iter().filter(|p| text(p, "manifest_path").contains("/crates/")).collect()
}

#[test]
fn the_crate_graph_is_the_table_of_walls() {
    let walls = walls();
    let mut problems = Vec::new();
    for package in &rooms() {
        let name = text(package, "name");
        let Some(may_use) = walls.get(name) else {
            problems.push(format!("`{name}` has no row"));
            continue;
        };
        let uses = dependencies(package, &Value::Null);
        problems.extend(uses.difference(may_use).map(|d| format!("`{name}` uses `{d}`, which its row does not allow")));
        problems.extend(may_use.difference(&uses).map(|d| format!("`{name}` does not use `{d}`, which its row names")));
        let tests = dependencies(package, &Value::from("dev"));
        let extra = tests.iter().filter(|d| !may_use.contains(*d) && !TEST_CRATES.contains(&d.as_str()));
        problems.extend(
            extra.map(|d| format!("tests of `{name}` use `{d}`, which neither its row nor the tests' list allows")),
        );
    }
    let known: BTreeSet<String> = rooms().iter().map(|p| text(p, "name").to_owned()).collect();
    problems.extend(
        walls.keys().filter(|room| !known.contains(*room)).map(|room| format!("`{room}` has a row and no crate")),
    );
    report(
        &problems,
        "keep the room behind its wall; or change the table in docs/architecture.md and say why in the pull request",
    );
}

#[test]
fn rooms_are_introduced_in_flow_order() {
    let readme = read("crates/README.md");
    let root = read("Cargo.toml");
    let listed: Vec<&str> =
        root.lines().filter_map(|l| l.trim().strip_prefix("\"crates/")?.strip_suffix("\",")).collect();
    let places: Vec<Option<usize>> = listed.iter().map(|room| readme.find(&format!("`{room}`"))).collect();
    let mut problems: Vec<String> = listed
        .iter()
        .zip(&places)
        .filter(|(_, place)| place.is_none())
        .map(|(room, _)| format!("`{room}` is not in crates/README.md"))
        .collect();
    if !places.is_sorted() {
        problems.push("crates/README.md and the members in Cargo.toml have different orders".into());
    }
    report(&problems, "list the rooms in crates/README.md in the order of the members in Cargo.toml");
}

#[test]
fn members_inherit_versions_lints_and_licence() {
    let mut problems = Vec::new();
    // The fuzz targets are a workspace of their own, with nothing to inherit from.
    let members = |path: &str| path.ends_with("/Cargo.toml") && !path.starts_with("fuzz/");
    for file in text_files().iter().filter(|f| members(&f.path)) {
        let mut section = "";
        for line in file.text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
            if line.starts_with('[') {
                section = line;
            } else if section.ends_with("dependencies]") && !line.contains("workspace = true") {
                problems.push(format!("{}: `{line}` does not take its version from the workspace", file.path));
            }
        }
        if !file.text.contains("[lints]\nworkspace = true") {
            problems.push(format!("{}: does not inherit the workspace's lints", file.path));
        }
    }
    for package in packages() {
        let name = text(&package, "name");
        if package["publish"] != Value::Array(Vec::new()) {
            problems.push(format!("`{name}` could be published; write `publish.workspace = true`"));
        }
        if text(&package, "license") != "Apache-2.0" {
            problems.push(format!("`{name}` names no licence; write `license.workspace = true`"));
        }
    }
    report(&problems, "put versions into [workspace.dependencies] of the root manifest and inherit everything else");
}

#[test]
fn build_scripts_only_read_the_repository() {
    let outside = ["Command", "std::net", "http", "reqwest", "ureq", "curl", "git2"];
    let scripts = rust_files().into_iter().filter(|f| f.path.ends_with("/build.rs"));
    let problems: Vec<String> = scripts
        .flat_map(|f| {
            outside
                .iter()
                .filter(|w| f.rust.with_literals.contains(*w))
                .map(|w| format!("{}: `{w}`", f.path))
                .collect::<Vec<_>>()
        })
        .collect();
    report(&problems, "commit the data with its generator beside it; a build must work offline");
}

#[test]
fn every_feature_has_a_ci_job() {
    let ci = read(".ci/run");
    let mut problems = Vec::new();
    for package in packages() {
        let features = package["features"].as_object().expect("features");
        for feature in features.keys().filter(|f| *f != "default") {
            let job = format!("-p {} --features {feature}", text(&package, "name"));
            if text(&package, "manifest_path").contains("/crates/") && !ci.contains(&job) {
                problems.push(format!("`.ci/run` has no command with `{job}`"));
            }
        }
    }
    report(&problems, "build and test the feature in .ci/run, or remove it");
}

#[test]
fn the_lock_file_stays_below_its_ceiling() {
    let lock = read("Cargo.lock");
    let packages = lock.lines().filter(|line| *line == "[[package]]").count();
    let mut problems = Vec::new();
    if packages > LOCK_CEILING {
        problems.push(format!("Cargo.lock has {packages} packages, the ceiling is {LOCK_CEILING}"));
    }
    let foreign =
        lock.lines().filter(|l| l.starts_with("source = ")).filter(|l| !l.contains("rust-lang/crates.io-index"));
    problems.extend(foreign.map(|line| format!("Cargo.lock: {line} is not crates.io")));
    report(&problems, "use fewer or slimmer dependencies (features off), from crates.io only");
}
