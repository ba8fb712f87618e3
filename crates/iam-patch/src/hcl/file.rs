//! The edits of one file, gathered over several changes, and the guard that lets them out.
//!
//! The guard trusts neither planning nor writing: both readings of every touched block must say what was intended, and
//! every other byte must be where it was.

use std::collections::BTreeMap;

use iam_model::text::Span;

use super::attach::BlockEdit;
use super::blocks;
use super::document;
use super::outside::Reading;
use super::parse::Block;
use super::project::{At, File, Terraform};
use super::style::{Style, line_end, line_start};
use super::write::{self, Writer, layout};
use crate::diff;
use crate::guard;
use crate::op::{self, Op, Splice};
use crate::refusal::{Refusal, RefusalCode};
use crate::write::spliced;

/// The edits of one file so far, and its text with them.
#[derive(Debug, Default, Clone)]
pub(super) struct FileWork {
    /// By block.
    ops: BTreeMap<usize, Vec<Op>>,
    blocks: Vec<BlockEdit>,
    pub(super) reviews: Vec<String>,
    pub(super) changes: Vec<usize>,
    pub(super) splits: Vec<usize>,
    /// What each change alone replaces.
    pub(super) parts: Vec<(usize, Vec<Splice>)>,
    /// Splices, text and diff, once something passed the guard.
    pub(super) passed: Option<(Vec<Splice>, String, String)>,
}

impl FileWork {
    /// Adds operations on one block, those that are not there yet.
    pub(super) fn add_ops(&mut self, block: usize, new: &[Op]) -> Result<(), Refusal> {
        let old = self.ops.entry(block).or_default();
        let whole = self.blocks.iter().any(|edit| edit.at().block == block && !matches!(edit, BlockEdit::After(..)));
        for op in new {
            if old.contains(op) {
                continue;
            }
            if whole || old.iter().any(|known| op::clash(known, op)) {
                return Err(overlap());
            }
        }
        let new: Vec<Op> = new.iter().filter(|op| !old.contains(op)).cloned().collect();
        old.extend(new);
        Ok(())
    }

    /// Adds an edit of a whole block.
    pub(super) fn add_block(&mut self, edit: BlockEdit) -> Result<(), Refusal> {
        if self.blocks.contains(&edit) {
            return Ok(());
        }
        let whole = |edit: &BlockEdit| !matches!(edit, BlockEdit::After(..));
        let same = self.blocks.iter().any(|old| old.at() == edit.at() && whole(old) && whole(&edit));
        if same || (whole(&edit) && self.ops.contains_key(&edit.at().block)) {
            return Err(overlap());
        }
        self.blocks.push(edit);
        Ok(())
    }

    /// How many edits there are.
    pub(super) fn size(&self) -> usize {
        self.ops.values().map(Vec::len).sum::<usize>() + self.blocks.len()
    }

    /// The text of all edits, in the order of the file.
    pub(super) fn splices(&self, terraform: &Terraform, number: usize) -> Result<Vec<Splice>, Refusal> {
        let Some(file) = terraform.files.get(number) else { return Ok(Vec::new()) };
        let mut splices = Vec::new();
        for (block, ops) in &self.ops {
            let (Some(found), Some(root)) =
                (file.blocks.get(*block), terraform.body(At { file: number, block: *block }))
            else {
                continue;
            };
            let document = found.is("data", document::TYPE);
            splices.extend(write::lower(&Writer { text: &file.text, root, document, ops })?);
        }
        for edit in &self.blocks {
            splices.push(block_splice(file, edit)?);
        }
        splices.sort_by_key(|splice| (splice.span.start, splice.span.end));
        let splices = op::merged(splices);
        if splices.iter().zip(splices.iter().skip(1)).any(|(a, b)| a.span.end > b.span.start) {
            return Err(overlap());
        }
        Ok(splices)
    }

    /// Writes everything anew and lets the guard look at it. `fresh` says that something was added.
    pub(super) fn pass(&mut self, terraform: &Terraform, number: usize, fresh: bool) -> Result<(), Refusal> {
        let Some(file) = terraform.files.get(number) else { return Ok(()) };
        let splices = self.splices(terraform, number)?;
        let after = spliced(&file.text, &splices);
        let diff = self
            .check(file, &splices, &after)
            .map_err(|refusal| refusal.hint("make the change by hand; it is printed in the report"))?;
        let known = self.passed.as_ref().map_or(file.text.as_str(), |(_, after, _)| after.as_str());
        if fresh && after == known {
            return Err(guard::unchanged());
        }
        self.passed = Some((splices, after, diff));
        Ok(())
    }

    fn check(&self, file: &File, splices: &[Splice], after: &str) -> Result<String, Refusal> {
        if !guard::only_splices_moved(&file.text, after, splices) {
            return Err(failed("the edit would move bytes outside its place"));
        }
        if guard::line_ends(&file.text) != guard::line_ends(after) {
            return Err(failed("the edit would change line endings"));
        }
        let Some(found) = file.reading.split(after) else { return Err(failed("the edited file would not parse")) };
        let mut found = found.iter();
        for (number, old) in file.blocks.iter().enumerate() {
            let of = |edit: &&BlockEdit| edit.at().block == number;
            let whole = self.blocks.iter().filter(of).find(|edit| !matches!(edit, BlockEdit::After(..)));
            match whole {
                Some(BlockEdit::Replace(_, text)) => new_block(found.next(), after, text)?,
                Some(_) => {}
                None => self.kept(number, file, old, found.next(), after)?,
            }
            for edit in self.blocks.iter().filter(of) {
                if let BlockEdit::After(_, text) = edit {
                    new_block(found.next(), after, text)?;
                }
            }
        }
        if found.next().is_some() {
            return Err(failed("the edited file would have other blocks"));
        }
        let diff = diff::unified(&file.name, &file.text, after);
        if diff::applied(&file.text, &diff).as_deref() != Some(after) {
            return Err(failed("the diff does not apply"));
        }
        Ok(diff)
    }

    /// A block that stays: byte for byte, or with its operations done.
    fn kept(&self, number: usize, file: &File, old: &Block, new: Option<&Block>, after: &str) -> Result<(), Refusal> {
        let Some(new) = new else { return Err(failed("the edited file would lack a block")) };
        let Some(ops) = self.ops.get(&number) else {
            let same = old.span.slice(&file.text) == new.span.slice(after);
            return if same { Ok(()) } else { Err(failed("the edit would change another block")) };
        };
        let reading = file.reading;
        let Some(first) = reading.first(&file.text, old) else {
            return Err(failed("the block does not parse"));
        };
        if reading.second(&file.text, old) != Some(first.plain()) {
            return Err(failed("two parsers read this block differently"));
        }
        let intended = op::apply(&first, ops);
        if old.head != new.head || reading.first(after, new).map(|node| node.plain()).as_ref() != Some(&intended) {
            return Err(failed("the edited block would not say what was intended"));
        }
        if reading.second(after, new).as_ref() != Some(&intended) {
            return Err(failed("a second parser reads the edited block differently"));
        }
        Ok(())
    }
}

/// A block that was written whole: its bytes as planned, and read alike by both parsers.
fn new_block(new: Option<&Block>, after: &str, text: &str) -> Result<(), Refusal> {
    let Some(new) = new.filter(|new| new.span.slice(after) == text) else {
        return Err(failed("a new block would not stand where it should"));
    };
    let first = Reading::Blocks.first(after, new).map(|node| node.plain());
    if first.is_none() || Reading::Blocks.second(after, new) != first {
        return Err(failed("two parsers read the new block differently"));
    }
    Ok(())
}

fn failed(message: &str) -> Refusal {
    Refusal::new(RefusalCode::GuardFailed, message)
}

fn overlap() -> Refusal {
    Refusal::new(RefusalCode::Overlap, "another change of this run edits the same place")
}

fn block_splice(file: &File, edit: &BlockEdit) -> Result<Splice, Refusal> {
    let text = file.text.as_str();
    let Some(block) = file.blocks.get(edit.at().block) else { return Err(layout("the place is not in the file")) };
    Ok(match edit {
        BlockEdit::Replace(_, new) => Splice { span: block.span, text: new.clone() },
        BlockEdit::After(_, new) => {
            let end = line_end(text, block.span.end);
            let eol = Style::eol_of(text);
            Splice { span: Span::new(end, end), text: format!("{eol}{eol}{new}") }
        }
        BlockEdit::Remove(_) => {
            let start = line_start(text, block.span.start);
            let end = line_end(text, block.span.end);
            let next = text.get(end..).and_then(|rest| rest.find('\n')).map(|at| end + at + 1);
            let alone = Span::new(block.span.end, end).slice(text).trim().is_empty() && start == block.span.start;
            if !alone {
                return Err(layout("a block shares its lines"));
            }
            let kept = text.get(..start).unwrap_or_default().trim_end_matches(['\r', '\n', ' ', '\t']).len();
            let span = match next {
                Some(next) if next < text.len() => blocks::with_blank(text, Span::new(start, next)),
                // The last block of the file: the line break before it goes, or the blank lines do.
                Some(next) => Span::new(line_end(text, kept) + Style::eol_of(text).len(), next),
                None => Span::new(kept, text.len()),
            };
            Splice { span, text: String::new() }
        }
    })
}
