//! JSON documents in heredocs: interpolations masked by words of the same length, the rest read as JSON in place.
//!
//! A heredoc that holds no JSON object stays a text.

use iam_model::json::{self, Arena, Limits, Member, NodeKind};
use iam_model::text::Span;

use super::lex::{self, Lexer, Piece, Stopped};
use super::parse::{self, HEREDOC, HEREDOC_TEXT, Part, RAW};
use crate::tree::{Entry, Kind, Node, Quote};

/// Reads a heredoc; `span` is all of it, `body` what stands between its words.
pub(super) fn read(text: &str, span: Span, body: Span) -> Result<Node, Stopped> {
    let pieces = Lexer::pieces(text, body, false)?;
    let masked = masked(text, &pieces);
    if masked.trim_start().starts_with('{') {
        let arena = Arena::for_text(masked.len());
        if let Ok(root) = json::parse(&arena, &masked, Limits { bytes: 1 << 20, depth: 40 }) {
            let node = Reader { text, offset: body.start, pieces: &pieces }.node(&root)?;
            return Ok(Node { tag: Some(HEREDOC.into()), ..node });
        }
    }
    let mut parts = Vec::new();
    for piece in &pieces {
        parts.push(match piece {
            Piece::Literal(literal) => Part::Literal(literal.slice(text).to_owned()),
            Piece::Hole { inside, whole } => parse::hole(text, *inside, *whole)?,
        });
    }
    Ok(text_node(parts, span))
}

/// A heredoc that is a text: blanks around its lines do not matter here.
fn text_node(parts: Vec<Part>, span: Span) -> Node {
    let mut out = String::new();
    for part in parts {
        match part {
            Part::Literal(text) | Part::Directive(text) => out.push_str(&text),
            Part::Hole(text) => out.push_str(&format!("${{{text}}}")),
        }
    }
    let text = out.lines().map(str::trim).collect::<Vec<_>>().join("\n").trim_end().to_owned();
    let kind = Kind::Scalar { text, quote: Quote::Block };
    Node { span, tag: Some(HEREDOC_TEXT.into()), anchored: false, kind }
}

/// The body with every interpolation replaced: by letters inside of strings, by digits outside.
fn masked(text: &str, pieces: &[Piece]) -> String {
    let mut out = String::new();
    let mut quoted = false;
    for piece in pieces {
        match piece {
            Piece::Literal(span) => {
                quoted = quoted_after(span.slice(text), quoted);
                out.push_str(span.slice(text));
            }
            Piece::Hole { whole, .. } => out.extend(std::iter::repeat_n(if quoted { 'x' } else { '1' }, whole.len())),
        }
    }
    out
}

/// Whether a JSON string is open after a piece of JSON.
fn quoted_after(text: &str, mut quoted: bool) -> bool {
    let mut escaped = false;
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            _ => {}
        }
    }
    quoted
}

struct Reader<'t> {
    text: &'t str,
    offset: usize,
    pieces: &'t [Piece],
}

impl Reader<'_> {
    fn node(&self, node: &json::Node<'_>) -> Result<Node, Stopped> {
        let span = Span::new(node.span.start + self.offset, node.span.end + self.offset);
        let scalar = |text: &str, tag: Option<&str>| Node {
            span,
            tag: tag.map(str::to_owned),
            anchored: false,
            kind: Kind::Scalar { text: text.to_owned(), quote: Quote::Plain },
        };
        let kind = match &node.kind {
            NodeKind::Null => Kind::Null,
            NodeKind::Bool(value) => return Ok(scalar(&value.to_string(), None)),
            NodeKind::Number(digits) => {
                let holds = |piece: &&Piece| matches!(piece, Piece::Hole { whole, .. } if whole.start < span.end && span.start < whole.end);
                return Ok(match self.pieces.iter().find(holds) {
                    Some(_) => scalar(&lex::normal_text(span.slice(self.text)), Some(RAW)),
                    None => scalar(digits, None),
                });
            }
            NodeKind::String(_) => return self.string(span),
            NodeKind::Array(items) => {
                let items = items.iter().map(|item| self.node(item)).collect::<Result<_, _>>()?;
                Kind::Seq { items, dashes: Vec::new(), flow: true }
            }
            NodeKind::Object(members) => {
                let entries = members.iter().map(|member| self.entry(member)).collect::<Result<_, _>>()?;
                Kind::Map { entries, flow: true }
            }
        };
        Ok(Node { span, tag: None, anchored: false, kind })
    }

    fn entry(&self, member: &Member<'_>) -> Result<Entry, Stopped> {
        let span = Span::new(member.key_span.start + self.offset, member.key_span.end + self.offset);
        Ok(Entry { key: self.string(span)?, value: self.node(&member.value)? })
    }

    fn string(&self, span: Span) -> Result<Node, Stopped> {
        let inside = Span::new(span.start + 1, span.end.saturating_sub(1));
        let mut parts = Vec::new();
        for piece in Lexer::pieces(self.text, inside, false)? {
            parts.push(match piece {
                Piece::Literal(literal) => Part::Literal(parse::unescape_holes(&unescaped(literal.slice(self.text)))),
                Piece::Hole { inside, whole } => parse::hole(self.text, inside, whole)?,
            });
        }
        Ok(parse::template(parts, Quote::Double, span))
    }
}

/// What a piece of a JSON string says.
fn unescaped(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let quoted = format!("\"{text}\"");
    let limits = Limits { bytes: 1 << 20, depth: 2 };
    let arena = Arena::for_text(quoted.len());
    json::parse(&arena, &quoted, limits).ok().and_then(|node| node.as_str().map(str::to_owned)).unwrap_or(quoted)
}

/// Marks of the second reading: an interpolation inside of a string, outside of one, and the end of its number.
const INSIDE: char = '\u{e000}';
const OUTSIDE: char = '\u{e001}';
const END: char = '\u{e002}';

/// The second reading: parts of a template, JSON read by another parser.
pub(super) fn second(parts: Vec<Part>) -> Option<Node> {
    let (mut text, mut quoted) = (String::new(), false);
    let mut holes: Vec<(bool, String)> = Vec::new();
    for part in &parts {
        match part {
            Part::Literal(literal) => {
                quoted = quoted_after(literal, quoted);
                text.push_str(literal);
            }
            Part::Hole(hole) | Part::Directive(hole) => {
                let mark = format!("{}{}{END}", if quoted { INSIDE } else { OUTSIDE }, holes.len());
                text.push_str(&if quoted { mark } else { format!("\"{mark}\"") });
                holes.push((matches!(part, Part::Hole(_)), hole.clone()));
            }
        }
    }
    let options = jsonc_parser::ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        ..Default::default()
    };
    if text.trim_start().starts_with('{')
        && let Ok(found) = jsonc_parser::parse_to_ast(&text, &jsonc_parser::CollectOptions::default(), &options)
        && let Some(value) = found.value
    {
        let node = json_node(&value, &holes)?;
        return Some(Node { tag: Some(HEREDOC.into()), ..node });
    }
    Some(text_node(parts, Span::default()))
}

fn json_node(value: &jsonc_parser::ast::Value<'_>, holes: &[(bool, String)]) -> Option<Node> {
    use jsonc_parser::ast::Value;
    let scalar = |text: &str| Kind::Scalar { text: text.to_owned(), quote: Quote::Plain };
    let kind = match value {
        Value::NullKeyword(_) => Kind::Null,
        Value::BooleanLit(lit) => scalar(&lit.value.to_string()),
        Value::NumberLit(lit) => scalar(lit.value),
        Value::StringLit(lit) => return string_node(&lit.value, holes),
        Value::Array(array) => {
            let items = array.elements.iter().map(|item| json_node(item, holes)).collect::<Option<_>>()?;
            Kind::Seq { items, dashes: Vec::new(), flow: true }
        }
        Value::Object(object) => {
            let entry = |property: &jsonc_parser::ast::ObjectProp<'_>| {
                Some(Entry {
                    key: string_node(property.name.as_str(), holes)?,
                    value: json_node(&property.value, holes)?,
                })
            };
            Kind::Map { entries: object.properties.iter().map(entry).collect::<Option<_>>()?, flow: true }
        }
    };
    Some(Node { span: Span::default(), tag: None, anchored: false, kind })
}

fn string_node(text: &str, holes: &[(bool, String)]) -> Option<Node> {
    if let Some(number) = text.strip_prefix(OUTSIDE) {
        let (_, hole) = holes.get(number.strip_suffix(END)?.parse::<usize>().ok()?)?;
        let kind = Kind::Scalar { text: lex::normal_text(&format!("${{{hole}}}")), quote: Quote::Plain };
        return Some(Node { span: Span::default(), tag: Some(RAW.into()), anchored: false, kind });
    }
    let mut parts = Vec::new();
    let mut pieces = text.split(INSIDE);
    let literal = |text: &str, parts: &mut Vec<Part>| {
        if !text.is_empty() {
            parts.push(Part::Literal(text.to_owned()));
        }
    };
    literal(pieces.next()?, &mut parts);
    for piece in pieces {
        let (number, rest) = piece.split_once(END)?;
        let (expression, hole) = holes.get(number.parse::<usize>().ok()?)?;
        parts.push(if *expression { Part::Hole(hole.clone()) } else { Part::Directive(hole.clone()) });
        literal(rest, &mut parts);
    }
    Some(parse::template(parts, Quote::Double, Span::default()))
}
