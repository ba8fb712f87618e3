//! Patterns over ARNs, compared segment by segment: a wildcard does not cross the first five colons.
//!
//! Follows the IAM User Guide topics "IAM JSON policy elements: Resource" and "Amazon Resource Name (ARN) condition
//! operators". Colons inside `${…}` separate nothing.

use iam_model::condition::ConditionKey;
use iam_model::policy::PolicyVersion;
use iam_model::variable;

use crate::context::Facts;
use crate::request::segments;
use crate::template::{Filled, Template, Wildcards, may_hold_variables};
use crate::truth::Truth;
use crate::wildcard::{Case, Piece, matches, pieces};

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
    /// Six segments in which nothing is filled in.
    Plain(Plain),
    /// Six segments of which some have variables.
    Segments(Box<[Template; 6]>),
    /// Fewer than six segments as written; variables may bring more.
    Short(Template),
}

/// A text, the places of the five colons that part its segments, and which segments have wildcards.
#[derive(Debug, Clone)]
pub(crate) struct Plain {
    text: Box<str>,
    colons: [usize; 5],
    wild: [bool; 6],
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
        if may_hold_variables(text, version) {
            let Some([a, b, c, d, e, resource]) = split(text) else {
                return Self::Short(Template::new(text, early, Wildcards::Match));
            };
            let [a, b, c, d, e] = [a, b, c, d, e].map(|part| Template::new(part, early, Wildcards::Match));
            return Self::Segments(Box::new([a, b, c, d, e, Template::new(resource, version, Wildcards::Match)]));
        }
        let plain = Plain::new(text).or_else(|| Plain::new(&widened(text)?));
        plain.map_or_else(|| Self::Short(Template::new(text, early, Wildcards::Match)), Self::Plain)
    }

    /// Whether the ARN matches; `None` stands for no resource, which only `*` covers.
    pub(crate) fn matches(&self, arn: Option<&[&str; 6]>, facts: &Facts<'_>) -> Truth {
        match (self, arn) {
            (Self::Everything, _) => Truth::Yes,
            (_, None) => Truth::No,
            (Self::Plain(plain), Some(arn)) => plain.matches(arn).into(),
            (Self::Segments(segments), Some(arn)) => {
                Truth::all(segments.iter().zip(arn).map(|(segment, text)| segment.matches(text, facts)))
            }
            (Self::Short(template), Some(arn)) => match template.fill(facts) {
                Filled::NoValue => Truth::No,
                Filled::Unknown => Truth::Maybe,
                Filled::Pieces(pieces) => split_pieces(&pieces)
                    .is_some_and(|patterns| {
                        let fits = |(pattern, text): (&Vec<Piece<'_>>, &&str)| {
                            matches(pattern.iter().copied(), text, Case::Counts)
                        };
                        patterns.iter().zip(arn).all(fits)
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
            Self::Everything | Self::Plain(_) => Vec::new(),
            Self::Short(template) => template.unknown_keys(facts).collect(),
            Self::Segments(segments) => segments.iter().flat_map(|template| template.unknown_keys(facts)).collect(),
        }
    }
}

impl Plain {
    /// A text of six segments in which `${` means nothing.
    fn new(text: &str) -> Option<Self> {
        let (mut colons, mut wild) = ([0; 5], [false; 6]);
        let mut segment = 0;
        for (at, byte) in text.bytes().enumerate() {
            match (byte, colons.get_mut(segment)) {
                (b':', Some(colon)) => {
                    *colon = at;
                    segment += 1;
                }
                (b'*' | b'?', _) => wild.get_mut(segment).into_iter().for_each(|wild| *wild = true),
                _ => {}
            }
        }
        (segment == colons.len()).then(|| Self { text: text.into(), colons, wild })
    }

    fn matches(&self, arn: &[&str; 6]) -> bool {
        let [a, b, c, d, e] = self.colons;
        let bounds = [(0, a), (a + 1, b), (b + 1, c), (c + 1, d), (d + 1, e), (e + 1, self.text.len())];
        // The resource tells most patterns apart, so it is compared first.
        bounds.into_iter().zip(arn).zip(self.wild).rev().all(|(((start, end), text), wild)| {
            match self.text.get(start..end) {
                Some("*") => true,
                Some(pattern) if wild => matches(pieces(pattern), text, Case::Counts),
                Some(pattern) => pattern == *text,
                None => false,
            }
        })
    }
}

/// A shorter text that ends in `*`, with the segments that follow: the star also stands for them.
fn widened(text: &str) -> Option<String> {
    let colons = text.bytes().filter(|byte| *byte == b':').count();
    text.ends_with('*').then(|| [text, &":*".repeat(5_usize.saturating_sub(colons))].concat())
}

/// Splits at the first five colons that do not stand inside `${…}`.
fn split(text: &str) -> Option<[&str; 6]> {
    let mut found: [&str; 6] = [""; 6];
    let (last, first) = found.split_last_mut()?;
    let mut segments = variable::segments(text);
    let mut start = 0;
    for part in first {
        *part = segments.next()?;
        start += part.len() + 1;
    }
    *last = text.get(start..)?;
    Some(found)
}

/// Splits filled-in pieces at the first five colons of their text.
fn split_pieces<'p>(pieces: &'p [Piece<'p>]) -> Option<[Vec<Piece<'p>>; 6]> {
    let mut found: [Vec<Piece<'p>>; 6] = Default::default();
    let mut at = 0;
    for piece in pieces {
        let Piece::Text(text) = piece else {
            found.get_mut(at)?.push(*piece);
            continue;
        };
        for (index, part) in text.splitn(6 - at, ':').enumerate() {
            at += usize::from(index > 0);
            if !part.is_empty() {
                found.get_mut(at)?.push(Piece::Text(part));
            }
        }
    }
    (at == 5).then_some(found)
}
