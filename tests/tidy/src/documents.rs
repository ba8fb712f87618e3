//! Documents: every code has a page, every page a code, and what a page names in back-ticks exists.
//!
//! Judges names and links only; whether a sentence is true, a reader has to say.

use std::collections::BTreeSet;

use crate::workspace::{TextFile, packages, read, report, root, text_files};

/// Folders and endings by which a back-ticked text is taken for a path of this repository.
const OWN_FOLDERS: &[&str] = &["crates/", "docs/", "testdata/", "tests/", "policies/", "xtask/", ".ci/", ".github/"];
const OWN_ENDINGS: &[&str] = &[".rs", ".md", ".cedar", ".py"];

fn pages() -> Vec<TextFile> {
    text_files()
        .into_iter()
        .filter(|f| {
            let top = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "crates/README.md"].contains(&f.path.as_str());
            f.path.ends_with(".md") && (top || f.path.starts_with("docs/") || f.path.starts_with("policies/"))
        })
        .collect()
}

/// Texts between back-ticks, outside of fenced blocks, with their lines.
fn ticked(text: &str) -> Vec<(usize, String)> {
    let (mut fenced, mut found) = (false, Vec::new());
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            found.extend(line.split('`').skip(1).step_by(2).map(|t| (number + 1, t.to_owned())));
        }
    }
    found
}

fn is_path(text: &str) -> bool {
    let plain = text.chars().all(|c| c.is_alphanumeric() || "._-/*".contains(c));
    plain
        && (OWN_FOLDERS.iter().any(|f| text.starts_with(f))
            || OWN_ENDINGS.iter().any(|e| text.ends_with(e) && text.len() > e.len()))
}

/// Whether a path, a folder, the end of a path, or something matching a `*` exists.
fn exists(named: &str, page: &str, all: &[String]) -> bool {
    if root().join(named).exists() || root().join(page).parent().is_some_and(|folder| folder.join(named).exists()) {
        return true;
    }
    let suffix = format!("/{named}");
    match named.split_once('*') {
        Some((start, end)) => {
            all.iter().any(|path| path.starts_with(start) && path.ends_with(end.trim_start_matches('*')))
        }
        None => all.iter().any(|path| path.ends_with(&suffix)),
    }
}

#[test]
fn paths_and_crates_in_documents_exist() {
    let all: Vec<String> = text_files().into_iter().map(|f| f.path).collect();
    let crates: BTreeSet<String> = packages().iter().filter_map(|p| p["name"].as_str().map(str::to_owned)).collect();
    let is_crate = |t: &str| {
        t.strip_prefix("iam-").is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_lowercase()))
    };
    let mut problems = Vec::new();
    for page in pages() {
        for (line, named) in ticked(&page.text) {
            let gone =
                is_path(&named) && !exists(&named, &page.path, &all) || is_crate(&named) && !crates.contains(&named);
            if gone {
                problems.push(format!("{}:{line}: `{named}` does not exist", page.path));
            }
        }
    }
    report(&problems, "name what is there, or drop the sentence");
}

#[test]
fn links_in_documents_lead_somewhere() {
    let mut problems = Vec::new();
    for page in pages() {
        let folder = root().join(&page.path).parent().expect("a folder").to_owned();
        for target in page.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if !target.contains("://") && !file.is_empty() && !folder.join(file).exists() {
                problems.push(format!("{}: link to `{target}`", page.path));
            }
        }
    }
    report(&problems, "correct the link");
}

/// Codes of one of the closed sets: the lines `Name => "code"` of the macro that declares it.
fn codes(path: &str, declaration: &str) -> BTreeSet<String> {
    let file = read(path);
    let lines = file.lines().skip_while(|line| *line != declaration).take_while(|line| *line != "}");
    lines.filter_map(|line| Some(line.split_once(" => \"")?.1.split('"').next()?.to_owned())).collect()
}

fn all_codes() -> BTreeSet<String> {
    let mut all = codes("crates/iam-model/src/diagnostic.rs", "codes! {");
    all.extend(codes("crates/iam-model/src/finding.rs", "finding_codes! {"));
    all.extend(codes("crates/iam-patch/src/refusal.rs", "codes! {"));
    all
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let codes = all_codes();
    assert!(codes.len() >= 10, "the codes were not found; the macro in iam-model changed");
    let pages: BTreeSet<String> = text_files()
        .iter()
        .filter_map(|f| Some(f.path.strip_prefix("docs/findings/")?.strip_suffix(".md")?.to_owned()))
        .filter(|name| name != "README")
        .collect();
    let mut problems: Vec<String> =
        codes.difference(&pages).map(|c| format!("code `{c}` has no docs/findings/{c}.md")).collect();
    problems.extend(pages.difference(&codes).map(|p| format!("docs/findings/{p}.md describes no code")));
    for code in codes.intersection(&pages) {
        let page = read(&format!("docs/findings/{code}.md"));
        let parts = [format!("# {code}"), "## What it means".into(), "## What to do".into(), "## Example".into()];
        problems.extend(
            parts.iter().filter(|p| !page.contains(*p)).map(|p| format!("docs/findings/{code}.md lacks `{p}`")),
        );
    }
    report(
        &problems,
        "write docs/findings/<code>.md with the parts the other pages have, or remove the page with the code",
    );
}

/// The cells of the column `Test` of a page's tables, with their lines.
fn test_cells(page: &str) -> Vec<(usize, String)> {
    let (mut is_table, mut found) = (false, Vec::new());
    for (number, line) in page.lines().enumerate() {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        match cells.last() {
            _ if !line.starts_with('|') => is_table = false,
            Some(&"Test") => is_table = true,
            Some(cell) if is_table && !cell.starts_with("--") => found.push((number + 1, (*cell).to_owned())),
            _ => {}
        }
    }
    found
}

#[test]
fn what_semantics_and_limits_say_has_a_test_of_that_name() {
    let functions: BTreeSet<String> = text_files()
        .iter()
        .filter(|file| file.path.ends_with(".rs"))
        .flat_map(|file| {
            let names = file.text.split("fn ").skip(1).filter_map(|rest| rest.split(['(', '<']).next());
            names.map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    let is_name = |text: &str| {
        text.matches('_').count() >= 2 && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let mut problems = Vec::new();
    for page in ["docs/semantics.md", "docs/limits.md"] {
        let text = read(page);
        let cells = test_cells(&text);
        assert!(cells.len() >= 10, "{page} has lost its tables");
        for (line, cell) in cells.iter().filter(|(_, cell)| !cell.split('`').any(is_name)) {
            problems.push(format!("{page}:{line}: no test in `{cell}`"));
        }
        for (line, named) in ticked(&text).into_iter().filter(|(_, named)| is_name(named)) {
            if !functions.contains(&named) {
                problems.push(format!("{page}:{line}: no `fn {named}`"));
            }
        }
    }
    report(&problems, "write the test, or correct its name on the page");
}

#[test]
fn the_house_has_its_papers() {
    let needed = [
        "README.md",
        "LICENSE",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/architecture.md",
        "docs/semantics.md",
        "docs/limits.md",
        "crates/README.md",
        ".ci/run",
        ".github/workflows/ci.yml",
    ];
    let missing: Vec<String> = needed.iter().filter(|p| !root().join(p).is_file()).map(|p| (*p).to_owned()).collect();
    report(&missing, "bring the file back");
    assert!(read("LICENSE").contains("Apache License"), "LICENSE is not the Apache licence");
    assert!(read("CHANGELOG.md").contains("## [Unreleased]"), "CHANGELOG.md has no section `## [Unreleased]`");
}
