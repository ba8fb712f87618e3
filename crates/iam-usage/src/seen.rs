//! Records seen before, by their event id and what they said: told once, whichever thread and file came first.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hasher};
use std::sync::{Mutex, PoisonError};

const SHARDS: usize = 64;

/// Fingerprints of records, shared by the threads.
pub(crate) struct Seen {
    shards: Vec<Mutex<Shard>>,
}

/// A set of numbers that are spread evenly.
#[derive(Default)]
struct Shard {
    recent: BTreeSet<u64>,
}

impl Seen {
    pub(crate) fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }

    /// Whether this is the first record of its fingerprint.
    pub(crate) fn is_new(&self, fingerprint: u64) -> bool {
        let index = usize::try_from(fingerprint % SHARDS as u64).unwrap_or_default();
        let Some(shard) = self.shards.get(index) else { return true };
        shard.lock().unwrap_or_else(PoisonError::into_inner).recent.insert(fingerprint)
    }
}

/// A number for a record: of its id and of what it says, so that two records that share an id and nothing else are two.
pub(crate) fn fingerprint(parts: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for part in parts {
        hasher.write(part.as_bytes());
        hasher.write_u8(0xff);
    }
    hasher.finish()
}
