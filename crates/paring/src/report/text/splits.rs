//! A shared role taken apart, for people: for each function its new role, what it holds, and what is proved of it.

use iam_model::policy::compact_len;
use iam_model::text::grouped;

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
        for (name, policy) in &part.new_managed {
            let size = grouped(u64::try_from(compact_len(policy)).unwrap_or(u64::MAX));
            self.row(
                "new",
                &format!("{name}: a managed policy, {size} characters that do not fit into the role itself"),
            );
        }
        if let Some(boundary) = &part.boundary {
            self.row("boundary", boundary);
        }
        self.blind_spots(&part.blind_spots);
        for claim in &part.claims {
            self.claim(claim);
        }
    }
}
