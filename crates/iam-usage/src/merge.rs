//! Usage logs put together: any partition of the logs by day, region or account, read apart, gives what one run over all of
//! them gives. The order and the grouping do not matter, and what was read twice counts once.
//!
//! A log says which sources it was read from. One whose sources others hold already adds nothing; one that shares only some
//! with another cannot be taken apart and is refused. Reads and writes no file.

use iam_model::usage::{SourceDigest, UsageLog};

use crate::hash::hash;
use crate::tally::Tally;

/// Why logs cannot be put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MergeError {
    /// Two logs share some of their sources, and neither holds all of the other's.
    Overlap {
        /// The places of both among the logs given.
        logs: (usize, usize),
        /// How many sources both hold.
        shared: usize,
        /// One of them.
        example: SourceDigest,
    },
    /// Two logs say different things about the same sources.
    Contradiction {
        /// The places of both among the logs given.
        logs: (usize, usize),
    },
    /// Two logs were made with different filters.
    Filters {
        /// The places of both among the logs given.
        logs: (usize, usize),
        /// What each left out, in words; nothing where everything counted.
        filters: (Option<String>, Option<String>),
    },
}

/// What was put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The whole.
    pub log: UsageLog,
    /// The places of logs that added nothing, because others hold all their sources.
    pub absorbed: Vec<usize>,
}

/// Puts logs together.
///
/// # Errors
///
/// [`MergeError`], where a record would be counted twice or evidence would be lost.
///
/// ```
/// use iam_model::usage::UsageLog;
/// let log = UsageLog::default();
/// assert_eq!(iam_usage::merge(vec![log.clone(), log.clone()]).unwrap().log, log);
/// ```
pub fn merge(logs: Vec<UsageLog>) -> Result<Merged, MergeError> {
    let mut logs: Vec<(usize, UsageLog)> = logs.into_iter().map(named).enumerate().collect();
    same_filters(&logs)?;
    // The largest first, so that what another holds comes after it; the order of the rest is fixed by what they hold.
    logs.sort_by(|(_, a), (_, b)| {
        let (a, b) = (&a.merging.sources, &b.merging.sources);
        b.len().cmp(&a.len()).then_with(|| a.cmp(b))
    });
    let filter = logs.first().and_then(|(_, log)| log.merging.filter.clone());
    let mut held: Vec<(SourceDigest, usize)> = Vec::new();
    let mut kept: Vec<(usize, UsageLog)> = Vec::new();
    let mut absorbed = Vec::new();
    for (place, log) in logs {
        match standing(&held, &log.merging.sources) {
            Standing::New => {
                held.extend(log.merging.sources.iter().map(|source| (*source, place)));
                held.sort_unstable();
                kept.push((place, log));
            }
            Standing::Held => {
                let same = kept.iter().find(|(_, other)| other.merging.sources == log.merging.sources);
                if let Some((other, _)) = same.filter(|(_, other)| *other != log) {
                    return Err(MergeError::Contradiction { logs: in_order(*other, place) });
                }
                absorbed.push(place);
            }
            Standing::Shares { with, shared, example } => {
                return Err(MergeError::Overlap { logs: in_order(with, place), shared, example });
            }
        }
    }
    absorbed.sort_unstable();
    let together = kept.into_iter().fold(Tally::default(), |all, (_, log)| all.merge(Tally::of_log(log)));
    let mut log = together.into_log();
    log.merging.filter = filter;
    Ok(Merged { log, absorbed })
}

/// Gives a log that does not say which sources it was read from one source: itself.
fn named(mut log: UsageLog) -> UsageLog {
    let says_something =
        log.records > 0 || log.files + log.unread_files > 0 || !log.skipped.is_empty() || !log.principals.is_empty();
    if log.merging.sources.is_empty() && says_something {
        let day = log.window.map_or(0, |(first, _)| first.day());
        let sum = hash(0, format!("{log:?}").as_bytes());
        log.merging.sources.push(SourceDigest { day, records: log.records, sum });
    }
    log
}

fn same_filters(logs: &[(usize, UsageLog)]) -> Result<(), MergeError> {
    let Some(((first, one), rest)) = logs.split_first() else { return Ok(()) };
    match rest.iter().find(|(_, log)| log.merging.filter != one.merging.filter) {
        Some((other, log)) => Err(MergeError::Filters {
            logs: (*first, *other),
            filters: (one.merging.filter.clone(), log.merging.filter.clone()),
        }),
        None => Ok(()),
    }
}

const fn in_order(a: usize, b: usize) -> (usize, usize) {
    if a < b { (a, b) } else { (b, a) }
}

/// How a log's sources stand to those held.
enum Standing {
    New,
    Held,
    Shares { with: usize, shared: usize, example: SourceDigest },
}

/// Compares sources, each as often as it stands there; both in order.
fn standing(held: &[(SourceDigest, usize)], sources: &[SourceDigest]) -> Standing {
    let mut shared = 0;
    let mut example = None;
    let mut rest = held.iter().peekable();
    for source in sources {
        while rest.next_if(|(own, _)| own < source).is_some() {}
        if let Some((own, with)) = rest.next_if(|(own, _)| own == source) {
            shared += 1;
            example.get_or_insert((*with, *own));
        }
    }
    match example {
        None => Standing::New,
        Some(_) if shared == sources.len() => Standing::Held,
        Some((with, example)) => Standing::Shares { with, shared, example },
    }
}

#[cfg(test)]
mod tests;
