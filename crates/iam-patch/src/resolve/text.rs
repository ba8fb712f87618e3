//! A text of which parts are not known, and what it may be.

use std::collections::BTreeSet;

/// A text with holes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Text(pub(super) Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Literal(String),
    Hole,
    /// One of these.
    OneOf(Vec<String>),
}

impl Text {
    pub(crate) fn literal(text: impl Into<String>) -> Self {
        Self(vec![Part::Literal(text.into())])
    }

    pub(crate) fn hole() -> Self {
        Self(vec![Part::Hole])
    }

    /// One of a closed set of texts.
    pub(crate) fn one_of(mut texts: Vec<String>) -> Self {
        texts.sort_unstable();
        texts.dedup();
        match texts.as_slice() {
            [only] => Self::literal(only.clone()),
            _ => Self(vec![Part::OneOf(texts)]),
        }
    }

    pub(crate) fn push(&mut self, other: Self) {
        for part in other.0 {
            match (self.0.last_mut(), part) {
                (Some(Part::Literal(last)), Part::Literal(text)) => last.push_str(&text),
                (Some(Part::Hole), Part::Hole) => {}
                (_, part) => self.0.push(part),
            }
        }
    }

    /// How many bytes of it are known.
    pub(crate) fn len(&self) -> usize {
        let length = |part: &Part| if let Part::Literal(text) = part { text.len() } else { 0 };
        self.0.iter().map(length).sum()
    }

    /// The text with another before it.
    pub(crate) fn after(self, prefix: &str) -> Self {
        let mut out = Self::literal(prefix);
        out.push(self);
        out
    }

    /// The text with its known pieces changed.
    pub(crate) fn map(&self, change: &dyn Fn(&str) -> String) -> Self {
        let part = |part: &Part| match part {
            Part::Literal(text) => Part::Literal(change(text)),
            Part::Hole => Part::Hole,
            Part::OneOf(texts) => Part::OneOf(texts.iter().map(|text| change(text)).collect()),
        };
        Self(self.0.iter().map(part).collect())
    }

    /// The text with a word in each hole.
    pub(crate) fn filled(&self, with: &str) -> String {
        let part = |part: &Part| if let Part::Literal(text) = part { text.clone() } else { with.to_owned() };
        self.0.iter().map(part).collect()
    }

    /// The text, where nothing in it is unknown.
    pub(crate) fn known(&self) -> Option<String> {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Hole | Part::OneOf(_) => return None,
            }
        }
        Some(out)
    }

    /// Whether the text is this one, word for word.
    pub(crate) fn is_known_as(&self, text: &str) -> bool {
        match self.0.as_slice() {
            [] => text.is_empty(),
            [Part::Literal(only)] => only == text,
            _ => self.known().is_some_and(|known| known == text),
        }
    }

    /// Whether `concrete` can be this text.
    pub(crate) fn explains(&self, concrete: &str) -> bool {
        if self.0.iter().any(|part| matches!(part, Part::OneOf(_))) {
            return self.explains_choices(concrete);
        }
        let mut parts = self.0.as_slice();
        let mut rest = concrete;
        if let [Part::Literal(first), tail @ ..] = parts {
            let Some(after) = rest.strip_prefix(first.as_str()) else { return false };
            (rest, parts) = (after, tail);
            if parts.is_empty() {
                return rest.is_empty();
            }
        }
        if let [head @ .., Part::Literal(last)] = parts {
            let Some(before) = rest.strip_suffix(last.as_str()) else { return false };
            (rest, parts) = (before, head);
        }
        for part in parts {
            if let Part::Literal(text) = part {
                let Some((_, after)) = rest.split_once(text.as_str()) else { return false };
                rest = after;
            }
        }
        !parts.is_empty() || rest.is_empty()
    }

    /// The same, where some parts are one of several: every place a part can end at is followed.
    fn explains_choices(&self, concrete: &str) -> bool {
        let mut ends = BTreeSet::from([0]);
        for part in &self.0 {
            let after = |end: usize, text: &str| {
                let fits = concrete.get(end..).is_some_and(|rest| rest.starts_with(text));
                fits.then_some(end + text.len())
            };
            ends = match part {
                Part::Literal(text) => ends.iter().filter_map(|end| after(*end, text)).collect(),
                Part::OneOf(texts) => {
                    ends.iter().flat_map(|end| texts.iter().filter_map(|text| after(*end, text))).collect()
                }
                Part::Hole => match ends.first() {
                    Some(first) => (*first..=concrete.len()).filter(|end| concrete.is_char_boundary(*end)).collect(),
                    None => return false,
                },
            };
        }
        ends.contains(&concrete.len())
    }
}
