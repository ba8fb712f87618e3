//! A document being narrowed, statement by statement, with the reason for each.
//!
//! Decides nothing but whether the result fits its quota.

use iam_model::change::{Attachment, Change, Reason};
use iam_model::policy::{PolicyDocument, Statement, compact_len};
use iam_model::quota::ResourceQuota;

use super::{DocumentProposal, Fate, StatementFate};
use crate::naming;

/// Why a document does not fit that takes more than it did.
fn why_not(most: ResourceQuota, before: &PolicyDocument, after: &PolicyDocument) -> Option<String> {
    let conditions = |policy: &PolicyDocument| policy.statements.iter().map(|s| s.conditions.len()).sum::<usize>();
    let actions =
        |policy: &PolicyDocument| policy.statements.iter().map(|s| s.action.patterns().len()).max().unwrap_or_default();
    let counts = [
        (Some(most.characters), compact_len(before), compact_len(after), "characters it may have"),
        (most.statements, before.statements.len(), after.statements.len(), "statements it may have"),
        (most.conditions, conditions(before), conditions(after), "conditions it may have"),
        (most.actions_of_statement, actions(before), actions(after), "actions a statement may have"),
    ];
    let over = counts.into_iter().find_map(|(most, before, after, what)| {
        let most = most?;
        (after > most.max(before)).then_some((most, what))
    });
    over.map(|(most, what)| format!("narrowed, it would take more than the {most} {what}; so it stays"))
}

/// The name of a statement's first action.
pub(super) fn lead(statement: &Statement) -> &str {
    let first = statement.action.patterns().first();
    first.and_then(|action| action.value.as_str().split(':').nth(1)).unwrap_or_default()
}

/// A document being narrowed.
pub(super) struct Draft {
    pub(super) statements: Vec<Statement>,
    pub(super) reasons: Vec<Reason>,
    pub(super) left_alone: Vec<String>,
    fates: Vec<StatementFate>,
}

impl Draft {
    pub(super) const fn new() -> Self {
        Self { statements: Vec::new(), reasons: Vec::new(), left_alone: Vec::new(), fates: Vec::new() }
    }

    /// Judges the next statement of the document, and notes what becomes of it; `seen` is what is known of its use.
    pub(super) fn judge(&mut self, seen: &[String], judge: impl FnOnce(&mut Self)) {
        let (statements, reasons, left) = (self.statements.len(), self.reasons.len(), self.left_alone.len());
        judge(self);
        let reasons = self.reasons.get(reasons..).unwrap_or_default();
        let left = self.left_alone.get(left..).unwrap_or_default();
        let fate = match (reasons.is_empty(), left.is_empty()) {
            (false, _) if self.statements.len() == statements => Fate::Dropped,
            (false, _) => Fate::Narrowed,
            (true, false) => Fate::Open,
            (true, true) => Fate::Stays,
        };
        let because = reasons.iter().map(|reason| reason.because.clone()).chain(left.iter().cloned()).collect();
        let shown = reasons.iter().flat_map(|reason| reason.evidence.iter().cloned());
        let evidence = shown.filter(|line| !seen.contains(line)).chain(seen.iter().cloned()).collect();
        self.fates.push(StatementFate { fate, because, evidence });
    }

    /// Keeps a statement, narrowed, for a reason.
    pub(super) fn narrowed(&mut self, statement: Statement, because: String, evidence: Vec<String>) {
        self.reasons.push(Reason { statement: Some(self.statements.len()), because, evidence });
        self.statements.push(statement);
    }

    /// A further part of a statement, with words of its own behind the statement's name.
    pub(super) fn named(
        &self,
        mut part: Statement,
        more: &[&str],
        (of, policy): (&Statement, &PolicyDocument),
    ) -> Statement {
        part.sid = naming::with(of, more);
        naming::distinct(&mut part, of, policy, &self.statements);
        part
    }

    /// Takes something away, for a reason.
    pub(super) fn dropped(&mut self, because: String) {
        self.reasons.push(Reason { statement: None, because, evidence: Vec::new() });
    }

    /// The proposal, within what the policy may take.
    pub(super) fn finish(
        mut self,
        attachment: Attachment,
        before: &PolicyDocument,
        most: ResourceQuota,
    ) -> DocumentProposal {
        let after = PolicyDocument { statements: std::mem::take(&mut self.statements), ..before.clone() };
        if let Some(why) = why_not(most, before, &after).filter(|_| !self.reasons.is_empty()) {
            self.reasons.clear();
            self.fates.clear();
            self.left_alone.push(why);
        }
        let change = (!self.reasons.is_empty()).then_some(Change {
            attachment: attachment.clone(),
            before: Some(before.clone()),
            // A policy without statements is none.
            after: Some(after).filter(|after| !after.statements.is_empty()),
            reasons: self.reasons,
        });
        let mut statements = self.fates;
        if statements.len() != before.statements.len() {
            // Nothing of it is judged by itself.
            let open = StatementFate { fate: Fate::Open, because: self.left_alone.clone(), evidence: Vec::new() };
            statements = vec![open; before.statements.len()];
        }
        DocumentProposal { attachment, changes: change.into_iter().collect(), left_alone: self.left_alone, statements }
    }
}
