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

fn source(case: &Path) -> (&'static str, SourceText) {
    let ending =
        ["json", "tf"].into_iter().find(|ending| case.join(format!("before.{ending}")).exists()).unwrap_or("yaml");
    let name = if case.file_name().is_some_and(|name| name.to_string_lossy().starts_with("serverless")) {
        "serverless"
    } else {
        "template"
    };
    (ending, text(&case.join(format!("before.{ending}")), &format!("{name}.{ending}")))
}

fn run(case: &Path, source: SourceText) -> PatchSet {
    let (project, diagnostics) = Project::read(vec![source]);
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
        let (ending, before) = source(&case);
        let set = run(&case, before);
        let after = case.join(format!("after.{ending}"));
        let got = set.patches.first().map(|patch| patch.after.clone());
        if std::env::var_os("UPDATE_PATCHES").is_some() {
            std::fs::write(case.join("outcome.txt"), outcome(&set)).unwrap();
            got.iter().for_each(|text| std::fs::write(&after, text).unwrap());
        }
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        if std::fs::read_to_string(&after).ok() != got {
            wrong.push(format!("{name}: {}", set.patches.first().map_or("no patch", |p| &p.diff)));
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
        let (ending, before) = source(&case);
        let Some(first) = run(&case, before).patches.into_iter().next() else { continue };
        let again = SourceText { name: SourceName::new(&format!("template.{ending}")), text: first.after };
        assert_eq!(run(&case, again).patches, [], "{}", case.display());
    }
}
