//! The catalogue of AWS actions a run uses: the built-in one, or a file the user names.

use std::path::Path;

use iam_model::catalog::Catalog;

use crate::cli::CatalogFile;
use crate::error::CliError;

/// The catalogue the arguments ask for.
pub(crate) fn load(file: &CatalogFile) -> Result<Catalog, CliError> {
    match &file.path {
        Some(path) => read(path),
        None => embedded(),
    }
}

/// The built-in catalogue.
pub(crate) fn embedded() -> Result<Catalog, CliError> {
    Catalog::embedded().map_err(|e| CliError::user(format!("the built-in catalogue cannot be used: {e}")))
}

/// Reads a catalogue file.
pub(crate) fn read(path: &Path) -> Result<Catalog, CliError> {
    let hint = "a catalogue file is made by `cargo xtask catalog`";
    let bytes = std::fs::read(path).map_err(|e| CliError::user(format!("`{}`: {e}", path.display())).hint(hint))?;
    Catalog::from_bytes(&bytes).map_err(|e| CliError::user(format!("`{}`: {e}", path.display())).hint(hint))
}
