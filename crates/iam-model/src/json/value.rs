//! JSON values, with spans ([`Node`]) and without ([`Value`]).

use crate::text::Span;

/// The memory that the values of one or more texts stand in; gone with them in one step.
#[derive(Debug, Default)]
pub struct Arena(pub(super) bumpalo::Bump);

impl Arena {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets what stands in it and keeps the memory.
    pub fn clear(&mut self) {
        self.0.reset();
    }

    /// One with room for the values of a text of so many bytes, as far as can be guessed.
    #[must_use]
    pub fn for_text(bytes: usize) -> Self {
        Self(bumpalo::Bump::with_capacity(bytes.saturating_mul(4).min(1 << 20)))
    }
}

/// A value and where it stands: a view into the text and the arena it was read with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Node<'a> {
    /// From the first to the last byte of the value.
    pub span: Span,
    /// The value.
    pub kind: NodeKind<'a>,
}

/// The six kinds of JSON values.
#[derive(Debug, Clone, Copy, PartialEq)]
// A tag of eight bytes: with a smaller one, copies go through its padding in pieces, a tenth of the time of reading.
#[repr(u64)]
pub enum NodeKind<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, in the digits it was written with.
    Number(&'a str),
    /// A string, unescaped.
    String(&'a str),
    /// An array.
    Array(&'a [Node<'a>]),
    /// An object, in the order written; keys are distinct.
    Object(&'a [Member<'a>]),
}

/// One member of an object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Member<'a> {
    /// The key, unescaped.
    pub key: &'a str,
    /// Where the key stands, quotes included.
    pub key_span: Span,
    /// The value.
    pub value: Node<'a>,
}

impl<'a> Node<'a> {
    /// The member of an object by key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a Self> {
        self.members().iter().find(|m| m.key == key).map(|m| &m.value)
    }

    /// The members of an object; empty for anything else.
    #[must_use]
    pub const fn members(&self) -> &'a [Member<'a>] {
        if let NodeKind::Object(members) = self.kind { members } else { &[] }
    }

    /// The items of an array; empty for anything else.
    #[must_use]
    pub const fn items(&self) -> &'a [Self] {
        if let NodeKind::Array(items) = self.kind { items } else { &[] }
    }

    /// The items of an array, or the value alone: many places of a policy take one or a list.
    #[must_use]
    pub const fn one_or_many(&self) -> &[Self] {
        if let NodeKind::Array(items) = self.kind { items } else { std::slice::from_ref(self) }
    }

    /// The text of a string.
    #[must_use]
    pub const fn as_str(&self) -> Option<&'a str> {
        if let NodeKind::String(text) = self.kind { Some(text) } else { None }
    }

    /// The value of a number that is a natural number.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        if let NodeKind::Number(digits) = &self.kind { digits.parse().ok() } else { None }
    }

    /// The value of a boolean.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        if let NodeKind::Bool(value) = self.kind { Some(value) } else { None }
    }

    /// The kind in words, for messages.
    #[must_use]
    pub const fn describe(&self) -> &'static str {
        match self.kind {
            NodeKind::Null => "null",
            NodeKind::Bool(_) => "a boolean",
            NodeKind::Number(_) => "a number",
            NodeKind::String(_) => "a string",
            NodeKind::Array(_) => "a list",
            NodeKind::Object(_) => "an object",
        }
    }

    /// The value without its places, owned.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match &self.kind {
            NodeKind::Null => Value::Null,
            NodeKind::Bool(value) => Value::Bool(*value),
            NodeKind::Number(digits) => Value::Number((*digits).into()),
            NodeKind::String(text) => Value::String((*text).to_owned()),
            NodeKind::Array(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            NodeKind::Object(members) => {
                Value::Object(members.iter().map(|m| (m.key.to_owned(), m.value.to_value())).collect())
            }
        }
    }
}

/// An owned value that keeps the order of its keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Value {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, in the digits it was written with.
    Number(String),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Self>),
    /// An object, in order.
    Object(Vec<(String, Self)>),
}

impl Value {
    /// A string value.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }

    /// A number value.
    #[must_use]
    pub fn number(number: u64) -> Self {
        Self::Number(number.to_string())
    }

    /// The member of an object by key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The items of an array; empty for anything else.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        if let Self::Array(items) = self { items } else { &[] }
    }

    /// Prints without white space.
    #[must_use]
    pub fn to_compact(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, None, 0);
        out
    }

    /// Prints with two spaces a level and a last newline.
    #[must_use]
    pub fn to_pretty(&self) -> String {
        self.to_pretty_at(0) + "\n"
    }

    /// Prints as [`Value::to_pretty`] does `depth` levels down, without a last newline: a part of a text too large to be
    /// one value.
    #[must_use]
    pub fn to_pretty_at(&self, depth: usize) -> String {
        let mut out = String::new();
        self.write(&mut out, Some(2), depth);
        out
    }

    fn write(&self, out: &mut String, indent: Option<usize>, depth: usize) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(digits) => out.push_str(digits),
            Self::String(text) => write_string(out, text),
            Self::Array(items) => write_list(out, indent, depth, ['[', ']'], items, |out, item| {
                item.write(out, indent, depth + 1);
            }),
            Self::Object(members) => write_list(out, indent, depth, ['{', '}'], members, |out, (key, value)| {
                write_string(out, key);
                out.push_str(if indent.is_some() { ": " } else { ":" });
                value.write(out, indent, depth + 1);
            }),
        }
    }
}

fn write_list<T>(
    out: &mut String,
    indent: Option<usize>,
    depth: usize,
    [open, close]: [char; 2],
    items: &[T],
    mut write: impl FnMut(&mut String, &T),
) {
    let newline = |out: &mut String, depth: usize| {
        if let Some(width) = indent {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', width * depth));
        }
    };
    out.push(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        newline(out, depth + 1);
        write(out, item);
    }
    if !items.is_empty() {
        newline(out, depth);
    }
    out.push(close);
}

/// Appends `text` as a JSON string, escaping what RFC 8259 requires and nothing more.
pub fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}
