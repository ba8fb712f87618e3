//! Finds the records of a log, one at a time, whatever form the log has.
//!
//! Forms: CloudTrail's own files (`{"Records": […]}`), records on lines of their own, an array of records, and what
//! `aws cloudtrail lookup-events` prints (`{"Events": [{"CloudTrailEvent": "…"}]}`); and rows, as Athena and CloudTrail
//! Lake export them: CSV with the columns' names, or objects with names in small letters on lines of their own, or
//! `{"QueryResultRows": [[{"eventName": "…"}, …]]}`, or Parquet. What the records mean is for others.

mod csv;
pub(crate) mod parquet;

use crate::event::{Event, is_record_key};
use crate::feed::{Feed, RECORD_LIMIT};
use crate::json::{Raw, Stop, skip_string, skip_value, space};
use crate::recall::Memory;
use crate::summed::{MARK, Summed};

/// What a source was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Shape {
    /// Whether it held something that holds records, even if none.
    pub(crate) holds_records: bool,
    /// Whether it is one of CloudTrail's own digest files.
    pub(crate) is_digest: bool,
}

/// Why a source was left before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// It ends within a value.
    CutOff,
    /// A byte cannot stand where it stands.
    NotJson,
}

/// What is found on the way.
pub(crate) enum Found<'a, 'e> {
    /// A record.
    Record(&'e Event<'a>),
    /// Records that were counted before.
    Summed(&'e Summed),
    /// Something in a record's place that is none, or is larger than a record may be.
    NoRecord(NoRecord),
}

/// Why something in a record's place is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRecord {
    /// Larger than [`RECORD_LIMIT`].
    TooLarge,
    /// Not an object, or a lookup result without its event.
    NotAnObject,
}

/// Takes what is found.
pub(crate) trait Take {
    /// Takes the record that starts here, if it is like one before; the offset after it. Without one, nothing was done.
    fn known(&mut self, bytes: &[u8]) -> Option<usize>;

    /// Callers that are recognised when a record is read.
    fn memory(&self) -> &Memory;

    /// Takes a record that was read, or what stands in its place.
    fn found(&mut self, found: Found<'_, '_>);
}

/// Hands every record of `feed` to `sink`.
pub(crate) fn each(feed: &mut Feed<'_>, sink: &mut dyn Take) -> (Shape, Option<Broken>) {
    let mut shape = Shape::default();
    if feed.peek().is_some() && feed.bytes().starts_with(b"\xef\xbb\xbf") {
        feed.take(3);
    }
    let result = values(feed, &mut shape, sink);
    let broken = result.err().map(|stop| match stop {
        Stop::More => Broken::CutOff,
        Stop::Bad(_) => Broken::NotJson,
    });
    (shape, broken)
}

/// The values of the top level: one for most forms, many for records on lines.
fn values(feed: &mut Feed<'_>, shape: &mut Shape, sink: &mut dyn Take) -> Result<(), Stop> {
    while let Some(byte) = feed.peek() {
        match byte {
            b'[' => {
                shape.holds_records = true;
                list(feed, sink)?;
            }
            b'{' => object(feed, shape, sink)?,
            _ if csv::starts_table(feed) => {
                shape.holds_records = true;
                csv::each_row(feed, sink)?;
            }
            _ => return Err(Stop::Bad(0)),
        }
    }
    Ok(())
}

/// An array of records; its bracket comes next.
fn list(feed: &mut Feed<'_>, sink: &mut dyn Take) -> Result<(), Stop> {
    feed.take(1);
    loop {
        match feed.peek().ok_or(Stop::More)? {
            b']' => {
                feed.take(1);
                return Ok(());
            }
            b',' => feed.take(1),
            b'{' => one(feed, sink)?,
            b'[' => row(feed, sink)?,
            b'}' | b':' => return Err(Stop::Bad(0)),
            _ => {
                sink.found(Found::NoRecord(NoRecord::NotAnObject));
                feed.skip()?;
            }
        }
    }
}

/// A row of what `aws cloudtrail get-query-results` prints, an object for each column; its bracket comes next.
fn row(feed: &mut Feed<'_>, sink: &mut dyn Take) -> Result<(), Stop> {
    let record = feed.parse(|bytes| {
        let end = skip_value(bytes, 0)?;
        let columns = Raw(bytes.get(..end).unwrap_or_default()).items().flat_map(Raw::members);
        let mut columns: Vec<(Vec<u8>, Vec<u8>)> = columns
            .map(|(name, value)| (name.to_vec(), value.text().unwrap_or_default().into_owned().into()))
            .collect();
        let (names, cells): (Vec<Vec<u8>>, Vec<Vec<u8>>) = columns.drain(..).unzip();
        let names: Vec<String> = names.iter().map(|name| String::from_utf8_lossy(name).to_ascii_lowercase()).collect();
        Ok((csv::record(&names, &cells), end))
    });
    match record {
        Ok(record) => {
            csv::take_record(&record, sink);
            Ok(())
        }
        Err(Stop::More) if feed.is_full() && feed.bytes().len() >= RECORD_LIMIT => {
            sink.found(Found::NoRecord(NoRecord::TooLarge));
            feed.skip()
        }
        Err(stop) => Err(stop),
    }
}

/// One record, or one lookup result; its brace comes next.
fn one(feed: &mut Feed<'_>, sink: &mut dyn Take) -> Result<(), Stop> {
    let result = feed.parse(|bytes| {
        if let Some(end) = sink.known(bytes) {
            return Ok(((), end));
        }
        let (event, end) = Event::scan(bytes, 0, sink.memory())?;
        if end > RECORD_LIMIT {
            sink.found(Found::NoRecord(NoRecord::TooLarge));
        } else if let Some(wrapped) = event.wrapped {
            looked_up(wrapped, sink);
        } else if event.is_record() {
            sink.found(Found::Record(&event));
        } else {
            sink.found(Found::NoRecord(NoRecord::NotAnObject));
        }
        Ok(((), end))
    });
    match result {
        // More was asked for, and there is more, but no room: the record is too large.
        Err(Stop::More) if feed.is_full() && feed.bytes().len() >= RECORD_LIMIT => {
            sink.found(Found::NoRecord(NoRecord::TooLarge));
            feed.skip()
        }
        result => result,
    }
}

/// What an item that `lookup-events` prints has within: the record, as a string of JSON.
fn looked_up(wrapped: Raw<'_>, sink: &mut dyn Take) {
    let text = wrapped.text();
    let scanned = text.as_deref().map(|text| Event::scan(text.as_bytes(), space(text.as_bytes(), 0), sink.memory()));
    match scanned {
        Some(Ok((event, _))) if event.is_record() => sink.found(Found::Record(&event)),
        _ => sink.found(Found::NoRecord(NoRecord::NotAnObject)),
    }
}

/// An object of the top level: a file of CloudTrail's, a lookup's output, or a record itself.
fn object(feed: &mut Feed<'_>, shape: &mut Shape, sink: &mut dyn Take) -> Result<(), Stop> {
    if feed.parse(|bytes| Ok((starts_summed(bytes)?, 0)))? {
        shape.holds_records = true;
        return summed(feed, sink);
    }
    let is_record = feed.parse(|bytes| Ok((starts_record(bytes)?, 0)))?;
    if is_record {
        shape.holds_records = true;
        return one(feed, sink);
    }
    feed.take(1);
    loop {
        match feed.peek().ok_or(Stop::More)? {
            b'}' => {
                feed.take(1);
                return Ok(());
            }
            b',' => feed.take(1),
            b'"' => container_member(feed, shape, sink)?,
            _ => return Err(Stop::Bad(0)),
        }
    }
}

/// Whether the object that comes next is a record or a lookup result, by its first key.
fn starts_record(bytes: &[u8]) -> Result<bool, Stop> {
    let at = space(bytes, 1);
    match bytes.get(at).ok_or(Stop::More)? {
        b'"' => {
            let end = skip_string(bytes, at)?;
            let key = bytes.get(at + 1..end - 1).unwrap_or_default();
            let looked_up = [&b"EventId"[..], b"EventName", b"CloudTrailEvent", b"Username", b"AccessKeyId"];
            Ok(is_record_key(key) || looked_up.contains(&key))
        }
        _ => Ok(false),
    }
}

/// Whether the object that comes next is a row of counts, by its first key.
fn starts_summed(bytes: &[u8]) -> Result<bool, Stop> {
    let at = space(bytes, 1);
    match bytes.get(at).ok_or(Stop::More)? {
        b'"' => {
            let end = skip_string(bytes, at)?;
            Ok(bytes.get(at + 1..end - 1) == Some(MARK.as_bytes()))
        }
        _ => Ok(false),
    }
}

/// A row of counts; its brace comes next.
fn summed(feed: &mut Feed<'_>, sink: &mut dyn Take) -> Result<(), Stop> {
    let row = feed.parse(|bytes| {
        let end = skip_value(bytes, 0)?;
        let members = Raw(bytes.get(..end).unwrap_or_default()).members();
        let columns: Vec<(&str, Vec<u8>)> = members
            .filter_map(|(name, value)| {
                let text = value.scalar().unwrap_or_default().into_owned();
                Some((std::str::from_utf8(name).ok()?, text.into_bytes()))
            })
            .collect();
        let columns: Vec<(&str, &[u8])> = columns.iter().map(|(name, text)| (*name, text.as_slice())).collect();
        Ok((Summed::of(&columns), end))
    });
    match row {
        Ok(row) => {
            take_summed(row.as_ref(), sink);
            Ok(())
        }
        Err(Stop::More) if feed.is_full() && feed.bytes().len() >= RECORD_LIMIT => {
            sink.found(Found::NoRecord(NoRecord::TooLarge));
            feed.skip()
        }
        Err(stop) => Err(stop),
    }
}

fn take_summed(row: Option<&Summed>, sink: &mut dyn Take) {
    match row {
        Some(row) => sink.found(Found::Summed(row)),
        None => sink.found(Found::NoRecord(NoRecord::NotAnObject)),
    }
}

/// A member of an object that is no record: records are under `Records` or `Events`, the rest is stepped over.
fn container_member(feed: &mut Feed<'_>, shape: &mut Shape, sink: &mut dyn Take) -> Result<(), Stop> {
    let (holds, digest) = feed.parse(|bytes| {
        let end = skip_string(bytes, 0)?;
        let key = bytes.get(1..end - 1).unwrap_or_default();
        let colon = space(bytes, end);
        if bytes.get(colon).ok_or(Stop::More)? != &b':' {
            return Err(Stop::Bad(colon));
        }
        let holds = [&b"Records"[..], b"Events", b"QueryResultRows"].contains(&key);
        Ok(((holds, key == b"digestStartTime" || key == b"logFiles"), colon + 1))
    })?;
    shape.is_digest |= digest;
    if holds && feed.peek() == Some(b'[') {
        shape.holds_records = true;
        return list(feed, sink);
    }
    feed.peek().ok_or(Stop::More)?;
    feed.skip()
}

#[cfg(test)]
mod tests;
