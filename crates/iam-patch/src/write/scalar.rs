//! Offsets of a scalar's text in the file, and text written in the scalar's escapes.

use iam_model::text::Span;

use super::Splice;
use crate::refusal::{Refusal, RefusalCode};
use crate::tree::{Node, Quote};

/// Splices of a scalar's text as splices of the file.
pub(super) fn splices(source: &str, node: &Node, edits: &[Splice], eol: &str) -> Result<Vec<Splice>, Refusal> {
    let unsupported = || Refusal::new(RefusalCode::DocumentIsText, "the policy document is written as a folded text");
    let scalar = Scalar::read(source, node).ok_or_else(unsupported)?;
    let mut out = Vec::new();
    for edit in edits {
        let (start, end) = (scalar.offset(edit.span.start), scalar.offset(edit.span.end));
        let (Some(start), Some(end)) = (start, end) else { return Err(unsupported()) };
        out.push(Splice { span: Span::new(start, end), text: scalar.escaped(&edit.text, eol) });
    }
    Ok(out)
}

struct Scalar {
    quote: Quote,
    /// The file's offset of each byte of the text, and of its end.
    offsets: Vec<usize>,
    indent: usize,
}

impl Scalar {
    /// Reads a scalar whose every byte has a place of its own; folded and odd ones have not.
    fn read(source: &str, node: &Node) -> Option<Self> {
        let text = node.raw_text()?;
        let start = node.span.start + node.tag.as_ref().map_or(0, String::len);
        let written = Span::new(start, node.span.end).slice(source);
        let start = start + (written.len() - written.trim_start().len());
        let body = Span::new(start, node.span.end).slice(source);
        let mut scalar = Self { quote: node.quote()?, offsets: Vec::new(), indent: 0 };
        let read = match scalar.quote {
            Quote::Single => scalar.single(body, start),
            Quote::Double => scalar.double(body, start),
            Quote::Block if body.starts_with('|') => scalar.block(body, start),
            _ => None,
        }?;
        (read == text || read == text.trim_end_matches('\n')).then_some(scalar)
    }

    fn offset(&self, at: usize) -> Option<usize> {
        self.offsets.get(at).copied()
    }

    fn push(&mut self, out: &mut String, c: char, at: usize) {
        self.offsets.extend(std::iter::repeat_n(at, c.len_utf8()));
        out.push(c);
    }

    fn single(&mut self, body: &str, start: usize) -> Option<String> {
        let inside = body.strip_prefix('\'')?.strip_suffix('\'')?;
        let mut out = String::new();
        let mut letters = inside.char_indices().peekable();
        while let Some((at, c)) = letters.next() {
            match c {
                '\'' => {
                    letters.next_if(|(_, next)| *next == '\'')?;
                    self.push(&mut out, '\'', start + 1 + at);
                }
                '\n' | '\r' => self.folded(&mut out, inside, &mut letters, start + 1 + at)?,
                c => self.push(&mut out, c, start + 1 + at),
            }
        }
        self.offsets.push(start + 1 + inside.len());
        Some(out)
    }

    /// A line break in quotes: one blank, whose place is the break; empty lines are left alone.
    fn folded(
        &mut self,
        out: &mut String,
        inside: &str,
        letters: &mut std::iter::Peekable<std::str::CharIndices<'_>>,
        at: usize,
    ) -> Option<()> {
        let kept = out.trim_end_matches([' ', '\t']).len();
        out.truncate(kept);
        self.offsets.truncate(kept);
        let mut breaks = 0;
        let from = letters.peek().map_or(inside.len(), |(next, _)| *next);
        let ahead = inside.get(from - 1..)?;
        for c in ahead.chars().take_while(|c| c.is_ascii_whitespace()) {
            breaks += usize::from(c == '\n');
        }
        while letters.next_if(|(_, next)| next.is_ascii_whitespace()).is_some() {}
        let c = if breaks == 1 { ' ' } else { return None };
        self.push(out, c, at);
        Some(())
    }

    fn double(&mut self, body: &str, start: usize) -> Option<String> {
        let inside = body.strip_prefix('"')?.strip_suffix('"')?;
        let mut out = String::new();
        let mut letters = inside.char_indices().peekable();
        while let Some((at, c)) = letters.next() {
            let here = start + 1 + at;
            match c {
                '\\' => {
                    let c = match letters.next()?.1 {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        c @ ('"' | '\\' | '/' | ' ') => c,
                        _ => return None,
                    };
                    self.push(&mut out, c, here);
                }
                '\n' | '\r' => self.folded(&mut out, inside, &mut letters, here)?,
                c => self.push(&mut out, c, here),
            }
        }
        self.offsets.push(start + 1 + inside.len());
        Some(out)
    }

    fn block(&mut self, body: &str, start: usize) -> Option<String> {
        let (header, _) = body.split_once('\n')?;
        if header.trim_end().contains(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let mut out = String::new();
        let mut at = start + header.len() + 1;
        let lines: Vec<&str> = body.get(header.len() + 1..)?.split('\n').collect();
        let first = lines.iter().find(|line| !line.trim().is_empty())?;
        self.indent = first.len() - first.trim_start_matches(' ').len();
        for (number, line) in lines.iter().enumerate() {
            if number > 0 {
                self.push(&mut out, '\n', at - 1);
            }
            let text = line.strip_suffix('\r').unwrap_or(line);
            let strip = self.indent.min(text.len() - text.trim_start_matches(' ').len());
            for (offset, c) in text.char_indices().skip(strip) {
                self.push(&mut out, c, at + offset);
            }
            at += line.len() + 1;
        }
        self.offsets.push(at - 1);
        Some(out)
    }

    /// New text as the scalar writes it.
    fn escaped(&self, text: &str, eol: &str) -> String {
        match self.quote {
            Quote::Double => text.replace('\\', "\\\\").replace('"', "\\\"").replace("\r\n", "\n").replace('\n', "\\n"),
            Quote::Single => text.replace('\'', "''"),
            Quote::Block | Quote::Plain => {
                text.replace("\r\n", "\n").replace('\n', &format!("{eol}{}", " ".repeat(self.indent)))
            }
        }
    }
}
