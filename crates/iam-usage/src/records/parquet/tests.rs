//! Parquet files made to hurt: what they claim costs nothing.

use std::io::Cursor;

use super::*;
use crate::recall::Memory;

/// Counts what is found.
#[derive(Default)]
struct Count {
    memory: Memory,
    found: u64,
}

impl Take for Count {
    fn known(&mut self, _: &[u8]) -> Option<usize> {
        None
    }

    fn memory(&self) -> &Memory {
        &self.memory
    }

    fn found(&mut self, _: Found<'_, '_>) {
        self.found += 1;
    }
}

/// A structure of Thrift, field by field.
#[derive(Default)]
struct Struct {
    bytes: Vec<u8>,
    last: u8,
}

impl Struct {
    fn head(mut self, field: u8, kind: u8) -> Self {
        self.bytes.push((field - self.last) << 4 | kind);
        self.last = field;
        self
    }

    fn varint(mut self, mut value: u64) -> Self {
        while value > 127 {
            self.bytes.push((value & 127) as u8 | 128);
            value >>= 7;
        }
        self.bytes.push(value as u8);
        self
    }

    fn int(self, field: u8, value: u64) -> Self {
        self.head(field, 6).varint(value * 2)
    }

    fn text(self, field: u8, text: &str) -> Self {
        let mut own = self.head(field, 8).varint(text.len() as u64);
        own.bytes.extend(text.bytes());
        own
    }

    fn inner(self, field: u8, inner: Self) -> Self {
        let mut own = self.head(field, 12);
        own.bytes.extend(inner.end());
        own
    }

    fn list(self, field: u8, items: Vec<Self>) -> Self {
        let mut own = self.head(field, 9);
        own.bytes.push((items.len() as u8) << 4 | 12);
        own.bytes.extend(items.into_iter().flat_map(Self::end));
        own
    }

    fn end(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }
}

/// A page: its header's own part is in field 5 for data and 7 for a dictionary.
fn page(kind: u64, size: u64, values: u64, encoding: u64, body: &[u8]) -> Vec<u8> {
    let own = Struct::default().int(1, values).int(2, encoding);
    let field = if kind == 2 { 7 } else { 5 };
    let header = Struct::default().int(1, kind).int(2, size).int(3, body.len() as u64).inner(field, own);
    [header.end(), body.to_vec()].concat()
}

/// A file of one required column of texts.
fn file(codec: u64, rows: u64, pages: &[u8]) -> Vec<u8> {
    let root = Struct::default().text(4, "root").int(5, 1);
    let leaf = Struct::default().int(1, 6).int(3, 0).text(4, "paring_rows");
    let meta = Struct::default().int(4, codec).int(5, rows).int(7, pages.len() as u64).int(9, 4);
    let group = Struct::default().list(1, vec![Struct::default().inner(3, meta)]).int(3, rows);
    let footer = Struct::default().int(1, 1).list(2, vec![root, leaf]).int(3, rows).list(4, vec![group]).end();
    let length = u32::try_from(footer.len()).unwrap().to_le_bytes();
    [b"PAR1", pages, &footer, &length, b"PAR1"].concat()
}

/// Reads a file: the rows found, and what stopped it.
fn check(file: Vec<u8>, rows: u64, expected: &str) {
    let mut count = Count::default();
    let (_, fault) = each(&mut Cursor::new(file), &mut count);
    let said = fault.map_or_else(String::new, |fault| fault.why.to_string());
    assert!(said.contains(expected) && said.is_empty() == expected.is_empty(), "{said} should say {expected}");
    assert_eq!(count.found, rows, "{expected}");
}

/// A text as a plain page has it.
fn plain(text: &[u8]) -> Vec<u8> {
    [&u32::try_from(text.len()).unwrap().to_le_bytes(), text].concat()
}

#[test]
fn parquet_that_claims_more_than_it_is_costs_nothing() {
    let one = plain(b"1");
    check(file(0, 1, &page(0, 5, 1, 0, &one)), 1, "");
    check(file(0, 1, &page(0, 1 << 30, 1, 0, &one)), 0, "larger than 128 MiB");
    check(file(0, 1, &page(0, 6, 1, 0, &one)), 0, "not of the size it says");
    check(file(0, 1 << 40, &page(0, 5, 1, 0, &one)), 0, "more rows than it has bytes");
    check(file(0, 2, &page(0, 5, 1, 0, &one)), 1, "fewer values than there are rows");
    check(file(0, 1, &page(0, 5, 9, 0, &one)), 0, "more values than there are rows");
    check(file(0, 1, &page(0, 4, 1, 0, &u32::MAX.to_le_bytes())), 0, "ends before its values do");
    // Snappy, gzip and Zstandard that claim 32 MiB in a few bytes.
    let claimed = 32 << 20;
    let snappy = Struct::default().varint(claimed).bytes;
    for (codec, bytes) in
        [(1, snappy), (2, vec![0x1f, 0x8b, 8, 0]), (6, vec![0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0x40, 6])]
    {
        check(file(codec, 1, &page(0, claimed, 1, 0, &bytes)), 0, "cannot be read");
    }
}

#[test]
fn a_dictionary_that_unfolds_without_end_is_left() {
    let text = vec![b'x'; 64 << 10];
    let words = plain(&text);
    let dictionary = page(2, words.len() as u64, 1, 0, &words);
    // A run of a million times the first word, in numbers of one bit.
    let run = [&[1][..], &Struct::default().varint(1_000_000 * 2).bytes, &[0]].concat();
    let pages = [dictionary, page(0, run.len() as u64, 1_000_000, 8, &run)].concat();
    let mut count = Count::default();
    let (_, fault) = each(&mut Cursor::new(file(0, 1_000_000, &pages)), &mut count);
    assert!(fault.unwrap().why.to_string().contains("a thousand times its size"));
    assert!((1_000..3_000).contains(&count.found), "{}", count.found);
}
