//! Operations lowered to the smallest replacements of text, in the file's own style.
//!
//! Block YAML is written in `block`, flow YAML and JSON in `flow`. Nothing here parses; the guard reads the result.

mod block;
mod flow;
mod render;
mod scalar;
mod style;

use iam_model::text::Span;

use crate::op::{New, Op};
use crate::refusal::{Refusal, RefusalCode};
use crate::template::Template;
use crate::tree::{Kind, Node, Path};

pub(crate) use crate::op::Splice;
pub(crate) use style::Style;

/// Lowers operations to splices in the order of the text.
pub(crate) fn lower(template: &Template, style: &Style, ops: &[Op]) -> Result<Vec<Splice>, Refusal> {
    let writer = Writer { template, style, ops };
    let mut splices = Vec::new();
    for op in ops {
        match op {
            Op::Text { at, edits, .. } => {
                let node = writer.node(&writer.spot(at)?)?;
                splices.extend(scalar::splices(writer.text(), node, edits, style.eol)?);
            }
            op => splices.push(writer.splice(op)?),
        }
    }
    splices.sort_by_key(|splice| (splice.span.start, splice.span.end));
    let overlap = splices.iter().zip(splices.iter().skip(1)).any(|(a, b)| a.span.end > b.span.start);
    if overlap {
        return Err(Refusal::new(RefusalCode::Overlap, "two edits touch the same text"));
    }
    Ok(splices)
}

/// The text with the splices done; they are sorted and do not overlap.
pub(crate) fn spliced(text: &str, splices: &[Splice]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for splice in splices {
        out.push_str(Span::new(at, splice.span.start).slice(text));
        out.push_str(&splice.text);
        at = splice.span.end;
    }
    out.push_str(Span::new(at, text.len()).slice(text));
    out
}

/// Lists that must not stay behind empty: where all items go, so does their key.
pub(crate) fn lift_emptied(root: &Node, ops: &[Op]) -> Vec<Op> {
    let mut lifted: Vec<Op> = Vec::new();
    for op in ops {
        let emptied = match op {
            Op::Remove { at } => at.parent().filter(|list| is_emptied(root, list, ops)),
            _ => None,
        };
        let op = emptied.map_or_else(|| op.clone(), |at| emptied_list(root, at));
        if !lifted.contains(&op) {
            lifted.push(op);
        }
    }
    lifted
}

/// The list goes; where it is all that its mapping has, it stays behind empty.
fn emptied_list(root: &Node, at: Path) -> Op {
    let alone = at.parent().and_then(|above| root.at(&above)).is_some_and(|above| above.entries().len() == 1);
    match alone {
        true => Op::Replace { at, with: New::Seq(Vec::new()), whole_line: false },
        false => Op::Remove { at },
    }
}

fn is_emptied(root: &Node, list: &Path, ops: &[Op]) -> bool {
    let Some(node) = root.at(list).filter(|node| node.is_seq()) else { return false };
    let removed = |at: &Path| ops.iter().any(|op| matches!(op, Op::Remove { at: gone } if gone == at));
    let inserted = ops.iter().any(|op| matches!(op, Op::InsertItem { after, .. } if list.holds(after)));
    let is_policies = list.parent().and_then(|above| root.at(&above)).zip(list.last()).is_some_and(|(above, index)| {
        above.entries().get(index).is_some_and(|e| {
            matches!(e.name(), "Policies" | "ManagedPolicyArns" | "managedPolicies" | "iamManagedPolicies")
        })
    });
    is_policies && !inserted && (0..node.items().len()).all(|index| removed(&list.child(index)))
}

/// What writing needs to know.
pub(crate) struct Writer<'w> {
    template: &'w Template,
    style: &'w Style,
    ops: &'w [Op],
}

/// A place with its parent.
struct Spot<'w> {
    parent: &'w Node,
    index: usize,
    path: Path,
}

impl<'w> Writer<'w> {
    fn splice(&self, op: &Op) -> Result<Splice, Refusal> {
        let spot = self.spot(op.place())?;
        let flow = match &spot.parent.kind {
            Kind::Seq { flow, .. } | Kind::Map { flow, .. } => *flow,
            _ => false,
        };
        match op {
            Op::Replace { with, .. } if flow => self.flow_replace(&spot, with),
            Op::Replace { with, whole_line, .. } => self.block_replace(&spot, with, *whole_line),
            Op::Text { .. } => Err(self.layout(Span::default(), "a text is no list or mapping")),
            Op::Remove { .. } if flow => self.flow_remove(&spot),
            Op::Remove { .. } => self.block_remove(&spot),
            Op::InsertItem { with, .. } if flow => self.flow_insert(&spot, None, with),
            Op::InsertItem { with, .. } => self.block_insert_item(&spot, with),
            Op::InsertEntry { key, with, .. } if flow => self.flow_insert(&spot, Some(key), with),
            Op::InsertEntry { key, with, .. } => self.block_insert_entry(&spot, key, with),
        }
    }

    fn spot(&self, path: &Path) -> Result<Spot<'w>, Refusal> {
        let found = path.parent().zip(path.last()).and_then(|(above, index)| {
            let parent = self.template.root.at(&above)?;
            parent.child(index)?;
            Some(Spot { parent, index, path: path.clone() })
        });
        found.ok_or_else(|| self.layout(Span::default(), "the place is not in the file"))
    }

    fn node(&self, spot: &Spot<'w>) -> Result<&'w Node, Refusal> {
        spot.parent.child(spot.index).ok_or_else(|| self.layout(Span::default(), "the place is not in the file"))
    }

    fn text(&self) -> &'w str {
        &self.template.text
    }

    /// The offset where the line of `offset` starts.
    fn line_start(&self, offset: usize) -> usize {
        let before = Span::new(0, offset).slice(self.text());
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        if start == 0 && before.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { start }
    }

    /// The offset of the line's end, its line break left out.
    fn line_end(&self, offset: usize) -> usize {
        let rest = Span::new(offset, self.text().len()).slice(self.text());
        let line = rest.split('\n').next().unwrap_or_default();
        offset + line.strip_suffix('\r').unwrap_or(line).len()
    }

    /// The column of an offset, in characters from zero.
    fn column(&self, offset: usize) -> usize {
        Span::new(self.line_start(offset), offset).slice(self.text()).chars().count()
    }

    fn layout(&self, span: Span, message: &str) -> Refusal {
        Refusal::new(RefusalCode::Layout, message)
            .hint("edit it by hand; the change is printed with this refusal")
            .at(crate::locate::place(self.template, span))
    }
}
