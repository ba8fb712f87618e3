//! The folder that `--out` names: what a run writes there, and what a former run left.
//!
//! A patch of a former run beside those of this one would be applied with them, though nobody proved it. So the folder
//! carries a list of what was written, by which the next run takes its predecessor's files away, and nobody else's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::{below, no_links, replace};
use crate::digest::{WHOLE, sha256};
use crate::error::CliError;
use crate::redact;

/// The list of what was written, one file per line: the digest of its text and its path below the folder.
const LIST: &str = ".paring-written";
/// The first line of the list.
const SCHEMA: &str = "paring-written/1";
/// The largest list that is read, in bytes.
const MOST: u64 = 64 << 20;

/// Writes files below a folder, which is made if need be; `(path below the folder, text)`. Files of a former run that
/// this one does not write are removed.
///
/// # Errors
/// If a file cannot be written; if `owned`, folders below it that hold results alone, hold what no run wrote; if a
/// file that would go was edited since.
pub(crate) fn replace_results(folder: &Path, owned: &[&str], files: &[(String, String)]) -> Result<(), CliError> {
    redact::allow_files()?;
    if folder.is_file() {
        return Err(CliError::user(format!("`{}` is a file", folder.display()))
            .hint("--out takes a folder, which is made if need be"));
    }
    let before = read_list(folder)?;
    let now: BTreeSet<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    for name in owned {
        only_ours(folder, name, &before, &now)?;
    }
    let mut gone = Vec::new();
    for (path, digest) in before.iter().filter(|(path, _)| !now.contains(path.as_str())) {
        no_links(folder, path)?;
        let place = below(folder, path)?;
        match fs::read(&place) {
            Ok(text) if sha256(&text, WHOLE) == *digest => gone.push(place),
            Ok(_) => {
                return Err(CliError::user(format!(
                    "`{}` is from a former run and was edited since; nothing was written",
                    place.display()
                ))
                .hint("move it away, or give `--out` another folder"));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(CliError::io("read", &place, &error)),
        }
    }
    for place in gone {
        fs::remove_file(&place).map_err(|e| CliError::io("remove", &place, &e))?;
    }
    // The list first: a run that is cut off must not leave files that no list names.
    let mut all: BTreeMap<&str, String> = BTreeMap::new();
    for (path, text) in files {
        all.insert(path, sha256(text.as_bytes(), WHOLE));
    }
    let mut list = format!("{SCHEMA}\n");
    for (path, digest) in &all {
        let _ = writeln!(list, "{digest}  {path}");
    }
    replace(&folder.join(LIST), &list)?;
    files.iter().try_for_each(|(path, text)| replace(&below(folder, path)?, text))
}

/// What the list names, with digests; nothing where there is no list.
fn read_list(folder: &Path) -> Result<BTreeMap<String, String>, CliError> {
    let path = folder.join(LIST);
    let text = match fs::metadata(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Ok(metadata) if metadata.len() <= MOST => fs::read_to_string(&path),
        Ok(_) => Ok(String::new()),
        Err(error) => Err(error),
    };
    let text = text.map_err(|e| CliError::io("read", &path, &e))?;
    let unreadable = || {
        CliError::user(format!("`{}` is not a list of what paring wrote", path.display()))
            .hint("give `--out` another folder, or remove this one")
    };
    let mut lines = text.lines();
    if lines.next() != Some(SCHEMA) {
        return Err(unreadable());
    }
    lines
        .map(|line| {
            line.split_once("  ").map(|(digest, path)| (path.to_owned(), digest.to_owned())).ok_or_else(unreadable)
        })
        .collect()
}

/// A folder of results holds no file that neither this run nor the former one wrote.
fn only_ours(
    folder: &Path,
    name: &str,
    before: &BTreeMap<String, String>,
    now: &BTreeSet<&str>,
) -> Result<(), CliError> {
    let place = folder.join(name);
    let entries = match fs::read_dir(&place) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|e| CliError::io("read", &place, &e))?,
    };
    let mut strange = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| CliError::io("read", &place, &e))?;
        let path = format!("{name}/{}", entry.file_name().to_string_lossy());
        if !before.contains_key(&path) && !now.contains(path.as_str()) {
            strange.push(path);
        }
    }
    strange.sort();
    match strange.first() {
        None => Ok(()),
        Some(first) => Err(CliError::user(format!(
            "`{}` holds `{first}`, which this run did not make; nothing was written",
            folder.display()
        ))
        .hint("remove it, or give `--out` another folder: what lies there would look like a result of this run")),
    }
}
