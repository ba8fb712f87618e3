//! The reader: one pass, no recursion deeper than the limit, every error with its offset and what to do.

use std::collections::BTreeSet;

use bumpalo::collections::Vec;

use super::value::{Arena, Member, Node, NodeKind};
use crate::text::Span;

/// Bounds on what is read, so that hostile input costs little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text.
    pub bytes: usize,
    /// Levels of arrays and objects.
    pub depth: usize,
}

impl Limits {
    /// For a single policy: AWS's largest is a small fraction of this.
    pub const POLICY: Self = Self { bytes: 1 << 20, depth: 32 };
    /// For a file of ours: a snapshot of a large organisation.
    pub const FILE: Self = Self { bytes: u32::MAX as usize, depth: 64 };
}

/// Why a text is not JSON, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct JsonError {
    /// What is wrong.
    pub kind: JsonErrorKind,
    /// Byte offset into the text.
    pub offset: usize,
}

/// The ways a text can fail to be JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says what it is")]
pub enum JsonErrorKind {
    #[error("the text is empty")]
    Empty,
    #[error("the text starts with a byte order mark")]
    ByteOrderMark,
    #[error("the text is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("values are nested deeper than {limit} levels")]
    TooDeep { limit: usize },
    #[error("the text ends before the value does")]
    CutOff,
    #[error("comments are not JSON")]
    Comment,
    #[error("a comma must be followed by another value")]
    TrailingComma,
    #[error("the key `{key}` stands twice in one object")]
    DuplicateKey { key: String },
    #[error("expected {expected}")]
    Expected { expected: &'static str },
    #[error("a string holds a control character or a wrong escape")]
    BadString,
    #[error("a number is malformed")]
    BadNumber,
    #[error("something follows the value")]
    Trailing,
}

impl JsonErrorKind {
    /// What to do about it, where there is more to say than the message does.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::ByteOrderMark => Some("save the file as UTF-8 without a byte order mark"),
            Self::CutOff => Some("the file may have been cut off while it was copied; fetch it again"),
            Self::Comment => Some("take the comment out"),
            Self::TrailingComma => Some("take the last comma out"),
            Self::DuplicateKey { .. } => Some("keep one of the two; which one counts is not defined"),
            _ => None,
        }
    }
}

/// Reads one JSON value that is the whole text; what it is made of stands in `arena`.
///
/// # Errors
/// A [`JsonError`] with the offset of the first thing that is not JSON, or passes `limits`.
///
/// ```
/// use iam_model::json::{Arena, Limits, parse};
/// let arena = Arena::new();
/// let node = parse(&arena, r#"{"a": [1, "x"]}"#, Limits::POLICY).unwrap();
/// assert_eq!(node.get("a").unwrap().items()[1].as_str(), Some("x"));
/// assert_eq!(parse(&arena, "[1,]", Limits::POLICY).unwrap_err().offset, 3);
/// ```
pub fn parse<'a>(arena: &'a Arena, text: &'a str, limits: Limits) -> Result<Node<'a>, JsonError> {
    whole(arena, text, limits).map_err(|error| *error)
}

/// What a step of the reader gives. The error is boxed, so that the values that are read by the thousand stay small.
type Read<T> = Result<T, Box<JsonError>>;

fn whole<'a>(arena: &'a Arena, text: &'a str, limits: Limits) -> Read<Node<'a>> {
    let (nodes, members) = (Vec::with_capacity_in(16, &arena.0), Vec::with_capacity_in(32, &arena.0));
    let mut reader = Reader { arena, text, bytes: text.as_bytes(), at: 0, limits, nodes, members };
    if text.len() > limits.bytes {
        return Err(reader.error(JsonErrorKind::TooLarge { limit: limits.bytes }));
    }
    if text.starts_with('\u{feff}') {
        return Err(reader.error(JsonErrorKind::ByteOrderMark));
    }
    reader.space()?;
    if reader.peek().is_none() {
        return Err(reader.error(JsonErrorKind::Empty));
    }
    let node = reader.value(0)?;
    reader.space()?;
    if reader.peek().is_some() {
        return Err(reader.error(JsonErrorKind::Trailing));
    }
    Ok(node)
}

/// The keys of one object. Each sets a bit, so that most new keys are seen to be new without comparing them.
#[derive(Default)]
struct Seen<'a> {
    bits: u64,
    /// Of an object so large that every bit is set.
    all: Option<BTreeSet<&'a str>>,
}

/// Keys from which a set is quicker.
const MANY: usize = 64;

impl<'a> Seen<'a> {
    /// Whether the key is new to the object that has these members so far.
    fn insert(&mut self, key: &'a str, members: &[Member<'a>]) -> bool {
        if members.len() >= MANY {
            let all = self.all.get_or_insert_with(|| members.iter().map(|member| member.key).collect());
            return all.insert(key);
        }
        let bit = 1_u64 << (mixed(key) % 64);
        let is_new = self.bits & bit == 0 || !members.iter().any(|member| member.key == key);
        self.bits |= bit;
        is_new
    }
}

/// A few bits that differ for most keys that differ.
fn mixed(key: &str) -> u64 {
    let bytes = key.as_bytes();
    let at = |index: usize| u64::from(bytes.get(index).copied().unwrap_or_default());
    let (middle, last) = (bytes.len() / 2, bytes.len().wrapping_sub(1));
    at(last).wrapping_mul(31).wrapping_add(at(middle)).wrapping_mul(31).wrapping_add(at(4)) ^ (bytes.len() as u64)
}

struct Reader<'a> {
    arena: &'a Arena,
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    limits: Limits,
    /// Items of the arrays that are still open, innermost last; likewise members of objects.
    nodes: Vec<'a, Node<'a>>,
    members: Vec<'a, Member<'a>>,
}

impl<'a> Reader<'a> {
    #[cold]
    fn error(&self, kind: JsonErrorKind) -> Box<JsonError> {
        Box::new(JsonError { kind, offset: self.at })
    }

    /// `expected`, or that the text ended.
    #[cold]
    fn expected(&self, expected: &'static str) -> Box<JsonError> {
        if self.peek().is_none() {
            self.error(JsonErrorKind::CutOff)
        } else {
            self.error(JsonErrorKind::Expected { expected })
        }
    }

    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline(always)]
    fn space(&mut self) -> Read<()> {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                b'/' | b'#' => return Err(self.error(JsonErrorKind::Comment)),
                _ => break,
            }
        }
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Read<Node<'a>> {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => NodeKind::Object(self.object(depth + 1)?),
            Some(b'[') => NodeKind::Array(self.array(depth + 1)?),
            Some(b'"') => NodeKind::String(self.string()?),
            Some(b't') => self.word("true", NodeKind::Bool(true))?,
            Some(b'f') => self.word("false", NodeKind::Bool(false))?,
            Some(b'n') => self.word("null", NodeKind::Null)?,
            Some(b'-' | b'0'..=b'9') => NodeKind::Number(self.number()?),
            _ => return Err(self.expected("a value")),
        };
        Ok(Node { span: Span::new(start, self.at), kind })
    }

    fn enter(&mut self, depth: usize) -> Read<()> {
        if depth > self.limits.depth {
            return Err(self.error(JsonErrorKind::TooDeep { limit: self.limits.depth }));
        }
        self.at += 1;
        self.space()
    }

    /// After an item: `true` if another follows, `false` at the end.
    #[inline(always)]
    fn more(&mut self, close: u8, expected: &'static str) -> Read<bool> {
        self.space()?;
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.space()?;
                if self.peek() == Some(close) { Err(self.error(JsonErrorKind::TrailingComma)) } else { Ok(true) }
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.expected(expected)),
        }
    }

    fn array(&mut self, depth: usize) -> Read<&'a [Node<'a>]> {
        self.enter(depth)?;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(&[]);
        }
        let first = self.nodes.len();
        loop {
            // Most values are strings, which are put where they belong without a detour.
            if self.peek() == Some(b'"') {
                let start = self.at;
                let text = self.string()?;
                self.nodes.push(Node { span: Span::new(start, self.at), kind: NodeKind::String(text) });
            } else {
                let item = self.value(depth)?;
                self.nodes.push(item);
            }
            if !self.more(b']', "`,` or `]`")? {
                let items = self.arena.0.alloc_slice_copy(self.nodes.get(first..).unwrap_or_default());
                self.nodes.truncate(first);
                return Ok(items);
            }
        }
    }

    fn object(&mut self, depth: usize) -> Read<&'a [Member<'a>]> {
        self.enter(depth)?;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(&[]);
        }
        let first = self.members.len();
        let mut seen = Seen::default();
        loop {
            let key_start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.expected("a key in double quotes"));
            }
            let key = self.string()?;
            let key_span = Span::new(key_start, self.at);
            if !seen.insert(key, self.members.get(first..).unwrap_or_default()) {
                self.at = key_start;
                return Err(self.error(JsonErrorKind::DuplicateKey { key: key.into() }));
            }
            self.space()?;
            if self.peek() != Some(b':') {
                return Err(self.expected("`:` after the key"));
            }
            self.at += 1;
            self.space()?;
            if self.peek() == Some(b'"') {
                let start = self.at;
                let text = self.string()?;
                let value = Node { span: Span::new(start, self.at), kind: NodeKind::String(text) };
                self.members.push(Member { key, key_span, value });
            } else {
                let value = self.value(depth)?;
                self.members.push(Member { key, key_span, value });
            }
            if !self.more(b'}', "`,` or `}`")? {
                let members = self.arena.0.alloc_slice_copy(self.members.get(first..).unwrap_or_default());
                self.members.truncate(first);
                return Ok(members);
            }
        }
    }

    fn word(&mut self, word: &'static str, kind: NodeKind<'a>) -> Read<NodeKind<'a>> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(kind)
        } else if word.as_bytes().starts_with(rest) {
            self.at = self.bytes.len();
            Err(self.error(JsonErrorKind::CutOff))
        } else {
            Err(self.expected("a value"))
        }
    }

    fn number(&mut self) -> Read<&'a str> {
        let start = self.at;
        let digits = |reader: &mut Self| {
            let from = reader.at;
            while reader.peek().is_some_and(|b| b.is_ascii_digit()) {
                reader.at += 1;
            }
            reader.at > from
        };
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let leading_zero = self.peek() == Some(b'0');
        let first = self.at;
        let mut valid = digits(self) && !(leading_zero && self.at - first > 1);
        if self.peek() == Some(b'.') {
            self.at += 1;
            valid &= digits(self);
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            valid &= digits(self);
        }
        if valid {
            Ok(Span::new(start, self.at).slice(self.text))
        } else {
            self.at = start;
            Err(self.error(JsonErrorKind::BadNumber))
        }
    }

    #[inline(always)]
    fn string(&mut self) -> Read<&'a str> {
        let start = self.at + 1;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let plain = plain(rest);
        self.at = start + plain;
        if rest.get(plain) != Some(&b'"') {
            return self.special_string(start);
        }
        self.at += 1;
        Ok(Span::new(start, start + plain).slice(self.text))
    }

    /// The rest of a string that does not go on to its end without anything special.
    #[cold]
    fn special_string(&mut self, start: usize) -> Read<&'a str> {
        match self.peek() {
            Some(b'\\') => self.escaped(start),
            Some(_) => Err(self.error(JsonErrorKind::BadString)),
            None => Err(self.error(JsonErrorKind::CutOff)),
        }
    }

    /// A string with escapes: what was read so far, then the rest, piece by piece.
    fn escaped(&mut self, start: usize) -> Read<&'a str> {
        let mut text =
            bumpalo::collections::String::from_str_in(Span::new(start, self.at).slice(self.text), &self.arena.0);
        let mut piece = self.at;
        loop {
            self.at += plain(self.bytes.get(self.at..).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    text.push_str(Span::new(piece, self.at).slice(self.text));
                    self.at += 1;
                    return Ok(text.into_bump_str());
                }
                Some(b'\\') => {
                    text.push_str(Span::new(piece, self.at).slice(self.text));
                    self.at += 1;
                    text.push(self.escape()?);
                    piece = self.at;
                }
                Some(_) => return Err(self.error(JsonErrorKind::BadString)),
                None => return Err(self.error(JsonErrorKind::CutOff)),
            }
        }
    }

    fn escape(&mut self) -> Read<char> {
        let Some(byte) = self.peek() else {
            return Err(self.error(JsonErrorKind::CutOff));
        };
        let c = match byte {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.at += 1;
                return self.unicode();
            }
            _ => return Err(self.error(JsonErrorKind::BadString)),
        };
        self.at += 1;
        Ok(c)
    }

    fn unicode(&mut self) -> Read<char> {
        let high = self.hex4()?;
        let code = if (0xd800..0xdc00).contains(&high) {
            if self.bytes.get(self.at..self.at + 2) != Some(b"\\u") {
                return Err(self.error(JsonErrorKind::BadString));
            }
            self.at += 2;
            let low = self.hex4()?;
            if !(0xdc00..0xe000).contains(&low) {
                return Err(self.error(JsonErrorKind::BadString));
            }
            0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)
        } else {
            high
        };
        char::from_u32(code).ok_or_else(|| self.error(JsonErrorKind::BadString))
    }

    fn hex4(&mut self) -> Read<u32> {
        let digits = self.text.get(self.at..self.at + 4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let code =
            digits.and_then(|d| u32::from_str_radix(d, 16).ok()).ok_or_else(|| self.error(JsonErrorKind::BadString))?;
        self.at += 4;
        Ok(code)
    }
}

/// How many bytes of a string mean only themselves, up to the first that does not.
#[inline(always)]
fn plain(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((eight, after)) = rest.split_first_chunk() {
        let special = special_bytes(u64::from_le_bytes(*eight));
        if special != 0 {
            return bytes.len() - rest.len() + special.trailing_zeros() as usize / 8;
        }
        rest = after;
    }
    let last = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
    bytes.len() - rest.len() + last.unwrap_or(rest.len())
}

/// Eight bytes of a string: the highest bit of the first that is a quote, a backslash or a control character is set,
/// and none before it.
const fn special_bytes(eight: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // A byte of `x` that is zero borrows from its highest bit; only bytes after the first one found can be wrong.
    const fn zero(x: u64) -> u64 {
        x.wrapping_sub(ONES) & !x
    }
    let control = eight.wrapping_sub(ONES * 0x20) & !eight;
    (zero(eight ^ (ONES * b'"' as u64)) | zero(eight ^ (ONES * b'\\' as u64)) | control) & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> (JsonErrorKind, usize) {
        let arena = Arena::new();
        let e = parse(&arena, text, Limits { bytes: 1000, depth: 4 }).unwrap_err();
        (e.kind, e.offset)
    }

    #[test]
    fn what_is_not_json_is_refused_at_its_place() {
        let expected = |e| JsonErrorKind::Expected { expected: e };
        assert_eq!(error(""), (JsonErrorKind::Empty, 0));
        assert_eq!(error("  \n"), (JsonErrorKind::Empty, 3));
        assert_eq!(error("\u{feff}{}"), (JsonErrorKind::ByteOrderMark, 0));
        assert_eq!(error("{\"a\":1,}"), (JsonErrorKind::TrailingComma, 7));
        assert_eq!(error("{\"a\":1,\"a\":2}"), (JsonErrorKind::DuplicateKey { key: "a".into() }, 7));
        assert_eq!(error("{\"a\\u0062\":1,\"ab\":2}"), (JsonErrorKind::DuplicateKey { key: "ab".into() }, 13));
        assert_eq!(error("[1 // one\n]"), (JsonErrorKind::Comment, 3));
        assert_eq!(error("{'a':1}"), (expected("a key in double quotes"), 1));
        assert_eq!(error("[[[[[1]]]]]"), (JsonErrorKind::TooDeep { limit: 4 }, 4));
        assert_eq!(error("{\"a\": [1, 2"), (JsonErrorKind::CutOff, 11));
        assert_eq!(error("tru"), (JsonErrorKind::CutOff, 3));
        assert_eq!(error("\"a\nb\""), (JsonErrorKind::BadString, 2));
        assert_eq!(error("\"\\ud800x\""), (JsonErrorKind::BadString, 7));
        assert_eq!(error("01"), (JsonErrorKind::BadNumber, 0));
        assert_eq!(error("{} {}"), (JsonErrorKind::Trailing, 3));
        assert_eq!(error(&" ".repeat(1001)), (JsonErrorKind::TooLarge { limit: 1000 }, 0));
    }

    #[test]
    fn strings_are_unescaped_and_spans_point_at_the_text() {
        let text = r#"{"k\n": "é😀\ud83d\ude00\"", "n": -1.5e3}"#;
        let arena = Arena::new();
        let node = parse(&arena, text, Limits::POLICY).unwrap();
        assert_eq!(node.members()[0].key, "k\n");
        assert_eq!(node.members()[0].value.as_str(), Some("é😀😀\""));
        assert_eq!(node.get("n").unwrap().span.slice(text), "-1.5e3");
    }

    #[test]
    fn printing_and_reading_again_gives_the_same_value() {
        let arena = Arena::new();
        let value = parse(&arena, r#"{"b":[1,{"a":null}],"a":"\u0001\t<"}"#, Limits::POLICY).unwrap().to_value();
        for printed in [value.to_compact(), value.to_pretty()] {
            assert_eq!(parse(&Arena::new(), &printed, Limits::POLICY).unwrap().to_value(), value);
        }
    }
}
