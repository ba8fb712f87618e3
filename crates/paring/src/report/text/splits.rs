//! A shared role taken apart, for people: for each function its new role, what it holds, and what is proved of it.

use super::{Text, counted};
use crate::report::{PartView, SplitView};

impl Text {
    /// One shared role.
    pub(super) fn split(&mut self, split: &SplitView) {
        if let Some(why) = &split.refused {
            self.heading(&format!("{}: shared, and not taken apart", split.name));
            self.line(&format!("  {why}"));
            return;
        }
        let roles = counted(split.parts.len(), "role", "roles");
        self.heading(&format!("{}: shared, taken apart into {roles}", split.name));
        for note in &split.notes {
            let note = self.paint.yellow(note);
            self.row("note", &note);
        }
        for part in &split.parts {
            self.part(part);
        }
    }

    fn part(&mut self, part: &PartView) {
        self.line("");
        let name = part.role.rsplit('/').next().unwrap_or_default();
        let head = self.paint.bold(&part.function);
        self.line(&format!("  {head} gets {name}"));
        self.needs(&part.needs);
        for arn in &part.managed {
            self.row("attached", arn);
        }
        if let Some(boundary) = &part.boundary {
            self.row("boundary", boundary);
        }
        if part.unseen > 0 {
            let unseen = counted(part.unseen, "action", "actions");
            let text = self.paint.yellow(&format!("{unseen} that these logs could not have shown are not in it"));
            self.row("unseen", &text);
        }
        for claim in &part.claims {
            self.claim(claim);
        }
    }
}
