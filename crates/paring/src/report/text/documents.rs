//! A trust policy or a function's permissions, for people: what is narrowed and why, what stays and why.

use super::{Text, diff};
use crate::report::DocumentView;

impl Text {
    /// One policy.
    pub(super) fn document(&mut self, document: &DocumentView) {
        let unchanged = if document.change.is_none() { ", left as it is" } else { "" };
        self.heading(&format!("{}: {}{unchanged}", document.name, document.what));
        for (_, because, evidence) in document.change.iter().flat_map(|change| &change.reasons) {
            self.row("narrowed", because);
            evidence.iter().for_each(|line| self.row("", line));
        }
        for why in &document.left_alone {
            let why = self.paint.yellow(why);
            self.row("stays", &why);
        }
        for claim in &document.claims {
            self.claim(claim);
        }
        if !document.diff.is_empty() {
            self.line("");
            let painted = diff::paint(&document.diff, "    ", self.paint);
            self.line(painted.trim_end());
        }
    }
}
