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

impl Options {
    /// Whether an event of that time counts.
    #[must_use]
    pub(crate) fn is_within(&self, time: Timestamp) -> bool {
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time <= until)
    }

    /// What is left out, in words; nothing where everything counts.
    #[must_use]
    pub fn filter(&self) -> Option<String> {
        let roles = self.roles.iter().map(|role| format!("role {role}"));
        let accounts = self.accounts.iter().map(|account| format!("account {account}"));
        let since = self.since.map(|since| format!("since {since}"));
        let until = self.until.map(|until| format!("until {until}"));
        let all: Vec<String> = roles.chain(accounts).chain(since).chain(until).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }
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
