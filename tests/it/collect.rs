//! `collect`: a bundle to a snapshot file that means the same, and what is said without AWS's clients.

use std::path::Path;

use crate::run::{Folder, copy};

fn bundle() -> Folder {
    let folder = Folder::new();
    let saved = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/accounts/bundle");
    copy(&saved, &folder.path().join("bundle"));
    folder
}

#[test]
fn a_bundle_becomes_a_file_and_the_file_becomes_itself() {
    let folder = bundle();
    let first = folder.paring(&["collect", "--bundle", "bundle", "-o", "out/snapshot.json"]);
    assert_eq!((first.code, first.stdout.as_str()), (0, ""), "{}", first.stderr);
    assert!(first.stderr.contains("1 account · 2 roles · 8 resources · nothing is missing"), "{}", first.stderr);
    let written = folder.read("out/snapshot.json");
    let again = folder.paring(&["collect", "--bundle", "out/snapshot.json"]);
    assert_eq!((again.code, again.stdout.as_str()), (0, written.as_str()), "{}", again.stderr);
}

#[test]
fn what_is_missing_is_said_and_is_no_failure() {
    let folder = bundle();
    std::fs::remove_file(folder.path().join("bundle/list-functions.json")).unwrap();
    let output = folder.paring(&["collect", "--bundle", "bundle", "--quiet"]);
    assert_eq!(output.code, 0);
    for part in ["no `list-functions.json`: functions are not known", "hint: `aws lambda list-functions"] {
        assert!(output.stderr.contains(part), "no `{part}` in:\n{}", output.stderr);
        assert!(output.stdout.contains("functions are not known"), "the snapshot says it too");
    }
}

#[test]
fn a_folder_that_is_no_bundle_is_refused() {
    let output = Folder::new().paring(&["collect", "--bundle", "."]);
    assert_eq!((output.code, output.stdout.as_str()), (2, ""));
    assert!(output.stderr.contains("holds no AWS CLI output"), "{}", output.stderr);
}

#[cfg(not(feature = "aws"))]
#[test]
fn without_awss_clients_it_says_how_to_get_them() {
    let output = Folder::new().paring(&["collect", "-o", "s.json"]);
    assert_eq!(output.code, 2);
    for part in ["--features aws", "--bundle DIR"] {
        assert!(output.stderr.contains(part), "no `{part}` in:\n{}", output.stderr);
    }
}
