//! Reads many logs: files in parallel, records one at a time, counts put together at the end.
//!
//! Every record is counted in exactly one place: it gave observations, it was skipped with a reason, or nothing
//! explains it. A file that cannot be read to its end is reported, what was read of it counts, and the run goes on.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use iam_model::arn::{AccountId, Arn};
use iam_model::catalog::Catalog;
use iam_model::diagnostic::{Code, Diagnostic, Place};
use iam_model::time::Timestamp;
use iam_model::usage::{SkipReason, UsageLog};
use rayon::prelude::*;

use crate::calls::{Authorised, Calls, of_event};
use crate::event::Event;
use crate::feed::{Feed, RECORD_LIMIT};
use crate::fold::Stat;
use crate::identity::{Caller, caller};
use crate::json::Raw;
use crate::names::{FileKind, kind_of_path};
use crate::outcome::is_denied;
use crate::plan::Plans;
use crate::records::{Broken, Found, NoRecord, Shape, each};
use crate::seen::{Seen, fingerprint};
use crate::source::LogSource;
use crate::tally::Tally;

/// What to read, and how.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Leave out events before this.
    pub since: Option<Timestamp>,
    /// Leave out events after this.
    pub until: Option<Timestamp>,
    /// Leave out roles other than these; empty means all.
    pub roles: BTreeSet<Arn>,
    /// Leave out roles of other accounts than these; empty means all.
    pub accounts: BTreeSet<AccountId>,
    /// Threads to use; 0 means one for each core.
    pub threads: usize,
}

/// How far a run is. The numbers only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Sources finished.
    pub sources: u64,
    /// Their sizes in bytes, as stored, where known.
    pub bytes: u64,
    /// Records read.
    pub records: u64,
}

/// Reads CloudTrail logs into what each role did.
///
/// The result does not depend on the order of the sources nor on the number of threads. Sources whose name says that
/// they are digest or Insight files are not opened.
///
/// ```
/// use iam_model::catalog::Catalog;
/// use iam_usage::{LogSource, Options, read};
/// let log = br#"{"Records": [{"eventID": "1", "eventTime": "2026-11-20T08:15:30Z", "eventSource": "dynamodb.amazonaws.com",
///   "eventName": "PutItem", "awsRegion": "eu-west-1", "recipientAccountId": "111122223333",
///   "requestParameters": {"tableName": "Orders"}, "userIdentity": {"type": "AssumedRole",
///     "arn": "arn:aws:sts::111122223333:assumed-role/orders-role/orders",
///     "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/orders-role"}}}}]}"#;
/// let sources = vec![LogSource::from_bytes("trail.json", log.to_vec())];
/// let catalog = Catalog::embedded().unwrap();
/// let (usage, diagnostics) = read(sources, &catalog, &Options::default(), &|_| {});
/// assert!(diagnostics.is_empty());
/// let observation = &usage.principals.values().next().unwrap().observations[0];
/// assert_eq!(observation.action.as_str(), "dynamodb:PutItem");
/// assert_eq!(observation.resources[0].as_str(), "arn:aws:dynamodb:eu-west-1:111122223333:table/Orders");
/// ```
pub fn read(
    sources: impl IntoIterator<Item = LogSource>,
    catalog: &Catalog,
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) -> (UsageLog, Vec<Diagnostic>) {
    let sources: Vec<LogSource> = sources.into_iter().collect();
    let shared = Shared { options, seen: Seen::new(), progress, done: Done::default() };
    let pool = match options.threads {
        1 => None,
        threads => rayon::ThreadPoolBuilder::new().num_threads(threads).build().ok(),
    };
    let whole = match pool {
        Some(pool) => pool.install(|| {
            let workers =
                sources.par_iter().fold(|| Worker::new(catalog), |worker, source| worker.read(source, &shared));
            workers.map(Worker::finish).reduce(Counted::default, Counted::together)
        }),
        None => sources.iter().fold(Worker::new(catalog), |worker, source| worker.read(source, &shared)).finish(),
    };
    let Counted { tally, mut diagnostics } = whole;
    diagnostics.sort();
    diagnostics.dedup();
    (tally.into_log(), diagnostics)
}

/// What the threads share.
struct Shared<'s> {
    options: &'s Options,
    seen: Seen,
    progress: &'s (dyn Fn(Progress) + Sync),
    done: Done,
}

#[derive(Default)]
struct Done {
    sources: AtomicU64,
    bytes: AtomicU64,
    records: AtomicU64,
}

impl Shared<'_> {
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
struct Counted {
    tally: Tally,
    diagnostics: Vec<Diagnostic>,
}

impl Counted {
    fn together(mut self, mut other: Self) -> Self {
        self.diagnostics.append(&mut other.diagnostics);
        Self { tally: self.tally.merge(other.tally), diagnostics: self.diagnostics }
    }
}

/// A thread at work.
struct Worker<'c> {
    plans: Plans<'c>,
    window: Vec<u8>,
    counted: Counted,
}

impl<'c> Worker<'c> {
    fn new(catalog: &'c Catalog) -> Self {
        Self { plans: Plans::new(catalog), window: Vec::new(), counted: Counted::default() }
    }

    fn finish(self) -> Counted {
        self.counted
    }

    fn read(mut self, source: &LogSource, shared: &Shared<'_>) -> Self {
        if kind_of_path(source.name().as_str()) == FileKind::NotALog {
            self.counted.tally.skip(SkipReason::NotALog);
            shared.report(source, 0);
            return self;
        }
        let before = self.counted.tally.records;
        match source.open() {
            Ok(reader) => self.read_opened(source, reader, shared),
            Err(error) => {
                let message = format!("the log cannot be opened: {error}");
                self.diagnose(Code::FileUnreadable, source, None, message, "check that it exists and may be read");
            }
        }
        shared.report(source, self.counted.tally.records - before);
        self
    }

    fn read_opened(&mut self, source: &LogSource, reader: Box<dyn std::io::Read + '_>, shared: &Shared<'_>) {
        let mut feed = Feed::new(reader, std::mem::take(&mut self.window));
        let mut refused = Refused::default();
        let (shape, broken) = {
            let (plans, tally) = (&mut self.plans, &mut self.counted.tally);
            each(&mut feed, &mut |found| {
                tally.records += 1;
                match found {
                    Found::Record(event) => count(plans, tally, shared, event, &mut refused),
                    Found::NoRecord(why) => {
                        refused.note(why);
                        tally.skip(SkipReason::Incomplete);
                    }
                }
            })
        };
        self.report_source(source, &feed, shape, broken, &refused);
        self.window = feed.into_window();
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
            self.counted.tally.skip(SkipReason::NotALog);
        } else if !shape.holds_records {
            let message = "this is not a CloudTrail log: it holds no records".to_owned();
            let hint = "a log holds `Records`, one record on each line, or what `aws cloudtrail lookup-events` prints";
            self.diagnose(Code::FileUnreadable, source, None, message, hint);
        } else {
            self.counted.tally.files += 1;
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
        self.counted.diagnostics.push(Diagnostic::warning(code, place, message).hint(hint));
    }
}

fn records(count: u64) -> String {
    if count == 1 { "1 record is".to_owned() } else { format!("{count} records are") }
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

/// Counts one record, in exactly one place.
fn count(plans: &mut Plans<'_>, tally: &mut Tally, shared: &Shared<'_>, event: &Event<'_>, refused: &mut Refused) {
    let Some(time) = event.time() else {
        refused.incomplete += 1;
        return tally.skip(SkipReason::Incomplete);
    };
    let id = Event::text(event.event_id).unwrap_or_default();
    let verdict = judge(plans, shared.options, event, time);
    // Told of every copy, so that what is said of a file does not depend on which copy was first.
    refused.incomplete += u64::from(matches!(verdict, Verdict::Skipped(SkipReason::Incomplete)));
    let (region, recipient) = (text_of(event.region), text_of(event.recipient));
    if !id.is_empty() {
        let mut parts = Vec::with_capacity(16);
        parts.extend([&*id, &*region, &*recipient]);
        verdict.add_parts(&mut parts);
        if !shared.seen.is_new(fingerprint(time.epoch_seconds(), &parts)) {
            return tally.skip(SkipReason::Duplicate);
        }
    }
    if !matches!(verdict, Verdict::Skipped(SkipReason::FilteredOut)) {
        tally.seen(time, &recipient, &region);
    }
    match verdict {
        Verdict::Skipped(reason) => tally.skip(reason),
        Verdict::Unresolved { source, name, caller } => tally.unresolved(&source, &name, &caller.role),
        Verdict::Observed { caller, calls, denied } => {
            let stat = Stat::one(denied, time, &id);
            tally.observe(&caller.role, caller.function.as_deref(), &calls, &stat);
        }
    }
}

fn text_of<'e>(field: Option<Raw<'e>>) -> Cow<'e, str> {
    Event::text(field).unwrap_or_default()
}

/// What became of a record.
enum Verdict<'e> {
    Skipped(SkipReason),
    Unresolved { source: String, name: String, caller: Caller<'e> },
    Observed { caller: Caller<'e>, calls: Vec<Authorised>, denied: bool },
}

impl Verdict<'_> {
    /// Adds what makes the record the same as another with its id.
    fn add_parts<'p>(&'p self, parts: &mut Vec<&'p str>) {
        match self {
            Self::Skipped(reason) => parts.push(reason.as_str()),
            Self::Unresolved { source, name, caller } => parts.extend([source, name, &*caller.role]),
            Self::Observed { caller, calls, denied } => {
                parts.extend([&*caller.role, caller.function.as_deref().unwrap_or_default()]);
                parts.push(if *denied { "denied" } else { "authorised" });
                for call in calls {
                    parts.push(call.action.as_str());
                    parts.extend(call.resources.arns.iter().map(String::as_str));
                    parts.extend(call.context.iter().flat_map(|(key, value)| [key.as_str(), value]));
                }
            }
        }
    }
}

fn judge<'e>(plans: &mut Plans<'_>, options: &Options, event: &Event<'e>, time: Timestamp) -> Verdict<'e> {
    if options.since.is_some_and(|since| time < since) || options.until.is_some_and(|until| time > until) {
        return Verdict::Skipped(SkipReason::FilteredOut);
    }
    if Event::text(event.event_type).is_some_and(|kind| plans.is_no_api_call(&kind)) {
        return Verdict::Skipped(SkipReason::NotAnApiCall);
    }
    let caller = match caller(event) {
        Ok(caller) => caller,
        Err(reason) => return Verdict::Skipped(reason),
    };
    if !wanted(options, &caller) {
        return Verdict::Skipped(SkipReason::FilteredOut);
    }
    let (Some(source), Some(name)) = (Event::text(event.event_source), Event::text(event.event_name)) else {
        return Verdict::Skipped(SkipReason::Incomplete);
    };
    match of_event(plans, event, &caller) {
        Calls::Authorised(calls) => Verdict::Observed { denied: is_denied(event), caller, calls },
        Calls::Free => Verdict::Skipped(SkipReason::NoPermissionNeeded),
        Calls::Unknown => Verdict::Unresolved { source: source.into_owned(), name: name.into_owned(), caller },
    }
}

fn wanted(options: &Options, caller: &Caller<'_>) -> bool {
    (options.roles.is_empty() || options.roles.iter().any(|role| role.as_str() == caller.role))
        && (options.accounts.is_empty() || options.accounts.iter().any(|account| account.as_str() == caller.account()))
}
