//! A thread at work: reads one source after the other, and says what was wrong with each.
//!
//! What a record means is told elsewhere.

use std::io::{Cursor, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use iam_model::catalog::Catalog;
use iam_model::diagnostic::{Code, Diagnostic, Place};
use iam_model::usage::SkipReason;

use crate::count::Records;
use crate::feed::{Feed, RECORD_LIMIT, Room};
use crate::names::{FileKind, kind_of_path};
use crate::options::{Options, Progress};
use crate::recall::Memory;
use crate::records::{Broken, Found, NoRecord, Shape, Take, each, parquet};
use crate::seen::{Copies, Scope, Seen, digest_of_name};
use crate::source::{LogSource, Opened, Seekable};
use crate::tally::Tally;

/// What the threads share.
pub(crate) struct Shared<'s> {
    options: &'s Options,
    catalog: &'s Catalog,
    pub(crate) seen: Seen,
    progress: &'s (dyn Fn(Progress) + Sync),
    done: Done,
}

#[derive(Default)]
struct Done {
    sources: AtomicU64,
    bytes: AtomicU64,
    records: AtomicU64,
}

impl<'s> Shared<'s> {
    pub(crate) fn new(
        options: &'s Options,
        catalog: &'s Catalog,
        progress: &'s (dyn Fn(Progress) + Sync),
        seen: Seen,
    ) -> Self {
        Self { options, catalog, seen, progress, done: Done::default() }
    }

    /// Tells how far the run is after a source.
    fn report(&self, source: &LogSource, records: u64) {
        let add = |counter: &AtomicU64, more: u64| counter.fetch_add(more, Ordering::Relaxed) + more;
        (self.progress)(Progress {
            sources: add(&self.done.sources, 1),
            bytes: add(&self.done.bytes, source.size().unwrap_or_default()),
            records: add(&self.done.records, records),
        });
    }
}

/// A thread's counts.
#[derive(Default)]
pub(crate) struct Counted {
    pub(crate) tally: Tally,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Counted {
    /// Both counts as one.
    pub(crate) fn together(mut self, mut other: Self) -> Self {
        self.diagnostics.append(&mut other.diagnostics);
        Self { tally: self.tally.merge(other.tally), diagnostics: self.diagnostics }
    }
}

/// A thread at work.
pub(crate) struct Worker<'s> {
    shared: &'s Shared<'s>,
    records: Records<'s>,
    room: Room,
    diagnostics: Vec<Diagnostic>,
}

impl<'s> Worker<'s> {
    pub(crate) fn new(shared: &'s Shared<'s>) -> Self {
        let records = Records::new(shared.catalog, shared.options);
        Self { shared, records, room: Room::default(), diagnostics: Vec::new() }
    }

    /// What was counted.
    pub(crate) fn finish(self) -> Counted {
        Counted { tally: self.records.finish(), diagnostics: self.diagnostics }
    }

    /// Reads one source.
    pub(crate) fn read(&mut self, source: &LogSource, scope: Scope) {
        if kind_of_path(source.name().as_str()) == FileKind::NotALog {
            self.records.tally().skip(SkipReason::NotALog);
            self.records.tally().sources.push(digest_of_name(source.name().as_str()));
            self.shared.report(source, 0);
            return;
        }
        let before = self.records.tally().records;
        match source.open() {
            Ok(Opened::Stream(reader)) => self.read_stream(source, reader, scope),
            Ok(Opened::Parts(file)) => self.read_parts(source, file, scope),
            Err(error) => {
                let message = format!("the log cannot be opened: {error}");
                self.diagnose(Code::FileUnreadable, source, None, message, "check that it exists and may be read");
                self.records.tally().unread_files += 1;
            }
        }
        let read = self.records.tally().records - before;
        self.shared.report(source, read);
    }

    /// Reads a source of which any part can be read, in order where it is not Parquet.
    fn read_parts(&mut self, source: &LogSource, mut file: Box<dyn Seekable>, scope: Scope) {
        let mut first = Vec::new();
        match file.by_ref().take(4).read_to_end(&mut first) {
            Ok(_) if parquet::is_start(&first) => self.read_parquet(source, &mut *file, scope),
            Ok(_) => self.read_stream(source, Box::new(Cursor::new(first).chain(file)), scope),
            Err(error) => {
                self.records.tally().unread_files += 1;
                let message = format!("reading failed: {error}");
                self.diagnose(Code::FileUnreadable, source, None, message, "check that it exists and may be read");
            }
        }
    }

    fn read_parquet(&mut self, source: &LogSource, file: &mut dyn Seekable, scope: Scope) {
        let copies = Copies::new(&self.shared.seen, scope);
        let mut counting = Counting { records: &mut self.records, copies, refused: Refused::default() };
        let (shape, fault) = parquet::each(file, &mut counting);
        let Counting { copies, refused, .. } = counting;
        self.records.tally().sources.push(copies.digest(source.name().as_str()));
        if let Some(fault) = fault {
            self.records.tally().unread_files += 1;
            let kept = if fault.place.is_some() { "; what was read before it counts" } else { "" };
            let (message, hint) = (format!("{}{kept}", fault.why), fault.hint());
            self.diagnose(Code::FileUnreadable, source, fault.place, message, hint);
        } else if !shape.holds_records {
            let message =
                "these columns are not those of CloudTrail's records: `eventname` or `paring_rows` is missing";
            let hint = "write the rows of `paring usage sql`, or a table of records";
            self.diagnose(Code::FileUnreadable, source, None, message.to_owned(), hint);
        } else {
            self.records.tally().files += 1;
        }
        self.report_refused(source, &refused);
    }

    fn read_stream(&mut self, source: &LogSource, reader: Box<dyn Read + '_>, scope: Scope) {
        let mut feed = Feed::new(reader, std::mem::take(&mut self.room));
        let copies = Copies::new(&self.shared.seen, scope);
        let mut counting = Counting { records: &mut self.records, copies, refused: Refused::default() };
        let (shape, broken) = each(&mut feed, &mut counting);
        let Counting { copies, refused, .. } = counting;
        self.records.tally().sources.push(copies.digest(source.name().as_str()));
        self.report_source(source, &feed, shape, broken, &refused);
        self.room = feed.into_room();
    }

    fn report_source(
        &mut self,
        source: &LogSource,
        feed: &Feed<'_>,
        shape: Shape,
        broken: Option<Broken>,
        refused: &Refused,
    ) {
        let place =
            Some(format!("byte {}{}", feed.offset(), if feed.is_compressed() { " after decompression" } else { "" }));
        let kept = "what was read before it counts";
        let again = "it may have been cut off while it was copied; fetch it again";
        // A file that holds another thing whole is no log; one that is cut off or empty was one once.
        let lacks = feed.broken().is_some() || broken.is_some() || (feed.offset() == 0 && feed.bytes().is_empty());
        self.records.tally().unread_files += u64::from(lacks);
        if let Some(error) = feed.broken() {
            let what = if feed.is_compressed() { "the gzip is damaged or cut off" } else { "reading failed" };
            let message = format!("{what}: {error}; {kept}");
            self.diagnose(Code::FileUnreadable, source, place, message, again);
        } else if let Some(why) = broken {
            let encoding = if shape.holds_records { None } else { foreign_encoding(feed.bytes()) };
            match (why, encoding) {
                (_, Some(encoding)) => {
                    let message = format!("the file is {encoding}, and a log is JSON in UTF-8");
                    self.diagnose(
                        Code::FileUnreadable,
                        source,
                        None,
                        message,
                        "name only CloudTrail logs, or convert it",
                    );
                }
                (Broken::CutOff, None) => {
                    let message = format!("the JSON ends within a value; {kept}");
                    self.diagnose(Code::FileUnreadable, source, place, message, again);
                }
                (Broken::NotJson, None) => {
                    let message = format!("this is not JSON; {kept}");
                    self.diagnose(Code::FileUnreadable, source, place, message, "name only CloudTrail logs");
                }
            }
        } else if shape.is_digest {
            self.records.tally().skip(SkipReason::NotALog);
        } else if !shape.holds_records {
            let message = "this is not a CloudTrail log: it holds no records".to_owned();
            let hint = "a log holds `Records`, one record on each line, or what `aws cloudtrail lookup-events` prints";
            self.diagnose(Code::FileUnreadable, source, None, message, hint);
        } else {
            self.records.tally().files += 1;
        }
        self.report_refused(source, refused);
    }

    fn report_refused(&mut self, source: &LogSource, refused: &Refused) {
        if refused.too_large > 0 {
            let message = format!("{} larger than {} MiB and left out", records(refused.too_large), RECORD_LIMIT >> 20);
            self.diagnose(Code::EventInvalid, source, None, message, "CloudTrail's own records are far smaller");
        }
        if refused.not_an_object > 0 {
            let message = format!("{} no record at all and left out", records(refused.not_an_object));
            self.diagnose(Code::EventInvalid, source, None, message, "name only CloudTrail logs");
        }
        if refused.incomplete > 0 {
            let message =
                format!("{} without a readable time, event, or caller and left out", records(refused.incomplete));
            self.diagnose(Code::EventInvalid, source, None, message, "samples in documents are often shortened");
        }
    }

    fn diagnose(&mut self, code: Code, source: &LogSource, within: Option<String>, message: String, hint: &str) {
        let mut place = Place::whole(source.name().clone());
        place.within = within;
        self.diagnostics.push(Diagnostic::warning(code, place, message).hint(hint));
    }
}

fn records(count: u64) -> String {
    if count == 1 { "1 record is".to_owned() } else { format!("{count} records are") }
}

/// A source being counted.
struct Counting<'r, 's> {
    records: &'r mut Records<'s>,
    copies: Copies<'s>,
    refused: Refused,
}

impl Take for Counting<'_, '_> {
    fn known(&mut self, bytes: &[u8]) -> Option<usize> {
        self.records.count_known(bytes, &mut self.copies)
    }

    fn memory(&self) -> &Memory {
        self.records.memory()
    }

    fn found(&mut self, found: Found<'_, '_>) {
        match found {
            Found::Record(event) => {
                self.records.tally().records += 1;
                let complete = self.records.count(event, &mut self.copies);
                self.refused.incomplete += u64::from(!complete);
            }
            Found::Summed(row) => {
                let complete = self.records.count_summed(row, &mut self.copies);
                self.refused.incomplete += u64::from(!complete);
            }
            Found::NoRecord(why) => {
                self.records.tally().records += 1;
                self.refused.note(why);
                self.records.tally().skip(SkipReason::Incomplete);
            }
        }
    }
}

/// Records of a source that could not be used, by reason.
#[derive(Default)]
struct Refused {
    too_large: u64,
    not_an_object: u64,
    incomplete: u64,
}

impl Refused {
    fn note(&mut self, why: NoRecord) {
        match why {
            NoRecord::TooLarge => self.too_large += 1,
            NoRecord::NotAnObject => self.not_an_object += 1,
        }
    }
}

/// An encoding that is not UTF-8, told by the first bytes.
fn foreign_encoding(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16"),
        [b'P', b'K', 3, 4, ..] => Some("a zip archive"),
        [b'P', b'A', b'R', b'1', ..] => Some("Parquet within something else, which is read as a file of its own alone"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("compressed with zstd"),
        [b'B', b'Z', b'h', ..] => Some("compressed with bzip2"),
        _ if std::str::from_utf8(bytes.get(..64.min(bytes.len())).unwrap_or_default())
            .is_err_and(|error| error.error_len().is_some()) =>
        {
            Some("not UTF-8")
        }
        _ => None,
    }
}
