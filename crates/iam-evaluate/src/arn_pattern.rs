//! Patterns over ARNs, compared segment by segment: a wildcard does not cross the first five colons.
//!
//! Follows the IAM User Guide topics "IAM JSON policy elements: Resource" and "Amazon Resource Name (ARN) condition
//! operators". Colons inside `${…}` separate nothing.

use std::borrow::Cow;

use iam_model::condition::ConditionKey;
use iam_model::policy::PolicyVersion;

use crate::context::Facts;
use crate::request::segments;
use crate::template::{Filled, Template, Wildcards};
use crate::truth::Truth;
use crate::wildcard::{Case, Piece, matches};

/// Where a pattern stands, which decides where variables are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    /// `Resource`, `NotResource`: variables only after the fifth colon.
    Resource,
    /// A value of an ARN condition: variables anywhere.
    ConditionValue,
}

/// A pattern over ARNs.
#[derive(Debug, Clone)]
pub(crate) enum ArnPattern {
    /// The bare `*`.
    Everything,
    Segments(Box<[Segment; 6]>),
    /// Fewer than six segments as written; variables may bring more.
    Short(Template),
}

#[derive(Debug, Clone)]
pub(crate) enum Segment {
    Any,
    Text(Box<str>),
    Template(Template),
}

impl ArnPattern {
    pub(crate) fn new(text: &str, version: PolicyVersion, position: Position) -> Self {
        if !text.is_empty() && text.bytes().all(|byte| byte == b'*') {
            return Self::Everything;
        }
        let early = match position {
            Position::Resource => PolicyVersion::V2008,
            Position::ConditionValue => version,
        };
        let Some(parts) = split(text).or_else(|| widened(text)) else {
            return Self::Short(Template::new(text, early, Wildcards::Match));
        };
        let [a, b, c, d, e, resource] = parts;
        let [a, b, c, d, e] = [a, b, c, d, e].map(|part| Segment::new(part, early));
        Self::Segments(Box::new([a, b, c, d, e, Segment::new(resource, version)]))
    }

    /// Whether the ARN matches; `None` stands for no resource, which only `*` covers.
    pub(crate) fn matches(&self, arn: Option<&[&str; 6]>, facts: &Facts<'_>) -> Truth {
        match (self, arn) {
            (Self::Everything, _) => Truth::Yes,
            (_, None) => Truth::No,
            (Self::Segments(segments), Some(arn)) => {
                Truth::all(segments.iter().zip(arn).map(|(segment, text)| segment.matches(text, facts)))
            }
            (Self::Short(template), Some(arn)) => match template.fill(facts) {
                Filled::NoValue => Truth::No,
                Filled::Unknown => Truth::Maybe,
                Filled::Pieces(pieces) => split_pieces(&pieces)
                    .is_some_and(|patterns| {
                        patterns.iter().zip(arn).all(|(pattern, text)| matches(pattern, text, Case::Counts))
                    })
                    .into(),
            },
        }
    }

    /// [`matches`](Self::matches) for a text that may be no ARN.
    pub(crate) fn matches_text(&self, text: &str, facts: &Facts<'_>) -> Truth {
        match segments(text) {
            Some(arn) => self.matches(Some(&arn), facts),
            None => self.matches(None, facts),
        }
    }

    pub(crate) const fn is_short(&self) -> bool {
        matches!(self, Self::Short(_))
    }

    pub(crate) fn unknown_keys<'t>(&'t self, facts: &'t Facts<'_>) -> Vec<&'t ConditionKey> {
        match self {
            Self::Everything => Vec::new(),
            Self::Short(template) => template.unknown_keys(facts).collect(),
            Self::Segments(segments) => segments
                .iter()
                .filter_map(|segment| if let Segment::Template(template) = segment { Some(template) } else { None })
                .flat_map(|template| template.unknown_keys(facts))
                .collect(),
        }
    }
}

impl Segment {
    fn new(text: &str, version: PolicyVersion) -> Self {
        if text == "*" {
            Self::Any
        } else if !text.contains(['*', '?', '$']) {
            Self::Text(text.into())
        } else {
            Self::Template(Template::new(text, version, Wildcards::Match))
        }
    }

    fn matches(&self, text: &str, facts: &Facts<'_>) -> Truth {
        match self {
            Self::Any => Truth::Yes,
            Self::Text(expected) => (**expected == *text).into(),
            Self::Template(template) => match template.fill(facts) {
                Filled::Pieces(pieces) => matches(&pieces, text, Case::Counts).into(),
                Filled::NoValue => Truth::No,
                Filled::Unknown => Truth::Maybe,
            },
        }
    }
}

/// Six segments of a shorter text that ends in `*`: there the star also stands for the segments that follow.
fn widened(text: &str) -> Option<[&str; 6]> {
    if !text.ends_with('*') || text.contains("${") {
        return None;
    }
    let mut found = ["*"; 6];
    for (slot, part) in found.iter_mut().zip(text.split(':')) {
        *slot = part;
    }
    Some(found)
}

/// Splits at the first five colons that do not stand inside `${…}`.
fn split(text: &str) -> Option<[&str; 6]> {
    let mut found: [&str; 6] = [""; 6];
    let mut rest = text;
    let (last, first) = found.split_last_mut()?;
    for part in first {
        let colon = first_colon(rest)?;
        let (head, tail) = rest.split_at_checked(colon)?;
        *part = head;
        rest = tail.strip_prefix(':')?;
    }
    *last = rest;
    Some(found)
}

fn first_colon(text: &str) -> Option<usize> {
    let mut inside = false;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '{' if before == '$' => inside = true,
            '}' => inside = false,
            ':' if !inside => return Some(at),
            _ => {}
        }
        before = c;
    }
    // A `${` that never closes is no variable.
    if inside { text.find(':') } else { None }
}

/// Splits filled-in pieces at the first five colons of their text.
fn split_pieces<'p>(pieces: &'p [Piece<'p>]) -> Option<[Vec<Piece<'p>>; 6]> {
    let mut found: [Vec<Piece<'p>>; 6] = Default::default();
    let mut at = 0;
    for piece in pieces {
        let Piece::Text(text) = piece else {
            found.get_mut(at)?.push(piece.clone());
            continue;
        };
        for (index, part) in text.splitn(6 - at, ':').enumerate() {
            at += usize::from(index > 0);
            if !part.is_empty() {
                found.get_mut(at)?.push(Piece::Text(Cow::Borrowed(part)));
            }
        }
    }
    (at == 5).then_some(found)
}
