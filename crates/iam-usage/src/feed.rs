//! Bytes of one source in a window that grows no larger than one record may be; gzip is told by its first bytes.
//!
//! Knows nothing of JSON beyond what it takes to step over a value that does not fit the window.

use std::io::{self, BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

use crate::json::{Stop, space};

/// Bytes the window starts with; most records are far smaller.
const START: usize = 256 << 10;

/// Bytes one record may have. CloudTrail's own limit is 256 KB, some exports unfold it.
pub(crate) const RECORD_LIMIT: usize = 4 << 20;

/// A window over the (decompressed) bytes of a source.
pub(crate) struct Feed<'r> {
    reader: Box<dyn Read + 'r>,
    window: Vec<u8>,
    at: usize,
    end: usize,
    /// Bytes that left the window.
    passed: u64,
    done: bool,
    /// Why reading ended early.
    broken: Option<io::Error>,
    compressed: bool,
}

impl<'r> Feed<'r> {
    /// Starts reading, taking `window` for its bytes.
    pub(crate) fn new(mut source: Box<dyn Read + 'r>, mut window: Vec<u8>) -> Self {
        let mut head = [0; 2];
        let (got, broken) = match read_fully(&mut source, &mut head) {
            Ok(got) => (got, None),
            Err(error) => (0, Some(error)),
        };
        let compressed = head == [0x1f, 0x8b] && got == 2;
        let whole = Cursor::new(head).take(got as u64).chain(source);
        let reader: Box<dyn Read + 'r> = if compressed {
            Box::new(MultiGzDecoder::new(BufReader::with_capacity(64 << 10, whole)))
        } else {
            Box::new(whole)
        };
        if window.len() < START {
            window.resize(START, 0);
        }
        let done = broken.is_some();
        Self { reader, window, at: 0, end: 0, passed: 0, done, broken, compressed }
    }

    /// The bytes not yet taken.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.window.get(self.at..self.end).unwrap_or_default()
    }

    /// Marks `count` bytes as taken.
    pub(crate) fn take(&mut self, count: usize) {
        self.at = self.at.saturating_add(count).min(self.end);
    }

    /// Offset of the next byte in the decompressed source.
    pub(crate) const fn offset(&self) -> u64 {
        self.passed + self.at as u64
    }

    pub(crate) const fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// Why reading ended before the source did, if it did.
    pub(crate) const fn broken(&self) -> Option<&io::Error> {
        self.broken.as_ref()
    }

    /// The window, to be used for the next source.
    pub(crate) fn into_window(self) -> Vec<u8> {
        self.window
    }

    /// Gets more bytes behind those not yet taken; `false` when there are none, or no room for them.
    pub(crate) fn more(&mut self) -> bool {
        if self.done {
            return false;
        }
        if self.at > 0 {
            self.window.copy_within(self.at..self.end, 0);
            self.passed += self.at as u64;
            self.end -= self.at;
            self.at = 0;
        }
        if self.end == self.window.len() {
            if self.window.len() >= RECORD_LIMIT {
                return false;
            }
            let larger = (self.window.len() * 2).min(RECORD_LIMIT);
            self.window.resize(larger, 0);
        }
        let before = self.end;
        while let Some(room) = self.window.get_mut(self.end..).filter(|room| !room.is_empty()) {
            match self.reader.read(room) {
                Ok(0) => {
                    self.done = true;
                    break;
                }
                Ok(got) => self.end += got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.done = true;
                    self.broken = Some(error);
                    break;
                }
            }
        }
        self.end > before
    }

    /// The next byte that is no white space, which stays; nothing at the end.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        loop {
            let found = space(self.bytes(), 0);
            self.take(found);
            if let Some(byte) = self.bytes().first() {
                return Some(*byte);
            }
            if !self.more() {
                return None;
            }
        }
    }

    /// Tries `read` on the bytes not yet taken, with more of them as long as it asks and there are any. What it reads
    /// is taken. `Stop::More` at the end: the source is cut off, or the thing does not fit the window.
    pub(crate) fn parse<T>(&mut self, mut read: impl FnMut(&[u8]) -> Result<(T, usize), Stop>) -> Result<T, Stop> {
        loop {
            match read(self.bytes()) {
                Ok((value, used)) => {
                    self.take(used);
                    return Ok(value);
                }
                Err(Stop::More) if self.more() => {}
                Err(stop) => return Err(stop),
            }
        }
    }

    /// Whether there may be more bytes than the window holds.
    pub(crate) const fn is_full(&self) -> bool {
        !self.done
    }

    /// Steps over the object, array or scalar that comes next, whatever its size.
    pub(crate) fn skip(&mut self) -> Result<(), Stop> {
        let mut skipper = Skipper::default();
        loop {
            let (used, ended) = skipper.step(self.bytes());
            self.take(used);
            if ended {
                return Ok(());
            }
            if !self.more() {
                return Err(Stop::More);
            }
        }
    }
}

/// Finds the end of a value that comes in parts.
#[derive(Default)]
struct Skipper {
    depth: u64,
    in_string: bool,
    escaped: bool,
    in_scalar: bool,
}

impl Skipper {
    /// Bytes of the value in this part, and whether it ends in it.
    fn step(&mut self, bytes: &[u8]) -> (usize, bool) {
        for (at, byte) in bytes.iter().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => {
                        self.in_string = false;
                        if self.depth == 0 {
                            return (at + 1, true);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' | b',' if self.depth == 0 => return (at, true),
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return (at + 1, true);
                    }
                }
                b' ' | b'\n' | b'\r' | b'\t' if self.in_scalar && self.depth == 0 => return (at, true),
                b' ' | b'\n' | b'\r' | b'\t' => {}
                _ => self.in_scalar = self.depth == 0,
            }
        }
        (bytes.len(), false)
    }
}

fn read_fully(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while let Some(room) = buffer.get_mut(got..).filter(|room| !room.is_empty()) {
        match reader.read(room) {
            Ok(0) => break,
            Ok(count) => got += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::skip_value;

    #[test]
    fn a_value_larger_than_the_window_is_stepped_over() {
        let text = format!("{{\"a\": \"{}\"}} 7 ", "x\\\"".repeat(RECORD_LIMIT / 2));
        let mut feed = Feed::new(Box::new(text.as_bytes()), Vec::new());
        assert_eq!(feed.parse(|bytes| skip_value(bytes, 0).map(|end| ((), end))), Err(Stop::More));
        assert!(feed.is_full());
        feed.skip().unwrap();
        assert_eq!(feed.peek(), Some(b'7'));
        assert_eq!(feed.skip(), Ok(()));
        assert_eq!(feed.peek(), None);
    }

    #[test]
    fn half_a_gzip_gives_its_bytes_and_then_the_error() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        io::Write::write_all(&mut encoder, "0123456789 ".repeat(20_000).as_bytes()).unwrap();
        let whole = encoder.finish().unwrap();
        let mut feed = Feed::new(Box::new(&whole[..whole.len() / 2]), Vec::new());
        assert!(feed.is_compressed() && feed.more());
        while feed.more() {}
        assert!(feed.broken().is_some());
    }
}
