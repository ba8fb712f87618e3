//! Records seen before, by their event id and what they said: told once, whichever thread and file came first.
//!
//! Memory is bounded. Of up to [`MOST_REMEMBERED`] bytes of logs every record is remembered, and copies are found wherever
//! they are. Of more, CloudTrail's own files carry the day they were delivered in their names and are read day by day: a
//! copy is looked for among the events of the [`DAYS_BEFORE`] days before to the day after, and days that no file to come
//! can hold are forgotten. Where even those days are too many to remember, and in files without a day, copies are found
//! within one file only. What is looked for where depends on the sources alone, never on which thread was faster.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use iam_model::usage::SourceDigest;

use crate::names::day_of_path;

/// Bytes of compressed logs whose records are remembered at once; some 1.5 million records, 16 bytes each.
const MOST_REMEMBERED: u64 = 256 << 20;

/// Days between an event and the last delivery of it that is expected.
const DAYS_BEFORE: i64 = 7;

const SHARDS: usize = 16;

/// Where copies of a source's records are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// Among all records.
    Run,
    /// Among the events of the days around this one, counted from the epoch.
    Around(i64),
    /// Within the source.
    Source,
}

impl Scope {
    /// The scope of each source, from its day, where its name tells one, and its compressed bytes.
    pub(crate) fn of_all(sources: &[(Option<i64>, u64)]) -> Vec<Self> {
        if sources.iter().map(|(_, bytes)| bytes).sum::<u64>() <= MOST_REMEMBERED {
            return vec![Self::Run; sources.len()];
        }
        let mut days: BTreeMap<i64, u64> = BTreeMap::new();
        for (day, bytes) in sources {
            if let Some(day) = day {
                *days.entry(*day).or_default() += bytes;
            }
        }
        // While a file of one day is read, others may be as many days behind as copies are looked for.
        let around =
            |day: i64| days.range(day - 2 * DAYS_BEFORE..=day + DAYS_BEFORE).map(|(_, bytes)| bytes).sum::<u64>();
        let scope = |day: &Option<i64>| match day {
            Some(day) if around(*day) <= MOST_REMEMBERED => Self::Around(*day),
            _ => Self::Source,
        };
        sources.iter().map(|(day, _)| scope(day)).collect()
    }

    /// The first day of events that are looked for beyond the source.
    pub(crate) const fn first_day(self) -> Option<i64> {
        match self {
            Self::Around(day) => Some(day - DAYS_BEFORE),
            Self::Run | Self::Source => None,
        }
    }
}

/// Fingerprints of records, shared by the threads.
#[derive(Default)]
pub(crate) struct Seen {
    days: Mutex<BTreeMap<i64, Arc<Day>>>,
}

#[derive(Default)]
struct Day {
    shards: [Mutex<Numbers>; SHARDS],
}

impl Day {
    /// The shard of a fingerprint.
    fn shard(&self, fingerprint: u64) -> Option<&Mutex<Numbers>> {
        self.shards.get(usize::try_from(fingerprint >> 60).unwrap_or_default() % SHARDS)
    }
}

impl Seen {
    /// Forgets the days before this one.
    pub(crate) fn forget_before(&self, day: i64) {
        let mut days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = days.split_off(&day);
        *days = kept;
    }

    /// Remembers these from before, by the day of the event.
    pub(crate) fn of(remembered: &BTreeMap<i64, Vec<u64>>) -> Self {
        let seen = Self::default();
        for (day, fingerprints) in remembered {
            let day = seen.day(*day);
            for fingerprint in fingerprints {
                let shard = day.shard(*fingerprint);
                shard.map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).insert(*fingerprint));
            }
        }
        seen
    }

    /// All that is remembered, in order.
    pub(crate) fn remembered(self) -> BTreeMap<i64, Vec<u64>> {
        let days = self.days.into_inner().unwrap_or_else(PoisonError::into_inner);
        let all = |day: &Day| {
            let numbers = |shard: &Mutex<Numbers>| shard.lock().unwrap_or_else(PoisonError::into_inner).slots.clone();
            let mut all: Vec<u64> = day.shards.iter().flat_map(numbers).filter(|number| *number != 0).collect();
            all.sort_unstable();
            all
        };
        days.into_iter().map(|(day, held)| (day, all(&held))).collect()
    }

    fn day(&self, day: i64) -> Arc<Day> {
        Arc::clone(self.days.lock().unwrap_or_else(PoisonError::into_inner).entry(day).or_default())
    }
}

/// What a source's reader asks.
pub(crate) struct Copies<'s> {
    seen: &'s Seen,
    scope: Scope,
    /// The day asked for last.
    recent: Option<(i64, Arc<Day>)>,
    /// Records looked for within the source only.
    own: Numbers,
    digest: Digest,
}

/// What a source holds, whatever it is called: a sum that no order of its records changes.
#[derive(Default)]
struct Digest {
    records: u64,
    sum: u64,
    first_day: Option<i64>,
}

impl<'s> Copies<'s> {
    pub(crate) fn new(seen: &'s Seen, scope: Scope) -> Self {
        Self { seen, scope, recent: None, own: Numbers::default(), digest: Digest::default() }
    }

    /// Notes a record of the source, by its id as it stands there.
    #[inline]
    pub(crate) fn note(&mut self, id: &[u8], seconds: i64, day: i64) {
        let Digest { records, sum, first_day } = &mut self.digest;
        *records += 1;
        *sum = sum.wrapping_add(id_number(id, seconds));
        *first_day = Some(first_day.map_or(day, |first| first.min(day)));
    }

    /// What the source holds. One without a record is told by the end of its name.
    pub(crate) fn digest(&self, name: &str) -> SourceDigest {
        match self.digest {
            Digest { records, sum, first_day: Some(day) } => SourceDigest { day, records, sum },
            _ => digest_of_name(name),
        }
    }

    /// Whether this is the first record of its fingerprint, as far as the scope goes.
    pub(crate) fn is_new(&mut self, fingerprint: u64, event_day: i64) -> bool {
        let shared = match self.scope {
            Scope::Run => true,
            Scope::Around(day) => (day - DAYS_BEFORE..=day + 1).contains(&event_day),
            Scope::Source => false,
        };
        if !shared {
            return self.own.insert(fingerprint);
        }
        if self.recent.as_ref().is_none_or(|(day, _)| *day != event_day) {
            self.recent = Some((event_day, self.seen.day(event_day)));
        }
        let Some((_, day)) = &self.recent else { return true };
        let Some(shard) = day.shard(fingerprint) else { return true };
        shard.lock().unwrap_or_else(PoisonError::into_inner).insert(fingerprint)
    }
}

/// What stands for a file that gives no record.
pub(crate) fn digest_of_name(name: &str) -> SourceDigest {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    SourceDigest { day: day_of_path(name).unwrap_or_default(), records: 0, sum: id_number(last.as_bytes(), 0) }
}

/// A number for an event id. It is written into files, so it must never change.
#[inline]
fn id_number(id: &[u8], seconds: i64) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let step = |state: u64, word: u64| {
        let mixed = (state ^ word).wrapping_mul(ODD);
        mixed ^ mixed >> 29
    };
    let (words, rest) = id.as_chunks::<8>();
    let state = words.iter().fold(seconds.cast_unsigned(), |state, word| step(state, u64::from_le_bytes(*word)));
    step(rest.iter().fold(state, |state, byte| step(state, u64::from(*byte))), ODD)
}

/// A set of numbers that are spread evenly: open addressing, at most three quarters full, eight bytes a slot.
#[derive(Default)]
struct Numbers {
    /// Zero is an empty slot.
    slots: Vec<u64>,
    len: usize,
}

impl Numbers {
    /// Adds a number; whether it is new.
    fn insert(&mut self, number: u64) -> bool {
        if (self.len + 1) * 4 > self.slots.len() * 3 {
            let larger = vec![0; (self.slots.len() * 2).max(64)];
            let old = std::mem::replace(&mut self.slots, larger);
            for number in old.into_iter().filter(|number| *number != 0) {
                place(&mut self.slots, number);
            }
        }
        let new = place(&mut self.slots, number.max(1));
        self.len += usize::from(new);
        new
    }
}

/// Puts a number into its slot; whether it was not there. There is always an empty slot.
fn place(slots: &mut [u64], number: u64) -> bool {
    let mask = slots.len().wrapping_sub(1);
    let mut at = usize::try_from(number & u64::from(u32::MAX)).unwrap_or_default() & mask;
    loop {
        match slots.get_mut(at) {
            Some(slot) if *slot == number => return false,
            Some(slot) if *slot == 0 => {
                *slot = number;
                return true;
            }
            Some(_) => at = (at + 1) & mask,
            None => return true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::hash;

    fn numbers() -> impl Iterator<Item = u64> {
        (0..20_000_u64).map(|n| hash(0, &n.to_le_bytes()))
    }

    #[test]
    fn a_record_is_new_once() {
        let seen = Seen::default();
        let mut copies = Copies::new(&seen, Scope::Run);
        assert!(numbers().all(|number| copies.is_new(number, 1)));
        assert!(numbers().all(|number| !copies.is_new(number, 1)));
        let mut other = Copies::new(&seen, Scope::Around(2));
        assert!(numbers().all(|number| !other.is_new(number, 1)));
        assert!(numbers().all(|number| other.is_new(number, 2)));
    }

    #[test]
    fn what_lies_outside_a_scope_is_looked_for_in_the_source_alone() {
        let seen = Seen::default();
        let (mut first, mut second) = (Copies::new(&seen, Scope::Around(10)), Copies::new(&seen, Scope::Around(10)));
        assert!(first.is_new(5, 2) && !first.is_new(5, 2) && second.is_new(5, 2));
        let mut alone = Copies::new(&seen, Scope::Source);
        assert!(alone.is_new(5, 10) && !alone.is_new(5, 10) && first.is_new(5, 10));
        seen.forget_before(11);
        assert!(Copies::new(&seen, Scope::Around(10)).is_new(5, 10));
    }

    #[test]
    fn how_far_copies_are_looked_for_is_told_by_the_sources_alone() {
        let big = 200 << 20;
        let check = |sources: &[(Option<i64>, u64)], expected: &[Scope]| assert_eq!(Scope::of_all(sources), expected);
        check(&[(None, big), (Some(5), 1)], &[Scope::Run, Scope::Run]);
        check(&[(None, big), (None, big)], &[Scope::Source, Scope::Source]);
        let far = Scope::Around(99);
        check(&[(Some(5), big), (Some(6), big), (Some(99), 1)], &[Scope::Source, Scope::Source, far]);
        check(&[(Some(5), big), (None, big)], &[Scope::Around(5), Scope::Source]);
    }
}
