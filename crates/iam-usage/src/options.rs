//! What a caller asks of a run, and what it is told on the way.

use std::collections::BTreeSet;

use iam_model::arn::AccountId;
use iam_model::time::Timestamp;

/// What to read, and how.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Leave out events before this.
    pub since: Option<Timestamp>,
    /// Leave out events after this.
    pub until: Option<Timestamp>,
    /// Leave out roles other than these, by name or ARN; empty means all.
    pub roles: BTreeSet<String>,
    /// Leave out roles of other accounts than these; empty means all.
    pub accounts: BTreeSet<AccountId>,
    /// Threads to use; 0 means one for each core.
    pub threads: usize,
}

/// How far a run is. The numbers only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Sources finished.
    pub sources: u64,
    /// Their sizes in bytes, as stored, where known.
    pub bytes: u64,
    /// Records read.
    pub records: u64,
}
