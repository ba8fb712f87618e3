//! The built-in example: what it prints, what it writes, and that it does so twice alike.

use crate::run::{Folder, copy, example};

#[test]
fn the_example_prints_its_report() {
    let output = Folder::new().paring(&["tighten", "--example"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    insta::assert_snapshot!("example", output.stdout);
}

#[test]
fn the_example_says_the_same_as_its_files_and_twice_the_same() {
    let folder = Folder::new();
    copy(&example(), &folder.path().join("e"));
    let arguments = ["tighten", "--snapshot", "e/snapshot.json", "--trail", "e/trail", "--iac", "e", "--out"];
    let run = |out: &str| folder.paring(&[&arguments[..], &[out]].concat());
    let (first, second) = (run("out1"), run("out2"));
    assert_eq!(first.code, 0, "{}", first.stderr);
    assert_eq!(first.stdout, second.stdout);
    let embedded = folder.paring(&["tighten", "--example", "--out", "out3"]);
    assert_eq!(first.stdout, embedded.stdout);
    for file in ["report.json", "patches/template.yaml.diff"] {
        assert_eq!(folder.read(&format!("out1/{file}")), folder.read(&format!("out2/{file}")), "{file}");
        assert_eq!(folder.read(&format!("out1/{file}")), folder.read(&format!("out3/{file}")), "{file}");
    }
}

#[test]
fn the_examples_patch_applies_and_leaves_nothing_to_do() {
    let folder = Folder::new();
    copy(&example(), &folder.path().join("e"));
    let run = || {
        folder.paring(&["tighten", "--snapshot", "e/snapshot.json", "--trail", "e/trail", "--iac", "e", "--out", "out"])
    };
    assert_eq!(run().code, 0);
    let before = folder.read("e/template.yaml");
    assert!(folder.git(&["apply", "--check", "--directory=e", "out/patches/template.yaml.diff"]));
    assert!(folder.git(&["apply", "--directory=e", "out/patches/template.yaml.diff"]));
    let after = folder.read("e/template.yaml");
    assert_ne!(before, after);
    for comment in [
        "# the pilot had to be live by Friday",
        "#       - SQSSendMessagePolicy",
        "# The author says that one table is enough.",
        "#                 - dynamodb:DeleteItem",
    ] {
        assert!(after.contains(comment), "{comment}");
    }
    assert!(!after.contains("AdministratorAccess") && !after.contains("dynamodb:*"));
}

#[test]
fn nothing_is_written_without_being_asked() {
    let folder = Folder::new();
    copy(&example(), &folder.path().join("e"));
    let list = || {
        let mut names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let (names, template) = (list(), folder.read("e/template.yaml"));
    folder.paring(&["tighten", "--snapshot", "e/snapshot.json", "--trail", "e/trail", "--iac", "e"]);
    assert_eq!(list(), names);
    assert_eq!(folder.read("e/template.yaml"), template);
}

#[test]
fn colour_is_for_those_who_ask() {
    let folder = Folder::new();
    assert!(!folder.paring(&["tighten", "--example"]).stdout.contains('\u{1b}'));
    assert!(folder.paring(&["tighten", "--example", "--color", "always"]).stdout.contains("\u{1b}[32m"));
}
