//! Policies that name principals: roles' trust policies, resources' own and VPC endpoints', each as narrow as evidence and
//! snapshot allow.
//!
//! A statement changes only where the logs could have shown the use of what goes, or where the snapshot alone shows
//! what it is used for. All else stays, with the reason why. Identity policies are proposed elsewhere.

mod boundary;
mod endpoint;
mod resource;
mod roles;
mod services;
mod sources;
mod trust;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use iam_model::arn::{AccountId, Arn};
use iam_model::change::{Attachment, AttachmentKind, Change, Reason};
use iam_model::condition::{Comparison, Condition, ConditionKey, Operator};
use iam_model::policy::{PolicyDocument, PrincipalPattern, Statement, compact_len};
use iam_model::quota::QuotaProfile;
use iam_model::snapshot::{Role, SnapshotIndex};
use iam_model::text::{Span, Spanned};

use crate::infer::was_seen;
use crate::needs::{Evidence, Rules};
use crate::propose::existing;
use crate::{life, unresolved};

/// What is proposed for one policy of a role's trust, a resource, a boundary or a VPC endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentProposal {
    /// Which policy.
    pub attachment: Attachment,
    /// The change, once for each place that has the policy; empty where it stays as it is.
    pub changes: Vec<Change>,
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

pub use boundary::boundaries;

/// Narrows the trust policies of `roles`, and the policies of all resources and VPC endpoints, within the quotas; what has nothing to say is left out.
#[must_use]
pub fn documents(
    roles: &[&Role],
    index: &SnapshotIndex<'_>,
    evidence: &Evidence<'_>,
    (rules, quotas): (&Rules, &QuotaProfile),
) -> Vec<DocumentProposal> {
    let existing = existing(index);
    let ground = Ground { index, evidence, rules, quotas, existing: &existing };
    let trust = roles.iter().filter_map(|role| trust::propose(role, &ground));
    let accounts = index.snapshot().accounts.iter();
    let policies = accounts.flat_map(|(id, account)| account.resource_policies.iter().map(move |held| (id, held)));
    let resources = policies.filter_map(|(id, (arn, policy))| resource::propose(arn, policy, id, &ground));
    let endpoints = index.snapshot().accounts.values().flat_map(|account| &account.vpc_endpoints);
    let endpoints = endpoints.filter_map(|(arn, held)| endpoint::propose(arn, held, &ground));
    trust.chain(resources).chain(endpoints).collect()
}

/// What policies are judged on.
struct Ground<'g, 'a> {
    index: &'g SnapshotIndex<'a>,
    evidence: &'g Evidence<'g>,
    rules: &'g Rules,
    quotas: &'g QuotaProfile,
    /// Resources the accounts are known to have.
    existing: &'g BTreeSet<&'g Arn>,
}

impl Ground<'_, '_> {
    /// Why the silence of a role tells nothing, as it does not where its own policies are proposed for.
    fn is_silent(&self, role: &Arn) -> Option<String> {
        let described = self.index.role(role)?;
        if !was_seen(role, self.evidence.usage) {
            return Some("the logs hold no authorised call of this role".into());
        }
        unresolved::why_not(role, self.evidence.usage)
            .or_else(|| life::why_not(described, self.index, self.evidence, self.rules))
    }

    /// Whether logs of an account were read that hold whatever its trails can record; the error says why not.
    fn is_logged(&self, account: &AccountId) -> Result<(), String> {
        let trails = self.evidence.coverage.accounts.get(account);
        if !self.evidence.usage.seen_in.iter().any(|(seen, _)| seen == account) {
            return Err(format!("no log of account {account} was read"));
        }
        let (coverage, asked) = (self.evidence.coverage, self.rules.min_days);
        if coverage.days_of(account) < asked {
            return Err(format!("{}, and {asked} are asked for", coverage.describe_days_of(account)));
        }
        let whole = trails.is_some_and(|t| t.management_read && t.management_write && t.regions.is_none());
        if whole { Ok(()) } else { Err(format!("the trails of account {account} do not record it in every region")) }
    }
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

    /// Takes something away, for a reason.
    fn dropped(&mut self, because: String) {
        self.reasons.push(Reason { statement: None, because, evidence: Vec::new() });
    }

    /// The proposal within a quota of characters; nothing where nothing is said.
    fn finish(mut self, attachment: Attachment, before: &PolicyDocument, most: usize) -> Option<DocumentProposal> {
        let after = PolicyDocument { statements: std::mem::take(&mut self.statements), ..before.clone() };
        if !self.reasons.is_empty() && compact_len(&after) > most.max(compact_len(before)) {
            self.reasons.clear();
            self.left_alone
                .push(format!("narrowed, it would take more than the {most} characters it may have; so it stays"));
        }
        let change = (!self.reasons.is_empty()).then_some(Change {
            attachment: attachment.clone(),
            before: Some(before.clone()),
            // A policy without statements is none.
            after: Some(after).filter(|after| !after.statements.is_empty()),
            reasons: self.reasons,
        });
        let says = change.is_some() || !self.left_alone.is_empty();
        let changes = change.into_iter().collect();
        says.then_some(DocumentProposal { attachment, changes, left_alone: self.left_alone })
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

fn text(principal: &PrincipalPattern) -> &str {
    match principal {
        PrincipalPattern::Everyone => "*",
        PrincipalPattern::Aws(text)
        | PrincipalPattern::Service(text)
        | PrincipalPattern::Federated(text)
        | PrincipalPattern::CanonicalUser(text)
        | PrincipalPattern::Unknown { value: text, .. } => text,
    }
}

/// The account that an entry names as a whole: its root's ARN, or its bare id.
fn whole_account(principal: &PrincipalPattern) -> Option<AccountId> {
    let PrincipalPattern::Aws(name) = principal else { return None };
    name.parse().ok().or_else(|| {
        let arn: Arn = name.parse().ok()?;
        (arn.service() == "iam" && arn.resource() == "root").then(|| arn.account()).flatten()
    })
}
