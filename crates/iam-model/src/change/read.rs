//! Reading `paring-changes/1`.

use super::Change;
use crate::diagnostic::Diagnostic;
use crate::text::SourceText;

/// Why a changes file cannot be used at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a changes file")]
pub struct ChangesError;

/// Reads a changes file.
///
/// # Errors
/// Where the text is not JSON, or not of a known schema.
pub fn read(source: &SourceText) -> Result<(Vec<Change>, Vec<Diagnostic>), ChangesError> {
    let _ = source;
    Err(ChangesError)
}
