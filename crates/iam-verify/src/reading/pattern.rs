//! Patterns as token strings: `*`, `?`, policy variables, and letters with or without case.
//!
//! Compares nothing but one step with another.

use iam_model::variable::segments;

/// One step of a pattern; a `bounded` step stands in the first five segments of an ARN and holds no colon.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Token {
    Char(char),
    Fold(char),
    One { bounded: bool },
    Many { bounded: bool },
    Variable { name: Box<str>, bounded: bool },
}

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(pub(crate) Vec<Token>);

/// How a text is read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reading {
    pub(crate) fold: bool,
    pub(crate) wild: bool,
    pub(crate) segments: bool,
    pub(crate) variables: bool,
}

impl Pattern {
    pub(crate) fn read(text: &str, reading: Reading) -> Self {
        if !reading.segments {
            return Self(tokens(text, reading, false));
        }
        let colons =
            if reading.variables { segments(text).count() - 1 } else { text.bytes().filter(|b| *b == b':').count() };
        match text.strip_suffix('*') {
            // Of a short text the last star stands for the segments that follow.
            Some(start) if colons < 5 => {
                let last = Token::Many { bounded: false };
                Self(tokens(start, reading, true).into_iter().chain([last]).collect())
            }
            _ => Self(tokens(text, reading, colons >= 5)),
        }
    }

    pub(crate) fn has_variable(&self) -> bool {
        self.0.iter().any(|t| matches!(t, Token::Variable { .. }))
    }

    pub(crate) fn widened(&self) -> Self {
        let widen = |t: &Token| match t {
            Token::Variable { bounded, .. } => Token::Many { bounded: *bounded },
            other => other.clone(),
        };
        Self(self.0.iter().map(widen).collect())
    }
}

/// The tokens of a text; `bounded` where it is an ARN of six segments.
fn tokens(text: &str, reading: Reading, bounded: bool) -> Vec<Token> {
    let letter = |c: char| {
        if reading.fold && c.is_ascii_alphabetic() { Token::Fold(c.to_ascii_lowercase()) } else { Token::Char(c) }
    };
    let (mut tokens, mut colons, mut rest) = (Vec::with_capacity(text.len()), 0, text);
    while let Some(c) = rest.chars().next() {
        let bounded = bounded && colons < 5;
        let opens = |_: &&str| reading.variables && c == '$';
        let body = Some(rest).filter(opens).and_then(|rest| rest.strip_prefix("${")?.split_once('}'));
        rest = body.map_or_else(|| rest.get(c.len_utf8()..).unwrap_or_default(), |(_, after)| after);
        match body {
            Some((escape @ ("*" | "?" | "$"), _)) => tokens.extend(escape.chars().map(letter)),
            Some((body, _)) => {
                let (key, default) = body.split_once(',').unwrap_or((body, ""));
                let name = format!("{},{}", key.trim().to_ascii_lowercase(), default.trim()).into();
                tokens.push(Token::Variable { name, bounded });
            }
            None => {
                colons += usize::from(c == ':');
                tokens.push(match c {
                    '*' if reading.wild => Token::Many { bounded },
                    '?' if reading.wild => Token::One { bounded },
                    _ => letter(c),
                });
            }
        }
    }
    tokens
}

impl Token {
    pub(crate) const fn is_many(&self) -> bool {
        matches!(self, Self::Many { .. })
    }

    pub(crate) fn letter(&self) -> Option<char> {
        match self {
            Self::Char(c) | Self::Fold(c) => Some(c.to_ascii_lowercase()),
            _ => None,
        }
    }

    /// Whether this step can take all that the other one stands for.
    pub(crate) fn takes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Char(own), Self::Char(c)) => own == c,
            (Self::Fold(own), Self::Char(c) | Self::Fold(c)) => *own == c.to_ascii_lowercase(),
            (Self::One { bounded } | Self::Many { bounded }, Self::Char(c)) => !bounded || *c != ':',
            (Self::One { .. } | Self::Many { .. }, Self::Fold(_)) => true,
            (Self::One { bounded: mine } | Self::Many { bounded: mine }, Self::One { bounded })
            | (Self::Many { bounded: mine }, Self::Many { bounded } | Self::Variable { bounded, .. }) => {
                !mine || *bounded
            }
            (Self::Variable { name: a, bounded: mine }, Self::Variable { name: b, bounded }) => {
                a == b && (!mine || *bounded)
            }
            _ => false,
        }
    }
}
