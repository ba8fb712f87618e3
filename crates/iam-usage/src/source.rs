//! A log as the reader sees it: a name, a size, and a way to open it. Where it lies is the shell's business.

use std::fmt;
use std::io::{self, Cursor, Read};

use iam_model::text::SourceName;

/// Opens a source; it may be called on any thread.
type Opener = Box<dyn Fn() -> io::Result<Box<dyn Read + Send>> + Send + Sync>;

/// One log, not yet opened.
pub struct LogSource {
    name: SourceName,
    size: Option<u64>,
    open: Opener,
}

impl LogSource {
    /// A log that `open` opens. The name is shown in messages; the size in bytes, as stored, is for progress alone.
    pub fn new(
        name: &str,
        size: Option<u64>,
        open: impl Fn() -> io::Result<Box<dyn Read + Send>> + Send + Sync + 'static,
    ) -> Self {
        Self { name: SourceName::new(name), size, open: Box::new(open) }
    }

    /// A log that is already in memory.
    #[must_use]
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Self {
        let size = u64::try_from(bytes.len()).ok();
        let bytes: std::sync::Arc<[u8]> = bytes.into();
        Self::new(name, size, move || Ok(Box::new(Cursor::new(std::sync::Arc::clone(&bytes)))))
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
        if self.name.as_str().ends_with(".gz") { size } else { size / USUAL_RATIO }
    }

    pub(crate) fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        (self.open)()
    }
}

impl fmt::Debug for LogSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogSource").field("name", &self.name).field("size", &self.size).finish_non_exhaustive()
    }
}
