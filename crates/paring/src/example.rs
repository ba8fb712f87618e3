//! The example behind `--example`: a small SAM application, its account and its logs, held in the binary.
//!
//! Its files live in `testdata/example`; nothing is unpacked and nothing is written.

use iam_model::text::{SourceName, SourceText};
use include_dir::{Dir, DirEntry, File, include_dir};

use crate::error::CliError;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../testdata/example");

/// The account, as a snapshot.
pub(crate) fn snapshot() -> Result<SourceText, CliError> {
    text("snapshot.json")
}

/// The application's template.
pub(crate) fn sources() -> Result<Vec<SourceText>, CliError> {
    Ok(vec![text("template.yaml")?])
}

/// The log files: paths and contents.
pub(crate) fn logs() -> Vec<(String, &'static [u8])> {
    let mut logs = Vec::new();
    if let Some(trail) = FILES.get_dir("trail") {
        collect(trail, &mut logs);
    }
    logs.sort();
    logs
}

fn collect(folder: &Dir<'static>, logs: &mut Vec<(String, &'static [u8])>) {
    for entry in folder.entries() {
        match entry {
            DirEntry::Dir(folder) => collect(folder, logs),
            DirEntry::File(file) => logs.push((name(file), file.contents())),
        }
    }
}

fn name(file: &File<'_>) -> String {
    file.path().to_string_lossy().replace('\\', "/")
}

fn text(name: &str) -> Result<SourceText, CliError> {
    let text = FILES.get_file(name).and_then(File::contents_utf8);
    let text = text.ok_or_else(|| CliError::user(format!("the built-in example lacks `{name}`")))?;
    Ok(SourceText { name: SourceName::new(name), text: text.to_owned() })
}
