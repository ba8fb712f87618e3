//! Small numbers in runs of one value or packed bit by bit, and numbers as differences: Parquet's encodings RLE and
//! DELTA_BINARY_PACKED.
//!
//! Follows "Parquet encoding definitions" of the format's specification. The bytes are handed in with each call, so that a
//! page can own both them and its place in them; no number of values that is claimed allocates anything.

use super::fault::Why;
use super::thrift::{Stop, varint, zigzag};

/// The largest block of differences; writers use 128.
const LARGEST_BLOCK: u64 = 1 << 16;

const CUT: Why = Why::Damaged("a page ends before its values do");

impl From<Stop> for Why {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::More => CUT,
            Stop::Bad => Self::Damaged("a number is not one"),
        }
    }
}

/// Numbers of up to 32 bits, run by run.
#[derive(Debug, Default)]
pub(super) struct Runs {
    at: usize,
    end: usize,
    width: u32,
    left: u64,
    run: Run,
}

#[derive(Debug)]
enum Run {
    Same(u32),
    /// The offset of the next number, in bits.
    Packed(usize),
}

impl Default for Run {
    fn default() -> Self {
        Self::Same(0)
    }
}

impl Runs {
    /// Numbers of `width` bits in `at..end` of a page.
    pub(super) fn new(at: usize, end: usize, width: u8) -> Result<Self, Why> {
        if width > 32 || at > end {
            return Err(Why::Damaged("a number is wider than 32 bits, or ends before it begins"));
        }
        Ok(Self { at, end, width: u32::from(width), ..Self::default() })
    }

    /// The next number.
    pub(super) fn next(&mut self, page: &[u8]) -> Result<u32, Why> {
        while self.left == 0 {
            self.open(page.get(..self.end).ok_or(CUT)?)?;
        }
        self.left -= 1;
        match &mut self.run {
            Run::Same(value) => Ok(*value),
            Run::Packed(bit) => {
                let value = bits(page.get(..self.end).ok_or(CUT)?, *bit, self.width)?;
                *bit += self.width as usize;
                u32::try_from(value).map_err(|_| CUT)
            }
        }
    }

    fn open(&mut self, page: &[u8]) -> Result<(), Why> {
        let (head, at) = varint(page, self.at)?;
        if head & 1 == 1 {
            self.left = (head >> 1).checked_mul(8).ok_or(CUT)?;
            let bytes = (head >> 1).checked_mul(u64::from(self.width)).ok_or(CUT)?;
            self.run = Run::Packed(at * 8);
            // Some writers leave out what fills up the last group.
            self.at = usize::try_from(bytes).map_or(self.end, |bytes| at.saturating_add(bytes).min(self.end));
        } else {
            self.left = head >> 1;
            let bytes = self.width.div_ceil(8) as usize;
            let value = page.get(at..at + bytes).ok_or(CUT)?;
            self.run = Run::Same(value.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)));
            self.at = at + bytes;
        }
        Ok(())
    }
}

/// A number of up to 64 bits that begins at an offset in bits.
fn bits(bytes: &[u8], bit: usize, width: u32) -> Result<u64, Why> {
    if width == 0 {
        return Ok(0);
    }
    let (first, shift) = (bit / 8, bit % 8);
    let needed = (shift + width as usize).div_ceil(8);
    let mut number = 0_u128;
    for (place, byte) in bytes.get(first..first + needed).ok_or(CUT)?.iter().enumerate() {
        number |= u128::from(*byte) << (8 * place);
    }
    let mask = u64::MAX >> (64 - width);
    #[expect(clippy::cast_possible_truncation, reason = "what is above the mask is not meant")]
    Ok((number >> shift) as u64 & mask)
}

/// Numbers of 64 bits, each as its difference from the one before.
#[derive(Debug, Default, Clone)]
pub(super) struct Deltas {
    at: usize,
    end: usize,
    /// Values still to come, the first among them.
    left: u64,
    value: i64,
    is_first: bool,
    /// Values of a part of a block, and parts of a block.
    per_part: u64,
    parts: usize,
    least: i64,
    widths: usize,
    part: usize,
    in_part: u64,
    width: u32,
    bit: usize,
}

impl Deltas {
    /// The numbers at `at` of a page of at most `most` values.
    pub(super) fn new(page: &[u8], at: usize, most: u64) -> Result<Self, Why> {
        let (block, at) = varint(page, at)?;
        let (parts, at) = varint(page, at)?;
        let (left, at) = varint(page, at)?;
        let (first, at) = varint(page, at)?;
        if block > LARGEST_BLOCK || parts == 0 || block < parts || block % parts != 0 || (block / parts) % 8 != 0 {
            return Err(Why::Damaged("a block of differences has no such size"));
        }
        if left > most {
            return Err(Why::Damaged("a page holds more numbers than values"));
        }
        let parts = usize::try_from(parts).map_err(|_| CUT)?;
        let per_part = block / parts as u64;
        let value = zigzag(first);
        Ok(Self { at, end: page.len(), left, value, is_first: true, per_part, parts, part: parts, ..Self::default() })
    }

    pub(super) fn next(&mut self, page: &[u8]) -> Result<i64, Why> {
        self.left = self.left.checked_sub(1).ok_or(CUT)?;
        if self.is_first {
            self.is_first = false;
            return Ok(self.value);
        }
        if self.in_part == 0 {
            self.open(page)?;
        }
        self.in_part -= 1;
        let more = bits(page, self.bit, self.width)?;
        self.bit += self.width as usize;
        self.value = self.value.wrapping_add(self.least).wrapping_add(more.cast_signed());
        Ok(self.value)
    }

    /// The offset after all of the numbers.
    pub(super) fn after(&self, page: &[u8]) -> Result<usize, Why> {
        let mut rest = self.clone();
        let mut left = rest.left.saturating_sub(1);
        while left > 0 {
            rest.open(page)?;
            left = left.saturating_sub(rest.per_part);
        }
        Ok(rest.at)
    }

    /// Goes on to the next part of a block, or to the next block.
    fn open(&mut self, page: &[u8]) -> Result<(), Why> {
        if self.part == self.parts {
            let (least, at) = varint(page, self.at)?;
            self.least = zigzag(least);
            self.widths = at;
            self.at = at + self.parts;
            self.part = 0;
        }
        self.width = u32::from(*page.get(self.widths + self.part).ok_or(CUT)?);
        if self.width > 64 {
            return Err(Why::Damaged("a difference is wider than 64 bits"));
        }
        let bytes = usize::try_from(self.per_part / 8 * u64::from(self.width)).map_err(|_| CUT)?;
        self.bit = self.at * 8;
        self.at += bytes;
        self.part += 1;
        self.in_part = self.per_part;
        if self.at > self.end { Err(CUT) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(bytes: &[u8], width: u8, count: usize) -> Result<Vec<u32>, Why> {
        let mut runs = Runs::new(0, bytes.len(), width)?;
        (0..count).map(|_| runs.next(bytes)).collect()
    }

    #[test]
    fn runs_of_both_kinds_are_read() {
        // The example of the specification: the numbers 0 to 7 in three bits each.
        let packed = [3, 0b1000_1000, 0b1100_0110, 0b1111_1010];
        assert_eq!(numbers(&packed, 3, 8).unwrap(), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(numbers(&[6, 5, 2, 9], 8, 4).unwrap(), [5, 5, 5, 9]);
        assert_eq!(numbers(&[2, 0x34, 0x12], 16, 1).unwrap(), [0x1234]);
        assert_eq!(numbers(&[200, 1], 0, 100).unwrap(), [0; 100]);
        assert!(numbers(&packed, 3, 9).is_err());
        assert!(numbers(&[0, 0, 0], 3, 1).is_err());
        assert!(numbers(&[3], 3, 1).is_err());
        assert!(Runs::new(0, 1, 33).is_err());
    }

    #[test]
    fn differences_are_added_up() {
        // The examples of the specification: 1 to 5; and 7, 5, 3, 1, 2, 3, 4, 5 with widths of two bits.
        let steps = [128, 1, 4, 5, 2, 2, 0, 0, 0, 0];
        let mut deltas = Deltas::new(&steps, 0, 5).unwrap();
        assert_eq!(deltas.after(&steps), Ok(10));
        assert_eq!((0..5).map(|_| deltas.next(&steps).unwrap()).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        assert!(deltas.next(&steps).is_err());
        let packed = [128, 1, 4, 8, 14, 3, 2, 0, 0, 0, 0b1100_0000, 0b0011_1111, 0, 0, 0, 0, 0, 0, 77];
        let mut deltas = Deltas::new(&packed, 0, 8).unwrap();
        assert_eq!(deltas.after(&packed), Ok(18));
        assert_eq!((0..8).map(|_| deltas.next(&packed).unwrap()).collect::<Vec<_>>(), [7, 5, 3, 1, 2, 3, 4, 5]);
        assert!(Deltas::new(&packed, 0, 7).is_err());
        assert!(Deltas::new(&[0, 0, 1, 0], 0, 7).is_err());
    }
}
