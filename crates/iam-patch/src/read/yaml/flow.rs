//! Flow style: `[…]` and `{…}`, as lax about indentation as CloudFormation is.

use iam_model::text::Span;

use super::{DEPTH, Declined, Read, Reader, scalar};
use crate::tree::{Entry, Kind, Node, Quote};

impl Reader<'_> {
    /// A value in flow style.
    pub(super) fn flow_node(&mut self) -> Read<Node> {
        self.skip_to_content_in_flow()?;
        let start = self.at;
        let (tag, anchored) = self.properties()?;
        if tag.is_some() || anchored {
            self.skip_to_content_in_flow()?;
        }
        let (span, kind) = match self.peek() {
            Some(b'[' | b'{') => self.flow_collection()?,
            Some(b'"' | b'\'') => self.quoted()?,
            Some(b'*') => self.alias()?,
            Some(b',' | b']' | b'}') if tag.is_some() => (Span::new(self.at, self.at), Kind::Null),
            Some(_) => self.flow_plain()?,
            None => return Err(Declined),
        };
        let start = if tag.is_some() { start } else { span.start };
        let end = if span.is_empty() { start + self.slice(start, span.end).trim_end().len() } else { span.end };
        Ok(Node { span: Span::new(start, end), tag, anchored, kind })
    }

    fn skip_to_content_in_flow(&mut self) -> Read<()> {
        loop {
            self.skip_spaces();
            match self.peek() {
                Some(b'\n' | b'\r') => self.at += 1,
                Some(b'#') if self.comment_may_start() => self.at = self.line_end(self.at),
                Some(b'-' | b'.') if self.marker() => return Err(Declined),
                Some(_) => return Ok(()),
                None => return Err(Declined),
            }
        }
    }

    pub(super) fn flow_collection(&mut self) -> Read<(Span, Kind)> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Declined);
        }
        let start = self.at;
        let map = self.peek() == Some(b'{');
        self.at += 1;
        let kind = if map { self.flow_map()? } else { self.flow_seq()? };
        self.depth -= 1;
        Ok((Span::new(start, self.at), kind))
    }

    fn flow_seq(&mut self) -> Read<Kind> {
        let mut items = Vec::new();
        loop {
            self.skip_to_content_in_flow()?;
            if self.peek() == Some(b']') {
                self.at += 1;
                return Ok(Kind::Seq { items, dashes: Vec::new(), flow: true });
            }
            items.push(self.flow_node()?);
            self.skip_to_content_in_flow()?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {}
                _ => return Err(Declined),
            }
        }
    }

    fn flow_map(&mut self) -> Read<Kind> {
        let mut entries = Vec::new();
        loop {
            self.skip_to_content_in_flow()?;
            if self.peek() == Some(b'}') {
                self.at += 1;
                return Ok(Kind::Map { entries, flow: true });
            }
            let key = self.flow_node()?;
            if key.tag.is_some() || key.anchored || !matches!(key.kind, Kind::Scalar { .. }) {
                return Err(Declined);
            }
            self.skip_to_content_in_flow()?;
            let value = if self.peek() == Some(b':') {
                let adjacent = key.quote() != Some(Quote::Plain);
                if !adjacent && !self.blank_at(self.at + 1) {
                    return Err(Declined);
                }
                self.at += 1;
                self.skip_to_content_in_flow()?;
                match self.peek() {
                    Some(b',' | b'}') => missing(&key),
                    _ => self.flow_node()?,
                }
            } else {
                missing(&key)
            };
            entries.push(Entry { key, value });
            self.skip_to_content_in_flow()?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {}
                _ => return Err(Declined),
            }
        }
    }

    fn flow_plain(&mut self) -> Read<(Span, Kind)> {
        let start = self.at;
        let indicator = matches!(
            self.peek(),
            Some(b'@' | b'`' | b'%' | b'|' | b'>' | b'&' | b'!' | b'*' | b'#' | b',' | b']' | b'}' | b':' | b'?')
        );
        let dash = self.peek() == Some(b'-') && self.blank_at(self.at + 1);
        let end = self.plain_end(start, true);
        if indicator || dash || end == start {
            return Err(Declined);
        }
        self.at = end;
        Ok((Span::new(start, end), scalar::plain(self.slice(start, end))))
    }
}

/// The value of a key that has none.
pub(super) const fn missing(key: &Node) -> Node {
    Node { span: Span::new(key.span.end, key.span.end), tag: None, anchored: false, kind: Kind::Null }
}
