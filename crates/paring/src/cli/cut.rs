//! Arguments of `paring cut`.

use std::path::PathBuf;

use clap::Args;

use super::Format;

/// Ways to someone, and the least that breaks them all. Exits 1 where a way is left.
#[derive(Debug, Clone, Args)]
pub(crate) struct Cut {
    /// Where the ways end: `admin`, or a user or role by name or ARN
    #[arg(long, value_name = "END", default_value = "admin", help_heading = "Ways")]
    pub(crate) to: String,

    /// Where they start: a user or role by name or ARN (can be repeated) [default: everyone]
    #[arg(long, value_name = "START", help_heading = "Ways")]
    pub(crate) from: Vec<String>,

    /// What the account looks like: a snapshot file, a folder of AWS CLI output, or `-`
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub(crate) snapshot: PathBuf,

    /// CloudTrail files or folders, .json or .json.gz, any layout; what they show in use stays
    #[arg(long, value_name = "PATH", num_args = 1.., help_heading = "Input")]
    pub(crate) trail: Vec<PathBuf>,

    /// The settings file [default: paring.toml, where there is one]
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) config: Option<PathBuf>,

    /// Days the logs must span before anything unseen counts as unused [default: 30]
    #[arg(long, value_name = "DAYS", help_heading = "Judgement")]
    pub(crate) min_days: Option<u64>,

    /// How to print the cut; json is a file of changes, as `paring patch --changes` takes it
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub(crate) format: Format,
}
