//! A fast hash of bytes, the same on every machine and in every run, and a table keyed by bytes that uses it.
//!
//! Equal hashes are never taken for equal bytes in the table. Knows nothing about what the bytes mean.

use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;

const ODD: [u64; 3] = [0x9e37_79b9_7f4a_7c15, 0xc6a4_a793_5bd1_e995, 0xd6e8_feb8_6659_fd93];

/// Mixes two numbers: both halves of their product.
#[inline(always)]
pub(crate) const fn mix(a: u64, b: u64) -> u64 {
    let product = (a ^ ODD[0]) as u128 * (b ^ ODD[1]) as u128;
    (product as u64) ^ ((product >> 64) as u64)
}

/// A number for the bytes; sixteen of them at a time go through [`mix`].
#[inline]
pub(crate) fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let mut state = seed ^ mix(bytes.len() as u64, ODD[2]);
    if bytes.len() < 16 {
        return mix_in(state, &short(bytes));
    }
    for chunk in bytes.as_chunks::<16>().0 {
        state = mix_in(state, chunk);
    }
    // The last sixteen, some of them for the second time.
    bytes.last_chunk().map_or(state, |last| mix_in(state, last))
}

/// Fewer than sixteen bytes, filled up.
#[inline(always)]
fn short(bytes: &[u8]) -> [u8; 16] {
    let mut whole = [0; 16];
    if let Some(start) = whole.get_mut(..bytes.len()) {
        start.copy_from_slice(bytes);
    }
    whole
}

#[inline(always)]
fn mix_in(state: u64, chunk: &[u8; 16]) -> u64 {
    let whole = u128::from_le_bytes(*chunk);
    mix(state ^ whole as u64, (whole >> 64) as u64 ^ state.rotate_left(32))
}

/// Hands numbers that are hashes already to the map as they are.
#[derive(Debug, Default, Clone, Copy)]
struct Ready(u64);

impl Hasher for Ready {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash(self.0, bytes);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

#[expect(clippy::disallowed_types, reason = "looked up only; its order never reaches output")]
type Index = std::collections::HashMap<u64, u32, BuildHasherDefault<Ready>>;

/// Values by bytes, numbered in the order they came.
#[derive(Debug)]
pub(crate) struct Table<T> {
    index: Index,
    bytes: Vec<u8>,
    entries: Vec<(Range<usize>, T)>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { index: Index::default(), bytes: Vec::new(), entries: Vec::new() }
    }
}

impl<T> Table<T> {
    /// The number of the value, if it is there. `hash` must be that of the key, or of more that goes with it.
    #[inline]
    pub(crate) fn find(&self, hash: u64, key: &[u8]) -> Option<u32> {
        let mut at = hash;
        loop {
            let number = *self.index.get(&at)?;
            let (range, _) = self.entries.get(number as usize)?;
            if self.bytes.get(range.clone()) == Some(key) {
                return Some(number);
            }
            at = at.wrapping_add(ODD[2]);
        }
    }

    /// The number of the value whose key is these parts, each followed by a zero byte, if it is there.
    #[inline]
    pub(crate) fn find_parts<const N: usize>(&self, hash: u64, parts: &[&[u8]; N]) -> Option<u32> {
        let mut at = hash;
        loop {
            let number = *self.index.get(&at)?;
            let (range, _) = self.entries.get(number as usize)?;
            if self.bytes.get(range.clone()).is_some_and(|key| is_of_parts(key, parts)) {
                return Some(number);
            }
            at = at.wrapping_add(ODD[2]);
        }
    }

    /// Adds a value whose key is these parts, and not there yet; gives its number.
    pub(crate) fn insert_parts<const N: usize>(&mut self, hash: u64, parts: &[&[u8]; N], value: T) -> u32 {
        let key: Vec<u8> = parts.iter().flat_map(|part| part.iter().chain(&[0])).copied().collect();
        self.insert(hash, &key, value)
    }

    /// Adds a value whose key is not there yet; gives its number.
    pub(crate) fn insert(&mut self, hash: u64, key: &[u8], value: T) -> u32 {
        let number = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let start = self.bytes.len();
        self.bytes.extend_from_slice(key);
        self.entries.push((start..self.bytes.len(), value));
        let mut at = hash;
        while self.index.contains_key(&at) {
            at = at.wrapping_add(ODD[2]);
        }
        self.index.insert(at, number);
        number
    }

    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        self.entries.get(number as usize).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.entries.get_mut(number as usize).map(|(_, value)| value)
    }

    pub(crate) const fn len(&self) -> usize {
        self.entries.len()
    }

    /// All keys, one behind the other, and where in them that of a value is.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn range(&self, number: u32) -> Option<Range<usize>> {
        self.entries.get(number as usize).map(|(range, _)| range.clone())
    }

    /// Bytes of the keys.
    pub(crate) const fn key_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Takes all values out, and keeps the room.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = T> + '_ {
        self.index.clear();
        self.bytes.clear();
        self.entries.drain(..).map(|(_, value)| value)
    }
}

/// A number for parts, each of which counts for itself.
#[inline]
pub(crate) fn hash_parts<const N: usize>(parts: &[&[u8]; N]) -> u64 {
    parts.iter().fold(0, |state, part| hash(state, part))
}

#[inline]
fn is_of_parts<const N: usize>(key: &[u8], parts: &[&[u8]; N]) -> bool {
    let mut rest = key;
    for part in parts {
        match rest.strip_prefix(*part).and_then(|rest| rest.strip_prefix(&[0])) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_hashes_are_not_equal_keys() {
        let mut table = Table::default();
        assert_eq!(table.insert(7, b"a", 1), 0);
        assert_eq!(table.insert(7, b"b", 2), 1);
        assert_eq!(table.find(7, b"a"), Some(0));
        assert_eq!(table.find(7, b"b"), Some(1));
        assert_eq!(table.find(7, b"c"), None);
        assert_eq!(table.get(1), Some(&2));
        assert_eq!(table.drain().collect::<Vec<i32>>(), [1, 2]);
        assert_eq!(table.find(7, b"a"), None);
    }

    #[test]
    fn parts_are_told_apart() {
        let mut table = Table::default();
        let number = table.insert_parts(1, &[b"ab", b""], ());
        assert_eq!(table.find_parts(1, &[b"ab", b""]), Some(number));
        assert_eq!(table.find_parts(1, &[b"a", b"b"]), None);
        assert_eq!(table.find_parts(1, &[b"ab", b"c"]), None);
        assert_ne!(hash_parts(&[b"ab", b"c"]), hash_parts(&[b"a", b"bc"]));
    }

    #[test]
    fn every_byte_and_the_length_count() {
        let bytes: Vec<u8> = (0..100).collect();
        let whole = hash(1, &bytes);
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert_ne!(hash(1, &other), whole, "{at}");
        }
        let zeros: std::collections::BTreeSet<u64> = (0..100).map(|n| hash(1, &vec![0; n])).collect();
        assert_eq!(zeros.len(), 100);
        assert_ne!(hash(2, &bytes), whole);
    }
}
