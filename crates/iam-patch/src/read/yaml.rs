//! YAML: a reader of our own for places, `saphyr-parser` as the second parser, `yaml-edit` where either one declines.
//!
//! The reader takes the YAML that templates are written in and declines the rest (complex keys, directives, tabs as
//! indentation); what it reads is never trusted alone, since the guard compares it with another parser's reading.

mod block;
mod flow;
mod scalar;

use std::cell::Cell;

use iam_model::text::Span;
use saphyr_parser::{Event, Parser, ScalarStyle};

use super::{ReadError, cst};
use crate::tree::{Node, Plain};

/// Levels of nesting that are read; templates stay far below.
pub(super) const DEPTH: usize = 128;

/// Reads the one document of a YAML text.
pub(crate) fn read(text: &str) -> Result<Node, ReadError> {
    match own(text) {
        Some(node) => Ok(node),
        None => cst::read(text),
    }
}

/// Reads with the reader of this module alone; nothing where it declines.
pub(crate) fn own(text: &str) -> Option<Node> {
    Reader::new(text).document().ok()
}

/// A text the reader leaves to others; no reason is needed, since they give one.
pub(super) struct Declined;

pub(super) type Read<T> = Result<T, Declined>;

/// The state of reading: the text and how far it got.
pub(super) struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    /// Where the text begins, behind a byte order mark.
    first: usize,
    depth: usize,
    /// Where the plain scalar ends that was looked at last, and where it begins: keys and values are looked at twice.
    last_plain: Cell<(usize, usize)>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        let first = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self { text, bytes: text.as_bytes(), at: first, first, depth: 0, last_plain: Cell::new((usize::MAX, 0)) }
    }

    fn peek(&self) -> Option<u8> {
        self.byte(self.at)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    fn slice(&self, start: usize, end: usize) -> &'t str {
        Span::new(start, end).slice(self.text)
    }

    /// Whether a byte at an offset ends a word: white space, a line break or the end of the text.
    fn blank_at(&self, at: usize) -> bool {
        self.byte(at).is_none_or(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r'))
    }

    fn line_start(&self, at: usize) -> usize {
        let before = self.bytes.get(self.first..at).unwrap_or_default();
        before.iter().rposition(|b| *b == b'\n').map_or(self.first, |found| self.first + found + 1)
    }

    /// The column of the place reached, in bytes; what stands before a block's first column is ASCII.
    fn column(&self) -> i64 {
        as_column(self.at - self.line_start(self.at))
    }

    /// The end of the line, its line break left out.
    fn line_end(&self, at: usize) -> usize {
        let rest = self.slice(at, self.bytes.len());
        let end = at + rest.find('\n').unwrap_or(rest.len());
        if end > at && self.byte(end - 1) == Some(b'\r') { end - 1 } else { end }
    }

    fn skip_spaces(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// Steps over blanks, comments and line breaks to the next content; whether it is on another line.
    ///
    /// Declines a tab in the indentation of content.
    fn skip_to_content(&mut self) -> Read<bool> {
        let mut crossed = false;
        loop {
            let start = self.at;
            self.skip_spaces();
            match self.peek() {
                None => return Ok(crossed),
                Some(b'\n') => {
                    self.at += 1;
                    crossed = true;
                }
                Some(b'\r') if self.byte(self.at + 1) == Some(b'\n') => {
                    self.at += 2;
                    crossed = true;
                }
                Some(b'\r') => return Err(Declined),
                Some(b'#') if self.comment_may_start() => self.at = self.line_end(self.at),
                Some(_) => {
                    let tab = (crossed || start == self.first) && self.slice(start, self.at).contains('\t');
                    return if tab { Err(Declined) } else { Ok(crossed) };
                }
            }
        }
    }

    fn comment_may_start(&self) -> bool {
        self.at == self.first || self.byte(self.at - 1).is_some_and(|b| b.is_ascii_whitespace())
    }

    /// Whether only blanks or a comment are left on the line.
    fn rest_is_blank(&self) -> bool {
        let rest = self.slice(self.at, self.line_end(self.at));
        let trimmed = rest.trim_start_matches([' ', '\t']);
        trimmed.is_empty() || (trimmed.starts_with('#') && trimmed.len() < rest.len())
    }

    /// Whether a document marker stands here.
    fn marker(&self) -> bool {
        let three = self.slice(self.at, self.at + 3);
        self.at == self.line_start(self.at) && matches!(three, "---" | "...") && self.blank_at(self.at + 3)
    }

    fn document(&mut self) -> Read<Node> {
        self.skip_to_content()?;
        if self.peek() == Some(b'%') {
            return Err(Declined);
        }
        if self.marker() {
            self.at += 3;
            if !self.rest_is_blank() {
                return Err(Declined);
            }
        }
        let node = self.block_node(-1, block::Context::Document)?;
        self.skip_to_content()?;
        if self.marker() && self.slice(self.at, self.at + 3) == "..." {
            self.at += 3;
            self.skip_to_content()?;
        }
        let whole = self.at == self.bytes.len() && node.is_map();
        if whole { Ok(node) } else { Err(Declined) }
    }
}

fn as_column(offset: usize) -> i64 {
    i64::try_from(offset).unwrap_or(i64::MAX)
}

/// Reads YAML with another parser than [`read`] did: `saphyr-parser`, or `yaml-edit` for what only the reader takes.
pub(crate) fn second(text: &str) -> Option<Plain> {
    if let Some(value) = saphyr(text) {
        return Some(value);
    }
    own(text)?;
    cst::read(text).ok().map(|node| node.plain())
}

fn saphyr(text: &str) -> Option<Plain> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut stack: Vec<Open> = Vec::new();
    let mut root = None;
    for event in Parser::new_from_str(body) {
        let (event, _) = event.ok()?;
        let value = match event {
            Event::Scalar(text, style, _, tag) => {
                let tag = tag.map(|t| tag_text(&t.handle, &t.suffix));
                let plain = matches!(style, ScalarStyle::Plain) && tag.is_none();
                Plain::tagged(tag.as_deref(), Plain::scalar(&text, plain))
            }
            Event::Alias(_) => Plain::Alias,
            Event::SequenceStart(..) | Event::MappingStart(..) if stack.len() > 2 * DEPTH => return None,
            Event::SequenceStart(_, tag) => {
                stack.push(Open { tag: tag.map(|t| tag_text(&t.handle, &t.suffix)), map: false, items: Vec::new() });
                continue;
            }
            Event::MappingStart(_, tag) => {
                stack.push(Open { tag: tag.map(|t| tag_text(&t.handle, &t.suffix)), map: true, items: Vec::new() });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => stack.pop()?.close(),
            Event::DocumentStart(_) if root.is_some() => return None,
            _ => continue,
        };
        match stack.last_mut() {
            Some(open) => open.items.push(value),
            None => root = Some(value),
        }
    }
    root
}

struct Open {
    tag: Option<String>,
    map: bool,
    items: Vec<Plain>,
}

impl Open {
    fn close(self) -> Plain {
        let value = if self.map {
            let mut entries = Vec::new();
            let mut items = self.items.into_iter();
            while let (Some(key), Some(value)) = (items.next(), items.next()) {
                entries.push((key, value));
            }
            Plain::Map(entries)
        } else {
            Plain::Seq(self.items)
        };
        Plain::tagged(self.tag.as_deref(), value)
    }
}

fn tag_text(handle: &str, suffix: &str) -> String {
    if handle == "tag:yaml.org,2002:" { format!("!!{suffix}") } else { format!("{handle}{suffix}") }
}
