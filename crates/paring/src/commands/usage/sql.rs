//! `paring usage sql`: the aggregation as a statement for engines that sit where the logs are.

use iam_usage::{Dialect, Period};

use crate::cli::{SqlDialect, UsageSql};
use crate::commands::Outcome;
use crate::error::CliError;
use crate::terminal::Terminal;

/// Prints the statement, the table's definition, or the job.
pub(crate) fn run(arguments: &UsageSql, terminal: &mut Terminal) -> Result<Outcome, CliError> {
    let dialect = match arguments.dialect {
        SqlDialect::Athena | SqlDialect::Trino => Dialect::Athena,
        SqlDialect::Spark => Dialect::Spark,
        SqlDialect::CloudtrailLake => Dialect::CloudTrailLake,
        SqlDialect::Duckdb => Dialect::DuckDb,
    };
    let text = if arguments.job {
        if dialect != Dialect::Spark {
            return Err(CliError::user("only Spark takes a job").hint("leave out --job, or give --dialect spark"));
        }
        iam_usage::job()
    } else if arguments.ddl {
        iam_usage::ddl(dialect, &arguments.table).ok_or_else(|| {
            CliError::user("this engine has no table to make")
                .hint("of Spark, --job prints a job that reads the files; of CloudTrail Lake, --table takes the id")
        })?
    } else {
        iam_usage::statement(dialect, &arguments.table, Period { since: arguments.since, until: arguments.until })
    };
    terminal.data(&text)?;
    Ok(Outcome::Clean)
}
