//! Statements that are added to a function's policy: each a further block, written as the one it was a part of.
//!
//! Attributes of that block are copied as they are written, but for its conditions and the name of its statement.

use iam_model::policy::Statement;

use super::{CONDITIONS, Permission, Scene, TYPE, statement, value_of};
use crate::compare;
use crate::hcl::attach::{BlockEdit, Edits};
use crate::hcl::compose::{Composer, free_label, read_back, says_otherwise};
use crate::hcl::find;
use crate::hcl::policies;
use crate::op::New;
use crate::plan::{self, Author, Fates};
use crate::refusal::{Refusal, RefusalCode};
use crate::tree::{Entry, Kind, Node};

impl Scene<'_> {
    /// The edits, with a block for each statement that none says yet.
    pub(super) fn add(
        &self,
        mut edits: Edits,
        author: &mut Author<'_>,
        fates: &Fates,
        after: &[Statement],
    ) -> Result<Edits, Refusal> {
        for new in fates.added.iter().filter_map(|index| after.get(*index)) {
            if self.permissions.iter().any(|p| p.explains(new)) {
                continue;
            }
            let (old, kept) = plan::sibling(self.before, after, fates, new)
                .ok_or_else(|| self.unwritable("a statement is added that no block here says for another source"))?;
            let beside = self.of_statement(old, Some(kept))?;
            let beside = beside.or_else(|| self.permissions.iter().find(|p| p.explains(kept)));
            let beside = beside.ok_or_else(|| self.unwritable("a statement is added"))?;
            self.written(&mut edits, author, beside, (old, new))?;
        }
        Ok(edits)
    }

    /// A further block after one that says the same for another source.
    fn written(
        &self,
        edits: &mut Edits,
        author: &mut Author<'_>,
        beside: &Permission,
        (old, new): (&Statement, &Statement),
    ) -> Result<(), Refusal> {
        let at = beside.at;
        let (Some(block), Some(body)) = (self.terraform.block(at), self.terraform.body(at)) else { return Ok(()) };
        if let Some(how) = policies::multiplied(body) {
            let message = format!("a statement is added, and one block with `{how}` stands for several permissions");
            return Err(self.at(Refusal::new(RefusalCode::Conditional, message), at));
        }
        let is_block =
            |entry: &Entry| entry.value.tag.is_none() && matches!(entry.value.kind, Kind::Map { flow: false, .. });
        if body.entries().iter().any(is_block) {
            return Err(self.unwritable("a statement is added, and the block beside it has blocks of its own"));
        }
        self.sayable(new)?;
        let lines = self.lines(author, &Composer::beside(self.terraform, at), (at, body), (old, new));
        let taken = |label: &str| {
            let head = format!("resource \"{TYPE}\" \"{label}\" {{");
            edits.blocks.iter().any(|edit| matches!(edit, BlockEdit::After(_, text) if text.starts_with(&head)))
        };
        let module = self.terraform.module_of(at);
        let labels = (2..).map(|n: usize| free_label(self.terraform, module, TYPE, &format!("{}_{n}", block.name())));
        let label = labels.into_iter().find(|label| !taken(label)).unwrap_or_default();
        let text = Composer::beside(self.terraform, at).resource(TYPE, &label, &[lines]);
        let value = read_back(&text).and_then(|body| statement(&self.dialect.open, &body));
        if !value.is_some_and(|value| compare::value_explains(&value, new, true)) {
            return Err(says_otherwise());
        }
        author.reviews.push(format!(
            "`{TYPE}.{label}` is a new permission beside `{}`: each names one source",
            find::named(self.terraform, at)
        ));
        edits.blocks.push(BlockEdit::After(at, text));
        Ok(())
    }

    /// The attributes of the new block, as they are written.
    fn lines<'b>(
        &self,
        author: &mut Author<'_>,
        composer: &Composer,
        (at, body): (crate::hcl::project::At, &'b Node),
        (old, new): (&Statement, &Statement),
    ) -> Vec<(&'b str, String)> {
        let file = self.terraform.files.get(at.file).map_or("", |file| file.text.as_str());
        let mut lines: Vec<(&str, String)> = Vec::new();
        for entry in body.entries() {
            let (name, written) = (entry.name(), entry.value.span.slice(file));
            if CONDITIONS.iter().any(|(attribute, ..)| *attribute == name) {
                continue;
            }
            lines.push(match name {
                "statement_id" => (name, named(composer, written, old, new)),
                _ => (name, written.to_owned()),
            });
            if name != "principal" {
                continue;
            }
            for (attribute, property, ..) in CONDITIONS {
                if let Some(text) = value_of(new, property) {
                    let value: New = self.value(author, &text);
                    lines.push((attribute, composer.value(&value)));
                }
            }
        }
        lines
    }
}

/// The name of the new statement: the old one's text with what the new name has more.
fn named(composer: &Composer, written: &str, old: &Statement, new: &Statement) -> String {
    let (Some(own), Some(sid)) = (&old.sid, &new.sid) else { return composer.quoted("") };
    match (sid.strip_prefix(own.as_str()), written.strip_suffix('"')) {
        (Some(more), Some(head)) if written.starts_with('"') => format!("{head}{more}\""),
        (Some(more), _) => format!("\"${{{written}}}{more}\""),
        (None, _) => composer.quoted(sid),
    }
}
