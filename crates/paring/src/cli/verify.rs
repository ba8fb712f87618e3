//! Arguments of `paring verify`.

use std::path::PathBuf;

use clap::Args;

use super::{Format, Judging};

/// Changes in, four claims out. Exits 0 where every claim is proved, 1 where one is refuted or undecided.
#[derive(Debug, Clone, Args)]
pub(crate) struct Verify {
    /// The changes, a `paring-changes/1` file, or `-`; each of several files is judged on its own
    #[arg(long, value_name = "FILE", num_args = 1.., required = true, help_heading = "Input")]
    pub(crate) changes: Vec<PathBuf>,

    /// What the account looks like: a snapshot file, a folder of AWS CLI output, or `-`
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub(crate) snapshot: PathBuf,

    #[command(flatten)]
    pub(crate) judging: Judging,

    /// How to print the verdict
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub(crate) format: Format,
}
