//! JSON: the strict reader of `iam-model` for places, `jsonc-parser` as the second.

use iam_model::json::{self, Limits, NodeKind};
use iam_model::text::Span;

use super::ReadError;
use crate::tree::{Entry, Kind, Node, Plain, Quote};

const BYTE_ORDER_MARK: char = '\u{feff}';

/// Reads JSON; a byte order mark is stepped over and counted in the spans.
pub(crate) fn read(text: &str) -> Result<Node, ReadError> {
    let body = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let skipped = text.len() - body.len();
    let limits = Limits { bytes: 8 << 20, depth: 128 };
    match json::parse(&json::Arena::for_text(body.len()), body, limits) {
        Ok(node) => Ok(convert(&node, skipped)),
        Err(error) => Err(ReadError { message: error.kind.to_string(), offset: error.offset + skipped }),
    }
}

fn convert(node: &json::Node<'_>, skipped: usize) -> Node {
    let kind = match &node.kind {
        NodeKind::Null => Kind::Null,
        NodeKind::Bool(value) => Kind::Scalar { text: value.to_string(), quote: Quote::Plain },
        NodeKind::Number(digits) => Kind::Scalar { text: (*digits).to_owned(), quote: Quote::Plain },
        NodeKind::String(text) => Kind::Scalar { text: text.to_string(), quote: Quote::Double },
        NodeKind::Array(items) => Kind::Seq {
            items: items.iter().map(|item| convert(item, skipped)).collect(),
            dashes: Vec::new(),
            flow: true,
        },
        NodeKind::Object(members) => Kind::Map {
            entries: members
                .iter()
                .map(|member| Entry {
                    key: Node {
                        span: shift(member.key_span, skipped),
                        tag: None,
                        anchored: false,
                        kind: Kind::Scalar { text: member.key.to_string(), quote: Quote::Double },
                    },
                    value: convert(&member.value, skipped),
                })
                .collect(),
            flow: true,
        },
    };
    Node { span: shift(node.span, skipped), tag: None, anchored: false, kind }
}

const fn shift(span: Span, by: usize) -> Span {
    Span::new(span.start + by, span.end + by)
}

/// Reads JSON with `jsonc-parser`.
pub(crate) fn second(text: &str) -> Option<Plain> {
    let body = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let options = jsonc_parser::ParseOptions::default();
    let value = jsonc_parser::parse_to_ast(body, &jsonc_parser::CollectOptions::default(), &options).ok()?.value?;
    Some(plain(&value))
}

fn plain(value: &jsonc_parser::ast::Value<'_>) -> Plain {
    use jsonc_parser::ast::Value;
    match value {
        Value::NullKeyword(_) => Plain::Null,
        Value::BooleanLit(lit) => Plain::Text(lit.value.to_string()),
        Value::NumberLit(lit) => Plain::Text(lit.value.to_owned()),
        Value::StringLit(lit) => Plain::Text(lit.value.to_string()),
        Value::Array(array) => Plain::Seq(array.elements.iter().map(plain).collect()),
        Value::Object(object) => Plain::Map(
            object.properties.iter().map(|p| (Plain::Text(p.name.as_str().to_owned()), plain(&p.value))).collect(),
        ),
    }
}
