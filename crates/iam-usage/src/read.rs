//! Reads many logs: files in parallel, records one at a time, counts put together at the end.
//!
//! Every record is counted in exactly one place: it gave observations, it was skipped with a reason, or nothing
//! explains it. A file that cannot be read to its end is reported, what was read of it counts, and the run goes on.

use std::sync::{Mutex, PoisonError};

use iam_model::catalog::Catalog;
use iam_model::diagnostic::Diagnostic;
use iam_model::usage::UsageLog;

use crate::names::day_of_path;
use crate::options::{Options, Progress};
use crate::seen::{Scope, Seen};
use crate::source::LogSource;
use crate::worker::{Counted, Shared, Worker};

/// Reads CloudTrail logs into what each role did.
///
/// The result does not depend on the order of the sources nor on the number of threads. Sources whose name says that
/// they are digest or Insight files are not opened.
///
/// ```
/// use iam_model::catalog::Catalog;
/// use iam_usage::{LogSource, Options, read};
/// let log = br#"{"Records": [{"eventID": "1", "eventTime": "2026-11-20T08:15:30Z", "eventSource": "dynamodb.amazonaws.com",
///   "eventName": "PutItem", "awsRegion": "eu-west-1", "recipientAccountId": "111122223333",
///   "requestParameters": {"tableName": "Orders"}, "userIdentity": {"type": "AssumedRole",
///     "arn": "arn:aws:sts::111122223333:assumed-role/orders-role/orders",
///     "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/orders-role"}}}}]}"#;
/// let sources = vec![LogSource::from_bytes("trail.json", log.to_vec())];
/// let catalog = Catalog::embedded().unwrap();
/// let (usage, diagnostics) = read(sources, &catalog, &Options::default(), &|_| {});
/// assert!(diagnostics.is_empty());
/// let observation = &usage.principals.values().next().unwrap().observations[0];
/// assert_eq!(observation.action.as_str(), "dynamodb:PutItem");
/// assert_eq!(observation.resources[0].as_str(), "arn:aws:dynamodb:eu-west-1:111122223333:table/Orders");
/// ```
pub fn read(
    sources: impl IntoIterator<Item = LogSource>,
    catalog: &Catalog,
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) -> (UsageLog, Vec<Diagnostic>) {
    let mut sources: Vec<LogSource> = sources.into_iter().collect();
    in_order(&mut sources);
    let days: Vec<(Option<i64>, u64)> =
        sources.iter().map(|source| (day_of_path(source.name().as_str()), source.packed_size())).collect();
    let scoped = sources.iter().zip(Scope::of_all(&days)).collect();
    let queue = Queue { sources: scoped, forgets: true };
    let threads = Threads::new(options.threads);
    let (counted, _) = count(&queue, Seen::default(), catalog, options, &threads, progress);
    // What was only needed for reading is gone before the result is made, which takes as much room again.
    drop(queue);
    drop(sources);
    let Counted { tally, mut diagnostics } = counted;
    diagnostics.sort();
    diagnostics.dedup();
    let mut log = threads.install(|| tally.into_log());
    log.merging.filter = options.filter();
    (log, diagnostics)
}

/// Puts sources into the order they are read in: by day, then by name.
pub(crate) fn in_order(sources: &mut [LogSource]) {
    sources.sort_by_cached_key(|source| (day_of_path(source.name().as_str()), source.name().clone()));
}

/// Counts all that a queue holds; and what was seen before and is now.
pub(crate) fn count(
    queue: &Queue<'_>,
    seen: Seen,
    catalog: &Catalog,
    options: &Options,
    threads: &Threads,
    progress: &(dyn Fn(Progress) + Sync),
) -> (Counted, Seen) {
    let taking = Taking::new(queue, threads.number());
    let shared = Shared::new(options, catalog, progress, seen);
    let work = |thread: usize| {
        let mut worker = Worker::new(&shared);
        while let Some((source, scope)) = taking.next(thread, &shared.seen) {
            worker.read(source, scope);
        }
        worker.finish()
    };
    let counted = match &threads.0 {
        Some(pool) => pool.broadcast(|thread| work(thread.index())),
        None => vec![work(0)],
    };
    let seen = shared.seen;
    (threads.install(|| counted.into_iter().reduce(Counted::together).unwrap_or_default()), seen)
}

/// The threads of a run; none of its own where it has but one.
pub(crate) struct Threads(Option<rayon::ThreadPool>);

impl Threads {
    /// So many; 0 means one for each core.
    pub(crate) fn new(threads: usize) -> Self {
        Self(match threads {
            1 => None,
            threads => rayon::ThreadPoolBuilder::new().num_threads(threads).build().ok(),
        })
    }

    fn number(&self) -> usize {
        self.0.as_ref().map_or(1, rayon::ThreadPool::current_num_threads)
    }

    /// Runs something that may use all of them.
    fn install<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.0 {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }
}

/// Sources in the order they are taken: by day, so that days gone by can be forgotten.
pub(crate) struct Queue<'q> {
    pub(crate) sources: Vec<(&'q LogSource, Scope)>,
    /// Whether days gone by are forgotten.
    pub(crate) forgets: bool,
}

/// A queue that threads take from.
struct Taking<'q> {
    queue: &'q Queue<'q>,
    state: Mutex<State>,
}

/// Who reads what.
struct State {
    next: usize,
    /// The first day each thread may still ask for copies of; `i64::MIN` where that is any.
    reading: Vec<i64>,
}

impl<'q> Taking<'q> {
    fn new(queue: &'q Queue<'q>, threads: usize) -> Self {
        Self { queue, state: Mutex::new(State { next: 0, reading: vec![i64::MIN; threads] }) }
    }

    /// The next source for a thread, which is done with the one before.
    fn next(&self, thread: usize, seen: &Seen) -> Option<(&'q LogSource, Scope)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = self.queue.sources.get(state.next).copied();
        state.next += 1;
        let before = state.reading.get(thread).copied().unwrap_or(i64::MIN);
        let first_day = taken.map_or(i64::MAX, |(_, scope)| scope.first_day().unwrap_or(before));
        if let Some(own) = state.reading.get_mut(thread) {
            *own = first_day;
        }
        let first_of_all = state.reading.iter().copied().min().unwrap_or(i64::MIN);
        drop(state);
        if self.queue.forgets {
            seen.forget_before(first_of_all);
        }
        taken
    }
}
