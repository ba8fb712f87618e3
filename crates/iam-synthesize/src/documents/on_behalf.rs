//! Services that use a resource on behalf of others: bound to what the snapshot shows they use it for.
//!
//! Follows the IAM topic "The confused deputy problem" and the Lambda topic "Granting function access to AWS services". A
//! service calls for any account that asks it to, unless `aws:SourceArn` or `aws:SourceAccount` says for whom. Where the
//! snapshot shows for what a service calls a resource, the statement is bound to that; that another account has no source
//! too is shown by nothing, so such a change is never proved to keep what is used.

use std::collections::BTreeSet;

use iam_model::arn::{AccountId, Arn};
use iam_model::condition::{Comparison, Condition, Operator};
use iam_model::policy::{PolicyDocument, Statement};
use iam_model::snapshot::{ResourceKind, SnapshotIndex};

use super::resource::{Resource, is_function};
use super::sources::{Source, sources};
use super::{Draft, condition, has_key};

const SOURCE_ARN: &str = "aws:SourceArn";
const SOURCE_ACCOUNT: &str = "aws:SourceAccount";
/// Conditions that say for whom a service calls. `aws:Referer` is what SES sends for the account, the token what Alexa sends
/// for the skill.
const BOUND: &[&str] = &[
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:SourceOwner",
    "aws:PrincipalOrgID",
    "aws:Referer",
    "kms:CallerAccount",
    "lambda:EventSourceToken",
    SOURCE_ACCOUNT,
];
/// How the conditions of keys start that say for what a service uses one: the log group, the trail.
const ENCRYPTED: &str = "kms:EncryptionContext:";
/// The one service whose source ARNs name no account, so that a deleted source's name is free for anyone.
const S3: &str = "s3.amazonaws.com";
/// Services that send no source, and what they send instead.
const OTHERWISE: &[(&str, &str)] = &[
    ("alexa-appkit.amazon.com", "add lambda:EventSourceToken with the skill's id"),
    ("alexa-connectedhome.amazon.com", "add lambda:EventSourceToken with the skill's id"),
];

impl Resource<'_, '_, '_> {
    /// A statement for one service.
    pub(super) fn of_service(&self, service: &str, statement: &Statement, draft: &mut Draft) {
        let index = self.ground.index;
        if is_bound(statement) {
            draft.statements.push(statement.clone());
        } else if !has_key(statement, SOURCE_ARN) {
            self.without_source(service, statement, draft);
        } else if let Some((buckets, owners)) = (service == S3).then(|| buckets(statement, index)).flatten() {
            let because = format!(
                "only for account {}, which has the bucket: a bucket's name is free for anyone once it is deleted",
                listed(&owners)
            );
            self.bound(vec![(statement.clone(), owners)], &because, &buckets, (statement, draft));
        } else {
            draft.statements.push(statement.clone());
        }
    }

    /// A service that may use the resource for anyone: bound to what the snapshot shows, if it shows anything.
    fn without_source(&self, service: &str, statement: &Statement, draft: &mut Draft) {
        let who = statement.sid.as_ref().map(|sid| format!("statement `{sid}`: ")).unwrap_or_default();
        let mut known = match sources(service, self.on, self.ground.index) {
            Ok(known) if !known.is_empty() => known,
            Ok(_) => {
                draft.left_alone.push(format!("{who}{}", self.advice(service)));
                draft.statements.push(statement.clone());
                return;
            }
            Err(why) => {
                draft.left_alone.push(format!("{who}{service} stays: {why}"));
                draft.statements.push(statement.clone());
                return;
            }
        };
        known.retain(|source| !self.has_its_own(source, statement));
        if known.is_empty() {
            draft.dropped(format!(
                "{service} for anyone: each source that the snapshot shows has a statement of its own; one that was not collected, or in another account, would no longer be let in"
            ));
            return;
        }
        let arns: Vec<String> = known.iter().map(|source| source.arn.clone()).collect();
        let because = format!(
            "{service} only for what the snapshot shows it is used for; a source that was not collected, or in another account, would no longer be let in"
        );
        let for_sources = |sources: &[Source]| {
            let mut narrowed = statement.clone();
            let arns = sources.iter().map(|source| source.arn.clone()).collect();
            narrowed.conditions.push(condition(Comparison::ArnLike, SOURCE_ARN, arns));
            let owners = sources.iter().filter(|_| service == S3).map(|source| source.account.clone()).collect();
            (narrowed, owners)
        };
        // A permission of a function names one source.
        let size = if is_function(self.on) { 1 } else { known.len() };
        let parts = known.chunks(size).map(for_sources).collect();
        self.bound(parts, &because, &arns, (statement, draft));
    }

    /// The statements that take the place of one, each for some accounts where there are any; the first has its `Sid`.
    fn bound(
        &self,
        parts: Vec<(Statement, BTreeSet<AccountId>)>,
        because: &str,
        evidence: &[String],
        (old, draft): (&Statement, &mut Draft),
    ) {
        let several = parts.len() > 1;
        for (at, (part, owners)) in parts.into_iter().enumerate() {
            let mut part = if owners.is_empty() { part } else { of_accounts(part, &owners) };
            if at == 0 {
                draft.narrowed(part, because.to_owned(), if several { Vec::new() } else { evidence.to_vec() });
            } else {
                let source = evidence.get(at).map_or("", |arn| arn.rsplit([':', '/']).next().unwrap_or_default());
                part = draft.named(part, &[source], (old, self.policy));
                draft.narrowed(part, "a statement of its own, as a permission names one source".into(), Vec::new());
            }
            if let (true, Some(source), Some(reason)) = (several, evidence.get(at), draft.reasons.last_mut()) {
                reason.evidence.push(source.clone());
            }
        }
    }

    /// Whether another statement lets a service in for a source already, for the same actions.
    fn has_its_own(&self, source: &Source, open: &Statement) -> bool {
        let bare = |statement: &Statement| {
            PolicyDocument::new(vec![Statement { sid: None, conditions: Vec::new(), ..statement.clone() }])
        };
        let asked = |one: &Condition| {
            let same = |other: &Condition| {
                other.operator == one.operator && other.key == one.key && texts(other) == texts(one)
            };
            open.conditions.iter().any(same) || is_source(one, &source.arn) || is_account(one, &source.account)
        };
        let says = |other: &Statement| {
            bare(other).same_text(&bare(open))
                && other.conditions.iter().all(asked)
                && other.conditions.iter().any(|one| is_source(one, &source.arn))
        };
        self.policy.statements.iter().any(says)
    }

    fn advice(&self, service: &str) -> String {
        let may = if is_function(self.on) { "invoke" } else { "use" };
        let account = self.account;
        let todo = OTHERWISE.iter().find(|(name, _)| *name == service).map_or_else(
            || {
                format!(
                    "add {SOURCE_ARN} with its source, or {SOURCE_ACCOUNT} \"{account}\" if no other account's is one"
                )
            },
            |(_, todo)| (*todo).to_owned(),
        );
        format!(
            "{service} may {may} it for any account; neither logs nor snapshot show every source, so it stays: {todo}"
        )
    }
}

/// Whether a statement says for whom a service calls, other than by a source.
fn is_bound(statement: &Statement) -> bool {
    let is_encrypted = |key: &str| key.get(..ENCRYPTED.len()).is_some_and(|head| head.eq_ignore_ascii_case(ENCRYPTED));
    BOUND.iter().any(|key| has_key(statement, key)) || statement.conditions.iter().any(|c| is_encrypted(c.key.as_str()))
}

fn texts(condition: &Condition) -> Vec<&str> {
    condition.values.iter().map(|value| value.value.as_str()).collect()
}

/// Whether an operator lets through what equals one of its values.
const fn is_equality(operator: &Operator) -> bool {
    use Comparison::{ArnEquals, ArnLike, StringEquals, StringLike};
    matches!(
        operator,
        Operator::Known { set: None, comparison: ArnEquals | ArnLike | StringEquals | StringLike, if_exists: false }
    )
}

fn is_source(one: &Condition, arn: &str) -> bool {
    one.key.as_str().eq_ignore_ascii_case(SOURCE_ARN)
        && is_equality(&one.operator)
        && one.values.iter().any(|value| value.value == arn)
}

fn is_account(one: &Condition, account: &AccountId) -> bool {
    one.key.as_str().eq_ignore_ascii_case(SOURCE_ACCOUNT)
        && is_equality(&one.operator)
        && one.values.iter().any(|value| value.value == account.as_str())
}

fn of_accounts(mut statement: Statement, accounts: &BTreeSet<AccountId>) -> Statement {
    let values = accounts.iter().map(ToString::to_string).collect();
    statement.conditions.push(condition(Comparison::StringEquals, SOURCE_ACCOUNT, values));
    statement
}

fn listed(accounts: &BTreeSet<AccountId>) -> String {
    accounts.iter().map(AccountId::as_str).collect::<Vec<_>>().join(", ")
}

/// The buckets a statement is bound to and the accounts that have them; nothing where one is not known to be there.
fn buckets(statement: &Statement, index: &SnapshotIndex<'_>) -> Option<(Vec<String>, BTreeSet<AccountId>)> {
    let source = statement.conditions.iter().find(|condition| {
        condition.key.as_str().eq_ignore_ascii_case(SOURCE_ARN) && is_equality(&condition.operator)
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
