//! Both engines' calls behind one face: start, look, page, cancel; and asking again what failed in passing.
//!
//! Decides nothing about a query.

use std::time::Duration;

use aws_config::SdkConfig;

use super::{Engine, Order, athena, lake};
use crate::connect::jittered;
use crate::live::answer::Failure;

/// How often a call is made again after the client itself gave up.
pub(super) const ROUNDS: u32 = 6;

/// Rows of a page; what both services give at most.
pub(super) const PAGE: i32 = 1000;

/// One engine's client.
#[derive(Clone)]
pub(super) enum Client {
    Athena(athena::Athena),
    Lake(lake::Lake),
}

/// How a query stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// It waits for its turn.
    Queued,
    Running,
    /// It ended, and there are rows.
    Done,
    /// It ended without, in AWS's words.
    Failed(String),
    /// Somebody or a limit ended it, in AWS's words.
    Cancelled(String),
}

/// A look at a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) state: State,
    /// Bytes scanned until now, where AWS says.
    pub(super) scanned: Option<u64>,
}

/// A page of rows, each with a cell for each column of the order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) rows: Vec<Vec<Option<String>>>,
    /// Where the next page starts.
    pub(super) mark: Option<String>,
    /// Rows of all pages, where AWS says.
    pub(super) total: Option<u64>,
}

impl Client {
    pub(super) fn new(config: &SdkConfig, order: &Order) -> Self {
        match &order.engine {
            Engine::Athena { database, workgroup, output, .. } => Self::Athena(athena::Athena::new(
                config,
                database.clone(),
                workgroup.clone(),
                output.clone(),
                order.statement.clone(),
            )),
            Engine::Lake { .. } => Self::Lake(lake::Lake::new(config, order.statement.clone())),
        }
    }

    /// Starts the query, once, however often this is called; its id.
    pub(super) async fn start(&self) -> Result<String, Failure> {
        match self {
            Self::Athena(client) => client.start().await,
            Self::Lake(client) => client.start().await,
        }
    }

    pub(super) async fn look(&self, id: &str) -> Result<Look, Failure> {
        match self {
            Self::Athena(client) => client.look(id).await,
            Self::Lake(client) => client.look(id).await,
        }
    }

    /// A page of the rows. Other columns than these are no answer.
    pub(super) async fn page(&self, id: &str, mark: Option<String>, columns: &[&'static str]) -> Result<Page, Failure> {
        match self {
            Self::Athena(client) => client.page(id, mark, columns).await,
            Self::Lake(client) => client.page(id, mark, columns).await,
        }
    }

    pub(super) async fn cancel(&self, id: &str) -> Result<(), Failure> {
        match self {
            Self::Athena(client) => client.cancel(id).await,
            Self::Lake(client) => client.cancel(id).await,
        }
    }
}

/// Makes a call until it does not fail in passing, each time after a longer, random wait.
pub(super) async fn again<T, W>(wait: Duration, call: impl Fn() -> W) -> Result<T, Failure>
where
    W: Future<Output = Result<T, Failure>>,
{
    let mut round = 0;
    loop {
        match call().await {
            Err(failure) if failure.passing && round < ROUNDS => {
                tokio::time::sleep(jittered(wait, round)).await;
                round += 1;
            }
            other => return other,
        }
    }
}

/// A count that AWS gives as a signed number.
pub(super) fn count(number: Option<impl TryInto<u64>>) -> Option<u64> {
    number.and_then(|number| number.try_into().ok())
}
