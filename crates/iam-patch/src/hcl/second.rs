//! The second reading of HCL, by `hcl-edit`: what the guard compares with the first.
//!
//! Shares with the first only how an expression's text is brought into its normal form. Gives no places.

use hcl_edit::expr::{Expression, ObjectKey};
use hcl_edit::structure::{Body, Structure};
use hcl_edit::template::{Element, Template};
use iam_model::text::Span;

use super::heredoc;
use super::lex;
use super::parse::{self, EXPRESSION, JSONENCODE, Part};
use crate::intrinsic::CONCAT;
use crate::tree::{Entry, Kind, Node, Quote};

/// Reads the text of one top-level block; its body.
pub(super) fn block(text: &str) -> Option<Node> {
    let text = text.trim_start_matches('\u{feff}');
    let body: Body = hcl_edit::parser::parse_body(text).ok()?;
    let mut structures = body.iter();
    let node = match structures.next()? {
        Structure::Block(block) => map(entries(&block.body)?, false),
        Structure::Attribute(attribute) => expression(&attribute.value)?,
    };
    structures.next().is_none().then_some(node)
}

const fn node(kind: Kind) -> Node {
    Node { span: Span::new(0, 0), tag: None, anchored: false, kind }
}

fn scalar(text: impl Into<String>, tag: Option<&str>, quote: Quote) -> Node {
    Node { tag: tag.map(str::to_owned), ..node(Kind::Scalar { text: text.into(), quote }) }
}

const fn map(entries: Vec<Entry>, flow: bool) -> Node {
    node(Kind::Map { entries, flow })
}

fn entries(body: &Body) -> Option<Vec<Entry>> {
    let entry = |structure: &Structure| {
        Some(match structure {
            Structure::Attribute(attribute) => {
                Entry { key: scalar(attribute.key.as_str(), None, Quote::Plain), value: expression(&attribute.value)? }
            }
            Structure::Block(block) => {
                let labels = block.labels.iter().map(hcl_edit::structure::BlockLabel::as_str);
                let head: Vec<&str> = std::iter::once(block.ident.as_str()).chain(labels).collect();
                Entry { key: scalar(head.join(" "), None, Quote::Plain), value: map(entries(&block.body)?, false) }
            }
        })
    };
    body.iter().map(entry).collect()
}

fn written(expression: &Expression) -> String {
    lex::normal_text(&expression.to_string())
}

fn expression(value: &Expression) -> Option<Node> {
    Some(match value {
        Expression::Null(_) => node(Kind::Null),
        Expression::Bool(value) => scalar(value.to_string(), None, Quote::Plain),
        Expression::Number(_) => scalar(written(value).replace(' ', ""), None, Quote::Plain),
        Expression::String(text) => {
            parse::template(vec![Part::Literal(text.to_string())], Quote::Double, Span::default())
        }
        Expression::StringTemplate(template) => parse::template(parts(template.iter()), Quote::Double, Span::default()),
        Expression::HeredocTemplate(heredoc) => heredoc::second(heredoc_parts(&heredoc.template))?,
        Expression::Array(items) => {
            let items = items.iter().map(expression).collect::<Option<_>>()?;
            node(Kind::Seq { items, dashes: Vec::new(), flow: true })
        }
        Expression::Object(object) => {
            let entry = |(key, value): (&ObjectKey, &hcl_edit::expr::ObjectValue)| {
                let key = match key {
                    ObjectKey::Ident(ident) => scalar(ident.as_str(), None, Quote::Plain),
                    ObjectKey::Expression(key) => expression(key)?,
                };
                Some(Entry { key, value: expression(value.expr())? })
            };
            map(object.iter().map(entry).collect::<Option<_>>()?, true)
        }
        Expression::FuncCall(call) if call.name.name.as_str() == "jsonencode" && call.args.len() == 1 => {
            let argument = expression(call.args.iter().next()?)?;
            if argument.tag.is_none() && (argument.is_map() || argument.is_seq()) {
                Node { tag: Some(JSONENCODE.into()), ..argument }
            } else {
                scalar(written(value), Some(EXPRESSION), Quote::Plain)
            }
        }
        Expression::FuncCall(call)
            if call.name.namespace.is_empty() && call.name.name.as_str() == "concat" && !call.args.expand_final() =>
        {
            let items = call.args.iter().map(expression).collect::<Option<_>>()?;
            Node { tag: Some(CONCAT.into()), ..node(Kind::Seq { items, dashes: Vec::new(), flow: true }) }
        }
        _ => scalar(written(value), Some(EXPRESSION), Quote::Plain),
    })
}

pub(super) fn parts<'e>(elements: impl Iterator<Item = &'e Element>) -> Vec<Part> {
    let part = |element: &Element| match element {
        Element::Literal(text) => Part::Literal(text.to_string()),
        Element::Interpolation(hole) => Part::Hole(written(&hole.expr)),
        Element::Directive(_) => Part::Directive(Template::from(vec![element.clone()]).to_string()),
    };
    elements.map(part).collect()
}

fn heredoc_parts(template: &Template) -> Vec<Part> {
    parts(template.iter())
}
