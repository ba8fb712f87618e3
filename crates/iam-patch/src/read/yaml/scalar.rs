//! Scalars: plain, quoted and block.

use iam_model::text::Span;

use super::{Declined, Read, Reader, as_column};
use crate::tree::{Kind, Quote};

/// Folded lines being put together.
#[derive(Default)]
struct Folding {
    text: String,
    breaks: usize,
}

impl Folding {
    /// The next line of a flow scalar: one line break is a blank, more are kept but one.
    fn line(&mut self, line: &str) {
        match self.breaks {
            0 => {}
            1 => self.text.push(' '),
            more => self.text.extend(std::iter::repeat_n('\n', more - 1)),
        }
        self.breaks = 0;
        self.text.push_str(line);
    }
}

/// The kind of a plain scalar.
pub(super) fn plain(text: &str) -> Kind {
    if matches!(text, "" | "~" | "null") {
        return Kind::Null;
    }
    Kind::Scalar { text: text.to_owned(), quote: Quote::Plain }
}

impl Reader<'_> {
    /// Where a plain scalar on the line of `at` ends: before `: `, ` #`, or the end of the line. In flow style also
    /// before an indicator.
    pub(super) fn plain_end(&self, at: usize, flow: bool) -> usize {
        let (known, end) = self.last_plain.get();
        if !flow && known == at {
            return end;
        }
        let line = self.slice(at, self.line_end(at));
        let bytes = line.as_bytes();
        let indicator = |b: u8| matches!(b, b',' | b'[' | b']' | b'{' | b'}');
        let blank = |at: usize| bytes.get(at).is_none_or(|b| matches!(b, b' ' | b'\t'));
        let ends = |(at, byte): (usize, &u8)| match byte {
            b':' => blank(at + 1) || (flow && bytes.get(at + 1).copied().is_some_and(indicator)),
            b'#' => at > 0 && blank(at - 1),
            byte => flow && indicator(*byte),
        };
        let end = bytes.iter().enumerate().position(ends).unwrap_or(bytes.len());
        let end = at + line.get(..end).unwrap_or_default().trim_end_matches([' ', '\t']).len();
        if !flow {
            self.last_plain.set((at, end));
        }
        end
    }

    /// A plain scalar in block style, over as many lines as it has.
    pub(super) fn plain_block(&mut self, parent: i64) -> Read<(Span, Kind)> {
        let start = self.at;
        let mut end = self.plain_end(start, false);
        let mut folding = Folding::default();
        folding.line(self.slice(start, end));
        loop {
            self.at = end;
            self.skip_spaces();
            // A comment ends it, and so does anything but a line break.
            if !matches!(self.peek(), Some(b'\n' | b'\r')) {
                break;
            }
            let mut breaks = 0;
            let mut at = self.at;
            let next = loop {
                let line_end = self.line_end(at);
                let Some(after) = self.next_line(line_end) else { break None };
                breaks += 1;
                let text_start =
                    after + self.slice(after, self.line_end(after)).bytes().take_while(|b| *b == b' ').count();
                at = after;
                if !self.slice(text_start, self.line_end(after)).trim_matches([' ', '\t']).is_empty() {
                    break Some((after, text_start));
                }
            };
            let Some((line, text)) = next else { break };
            self.at = line;
            if as_column(text - line) <= parent || self.byte(text) == Some(b'#') || self.marker() {
                break;
            }
            if self.byte(text) == Some(b'\t') {
                return Err(Declined);
            }
            end = self.plain_end(text, false);
            self.at = end;
            self.skip_spaces();
            if self.peek() == Some(b':') || end == text {
                return Err(Declined);
            }
            folding.breaks = breaks;
            folding.line(self.slice(text, end));
        }
        self.at = end;
        Ok((Span::new(start, end), plain(&folding.text)))
    }

    /// The start of the line after the one that ends at `line_end`.
    fn next_line(&self, line_end: usize) -> Option<usize> {
        let end = if self.byte(line_end) == Some(b'\r') { line_end + 1 } else { line_end };
        (self.byte(end) == Some(b'\n') && end + 1 < self.bytes.len()).then_some(end + 1)
    }

    /// A quoted scalar, either kind.
    pub(super) fn quoted(&mut self) -> Read<(Span, Kind)> {
        let start = self.at;
        let quote = self.peek().ok_or(Declined)?;
        self.at += 1;
        let mut folding = Folding::default();
        let mut line = String::new();
        // How much of `line` is not a blank that a line break would take away.
        let mut solid = 0;
        let mut pending = self.at;
        loop {
            let byte = self.peek().ok_or(Declined)?;
            if byte != quote && !matches!(byte, b'\\' | b'\n' | b'\r') || (byte == b'\\' && quote == b'\'') {
                self.at += 1;
                continue;
            }
            line.push_str(self.slice(pending, self.at));
            if byte == quote && quote == b'\'' && self.byte(self.at + 1) == Some(b'\'') {
                line.push('\'');
                self.at += 2;
            } else if byte == quote {
                self.at += 1;
                break;
            } else if byte == b'\\' {
                self.escape(&mut line)?;
                solid = line.len();
            } else {
                self.line_break(&mut folding, &mut line, &mut solid)?;
            }
            pending = self.at;
        }
        folding.line(&line);
        let quote = if quote == b'"' { Quote::Double } else { Quote::Single };
        Ok((Span::new(start, self.at), Kind::Scalar { text: folding.text, quote }))
    }

    /// A line break inside quotes: blanks around it go, and so does the break if it is the only one.
    fn line_break(&mut self, folding: &mut Folding, line: &mut String, solid: &mut usize) -> Read<()> {
        let kept = line.trim_end_matches([' ', '\t']).len().max(*solid);
        line.truncate(kept);
        // An empty line counts as one more break.
        if folding.breaks == 0 || !line.is_empty() {
            folding.line(line);
        }
        line.clear();
        *solid = 0;
        while let Some(b'\n' | b'\r' | b' ' | b'\t') = self.peek() {
            if self.peek() == Some(b'\n') {
                folding.breaks += 1;
            } else if self.peek() == Some(b'\r') && self.byte(self.at + 1) != Some(b'\n') {
                return Err(Declined);
            }
            self.at += 1;
        }
        if self.marker() { Err(Declined) } else { Ok(()) }
    }

    /// An escape in double quotes. Line continuations and odd ones are left to others.
    fn escape(&mut self, line: &mut String) -> Read<()> {
        let letter = self.byte(self.at + 1).ok_or(Declined)?;
        let digits = match letter {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            _ => 0,
        };
        let found = match letter {
            b'0' => '\0',
            b'a' => '\u{7}',
            b'b' => '\u{8}',
            b't' | b'\t' => '\t',
            b'n' => '\n',
            b'v' => '\u{b}',
            b'f' => '\u{c}',
            b'r' => '\r',
            b'e' => '\u{1b}',
            b' ' | b'"' | b'/' | b'\\' => char::from(letter),
            b'N' => '\u{85}',
            b'_' => '\u{a0}',
            b'L' => '\u{2028}',
            b'P' => '\u{2029}',
            b'x' | b'u' | b'U' => {
                let code = self.slice(self.at + 2, self.at + 2 + digits);
                let code = u32::from_str_radix(code, 16).map_err(|_| Declined)?;
                char::from_u32(code).ok_or(Declined)?
            }
            _ => return Err(Declined),
        };
        line.push(found);
        self.at += 2 + digits;
        Ok(())
    }

    /// A literal or folded block scalar, whose lines are indented more than `parent`.
    pub(super) fn block_scalar(&mut self, parent: i64) -> Read<(Span, Kind)> {
        let start = self.at;
        let folded = self.peek() == Some(b'>');
        let line_end = self.line_end(start);
        let header = self.slice(start + 1, line_end);
        let header = header.split_once(" #").map_or(header, |(before, _)| before).trim_end();
        let (mut chomp, mut indent) = (None, None);
        for c in header.bytes() {
            match c {
                b'+' | b'-' if chomp.is_none() => chomp = Some(c),
                b'1'..=b'9' if indent.is_none() => indent = Some(i64::from(c - b'0') + parent.max(0)),
                _ => return Err(Declined),
            }
        }
        let lines = self.block_lines(line_end, parent, indent)?;
        let text = fold(&lines.lines, folded, chomp, lines.ends_with_break);
        let span = Span::new(start, start + self.slice(start, lines.end).trim_end().len());
        self.at = lines.end;
        Ok((span, Kind::Scalar { text, quote: Quote::Block }))
    }

    fn block_lines(&self, header_end: usize, parent: i64, indent: Option<i64>) -> Read<BlockLines<'_>> {
        let mut found = BlockLines { lines: Vec::new(), end: header_end, ends_with_break: false };
        let mut indent = indent;
        let mut next = self.next_line(header_end);
        while let Some(line) = next {
            let end = self.line_end(line);
            let text = self.slice(line, end);
            let blanks = text.bytes().take_while(|b| *b == b' ').count();
            let rest = text.get(blanks..).unwrap_or_default();
            if rest.starts_with('\t') && indent.is_none_or(|indent| as_column(blanks) < indent) {
                return Err(Declined);
            }
            let marker = blanks == 0 && (rest.starts_with("---") || rest.starts_with("..."));
            if !rest.is_empty() {
                let own = *indent.get_or_insert(as_column(blanks));
                if as_column(blanks) < own || own <= parent || marker {
                    break;
                }
            }
            let strip = indent.map_or(blanks, |indent| usize::try_from(indent).unwrap_or(0).min(blanks));
            found.lines.push(text.get(strip..).unwrap_or_default());
            found.end = end;
            found.ends_with_break = end < self.bytes.len();
            next = self.next_line(end);
        }
        Ok(found)
    }
}

struct BlockLines<'t> {
    lines: Vec<&'t str>,
    end: usize,
    ends_with_break: bool,
}

/// Lines put together as literal or folded text.
fn fold(lines: &[&str], folded: bool, chomp: Option<u8>, ends_with_break: bool) -> String {
    let (mut text, mut breaks, mut after_blank, mut started) = (String::new(), 0_usize, false, false);
    for line in lines {
        if line.is_empty() {
            breaks += 1;
            continue;
        }
        let blank = line.starts_with([' ', '\t']);
        if started && folded && !after_blank && !blank {
            match breaks {
                0 => text.push(' '),
                more => text.extend(std::iter::repeat_n('\n', more)),
            }
        } else {
            text.extend(std::iter::repeat_n('\n', breaks + usize::from(started)));
        }
        (breaks, after_blank, started) = (0, blank, true);
        text.push_str(line);
    }
    let last_ended = ends_with_break || breaks > 0;
    match chomp {
        Some(b'-') => {}
        Some(_) => text.extend(std::iter::repeat_n('\n', breaks + usize::from(started && last_ended))),
        None if started && last_ended => text.push('\n'),
        None => {}
    }
    text
}
