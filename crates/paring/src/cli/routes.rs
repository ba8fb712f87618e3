//! Arguments of `paring routes`.

use std::path::PathBuf;

use clap::Args;

use super::{Format, Threshold};

/// Every route that calls a function over HTTP: what it asks for, the function, and what its role reaches.
///
/// Routes are those of REST and HTTP APIs and of function URLs. One that asks nobody who calls, or of which that is not known, is a
/// finding (`open-route`), as severe as what the function's role reaches; `paring audit` tells them too.
#[derive(Debug, Clone, Args)]
pub(crate) struct Routes {
    /// The folder of the templates: CloudFormation, SAM or the Serverless Framework, without any account
    #[arg(
        long,
        value_name = "DIR",
        help_heading = "Input",
        required_unless_present = "snapshot",
        conflicts_with = "snapshot"
    )]
    pub(crate) iac: Option<PathBuf>,

    /// What the account looks like: a snapshot file, a folder of AWS CLI output, or `-`
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub(crate) snapshot: Option<PathBuf>,

    /// How to print the routes
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub(crate) format: Format,

    /// Exit 1 where a route is a finding at least this severe
    #[arg(long, value_name = "SEVERITY", default_value = "medium", help_heading = "Output")]
    pub(crate) fail_on: Threshold,
}
