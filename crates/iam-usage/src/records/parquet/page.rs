//! What stands before each page: how many values it has, how they are stored and how many bytes they take.
//!
//! Follows the format's `parquet.thrift`.

use std::io::{Read, SeekFrom};

use super::fault::Why;
use super::thrift::{Kind, Stop, Thrift};
use crate::source::Seekable;

/// Bytes that a header usually has at most, and ever; it may hold the least and the largest value.
const USUAL: u64 = 512;
const LARGEST: u64 = 4 << 20;

/// A page's header.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: i64,
    /// Bytes of the page in the file, and without compression.
    pub(super) packed: i64,
    pub(super) size: i64,
    pub(super) checksum: Option<i64>,
    pub(super) values: i64,
    pub(super) encoding: i64,
    /// Of the first version: how the levels are stored.
    pub(super) level_encoding: i64,
    /// Of the second version: bytes of the levels, of lists and of values that may be missing.
    pub(super) list_levels: i64,
    pub(super) levels: i64,
    pub(super) is_plain: bool,
}

impl Header {
    /// Reads the header at `at`, before `end`; also its length.
    pub(super) fn read(file: &mut dyn Seekable, at: u64, end: u64) -> Result<(Self, u64), Why> {
        let mut room = USUAL;
        loop {
            let mut bytes = Vec::new();
            file.seek(SeekFrom::Start(at))?;
            file.take(room.min(end.saturating_sub(at))).read_to_end(&mut bytes)?;
            let mut thrift = Thrift::new(&bytes);
            match Self::parse(&mut thrift) {
                Ok(header) => return Ok((header, thrift.at() as u64)),
                Err(Stop::More) if bytes.len() as u64 == room && room < LARGEST => room *= 16,
                Err(_) => return Err(Why::Damaged("what stands before a page cannot be read")),
            }
        }
    }

    fn parse(thrift: &mut Thrift<'_>) -> Result<Self, Stop> {
        let mut own = Self { kind: -1, ..Self::default() };
        thrift.fields(&mut |thrift, field, kind| {
            match field {
                1 => own.kind = thrift.int(kind)?,
                2 => own.size = thrift.int(kind)?,
                3 => own.packed = thrift.int(kind)?,
                4 => own.checksum = Some(thrift.int(kind)?),
                5 | 7 | 8 => own.describe(thrift, field, kind)?,
                _ => thrift.skip(kind)?,
            }
            Ok(())
        })?;
        Ok(own)
    }

    /// The part that a kind of page has for itself.
    fn describe(&mut self, thrift: &mut Thrift<'_>, page: i16, kind: Kind) -> Result<(), Stop> {
        thrift.structure(kind, &mut |thrift, field, kind| {
            match (page, field) {
                (_, 1) => self.values = thrift.int(kind)?,
                (5 | 7, 2) | (8, 4) => self.encoding = thrift.int(kind)?,
                (5, 3) => self.level_encoding = thrift.int(kind)?,
                (8, 5) => self.levels = thrift.int(kind)?,
                (8, 6) => self.list_levels = thrift.int(kind)?,
                (8, 7) => self.is_plain = !Thrift::truth(kind)?,
                _ => thrift.skip(kind)?,
            }
            Ok(())
        })
    }
}
