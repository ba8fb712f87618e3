//! Texts with policy variables: parsed once, filled in per request.
//!
//! Follows the IAM User Guide topic "IAM policy elements: Variables and tags". Variables exist in policies of version
//! 2012-10-17 only; in others `${…}` is text. A value that is filled in never acts as a wildcard.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use iam_model::condition::ConditionKey;
use iam_model::policy::PolicyVersion;

use crate::context::{Facts, KeyState};
use crate::wildcard::{Piece, push_wildcard};

/// Whether `*` and `?` are wildcards in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wildcards {
    Match,
    Literal,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Piece(Piece<'static>),
    Variable { key: ConditionKey, default: Option<String> },
}

/// A text, perhaps with variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Template {
    /// No variables: ready to match.
    Fixed(Vec<Piece<'static>>),
    Variable(Variable),
}

/// A text with variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable(Vec<Part>);

/// What filling in the variables gave.
pub(crate) enum Filled<'t> {
    Pieces(Cow<'t, [Piece<'t>]>),
    /// A variable has no value and no default: the text matches nothing.
    NoValue,
    /// A variable's value is not known.
    Unknown,
}

impl Template {
    pub(crate) fn new(text: &str, version: PolicyVersion, wildcards: Wildcards) -> Self {
        let parts = parts(text, version == PolicyVersion::V2012, wildcards);
        let fixed: Option<Vec<_>> = parts
            .iter()
            .map(|part| match part {
                Part::Piece(piece) => Some(piece.clone()),
                Part::Variable { .. } => None,
            })
            .collect();
        fixed.map_or_else(|| Self::Variable(Variable(parts)), Self::Fixed)
    }

    pub(crate) fn fill<'t>(&'t self, facts: &Facts<'t>) -> Filled<'t> {
        let parts = match self {
            Self::Fixed(pieces) => return Filled::Pieces(Cow::Borrowed(pieces)),
            Self::Variable(Variable(parts)) => parts,
        };
        let mut pieces = Vec::with_capacity(parts.len());
        let mut unknown = false;
        for part in parts {
            match part {
                Part::Piece(piece) => pieces.push(piece.clone()),
                Part::Variable { key, default } => match (facts.state(key), default) {
                    (KeyState::Present([value]), _) => pieces.push(Piece::Text(Cow::Borrowed(value))),
                    // A key with several values is no variable, so the default stands for it too.
                    (KeyState::Absent | KeyState::Present(_), Some(default)) => {
                        pieces.push(Piece::Text(Cow::Borrowed(default)));
                    }
                    (KeyState::Absent | KeyState::Present(_), _) => return Filled::NoValue,
                    (KeyState::Unknown, _) => unknown = true,
                },
            }
        }
        if unknown { Filled::Unknown } else { Filled::Pieces(Cow::Owned(pieces)) }
    }

    /// The variables whose values are not known.
    pub(crate) fn unknown_keys<'t>(&'t self, facts: &'t Facts<'_>) -> impl Iterator<Item = &'t ConditionKey> {
        let parts = match self {
            Self::Fixed(_) => &[],
            Self::Variable(Variable(parts)) => parts.as_slice(),
        };
        parts.iter().filter_map(|part| match part {
            Part::Variable { key, .. } if facts.state(key) == KeyState::Unknown => Some(key),
            _ => None,
        })
    }
}

fn parts(text: &str, variables: bool, wildcards: Wildcards) -> Vec<Part> {
    let mut builder = Builder { parts: Vec::new(), pieces: Vec::new(), text: String::new() };
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        let special = if variables && c == '$' { token(rest) } else { None };
        if let Some((token, tail)) = special {
            match token {
                Token::Character(literal) => builder.text.push(literal),
                Token::Variable { key, default } => builder.variable(key, default),
            }
            rest = tail;
            continue;
        }
        match (c, wildcards) {
            ('*' | '?', Wildcards::Match) => builder.wildcard(c),
            _ => builder.text.push(c),
        }
        rest = after;
    }
    builder.finish()
}

struct Builder {
    parts: Vec<Part>,
    pieces: Vec<Piece<'static>>,
    text: String,
}

impl Builder {
    fn flush_text(&mut self) {
        if !self.text.is_empty() {
            self.pieces.push(Piece::Text(Cow::Owned(std::mem::take(&mut self.text))));
        }
    }

    fn wildcard(&mut self, c: char) {
        self.flush_text();
        push_wildcard(&mut self.pieces, c);
    }

    fn variable(&mut self, key: ConditionKey, default: Option<String>) {
        self.flush_text();
        self.parts.extend(self.pieces.drain(..).map(Part::Piece));
        self.parts.push(Part::Variable { key, default });
    }

    fn finish(mut self) -> Vec<Part> {
        self.flush_text();
        self.parts.extend(self.pieces.drain(..).map(Part::Piece));
        self.parts
    }
}

enum Token {
    /// `${*}`, `${?}`, `${$}`.
    Character(char),
    /// `${key}` or `${key, 'default'}`.
    Variable { key: ConditionKey, default: Option<String> },
}

/// Reads the `${…}` at the start of `text`, and what follows it. Anything of another form is text.
fn token(text: &str) -> Option<(Token, &str)> {
    let body = text.strip_prefix("${")?;
    let key_end = body.find(['}', ','])?;
    let (key, tail) = body.split_at_checked(key_end)?;
    if let Some(tail) = tail.strip_prefix('}') {
        let token = match key {
            "*" => Token::Character('*'),
            "?" => Token::Character('?'),
            "$" => Token::Character('$'),
            "" => return None,
            _ => Token::Variable { key: ConditionKey::new(key.trim()), default: None },
        };
        return Some((token, tail));
    }
    let quoted = tail.strip_prefix(',')?.trim_start().strip_prefix('\'')?;
    let (default, after) = quoted.split_once('\'')?;
    let tail = after.trim_start().strip_prefix('}')?;
    Some((Token::Variable { key: ConditionKey::new(key.trim()), default: Some(default.into()) }, tail))
}
