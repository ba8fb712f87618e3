//! Arguments of the commands that ask the organisation's rules about changes: what they share.

use std::path::PathBuf;

use clap::Args;
use iam_model::time::Timestamp;

/// Logs, rules and waivers.
#[derive(Debug, Clone, Args)]
pub(crate) struct Judging {
    /// CloudTrail files or folders, .json or .json.gz, any layout; `-` is standard input
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with = "usage", help_heading = "Input")]
    pub(crate) trail: Vec<PathBuf>,

    /// What was seen, as `paring usage --format json` prints it, instead of logs
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) usage: Option<PathBuf>,

    /// The settings file [default: paring.toml, where there is one]
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) config: Option<PathBuf>,

    /// A folder of rules in Cedar to use instead of the built-in ones
    #[arg(long, value_name = "DIR", help_heading = "Judgement")]
    pub(crate) rules: Option<PathBuf>,

    /// Accepted objections [default: waivers.toml, where there is one]
    #[arg(long, value_name = "FILE", help_heading = "Judgement")]
    pub(crate) waivers: Option<PathBuf>,

    /// The moment waivers are held against [default: the end of the logs, else now]
    #[arg(long, value_name = "TIME", value_parser = super::usage::until, help_heading = "Judgement")]
    pub(crate) now: Option<Timestamp>,

    /// Who brings the change in: `bot:NAME` or `person:NAME`
    #[arg(long, value_name = "WHO", default_value = "bot:paring", help_heading = "Judgement")]
    pub(crate) author: String,

    /// A person who approved the change (can be repeated)
    #[arg(long = "approved-by", value_name = "NAME", help_heading = "Judgement")]
    pub(crate) approved_by: Vec<String>,

    /// Requests that test a guardrail and what is expected of each, a JSON object a line as `paring guard replay` takes them.
    /// Those count that come out as expected under the changed policy
    #[arg(long, value_name = "FILE", help_heading = "Judgement")]
    pub(crate) tests: Option<PathBuf>,
}
