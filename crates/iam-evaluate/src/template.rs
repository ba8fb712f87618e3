//! Texts with policy variables: parsed once, filled in per request.
//!
//! Follows the IAM User Guide topic "IAM policy elements: Variables and tags". Variables exist in policies of version
//! 2012-10-17 only; in others `${…}` is text. A value that is filled in never acts as a wildcard.

#[cfg(test)]
mod tests;

use iam_model::condition::ConditionKey;
use iam_model::policy::PolicyVersion;

use crate::context::{Facts, KeyState};
use crate::truth::Truth;
use crate::wildcard::{Case, Piece, has_wildcard, matches, pieces, push_wildcard};

/// Whether `*` and `?` are wildcards in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wildcards {
    Match,
    Literal,
}

/// A text, perhaps with variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Template {
    /// Only this text.
    Text(Box<str>),
    /// Wildcards, and nothing to fill in.
    Pattern(Box<str>),
    /// Variables, or characters that are told not to be wildcards.
    Parts(Vec<Part>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Text(Box<str>),
    Wildcard(Piece<'static>),
    Variable { key: ConditionKey, default: Option<Box<str>> },
}

/// What filling in the variables gave.
pub(crate) enum Filled<'t> {
    Pieces(Vec<Piece<'t>>),
    /// A variable has no value and no default: the text matches nothing.
    NoValue,
    /// A variable's value is not known.
    Unknown,
}

impl Filled<'_> {
    fn then(self, holds: impl FnOnce(&[Piece<'_>]) -> bool) -> Truth {
        match self {
            Self::Pieces(pieces) => holds(&pieces).into(),
            Self::NoValue => Truth::No,
            Self::Unknown => Truth::Maybe,
        }
    }
}

impl Template {
    pub(crate) fn new(text: &str, version: PolicyVersion, wildcards: Wildcards) -> Self {
        if may_hold_variables(text, version) {
            return Self::Parts(parts(text, wildcards));
        }
        if wildcards == Wildcards::Match && has_wildcard(text) {
            Self::Pattern(text.into())
        } else {
            Self::Text(text.into())
        }
    }

    /// Whether a text of the request matches; letter case counts.
    pub(crate) fn matches(&self, text: &str, facts: &Facts<'_>) -> Truth {
        match self {
            Self::Text(expected) => (**expected == *text).into(),
            Self::Pattern(pattern) => matches(pieces(pattern), text, Case::Counts).into(),
            Self::Parts(_) => self.fill(facts).then(|pieces| matches(pieces.iter().copied(), text, Case::Counts)),
        }
    }

    /// Whether a text of the request is the same, whatever the letters' case; there are no wildcards.
    pub(crate) fn equals_ignoring_case(&self, text: &str, facts: &Facts<'_>) -> Truth {
        self.fill(facts).then(|pieces| {
            if let ([Piece::Text(listed)], true) = (pieces, text.is_ascii()) {
                return listed.eq_ignore_ascii_case(text);
            }
            let texts = pieces.iter().map(|piece| if let Piece::Text(text) = piece { text } else { "" });
            texts.flat_map(str::chars).flat_map(char::to_lowercase).eq(text.chars().flat_map(char::to_lowercase))
        })
    }

    /// The pieces, with every variable's value as text.
    pub(crate) fn fill<'t>(&'t self, facts: &Facts<'t>) -> Filled<'t> {
        let parts = match self {
            Self::Text(text) => return Filled::Pieces(vec![Piece::Text(text)]),
            Self::Pattern(pattern) => return Filled::Pieces(pieces(pattern).collect()),
            Self::Parts(parts) => parts,
        };
        let mut filled = Vec::with_capacity(parts.len());
        let mut unknown = false;
        for part in parts {
            match part {
                Part::Text(text) => filled.push(Piece::Text(text)),
                Part::Wildcard(piece) => push_wildcard(&mut filled, *piece),
                Part::Variable { key, default } => match (facts.state(key), default) {
                    (KeyState::Present([value]), _) => filled.push(Piece::Text(value)),
                    // A key with several values is no variable, so the default stands for it too.
                    (KeyState::Absent | KeyState::Present(_), Some(default)) => filled.push(Piece::Text(default)),
                    (KeyState::Absent | KeyState::Present(_), _) => return Filled::NoValue,
                    (KeyState::Unknown, _) => unknown = true,
                },
            }
        }
        if unknown { Filled::Unknown } else { Filled::Pieces(filled) }
    }

    /// The variables whose values are not known.
    pub(crate) fn unknown_keys<'t>(&'t self, facts: &'t Facts<'_>) -> impl Iterator<Item = &'t ConditionKey> {
        let parts = if let Self::Parts(parts) = self { parts.as_slice() } else { &[] };
        parts.iter().filter_map(|part| match part {
            Part::Variable { key, .. } if facts.state(key) == KeyState::Unknown => Some(key),
            _ => None,
        })
    }
}

/// Whether a text may hold variables: most do not, which this tells quickly.
pub(crate) fn may_hold_variables(text: &str, version: PolicyVersion) -> bool {
    version == PolicyVersion::V2012 && text.as_bytes().windows(2).any(|pair| pair == b"${")
}

fn parts(text: &str, wildcards: Wildcards) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let flush = |plain: &mut String, parts: &mut Vec<Part>| {
        if !plain.is_empty() {
            parts.push(Part::Text(std::mem::take(plain).into()));
        }
    };
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        let special = if c == '$' { token(rest) } else { None };
        rest = special.as_ref().map_or(after, |(_, tail)| tail);
        let part = match (special, c, wildcards) {
            (Some((Token::Character(literal), _)), ..) => {
                plain.push(literal);
                continue;
            }
            (Some((Token::Variable { key, default }, _)), ..) => Part::Variable { key, default },
            (None, '*', Wildcards::Match) => Part::Wildcard(Piece::Any),
            (None, '?', Wildcards::Match) => Part::Wildcard(Piece::One),
            (None, ..) => {
                plain.push(c);
                continue;
            }
        };
        flush(&mut plain, &mut parts);
        parts.push(part);
    }
    flush(&mut plain, &mut parts);
    parts
}

enum Token {
    /// `${*}`, `${?}`, `${$}`.
    Character(char),
    /// `${key}` or `${key, 'default'}`.
    Variable { key: ConditionKey, default: Option<Box<str>> },
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
