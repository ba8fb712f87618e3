//! Policies that name principals: roles' trust policies, resources' own and VPC endpoints', each as narrow as evidence and
//! snapshot allow.
//!
//! A statement changes only where the logs could have shown the use of what goes, or where the snapshot alone shows
//! what it is used for. All else stays, with the reason why. Identity policies are proposed elsewhere.

mod boundary;
mod draft;
mod endpoint;
mod on_behalf;
mod resource;
mod roles;
mod services;
mod silent;
mod sources;
mod trust;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use iam_model::arn::{AccountId, Arn};
use iam_model::change::{Attachment, AttachmentKind, Change};
use iam_model::condition::{Comparison, Condition, ConditionKey, Operator};
use iam_model::policy::{PolicyDocument, PrincipalPattern, Statement};
use iam_model::quota::QuotaProfile;
use iam_model::snapshot::{Role, SnapshotIndex};
use iam_model::text::{Span, Spanned};

use self::draft::Draft;
use crate::needs::{Evidence, Rules};
use crate::propose::existing;

/// What is proposed for one policy of a role's trust, a resource, a boundary or a VPC endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentProposal {
    /// Which policy.
    pub attachment: Attachment,
    /// The change, once for each place that has the policy; empty where it stays as it is.
    pub changes: Vec<Change>,
    /// What is wider than it looks, and why it stays.
    pub left_alone: Vec<String>,
    /// What becomes of each statement of the policy as it is, in their order.
    pub statements: Vec<StatementFate>,
}

impl DocumentProposal {
    /// The role or the resource that the policy stands on.
    #[must_use]
    pub fn subject(&self) -> Option<&Arn> {
        self.attachment.resource_arn.as_ref().or(self.attachment.principal_arn.as_ref())
    }

    /// Whether there is anything to say: a change, or something wide that stays.
    #[must_use]
    pub const fn says(&self) -> bool {
        !self.changes.is_empty() || !self.left_alone.is_empty()
    }
}

/// What becomes of one statement of a policy that names principals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementFate {
    /// What becomes of it.
    pub fate: Fate,
    /// Why, a line each; nothing where it stays and no more is to be said.
    pub because: Vec<String>,
    /// What was seen of its use, or what the snapshot shows it is for.
    pub evidence: Vec<String>,
}

/// What becomes of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It stays as it is written: all of it is known to be used, or it is not for anyone who is judged.
    Stays,
    /// It gets narrower.
    Narrowed,
    /// It goes.
    Dropped,
    /// It stays, at least for some of those it names, as nobody can tell.
    Open,
}

impl Fate {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stays => "stays",
            Self::Narrowed => "narrowed",
            Self::Dropped => "dropped",
            Self::Open => "open",
        }
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
    let resources = policies.map(|(id, (arn, policy))| resource::propose(arn, policy, id, &ground));
    let endpoints = index.snapshot().accounts.values().flat_map(|account| &account.vpc_endpoints);
    let endpoints = endpoints.filter_map(|(arn, held)| endpoint::propose(arn, held, &ground));
    trust.chain(resources).chain(endpoints).filter(DocumentProposal::says).collect()
}

/// What there is to say of the policy of one resource or VPC endpoint, or of a role's trust, be it that nothing changes;
/// nothing where the snapshot holds no such policy.
#[must_use]
pub fn document_of(
    arn: &Arn,
    index: &SnapshotIndex<'_>,
    evidence: &Evidence<'_>,
    (rules, quotas): (&Rules, &QuotaProfile),
) -> Option<DocumentProposal> {
    let existing = existing(index);
    let ground = Ground { index, evidence, rules, quotas, existing: &existing };
    if let Some(role) = index.role(arn) {
        return trust::propose(role, &ground);
    }
    if let Some(endpoint) = index.vpc_endpoint(arn) {
        return endpoint::propose(arn, endpoint, &ground);
    }
    let mut accounts = index.snapshot().accounts.iter();
    let (id, policy) = accounts.find_map(|(id, account)| Some((id, account.resource_policies.get(arn)?)))?;
    Some(resource::propose(arn, policy, id, &ground))
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

/// The account that an entry names as a whole: its root's ARN, or its bare id.
fn whole_account(principal: &PrincipalPattern) -> Option<AccountId> {
    let PrincipalPattern::Aws(name) = principal else { return None };
    name.parse().ok().or_else(|| {
        let arn: Arn = name.parse().ok()?;
        (arn.service() == "iam" && arn.resource() == "root").then(|| arn.account()).flatten()
    })
}
