//! `paring usage --engine`: the statement run by Athena or CloudTrail Lake, and its rows read like a log.
//!
//! Says what is run and what it costs; talking to AWS is for the collecting room, reading rows for that of usage.

#[cfg(feature = "aws")]
mod live;

use iam_collect::price::{ATHENA_LEAST_MEGABYTES, LIST_PRICE_OF, Price};
use iam_collect::{QueryPlan, query_policy};
use iam_model::time::Timestamp;
use iam_usage::{Dialect, Period, statement};

use crate::cli::{Query, QueryEngine, Usage};
use crate::commands::Outcome;
use crate::error::CliError;
use crate::terminal::Terminal;

#[cfg(feature = "aws")]
pub(super) use live::{dry_run, read};

/// The table's name, where none is given.
const TABLE: &str = "cloudtrail";

/// A statement and the days that it reads.
struct Asked {
    text: String,
    period: Period,
    /// What its records are in: a table or a store.
    of: String,
}

/// What an engine is asked, from the arguments.
fn asked(engine: QueryEngine, arguments: &Usage) -> Result<Asked, CliError> {
    let period = Period {
        since: whole_day(arguments.since, 0)?.unwrap_or(Timestamp::from_epoch_seconds(0)),
        until: whole_day(arguments.until, 86_399)?.unwrap_or(Timestamp::from_epoch_seconds(253_402_300_799)),
    };
    if period.since > period.until {
        return Err(CliError::user("--since is after --until").hint("give the first day with --since"));
    }
    let (dialect, of) = match engine {
        QueryEngine::Athena => (Dialect::Athena, table(&arguments.query)),
        QueryEngine::CloudtrailLake => {
            let store = arguments.query.event_data_store.as_ref();
            let id = store.and_then(|store| store.resource().strip_prefix("eventdatastore/"));
            (Dialect::CloudTrailLake, id.unwrap_or_default().to_owned())
        }
    };
    // A name with a `-` is none in SQL, unless it is quoted.
    let quoted = if dialect == Dialect::Athena && of.contains('-') { format!("\"{of}\"") } else { of.clone() };
    Ok(Asked { text: statement(dialect, &quoted, period), period, of })
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

/// What bytes cost.
struct Cost {
    price: Price,
    /// Megabytes that are billed at least.
    least: u64,
    /// Whose price it is.
    whose: &'static str,
}

impl Cost {
    fn new(engine: QueryEngine, query: &Query) -> Self {
        let least = if engine == QueryEngine::Athena { ATHENA_LEAST_MEGABYTES } else { 0 };
        let whose = if query.price_per_tb.is_some() { "your price" } else { LIST_PRICE_OF };
        Self { price: query.price_per_tb.unwrap_or(Price::LIST), least, whose }
    }

    fn of(&self, bytes: u64) -> String {
        format!("{} at {} ({})", self.price.of(bytes, self.least), self.price, self.whose)
    }
}

/// A number of bytes for people.
fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 4] = [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)];
    let exact = grouped(bytes);
    match UNITS.iter().find(|(_, size)| bytes >= *size) {
        Some((unit, size)) => {
            let tenths = u128::from(bytes) * 10 / u128::from(*size);
            format!("{}.{} {unit} ({exact} bytes)", tenths / 10, tenths % 10)
        }
        None => format!("{exact} bytes"),
    }
}

/// A number with its digits in threes.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(not(feature = "aws"))]
mod without {
    use iam_model::catalog::Catalog;
    use iam_model::diagnostic::Diagnostic;
    use iam_model::usage::UsageLog;
    use iam_usage::Options;

    use super::{CliError, Outcome, QueryEngine, Terminal, Usage, asked};

    fn no_clients(engine: QueryEngine, arguments: &Usage) -> CliError {
        let (name, dialect) = match engine {
            QueryEngine::Athena => ("Athena", "athena"),
            QueryEngine::CloudtrailLake => ("CloudTrail Lake", "cloudtrail-lake"),
        };
        match asked(engine, arguments) {
            Err(error) => error,
            Ok(asked) => CliError::user(format!("this build cannot reach {name}: it holds no AWS clients"))
                .hint("take a released binary, or build with `cargo build --release --features aws`")
                .hint(format!(
                    "or run the statement yourself (`paring usage sql --dialect {dialect} --table {}`) and read its result: \
                     `paring usage result.csv`",
                    asked.of
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_shown_in_both_ways() {
        assert_eq!(size(0), "0 bytes");
        assert_eq!(size(999), "999 bytes");
        assert_eq!(size(1_234_567), "1.2 MB (1,234,567 bytes)");
        assert_eq!(size(93_512_334_112), "93.5 GB (93,512,334,112 bytes)");
    }
}
