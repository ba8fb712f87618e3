//! The help texts, and the page made of them.

use std::fmt::Write as _;

use crate::run::Folder;

/// `docs/cli.md` is what `--help` prints; `PARING_UPDATE_DOCS=1 cargo test` writes it anew.
#[test]
fn the_command_reference_is_what_help_prints() {
    let folder = Folder::new();
    let main = folder.paring(&["--help"]);
    assert_eq!(main.code, 0);
    let mut page = String::from("# The commands\n\nWhat `--help` prints; a test keeps this page in step.\n");
    let _ = write!(page, "\n## paring\n\n```text\n{}```\n", main.stdout);
    let commands = main.stdout.lines().skip_while(|l| *l != "Commands:").skip(1).take_while(|l| !l.is_empty());
    for name in commands.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help") {
        let help = folder.paring(&[name, "--help"]);
        let _ = write!(page, "\n## paring {name}\n\n```text\n{}```\n", help.stdout);
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md");
    if std::env::var_os("PARING_UPDATE_DOCS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == page, "docs/cli.md is out of date: run `PARING_UPDATE_DOCS=1 cargo test -p paring`");
}
