//! The one error of the command line: what happened, where, and what to do.
//!
//! Library errors become user text here and nowhere else.

use std::fmt;
use std::io;
use std::path::Path;

use iam_collect::CollectError;
use iam_model::change::ChangesError;

/// What kind of trouble ended the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Wrong usage, or input that cannot be read.
    User,
    /// The reader of our output went away.
    BrokenPipe,
}

/// An error that ends the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CliError {
    kind: Kind,
    message: String,
    hints: Vec<String>,
}

impl CliError {
    /// Wrong usage or unreadable input.
    pub(crate) fn user(message: impl Into<String>) -> Self {
        Self { kind: Kind::User, message: message.into(), hints: Vec::new() }
    }

    /// A file that could not be read or written.
    pub(crate) fn io(what: &str, path: &Path, error: &io::Error) -> Self {
        let mut result = Self::user(format!("cannot {what} `{}`: {}", path.display(), describe(error)));
        if error.kind() == io::ErrorKind::NotFound {
            result = result.hint("check the path; relative paths start at the folder you run paring in");
        }
        result
    }

    /// A source that gives no snapshot.
    pub(crate) fn collect(error: &CollectError) -> Self {
        let result = Self::user(error.to_string());
        match error.hint() {
            Some(hint) => result.hint(hint),
            None => result,
        }
    }

    /// A file that holds no changes.
    pub(crate) fn changes(error: &ChangesError) -> Self {
        let result = Self::user(error.to_string());
        match error.hint() {
            Some(hint) => result.hint(hint),
            None => result,
        }
    }

    /// Standard output could not be written.
    pub(crate) fn output(error: &io::Error) -> Self {
        let kind = if error.kind() == io::ErrorKind::BrokenPipe { Kind::BrokenPipe } else { Kind::User };
        Self { kind, message: format!("cannot write to standard output: {}", describe(error)), hints: Vec::new() }
    }

    /// The same error, with one more thing to do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn hints(&self) -> &[String] {
        &self.hints
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The system's words, without Rust's error numbers.
fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or folder".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::IsADirectory => "it is a folder".into(),
        io::ErrorKind::InvalidData => "it is not UTF-8 text".into(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_lowercase()
        }
    }
}
