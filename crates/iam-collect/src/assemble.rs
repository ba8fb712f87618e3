//! The text of a snapshot put together from pieces of other files, and the way back: whose line is this one?
//!
//! Pieces are copied as they are, so nothing of the user's is lost or reworded. Knows nothing of what they say.

use std::collections::BTreeMap;

use iam_model::diagnostic::{Diagnostic, Place};
use iam_model::json::{Value, write_string};
use iam_model::text::{Position, Positions, SourceName, SourceText, Span};

/// A part of the text to be.
pub(crate) enum Piece<'b> {
    /// Copied from a file.
    Copy(&'b SourceText, Span),
    /// Made here.
    Made(Value),
    /// An object; keys are distinct.
    Object(Vec<(String, Self)>),
    /// A list.
    List(Vec<Self>),
}

/// The text, and where its lines come from.
pub(crate) struct Assembled {
    text: String,
    origins: Origins,
}

impl Assembled {
    /// The text and the way back, which outlives the pieces.
    pub(crate) fn into_parts(self) -> (String, Origins) {
        (self.text, self.origins)
    }
}

/// Where the lines of an assembled text come from.
pub(crate) struct Origins(Vec<Origin>);

/// Lines of the text that were copied.
struct Origin {
    /// The first, from 1.
    line: usize,
    /// How many.
    lines: usize,
    file: SourceName,
    /// Where the copy starts in the file.
    start: Position,
}

/// Prints the pieces.
pub(crate) fn assemble(piece: &Piece<'_>) -> Assembled {
    let mut printer = Printer { text: String::new(), line: 1, origins: Vec::new(), positions: BTreeMap::new() };
    printer.piece(piece);
    Assembled { text: printer.text, origins: Origins(printer.origins) }
}

struct Printer<'b> {
    text: String,
    line: usize,
    origins: Vec<Origin>,
    positions: BTreeMap<&'b SourceName, Positions<'b>>,
}

impl<'b> Printer<'b> {
    fn newline(&mut self) {
        self.text.push('\n');
        self.line += 1;
    }

    fn piece(&mut self, piece: &Piece<'b>) {
        match piece {
            Piece::Made(value) => self.text.push_str(&value.to_compact()),
            Piece::Copy(file, span) => self.copy(file, *span),
            Piece::List(items) => {
                self.text.push('[');
                for (index, item) in items.iter().enumerate() {
                    self.separate(index);
                    self.piece(item);
                }
                self.text.push(']');
            }
            Piece::Object(members) => {
                self.text.push('{');
                for (index, (key, member)) in members.iter().enumerate() {
                    self.separate(index);
                    write_string(&mut self.text, key);
                    self.text.push(':');
                    self.piece(member);
                }
                self.text.push('}');
            }
        }
    }

    fn separate(&mut self, index: usize) {
        if index > 0 {
            self.text.push(',');
        }
        self.newline();
    }

    /// On lines of its own, so that lines and columns can be told apart.
    fn copy(&mut self, file: &'b SourceText, span: Span) {
        self.newline();
        let copied = span.slice(&file.text);
        let start = self.positions.entry(&file.name).or_insert_with(|| Positions::new(&file.text)).at(span.start);
        let lines = copied.bytes().filter(|b| *b == b'\n').count() + 1;
        self.origins.push(Origin { line: self.line, lines, file: file.name.clone(), start });
        self.text.push_str(copied);
        self.line += lines - 1;
        self.newline();
    }
}

impl Origins {
    /// The diagnostic at the place it stands in the user's file; what was made here has no place but `whole`.
    pub(crate) fn at_origin(&self, diagnostic: Diagnostic, whole: &SourceName) -> Diagnostic {
        let position = diagnostic.place.position;
        let found = position.and_then(|position| Some((position, self.origin(position.line)?)));
        let (source, position) = match found {
            None => (whole.clone(), None),
            Some((position, origin)) => {
                let line = position.line - origin.line;
                let column = if line == 0 { origin.start.column + position.column - 1 } else { position.column };
                (origin.file.clone(), Some(Position { line: origin.start.line + line, column }))
            }
        };
        Diagnostic { place: Place { source, position, within: diagnostic.place.within }, ..diagnostic }
    }

    fn origin(&self, line: usize) -> Option<&Origin> {
        let after = self.0.partition_point(|origin| origin.line <= line);
        let origin = self.0.get(after.checked_sub(1)?)?;
        (line < origin.line + origin.lines).then_some(origin)
    }
}
