//! Bytes of one source in a window that grows no larger than one record may be; gzip is told by its first bytes.
//!
//! Knows nothing of JSON beyond what it takes to step over a value that does not fit the window.

use std::io::{self, BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

use crate::inflate::{PACKED_LIMIT, Whole};
use crate::json::{Stop, space};

/// Bytes the window starts with; most records are far smaller.
const START: usize = 256 << 10;

/// Bytes one record may have. CloudTrail's own limit is 256 KB, some exports unfold it.
pub(crate) const RECORD_LIMIT: usize = 4 << 20;

/// Room that is used for one source after the other.
#[derive(Default)]
pub(crate) struct Room {
    window: Vec<u8>,
    packed: Vec<u8>,
    whole: Whole,
}

/// A window over the (decompressed) bytes of a source.
pub(crate) struct Feed<'r> {
    reader: Box<dyn Read + 'r>,
    room: Room,
    /// Bytes of the window in use.
    width: usize,
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
    /// Starts reading in the given room.
    ///
    /// A gzip file of an ordinary size is inflated at once, which is fastest; a larger or damaged one as a stream.
    pub(crate) fn new(mut source: Box<dyn Read + 'r>, mut room: Room) -> Self {
        room.packed.resize(2, 0);
        let (got, mut broken) = read_fully(&mut source, &mut room.packed);
        room.packed.truncate(got);
        let compressed = room.packed == [0x1f, 0x8b];
        if compressed {
            broken = source.by_ref().take(PACKED_LIMIT).read_to_end(&mut room.packed).err();
            if let Some(end) = room.whole.inflate(&room.packed, &mut room.window).filter(|_| broken.is_none()) {
                let reader = Box::new(io::empty());
                return Self { reader, room, width: end, at: 0, end, passed: 0, done: true, broken, compressed };
            }
        }
        let whole = Cursor::new(std::mem::take(&mut room.packed)).chain(source);
        let reader: Box<dyn Read + 'r> = if compressed {
            Box::new(MultiGzDecoder::new(BufReader::with_capacity(64 << 10, whole)))
        } else {
            Box::new(whole)
        };
        if room.window.len() < START {
            room.window.resize(START, 0);
        }
        let done = broken.is_some();
        Self { reader, room, width: START, at: 0, end: 0, passed: 0, done, broken, compressed }
    }

    /// The bytes not yet taken.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.room.window.get(self.at..self.end).unwrap_or_default()
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

    /// The room, to be used for the next source.
    pub(crate) fn into_room(self) -> Room {
        self.room
    }

    /// Gets more bytes behind those not yet taken; `false` when there are none, or no room for them.
    pub(crate) fn more(&mut self) -> bool {
        if self.done {
            return false;
        }
        if self.at > 0 {
            self.room.window.copy_within(self.at..self.end, 0);
            self.passed += self.at as u64;
            self.end -= self.at;
            self.at = 0;
        }
        if self.end == self.width {
            if self.width >= RECORD_LIMIT {
                return false;
            }
            self.width = (self.width * 2).min(RECORD_LIMIT);
            if self.room.window.len() < self.width {
                self.room.window.resize(self.width, 0);
            }
        }
        let before = self.end;
        while let Some(room) = self.room.window.get_mut(self.end..self.width).filter(|room| !room.is_empty()) {
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

/// Bytes read, fewer than asked for at the end or where reading failed.
fn read_fully(reader: &mut dyn Read, buffer: &mut [u8]) -> (usize, Option<io::Error>) {
    let mut got = 0;
    while let Some(room) = buffer.get_mut(got..).filter(|room| !room.is_empty()) {
        match reader.read(room) {
            Ok(0) => break,
            Ok(count) => got += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (got, Some(error)),
        }
    }
    (got, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::skip_value;

    #[test]
    fn a_value_larger_than_the_window_is_stepped_over() {
        let text = format!("{{\"a\": \"{}\"}} 7 ", "x\\\"".repeat(RECORD_LIMIT / 2));
        let mut feed = Feed::new(Box::new(text.as_bytes()), Room::default());
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
        let mut feed = Feed::new(Box::new(&whole[..whole.len() / 2]), Room::default());
        assert!(feed.is_compressed() && feed.more());
        while feed.more() {}
        assert!(feed.broken().is_some());
    }
}
