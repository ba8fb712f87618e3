//! The answers so far: kept in memory as a bundle, and on disk where the user names a folder.
//!
//! A folder that holds answers already is gone on with: what is there is not asked again, what failed is. A file is there
//! whole or not at all.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use iam_model::json::{self, Arena, Limits, Node};
use iam_model::text::{SourceName, SourceText};

use super::answer::Failure;
use super::fetch::Answer;
use crate::bundle::{File, Folder, Key, file_name, says_none};
use crate::error::CollectError;

/// Numbers for the line that tells how an account went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Calls that were answered, or said that there is nothing.
    pub(super) answered: usize,
    /// Answers taken from the folder.
    pub(super) kept: usize,
    /// Calls that failed.
    pub(super) failed: usize,
}

/// The answers of one account.
pub(super) struct Store {
    name: String,
    path: Option<PathBuf>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    folder: Folder,
    counts: Counts,
    /// Why nothing more can be kept.
    broken: Option<CollectError>,
}

impl Store {
    /// A store for an account; `path` is the account's folder.
    pub(super) fn open(name: &str, path: Option<PathBuf>) -> Self {
        let mut folder = path.as_ref().filter(|path| path.is_dir()).map(|path| Folder::open(path)).unwrap_or_default();
        folder.files.retain(|_, file| match file {
            File::Text(source) => !source.text.trim().is_empty(),
            File::Failed { why, .. } => says_none(why),
        });
        Self { name: name.into(), path, inner: Mutex::new(Inner { folder, ..Inner::default() }) }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a call's answer is here from before.
    pub(super) fn has(&self, key: &Key) -> bool {
        let mut inner = self.inner();
        let has = inner.folder.files.contains_key(key);
        inner.counts.kept += usize::from(has);
        has
    }

    /// Keeps what became of a call.
    pub(super) fn keep(&self, key: Key, operation: &str, answer: Result<Answer, Failure>) {
        let (text, extension) = match answer {
            Ok(Answer::Text(text)) => (text, "json"),
            Ok(Answer::Value(value)) => (value.to_pretty(), "json"),
            Err(failure) => (failure.as_the_cli(operation), "err"),
        };
        let file = self.on_disk(&key, extension);
        let kept = file.as_ref().map_or(Ok(()), |file| write(file, &text));
        let shown = file.map_or_else(|| self.shown(&key, extension), |file| file.display().to_string());
        let mut inner = self.inner();
        if let Err(error) = kept {
            inner.broken.get_or_insert(error);
        }
        if extension == "json" || says_none(&text) {
            inner.counts.answered += 1;
        } else {
            inner.counts.failed += 1;
        }
        let file = match extension {
            "json" => File::Text(SourceText { name: SourceName::new(&shown), text }),
            _ => File::Failed { file: shown, why: text },
        };
        inner.folder.files.insert(key, file);
    }

    /// What is read from an answer that is here.
    pub(super) fn read<T>(&self, key: &Key, read: impl FnOnce(&Node<'_>) -> T) -> Option<T> {
        let inner = self.inner();
        let File::Text(source) = inner.folder.files.get(key)? else { return None };
        let arena = Arena::for_text(source.text.len());
        json::parse(&arena, &source.text, Limits::FILE).ok().map(|root| read(&root))
    }

    /// The account's folder, as a bundle has it.
    pub(super) fn close(&self) -> Result<(Folder, Counts), CollectError> {
        let inner = std::mem::take(&mut *self.inner());
        match inner.broken {
            Some(error) => Err(error),
            None => Ok((inner.folder, inner.counts)),
        }
    }

    fn shown(&self, key: &Key, extension: &str) -> String {
        let parts = [Some(self.name.as_str()), key.region.as_deref(), Some(&key.call), key.item.as_deref()];
        format!("{}.{extension}", parts.into_iter().flatten().collect::<Vec<_>>().join("/"))
    }

    fn on_disk(&self, key: &Key, extension: &str) -> Option<PathBuf> {
        let mut path = self.path.clone()?;
        path.extend(key.region.as_deref().map(file_name));
        match &key.item {
            None => path.push(format!("{}.{extension}", key.call)),
            Some(item) => path.extend([key.call.clone(), format!("{}.{extension}", file_name(item))]),
        }
        Some(path)
    }
}

/// Writes a file so that it is there whole or not at all.
pub(super) fn write(path: &PathBuf, text: &str) -> Result<(), CollectError> {
    let written = || {
        fs::create_dir_all(path.parent().unwrap_or(path))?;
        let part = path.with_extension("part");
        let mut file = fs::File::create(&part)?;
        file.write_all(text.as_bytes())?;
        drop(file);
        fs::rename(&part, path)?;
        // A call that failed before and was answered now leaves no word of the failure.
        if path.extension().is_some_and(|extension| extension == "json") {
            let _ = fs::remove_file(path.with_extension("err"));
        }
        Ok(())
    };
    written().map_err(|error: std::io::Error| CollectError::Unwritable {
        name: path.display().to_string(),
        reason: error.kind().to_string(),
    })
}
