//! The help texts, and the page made of them.

use std::fmt::Write as _;

use crate::run::Folder;

/// `docs/cli.md` is what `--help` prints; `PARING_UPDATE_DOCS=1 cargo test` writes it anew.
#[test]
fn the_command_reference_is_what_help_prints() {
    let folder = Folder::new();
    let mut page = String::from("# The commands\n\nWhat `--help` prints; a test keeps this page in step.\n");
    describe(&folder, &[], &mut page);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md");
    if std::env::var_os("PARING_UPDATE_DOCS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == page, "docs/cli.md is out of date: run `PARING_UPDATE_DOCS=1 cargo test -p paring`");
}

/// A command's help, then that of each command below it.
fn describe(folder: &Folder, path: &[&str], page: &mut String) {
    let help = folder.paring(&[path, &["--help"]].concat());
    assert_eq!(help.code, 0, "{path:?}: {}", help.stderr);
    let title = [&["paring"], path].concat().join(" ");
    let _ = write!(page, "\n## {title}\n\n```text\n{}```\n", help.stdout);
    let list = help.stdout.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // Names stand two spaces in; what stands further in goes on with the line before.
    let names = list.filter_map(|line| line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')));
    for name in names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help") {
        describe(folder, &[path, &[name]].concat(), page);
    }
}
