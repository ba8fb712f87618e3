//! The only module that writes: the results into a folder of their own, and patches into the user's files.
//!
//! Each file is written beside its place and renamed into it, so that a run that is cut off leaves no half file.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Component, Path, PathBuf};

use crate::error::CliError;
use crate::redact;

mod results;

pub(crate) use results::replace_results;

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
    redact::allow_files()?;
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".paring-new");
    let beside = path.with_file_name(name);
    let written = fs::File::create(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&beside, path)).map_err(|e| CliError::io("write", path, &e))
}

/// One of the user's files: what it said when it was read, and what it should say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edit<'a> {
    /// The file, below the folder it was read from.
    pub(crate) relative: &'a str,
    pub(crate) before: &'a str,
    pub(crate) after: &'a str,
}

/// Replaces the texts of the user's files, if they still hold what was read. All new texts are on the disk before the
/// first file is replaced; what fails then still is told file by file.
pub(crate) fn apply(folder: &Path, edits: &[Edit<'_>]) -> Result<(), CliError> {
    let mut ready = Vec::new();
    for edit in edits {
        match prepare(folder, edit) {
            Ok(beside) => ready.push(beside),
            Err(error) => {
                ready.iter().for_each(Beside::remove);
                return Err(if edits.len() > 1 { error.hint("no file was written") } else { error });
            }
        }
    }
    for (at, (edit, beside)) in edits.iter().zip(&ready).enumerate() {
        let done = unchanged(&beside.path, edit.before).and_then(|()| beside.put_in_place());
        if let Err(error) = done {
            ready.iter().skip(at).for_each(Beside::remove);
            let (written, left) = ready.split_at_checked(at).unwrap_or_default();
            return Err(error.hint(format!("written: {}; not written: {}", names(written), names(left))));
        }
    }
    Ok(())
}

/// Replaces the text of a file that the user named, if it still holds what was read.
pub(crate) fn replace_named(path: &Path, before: &str, after: &str) -> Result<(), CliError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let relative = path.file_name().unwrap_or_default().to_string_lossy();
    apply(folder, &[Edit { relative: &relative, before, after }])
}

/// Checks an edit, and writes its text beside the file.
fn prepare(folder: &Path, edit: &Edit<'_>) -> Result<Beside, CliError> {
    let path = below(folder, edit.relative)?;
    no_links(folder, edit.relative)?;
    unchanged(&path, edit.before)?;
    Beside::write(&path, edit.after)
}

fn unchanged(path: &Path, before: &str) -> Result<(), CliError> {
    let now = fs::read_to_string(path).map_err(|e| CliError::io("read", path, &e))?;
    if now == before {
        return Ok(());
    }
    Err(CliError::user(format!("`{}` changed while paring ran; it was not written", path.display()))
        .hint("run paring again"))
}

fn names(files: &[Beside]) -> String {
    if files.is_empty() {
        return "nothing".into();
    }
    files.iter().map(|file| format!("`{}`", file.path.display())).collect::<Vec<_>>().join(", ")
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

fn replace(path: &Path, text: &str) -> Result<(), CliError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|e| CliError::io("make", folder, &e))?;
    let beside = Beside::write(path, text)?;
    let done = beside.put_in_place();
    if done.is_err() {
        beside.remove();
    }
    done
}

/// A new text on the disk, beside the file whose place it takes.
struct Beside {
    path: PathBuf,
    beside: PathBuf,
}

impl Beside {
    /// Writes the text; what stands in the way is somebody's, and is left and named.
    fn write(path: &Path, text: &str) -> Result<Self, CliError> {
        redact::allow_files()?;
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(".paring-new");
        let this = Self { path: path.to_path_buf(), beside: path.with_file_name(name) };
        let file = fs::File::create_new(&this.beside).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => {
                let (path, beside) = (path.display(), this.beside.display());
                CliError::user(format!("cannot write `{path}`: `{beside}` is in the way"))
                    .hint("a run that was cut off left it: remove it and run paring again")
            }
            _ => CliError::io("write", path, &error),
        })?;
        let filled = this.fill(file, text);
        if filled.is_err() {
            // What could not be written whole must not lie about.
            this.remove();
        }
        filled.map_err(|e| CliError::io("write", path, &e)).map(|()| this)
    }

    fn fill(&self, mut file: fs::File, text: &str) -> std::io::Result<()> {
        file.write_all(text.as_bytes())?;
        if let Ok(metadata) = fs::metadata(&self.path) {
            file.set_permissions(metadata.permissions())?;
        }
        file.sync_all()
    }

    fn put_in_place(&self) -> Result<(), CliError> {
        fs::rename(&self.beside, &self.path).map_err(|e| CliError::io("write", &self.path, &e))
    }

    /// Nothing more can be done where it will not go.
    fn remove(&self) {
        let _ = fs::remove_file(&self.beside);
    }
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
