//! The rows of a query that ended well, as CSV, fetched page by page while they are read.
//!
//! One page is held at a time. What is read is a result only once every page came; [`Answer::outcome`] says so.

use std::collections::BTreeSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::client::{Client, Page, again};
use super::error::QueryError;
use super::stop::{Stop, Stopped};
use super::{Columns, Order};
use crate::connect::{Connection, Pace};
use crate::live::answer::Failure;

/// Bytes a row may have, as CSV: more than any record of CloudTrail's, and less than its reader takes.
pub(super) const ROW_LIMIT: usize = 2 << 20;

/// A query that ended well, and its rows.
#[derive(Clone)]
pub struct Answer {
    inner: Arc<Inner>,
}

struct Inner {
    connection: Connection,
    client: Client,
    engine: &'static str,
    id: String,
    scanned: Option<u64>,
    columns: &'static [&'static str],
    accepts: fn(&Columns<'_>) -> bool,
    pace: Pace,
    stop: Stop,
    progress: Mutex<Progress>,
}

/// How far the pages are read.
#[derive(Default)]
struct Progress {
    opened: bool,
    mark: Option<String>,
    /// Marks that came, by their hashes.
    marks: BTreeSet<u64>,
    pages: u64,
    rows: u64,
    /// Whether the last page came, or why it never will.
    end: Option<Result<(), QueryError>>,
}

impl Answer {
    pub(super) fn new(
        connection: Connection,
        client: Client,
        order: &Order,
        (id, scanned): (String, Option<u64>),
        (pace, stop): (Pace, Stop),
    ) -> Self {
        let inner = Inner {
            connection,
            client,
            engine: order.engine.name(),
            id,
            scanned,
            columns: order.columns,
            accepts: order.accepts,
            pace,
            stop,
            progress: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The query's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.inner.id
    }

    /// Bytes the query scanned, where AWS says.
    #[must_use]
    pub fn scanned(&self) -> Option<u64> {
        self.inner.scanned
    }

    /// The rows as CSV, the columns' names first. They can be read once.
    ///
    /// # Errors
    /// The second time.
    pub fn rows(&self) -> io::Result<impl Read + Send + 'static> {
        if std::mem::replace(&mut self.progress().opened, true) {
            return Err(io::Error::other("the rows were read already"));
        }
        let buffer = (self.inner.columns.join(",") + "\n").into_bytes();
        Ok(Rows { answer: self.clone(), buffer, at: 0 })
    }

    /// How many rows there were, once every page was read.
    ///
    /// # Errors
    /// Where a page is missing, cannot be read, or was not asked for yet: what was read is then no result.
    pub fn outcome(&self) -> Result<u64, QueryError> {
        let progress = self.progress();
        match &progress.end {
            Some(Ok(())) => Ok(progress.rows),
            Some(Err(error)) => Err(error.clone()),
            None => Err(self.broken(progress.pages, "the rows were not read to their end".into())),
        }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.inner.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn broken(&self, page: u64, reason: String) -> QueryError {
        QueryError::Result { engine: self.inner.engine, id: self.inner.id.clone(), page, reason }
    }

    /// The next page as CSV; nothing after the last.
    fn next_page(&self) -> Result<Option<Vec<u8>>, QueryError> {
        let mut progress = self.progress();
        match &progress.end {
            Some(Ok(())) => return Ok(None),
            Some(Err(error)) => return Err(error.clone()),
            None => {}
        }
        progress.pages += 1;
        let text = self.fetched(progress.mark.take()).and_then(|page| {
            let text = self.csv(&page)?;
            progress.rows += u64::try_from(page.rows.len()).unwrap_or(u64::MAX);
            let end = match page.mark {
                None => Some(self.all_there(page.total, progress.rows)),
                Some(mark) if progress.marks.insert(hash(&mark)) => {
                    progress.mark = Some(mark);
                    None
                }
                Some(_) => Some(Err("the pages go round: a mark came twice".into())),
            };
            match end {
                Some(Err(wrong)) => return Err(wrong),
                Some(Ok(())) => progress.end = Some(Ok(())),
                None => {}
            }
            Ok(text)
        });
        text.map(Some).map_err(|reason| {
            let error = self.broken(progress.pages, reason);
            progress.end = Some(Err(error.clone()));
            error
        })
    }

    fn all_there(&self, total: Option<u64>, rows: u64) -> Result<(), String> {
        match total {
            Some(total) if total != rows => Err(format!("{rows} rows came, and there are {total}")),
            _ => Ok(()),
        }
    }

    fn fetched(&self, mark: Option<String>) -> Result<Page, String> {
        let Inner { client, id, columns, pace, stop, .. } = &*self.inner;
        let (client, id, columns, wait, stop) = (client.clone(), id.clone(), *columns, pace.wait, stop.clone());
        let page = self
            .inner
            .connection
            .wait(async move { stop.or(again(wait, || client.page(&id, mark.clone(), columns))).await });
        match page {
            Ok(Ok(Ok(page))) => Ok(page),
            Ok(Ok(Err(Failure { code, message, .. }))) => Err(super::error::bounded(&format!("{code}: {message}"))),
            Ok(Err(Stopped)) => Err("it was interrupted".into()),
            Err(lost) => Err(lost.to_string()),
        }
    }

    fn csv(&self, page: &Page) -> Result<Vec<u8>, String> {
        let mut text = Vec::new();
        for row in &page.rows {
            let cells: Vec<(&'static str, Option<&str>)> =
                self.inner.columns.iter().copied().zip(row.iter().map(Option::as_deref)).collect();
            let size: usize = row.iter().flatten().map(String::len).sum();
            let start = text.len();
            if size < ROW_LIMIT {
                write_row(&cells, &mut text);
            }
            if size >= ROW_LIMIT || text.len() - start >= ROW_LIMIT {
                return Err(format!("a row is larger than {} MiB", ROW_LIMIT >> 20));
            }
            if !(self.inner.accepts)(&cells) {
                return Err("a row is none that the statement asks for".into());
            }
        }
        Ok(text)
    }
}

fn hash(mark: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    mark.hash(&mut hasher);
    hasher.finish()
}

/// A row with every cell in quotes, and nothing for NULL.
fn write_row(cells: &Columns<'_>, text: &mut Vec<u8>) {
    for (at, (_, cell)) in cells.iter().enumerate() {
        if at > 0 {
            text.push(b',');
        }
        if let Some(cell) = cell {
            text.push(b'"');
            text.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
            text.push(b'"');
        }
    }
    text.push(b'\n');
}

/// A reader that asks for the next page when one is read.
struct Rows {
    answer: Answer,
    buffer: Vec<u8>,
    at: usize,
}

impl Read for Rows {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = self.buffer.get(self.at..).unwrap_or_default();
            if !left.is_empty() || room.is_empty() {
                let got = left.len().min(room.len());
                if let (Some(to), Some(from)) = (room.get_mut(..got), left.get(..got)) {
                    to.copy_from_slice(from);
                }
                self.at += got;
                return Ok(got);
            }
            match self.answer.next_page() {
                Ok(Some(page)) => (self.buffer, self.at) = (page, 0),
                Ok(None) => return Ok(0),
                Err(error) => return Err(io::Error::other(error.to_string())),
            }
        }
    }
}
