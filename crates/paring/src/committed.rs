//! Whether git keeps what a file of the user's says now, so that writing over it loses nothing.
//!
//! Asks git by commands that only read, and compares contents: nothing that a repository configures is run (filters,
//! hooks, file system monitors, fetching), and flags that hide changes (`assume-unchanged`) hide nothing. Where git cannot
//! answer, the file counts as not kept.

use std::env;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

/// What git has of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kept {
    /// The last commit says what the file says.
    Committed,
    /// Writing over it could lose work; why.
    Not(String),
    /// No repository stands around the file.
    NoRepository,
}

const CHANGED: &str = "it has changes that are not committed";
const NEW: &str = "it was never committed";

/// What git has of a file below a folder.
pub(crate) fn kept(folder: &Path, relative: &str) -> Kept {
    let path = folder.join(relative);
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Kept::Not("it has no name".into());
    };
    match difference(folder, name) {
        Ok(None) => Kept::Committed,
        Ok(Some(why)) => Kept::Not(why),
        Err(why) if repository_above(folder) => {
            Kept::Not(format!("git cannot say whether it has changes that are not committed: {why}"))
        }
        Err(_) => Kept::NoRepository,
    }
}

/// How the file differs from the last commit; an error is git's own reason for not answering.
fn difference(folder: &Path, name: &OsStr) -> Result<Option<String>, String> {
    let index = ask(folder, &["ls-files", "--stage", "-z"], name)?;
    let (staged, more) = entries(&index);
    if more {
        return Ok(Some("it is in the middle of a merge".into()));
    }
    let Some(staged) = staged.and_then(|entry| entry.split(' ').nth(1)) else { return Ok(Some(NEW.into())) };
    let head = ask(folder, &["ls-tree", "-z", "HEAD"], name)?;
    let Some(committed) = entries(&head).0.and_then(|entry| entry.split(' ').nth(2)) else {
        return Ok(Some(NEW.into()));
    };
    if staged != committed {
        return Ok(Some(CHANGED.into()));
    }
    if ask(folder, &["hash-object", "--no-filters"], name)?.trim_end() == committed {
        return Ok(None);
    }
    // Line ends and encodings are converted by git itself; a filter is a program that the repository names.
    let attributes = ask(folder, &["check-attr", "-z", "filter"], name)?;
    match attributes.split('\0').nth(2) {
        Some("unspecified" | "unset") => {
            let converted = ask(folder, &["hash-object"], name)?;
            Ok((converted.trim_end() != committed).then(|| CHANGED.into()))
        }
        filter => Ok(Some(format!(
            "git keeps it through the filter `{}`, which is not run to see whether it has changes",
            filter.unwrap_or_default()
        ))),
    }
}

/// The first entry of a list that git ends with zeros, up to the file's name, and whether there are more.
fn entries(list: &str) -> (Option<&str>, bool) {
    let mut entries = list.split('\0').filter(|entry| !entry.is_empty());
    let first = entries.next().map(|entry| entry.split_once('\t').map_or(entry, |(head, _)| head));
    (first, entries.next().is_some())
}

/// What a command of git says about a file.
fn ask(folder: &Path, arguments: &[&str], name: &OsStr) -> Result<String, String> {
    let output = Command::new("git")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .args(["--literal-pathspecs", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-C"])
        .arg(folder)
        .args(arguments)
        .arg("--")
        .arg(name)
        .output();
    match output {
        Ok(output) if output.status.success() => {
            String::from_utf8(output.stdout).map_err(|_| "its answer is not UTF-8".into())
        }
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let line = said.lines().find(|line| line.starts_with("fatal:") || line.starts_with("error:"));
            let line = line.or_else(|| said.lines().next()).unwrap_or("it gives no reason");
            Err(line.trim_start_matches("fatal: ").trim_start_matches("error: ").to_owned())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Err("git is not installed here".into()),
        Err(error) => Err(format!("git cannot be run: {error}")),
    }
}

/// Whether a repository stands around a folder, or may: what cannot be looked at counts as one.
fn repository_above(folder: &Path) -> bool {
    if env::var_os("GIT_DIR").is_some() {
        return true;
    }
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(folder) = folder.canonicalize() else { return true };
    let none = |error: &std::io::Error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
    folder.ancestors().any(|folder| folder.join(".git").symlink_metadata().map_or_else(|e| !none(&e), |_| true))
}
