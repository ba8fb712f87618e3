//! A log as the reader sees it: a name, a size, and a way to open it. Where it lies is the shell's business.

use std::fmt;
use std::io::{self, Cursor, Read, Seek};

use iam_model::text::SourceName;

/// Bytes of which any part can be read: a file, or what is in memory.
pub trait Seekable: Read + Seek + Send {}

impl<T: Read + Seek + Send> Seekable for T {}

/// A source that was opened.
pub(crate) enum Opened {
    /// From its beginning to its end.
    Stream(Box<dyn Read + Send>),
    /// In any order.
    Parts(Box<dyn Seekable>),
}

/// Opens a source; it may be called on any thread.
type Opener = Box<dyn Fn() -> io::Result<Opened> + Send + Sync>;

/// One log, not yet opened.
pub struct LogSource {
    name: SourceName,
    size: Option<u64>,
    open: Opener,
}

impl LogSource {
    /// A log that `open` opens, to be read from its beginning to its end. The name is shown in messages; the size in bytes,
    /// as stored, is for progress alone.
    pub fn new(
        name: &str,
        size: Option<u64>,
        open: impl Fn() -> io::Result<Box<dyn Read + Send>> + Send + Sync + 'static,
    ) -> Self {
        Self { name: SourceName::new(name), size, open: Box::new(move || open().map(Opened::Stream)) }
    }

    /// The same, of which any part can be read: Parquet says at its end what it holds.
    pub fn of_parts(
        name: &str,
        size: Option<u64>,
        open: impl Fn() -> io::Result<Box<dyn Seekable>> + Send + Sync + 'static,
    ) -> Self {
        Self { name: SourceName::new(name), size, open: Box::new(move || open().map(Opened::Parts)) }
    }

    /// A log that is already in memory.
    #[must_use]
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Self {
        let size = u64::try_from(bytes.len()).ok();
        let bytes: std::sync::Arc<[u8]> = bytes.into();
        Self::of_parts(name, size, move || Ok(Box::new(Cursor::new(std::sync::Arc::clone(&bytes)))))
    }

    /// The name shown in messages.
    #[must_use]
    pub const fn name(&self) -> &SourceName {
        &self.name
    }

    /// Bytes as stored, where known.
    #[must_use]
    pub const fn size(&self) -> Option<u64> {
        self.size
    }

    /// Bytes as a compressed log would have, roughly; where the size is not known, none.
    pub(crate) fn packed_size(&self) -> u64 {
        const USUAL_RATIO: u64 = 10;
        let size = self.size.unwrap_or_default();
        let packed = [".gz", ".parquet"].iter().any(|ending| self.name.as_str().ends_with(ending));
        if packed { size } else { size / USUAL_RATIO }
    }

    pub(crate) fn open(&self) -> io::Result<Opened> {
        (self.open)()
    }
}

impl fmt::Debug for LogSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogSource").field("name", &self.name).field("size", &self.size).finish_non_exhaustive()
    }
}
