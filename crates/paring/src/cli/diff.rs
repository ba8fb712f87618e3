//! Arguments of `paring diff`.

use std::path::PathBuf;

use clap::Args;

use super::Format;

/// What two policies, two snapshots or two templates, or the two sides of a change set, allow differently. Exits 0 where nothing is gained, 1 where something is
/// or nobody knows.
#[derive(Debug, Clone, Args)]
pub(crate) struct Diff {
    /// Before: a policy, a snapshot (a file or a folder of AWS CLI output), or a template (a file or a folder); or alone, what
    /// `aws cloudformation describe-change-set --include-property-values` printed
    #[arg(value_name = "OLD")]
    pub(crate) old: PathBuf,

    /// After: the same kind of thing
    #[arg(value_name = "NEW")]
    pub(crate) new: Option<PathBuf>,

    /// Exit 1 also where something is lost
    #[arg(long, help_heading = "Output")]
    pub(crate) fail_on_lost: bool,

    /// How to print the difference
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub(crate) format: Format,
}
