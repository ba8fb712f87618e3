//! Before and after, byte for byte: every folder of `testdata/patches`.

#![cfg(test)]

use std::path::{Path, PathBuf};

use iam_model::change;
use iam_model::snapshot::{self, Snapshot, SnapshotIndex};
use iam_model::text::{SourceName, SourceText};
use iam_patch::{Disposition, PatchSet, Project, patch_all};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/patches")
}

fn text(path: &Path, name: &str) -> SourceText {
    SourceText { name: SourceName::new(name), text: std::fs::read_to_string(path).unwrap() }
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.is_dir());
    cases.sort();
    cases
}

/// The sources of a case: one file, or everything below the folder `before`.
fn sources(case: &Path) -> Vec<SourceText> {
    let folder = case.join("before");
    if folder.is_dir() {
        let mut names = below(&folder, "");
        names.sort();
        return names.iter().map(|name| text(&folder.join(name), name)).collect();
    }
    let ending = ending(case);
    let serverless = case.file_name().is_some_and(|name| name.to_string_lossy().starts_with("serverless"));
    let name = if serverless { "serverless" } else { "template" };
    vec![text(&case.join(format!("before.{ending}")), &format!("{name}.{ending}"))]
}

fn below(folder: &Path, above: &str) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder.join(above)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        let name = if above.is_empty() { name } else { format!("{above}/{name}") };
        match entry.path().is_dir() {
            true => names.extend(below(folder, &name)),
            false => names.push(name),
        }
    }
    names
}

fn ending(case: &Path) -> &'static str {
    ["json", "tf"].into_iter().find(|ending| case.join(format!("before.{ending}")).exists()).unwrap_or("yaml")
}

/// Where the patched text of a source stands.
fn after(case: &Path, name: &str) -> PathBuf {
    match case.join("before").is_dir() {
        true => case.join("after").join(name),
        false => case.join(format!("after.{}", ending(case))),
    }
}

fn run(case: &Path, sources: Vec<SourceText>) -> PatchSet {
    let (project, diagnostics) = Project::read(sources);
    assert!(diagnostics.is_empty(), "{}: {diagnostics:?}", case.display());
    let changes = change::read(&text(&case.join("changes.json"), "changes.json")).unwrap().0;
    let path = case.join("snapshot.json");
    let snapshot = match path.exists() {
        true => snapshot::read(text(&path, "snapshot.json")).unwrap().0,
        false => Snapshot::default(),
    };
    let (index, _) = SnapshotIndex::new(&snapshot);
    patch_all(&project, &index, &changes.changes, &changes.splits)
}

fn outcome(set: &PatchSet) -> String {
    let mut out = String::new();
    for patch in &set.patches {
        match &patch.disposition {
            Disposition::Safe => out.push_str("safe\n"),
            Disposition::NeedsReview(reasons) => reasons.iter().for_each(|r| out.push_str(&format!("review: {r}\n"))),
        }
    }
    for number in &set.unchanged {
        out.push_str(&format!("unchanged {number}\n"));
    }
    for refused in &set.refused {
        out.push_str(&format!("refused {} {}: {}\n", refused.change, refused.refusal.code, refused.refusal));
    }
    for refused in &set.refused_splits {
        out.push_str(&format!("refused split {} {}: {}\n", refused.change, refused.refusal.code, refused.refusal));
    }
    out
}

#[test]
fn every_case_is_patched_as_written_down() {
    let mut wrong = Vec::new();
    for case in cases() {
        let sources = sources(&case);
        let set = run(&case, sources.clone());
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        if std::env::var_os("UPDATE_PATCHES").is_some() {
            std::fs::write(case.join("outcome.txt"), outcome(&set)).unwrap();
            for patch in &set.patches {
                let path = after(&case, patch.file.as_str());
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, &patch.after).unwrap();
            }
        }
        for source in &sources {
            let patch = set.patches.iter().find(|patch| patch.file == source.name);
            let wanted = std::fs::read_to_string(after(&case, source.name.as_str())).ok();
            if wanted.as_ref() != patch.map(|patch| &patch.after) {
                wrong.push(format!("{name}: {}", patch.map_or("no patch", |p| &p.diff)));
            }
        }
        if std::fs::read_to_string(case.join("outcome.txt")).unwrap_or_default() != outcome(&set) {
            wrong.push(format!("{name}: {}", outcome(&set)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn patching_a_patched_file_changes_nothing() {
    for case in cases() {
        let mut sources = sources(&case);
        let first = run(&case, sources.clone());
        if first.patches.is_empty() {
            continue;
        }
        for source in &mut sources {
            if let Some(patch) = first.patches.iter().find(|patch| patch.file == source.name) {
                source.text.clone_from(&patch.after);
            }
        }
        assert_eq!(run(&case, sources).patches, [], "{}", case.display());
    }
}
