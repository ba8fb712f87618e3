//! Reading in batches, with a point after each from which another run goes on: what was counted, and which records were
//! seen, so that a record that is delivered again later is told.
//!
//! A batch counts whole or not at all. A source that cannot be read to its end is left for another time, and one that
//! holds just what another held adds nothing. Where all of this is kept is for the shell.

use std::collections::BTreeMap;

use iam_model::catalog::Catalog;
use iam_model::diagnostic::{Code, Diagnostic, Place};
use iam_model::usage::UsageLog;

use crate::options::{Options, Progress};
use crate::read::{Queue, Threads, count, in_order};
use crate::seen::{Scope, Seen};
use crate::source::LogSource;
use crate::tally::Tally;
use crate::worker::Counted;

/// Records remembered between batches; the oldest days are forgotten first.
const MOST_REMEMBERED: usize = 1 << 20;

/// Fingerprints of records by the day of the event, counted from the epoch.
pub type Remembered = BTreeMap<i64, Vec<u64>>;

/// What was read so far.
#[derive(Debug, Clone, Default)]
pub struct Ongoing {
    /// What was counted.
    pub log: UsageLog,
    /// Records that are told when they come again.
    pub remembered: Remembered,
}

/// How a batch went.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Names of sources that count now, or hold nothing new.
    pub read: Vec<String>,
    /// Names of sources that could not be read to their end; nothing of them counts.
    pub left: Vec<String>,
    /// What was not understood.
    pub diagnostics: Vec<Diagnostic>,
}

impl Ongoing {
    /// Reads a batch of sources and counts them.
    ///
    /// ```
    /// use iam_model::catalog::Catalog;
    /// use iam_usage::{LogSource, Ongoing, Options};
    /// let catalog = Catalog::embedded().unwrap();
    /// let mut ongoing = Ongoing::default();
    /// let source = || vec![LogSource::from_bytes("trail.json", br#"{"Records": []}"#.to_vec())];
    /// let batch = ongoing.read(source(), &catalog, &Options::default(), &|_| {});
    /// assert_eq!((batch.read.len(), ongoing.log.files), (1, 1));
    /// ```
    pub fn read(
        &mut self,
        mut sources: Vec<LogSource>,
        catalog: &Catalog,
        options: &Options,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Batch {
        in_order(&mut sources);
        let mut batch = Batch::default();
        let all: Vec<&LogSource> = sources.iter().collect();
        let taken = self.take(&all, catalog, options, progress, &mut batch);
        if !taken {
            // One of them is not to count: which, is told one by one.
            for source in &sources {
                let taken = self.take(&[source], catalog, options, &|_| {}, &mut batch);
                if !taken {
                    self.leave(source, catalog, options, &mut batch);
                }
            }
        }
        self.forget();
        self.log.merging.filter = options.filter();
        batch.diagnostics.sort();
        batch.diagnostics.dedup();
        batch
    }

    /// Counts sources, if all of them are to count.
    fn take(
        &mut self,
        sources: &[&LogSource],
        catalog: &Catalog,
        options: &Options,
        progress: &(dyn Fn(Progress) + Sync),
        batch: &mut Batch,
    ) -> bool {
        let (counted, seen) = counted(sources, &self.remembered, catalog, options, progress);
        if is_broken(&counted) || self.holds_any(&counted) {
            return false;
        }
        let before = Tally::of_log(std::mem::take(&mut self.log));
        self.log = before.merge(counted.tally).into_log();
        self.remembered = seen.remembered();
        batch.read.extend(sources.iter().map(|source| source.name().as_str().to_owned()));
        batch.diagnostics.extend(counted.diagnostics);
        true
    }

    /// Says why a source does not count.
    fn leave(&self, source: &LogSource, catalog: &Catalog, options: &Options, batch: &mut Batch) {
        let (counted, _) = counted(&[source], &Remembered::new(), catalog, options, &|_| {});
        let name = source.name().as_str().to_owned();
        if is_broken(&counted) {
            batch.left.push(name);
        } else {
            batch.read.push(name);
            let message = "it holds just the records of a log that was read before, and adds nothing";
            batch.diagnostics.push(Diagnostic::note(Code::LogRepeated, Place::whole(source.name().clone()), message));
        }
        batch.diagnostics.extend(counted.diagnostics);
    }

    /// Whether records of some source were counted before, under another name, or stand there twice: where a batch ends
    /// must not matter.
    fn holds_any(&self, counted: &Counted) -> bool {
        let held = &self.log.merging.sources;
        let mut own: Vec<_> = counted.tally.sources.iter().filter(|source| source.records > 0).collect();
        own.sort();
        let twice = own.windows(2).any(|two| matches!(two, [a, b] if a == b));
        twice || own.iter().any(|source| held.binary_search(source).is_ok())
    }

    /// Forgets the oldest days where there are too many records. What is forgotten depends on what was read alone.
    fn forget(&mut self) {
        let mut records: usize = self.remembered.values().map(Vec::len).sum();
        while records > MOST_REMEMBERED {
            let Some((_, forgotten)) = self.remembered.pop_first() else { return };
            records -= forgotten.len();
        }
    }
}

fn counted(
    sources: &[&LogSource],
    remembered: &Remembered,
    catalog: &Catalog,
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) -> (Counted, Seen) {
    let queue = Queue { sources: sources.iter().map(|source| (*source, Scope::Run)).collect(), forgets: false };
    count(&queue, Seen::of(remembered), catalog, options, &Threads::new(options.threads), progress)
}

fn is_broken(counted: &Counted) -> bool {
    counted.diagnostics.iter().any(|diagnostic| diagnostic.code == Code::FileUnreadable)
}
