//! Policies that name principals: roles' trust policies and functions' permissions, each as narrow as is known to be safe.
//!
//! A statement changes only where the logs could have shown the use of what goes, or where the snapshot alone shows
//! that nothing of use goes. All else stays, with the reason why. Identity policies are proposed elsewhere.

mod function;
mod trust;

#[cfg(test)]
mod tests;

use iam_model::arn::Arn;
use iam_model::change::{Attachment, AttachmentKind, Change, Reason};
use iam_model::condition::{Comparison, Condition, ConditionKey, Operator};
use iam_model::policy::{PolicyDocument, Statement};
use iam_model::snapshot::{Role, SnapshotIndex};
use iam_model::text::{Span, Spanned};

use crate::needs::{Evidence, Rules};

/// What is proposed for one trust or resource policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentProposal {
    /// Which policy.
    pub attachment: Attachment,
    /// The change; nothing where the policy stays as it is.
    pub change: Option<Change>,
    /// What is wider than it looks, and why it stays.
    pub left_alone: Vec<String>,
}

impl DocumentProposal {
    /// The role or the resource that the policy stands on.
    #[must_use]
    pub fn subject(&self) -> Option<&Arn> {
        self.attachment.resource_arn.as_ref().or(self.attachment.principal_arn.as_ref())
    }
}

/// Narrows the trust policies of `roles`, and the permissions of all functions; what has nothing to say is left out.
#[must_use]
pub fn documents(
    roles: &[&Role],
    index: &SnapshotIndex<'_>,
    evidence: &Evidence<'_>,
    rules: &Rules,
) -> Vec<DocumentProposal> {
    let trust = roles.iter().filter_map(|role| trust::propose(role, index, evidence, rules));
    let functions = (index.snapshot().accounts.iter()).flat_map(|(account, described)| {
        let policies = described.resource_policies.iter().filter(|(arn, _)| function::is_function(arn));
        policies.filter_map(move |(arn, policy)| function::propose(arn, policy, account, index))
    });
    trust.chain(functions).collect()
}

/// A document being narrowed.
struct Draft {
    statements: Vec<Statement>,
    reasons: Vec<Reason>,
    left_alone: Vec<String>,
}

impl Draft {
    const fn new() -> Self {
        Self { statements: Vec::new(), reasons: Vec::new(), left_alone: Vec::new() }
    }

    /// Keeps a statement, narrowed, for a reason.
    fn narrowed(&mut self, statement: Statement, because: String, evidence: Vec<String>) {
        self.reasons.push(Reason { statement: Some(self.statements.len()), because, evidence });
        self.statements.push(statement);
    }

    /// The proposal; nothing where nothing is said.
    fn finish(self, attachment: Attachment, before: &PolicyDocument) -> Option<DocumentProposal> {
        let change = (!self.reasons.is_empty()).then(|| Change {
            attachment: attachment.clone(),
            before: Some(before.clone()),
            after: Some(PolicyDocument { statements: self.statements, ..before.clone() }),
            reasons: self.reasons,
        });
        let says = change.is_some() || !self.left_alone.is_empty();
        says.then_some(DocumentProposal { attachment, change, left_alone: self.left_alone })
    }
}

fn attachment(kind: AttachmentKind, principal: Option<&Arn>, resource: Option<&Arn>) -> Attachment {
    Attachment {
        kind,
        principal_arn: principal.cloned(),
        resource_arn: resource.cloned(),
        logical_id: None,
        address: None,
        policy_name: None,
        index: None,
    }
}

fn understood(document: &PolicyDocument) -> bool {
    document.unknown.is_empty() && document.statements.iter().all(|statement| statement.unknown.is_empty())
}

fn condition(comparison: Comparison, key: &str, values: Vec<String>) -> Condition {
    Condition {
        operator: Operator::Known { set: None, comparison, if_exists: false },
        key: ConditionKey::new(key),
        values: values.into_iter().map(Spanned::synthetic).collect(),
        span: Span::default(),
    }
}

fn has_key(statement: &Statement, key: &str) -> bool {
    statement.conditions.iter().any(|condition| condition.key == ConditionKey::new(key))
}
