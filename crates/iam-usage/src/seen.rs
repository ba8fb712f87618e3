//! Records seen before, by their event id and what they said: told once, whichever thread and file came first.

use std::collections::BTreeSet;
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
///
/// The mixing is that of MurmurHash64A by Austin Appleby, which is in the public domain; the same on every machine.
pub(crate) fn fingerprint(second: i64, parts: &[&str]) -> u64 {
    let mut state = mix(0x9e37_79b9_7f4a_7c15, second.cast_unsigned());
    for part in parts {
        for chunk in part.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
            state = mix(state, u64::from_le_bytes(word));
        }
        state = mix(state, part.len() as u64);
    }
    state ^= state >> 47;
    state = state.wrapping_mul(MULTIPLIER);
    state ^ (state >> 47)
}

const MULTIPLIER: u64 = 0xc6a4_a793_5bd1_e995;

const fn mix(state: u64, word: u64) -> u64 {
    let word = word.wrapping_mul(MULTIPLIER);
    let word = (word ^ (word >> 47)).wrapping_mul(MULTIPLIER);
    (state ^ word).wrapping_mul(MULTIPLIER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_new_once() {
        let seen = Seen::new();
        let of = |id: usize, what: &str| fingerprint(0, &[&id.to_string(), what]);
        assert!((0..20_000).all(|id| seen.is_new(of(id, "x"))));
        assert!((0..20_000).all(|id| !seen.is_new(of(id, "x"))));
        assert!((0..20_000).all(|id| seen.is_new(of(id, "y"))));
        assert_ne!(fingerprint(0, &["ab", "c"]), fingerprint(0, &["a", "bc"]));
        assert_ne!(fingerprint(0, &["a"]), fingerprint(1, &["a"]));
    }
}
