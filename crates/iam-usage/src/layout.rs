//! A text taken apart into what another text has to repeat to be like it, and holes for what may differ.
//!
//! Most records of a log differ from one before in a few places: a time, some ids, a key. Comparing what lies between takes
//! a few instructions for hundreds of bytes, where reading it takes thousands. What a hole stands for is for others.

use std::ops::Range;

use crate::hash::{Table, hash};
use crate::json::{plain_string, skip_value};

/// Holes a layout may have.
pub(crate) const MOST_HOLES: usize = 24;

/// What may stand in a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hole {
    /// What is between the quotes of a string without escapes.
    Text,
    /// A whole value of JSON.
    Value,
}

/// The parts of many layouts, each kept once: most are shared, and stay in a core's own cache.
#[derive(Debug, Default)]
pub(crate) struct Parts(Table<()>);

/// What must be repeated, and what stands between.
#[derive(Debug)]
pub(crate) struct Layout {
    before: Box<[(Part, Hole)]>,
    last: Part,
}

/// Where among the [`Parts`] a part is.
#[derive(Debug, Clone, Copy)]
struct Part {
    start: u32,
    end: u32,
}

impl Parts {
    /// Bytes they take.
    pub(crate) const fn size(&self) -> usize {
        self.0.key_bytes()
    }

    pub(crate) fn clear(&mut self) {
        self.0.drain().for_each(drop);
    }

    fn keep(&mut self, part: &[u8]) -> Option<Part> {
        let hash = hash(0, part);
        let number = self.0.find(hash, part).unwrap_or_else(|| self.0.insert(hash, part, ()));
        let Range { start, end } = self.0.range(number)?;
        Some(Part { start: u32::try_from(start).ok()?, end: u32::try_from(end).ok()? })
    }

    #[inline(always)]
    fn get(&self, part: Part) -> Option<&[u8]> {
        self.0.bytes().get(part.start as usize..part.end as usize)
    }
}

/// A place in any text of a layout: so many bytes behind the hole before it, or behind the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    holes: usize,
    offset: usize,
}

/// Where the holes of a text are.
#[derive(Debug, Default)]
pub(crate) struct Filled {
    start: usize,
    holes: [(usize, usize); MOST_HOLES],
}

impl Layout {
    /// Takes apart the text behind `start`; the holes are in order and do not touch. Nothing where there are too many.
    pub(crate) fn new(bytes: &[u8], start: usize, holes: &[(Range<usize>, Hole)], parts: &mut Parts) -> Option<Self> {
        if holes.len() > MOST_HOLES {
            return None;
        }
        let mut before = Vec::with_capacity(holes.len());
        let mut from = start;
        for (range, hole) in holes {
            before.push((parts.keep(bytes.get(from..range.start)?)?, *hole));
            from = range.end;
        }
        Some(Self { before: before.into(), last: parts.keep(bytes.get(from..)?)? })
    }

    /// Whether the bytes from `start` on are of this layout; the offset behind them.
    #[inline]
    pub(crate) fn fit(&self, parts: &Parts, bytes: &[u8], start: usize, filled: &mut Filled) -> Option<usize> {
        filled.start = start;
        let mut at = start;
        for ((part, hole), span) in self.before.iter().zip(&mut filled.holes) {
            let part = parts.get(*part)?;
            if !bytes.get(at..)?.starts_with(part) {
                return None;
            }
            let begin = at + part.len();
            at = match hole {
                Hole::Text => plain_string(bytes, begin)?,
                Hole::Value => skip_value(bytes, begin).ok()?,
            };
            *span = (begin, at);
        }
        let last = parts.get(self.last)?;
        bytes.get(at..)?.starts_with(last).then_some(at + last.len())
    }
}

impl Mark {
    /// The mark of a place in the text that a layout was made of; it must not lie within a hole.
    pub(crate) fn of(place: usize, start: usize, holes: &[(Range<usize>, Hole)]) -> Self {
        let before = holes.iter().take_while(|(range, _)| range.end <= place);
        let last = before.clone().last().map_or(start, |(range, _)| range.end);
        Self { holes: before.count(), offset: place.saturating_sub(last) }
    }
}

impl Filled {
    /// Where a hole is.
    #[inline]
    pub(crate) fn hole(&self, number: usize) -> Range<usize> {
        let (start, end) = self.holes.get(number).copied().unwrap_or_default();
        start..end
    }

    /// Where a place is.
    #[inline]
    pub(crate) fn place(&self, mark: Mark) -> usize {
        let before = mark.holes.checked_sub(1).and_then(|last| self.holes.get(last));
        before.map_or(self.start, |(_, end)| *end) + mark.offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = br#"x {"id":"a","n":{"m":[1]},"key":"k","last":7} and enough behind it for a block of text"#;

    fn layout(parts: &mut Parts) -> (Layout, Vec<(Range<usize>, Hole)>) {
        let holes = vec![(9..10, Hole::Text), (16..25, Hole::Value), (43..44, Hole::Value)];
        (Layout::new(&TEXT[..45], 2, &holes, parts).unwrap(), holes)
    }

    fn check(text: &str, expected: Option<&[&str]>) {
        let bytes = [text.as_bytes(), &TEXT[45..]].concat();
        let mut parts = Parts::default();
        let (layout, holes) = layout(&mut parts);
        let mut filled = Filled::default();
        let found = layout.fit(&parts, &bytes, 0, &mut filled).map(|end| {
            assert_eq!(end, text.len());
            let key = filled.place(Mark::of(31, 2, &holes));
            assert_eq!(&bytes[key..key + 5], b":\"k\",", "{text}");
            (0..3).map(|hole| std::str::from_utf8(&bytes[filled.hole(hole)]).unwrap()).collect::<Vec<_>>()
        });
        assert_eq!(found.as_deref(), expected, "{text}");
    }

    #[test]
    fn only_holes_may_differ() {
        check(r#"{"id":"a","n":{"m":[1]},"key":"k","last":7}"#, Some(&["a", r#"{"m":[1]}"#, "7"]));
        check(r#"{"id":"","n":"}","key":"k","last":[]}"#, Some(&["", r#""}""#, "[]"]));
        check(r#"{"id":"a\"","n":1,"key":"k","last":7}"#, None);
        check(r#"{"id":"a","n":1,"key":"l","last":7}"#, None);
        check(r#"{"id":"a","n":1,"key":"k","last":7,"more":1}"#, None);
        check(r#"{"id":"a","n":1,"more":2,"key":"k","last":7}"#, None);
        check(r#"{"id":"a","n":,"key":"k","last":7}"#, None);
    }

    #[test]
    fn too_many_holes_make_no_layout() {
        let holes: Vec<_> = (0..=MOST_HOLES).map(|at| (at * 2..at * 2 + 1, Hole::Text)).collect();
        assert!(Layout::new(&[b' '; 64], 0, &holes, &mut Parts::default()).is_none());
        assert!(Layout::new(&[b' '; 64], 0, &holes[1..], &mut Parts::default()).is_some());
    }
}
