//! `paring usage --engine`: the statement run by Athena or CloudTrail Lake, and its rows read like a log.
//!
//! Says what is run and what it costs; talking to AWS is for the collecting room, reading rows for that of usage.

#[cfg(feature = "aws")]
mod live;
#[cfg(feature = "aws")]
mod money;

use iam_collect::{QueryPlan, query_policy};
use iam_model::time::Timestamp;
use iam_usage::Period;

use crate::cli::{Query, QueryEngine, Usage};
use crate::commands::Outcome;
use crate::error::CliError;
use crate::terminal::Terminal;

#[cfg(feature = "aws")]
pub(super) use live::{dry_run, read};

/// The table's name, where none is given.
const TABLE: &str = "cloudtrail";

/// The days that are asked for.
fn days(arguments: &Usage) -> Result<Period, CliError> {
    let period = Period {
        since: whole_day(arguments.window.since, 0)?.unwrap_or(Timestamp::from_epoch_seconds(0)),
        until: whole_day(arguments.window.until, 86_399)?.unwrap_or(Timestamp::from_epoch_seconds(253_402_300_799)),
    };
    if period.since > period.until {
        return Err(CliError::user("--since is after --until").hint("give the first day with --since"));
    }
    Ok(period)
}

/// What the records are in: a table, or the id of a store.
fn of(engine: QueryEngine, query: &Query) -> String {
    match (engine, &query.event_data_store) {
        (QueryEngine::CloudtrailLake, Some(store)) => {
            store.resource().strip_prefix("eventdatastore/").unwrap_or_default().to_owned()
        }
        _ => table(query),
    }
}

/// A time that starts or ends a day; rows stand for days.
fn whole_day(time: Option<Timestamp>, second: i64) -> Result<Option<Timestamp>, CliError> {
    match time {
        Some(time) if time.epoch_seconds().rem_euclid(86_400) != second => {
            Err(CliError::user(format!("--engine reads whole days, and {time} is within one"))
                .hint("give days: --since 2026-11-01 --until 2026-11-03"))
        }
        _ => Ok(time),
    }
}

fn table(query: &Query) -> String {
    query.table.clone().unwrap_or_else(|| TABLE.to_owned())
}

/// Prints the policy that the options need.
pub(super) fn print_policy(
    engine: QueryEngine,
    arguments: &Usage,
    terminal: &mut Terminal,
) -> Result<Outcome, CliError> {
    let query = &arguments.query;
    let plan = match (engine, &query.event_data_store) {
        (QueryEngine::CloudtrailLake, Some(store)) => QueryPlan::Lake { store: store.clone() },
        _ => {
            let place = |place: &Option<String>| place.as_deref()?.strip_prefix("s3://").map(ToOwned::to_owned);
            let logs = place(&query.location).ok_or_else(|| {
                CliError::user("the policy must name where the table's logs lie")
                    .hint("add --location s3://BUCKET/PREFIX, the LOCATION of the table")
            })?;
            let results = place(&query.output);
            if results.is_none() {
                terminal.note("results: with --output, the policy lets them be written and read there; AWS-managed ones need nothing");
            }
            let named = |name: &Option<String>| name.clone().unwrap_or_default();
            let (database, workgroup) = (named(&query.database), named(&query.workgroup));
            QueryPlan::Athena { database, table: table(query), workgroup, logs, results }
        }
    };
    let mut policy = query_policy(&plan);
    policy.push('\n');
    terminal.data(&policy)?;
    Ok(Outcome::Clean)
}

#[cfg(not(feature = "aws"))]
mod without {
    use iam_model::catalog::Catalog;
    use iam_model::diagnostic::Diagnostic;
    use iam_model::usage::UsageLog;
    use iam_usage::Options;

    use super::{CliError, Outcome, QueryEngine, Terminal, Usage, days, of};

    fn no_clients(engine: QueryEngine, arguments: &Usage) -> CliError {
        let (name, dialect) = match engine {
            QueryEngine::Athena => ("Athena", "athena"),
            QueryEngine::CloudtrailLake => ("CloudTrail Lake", "cloudtrail-lake"),
        };
        match days(arguments) {
            Err(error) => error,
            Ok(_) => CliError::user(format!("this build cannot reach {name}: it holds no AWS clients"))
                .hint("take a released binary, or build with `cargo build --release --features aws`")
                .hint(format!(
                    "or run the statement yourself (`paring usage sql --dialect {dialect} --table {}`) and read its result: \
                     `paring usage result.csv`",
                    of(engine, &arguments.query)
                )),
        }
    }

    /// What an engine would scan cannot be said without it.
    pub(in super::super) fn dry_run(
        engine: QueryEngine,
        arguments: &Usage,
        _: &mut Terminal,
    ) -> Result<Outcome, CliError> {
        Err(no_clients(engine, arguments))
    }

    /// No engine can be reached.
    pub(in super::super) fn read(
        engine: QueryEngine,
        arguments: &Usage,
        _: (&Catalog, &Options),
        _: &mut Terminal,
        _: &mut Vec<Diagnostic>,
    ) -> Result<UsageLog, CliError> {
        Err(no_clients(engine, arguments))
    }
}

#[cfg(not(feature = "aws"))]
pub(super) use without::{dry_run, read};
