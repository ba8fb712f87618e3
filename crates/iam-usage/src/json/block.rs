//! Marks the bytes of a block that JSON is told apart by, all at once.
//!
//! Safe vector types; the compiler picks the instructions. Knows bytes, not values.

use wide::u8x16;

/// Bytes of half a block's string search.
const WIDTH: usize = 16;

/// A bit for each byte that is a quote or a backslash, the first byte lowest.
#[inline(always)]
pub(super) fn quote_or_escape(block: &[u8; 32]) -> u32 {
    let mark = |bytes: &[u8; WIDTH]| {
        let bytes = u8x16::new(*bytes);
        (bytes.simd_eq(u8x16::splat(b'"')) | bytes.simd_eq(u8x16::splat(b'\\'))).to_bitmask()
    };
    match block.as_chunks::<WIDTH>() {
        ([low, high], _) => mark(low) | (mark(high) << WIDTH),
        _ => 0,
    }
}

/// The same for eight bytes, the highest bit of each; what lies above the first mark may be marked wrongly.
#[inline(always)]
pub(super) const fn quote_or_escape_in_word(word: [u8; 8]) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let word = u64::from_le_bytes(word);
    let quote = word ^ (ONES * b'"' as u64);
    let escape = word ^ (ONES * b'\\' as u64);
    ((quote.wrapping_sub(ONES) & !quote) | (escape.wrapping_sub(ONES) & !escape)) & HIGH
}

/// What stands where in 64 bytes, a bit for each, the first byte lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Marks {
    pub(super) quotes: u64,
    pub(super) escapes: u64,
    /// `{` and `[`.
    pub(super) open: u64,
    /// `}` and `]`.
    pub(super) close: u64,
}

/// The quotes in 64 bytes, where nothing else in them matters.
#[inline(always)]
pub(super) fn only_quotes(block: &[u8; 64]) -> Option<u64> {
    let mut quotes = 0;
    let mut others = u8x16::splat(0);
    for (index, bytes) in block.as_chunks::<WIDTH>().0.iter().enumerate() {
        let bytes = u8x16::new(*bytes);
        let folded = bytes | u8x16::splat(0x20);
        quotes |= u64::from(bytes.simd_eq(u8x16::splat(b'"')).to_bitmask()) << (index * WIDTH);
        others |= bytes.simd_eq(u8x16::splat(b'\\'))
            | folded.simd_eq(u8x16::splat(b'{'))
            | folded.simd_eq(u8x16::splat(b'}'));
    }
    (others.to_bitmask() == 0).then_some(quotes)
}

/// Whether an odd number of bits is set.
#[inline(always)]
pub(super) const fn is_odd(mut bits: u64) -> bool {
    bits ^= bits >> 32;
    bits ^= bits >> 16;
    bits ^= bits >> 8;
    bits ^= bits >> 4;
    (0x6996 >> (bits & 15)) & 1 == 1
}

impl Marks {
    #[inline(always)]
    pub(super) fn of(block: &[u8; 64]) -> Self {
        let mut marks = Self::default();
        for (index, bytes) in block.as_chunks::<WIDTH>().0.iter().enumerate() {
            let bytes = u8x16::new(*bytes);
            // `[` and `{` differ in one bit, and so do `]` and `}`.
            let folded = bytes | u8x16::splat(0x20);
            let mask = |found: u8x16| u64::from(found.to_bitmask()) << (index * WIDTH);
            marks.quotes |= mask(bytes.simd_eq(u8x16::splat(b'"')));
            marks.escapes |= mask(bytes.simd_eq(u8x16::splat(b'\\')));
            marks.open |= mask(folded.simd_eq(u8x16::splat(b'{')));
            marks.close |= mask(folded.simd_eq(u8x16::splat(b'}')));
        }
        marks
    }

    /// The bytes within strings, opening quotes included; `before`: whether the block starts within one.
    #[inline(always)]
    pub(super) const fn inside(&self, before: bool) -> u64 {
        let mut parity = self.quotes;
        parity ^= parity << 1;
        parity ^= parity << 2;
        parity ^= parity << 4;
        parity ^= parity << 8;
        parity ^= parity << 16;
        parity ^= parity << 32;
        if before { !parity } else { parity }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_marked_for_what_it_is() {
        for byte in 0..=255_u8 {
            for at in 0..64 {
                let mut block = [b'.'; 64];
                block[at] = byte;
                let bit = |wanted: &[u8]| if wanted.contains(&byte) { 1 << at } else { 0 };
                let marks = Marks::of(&block);
                assert_eq!(marks.quotes, bit(b"\""));
                assert_eq!(marks.escapes, bit(b"\\"));
                assert_eq!(marks.open, bit(b"{["));
                assert_eq!(marks.close, bit(b"}]"));
                let plain = (marks.escapes | marks.open | marks.close == 0).then_some(marks.quotes);
                assert_eq!(only_quotes(&block), plain);
                let half: [u8; 32] = block[at / 32 * 32..at / 32 * 32 + 32].try_into().unwrap();
                let expected = if byte == b'"' || byte == b'\\' { 1 << (at % 32) } else { 0 };
                assert_eq!(quote_or_escape(&half), expected);
                let word: [u8; 8] = block[at / 8 * 8..at / 8 * 8 + 8].try_into().unwrap();
                let marks = quote_or_escape_in_word(word);
                assert_eq!(marks != 0, expected != 0);
                assert!(marks == 0 || marks.trailing_zeros() as usize / 8 == at % 8);
            }
        }
    }

    #[test]
    fn what_is_inside_a_string_is_told_by_the_quotes_before() {
        let marks = Marks { quotes: 0b10_0100, ..Marks::default() };
        assert_eq!(marks.inside(false), 0b1_1100);
        assert_eq!(marks.inside(true), !0b1_1100);
        for bits in [0, 1, 0b11, u64::MAX, 1 << 63, (1 << 63) | 1, 0b111 << 40] {
            assert_eq!(is_odd(bits), bits.count_ones() % 2 == 1, "{bits:b}");
        }
    }
}
