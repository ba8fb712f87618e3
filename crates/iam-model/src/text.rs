//! Places in a text: byte spans, and the line and column a person looks for.
//!
//! Knows nothing about what the text says.

use std::fmt;
use std::sync::Arc;

/// A half-open range of byte offsets into one source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset after the last byte.
    pub end: usize,
}

impl Span {
    /// A span from `start` up to, not including, `end`.
    #[must_use]
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// Length in bytes.
    #[must_use]
    pub const fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Whether the span holds no byte.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The text the span points at, or nothing where it does not fit the text.
    #[must_use]
    #[inline]
    pub fn slice(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or_default()
    }
}

/// A value together with the place it was read from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stood; empty for values made by the program.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// A value read from `span`.
    pub const fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    /// A value the program made, which stands nowhere.
    pub const fn synthetic(value: T) -> Self {
        Self { value, span: Span::new(0, 0) }
    }
}

/// A line and a column, both counted from one; columns count characters, as editors do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Position {
    /// The position of byte `offset` in `text`; offsets past the end give the end.
    ///
    /// ```
    /// use iam_model::text::Position;
    /// assert_eq!(Position::of("ab\ncd", 4), Position { line: 2, column: 2 });
    /// ```
    #[must_use]
    pub fn of(text: &str, offset: usize) -> Self {
        let mut end = offset.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let before = text.get(..end).unwrap_or_default();
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        let last = before.rsplit('\n').next().unwrap_or_default();
        Self { line, column: last.chars().count() + 1 }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Positions of many offsets into one text. Where the offsets mostly grow, the text is walked about once, however many
/// are asked for.
#[derive(Debug, Clone)]
pub struct Positions<'t> {
    text: &'t str,
    offset: usize,
    position: Position,
}

impl<'t> Positions<'t> {
    const START: Position = Position { line: 1, column: 1 };

    /// Positions in a text.
    #[must_use]
    pub const fn new(text: &'t str) -> Self {
        Self { text, offset: 0, position: Self::START }
    }

    /// The position of byte `offset`, as [`Position::of`] gives it.
    ///
    /// ```
    /// use iam_model::text::{Position, Positions};
    /// let text = "ab\ncdé\n";
    /// let mut positions = Positions::new(text);
    /// for offset in [4, 4, 8, 0, 2, 3, 99] {
    ///     assert_eq!(positions.at(offset), Position::of(text, offset));
    /// }
    /// ```
    pub fn at(&mut self, offset: usize) -> Position {
        let mut end = offset.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        if end < self.offset {
            *self = Self::new(self.text);
        }
        let between = self.text.get(self.offset..end).unwrap_or_default();
        match between.rsplit_once('\n') {
            Some((before, last)) => {
                self.position.line += before.bytes().filter(|b| *b == b'\n').count() + 1;
                self.position.column = last.chars().count() + 1;
            }
            None => self.position.column += between.chars().count(),
        }
        self.offset = end;
        self.position
    }
}

/// A number with its noun, such as `1 observed call` and `1,200 observed calls`: the last word takes an `s` where there are
/// several.
#[must_use]
pub fn counted(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// A count for people: a comma every three digits.
///
/// ```
/// assert_eq!(iam_model::text::grouped(21_983), "21,983");
/// assert_eq!(iam_model::text::grouped(7), "7");
/// ```
#[must_use]
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The name of a source as the user knows it: a path, or `<standard input>`. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceName(Arc<str>);

impl SourceName {
    /// Names a source.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text with the name it is shown under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceText {
    /// Shown in messages, and for files of a project the path relative to its folder, with `/`.
    pub name: SourceName,
    /// The whole text.
    pub text: String,
}
