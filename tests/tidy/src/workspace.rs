//! The workspace's files and manifests, read from disk.
//!
//! Walks the folders itself, so that it also works in an unpacked archive without git. Judges nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::rust_text::RustText;

/// Folders that hold no source of ours.
const PASSED_OVER: &[&str] = &[".git", "target", ".cargo-home", "node_modules", "__pycache__"];

/// Rooms without async, network, environment, clock, files or printing.
pub(crate) const PURE_ROOMS: &[&str] =
    &["iam-model", "iam-usage", "iam-evaluate", "iam-graph", "iam-synthesize", "iam-verify", "iam-patch"];

/// A text file of the workspace.
pub(crate) struct TextFile {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A Rust file of the workspace.
pub(crate) struct RustFile {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) rust: RustText,
    /// Declared by another file as `#[cfg(test)] mod name;`.
    declared_test: bool,
}

impl RustFile {
    /// Whether the file is not shipped: a sibling `tests.rs`, a folder of tests, benches or examples, the tests' crates.
    pub(crate) fn is_test(&self) -> bool {
        self.declared_test
            || self.path.starts_with("tests/")
            || self.path.ends_with("/tests.rs")
            || self.path.contains("/tests/")
            || self.path.contains("/benches/")
            || self.path.contains("/examples/")
    }

    /// The crate's folder name, for files under `crates/`.
    pub(crate) fn room(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split('/').next()
    }

    /// Whether the file is shipped code of a pure room.
    pub(crate) fn is_pure(&self) -> bool {
        !self.is_test() && self.room().is_some_and(|room| PURE_ROOMS.contains(&room))
    }
}

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace's root exists")
}

/// Every file that is text, by path.
pub(crate) fn text_files() -> Vec<TextFile> {
    let root = root();
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    paths.sort();
    let relative = |path: &Path| path.strip_prefix(&root).expect("below the root").to_string_lossy().replace('\\', "/");
    paths
        .iter()
        .filter_map(|path| Some(TextFile { path: relative(path), text: fs::read_to_string(path).ok()? }))
        .collect()
}

/// Every Rust file, by path.
pub(crate) fn rust_files() -> Vec<RustFile> {
    let mut files: Vec<RustFile> = text_files()
        .into_iter()
        .filter(|file| file.path.ends_with(".rs"))
        .map(|file| {
            let rust = RustText::of(&file.text);
            RustFile { rust, path: file.path, text: file.text, declared_test: false }
        })
        .collect();
    let declared: Vec<String> = files.iter().flat_map(test_modules).collect();
    for file in &mut files {
        file.declared_test = declared.iter().any(|stem| {
            file.path.strip_prefix(stem.as_str()).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        });
    }
    files
}

/// Paths, without `.rs`, of the modules a file declares for tests only.
fn test_modules(file: &RustFile) -> Vec<String> {
    let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let root = ["lib.rs", "main.rs", "mod.rs"].contains(&name);
    let own = if root { folder.to_owned() } else { file.path.trim_end_matches(".rs").to_owned() };
    file.rust.test_modules.iter().map(|module| format!("{own}/{module}")).collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder").flatten() {
        let kind = entry.file_type().expect("a file type");
        if PASSED_OVER.contains(&entry.file_name().to_string_lossy().as_ref()) {
            continue;
        }
        if kind.is_dir() {
            walk(&entry.path(), found);
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
}

/// A file's text by its path from the root.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("`{path}` is missing or unreadable: {error}"))
}

/// The members as cargo sees them, without their dependencies' packages: asks no registry.
pub(crate) fn packages() -> Vec<Value> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

/// Fails with all problems at once, and with what to do about them.
#[track_caller]
pub(crate) fn report(problems: &[String], what_to_do: &str) {
    assert!(problems.is_empty(), "\n  {}\nwhat to do: {what_to_do}\n", problems.join("\n  "));
}
