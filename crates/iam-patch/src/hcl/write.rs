//! Operations lowered to the smallest replacements of text, in the block's own style.
//!
//! Objects and lists are written here, blocks of a policy document in `blocks`; JSON in a heredoc goes to the writer
//! of JSON. Nothing here parses; the guard reads the result.

use iam_model::text::{SourceName, Span};

use super::blocks;
use super::parse::{EXPRESSION, HEREDOC, JSON, TEMPLATE, escape_holes};
use super::render::Render;
use super::style::{Style, comma_after, indentation, line_end, line_start, starts_line};
use crate::op::{self, New, Op, Splice};
use crate::read::Syntax;
use crate::refusal::{Refusal, RefusalCode};
use crate::template::Template;
use crate::tree::{Kind, Node, Path};
use crate::write;

/// A block whose policies are edited.
pub(super) struct Writer<'w> {
    pub(super) text: &'w str,
    pub(super) root: &'w Node,
    /// Whether the block is a policy document of its own.
    pub(super) document: bool,
    pub(super) ops: &'w [Op],
}

/// What an operation says in the terms of a policy document in blocks: lists everywhere.
pub(super) fn fitted(root: &Node, op: &Op) -> Op {
    match op {
        Op::Replace { at, with, whole_line } => {
            Op::Replace { at: at.clone(), with: blocks::fitted(root, at, None, with), whole_line: *whole_line }
        }
        Op::InsertItem { after, with } => {
            Op::InsertItem { after: after.clone(), with: blocks::fitted(root, after, None, with) }
        }
        Op::InsertEntry { after, key, with } => {
            let with = blocks::fitted(root, after, Some(key), with);
            Op::InsertEntry { after: after.clone(), key: key.clone(), with }
        }
        Op::Remove { .. } | Op::Text { .. } => op.clone(),
    }
}

/// Lowers operations on one block to splices in the order of the text.
pub(super) fn lower(writer: &Writer<'_>) -> Result<Vec<Splice>, Refusal> {
    let mut splices = Vec::new();
    let mut json: Vec<(Path, Vec<Op>)> = Vec::new();
    for op in writer.ops {
        if let Some(depth) = writer.heredoc_above(op.place()) {
            let root = prefix(op.place(), depth);
            let holes = writer.root.at(&root).is_none_or(|node| node.tag.as_deref() == Some(HEREDOC));
            let op = for_json(op, depth, holes);
            match json.iter_mut().find(|(known, _)| *known == root) {
                Some((_, ops)) => ops.push(op),
                None => json.push((root, vec![op])),
            }
            continue;
        }
        splices.extend(writer.splices(op)?);
    }
    for (root, ops) in json {
        let node = writer.root.at(&root).ok_or_else(|| layout("the place is not in the file"))?;
        let (name, text) = (SourceName::new("heredoc"), writer.text.to_owned());
        let template = Template::new(name, text, Syntax::Json, Node { tag: None, ..node.clone() });
        splices.extend(write::lower(&template, &write::Style::of(&template), &ops)?);
    }
    splices.sort_by_key(|splice| (splice.span.start, splice.span.end));
    let splices = op::merged(splices);
    let overlap = splices.iter().zip(splices.iter().skip(1)).any(|(a, b)| a.span.end > b.span.start);
    if overlap {
        return Err(Refusal::new(RefusalCode::Overlap, "two edits touch the same text"));
    }
    Ok(splices)
}

pub(super) fn layout(message: &str) -> Refusal {
    Refusal::new(RefusalCode::Layout, message).hint("make the change by hand; it is printed in the report")
}

fn prefix(path: &Path, depth: usize) -> Path {
    path.steps().iter().take(depth).fold(Path::default(), |path, step| path.child(*step))
}

fn suffix(path: &Path, depth: usize) -> Path {
    path.steps().iter().skip(depth).fold(Path::default(), |path, step| path.child(*step))
}

/// An operation on a document of JSON, its values as JSON texts. `holes` says whether `${…}` in it is an interpolation.
fn for_json(op: &Op, depth: usize, holes: bool) -> Op {
    let json = |value: &New| if holes { json(value) } else { value.clone() };
    match op {
        Op::Replace { at, with, whole_line } => {
            Op::Replace { at: suffix(at, depth), with: json(with), whole_line: *whole_line }
        }
        Op::Text { at, text, edits } => Op::Text { at: suffix(at, depth), text: text.clone(), edits: edits.clone() },
        Op::Remove { at } => Op::Remove { at: suffix(at, depth) },
        Op::InsertItem { after, with } => Op::InsertItem { after: suffix(after, depth), with: json(with) },
        Op::InsertEntry { after, key, with } => Op::InsertEntry {
            after: suffix(after, depth),
            key: if holes { escape_holes(key) } else { key.clone() },
            with: json(with),
        },
    }
}

fn json(value: &New) -> New {
    match value {
        New::Text(text) => New::Text(escape_holes(text)),
        New::Tagged(tag, text) if tag == EXPRESSION => New::Text(format!("${{{text}}}")),
        New::Tagged(tag, text) if tag == TEMPLATE => New::Text(text.clone()),
        New::Tagged(..) => value.clone(),
        New::Seq(items) => New::Seq(items.iter().map(json).collect()),
        New::Map(entries) => New::Map(entries.iter().map(|(k, v)| (escape_holes(k), json(v))).collect()),
    }
}

impl<'w> Writer<'w> {
    /// How many steps lead to the heredoc above a place.
    fn heredoc_above(&self, place: &Path) -> Option<usize> {
        let json = |node: &Node| matches!(node.tag.as_deref(), Some(HEREDOC | JSON));
        self.root.trail(place).iter().position(|node| json(node))
    }

    fn style(&self, place: &Path) -> Style {
        // The document the place belongs to tells more than the rest of the block.
        let trail = self.root.trail(place);
        let near = trail.iter().find(|node| node.tag.is_some() && node.is_map());
        Style::of(self.text, near.copied().unwrap_or(self.root))
    }

    pub(super) fn render(&self, place: &Path) -> Render {
        Render { style: self.style(place), document: self.document }
    }

    /// The parent of a place, and the place's number in it.
    pub(super) fn spot(&self, place: &Path) -> Result<(&'w Node, usize, Path), Refusal> {
        let found = place.parent().zip(place.last()).and_then(|(above, index)| {
            let parent = self.root.at(&above)?;
            parent.child(index)?;
            Some((parent, index, above))
        });
        found.ok_or_else(|| layout("the place is not in the file"))
    }

    fn splices(&self, op: &Op) -> Result<Vec<Splice>, Refusal> {
        let (parent, index, above) = self.spot(op.place())?;
        if !matches!(parent.kind, Kind::Seq { flow: true, .. } | Kind::Map { flow: true, .. }) {
            return blocks::splices(self, op, parent, index);
        }
        match op {
            Op::Replace { at, with, .. } => {
                let node = parent.child(index).ok_or_else(|| layout("the place is not in the file"))?;
                let indent = indentation(self.text, node.span.start);
                let lines = node.is_seq().then(|| node.span.slice(self.text).contains('\n'));
                Ok(vec![Splice { span: node.span, text: self.render(at).value(with, indent, lines) }])
            }
            Op::Remove { .. } => self.remove(parent, index, &above),
            Op::InsertItem { after, .. } => {
                let same = |other: &&Op| matches!(other, Op::InsertItem { after: place, .. } if place == after);
                let first = self.ops.iter().find(same).is_some_and(|first| std::ptr::eq(first, op));
                if first { self.insert_items(after, parent, index) } else { Ok(Vec::new()) }
            }
            Op::InsertEntry { after, key, with } => Ok(self.insert_entry(after, parent, index, key, with)),
            Op::Text { .. } => Err(layout("a text inside of a text is not edited here")),
        }
    }

    /// The bytes of a list's item or an object's entry.
    fn element(parent: &Node, index: usize) -> Option<Span> {
        match &parent.kind {
            Kind::Map { entries, .. } => entries.get(index).map(|e| Span::new(e.key.span.start, e.value.span.end)),
            _ => parent.child(index).map(|node| node.span),
        }
    }

    fn removed(&self, above: &Path, index: usize) -> bool {
        let place = above.child(index);
        self.ops.iter().any(|op| matches!(op, Op::Remove { at } if *at == place))
    }

    /// The lines of an element that shares them with nothing else but a comma and a comment.
    pub(super) fn own_lines(&self, span: Span) -> Option<Span> {
        if !starts_line(self.text, span.start) {
            return None;
        }
        let after = comma_after(self.text, span.end).unwrap_or(span.end);
        let end = line_end(self.text, after);
        let rest = Span::new(after, end).slice(self.text).trim();
        let next = self.text.get(end..).and_then(|t| t.find('\n')).map(|at| end + at + 1)?;
        (rest.is_empty() || rest.starts_with('#') || rest.starts_with("//"))
            .then(|| Span::new(line_start(self.text, span.start), next))
    }

    /// Removes a run of neighbouring elements; the first of the run does it for all.
    fn remove(&self, parent: &Node, index: usize, above: &Path) -> Result<Vec<Splice>, Refusal> {
        if index > 0 && self.removed(above, index - 1) {
            return Ok(Vec::new());
        }
        let spans: Vec<Span> =
            (index..).take_while(|at| self.removed(above, *at)).map_while(|at| Self::element(parent, at)).collect();
        let gone = |span| Splice { span, text: String::new() };
        let lines: Option<Vec<Span>> = spans.iter().map(|span| self.own_lines(*span)).collect();
        if let Some(lines) = lines {
            return Ok(lines.into_iter().map(gone).collect());
        }
        let (Some(first), Some(last)) = (spans.first(), spans.last()) else { return Ok(Vec::new()) };
        let clean = |span: Span| span.slice(self.text).chars().all(|c| c.is_whitespace() || c == ',');
        let next = Self::element(parent, index + spans.len());
        let before = index.checked_sub(1).and_then(|at| Self::element(parent, at));
        let span = match (next, before) {
            (Some(next), _) if clean(Span::new(last.end, next.start)) => Span::new(first.start, next.start),
            (None, Some(before)) if clean(Span::new(before.end, first.start)) => Span::new(before.end, last.end),
            (None, None) => Span::new(first.start, comma_after(self.text, last.end).unwrap_or(last.end)),
            _ => return Err(layout("a comment stands between what goes and what stays")),
        };
        Ok(vec![gone(span)])
    }

    /// Every item that comes after one place at once.
    fn insert_items(&self, after: &Path, parent: &Node, index: usize) -> Result<Vec<Splice>, Refusal> {
        let here = |op: &&Op| matches!(op, Op::InsertItem { after: place, .. } if place == after);
        let items: Vec<&New> = self
            .ops
            .iter()
            .filter(here)
            .filter_map(|op| if let Op::InsertItem { with, .. } = op { Some(with) } else { None })
            .collect();
        let anchor = parent.child(index).ok_or_else(|| layout("the place is not in the file"))?;
        let render = self.render(after);
        let indent = indentation(self.text, anchor.span.start);
        let text = |item: &New| render.value(item, indent, None);
        let comma = comma_after(self.text, anchor.span.end);
        if self.own_lines(anchor.span).is_none() {
            let text: String = items.iter().map(|item| format!(", {}", text(item))).collect();
            let single = items.iter().all(|item| item.is_scalar()) || anchor.span.slice(self.text).contains('\n');
            if !single {
                return Err(layout("the list stands on one line"));
            }
            return Ok(vec![Splice { span: Span::new(anchor.span.end, anchor.span.end), text }]);
        }
        let lines = items.iter().map(|item| format!("{}{indent}{}", render.style.eol, text(item)));
        let end = line_end(self.text, comma.unwrap_or(anchor.span.end));
        let lines = lines.collect::<Vec<_>>().join(",");
        let at = |offset: usize, text: String| Splice { span: Span::new(offset, offset), text };
        Ok(match comma {
            Some(_) => vec![at(end, format!("{lines},"))],
            None if end == anchor.span.end => vec![at(end, format!(",{lines}"))],
            None => vec![at(anchor.span.end, ",".into()), at(end, lines)],
        })
    }

    fn insert_entry(&self, after: &Path, parent: &Node, index: usize, key: &str, with: &New) -> Vec<Splice> {
        let Some(anchor) = parent.entries().get(index) else { return Vec::new() };
        let render = self.render(after);
        let indent = indentation(self.text, anchor.key.span.start);
        let between = Span::new(anchor.key.span.end, anchor.value.span.start).slice(self.text);
        let column = between.find('=').map(|at| anchor.key.span.len() + at);
        let entry = render.entry(key, with, indent, column);
        let comma = comma_after(self.text, anchor.value.span.end);
        let at = |offset: usize, text: String| Splice { span: Span::new(offset, offset), text };
        let end = line_end(self.text, comma.unwrap_or(anchor.value.span.end));
        let own = self.own_lines(Span::new(anchor.key.span.start, anchor.value.span.end)).is_some();
        if !own {
            return vec![at(anchor.value.span.end, format!(", {entry}"))];
        }
        let line = format!("{}{indent}{entry}", render.style.eol);
        match comma {
            Some(_) => vec![at(end, format!("{line},"))],
            None if !render.style.commas => vec![at(end, line)],
            None if end == anchor.value.span.end => vec![at(end, format!(",{line}"))],
            None => vec![at(anchor.value.span.end, ",".into()), at(end, line)],
        }
    }
}
