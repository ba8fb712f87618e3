//! HCL in tokens: the first of two readers, made for places and speed.
//!
//! Follows the HCL native syntax specification: identifiers, numbers, quoted and heredoc templates with nested
//! interpolations, comments. Knows nothing about Terraform; `second` reads the same text with another parser.

use iam_model::text::Span;

/// Levels of templates inside interpolations inside templates.
const DEPTH: usize = 24;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Number,
    /// A quoted template, quotes included.
    Quoted,
    /// A heredoc from `<<` to its closing word; `body` is what stands between.
    Heredoc {
        body: Span,
    },
    Mark(char),
    Newline,
}

/// A token and where it stands; comments and blanks are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Span,
}

impl Token {
    pub(super) fn is(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }
}

/// Reads tokens one by one.
pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
    end: usize,
    depth: usize,
}

/// Where reading stopped, with why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stopped {
    pub(super) offset: usize,
    pub(super) message: &'static str,
}

impl<'t> Lexer<'t> {
    /// Reads the bytes of a span.
    pub(super) const fn new(text: &'t str, span: Span) -> Self {
        Self { text, at: span.start, end: span.end, depth: 0 }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied().filter(|_| at < self.end)
    }

    fn stop<T>(&self, offset: usize, message: &'static str) -> Result<T, Stopped> {
        Err(Stopped { offset, message })
    }

    /// The next token; nothing at the end.
    pub(super) fn next(&mut self) -> Result<Option<Token>, Stopped> {
        self.skip_blanks()?;
        let start = self.at;
        let Some(byte) = self.byte(start) else { return Ok(None) };
        let kind = match byte {
            b'\n' => {
                self.at += 1;
                Kind::Newline
            }
            b'"' => {
                self.at = self.quoted(start + 1)?;
                Kind::Quoted
            }
            b'<' if self.byte(start + 1) == Some(b'<') => self.heredoc(start)?,
            b'0'..=b'9' => {
                self.at = self.run(start, |b| b.is_ascii_alphanumeric());
                Kind::Number
            }
            b'_' | b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => {
                self.at = self.run(start, |b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-' || b >= 0x80);
                Kind::Word
            }
            _ => {
                self.at += 1;
                Kind::Mark(char::from(byte))
            }
        };
        Ok(Some(Token { kind, span: Span::new(start, self.at) }))
    }

    fn run(&self, start: usize, belongs: impl Fn(u8) -> bool) -> usize {
        let mut at = start;
        while self.byte(at).is_some_and(&belongs) {
            at += 1;
        }
        at
    }

    /// Blanks, byte order mark and comments.
    fn skip_blanks(&mut self) -> Result<(), Stopped> {
        loop {
            match (self.byte(self.at), self.byte(self.at + 1)) {
                (Some(b' ' | b'\t' | b'\r'), _) => self.at += 1,
                (Some(0xEF), Some(0xBB)) if self.at == 0 => self.at += 3,
                (Some(b'#'), _) | (Some(b'/'), Some(b'/')) => self.at = self.run(self.at, |b| b != b'\n'),
                (Some(b'/'), Some(b'*')) => {
                    let rest = Span::new(self.at, self.end).slice(self.text);
                    match rest.find("*/") {
                        Some(length) => self.at += length + 2,
                        None => return self.stop(self.at, "a comment has no end"),
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    /// The offset after the closing quote; `at` stands after the opening one.
    fn quoted(&self, mut at: usize) -> Result<usize, Stopped> {
        let start = at;
        loop {
            match self.byte(at) {
                None | Some(b'\n') => return self.stop(start, "a string has no end"),
                Some(b'"') => return Ok(at + 1),
                Some(b'\\') => at += 2,
                Some(_) => match self.interpolation(at)? {
                    Some((_, end)) => at = end,
                    None => at += self.literal_length(at),
                },
            }
        }
    }

    /// How many bytes of a template at once are literal: `$${` and `%%{` are three.
    fn literal_length(&self, at: usize) -> usize {
        let escaped = |mark: u8| (0..2).all(|i| self.byte(at + i) == Some(mark)) && self.byte(at + 2) == Some(b'{');
        if escaped(b'$') || escaped(b'%') { 3 } else { 1 }
    }

    /// The inside and the end of the interpolation or directive that starts here, if one does.
    pub(super) fn interpolation(&self, at: usize) -> Result<Option<(Span, usize)>, Stopped> {
        if !matches!(self.byte(at), Some(b'$' | b'%')) || self.byte(at + 1) != Some(b'{') {
            return Ok(None);
        }
        if self.depth >= DEPTH {
            return self.stop(at, "templates are nested too deep");
        }
        let mut inner = Self { text: self.text, at: at + 2, end: self.end, depth: self.depth + 1 };
        let mut open = 0usize;
        while let Some(token) = inner.next()? {
            match token.kind {
                Kind::Mark('{') => open += 1,
                Kind::Mark('}') if open == 0 => {
                    return Ok(Some((Span::new(at + 2, token.span.start), token.span.end)));
                }
                Kind::Mark('}') => open -= 1,
                _ => {}
            }
        }
        self.stop(at, "an interpolation has no end")
    }

    fn heredoc(&mut self, start: usize) -> Result<Kind, Stopped> {
        let word = if self.byte(start + 2) == Some(b'-') { start + 3 } else { start + 2 };
        let word_end = self.run(word, |b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-' || b >= 0x80);
        let line_end = self.run(word_end, |b| b != b'\n');
        let delimiter = Span::new(word, word_end).slice(self.text);
        if delimiter.is_empty() || !Span::new(word_end, line_end).slice(self.text).trim().is_empty() {
            return self.stop(start, "a heredoc has no name");
        }
        let body = (line_end + 1).min(self.end);
        let mut line = body;
        while line < self.end {
            let end = self.run(line, |b| b != b'\n');
            let text = Span::new(line, end).slice(self.text);
            if text.trim() == delimiter {
                self.at = line + text.trim_end().len();
                return Ok(Kind::Heredoc { body: Span::new(body, line) });
            }
            line = end + 1;
        }
        self.stop(start, "a heredoc has no end")
    }

    /// The pieces of a template between two offsets: literal spans and interpolations, inside and whole. In a heredoc a
    /// backslash escapes nothing.
    pub(super) fn pieces(text: &'t str, span: Span, escapes: bool) -> Result<Vec<Piece>, Stopped> {
        let lexer = Self::new(text, span);
        let (mut found, mut literal, mut at) = (Vec::new(), span.start, span.start);
        while at < span.end {
            match lexer.interpolation(at)? {
                Some((inside, end)) => {
                    if literal < at {
                        found.push(Piece::Literal(Span::new(literal, at)));
                    }
                    found.push(Piece::Hole { inside, whole: Span::new(at, end) });
                    (at, literal) = (end, end);
                }
                None if escapes && lexer.byte(at) == Some(b'\\') => at += 2,
                None => at += lexer.literal_length(at),
            }
        }
        if literal < span.end {
            found.push(Piece::Literal(Span::new(literal, span.end)));
        }
        Ok(found)
    }
}

/// A piece of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    Literal(Span),
    /// `${…}` or `%{…}`.
    Hole {
        inside: Span,
        whole: Span,
    },
}

/// All tokens of a span.
pub(super) fn tokens(text: &str, span: Span) -> Result<Vec<Token>, Stopped> {
    let mut lexer = Lexer::new(text, span);
    let mut found = Vec::new();
    while let Some(token) = lexer.next()? {
        found.push(token);
    }
    Ok(found)
}

/// An expression's text without blanks, line breaks and comments: equal for equal expressions. A line break that
/// separates the entries of an object is a comma.
pub(super) fn normal(text: &str, tokens: &[Token]) -> String {
    let mut out = String::new();
    let (mut after_word, mut broken) = (false, false);
    // For each open bracket, whether line breaks in it separate entries.
    let mut open: Vec<bool> = Vec::new();
    let made = |at: usize| {
        let next = tokens.get(at + 1..).unwrap_or_default().iter().find(|token| token.kind != Kind::Newline);
        next.is_some_and(|token| token.span.slice(text) == "for")
    };
    for (at, token) in tokens.iter().enumerate() {
        if token.kind == Kind::Newline {
            broken |= open.last() == Some(&true) && !out.ends_with(['{', ',']);
            continue;
        }
        match token.kind {
            Kind::Mark('{') => open.push(!made(at)),
            Kind::Mark('[' | '(') => open.push(false),
            Kind::Mark('}' | ']' | ')') => {
                open.pop();
            }
            _ => {}
        }
        if std::mem::take(&mut broken) && !(token.is('}') || token.is(',')) {
            out.push(',');
            after_word = false;
        }
        let word = matches!(token.kind, Kind::Word | Kind::Number);
        if word && after_word {
            out.push(' ');
        }
        after_word = word;
        // A minus beside a word would become part of it.
        let minus = token.is('-');
        out.push_str(if minus { " - " } else { token.span.slice(text) });
        if matches!(token.kind, Kind::Heredoc { .. }) {
            out.push('\n');
        }
    }
    out
}

/// The normal text of an expression that stands alone; as it is where it cannot be read.
pub(super) fn normal_text(text: &str) -> String {
    let all = Span::new(0, text.len());
    tokens(text, all).map_or_else(|_| text.trim().to_owned(), |tokens| normal(text, &tokens))
}
