//! Block style: mappings and lists by indentation.

use iam_model::text::Span;

use super::flow::missing;
use super::{DEPTH, Declined, Read, Reader, scalar};
use crate::tree::{Entry, Kind, Node};

/// What a value belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    Document,
    Entry,
    Item,
}

impl Reader<'_> {
    /// A value behind a colon, a dash or at the start; its lines are indented more than `parent`.
    pub(super) fn block_node(&mut self, parent: i64, context: Context) -> Read<Node> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Declined);
        }
        let node = self.block_node_inside(parent, context);
        self.depth -= 1;
        node
    }

    fn block_node_inside(&mut self, parent: i64, context: Context) -> Read<Node> {
        let indicator_end = self.at;
        let mut fresh = self.skip_to_content()? || context == Context::Document;
        let property_start = self.at;
        let mut property_end = self.at;
        let (mut tag, mut anchored) = (None, false);
        let in_place = |reader: &Self, fresh: bool| !fresh || reader.column() > parent;
        if matches!(self.peek(), Some(b'!' | b'&')) && in_place(self, fresh) {
            (tag, anchored) = self.properties()?;
            property_end = self.at;
            if self.skip_to_content()? {
                fresh = true;
            } else if self.key_end().is_some() {
                return Err(Declined);
            } else {
                fresh = false;
            }
        }
        let has_property = tag.is_some() || anchored;
        let column = self.column();
        let same_indent_list = context == Context::Entry && fresh && column == parent && self.at_dash();
        let absent = self.at == self.bytes.len() || (fresh && column <= parent && !same_indent_list) || self.marker();
        if absent {
            self.at = if has_property { property_end } else { indicator_end };
            let at = if tag.is_some() { Span::new(property_start, property_end) } else { Span::new(self.at, self.at) };
            return Ok(Node { span: at, tag, anchored, kind: Kind::Null });
        }
        let may_open = fresh || (context == Context::Item && !has_property);
        let (span, kind) = self.block_content(parent, may_open)?;
        let start = if tag.is_some() { property_start } else { span.start };
        Ok(Node { span: Span::new(start, span.end.max(start)), tag, anchored, kind })
    }

    /// What stands here; `may_open` says whether a block mapping or list may begin.
    fn block_content(&mut self, parent: i64, may_open: bool) -> Read<(Span, Kind)> {
        if self.at_dash() {
            return if may_open { self.block_seq() } else { Err(Declined) };
        }
        if self.key_end().is_some() {
            return if may_open { self.block_map() } else { Err(Declined) };
        }
        let found = match self.peek() {
            Some(b'|' | b'>') => return self.block_scalar(parent),
            Some(b'[' | b'{') => self.flow_collection()?,
            Some(b'"' | b'\'') => self.quoted()?,
            Some(b'*') => self.alias()?,
            Some(b'@' | b'`' | b'%' | b'&' | b'!' | b'#' | b',' | b']' | b'}') => return Err(Declined),
            Some(b'?' | b':') if self.blank_at(self.at + 1) => return Err(Declined),
            _ => return self.plain_block(parent),
        };
        if self.rest_is_blank() { Ok(found) } else { Err(Declined) }
    }

    fn at_dash(&self) -> bool {
        self.peek() == Some(b'-') && self.blank_at(self.at + 1)
    }

    /// Where a key that begins here ends; nothing where it is none.
    fn key_end(&self) -> Option<usize> {
        let end = match self.peek()? {
            quote @ (b'"' | b'\'') => {
                let line_end = self.line_end(self.at);
                let mut at = self.at + 1;
                while at < line_end {
                    match self.byte(at)? {
                        b'\\' if quote == b'"' => at += 2,
                        b'\'' if quote == b'\'' && self.byte(at + 1) == Some(b'\'') => at += 2,
                        byte if byte == quote => break,
                        _ => at += 1,
                    }
                }
                if at >= line_end {
                    return None;
                }
                at + 1
            }
            b'[' | b'{' | b'|' | b'>' | b'&' | b'!' | b'*' | b'#' | b'@' | b'`' | b'%' => return None,
            _ => self.plain_end(self.at, false),
        };
        let blanks = self.slice(end, self.line_end(end)).bytes().take_while(|b| *b == b' ').count();
        (self.byte(end + blanks) == Some(b':') && self.blank_at(end + blanks + 1) && end > self.at).then_some(end)
    }

    fn block_map(&mut self) -> Read<(Span, Kind)> {
        let indent = self.column();
        let mut entries: Vec<Entry> = Vec::new();
        let start = self.at;
        let end = loop {
            let key = self.key()?;
            let value_at = self.at;
            let mut value = self.block_node(indent, Context::Entry)?;
            if matches!(value.kind, Kind::Null) && value.tag.is_none() && value.span.is_empty() {
                value.span = missing(&key).span;
                self.at = self.at.max(value_at);
            }
            let end = value.span.end.max(key.span.end);
            entries.push(Entry { key, value });
            if !self.next_at(indent)? {
                break end;
            }
            if self.at_dash() {
                return Err(Declined);
            }
        };
        Ok((Span::new(start, end), Kind::Map { entries, flow: false }))
    }

    fn key(&mut self) -> Read<Node> {
        let end = self.key_end().ok_or(Declined)?;
        let start = self.at;
        let kind = if matches!(self.peek(), Some(b'"' | b'\'')) {
            self.quoted()?.1
        } else if self.peek() == Some(b'?') && self.blank_at(self.at + 1) {
            return Err(Declined);
        } else {
            scalar::plain(self.slice(start, end))
        };
        self.at = end;
        self.skip_spaces();
        self.at += 1;
        Ok(Node { span: Span::new(start, end), tag: None, anchored: false, kind })
    }

    fn block_seq(&mut self) -> Read<(Span, Kind)> {
        let indent = self.column();
        let (mut items, mut dashes): (Vec<Node>, Vec<usize>) = (Vec::new(), Vec::new());
        let start = self.at;
        let end = loop {
            dashes.push(self.at);
            self.at += 1;
            if self.peek() == Some(b'\t') {
                return Err(Declined);
            }
            let item = self.block_node(indent, Context::Item)?;
            let end = item.span.end;
            items.push(item);
            if !self.next_at(indent)? || !self.at_dash() {
                break end;
            }
        };
        Ok((Span::new(start, end), Kind::Seq { items, dashes, flow: false }))
    }

    /// Whether the next content is on a new line at this very column; declines what is indented more.
    fn next_at(&mut self, indent: i64) -> Read<bool> {
        let crossed = self.skip_to_content()?;
        if self.at == self.bytes.len() || self.marker() {
            return Ok(false);
        }
        let line = self.line_start(self.at);
        let column = self.column();
        let starts_line = self.slice(line, self.at).bytes().all(|b| b == b' ');
        if !(crossed || starts_line) || column > indent {
            return Err(Declined);
        }
        Ok(column == indent)
    }

    /// A tag and an anchor, in either order.
    pub(super) fn properties(&mut self) -> Read<(Option<String>, bool)> {
        let (mut tag, mut anchored) = (None, false);
        loop {
            let start = self.at;
            match self.peek() {
                Some(b'!') if tag.is_none() => {
                    self.word();
                    tag = Some(self.slice(start, self.at).to_owned());
                }
                Some(b'&') if !anchored => {
                    self.word();
                    anchored = true;
                }
                _ => break,
            }
            // `!<…>` and words that run into an indicator are left to others.
            if self.slice(start, self.at).contains(['<', '{', '[', ',']) {
                return Err(Declined);
            }
            let next = self.at;
            self.skip_spaces();
            if !matches!(self.peek(), Some(b'!' | b'&')) {
                self.at = next;
                break;
            }
        }
        Ok((tag, anchored))
    }

    pub(super) fn alias(&mut self) -> Read<(Span, Kind)> {
        let start = self.at;
        self.word();
        if self.slice(start, self.at).contains(':') {
            return Err(Declined);
        }
        Ok((Span::new(start, self.at), Kind::Alias))
    }

    /// Steps over a word: up to white space, or an indicator that ends one in flow style.
    fn word(&mut self) {
        while !self.blank_at(self.at) && !matches!(self.peek(), Some(b',' | b']' | b'}' | b'[' | b'{')) {
            self.at += 1;
        }
    }
}
