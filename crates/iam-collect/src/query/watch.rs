//! A query's run: started, looked at until it ends, and cancelled where it may not go on.
//!
//! Whoever asked waits here. What the rows are is for others.

use std::time::{Duration, Instant};

use super::Order;
use super::client::{Client, Look, ROUNDS, State, again};
use super::error::{Ended, QueryError, advice, bounded};
use super::estimate::Scan;
use super::stop::{Stop, Stopped};
use crate::connect::{Connection, Pace, jittered};
use crate::live::answer::Failure;

/// How long cancelling may take, with all retries.
const CANCELLING: Duration = Duration::from_secs(30);

/// What is to be told of a run on its way.
#[derive(Debug)]
pub enum Seen<'s> {
    /// What it would scan.
    Estimated(&'s Scan),
    /// It is started, under an id.
    Started(&'s str),
    /// It waits for its turn.
    Queued,
    /// It runs, and scanned so much, where AWS says.
    Running(Option<u64>),
}

/// One run.
pub(super) struct Run<'r> {
    pub(super) connection: &'r Connection,
    pub(super) client: &'r Client,
    pub(super) order: &'r Order,
    pub(super) pace: Pace,
    pub(super) stop: &'r Stop,
}

impl Run<'_> {
    /// Starts the query and waits for its end; its id, and what it scanned.
    pub(super) fn to_its_end(&self, told: &mut dyn FnMut(&Seen)) -> Result<(String, Option<u64>), QueryError> {
        let ends = Instant::now() + self.order.timeout;
        let id = self.started()?;
        told(&Seen::Started(&id));
        let mut scanned = None;
        match self.watched(&id, ends, &mut scanned, told) {
            Ok(()) => Ok((id, scanned)),
            Err(Over::Ended(error)) => Err(error),
            Err(Over::Cancel(why)) => Err(self.cancelled(&id, why, scanned)),
        }
    }

    /// Starts the query, once.
    fn started(&self) -> Result<String, QueryError> {
        let (client, wait, stop) = (self.client.clone(), self.pace.wait, self.stop.clone());
        let started = self.connection.wait(async move {
            let mut round = 0;
            loop {
                // Only the waits are cut short by the wish to stop: a query whose id is lost cannot be cancelled.
                match client.start().await {
                    Err(failure) if failure.passing && round < ROUNDS => {
                        if stop.or(tokio::time::sleep(jittered(wait, round))).await.is_err() {
                            let message = format!("interrupted; before: {}", failure.message);
                            return Err(Failure { message, ..failure });
                        }
                        round += 1;
                    }
                    other => return other,
                }
            }
        })?;
        started.map_err(|failure| self.not_started(&failure))
    }

    fn not_started(&self, failure: &Failure) -> QueryError {
        let reason = bounded(&format!("{}: {}", failure.code, failure.message));
        let engine = self.order.engine.name();
        QueryError::NotStarted { engine, maybe: failure.code == crate::live::answer::NO_ANSWER, reason }
    }

    fn watched(
        &self,
        id: &str,
        ends: Instant,
        scanned: &mut Option<u64>,
        told: &mut dyn FnMut(&Seen),
    ) -> Result<(), Over> {
        let mut round = 0;
        loop {
            let look = self.look(id, ends)?;
            *scanned = look.scanned.or(*scanned);
            let (engine, id) = (self.order.engine.name(), id.to_owned());
            match look.state {
                State::Done => return Ok(()),
                State::Failed(reason) => {
                    let (advice, reason) = (advice(&reason), bounded(&reason));
                    return Err(Over::Ended(QueryError::Failed { engine, id, reason, advice, scanned: *scanned }));
                }
                State::Cancelled(reason) => {
                    let (advice, reason) = (advice(&reason), bounded(&reason));
                    let ended = QueryError::CancelledElsewhere { engine, id, reason, advice, scanned: *scanned };
                    return Err(Over::Ended(ended));
                }
                State::Queued => told(&Seen::Queued),
                State::Running => told(&Seen::Running(*scanned)),
            }
            if let (Some(budget), Some(scanned)) = (self.order.budget, *scanned)
                && scanned > budget
            {
                return Err(Over::Cancel(Ended::Budget(budget)));
            }
            self.pause(round, ends)?;
            round = (round + 1).min(5);
        }
    }

    /// A look at the query, asked for again where that fails in passing.
    fn look(&self, id: &str, ends: Instant) -> Result<Look, Over> {
        let (client, wait, id) = (self.client.clone(), self.pace.wait, id.to_owned());
        let look = self.until(ends, async move { again(wait, || client.look(&id)).await })?;
        look.map_err(|Failure { code, message, .. }| {
            Over::Cancel(Ended::Unwatched(bounded(&format!("{code}: {message}"))))
        })
    }

    fn pause(&self, round: u32, ends: Instant) -> Result<(), Over> {
        let pause = jittered(self.pace.pause, round);
        self.until(ends, async move { tokio::time::sleep(pause).await })
    }

    /// Waits for work, but not over the time limit nor against the wish to stop.
    fn until<T: Send + 'static>(
        &self,
        ends: Instant,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Over> {
        let stop = self.stop.clone();
        let done = self.connection.wait(async move { stop.or(tokio::time::timeout_at(ends.into(), work)).await });
        match done {
            Ok(Ok(Ok(done))) => Ok(done),
            Ok(Ok(Err(_))) => Err(Over::Cancel(Ended::Late(self.order.timeout))),
            Ok(Err(Stopped)) => Err(Over::Cancel(Ended::Interrupted)),
            Err(lost) => Err(Over::Cancel(Ended::Unwatched(lost.to_string()))),
        }
    }

    /// Cancels the query, and says what it scanned until then.
    fn cancelled(&self, id: &str, why: Ended, scanned: Option<u64>) -> QueryError {
        let (client, wait, asked) = (self.client.clone(), self.pace.wait, id.to_owned());
        let done = self.connection.wait(async move {
            let cancelled = tokio::time::timeout(CANCELLING, again(wait, || client.cancel(&asked))).await;
            let look = tokio::time::timeout(CANCELLING, client.look(&asked)).await;
            (cancelled, look)
        });
        let (failed, last) = match done {
            Ok((cancelled, look)) => {
                let look = look.ok().and_then(Result::ok);
                let over = look.as_ref().is_some_and(|look| !matches!(look.state, State::Queued | State::Running));
                let failed = match cancelled {
                    Ok(Ok(())) => None,
                    // It ended by itself in the meantime.
                    _ if over => None,
                    Ok(Err(failure)) => Some(bounded(&format!("{}: {}", failure.code, failure.message))),
                    Err(_) => Some("no answer came".to_owned()),
                };
                (failed, look.and_then(|look| look.scanned))
            }
            Err(lost) => (Some(lost.to_string()), None),
        };
        let scanned = last.max(scanned);
        QueryError::Cancelled { engine: self.order.engine.name(), id: id.to_owned(), why, scanned, failed }
    }
}

/// Why there are no rows.
enum Over {
    /// The query is over.
    Ended(QueryError),
    /// It is not, and must not go on.
    Cancel(Ended),
}
