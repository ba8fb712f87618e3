//! All contact with AWS: a saved bundle, a snapshot file or (with the feature `aws`) a live account, to a [`Snapshot`].
//!
//! Knows the shapes AWS's tools print, and nothing of what policies mean. What could not be read is named in the
//! snapshot itself, so that no later run takes it for "nothing there". It prints nothing and asks no environment.

mod assemble;
mod bundle;
mod calls;
mod error;
mod file;
pub mod generated;
pub mod price;
mod query_policy;
mod redact;

#[cfg(feature = "aws")]
pub mod access_analyzer;
#[cfg(feature = "aws")]
mod connect;
#[cfg(feature = "aws")]
pub mod live;
#[cfg(feature = "aws")]
pub mod query;
#[cfg(test)]
#[cfg(feature = "aws")]
mod stub;
#[cfg(feature = "aws")]
pub mod trail_logs;

pub use calls::{Plan, needed_policy};
pub use error::CollectError;
pub use query_policy::{QueryPlan, query_policy};

use std::io::Read;
use std::path::Path;

use iam_model::diagnostic::Diagnostic;
use iam_model::json::{self, Limits};
use iam_model::snapshot::{self, Snapshot};
use iam_model::text::SourceName;

/// Reads a snapshot file, or a *bundle*: a folder of AWS CLI output under its usual names.
///
/// # Errors
/// Where nothing is there, it cannot be opened, or it is neither a snapshot nor a bundle. Parts of a bundle that are
/// missing or broken are diagnostics.
///
/// ```
/// let error = iam_collect::from_path(std::path::Path::new("no/such/file.json")).unwrap_err();
/// assert_eq!(error.to_string(), "`no/such/file.json` does not exist");
/// ```
pub fn from_path(path: &Path) -> Result<(Snapshot, Vec<Diagnostic>), CollectError> {
    if path.is_dir() { bundle::read(path) } else { Ok(snapshot::read(file::open(path)?)?) }
}

/// Reads a snapshot from a stream, such as standard input; `name` is what messages call it.
///
/// # Errors
/// Where the stream fails, or does not hold a snapshot.
pub fn from_reader(name: &str, mut reader: impl Read) -> Result<(Snapshot, Vec<Diagnostic>), CollectError> {
    Ok(snapshot::read(file::read(SourceName::new(name), &mut reader)?)?)
}

/// The file form of a snapshot that was read: what `paring collect` writes. Equal snapshots give equal bytes.
///
/// Nothing for a snapshot that was made in memory and has no text.
#[must_use]
pub fn file_form(snapshot: &Snapshot) -> Option<String> {
    let source = snapshot.source.as_ref()?;
    json::parse(&json::Arena::for_text(source.text.len()), &source.text, Limits::FILE)
        .ok()
        .map(|root| root.to_value().to_pretty())
}

#[cfg(test)]
mod tests;
