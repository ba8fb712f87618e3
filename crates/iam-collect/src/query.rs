//! Queries of Athena and CloudTrail Lake: what one would scan, the run of one under watch, and its rows, page by page.
//!
//! Takes the statement and the names of its columns as they are given, and knows nothing of what either means. A query that
//! was started is always watched to its end or cancelled, and rows of which one page is missing are no result.

mod athena;
mod client;
mod error;
mod estimate;
mod lake;
mod rows;
mod stop;
mod watch;

use std::time::Duration;

use aws_config::SdkConfig;
use iam_model::arn::Arn;

use crate::connect::{Connection, Options, Pace, load};
use crate::error::CollectError;
use crate::trail_logs::Days;
use client::Client;
use stop::Stop;

pub use error::{Ended, QueryError};
pub use estimate::{Preview, Scan, WorkGroup};
pub use rows::Answer;
pub use watch::Seen;

/// Who runs the statement, and over what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Engine {
    /// Amazon Athena.
    Athena {
        /// The database the statement's table is in.
        database: String,
        /// The table.
        table: String,
        /// The workgroup, whose limits and results' place hold.
        workgroup: String,
        /// Where results go, as `s3://bucket/prefix`, where the workgroup says nothing.
        output: Option<String>,
        /// Where the table's logs lie, as `s3://bucket/prefix`, where the table is not to be asked.
        logs: Option<String>,
    },
    /// CloudTrail Lake, with its event data store.
    Lake {
        /// The store.
        store: Arn,
    },
}

impl Engine {
    /// What people call it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Athena { .. } => "Athena",
            Self::Lake { .. } => "CloudTrail Lake",
        }
    }
}

/// A row's columns, by name; nothing stands for NULL.
pub type Columns<'c> = [(&'static str, Option<&'c str>)];

/// What is run.
#[derive(Debug, Clone)]
pub struct Order {
    /// Which credentials, and which region.
    pub options: Options,
    /// Who runs it.
    pub engine: Engine,
    /// The statement.
    pub statement: String,
    /// The names of its columns, in order; a result of others is refused.
    pub columns: &'static [&'static str],
    /// Whether a row can be read; a result with one that cannot is refused whole.
    pub accepts: fn(&Columns<'_>) -> bool,
    /// The days that the statement reads, for the estimate.
    pub days: Days,
    /// Bytes that may be scanned.
    pub budget: Option<u64>,
    /// Whether the budget is only watched, where nothing can be said before.
    pub unestimated: bool,
    /// How long the query may take.
    pub timeout: Duration,
}

/// How long is waited, at the start: looks at a query become rarer.
const PACE: Pace = Pace { wait: Duration::from_secs(2), pause: Duration::from_millis(250) };

/// What the query would scan, and what limits it. Runs nothing.
///
/// # Errors
/// Without credentials or a region.
pub fn preview(order: &Order) -> Result<Preview, QueryError> {
    let connection = Connection::open("query")?;
    preview_with(&connection, &configured(&connection, order)?, order)
}

pub(crate) fn preview_with(connection: &Connection, config: &SdkConfig, order: &Order) -> Result<Preview, QueryError> {
    let (config, order) = (config.clone(), order.clone());
    Ok(connection.wait(async move { estimate::preview(&config, &order).await })?)
}

/// Runs the query to its end; `told` hears of it on the way. Signals to stop, the time limit and the budget cancel it.
///
/// # Errors
/// Where the budget does not allow it, or it does not end well; the error says what was scanned.
pub fn run(order: &Order, told: &mut dyn FnMut(&Seen)) -> Result<Answer, QueryError> {
    let connection = Connection::open("query")?;
    let config = configured(&connection, order)?;
    let stop = Stop::on_signals(&connection);
    run_with(&connection, &config, order, PACE, stop, told)
}

/// As [`run`], with a configuration made before.
pub(crate) fn run_with(
    connection: &Connection,
    config: &SdkConfig,
    order: &Order,
    pace: Pace,
    stop: Stop,
    told: &mut dyn FnMut(&Seen),
) -> Result<Answer, QueryError> {
    if let Some(budget) = order.budget {
        let (asked, wanted) = (config.clone(), order.clone());
        let listening = stop.clone();
        let scan = connection.wait(async move { listening.or(estimate::scan(&asked, &wanted)).await })?;
        let scan = scan.map_err(|_| QueryError::Interrupted)?;
        told(&Seen::Estimated(&scan));
        scan.within(budget, order.unestimated)?;
    }
    let client = Client::new(config, order);
    let run = watch::Run { connection, client: &client, order, pace, stop: &stop };
    let (id, scanned) = run.to_its_end(told)?;
    Ok(Answer::new(connection.clone(), client, order, (id, scanned), (pace, stop)))
}

/// The user's configuration, in the region that the store is in.
fn configured(connection: &Connection, order: &Order) -> Result<SdkConfig, QueryError> {
    let mut options = order.options.clone();
    if let Engine::Lake { store } = &order.engine {
        options.regions = vec![store.region().to_owned()];
    }
    let loaded = connection.wait(async move { load(&options).await })?;
    loaded.map_err(QueryError::from)
}

impl From<std::io::Error> for QueryError {
    fn from(error: std::io::Error) -> Self {
        Self::Unreachable(CollectError::Aws { call: "start".into(), reason: error.to_string() })
    }
}

impl From<CollectError> for QueryError {
    fn from(error: CollectError) -> Self {
        Self::Unreachable(error)
    }
}

#[cfg(test)]
mod tests;
