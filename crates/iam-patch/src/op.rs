//! Edits of a document as operations on values, and what the document must be afterwards.
//!
//! The same operations are lowered to text by `write` and applied to the plain value here; the guard compares the two.
//! Knows nothing about text.

use iam_model::text::Span;

use crate::tree::{Entry, Kind, Node, Path, Plain};

/// A replacement of one span of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Splice {
    pub(crate) span: Span,
    pub(crate) text: String,
}

/// A value to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum New {
    Text(String),
    /// A function in its short form: tag and argument.
    Tagged(String, String),
    Seq(Vec<Self>),
    Map(Vec<(String, Self)>),
}

impl New {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn plain(&self) -> Plain {
        match self {
            Self::Text(text) => Plain::Text(text.clone()),
            Self::Tagged(tag, text) => Plain::Tagged(tag.clone(), Box::new(Plain::Text(text.clone()))),
            Self::Seq(items) => Plain::Seq(items.iter().map(Self::plain).collect()),
            Self::Map(entries) => {
                Plain::Map(entries.iter().map(|(k, v)| (Plain::Text(k.clone()), v.plain())).collect())
            }
        }
    }

    pub(crate) const fn is_scalar(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Tagged(..))
    }
}

/// Splices in the order of the text; where two that only take away share bytes, such as the blank line between them, they
/// are one.
pub(crate) fn merged(splices: Vec<Splice>) -> Vec<Splice> {
    let mut out: Vec<Splice> = Vec::new();
    for splice in splices {
        match out.last_mut() {
            Some(last) if last.text.is_empty() && splice.text.is_empty() && splice.span.start < last.span.end => {
                last.span.end = last.span.end.max(splice.span.end);
            }
            _ => out.push(splice),
        }
    }
    out
}

/// One edit; paths speak of the document before any edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Op {
    /// Another value at a place. With `whole_line`, a comment on the value's last line goes with it.
    Replace { at: Path, with: New, whole_line: bool },
    /// Another text in a scalar, by splices of its text; a tag on it stays.
    Text { at: Path, text: String, edits: Vec<Splice> },
    /// No list item or mapping entry at a place any more.
    Remove { at: Path },
    /// A further list item after an existing one.
    InsertItem { after: Path, with: New },
    /// A further mapping entry after an existing one.
    InsertEntry { after: Path, key: String, with: New },
}

impl Op {
    /// The same at another place.
    pub(crate) fn moved(self, to: Path) -> Self {
        match self {
            Self::Replace { with, whole_line, .. } => Self::Replace { at: to, with, whole_line },
            Self::Text { text, edits, .. } => Self::Text { at: to, text, edits },
            Self::Remove { .. } => Self::Remove { at: to },
            Self::InsertItem { with, .. } => Self::InsertItem { after: to, with },
            Self::InsertEntry { key, with, .. } => Self::InsertEntry { after: to, key, with },
        }
    }

    pub(crate) const fn place(&self) -> &Path {
        match self {
            Self::Replace { at, .. } | Self::Text { at, .. } | Self::Remove { at } => at,
            Self::InsertItem { after, .. } | Self::InsertEntry { after, .. } => after,
        }
    }
}

/// The document with the operations done.
pub(crate) fn apply(document: &Node, ops: &[Op]) -> Plain {
    below(document, &Path::default(), ops)
}

fn below(node: &Node, here: &Path, ops: &[Op]) -> Plain {
    if !ops.iter().any(|op| here.holds(op.place())) {
        return node.plain();
    }
    let tagged = |value: Plain| Plain::tagged(node.tag.as_deref(), value);
    if let Some(with) = ops.iter().find_map(|op| match op {
        Op::Replace { at, with, .. } if at == here => Some(with.plain()),
        Op::Text { at, text, .. } if at == here => Some(tagged(Plain::Text(text.clone()))),
        _ => None,
    }) {
        return with;
    }
    match &node.kind {
        Kind::Seq { items, .. } => tagged(Plain::Seq(items_below(items, here, ops))),
        Kind::Map { entries, .. } => tagged(Plain::Map(entries_below(entries, here, ops))),
        _ => node.plain(),
    }
}

fn items_below(items: &[Node], here: &Path, ops: &[Op]) -> Vec<Plain> {
    let mut out = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let place = here.child(index);
        if !removed(&place, ops) {
            out.push(below(item, &place, ops));
        }
        out.extend(ops.iter().filter_map(|op| match op {
            Op::InsertItem { after, with } if *after == place => Some(with.plain()),
            _ => None,
        }));
    }
    out
}

fn entries_below(entries: &[Entry], here: &Path, ops: &[Op]) -> Vec<(Plain, Plain)> {
    let mut out = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        let place = here.child(index);
        if !removed(&place, ops) {
            out.push((entry.key.plain(), below(&entry.value, &place, ops)));
        }
        out.extend(ops.iter().filter_map(|op| match op {
            Op::InsertEntry { after, key, with } if *after == place => Some((Plain::Text(key.clone()), with.plain())),
            _ => None,
        }));
    }
    out
}

fn removed(place: &Path, ops: &[Op]) -> bool {
    ops.iter().any(|op| matches!(op, Op::Remove { at } if at == place))
}

/// Whether two operations want different things of one place.
pub(crate) fn clash(a: &Op, b: &Op) -> bool {
    let changes_value = |op: &Op| matches!(op, Op::Replace { .. } | Op::Text { .. } | Op::Remove { .. });
    let (at, bt) = (a.place(), b.place());
    (changes_value(a) && at.holds(bt)) || (changes_value(b) && bt.holds(at))
}
