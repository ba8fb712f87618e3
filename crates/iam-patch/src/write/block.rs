//! Splices in block YAML: whole lines come and go, values change in their line.

use iam_model::text::Span;

use super::{Splice, Spot, Writer};
use crate::op::New;
use crate::refusal::Refusal;
use crate::tree::{Kind, Node};

impl Writer<'_> {
    pub(super) fn block_replace(&self, spot: &Spot<'_>, with: &New, whole_line: bool) -> Result<Splice, Refusal> {
        let node = self.node(spot)?;
        let span = node.span;
        if span.is_empty() {
            return Err(self.layout(span, "there is no value to replace"));
        }
        let key = spot.parent.entries().get(spot.index).map(|entry| &entry.key);
        let block = is_block(node);
        let after_key = key.filter(|key| self.is_blank_after(key, span.start));
        if with.is_scalar() {
            let text = self.style.inline(with, node.quote(), super::render::Flow::Yaml, false);
            return Ok(match after_key {
                Some(key) if block => {
                    Splice { span: Span::new(self.colon_end(key), span.end), text: format!(" {text}") }
                }
                _ => Splice { span, text },
            });
        }
        if block || key.is_none() {
            let text = self.style.block(with, self.column(span.start));
            let end = if whole_line { self.comment_end(span.end) } else { span.end };
            return Ok(Splice { span: Span::new(span.start, end), text });
        }
        let Some(key) = after_key else { return Err(self.layout(span, "a comment stands before the value")) };
        let offset = if matches!(with, New::Seq(_)) { self.style.dash } else { self.style.step };
        let column = self.column(key.span.start) + offset;
        let body = format!("{}{}", self.style.line(column), self.style.block(with, column));
        let rest = Span::new(span.end, self.line_end(span.end)).slice(self.text());
        let comment = if whole_line { "" } else { rest.trim() };
        let text = if comment.is_empty() { body } else { format!(" {comment}{body}") };
        Ok(Splice { span: Span::new(self.colon_end(key), self.comment_end(span.end)), text })
    }

    pub(super) fn block_remove(&self, spot: &Spot<'_>) -> Result<Splice, Refusal> {
        let node = self.node(spot)?;
        let start = self.lead(spot)?;
        let line = self.line_start(start);
        let end = self.comment_end(self.value_end(spot, node));
        if !Span::new(line, start).slice(self.text()).trim().is_empty() || end != self.line_end(end) {
            return Err(self.layout(node.span, "the entry does not have its lines to itself"));
        }
        let rest = Span::new(end, self.text().len()).slice(self.text());
        let eol = if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) };
        let span = if eol > 0 {
            Span::new(line, end + eol)
        } else {
            let before = Span::new(0, line).slice(self.text());
            Span::new(before.trim_end_matches('\n').trim_end_matches('\r').len(), end)
        };
        Ok(Splice { span, text: String::new() })
    }

    pub(super) fn block_insert_item(&self, spot: &Spot<'_>, with: &New) -> Result<Splice, Refusal> {
        let node = self.node(spot)?;
        let dash = self.lead(spot)?;
        let column = self.column(dash);
        let same_line = self.line_start(dash) == self.line_start(node.span.start);
        let gap = if same_line { node.span.start - dash } else { 2 };
        let text =
            format!("{}-{}{}", self.style.line(column), " ".repeat(gap - 1), self.style.block(with, column + gap));
        self.after_line(node.span.end, text)
    }

    pub(super) fn block_insert_entry(&self, spot: &Spot<'_>, key: &str, with: &New) -> Result<Splice, Refusal> {
        let node = self.node(spot)?;
        let column = self.column(self.lead(spot)?);
        let apart = if self.keeps_apart(spot) { self.style.eol } else { "" };
        let text = format!("{apart}{}{}", self.style.line(column), self.style.block_entry(key, with, column));
        self.after_line(self.value_end(spot, node), text)
    }

    /// Whether most entries of a mapping have an empty line between them.
    fn keeps_apart(&self, spot: &Spot<'_>) -> bool {
        let entries = spot.parent.entries();
        let apart = |(a, b): (&crate::tree::Entry, &crate::tree::Entry)| {
            let end = a.value.span.end.max(a.key.span.end);
            let gap = Span::new(end, b.key.span.start).slice(self.text());
            // The last piece is the indentation of the next key.
            let mut lines = gap.split('\n').skip(1).collect::<Vec<_>>();
            lines.pop();
            lines.iter().any(|line| line.trim().is_empty())
        };
        let count = entries.iter().zip(entries.iter().skip(1)).filter(|pair| apart(*pair)).count();
        count * 2 > entries.len().saturating_sub(1)
    }

    /// New lines after the line on which a value ends.
    fn after_line(&self, end: usize, text: String) -> Result<Splice, Refusal> {
        let at = self.comment_end(end);
        if at != self.line_end(end) {
            return Err(self.layout(Span::new(end, end), "something else follows on the line"));
        }
        Ok(Splice { span: Span::new(at, at), text })
    }

    /// Where an entry begins: its dash, or its key.
    fn lead(&self, spot: &Spot<'_>) -> Result<usize, Refusal> {
        let found = match &spot.parent.kind {
            Kind::Seq { dashes, .. } => dashes.get(spot.index).copied(),
            Kind::Map { entries, .. } => entries.get(spot.index).map(|e| e.key.span.start),
            _ => None,
        };
        found.ok_or_else(|| self.layout(spot.parent.span, "the place is not in the file"))
    }

    /// Where a value ends; where there is none, behind its key's colon.
    fn value_end(&self, spot: &Spot<'_>, node: &Node) -> usize {
        match spot.parent.entries().get(spot.index) {
            Some(entry) if node.span.is_empty() => self.colon_end(&entry.key),
            _ => node.span.end,
        }
    }

    /// Behind the colon of a key.
    fn colon_end(&self, key: &Node) -> usize {
        let rest = Span::new(key.span.end, self.text().len()).slice(self.text());
        let blanks = rest.len() - rest.trim_start_matches(' ').len();
        key.span.end + blanks + usize::from(rest.trim_start_matches(' ').starts_with(':'))
    }

    /// Whether only white space stands between a key's colon and `offset`.
    fn is_blank_after(&self, key: &Node, offset: usize) -> bool {
        Span::new(self.colon_end(key), offset).slice(self.text()).trim().is_empty()
    }

    /// The end of the line where only a comment or blanks follow `end`, else `end`.
    fn comment_end(&self, end: usize) -> usize {
        let line = self.line_end(end);
        let rest = Span::new(end, line).slice(self.text());
        let trimmed = rest.trim_start();
        let comment = trimmed.starts_with('#') && trimmed.len() < rest.len();
        if trimmed.is_empty() || comment { line } else { end }
    }
}

/// Whether a value is laid out over lines of its own.
const fn is_block(node: &Node) -> bool {
    matches!(node.kind, Kind::Map { flow: false, .. } | Kind::Seq { flow: false, .. }) && node.tag.is_none()
}
