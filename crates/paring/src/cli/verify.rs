//! Arguments of `paring verify`.

use std::path::PathBuf;

use clap::Args;

use super::{Format, Judging};

/// Changes in, four claims out. Exits 0 where every claim is proved, 1 where one is refuted or undecided.
#[derive(Debug, Clone, Args)]
pub(crate) struct Verify {
    /// The changes, a `paring-changes/1` file, or `-`
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) changes: PathBuf,

    /// What the account looks like: a snapshot file, a folder of AWS CLI output, or `-`
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub(crate) snapshot: PathBuf,

    #[command(flatten)]
    pub(crate) judging: Judging,

    /// How to print the verdict
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub(crate) format: Format,
}
