//! Whom the replay cannot speak for: callers whose calls the logs of roles do not hold.
//!
//! A resource or trust policy also admits services, users, identity providers, whole accounts and everyone; a policy of
//! a user or a group is for users alone. Where a change takes something from these, that no replayed call is denied says
//! nothing about them. Decides only whether something is taken, never whether it was used.

use std::collections::BTreeSet;

use iam_evaluate::budget::{ALL, Budget};
use iam_evaluate::permission_set::{Inclusion, Limits, PermissionSet};
use iam_model::arn::{AccountId, Arn};
use iam_model::change::{AttachmentKind, Change};
use iam_model::condition::{Comparison, Condition, ConditionKey, Operator};
use iam_model::policy::{Effect, PolicyDocument, PrincipalElement, PrincipalPattern, Statement};
use iam_model::snapshot::SnapshotIndex;
use iam_model::text::{Span, Spanned};
use iam_model::usage::UsageLog;

use crate::{adds_nothing, before_after};

/// Callers that are asked about one by one, to say which of them lose something.
const ASKED: usize = 16;

/// What one of the changes takes from callers that the logs cannot show, in words; nothing where none does.
pub(super) fn loses(changes: &[&Change], index: &SnapshotIndex<'_>, usage: &UsageLog) -> Option<String> {
    let budget = Budget::new(ALL);
    changes.iter().find_map(|change| {
        let before = match change.attachment.kind {
            AttachmentKind::Resource | AttachmentKind::Trust => unlogged(change.before.as_ref()?, index, usage)?,
            AttachmentKind::Identity | AttachmentKind::Boundary if is_for_users(change, index) => {
                (change.before.clone().unwrap_or_default(), vec![Caller::of("users")])
            }
            AttachmentKind::VpcEndpoint => through_endpoint(change, usage),
            _ => return None,
        };
        let (before, callers) = before;
        let (_, after) = adds_nothing::compared(change.attachment.kind, None, change.after.as_ref());
        let after = PermissionSet::of_documents(&after);
        let loses = |before: &PolicyDocument| {
            let kept = PermissionSet::of_document(before).included_in(&after, Limits::of(&budget));
            !matches!(kept, Inclusion::Included(_))
        };
        loses(&before).then(|| {
            let alone = |caller: &&Caller| caller.principal.as_ref().is_none_or(|one| loses(&only(&before, one)));
            let mut losers: Vec<&Caller> = callers.iter().take(ASKED).filter(alone).collect();
            if losers.is_empty() || callers.len() > ASKED {
                losers = callers.iter().collect();
            }
            let who: BTreeSet<&str> = losers.into_iter().map(|caller| caller.words.as_str()).collect();
            format!(
                "the change of {} takes something from {}, whose calls the logs of roles do not hold",
                before_after::name(change),
                who.into_iter().collect::<Vec<_>>().join(", ")
            )
        })
    })
}

/// Someone whose calls the logs do not hold.
struct Caller {
    words: String,
    /// As a policy names it; nothing for all who are not named.
    principal: Option<PrincipalPattern>,
}

impl Caller {
    fn of(words: &str) -> Self {
        Self { words: words.to_owned(), principal: None }
    }
}

/// What a document allows to one principal.
fn only(document: &PolicyDocument, principal: &PrincipalPattern) -> PolicyDocument {
    let of_one = |statement: &Statement| {
        let Some(PrincipalElement::Principal(all)) = &statement.principal else { return Some(statement.clone()) };
        if statement.effect == Effect::Deny {
            return Some(statement.clone());
        }
        let one: Vec<_> = all.iter().filter(|entry| entry.value == *principal).cloned().collect();
        let principal = Some(PrincipalElement::Principal(one.clone()));
        (!one.is_empty()).then(|| Statement { principal, ..statement.clone() })
    };
    let statements = document.statements.iter().filter_map(of_one).collect();
    PolicyDocument { statements, ..document.clone() }
}

/// What an endpoint lets through of callers that are no roles of the accounts whose logs were read.
fn through_endpoint(change: &Change, usage: &UsageLog) -> (PolicyDocument, Vec<Caller>) {
    let (before, _) = adds_nothing::compared(AttachmentKind::VpcEndpoint, change.before.as_ref(), None);
    let mut before = before.into_iter().next().unwrap_or_default();
    let accounts: BTreeSet<&AccountId> = usage.seen_in.iter().map(|(account, _)| account).collect();
    let partition = change.attachment.resource_arn.as_ref().map_or("aws", Arn::partition);
    let roles = accounts.into_iter().map(|account| format!("arn:{partition}:iam::{account}:role/*"));
    let others = Condition {
        operator: Operator::Known { set: None, comparison: Comparison::ArnNotLike, if_exists: false },
        key: ConditionKey::new("aws:PrincipalArn"),
        values: roles.map(Spanned::synthetic).collect(),
        span: Span::default(),
    };
    if !others.values.is_empty() {
        let allows = before.statements.iter_mut().filter(|statement| statement.effect == Effect::Allow);
        allows.for_each(|statement| statement.conditions.push(others.clone()));
    }
    (before, vec![Caller::of("callers that are no roles of the accounts whose logs were read")])
}

/// Whether users hold the policy, alone or through a group.
fn is_for_users(change: &Change, index: &SnapshotIndex<'_>) -> bool {
    let is_user = |arn: &Arn| {
        arn.service() == "iam" && (arn.resource().starts_with("user/") || arn.resource().starts_with("group/"))
    };
    if let Some(principal) = &change.attachment.principal_arn {
        return is_user(principal);
    }
    let Some(policy) = change.attachment.policy_name.as_deref() else { return false };
    index.snapshot().accounts.values().any(|account| {
        let users = account.users.iter().map(|user| &user.identity);
        let mut held =
            users.chain(account.groups.iter().map(|group| &group.identity)).flat_map(|i| &i.attached_policies);
        held.any(|held| held.as_str() == policy)
    })
}

/// What a policy allows to callers other than roles by name whose account's logs were read, and who they are.
fn unlogged(
    document: &PolicyDocument,
    index: &SnapshotIndex<'_>,
    usage: &UsageLog,
) -> Option<(PolicyDocument, Vec<Caller>)> {
    let mut who = Vec::new();
    let mut statements = Vec::new();
    for statement in &document.statements {
        if statement.effect == Effect::Deny {
            statements.push(statement.clone());
        } else if let Some(part) = for_unlogged(statement, usage, &mut who) {
            statements.push(of_their_account(part, index));
        }
    }
    (!who.is_empty()).then(|| (PolicyDocument { statements, ..document.clone() }, who))
}

fn for_unlogged(statement: &Statement, usage: &UsageLog, who: &mut Vec<Caller>) -> Option<Statement> {
    let Some(PrincipalElement::Principal(principals)) = &statement.principal else {
        who.push(Caller::of("everyone who is not named"));
        return Some(statement.clone());
    };
    let others: Vec<_> = principals.iter().filter(|p| !is_logged_role(&p.value, usage)).cloned().collect();
    who.extend(
        others.iter().map(|other| Caller { words: in_words(&other.value), principal: Some(other.value.clone()) }),
    );
    let principal = Some(PrincipalElement::Principal(others.clone()));
    (!others.is_empty()).then(|| Statement { principal, ..statement.clone() })
}

/// A role by its name, of an account whose logs were read.
fn is_logged_role(principal: &PrincipalPattern, usage: &UsageLog) -> bool {
    let PrincipalPattern::Aws(text) = principal else { return false };
    let Ok(arn) = text.parse::<Arn>() else { return false };
    let is_role = match arn.service() {
        "iam" => arn.resource().starts_with("role/"),
        "sts" => arn.resource().starts_with("assumed-role/"),
        _ => false,
    };
    is_role && arn.account().is_some_and(|account| is_read(&account, usage))
}

/// Whether logs of an account were read; older usage logs do not say, but for whose calls they hold.
fn is_read(account: &AccountId, usage: &UsageLog) -> bool {
    let holds = || usage.principals.keys().any(|arn| arn.account().as_ref() == Some(account));
    usage.seen_in.iter().any(|(seen, _)| seen == account) || (usage.seen_in.is_empty() && holds())
}

fn in_words(principal: &PrincipalPattern) -> String {
    match principal {
        PrincipalPattern::Everyone => "everyone".into(),
        PrincipalPattern::Aws(text) | PrincipalPattern::Service(text) | PrincipalPattern::Federated(text) => {
            text.clone()
        }
        PrincipalPattern::CanonicalUser(_) => "a canonical user".into(),
        PrincipalPattern::Unknown { kind, value } => format!("{kind} {value}"),
    }
}

/// S3 that acts for buckets of the snapshot, and for no others, acts for their accounts: what it sends as
/// `aws:SourceAccount` is known, as a bucket has one owner.
fn of_their_account(mut statement: Statement, index: &SnapshotIndex<'_>) -> Statement {
    let Some(PrincipalElement::Principal(principals)) = &statement.principal else { return statement };
    if !principals.iter().all(|p| p.value == PrincipalPattern::Service("s3.amazonaws.com".into())) {
        return statement;
    }
    let source = ConditionKey::new("aws:SourceArn");
    let owners = statement.conditions.iter().filter(|c| c.key == source && is_equality(&c.operator)).find_map(|c| {
        let owners: Option<Vec<String>> = c.values.iter().map(|value| owner(&value.value, index)).collect();
        owners.filter(|owners| !owners.is_empty())
    });
    if let Some(owners) = owners {
        statement.conditions.push(Condition {
            operator: Operator::Known { set: None, comparison: Comparison::StringEquals, if_exists: false },
            key: ConditionKey::new("aws:SourceAccount"),
            values: owners.into_iter().map(Spanned::synthetic).collect(),
            span: Span::default(),
        });
    }
    statement
}

const fn is_equality(operator: &Operator) -> bool {
    use Comparison::{ArnEquals, ArnLike, StringEquals, StringLike};
    matches!(
        operator,
        Operator::Known { set: None, comparison: ArnEquals | ArnLike | StringEquals | StringLike, if_exists: false }
    )
}

/// The account of the snapshot that has the bucket.
fn owner(bucket: &str, index: &SnapshotIndex<'_>) -> Option<String> {
    let arn: Arn = bucket.parse().ok()?;
    if arn.service() != "s3" || bucket.contains(['*', '?', '$']) {
        return None;
    }
    let mut accounts = index.snapshot().accounts.iter();
    accounts.find(|(_, account)| account.resources.iter().any(|r| r.arn == arn)).map(|(id, _)| id.to_string())
}
