//! A source file as a tree of values with places: what YAML and JSON have in common.
//!
//! Knows nothing about templates or policies. [`Node`] keeps where and how a value was written; [`Plain`] is only the
//! value, for comparing a document before and after an edit.

use iam_model::text::Span;

/// Where a value stands below the root: the index of a list item or of a mapping's entry, level by level.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Path(Vec<usize>);

impl Path {
    pub(crate) fn child(&self, index: usize) -> Self {
        let mut steps = self.0.clone();
        steps.push(index);
        Self(steps)
    }

    pub(crate) fn parent(&self) -> Option<Self> {
        let (_, above) = self.0.split_last()?;
        Some(Self(above.to_vec()))
    }

    pub(crate) fn steps(&self) -> &[usize] {
        &self.0
    }

    pub(crate) fn last(&self) -> Option<usize> {
        self.0.last().copied()
    }

    /// Whether `other` is this place or stands below it.
    pub(crate) fn holds(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quote {
    Plain,
    Single,
    Double,
    /// `|` or `>`.
    Block,
}

/// A value, where it stands and how it is written.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// From the tag, if there is one, to the last byte that belongs to the value.
    pub(crate) span: Span,
    /// The tag as written, such as `!Sub`.
    pub(crate) tag: Option<String>,
    /// Whether an anchor stands before the value: other places may share it.
    pub(crate) anchored: bool,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Null,
    Scalar {
        text: String,
        quote: Quote,
    },
    /// `dashes` holds the offset of each item's dash; empty in flow style.
    Seq {
        items: Vec<Node>,
        dashes: Vec<usize>,
        flow: bool,
    },
    Map {
        entries: Vec<Entry>,
        flow: bool,
    },
    Alias,
}

/// One entry of a mapping.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: Node,
    pub(crate) value: Node,
}

impl Entry {
    pub(crate) fn name(&self) -> &str {
        self.key.text().unwrap_or_default()
    }
}

impl Node {
    /// The text of a scalar that carries no tag.
    pub(crate) fn text(&self) -> Option<&str> {
        match (&self.kind, &self.tag) {
            (Kind::Scalar { text, .. }, None) => Some(text),
            _ => None,
        }
    }

    /// The text of a scalar, whatever its tag.
    pub(crate) fn raw_text(&self) -> Option<&str> {
        if let Kind::Scalar { text, .. } = &self.kind { Some(text) } else { None }
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        if let Kind::Map { entries, .. } = &self.kind { entries } else { &[] }
    }

    pub(crate) fn items(&self) -> &[Self] {
        if let Kind::Seq { items, .. } = &self.kind { items } else { &[] }
    }

    pub(crate) fn is_map(&self) -> bool {
        matches!(self.kind, Kind::Map { .. })
    }

    pub(crate) fn is_seq(&self) -> bool {
        matches!(self.kind, Kind::Seq { .. })
    }

    /// An entry's value and its index, by key.
    pub(crate) fn find(&self, key: &str) -> Option<(usize, &Self)> {
        self.entries().iter().enumerate().find(|(_, e)| e.name() == key).map(|(i, e)| (i, &e.value))
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.find(key).map(|(_, value)| value)
    }

    pub(crate) fn quote(&self) -> Option<Quote> {
        if let Kind::Scalar { quote, .. } = self.kind { Some(quote) } else { None }
    }

    /// The direct child at an index of a path.
    pub(crate) fn child(&self, index: usize) -> Option<&Self> {
        match &self.kind {
            Kind::Seq { items, .. } => items.get(index),
            Kind::Map { entries, .. } => entries.get(index).map(|e| &e.value),
            _ => None,
        }
    }

    /// The value at a path.
    pub(crate) fn at(&self, path: &Path) -> Option<&Self> {
        path.steps().iter().try_fold(self, |node, step| node.child(*step))
    }

    /// Every node on the way from the root to a path, root first.
    pub(crate) fn trail(&self, path: &Path) -> Vec<&Self> {
        let mut found = vec![self];
        let mut node = self;
        for step in path.steps() {
            let Some(next) = node.child(*step) else { break };
            found.push(next);
            node = next;
        }
        found
    }

    /// Calls `visit` for this node and everything below it, keys left out.
    pub(crate) fn walk<'n>(&'n self, visit: &mut impl FnMut(&'n Self)) {
        visit(self);
        match &self.kind {
            Kind::Seq { items, .. } => items.iter().for_each(|item| item.walk(visit)),
            Kind::Map { entries, .. } => entries.iter().for_each(|entry| entry.value.walk(visit)),
            _ => {}
        }
    }

    /// Whether the value alone is this one.
    pub(crate) fn says(&self, value: &Plain) -> bool {
        let value = match (&self.tag, value) {
            (None, Plain::Tagged(..)) => return false,
            (None, value) => value,
            (Some(tag), Plain::Tagged(other, value)) if tag == other => value,
            (Some(_), _) => return false,
        };
        match (&self.kind, value) {
            (Kind::Seq { items, .. }, Plain::Seq(values)) => {
                items.len() == values.len() && items.iter().zip(values).all(|(item, value)| item.says(value))
            }
            (Kind::Map { entries, .. }, Plain::Map(values)) => {
                let same =
                    |(entry, (key, value)): (&Entry, &(Plain, Plain))| entry.key.says(key) && entry.value.says(value);
                entries.len() == values.len() && entries.iter().zip(values).all(same)
            }
            (Kind::Scalar { text, quote }, value) => {
                let null = *quote == Quote::Plain && self.tag.is_none() && matches!(text.as_str(), "" | "~" | "null");
                match value {
                    Plain::Text(other) => !null && text == other,
                    Plain::Null => null,
                    _ => false,
                }
            }
            (Kind::Null, Plain::Null) | (Kind::Alias, Plain::Alias) => true,
            _ => false,
        }
    }

    /// The value alone.
    pub(crate) fn plain(&self) -> Plain {
        let value = match &self.kind {
            Kind::Null => Plain::Null,
            Kind::Scalar { text, quote } => Plain::scalar(text, *quote == Quote::Plain && self.tag.is_none()),
            Kind::Seq { items, .. } => Plain::Seq(items.iter().map(Self::plain).collect()),
            Kind::Map { entries, .. } => Plain::Map(entries.iter().map(|e| (e.key.plain(), e.value.plain())).collect()),
            Kind::Alias => Plain::Alias,
        };
        Plain::tagged(self.tag.as_deref(), value)
    }
}

/// A value without its place: what two parsers must agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Plain {
    Null,
    Text(String),
    Seq(Vec<Self>),
    Map(Vec<(Self, Self)>),
    Alias,
    Tagged(String, Box<Self>),
}

impl Plain {
    pub(crate) fn scalar(text: &str, plain: bool) -> Self {
        if plain && matches!(text, "" | "~" | "null") { Self::Null } else { Self::Text(text.into()) }
    }

    pub(crate) fn tagged(tag: Option<&str>, value: Self) -> Self {
        match tag {
            Some(tag) => Self::Tagged(tag.into(), Box::new(value)),
            None => value,
        }
    }
}
