//! `data "aws_iam_policy_document"` as the policy document it stands for.
//!
//! The names of Terraform become those of IAM (`actions` is `Action`), `statement` blocks become a list, `principals`
//! and `condition` blocks become mappings. Both readings of a file pass through here, so the guard compares what the
//! document says. Resolves nothing.

use iam_model::text::Span;

use super::parse::{EXPRESSION, TEMPLATE};
use crate::tree::{Entry, Kind, Node, Quote};

/// The type of the data source.
pub(super) const TYPE: &str = "aws_iam_policy_document";

const NAMES: &[(&str, &str)] = &[
    ("sid", "Sid"),
    ("effect", "Effect"),
    ("actions", "Action"),
    ("not_actions", "NotAction"),
    ("resources", "Resource"),
    ("not_resources", "NotResource"),
];

/// Terraform's name of an element of a statement.
pub(super) fn terraform_name(element: &str) -> Option<&'static str> {
    NAMES.iter().find(|(_, iam)| *iam == element).map(|(terraform, _)| *terraform)
}

/// The body of the data source as a policy document.
pub(super) fn canonical(body: Node) -> Node {
    let Kind::Map { entries, flow } = body.kind else { return body };
    let (mut kept, mut statements, mut at) = (Vec::new(), Vec::new(), None);
    for entry in entries {
        if entry.name() == "statement" && is_block(&entry.value) {
            at.get_or_insert(kept.len());
            let span = Span::new(entry.key.span.start, entry.value.span.end);
            statements.push(statement(entry.value, span));
        } else {
            kept.push(entry);
        }
    }
    if let Some(at) = at {
        let kind = Kind::Seq { items: statements, dashes: Vec::new(), flow: false };
        kept.insert(at, grouped("Statement", kind));
    }
    Node { kind: Kind::Map { entries: kept, flow }, ..body }
}

fn is_block(node: &Node) -> bool {
    matches!(node.kind, Kind::Map { flow: false, .. })
}

/// An entry made of blocks: its span is from the first to the last of them.
fn grouped(name: &str, kind: Kind) -> Entry {
    let spans: Vec<Span> = match &kind {
        Kind::Seq { items, .. } => items.iter().map(|item| item.span).collect(),
        Kind::Map { entries, .. } => entries.iter().map(|e| Span::new(e.key.span.start, e.value.span.end)).collect(),
        _ => Vec::new(),
    };
    let span = Span::new(spans.first().map_or(0, |s| s.start), spans.last().map_or(0, |s| s.end));
    Entry { key: word(name, span.start), value: Node { span, tag: None, anchored: false, kind } }
}

pub(super) fn word(text: &str, at: usize) -> Node {
    let kind = Kind::Scalar { text: text.to_owned(), quote: Quote::Plain };
    Node { span: Span::new(at, at), tag: None, anchored: false, kind }
}

/// A statement; its span is the whole block, from its type on.
fn statement(body: Node, span: Span) -> Node {
    let inside = body.span.start + 1;
    let Kind::Map { entries, flow } = body.kind else { return body };
    let mut kept: Vec<Entry> = Vec::new();
    let mut groups: [(&str, Option<usize>, Vec<Entry>); 3] =
        [("Principal", None, Vec::new()), ("NotPrincipal", None, Vec::new()), ("Condition", None, Vec::new())];
    let mut effect = false;
    for entry in entries {
        let block = is_block(&entry.value);
        let group = match entry.name() {
            "principals" if block => Some(0),
            "not_principals" if block => Some(1),
            "condition" if block => Some(2),
            _ => None,
        };
        if let Some((_, at, found)) = group.and_then(|index| groups.get_mut(index)) {
            at.get_or_insert(kept.len());
            found.push(if group == Some(2) { condition(entry) } else { principal(entry) });
            continue;
        }
        let name = NAMES.iter().find(|(terraform, _)| *terraform == entry.name() && !block);
        let Some((_, iam)) = name else {
            kept.push(entry);
            continue;
        };
        effect |= *iam == "Effect";
        let key = Node { kind: Kind::Scalar { text: (*iam).to_owned(), quote: Quote::Plain }, ..entry.key };
        kept.push(Entry { key, value: variables(entry.value) });
    }
    let mut order: Vec<(usize, Entry)> = Vec::new();
    for (name, at, found) in groups {
        if let Some(at) = at {
            order.push((at, grouped(name, Kind::Map { entries: found, flow: false })));
        }
    }
    order.sort_by_key(|(at, _)| *at);
    for (moved, (at, entry)) in order.into_iter().enumerate() {
        kept.insert(at + moved, entry);
    }
    if !effect {
        kept.insert(0, Entry { key: word("Effect", inside), value: word("Allow", inside) });
    }
    Node { span, tag: None, anchored: false, kind: Kind::Map { entries: kept, flow } }
}

/// Whether an entry is the `Effect` that nobody wrote.
pub(super) fn is_implied(entry: &Entry) -> bool {
    entry.name() == "Effect" && entry.value.span.is_empty()
}

/// `principals { type = …, identifiers = … }` as one entry.
fn principal(entry: Entry) -> Entry {
    pair(entry, "type", "identifiers", |_, key, value| (key, value))
}

/// `condition { test = …, variable = …, values = … }` as one entry.
fn condition(entry: Entry) -> Entry {
    pair(entry, "test", "values", |body, key, value| {
        let variable = body.get("variable").cloned().unwrap_or_else(|| word("", 0));
        let span = value.span;
        let inner = Entry { key: as_key(variable), value };
        (key, Node { span, tag: None, anchored: false, kind: Kind::Map { entries: vec![inner], flow: false } })
    })
}

fn pair(entry: Entry, key: &str, value: &str, join: impl Fn(&Node, Node, Node) -> (Node, Node)) -> Entry {
    let span = Span::new(entry.key.span.start, entry.value.span.end);
    let body = entry.value;
    let known = |name: &str| matches!(name, "type" | "identifiers" | "test" | "variable" | "values");
    let (Some(first), Some(second)) = (body.get(key), body.get(value)) else {
        return Entry { key: entry.key, value: body };
    };
    if !body.entries().iter().all(|e| known(e.name())) {
        return Entry { key: entry.key, value: body };
    }
    let (key, value) = join(&body, as_key(first.clone()), variables(second.clone()));
    Entry {
        key: Node { span: Span::new(span.start, span.start), ..key },
        value: Node { span: Span::new(span.start, span.end), ..value },
    }
}

fn as_key(node: Node) -> Node {
    match node.kind {
        Kind::Scalar { text, .. } if node.tag.is_none() => {
            Node { kind: Kind::Scalar { text, quote: Quote::Plain }, ..node }
        }
        _ => node,
    }
}

/// `&{…}` stands for `${…}` in this data source.
pub(super) fn variables(node: Node) -> Node {
    let kind = match node.kind {
        Kind::Scalar { text, quote } => {
            let text = match node.tag.as_deref() {
                None => text.replace("&{", "${"),
                Some(TEMPLATE) => text.replace("&{", "$${"),
                Some(EXPRESSION) | Some(_) => text,
            };
            Kind::Scalar { text, quote }
        }
        Kind::Seq { items, dashes, flow } => {
            Kind::Seq { items: items.into_iter().map(variables).collect(), dashes, flow }
        }
        other => other,
    };
    Node { kind, ..node }
}
