//! Arguments of `patch` and `locate`: changes and roles on the one side, source files on the other.

use std::path::PathBuf;

use clap::Args;

use super::Format;

/// Changes and sources in; one unified diff out.
#[derive(Debug, Clone, Args)]
pub(crate) struct Patch {
    /// The changes, a `paring-changes/1` file, or `-`
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) changes: PathBuf,

    /// The folder of the source files; the diff applies there
    #[arg(long, value_name = "DIR", help_heading = "Input")]
    pub(crate) iac: PathBuf,

    /// What the account looks like, to find roles by ARN and to write references
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub(crate) snapshot: Option<PathBuf>,

    /// Apply the safe patches to the files in --iac, each as a whole or not at all
    #[arg(long, help_heading = "Output")]
    pub(crate) write: bool,

    /// With --write: also patches that need review
    #[arg(long, requires = "write", help_heading = "Output")]
    pub(crate) all: bool,

    /// With --write: also files with changes that are not committed
    #[arg(long, requires = "write", help_heading = "Output")]
    pub(crate) force: bool,

    /// How to print the outcome: as text, a diff that `git apply` takes
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub(crate) format: Format,
}

/// A role and sources in; places out.
#[derive(Debug, Clone, Args)]
pub(crate) struct Locate {
    /// The role: its ARN or name, or the logical id of it or of its function in a template
    #[arg(value_name = "ROLE")]
    pub(crate) role: String,

    /// The folder of the source files
    #[arg(long, value_name = "DIR", help_heading = "Input")]
    pub(crate) iac: PathBuf,

    /// What the account looks like: then every deployed policy is looked for, and drift is told
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub(crate) snapshot: Option<PathBuf>,

    /// How to print the places
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub(crate) format: Format,
}
