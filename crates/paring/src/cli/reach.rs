//! Arguments of `paring reach`.

use std::path::PathBuf;

use clap::Args;

use super::Format;

/// The blast radius of a function: what it reaches with its role, by becoming others, and who reaches it.
#[derive(Debug, Clone, Args)]
pub(crate) struct Reach {
    /// The function, by name or ARN
    #[arg(value_name = "FUNCTION")]
    pub(crate) function: String,

    /// What the account looks like: a snapshot file, a folder of AWS CLI output, or `-`
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub(crate) snapshot: PathBuf,

    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub(crate) format: Format,
}
