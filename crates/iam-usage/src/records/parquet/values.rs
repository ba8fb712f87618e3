//! The values of a page, one after the other, in whichever encoding they are stored.
//!
//! Follows "Parquet encoding definitions" of the format's specification. Where a page lies and which rows have no value is
//! for others.

use super::fault::Why;
use super::footer::Leaf;
use super::runs::{Deltas, Runs};

const CUT: Why = Why::Damaged("a page ends before its values do");

/// Texts that a column's pages name by number.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    texts: Vec<u8>,
    /// Where each text ends.
    ends: Vec<u32>,
}

impl Dictionary {
    /// Reads the values of a dictionary's page.
    pub(super) fn read(page: &[u8], count: u64, leaf: &Leaf) -> Result<Self, Why> {
        let (mut own, mut values) = (Self::default(), Values::Plain(0));
        for _ in 0..count {
            values.next(page, leaf, &Self::default(), &mut own.texts)?;
            let end = u32::try_from(own.texts.len());
            own.ends.push(end.map_err(|_| Why::TooLarge("a dictionary of the Parquet file is larger than 4 GiB"))?);
        }
        Ok(own)
    }

    fn text(&self, place: u32) -> Result<&[u8], Why> {
        const OUTSIDE: Why = Why::Damaged("a value is not in its dictionary");
        let place = usize::try_from(place).map_err(|_| OUTSIDE)?;
        let end = *self.ends.get(place).ok_or(OUTSIDE)?;
        let start = place.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        self.texts.get(start as usize..end as usize).ok_or(OUTSIDE)
    }

    /// Bytes it takes.
    pub(super) const fn bytes(&self) -> usize {
        self.texts.capacity() + self.ends.capacity() * 4
    }
}

/// A place among the values of a page.
#[derive(Debug)]
pub(super) enum Values {
    /// Values as they are, the next at this offset.
    Plain(usize),
    /// Truth values, the next at this offset in bits.
    Bits(usize),
    /// Truth values in runs.
    TruthRuns(Runs),
    /// Numbers of a dictionary.
    Numbers(Runs),
    /// Differences.
    Deltas(Deltas),
    /// Lengths, and then the texts.
    Lengths { lengths: Deltas, at: usize },
    /// How much is as in the text before, lengths of the rest, and then the rest.
    Prefixes { prefixes: Deltas, lengths: Deltas, at: usize, last: Vec<u8> },
    /// The first bytes of all, then the second bytes.
    Split { start: usize, count: usize, next: usize },
}

impl Values {
    /// The values at `start..` of a page of at most `most`.
    pub(super) fn open(encoding: i64, page: &[u8], start: usize, most: u64, leaf: &Leaf) -> Result<Self, Why> {
        let is_truth = leaf.size.is_none() && leaf.meaning == super::text::Meaning::Truth;
        Ok(match encoding {
            0 if is_truth => Self::Bits(start.saturating_mul(8)),
            0 => Self::Plain(start),
            2 | 8 => match page.get(start) {
                Some(width) => Self::Numbers(Runs::new(start + 1, page.len(), *width)?),
                // A page without values.
                None => Self::Plain(start),
            },
            3 if is_truth => {
                let (start, end) = prefixed(page, start)?;
                Self::TruthRuns(Runs::new(start, end, 1)?)
            }
            5 if matches!(leaf.size, Some(4 | 8)) => Self::Deltas(Deltas::new(page, start, most)?),
            6 if leaf.size.is_none() && !is_truth => {
                let lengths = Deltas::new(page, start, most)?;
                let at = lengths.after(page)?;
                Self::Lengths { lengths, at }
            }
            7 if !is_truth => {
                let prefixes = Deltas::new(page, start, most)?;
                let lengths = Deltas::new(page, prefixes.after(page)?, most)?;
                let at = lengths.after(page)?;
                Self::Prefixes { prefixes, lengths, at, last: Vec::new() }
            }
            9 if leaf.size.is_some() => {
                let count = page.len().saturating_sub(start) / leaf.size.unwrap_or(1).max(1);
                Self::Split { start, count, next: 0 }
            }
            _ => {
                return Err(Why::NotRead(format!(
                    "its values are stored in the way number {encoding}, which is not read"
                )));
            }
        })
    }

    /// Appends the text of the next value to `out`.
    pub(super) fn next(
        &mut self,
        page: &[u8],
        leaf: &Leaf,
        dictionary: &Dictionary,
        out: &mut Vec<u8>,
    ) -> Result<(), Why> {
        match self {
            Self::Plain(at) => {
                let (start, length) = match leaf.size {
                    Some(size) => (*at, size),
                    None => {
                        let length: &[u8; 4] = page.get(*at..).and_then(<[u8]>::first_chunk).ok_or(CUT)?;
                        (*at + 4, u32::from_le_bytes(*length) as usize)
                    }
                };
                *at = start.checked_add(length).ok_or(CUT)?;
                leaf.meaning.write(page.get(start..*at).ok_or(CUT)?, out)
            }
            Self::Bits(bit) => {
                let byte = page.get(*bit / 8).ok_or(CUT)?;
                let value = byte >> (*bit % 8) & 1;
                *bit += 1;
                leaf.meaning.write(&[value], out)
            }
            Self::TruthRuns(runs) => leaf.meaning.write(&[u8::from(runs.next(page)? == 1)], out),
            Self::Numbers(runs) => {
                out.extend_from_slice(dictionary.text(runs.next(page)?)?);
                Ok(())
            }
            Self::Deltas(deltas) => write_delta(deltas.next(page)?, leaf, out),
            Self::Lengths { lengths, at } => leaf.meaning.write(take(page, at, lengths.next(page)?)?, out),
            Self::Prefixes { prefixes, lengths, at, last } => {
                let kept = usize::try_from(prefixes.next(page)?).ok().filter(|kept| *kept <= last.len());
                last.truncate(kept.ok_or(Why::Damaged("a text has more in common with the one before than there is"))?);
                last.extend_from_slice(take(page, at, lengths.next(page)?)?);
                leaf.meaning.write(last, out)
            }
            Self::Split { start, count, next } => {
                let mut value = Vec::with_capacity(8);
                for place in 0..leaf.size.unwrap_or_default() {
                    let at = *start + place * *count + *next;
                    value.push(*page.get(at).filter(|_| *next < *count).ok_or(CUT)?);
                }
                *next += 1;
                leaf.meaning.write(&value, out)
            }
        }
    }
}

fn write_delta(number: i64, leaf: &Leaf, out: &mut Vec<u8>) -> Result<(), Why> {
    let bytes = number.to_le_bytes();
    // Differences of small numbers wrap around at their own size.
    let bytes = if leaf.size == Some(4) { bytes.first_chunk::<4>().map(|few| &few[..]) } else { Some(&bytes[..]) };
    leaf.meaning.write(bytes.ok_or(CUT)?, out)
}

/// The next bytes of a text, so many.
fn take<'p>(page: &'p [u8], at: &mut usize, length: i64) -> Result<&'p [u8], Why> {
    let start = *at;
    let end = usize::try_from(length).ok().and_then(|length| start.checked_add(length)).ok_or(CUT)?;
    *at = end;
    page.get(start..end).ok_or(CUT)
}

/// What stands behind its own length.
pub(super) fn prefixed(page: &[u8], start: usize) -> Result<(usize, usize), Why> {
    let length: &[u8; 4] = page.get(start..).and_then(<[u8]>::first_chunk).ok_or(CUT)?;
    let end = (start + 4).checked_add(u32::from_le_bytes(*length) as usize).filter(|end| *end <= page.len());
    Ok((start + 4, end.ok_or(CUT)?))
}
