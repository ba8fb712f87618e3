//! A column of a row group, read value by value with one page in memory.
//!
//! What the values mean is for others.

use std::io::{Read, SeekFrom};

use super::codec::{PAGE_LIMIT, unpack};
use super::fault::Why;
use super::footer::{Chunk, Leaf};
use super::page::Header;
use super::runs::Runs;
use super::values::{Dictionary, Values, prefixed};
use crate::source::Seekable;

/// Bytes of the pages and dictionaries of all columns together.
const HELD_LIMIT: usize = 256 << 20;

/// How much of a file may unfold to how much: more than any file of rows does, so that a small file cannot keep a machine
/// busy for long.
const UNFOLDED: u64 = 1024;
const UNFOLDED_AT_LEAST: u64 = 64 << 20;

/// What a file may still cost, and room that its columns share.
pub(super) struct Budget {
    left: u64,
    held: usize,
    packed: Vec<u8>,
}

impl Budget {
    /// What a file of so many bytes may cost.
    pub(super) const fn new(length: u64) -> Self {
        let left = length.saturating_mul(UNFOLDED).saturating_add(UNFOLDED_AT_LEAST);
        Self { left, held: 0, packed: Vec::new() }
    }

    /// Takes account of bytes that were read or made.
    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), Why> {
        let left = self.left.checked_sub(bytes as u64);
        self.left = left.ok_or(Why::TooLarge("the Parquet file unfolds to more than a thousand times its size"))?;
        Ok(())
    }

    /// Takes account of columns that are done with.
    pub(super) fn close(&mut self, columns: &[Column<'_>]) {
        self.held = self.held.saturating_sub(columns.iter().map(Column::held).sum());
    }

    /// Reads so many bytes of the file.
    fn fetch(&mut self, file: &mut dyn Seekable, start: u64, bytes: usize) -> Result<(), Why> {
        self.packed.clear();
        file.seek(SeekFrom::Start(start))?;
        file.take(bytes as u64).read_to_end(&mut self.packed)?;
        if self.packed.len() == bytes { Ok(()) } else { Err(Why::Damaged("a page is cut off")) }
    }

    fn hold(&mut self, before: usize, now: usize) -> Result<(), Why> {
        self.held = (self.held + now).saturating_sub(before);
        if self.held > HELD_LIMIT {
            return Err(Why::TooLarge("pages of the Parquet file that are read together are larger than 256 MiB"));
        }
        Ok(())
    }
}

/// A place in a column.
pub(super) struct Column<'f> {
    leaf: &'f Leaf,
    codec: i64,
    /// Where the next page begins, and the last ends.
    at: u64,
    end: u64,
    /// Values of pages to come.
    left: u64,
    dictionary: Dictionary,
    page: Vec<u8>,
    /// Values of the page still to come, those that are missing among them.
    in_page: u64,
    present: Option<Runs>,
    values: Values,
}

impl<'f> Column<'f> {
    pub(super) fn new(leaf: &'f Leaf, chunk: &Chunk) -> Self {
        Self {
            leaf,
            codec: chunk.codec,
            at: chunk.start,
            end: chunk.end,
            left: chunk.values,
            dictionary: Dictionary::default(),
            page: Vec::new(),
            in_page: 0,
            present: None,
            values: Values::Plain(0),
        }
    }

    /// Appends the text of the next row's value to `out`; nothing where it has none.
    pub(super) fn next(&mut self, file: &mut dyn Seekable, budget: &mut Budget, out: &mut Vec<u8>) -> Result<(), Why> {
        while self.in_page == 0 {
            self.turn(file, budget)?;
        }
        self.in_page -= 1;
        let is_present = match &mut self.present {
            Some(levels) => levels.next(&self.page)? == 1,
            None => true,
        };
        if is_present { self.values.next(&self.page, self.leaf, &self.dictionary, out) } else { Ok(()) }
    }

    /// Whether all that the column holds was read.
    pub(super) const fn is_done(&self) -> bool {
        self.in_page == 0 && self.left == 0
    }

    /// Goes on to the next page.
    fn turn(&mut self, file: &mut dyn Seekable, budget: &mut Budget) -> Result<(), Why> {
        if self.at >= self.end {
            return Err(Why::Damaged("a column has fewer values than there are rows"));
        }
        let (header, before) = Header::read(file, self.at, self.end)?;
        let start = self.at + before;
        let packed =
            usize::try_from(header.packed).ok().filter(|packed| *packed as u64 <= self.end - start.min(self.end));
        let packed = packed.ok_or(Why::Damaged("a page ends outside of its column"))?;
        let size = usize::try_from(header.size).map_err(|_| Why::Damaged("a page has fewer than no bytes"))?;
        if packed > PAGE_LIMIT || size > PAGE_LIMIT {
            return Err(Why::TooLarge("a page of the Parquet file is larger than 128 MiB"));
        }
        self.at = start + packed as u64;
        let held = self.held();
        budget.spend(packed.max(1) + size)?;
        budget.fetch(file, start, packed)?;
        let packed = &budget.packed;
        if header.checksum.is_some_and(|sum| sum & 0xffff_ffff != i64::from(checksum(packed))) {
            return Err(Why::Damaged("a page is not what its checksum says"));
        }
        match header.kind {
            0 => self.open_first(&header, packed, size)?,
            2 => self.open_dictionary(&header, packed, size)?,
            3 => self.open_second(&header, packed, size)?,
            // Pages of an index are not needed, and nor is what a later version may add.
            _ => {}
        }
        budget.hold(held, self.held())
    }

    fn held(&self) -> usize {
        self.page.capacity() + self.dictionary.bytes()
    }

    fn open_dictionary(&mut self, header: &Header, packed: &[u8], size: usize) -> Result<(), Why> {
        if ![0, 2].contains(&header.encoding) {
            return Err(Why::NotRead(format!("its dictionary is stored in the way number {}", header.encoding)));
        }
        let mut page = Vec::new();
        unpack(self.codec, packed, size, &mut page)?;
        let count = u64::try_from(header.values).map_err(|_| Why::Damaged("a dictionary has fewer than no values"))?;
        self.dictionary = Dictionary::read(&page, count, self.leaf)?;
        Ok(())
    }

    /// A page of the first version: its levels are compressed with its values, and stand behind their own length.
    fn open_first(&mut self, header: &Header, packed: &[u8], size: usize) -> Result<(), Why> {
        self.page.clear();
        unpack(self.codec, packed, size, &mut self.page)?;
        let mut start = 0;
        self.present = None;
        if self.leaf.optional {
            if header.level_encoding != 3 {
                return Err(Why::NotRead(format!("its levels are stored in the way number {}", header.level_encoding)));
            }
            let (from, to) = if header.values == 0 { (0, 0) } else { prefixed(&self.page, 0)? };
            self.present = Some(Runs::new(from, to, 1)?);
            start = to;
        }
        self.open_values(header, start)
    }

    /// A page of the second version: its levels come first, and are not compressed.
    fn open_second(&mut self, header: &Header, packed: &[u8], size: usize) -> Result<(), Why> {
        const NO_SIZE: Why = Why::Damaged("the levels of a page have no such size");
        let lists = usize::try_from(header.list_levels).map_err(|_| NO_SIZE)?;
        let levels = usize::try_from(header.levels).map_err(|_| NO_SIZE)?;
        let both = lists.checked_add(levels).filter(|both| *both <= size).ok_or(NO_SIZE)?;
        let (first, rest) = packed.split_at_checked(both).ok_or(NO_SIZE)?;
        self.page.clear();
        self.page.extend_from_slice(first);
        let codec = if header.is_plain { 0 } else { self.codec };
        unpack(codec, rest, size - both, &mut self.page)?;
        self.present = if self.leaf.optional { Some(Runs::new(lists, both, 1)?) } else { None };
        self.open_values(header, both)
    }

    fn open_values(&mut self, header: &Header, start: usize) -> Result<(), Why> {
        let count = u64::try_from(header.values).ok().filter(|count| *count <= self.left);
        self.in_page = count.ok_or(Why::Damaged("a column has more values than there are rows"))?;
        self.left -= self.in_page;
        // A page whose values are all missing may hold no more than that.
        if self.in_page > 0 && start < self.page.len() {
            self.values = Values::open(header.encoding, &self.page, start, self.in_page, self.leaf)?;
        } else {
            self.values = Values::Plain(start);
        }
        Ok(())
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut sum = libdeflater::Crc::new();
    sum.update(bytes);
    sum.sum()
}
