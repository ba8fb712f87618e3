//! The only module that writes: the results into a folder of their own, and patches into the user's files.
//!
//! Each file is written beside its place and renamed into it, so that a run that is cut off leaves no half file.

use std::fs;
use std::io::Write;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use crate::error::CliError;

/// Writes files below a folder, which is made if need be; `(path below the folder, text)`.
pub(crate) fn results(folder: &Path, files: &[(String, String)]) -> Result<(), CliError> {
    for (relative, text) in files {
        replace(&below(folder, relative)?, text)?;
    }
    Ok(())
}

/// Writes a file that the user named for results, over what may be there.
pub(crate) fn result(path: &Path, text: &str) -> Result<(), CliError> {
    replace(path, text)
}

/// Writes a file of our own that is written again and again. What a run that was killed left half written is written
/// over; what stands under the name itself is whole at any time.
pub(crate) fn own_state(path: &Path, text: &str) -> Result<(), CliError> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".paring-new");
    let beside = path.with_file_name(name);
    let written = fs::File::create(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&beside, path)).map_err(|e| CliError::io("write", path, &e))
}

/// Replaces the text of one of the user's files, if it still holds what was read.
pub(crate) fn apply(folder: &Path, relative: &str, before: &str, after: &str) -> Result<(), CliError> {
    let path = below(folder, relative)?;
    no_links(folder, relative)?;
    let now = fs::read_to_string(&path).map_err(|e| CliError::io("read", &path, &e))?;
    if now != before {
        return Err(CliError::user(format!("`{}` changed while paring ran; it was not written", path.display()))
            .hint("run paring again"));
    }
    replace(&path, after)
}

/// Replaces the text of a file that the user named, if it still holds what was read.
pub(crate) fn replace_named(path: &Path, before: &str, after: &str) -> Result<(), CliError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    apply(folder, &path.file_name().unwrap_or_default().to_string_lossy(), before, after)
}

/// A path that stays below the folder, whatever a name in the input says.
fn below(folder: &Path, relative: &str) -> Result<PathBuf, CliError> {
    let relative = Path::new(relative);
    let stays = relative.components().all(|part| matches!(part, Component::Normal(_)));
    if stays {
        Ok(folder.join(relative))
    } else {
        Err(CliError::user(format!("`{}` leaves the folder `{}`", relative.display(), folder.display())))
    }
}

/// No part of a path below the folder is a link, so that nothing is written outside of it.
fn no_links(folder: &Path, relative: &str) -> Result<(), CliError> {
    let mut path = folder.to_path_buf();
    for part in Path::new(relative).components() {
        path.push(part);
        if fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_symlink()) {
            return Err(CliError::user(format!("`{}` is a link, and links are not written through", path.display()))
                .hint("give the folder that really holds the file"));
        }
    }
    Ok(())
}

/// What git says about a file below a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GitState {
    /// As it was committed.
    Clean,
    /// Changed since, or never committed: writing over it could lose work.
    Dirty,
    /// There is no repository here, or no git.
    Unknown,
}

/// Asks git whether a file is as it was committed. Nothing the repository configures is run.
pub(crate) fn git_state(folder: &Path, relative: &str) -> GitState {
    let output = Command::new("git")
        .args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-C"])
        .arg(folder)
        .args(["status", "--porcelain=v1", "--ignored", "--untracked-files=all", "--"])
        .arg(Path::new(".").join(relative))
        .output();
    match output {
        Ok(output) if output.status.success() && output.stdout.is_empty() => GitState::Clean,
        Ok(output) if output.status.success() => GitState::Dirty,
        Ok(_) | Err(_) => GitState::Unknown,
    }
}

fn replace(path: &Path, text: &str) -> Result<(), CliError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|e| CliError::io("make", folder, &e))?;
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".paring-new");
    let beside = path.with_file_name(name);
    let written = write_beside(path, &beside, text);
    if written.is_err() {
        // What could not be put in place must not lie about.
        let _ = fs::remove_file(&beside);
    }
    written.map_err(|e| CliError::io("write", path, &e))
}

fn write_beside(path: &Path, beside: &Path, text: &str) -> std::io::Result<()> {
    let mut file = fs::File::create_new(beside)?;
    file.write_all(text.as_bytes())?;
    if let Ok(metadata) = fs::metadata(path) {
        file.set_permissions(metadata.permissions())?;
    }
    file.sync_all()?;
    drop(file);
    fs::rename(beside, path)
}

/// A file name that holds only what every file system takes.
pub(crate) fn file_name(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_the_input_cannot_leave_the_folder() {
        for name in ["../x", "/etc/passwd", "a/../../x", ""] {
            assert!(below(Path::new("out"), name).is_err() || name.is_empty(), "{name}");
        }
        assert_eq!(file_name("a/b:c d"), "a_b_c_d");
    }
}
