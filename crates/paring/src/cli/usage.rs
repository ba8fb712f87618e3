//! Arguments of `paring usage`, and the option that names AWS's own record of last uses.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use iam_model::arn::AccountId;
use iam_model::time::Timestamp;
use sha2::{Digest, Sha256};

use super::{CatalogFile, Format, Query};

/// AWS's own record of last uses.
#[derive(Debug, Clone, Args)]
pub(crate) struct LastAccessedFiles {
    /// What `aws iam get-service-last-accessed-details` printed, a file for each role, or a folder of them
    #[arg(long = "last-accessed", value_name = "PATH", num_args = 1.., help_heading = "Input")]
    pub(crate) files: Vec<PathBuf>,
}

/// What was seen: logs in, a table or JSON out.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Usage {
    #[command(subcommand)]
    pub(crate) other: Option<UsageOther>,

    /// CloudTrail files, folders or globs (`logs/**/*.gz`): .json, .json.gz, or a query's rows as .csv, .jsonl or .parquet; any layout; `-` is standard input
    #[arg(value_name = "LOGS", required_unless_present = "engine", help_heading = "Input")]
    pub(crate) logs: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) window: Window,

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

    /// Read only this share of the files, such as 3/16: for AWS Batch, Lambda, ECS or xargs. Which share a file is in
    /// depends on its name alone, by account and day where CloudTrail named it; `paring usage merge` puts the shares together
    #[arg(long, value_name = "I/N", value_parser = shard, help_heading = "Scale")]
    pub(crate) shard: Option<Shard>,

    /// Read only files that this one does not name yet, and keep in it what was read; a run that is killed goes on from it
    #[arg(long, value_name = "FILE", help_heading = "Scale")]
    pub(crate) state: Option<PathBuf>,

    /// With --state: write it each time this many megabytes of logs were read
    #[arg(long, value_name = "MB", default_value_t = 64, requires = "state", help_heading = "Scale")]
    pub(crate) checkpoint: u64,

    #[command(flatten)]
    pub(crate) query: Query,

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

/// Other things to do with usage than reading logs.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum UsageOther {
    /// Put saved usage logs together: shares, or the parts of a partition by day or account, give what one run gives
    Merge(UsageMerge),
    /// Print the same aggregation as SQL, for engines that sit where the logs are; `paring usage` reads its result
    Sql(UsageSql),
}

/// A statement, the table it reads, or a job that runs it.
#[derive(Debug, Clone, Args)]
pub(crate) struct UsageSql {
    /// The engine
    #[arg(long, value_name = "ENGINE", help_heading = "Input")]
    pub(crate) dialect: SqlDialect,

    /// The table that holds the records; of CloudTrail Lake, the id of the event data store
    #[arg(long, value_name = "NAME", default_value = "cloudtrail", value_parser = table, help_heading = "Input")]
    pub(crate) table: String,

    /// The first day to read
    #[arg(long, value_name = "DAY", default_value = "1970-01-01", value_parser = since, help_heading = "Input")]
    pub(crate) since: Timestamp,

    /// The last day to read
    #[arg(long, value_name = "DAY", default_value = "9999-12-31", value_parser = until, help_heading = "Input")]
    pub(crate) until: Timestamp,

    /// Print what makes the table instead, with a partition for each day
    #[arg(long, help_heading = "Output")]
    pub(crate) ddl: bool,

    /// Of Spark: print a job that `spark-submit` takes instead, complete in itself
    #[arg(long, conflicts_with = "ddl", help_heading = "Output")]
    pub(crate) job: bool,
}

/// The engines that a statement is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum SqlDialect {
    /// Amazon Athena, over a table of CloudTrail's logs
    Athena,
    /// Trino, over the same table
    Trino,
    /// Spark 3.4 or later: EMR, Glue, Databricks, or a cluster of your own
    Spark,
    /// CloudTrail Lake, for those who have it: closed to new customers since 31 May 2026
    CloudtrailLake,
    /// DuckDB: the statement on one machine
    Duckdb,
}

/// A table's name, which is put into the statement as it is.
fn table(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-\"`".contains(c);
    if !text.is_empty() && !text.contains("--") && text.chars().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err("a name of letters, digits, `_`, `.` and `-` is expected".to_owned())
    }
}

/// Saved usage logs in, one out.
#[derive(Debug, Clone, Args)]
pub(crate) struct UsageMerge {
    /// What `paring usage --format json` wrote, any number of them, in any order; `-` is standard input
    #[arg(value_name = "FILE", required = true, help_heading = "Input")]
    pub(crate) files: Vec<PathBuf>,

    /// Where the whole goes [default: standard output]
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
}

/// A share of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shard {
    pub(crate) index: u64,
    pub(crate) of: u64,
}

impl Shard {
    /// Whether a file is in the share: by the account and day in the name of a file of CloudTrail's own, so that what was
    /// delivered twice on a day meets in one share, else by its path below the folder named.
    pub(crate) fn holds(self, relative: &str) -> bool {
        let digest: [u8; 32] = Sha256::digest(account_and_day(relative).as_deref().unwrap_or(relative)).into();
        let number = digest.first_chunk().map_or(0, |first| u64::from_be_bytes(*first));
        number % self.of == self.index
    }
}

/// Account and day of `111122223333_CloudTrail_us-east-1_20261120T0815Z_x.json.gz`.
fn account_and_day(path: &str) -> Option<String> {
    let (account, rest) = path.rsplit(['/', '\\']).next()?.split_once("_CloudTrail_")?;
    let (day, _) = rest.split('_').nth(1)?.split_once('T')?;
    let digits = |text: &str, length: usize| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(account, 12) && digits(day, 8)).then(|| format!("{account}/{day}"))
}

/// `3/16`. Numbers from 0 and numbers from 1 both name every share once.
fn shard(text: &str) -> Result<Shard, String> {
    let number = |part: &str| part.parse::<u64>().ok();
    match text.split_once('/').and_then(|(index, of)| Some((number(index)?, number(of)?))) {
        Some((index, of)) if of > 0 && index <= of => Ok(Shard { index: index % of, of }),
        _ => Err("a share and how many there are is expected, such as 3/16".to_owned()),
    }
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

/// Which of the logs are read.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Window {
    /// Leave out events before this day or time, such as 2026-11-20 or 2026-11-20T08:00:00Z
    #[arg(long, value_name = "TIME", value_parser = since, help_heading = "Input")]
    pub(crate) since: Option<Timestamp>,

    /// Leave out events after this day or time
    #[arg(long, value_name = "TIME", value_parser = until, help_heading = "Input")]
    pub(crate) until: Option<Timestamp>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_delivered_twice_on_a_day_is_in_one_share() {
        let path = |region: &str, time: &str| {
            format!(
                "AWSLogs/111122223333/CloudTrail/{region}/111122223333_CloudTrail_{region}_20261120T{time}Z_x{time}.json.gz"
            )
        };
        let share = |path: &str| (0..16).position(|index| Shard { index, of: 16 }.holds(path));
        assert_eq!(share(&path("us-east-1", "0815")), share(&path("eu-west-1", "2355")));
        assert_eq!(account_and_day(&path("us-east-1", "0815")).as_deref(), Some("111122223333/20261120"));
        assert_eq!(account_and_day("logs/events.json"), None);
    }
}
