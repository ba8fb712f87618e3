//! The two tables everything in a catalogue points into: distinct strings, and distinct lists of numbers.
//!
//! Knows nothing about what the strings say or the numbers mean.

/// A string of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StringId(pub(super) u32);

/// A list of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ListId(pub(super) u32);

/// Distinct strings, back to back.
#[derive(Debug, Clone)]
pub(super) struct Strings {
    text: Box<str>,
    /// Where each string starts, and where the last one ends.
    starts: Vec<u32>,
}

impl Strings {
    /// A table over `text`; `starts` must lie on character boundaries, which [`Strings::get`] checks.
    pub(super) const fn new(text: Box<str>, starts: Vec<u32>) -> Self {
        Self { text, starts }
    }

    /// The string; empty for an id out of range.
    pub(super) fn get(&self, id: StringId) -> &str {
        self.find(id).unwrap_or_default()
    }

    fn find(&self, id: StringId) -> Option<&str> {
        let index = id.0 as usize;
        let start = *self.starts.get(index)? as usize;
        let end = *self.starts.get(index + 1)? as usize;
        self.text.get(start..end)
    }

    pub(super) const fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }
}

/// Distinct lists of numbers, back to back.
#[derive(Debug, Clone)]
pub(super) struct Lists {
    items: Vec<u32>,
    starts: Vec<u32>,
}

impl Lists {
    /// A table over `items`.
    pub(super) const fn new(items: Vec<u32>, starts: Vec<u32>) -> Self {
        Self { items, starts }
    }

    /// The list; empty for an id out of range.
    pub(super) fn get(&self, id: ListId) -> &[u32] {
        let index = id.0 as usize;
        match (self.starts.get(index), self.starts.get(index + 1)) {
            (Some(&start), Some(&end)) => self.items.get(start as usize..end as usize).unwrap_or_default(),
            _ => &[],
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }
}
