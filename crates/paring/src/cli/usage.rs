//! Arguments of `paring usage`, and the option that names AWS's own record of last uses.

use std::path::PathBuf;

use clap::Args;
use iam_model::arn::AccountId;
use iam_model::time::Timestamp;

use super::{CatalogFile, Format};

/// AWS's own record of last uses.
#[derive(Debug, Clone, Args)]
pub(crate) struct LastAccessedFiles {
    /// What `aws iam get-service-last-accessed-details` printed, a file for each role, or a folder of them
    #[arg(long = "last-accessed", value_name = "PATH", num_args = 1.., help_heading = "Input")]
    pub(crate) files: Vec<PathBuf>,
}

/// What was seen: logs in, a table or JSON out.
#[derive(Debug, Clone, Args)]
pub(crate) struct Usage {
    /// CloudTrail files, folders or globs (`logs/**/*.gz`): .json, .json.gz or exported .csv, any layout
    #[arg(value_name = "LOGS", required = true, help_heading = "Input")]
    pub(crate) logs: Vec<PathBuf>,

    /// Leave out events before this day or time, such as 2026-11-20 or 2026-11-20T08:00:00Z
    #[arg(long, value_name = "TIME", value_parser = since, help_heading = "Input")]
    pub(crate) since: Option<Timestamp>,

    /// Leave out events after this day or time
    #[arg(long, value_name = "TIME", value_parser = until, help_heading = "Input")]
    pub(crate) until: Option<Timestamp>,

    /// Only this role, by name or ARN (can be repeated); it is shown with what it was not seen to do, too
    #[arg(long = "role", value_name = "ROLE", help_heading = "Input")]
    pub(crate) roles: Vec<String>,

    /// Only roles of this account (can be repeated)
    #[arg(long = "account", value_name = "ID", help_heading = "Input")]
    pub(crate) accounts: Vec<AccountId>,

    #[command(flatten)]
    pub(crate) last_accessed: LastAccessedFiles,

    /// What the account looks like; its trails then say what the logs could have shown
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub(crate) snapshot: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) catalog: CatalogFile,

    /// Threads to read with; 0 means one for each core
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Input")]
    pub(crate) threads: usize,

    /// What a line of the table stands for
    #[arg(long, value_name = "WHAT", default_value = "action", help_heading = "Output")]
    pub(crate) by: UsageBy,

    /// How to print what was seen
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    pub(crate) format: Format,
}

/// What a line of the usage table stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum UsageBy {
    /// A role's use of a service
    Service,
    /// A role's use of an action
    Action,
    /// A function's use of an action
    Function,
}

/// A time, or the start of a day.
fn since(text: &str) -> Result<Timestamp, String> {
    moment(text, "00:00:00")
}

/// A time, or the end of a day.
pub(super) fn until(text: &str) -> Result<Timestamp, String> {
    moment(text, "23:59:59")
}

fn moment(text: &str, of_day: &str) -> Result<Timestamp, String> {
    let found = Timestamp::parse(text).or_else(|| Timestamp::parse(&format!("{text}T{of_day}Z")));
    found.ok_or_else(|| "a day (2026-11-20) or a time in UTC (2026-11-20T08:00:00Z) is expected".to_owned())
}
