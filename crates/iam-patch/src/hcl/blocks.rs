//! Edits of `data "aws_iam_policy_document"`: statements, attributes, `principals` and `condition` as blocks.
//!
//! Knows the names of Terraform; what is edited is decided in `plan`.

use iam_model::text::Span;

use super::document::{self, terraform_name};
use super::style::{indentation, line_end, line_start};
use super::write::{Writer, layout};
use crate::op::Splice;
use crate::op::{New, Op};
use crate::refusal::Refusal;
use crate::tree::{Entry, Node, Path};

/// A value in the terms of blocks: lists everywhere, one entry per block.
pub(super) fn fitted(root: &Node, at: &Path, key: Option<&str>, with: &New) -> New {
    let statement = |value: &New| match value {
        New::Map(entries) => New::Map(entries.iter().map(|(key, value)| (key.clone(), element(key, value))).collect()),
        other => other.clone(),
    };
    if let Some(key) = key {
        return element(key, with);
    }
    match with {
        New::Seq(items) if items.iter().any(|item| matches!(item, New::Map(_))) => {
            New::Seq(items.iter().map(statement).collect())
        }
        New::Map(_) if name_of(root, at).is_none() => statement(with),
        other => match name_of(root, at) {
            Some(name) => element(&name, other),
            None => other.clone(),
        },
    }
}

/// The key of the entry at a place; nothing where it is an item of a list.
fn name_of(root: &Node, at: &Path) -> Option<String> {
    let parent = root.at(&at.parent()?)?;
    parent.entries().get(at.last()?).map(|entry| entry.name().to_owned())
}

fn element(key: &str, value: &New) -> New {
    match (key, value) {
        ("Principal" | "NotPrincipal", New::Map(kinds)) => {
            New::Map(kinds.iter().map(|(kind, value)| (kind.clone(), list(value))).collect())
        }
        ("Condition", New::Map(operators)) => {
            let mut out = Vec::new();
            for (operator, keys) in operators {
                let New::Map(keys) = keys else { continue };
                for (key, values) in keys {
                    out.push((operator.clone(), New::Map(vec![(key.clone(), list(values))])));
                }
            }
            New::Map(out)
        }
        ("Action" | "NotAction" | "Resource" | "NotResource", value) => list(value),
        _ => value.clone(),
    }
}

fn list(value: &New) -> New {
    if let New::Seq(_) = value { value.clone() } else { New::Seq(vec![value.clone()]) }
}

/// The splices of one operation on blocks.
pub(super) fn splices(writer: &Writer<'_>, op: &Op, parent: &Node, index: usize) -> Result<Vec<Splice>, Refusal> {
    let node = parent.child(index).ok_or_else(|| layout("the place is not in the file"))?;
    if !writer.document {
        return plain_attribute(writer, op, parent, index);
    }
    let name = parent.entries().get(index).map(Entry::name);
    let text = writer.text;
    match op {
        Op::Replace { at, with, .. } => {
            let indent = indentation(text, node.span.start);
            let render = Blocks { writer, place: at };
            if name == Some("Effect") && node.span.is_empty() {
                return Ok(vec![render.after(node.span.start, parent, "Effect", with)]);
            }
            let lines = node.is_seq().then(|| node.span.slice(text).contains('\n'));
            let with = match (name, with) {
                (Some("Statement"), New::Seq(items)) => render.statements(items, indent),
                (Some("Principal" | "NotPrincipal" | "Condition"), New::Map(_)) => {
                    if has_comment(text, node) {
                        return Err(layout("a comment stands between the blocks that change"));
                    }
                    render.element(name.unwrap_or_default(), with, indent, None)
                }
                (None, New::Map(_)) => render.statement(with, indent),
                _ => writer.render(at).value(with, indent, lines),
            };
            Ok(vec![Splice { span: node.span, text: with }])
        }
        Op::Remove { .. } => {
            if name.is_none() {
                return statements_removed(writer, parent, op.place(), index);
            }
            let whole = match parent.entries().get(index) {
                Some(entry) => Span::new(entry.key.span.start.min(node.span.start), node.span.end),
                None => node.span,
            };
            if name == Some("Condition") && has_comment(text, node) {
                return Err(layout("a comment stands between the blocks that go"));
            }
            let lines = writer.own_lines(whole).ok_or_else(|| layout("a block shares its lines"))?;
            Ok(vec![Splice { span: with_blank(text, lines), text: String::new() }])
        }
        Op::InsertItem { after, with } => {
            let indent = indentation(text, node.span.start);
            let blank = if parent.items().len() < 2 || blank_between(text, parent) {
                writer.render(after).style.eol
            } else {
                ""
            };
            let block = Blocks { writer, place: after }.statement(with, indent);
            let end = line_end(text, node.span.end);
            let eol = writer.render(after).style.eol;
            Ok(vec![Splice { span: Span::new(end, end), text: format!("{eol}{blank}{indent}{block}") }])
        }
        Op::InsertEntry { after, key, with } => {
            Ok(vec![Blocks { writer, place: after }.after(node.span.end, parent, key, with)])
        }
        Op::Text { .. } => Err(layout("a text inside of a text is not edited here")),
    }
}

/// Neighbouring statements that go are one removal, with the blank lines between them; the first does it for all.
fn statements_removed(writer: &Writer<'_>, parent: &Node, place: &Path, index: usize) -> Result<Vec<Splice>, Refusal> {
    let above = place.parent().unwrap_or_default();
    let goes = |at: usize| {
        let place = above.child(at);
        writer.ops.iter().any(|op| matches!(op, Op::Remove { at } if *at == place))
    };
    let span = |at: usize| parent.child(at).map_or(Span::default(), |node| node.span);
    // A comment between two of them stays, and parts them.
    let together = |at: usize| {
        let between = Span::new(span(at).end, span(at + 1).start).slice(writer.text);
        goes(at) && goes(at + 1) && between.trim().is_empty() && between.contains('\n')
    };
    if index.checked_sub(1).is_some_and(together) {
        return Ok(Vec::new());
    }
    let last = (index..parent.items().len()).find(|at| !together(*at)).unwrap_or(index);
    let first = writer.own_lines(span(index)).ok_or_else(|| layout("a block shares its lines"))?;
    let end = writer.own_lines(span(last)).ok_or_else(|| layout("a block shares its lines"))?;
    Ok(vec![Splice { span: with_blank(writer.text, Span::new(first.start, end.end)), text: String::new() }])
}

/// An attribute of a resource, such as `policy_arn`.
fn plain_attribute(writer: &Writer<'_>, op: &Op, parent: &Node, index: usize) -> Result<Vec<Splice>, Refusal> {
    let node = parent.child(index).ok_or_else(|| layout("the place is not in the file"))?;
    let text = writer.text;
    match op {
        Op::Replace { at, with, .. } => {
            let indent = indentation(text, node.span.start);
            let lines = node.is_seq().then(|| node.span.slice(text).contains('\n'));
            Ok(vec![Splice { span: node.span, text: writer.render(at).value(with, indent, lines) }])
        }
        Op::Remove { .. } => {
            let key = parent.entries().get(index).map_or(node.span.start, |entry| entry.key.span.start);
            let lines =
                writer.own_lines(Span::new(key, node.span.end)).ok_or_else(|| layout("a block shares its lines"))?;
            Ok(vec![Splice { span: with_blank(text, lines), text: String::new() }])
        }
        Op::InsertEntry { after, key, with } => {
            let Some(entry) = parent.entries().get(index) else { return Err(layout("the place is not in the file")) };
            let render = writer.render(after);
            let indent = indentation(text, entry.key.span.start);
            let between = Span::new(entry.key.span.end, node.span.start).slice(text);
            let column = between.find('=').map(|at| entry.key.span.len() + at);
            let line = render.entry(key, with, indent, column);
            let end = line_end(text, node.span.end);
            // A longer name would move every `=` beside it: a blank line parts it from them.
            let blank = if column.is_some_and(|column| key.len() >= column) { render.style.eol } else { "" };
            Ok(vec![Splice { span: Span::new(end, end), text: format!("{blank}{}{indent}{line}", render.style.eol) }])
        }
        Op::InsertItem { .. } | Op::Text { .. } => Err(layout("this place takes no further entry")),
    }
}

/// Whether a comment stands inside of a group of blocks, outside of its values.
fn has_comment(text: &str, node: &Node) -> bool {
    node.span.slice(text).lines().any(|line| {
        let line = line.trim();
        line.starts_with('#') || line.starts_with("//") || line.contains("/*") || line.contains(" #")
    })
}

fn blank_between(text: &str, list: &Node) -> bool {
    list.items().windows(2).any(|pair| match pair {
        [a, b] => Span::new(a.span.end, b.span.start).slice(text).matches('\n').count() > 1,
        _ => false,
    })
}

/// The lines of a block and one blank line beside them, so that no two blank lines meet.
pub(super) fn with_blank(text: &str, lines: Span) -> Span {
    let next_end = text.get(lines.end..).and_then(|rest| rest.find('\n')).map(|at| lines.end + at + 1);
    let blank = |span: Span| span.slice(text).trim().is_empty();
    let above = lines.start.checked_sub(1).map(|at| Span::new(line_start(text, at), at));
    let commented = above.is_some_and(|line| !blank(line) && !line.slice(text).trim_end().ends_with('{'));
    // A comment above keeps its distance from what follows.
    if let Some(end) = next_end.filter(|end| !commented && blank(Span::new(lines.end, *end))) {
        return Span::new(lines.start, end);
    }
    let before = lines.start.checked_sub(1).map(|at| line_start(text, at));
    let closes = text.get(lines.end..).is_some_and(|rest| rest.trim_start().starts_with('}'));
    match before.filter(|start| closes && blank(Span::new(*start, lines.start))) {
        Some(start) => Span::new(start, lines.end),
        None => lines,
    }
}

/// Writes blocks.
struct Blocks<'w> {
    writer: &'w Writer<'w>,
    place: &'w Path,
}

impl Blocks<'_> {
    /// A further element after the line of an offset, in the statement `parent`.
    fn after(&self, offset: usize, parent: &Node, key: &str, with: &New) -> Splice {
        let render = self.writer.render(self.place);
        let (text, eol) = (self.writer.text, render.style.eol);
        let end = line_end(text, offset);
        let indent = format!("{}{}", indentation(text, parent.span.start), render.style.step);
        let written = |e: &&Entry| !document::is_implied(e) && terraform_name(e.name()).is_some();
        let near = parent.entries().iter().find(|e| written(e) && e.value.span.end == offset);
        let anchor = near.or_else(|| parent.entries().iter().find(written));
        let column = anchor.and_then(|e| {
            let between = Span::new(e.key.span.end, e.value.span.start).slice(text);
            between.find('=').map(|at| e.key.span.len() + at)
        });
        let blank = if matches!(key, "Condition" | "Principal" | "NotPrincipal") { eol } else { "" };
        let element = self.element(key, with, &indent, column);
        Splice { span: Span::new(end, end), text: format!("{eol}{blank}{indent}{element}") }
    }

    fn statements(&self, items: &[New], indent: &str) -> String {
        let eol = self.writer.render(self.place).style.eol;
        let items: Vec<String> = items.iter().map(|item| self.statement(item, indent)).collect();
        items.join(&format!("{eol}{eol}{indent}"))
    }

    fn statement(&self, value: &New, indent: &str) -> String {
        let render = self.writer.render(self.place);
        let (eol, inner) = (render.style.eol, format!("{indent}{}", render.style.step));
        let New::Map(entries) = value else { return String::new() };
        let lists = |key: &str| matches!(key, "Action" | "NotAction" | "Resource" | "NotResource");
        let width = |want: bool| {
            let keys = entries.iter().filter(|(key, _)| lists(key) == want).filter_map(|(key, _)| terraform_name(key));
            keys.map(|name| name.len() + 1).max()
        };
        let mut out = String::new();
        for (key, value) in entries {
            let block = terraform_name(key).is_none();
            let one_line = !block && !self.element(key, value, &inner, None).contains('\n');
            let column = width(lists(key)).filter(|_| one_line);
            if block && !out.is_empty() {
                out.push_str(eol);
            }
            out.push_str(&format!("{inner}{}{eol}", self.element(key, value, &inner, column)));
            if matches!(key.as_str(), "Principal" | "NotPrincipal") {
                out.push_str(eol);
            }
        }
        format!("statement {{{eol}{out}{indent}}}")
    }

    /// An attribute or blocks for one element of a statement.
    fn element(&self, key: &str, value: &New, indent: &str, column: Option<usize>) -> String {
        let render = self.writer.render(self.place);
        let (eol, inner) = (render.style.eol, format!("{indent}{}", render.style.step));
        let attribute = |name: &str, value: &New, column: usize| render.entry(name, value, &inner, Some(column));
        let block = |head: &str, lines: Vec<String>| {
            let lines: String = lines.iter().map(|line| format!("{inner}{line}{eol}")).collect();
            format!("{head} {{{eol}{lines}{indent}}}")
        };
        let New::Map(entries) = value else {
            return render.entry(terraform_name(key).unwrap_or(key), value, indent, column);
        };
        let one = |(name, value): &(String, New)| match (key, value) {
            ("Condition", New::Map(keys)) => {
                let (variable, values) = keys.first().cloned().unwrap_or_else(|| (String::new(), New::Seq(Vec::new())));
                block(
                    "condition",
                    vec![
                        attribute("test", &New::text(name.clone()), 9),
                        attribute("variable", &New::Text(variable), 9),
                        attribute("values", &values, 9),
                    ],
                )
            }
            _ => {
                let head = if key == "Principal" { "principals" } else { "not_principals" };
                block(head, vec![attribute("type", &New::text(name.clone()), 12), attribute("identifiers", value, 12)])
            }
        };
        entries.iter().map(one).collect::<Vec<_>>().join(&format!("{eol}{eol}{indent}"))
    }
}
