//! Permissions of Lambda functions: which service may invoke them, and on whose behalf.
//!
//! Follows the Lambda topic "Granting function access to AWS services" and the IAM topic "The confused deputy problem". A
//! service invokes for any account that asks it to, unless `aws:SourceArn` or `aws:SourceAccount` says for whom. What an
//! account sends to a function is told by that account alone, so a statement without either condition is shown, with what
//! to add, and never changed: a source in another account would break unseen.

use std::collections::BTreeSet;

use iam_model::arn::{AccountId, Arn};
use iam_model::change::AttachmentKind;
use iam_model::condition::{Comparison, Operator};
use iam_model::policy::{Effect, PolicyDocument, PrincipalElement, PrincipalPattern, Statement};
use iam_model::snapshot::{ResourceKind, SnapshotIndex};

use super::{DocumentProposal, Draft, attachment, condition, has_key, understood};

const SOURCE_ARN: &str = "aws:SourceArn";
const SOURCE_ACCOUNT: &str = "aws:SourceAccount";
/// The one service whose source ARNs name no account, so that a deleted source's name is free for anyone.
const S3: &str = "s3.amazonaws.com";

/// Whether a resource policy stands on a function, or on a version or alias of one.
pub(super) fn is_function(arn: &Arn) -> bool {
    arn.service() == "lambda" && arn.resource().starts_with("function:")
}

pub(super) fn propose(
    function: &Arn,
    policy: &PolicyDocument,
    account: &AccountId,
    index: &SnapshotIndex<'_>,
) -> Option<DocumentProposal> {
    let place = attachment(AttachmentKind::Resource, None, Some(function));
    let mut draft = Draft::new();
    if !understood(policy) {
        draft.left_alone.push("the policy is not understood whole, so it stays as it is".into());
        return draft.finish(place, policy);
    }
    for statement in &policy.statements {
        match only_service(statement) {
            Some(service) => of_service(service, statement, account, index, &mut draft),
            None => draft.statements.push(statement.clone()),
        }
    }
    draft.finish(place, policy)
}

/// The one service that a statement allows something.
fn only_service(statement: &Statement) -> Option<&str> {
    match (&statement.effect, &statement.principal) {
        (Effect::Allow, Some(PrincipalElement::Principal(principals))) => match principals.as_slice() {
            [only] => match &only.value {
                PrincipalPattern::Service(name) => Some(name),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

fn of_service(service: &str, statement: &Statement, account: &AccountId, index: &SnapshotIndex<'_>, draft: &mut Draft) {
    let bound = ["aws:SourceOrgID", "aws:SourceOrgPaths", "aws:PrincipalOrgID", SOURCE_ACCOUNT];
    if bound.into_iter().any(|key| has_key(statement, key)) {
        draft.statements.push(statement.clone());
    } else if !has_key(statement, SOURCE_ARN) {
        let who = statement.sid.as_ref().map(|sid| format!("statement `{sid}`: ")).unwrap_or_default();
        draft.left_alone.push(format!(
            "{who}{service} may invoke it for any account; neither logs nor snapshot show every source, so it stays: add \
             {SOURCE_ARN} with its source, or {SOURCE_ACCOUNT} \"{account}\" if no other account's is one"
        ));
        draft.statements.push(statement.clone());
    } else if let Some((buckets, owners)) = (service == S3).then(|| buckets(statement, index)).flatten() {
        let mut narrowed = statement.clone();
        let values = owners.iter().map(ToString::to_string).collect();
        narrowed.conditions.push(condition(Comparison::StringEquals, SOURCE_ACCOUNT, values));
        let owners: Vec<&str> = owners.iter().map(AccountId::as_str).collect();
        let because = format!(
            "only for account {}, which has the bucket: a bucket's name is free for anyone once it is deleted",
            owners.join(", ")
        );
        draft.narrowed(narrowed, because, buckets);
    } else {
        draft.statements.push(statement.clone());
    }
}

/// The buckets a statement is bound to and the accounts that have them; nothing where one is not known to be there.
fn buckets(statement: &Statement, index: &SnapshotIndex<'_>) -> Option<(Vec<String>, BTreeSet<AccountId>)> {
    let source = statement.conditions.iter().find(|condition| {
        condition.key.as_str().eq_ignore_ascii_case(SOURCE_ARN)
            && matches!(
                condition.operator,
                Operator::Known {
                    set: None,
                    comparison: Comparison::StringEquals
                        | Comparison::StringLike
                        | Comparison::ArnEquals
                        | Comparison::ArnLike,
                    if_exists: false,
                }
            )
    })?;
    let mut owners = BTreeSet::new();
    let mut names = Vec::new();
    for value in &source.values {
        let bucket: Arn = value.value.parse().ok()?;
        let has = |resource: &iam_model::snapshot::Resource| {
            resource.kind == ResourceKind::S3Bucket && resource.arn == bucket
        };
        let (owner, _) = (index.snapshot().accounts.iter()).find(|(_, account)| account.resources.iter().any(has))?;
        owners.insert(owner.clone());
        names.push(bucket.to_string());
    }
    (!names.is_empty()).then_some((names, owners))
}
