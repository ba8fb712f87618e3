//! Policies on resources: functions, buckets, queues, topics, keys, secrets. Who may use them, and on whose behalf.
//!
//! Follows the IAM topic "The confused deputy problem" and the Lambda topic "Granting function access to AWS services". A
//! service calls for any account that asks it to, unless `aws:SourceArn` or `aws:SourceAccount` says for whom. Where the
//! snapshot shows for what a service calls a resource, the statement is bound to that; that another account has no source
//! too is shown by nothing, so such a change is never proved to keep what is used. Roles are judged next door.

use std::collections::BTreeSet;

use iam_model::arn::{AccountId, Arn};
use iam_model::change::AttachmentKind;
use iam_model::condition::{Comparison, Operator};
use iam_model::policy::{Effect, PolicyDocument, PrincipalElement, PrincipalPattern, Statement};
use iam_model::snapshot::{ResourceKind, SnapshotIndex};

use super::roles::Used;
use super::sources::sources;
use super::{DocumentProposal, Draft, Ground, attachment, condition, has_key, text, understood, whole_account};

const SOURCE_ARN: &str = "aws:SourceArn";
const SOURCE_ACCOUNT: &str = "aws:SourceAccount";
/// Conditions that say for whom a service calls.
const BOUND: &[&str] =
    &["aws:SourceOrgID", "aws:SourceOrgPaths", "aws:PrincipalOrgID", SOURCE_ACCOUNT, "kms:CallerAccount"];
/// The one service whose source ARNs name no account, so that a deleted source's name is free for anyone.
const S3: &str = "s3.amazonaws.com";

pub(super) fn propose(
    on: &Arn,
    policy: &PolicyDocument,
    account: &AccountId,
    ground: &Ground<'_, '_>,
) -> Option<DocumentProposal> {
    let place = attachment(AttachmentKind::Resource, None, Some(on));
    let mut draft = Draft::new();
    if !understood(policy) {
        draft.left_alone.push("the policy is not understood whole, so it stays as it is".into());
        return draft.finish(place, policy, ground.quotas.resource);
    }
    let resource = Resource { on, policy, account, ground };
    for statement in &policy.statements {
        resource.statement(statement, &mut draft);
    }
    if on.service() == "kms" && draft.statements.is_empty() {
        draft = Draft::new();
        draft
            .left_alone
            .push("nothing of it is known to be used; a key cannot be without a policy, so it stays".into());
    }
    draft.finish(place, policy, ground.quotas.resource)
}

/// A resource with a policy.
struct Resource<'r, 'g, 'a> {
    on: &'r Arn,
    policy: &'r PolicyDocument,
    account: &'r AccountId,
    ground: &'r Ground<'g, 'a>,
}

impl Resource<'_, '_, '_> {
    fn statement(&self, statement: &Statement, draft: &mut Draft) {
        match (&statement.effect, &statement.principal) {
            (Effect::Allow, Some(PrincipalElement::Principal(principals))) => match principals.as_slice() {
                [only] if matches!(only.value, PrincipalPattern::Service(_)) => {
                    self.of_service(text(&only.value), statement, draft);
                }
                _ => self.of_several(statement, principals.iter().map(|p| &p.value).collect(), draft),
            },
            _ => draft.statements.push(statement.clone()),
        }
    }

    /// A statement for one service.
    fn of_service(&self, service: &str, statement: &Statement, draft: &mut Draft) {
        let index = self.ground.index;
        if BOUND.iter().any(|key| has_key(statement, key)) {
            draft.statements.push(statement.clone());
        } else if !has_key(statement, SOURCE_ARN) {
            self.without_source(service, statement, draft);
        } else if let Some((buckets, owners)) = (service == S3).then(|| buckets(statement, index)).flatten() {
            let because = format!(
                "only for account {}, which has the bucket: a bucket's name is free for anyone once it is deleted",
                listed(&owners)
            );
            draft.narrowed(of_accounts(statement.clone(), &owners), because, buckets);
        } else {
            draft.statements.push(statement.clone());
        }
    }

    /// A service that may use the resource for anyone: bound to what the snapshot shows, if it shows anything.
    fn without_source(&self, service: &str, statement: &Statement, draft: &mut Draft) {
        let known = sources(service, self.on, self.ground.index);
        if known.is_empty() {
            let who = statement.sid.as_ref().map(|sid| format!("statement `{sid}`: ")).unwrap_or_default();
            let may = if is_function(self.on) { "invoke" } else { "use" };
            let account = self.account;
            draft.left_alone.push(format!(
                "{who}{service} may {may} it for any account; neither logs nor snapshot show every source, so it stays: add \
                 {SOURCE_ARN} with its source, or {SOURCE_ACCOUNT} \"{account}\" if no other account's is one"
            ));
            draft.statements.push(statement.clone());
            return;
        }
        let arns: Vec<String> = known.iter().map(|source| source.arn.clone()).collect();
        let mut narrowed = statement.clone();
        narrowed.conditions.push(condition(Comparison::ArnLike, SOURCE_ARN, arns.clone()));
        if service == S3 {
            narrowed = of_accounts(narrowed, &known.into_iter().map(|source| source.account).collect());
        }
        let because = format!(
            "{service} only for what the snapshot shows it is used for; a source that was not collected, or in another account, would no longer be let in"
        );
        draft.narrowed(narrowed, because, arns);
    }

    /// A statement for several, or for one that is no service: each role as far as it was seen, the others as they are.
    fn of_several(&self, statement: &Statement, principals: Vec<&PrincipalPattern>, draft: &mut Draft) {
        let roles: BTreeSet<Arn> = principals.iter().filter_map(|principal| self.ground.role(principal)).collect();
        for other in principals.iter().filter(|principal| self.ground.role(principal).is_none()) {
            draft.left_alone.extend(self.why_other_stays(other, statement));
        }
        let why = if roles.is_empty() { Some(None) } else { self.why_not(statement).map(Some) };
        if let Some(why) = why {
            draft.left_alone.extend(why);
            draft.statements.push(statement.clone());
            return;
        }
        let days = self.ground.evidence.coverage.days;
        let mut groups: Vec<Group<'_>> = Vec::new();
        let mut gone = Vec::new();
        for principal in principals {
            let used = match self.ground.role(principal) {
                None => Used::Parts(vec![statement.clone()]),
                Some(role) => self.ground.used(&role, self.on, self.policy, statement),
            };
            let parts = match used {
                Used::Open(why) => {
                    draft.left_alone.push(format!("{} stays: {why}", text(principal)));
                    vec![statement.clone()]
                }
                Used::Parts(parts) if parts.is_empty() => {
                    gone.push(text(principal));
                    continue;
                }
                Used::Parts(parts) => parts,
            };
            match groups.iter_mut().find(|group| group.parts == parts) {
                Some(group) => group.principals.push(principal),
                None => groups.push(Group { principals: vec![principal], parts }),
            }
        }
        if !gone.is_empty() {
            draft.dropped(format!("no longer allowed, not seen to use it in {days} days: {}", gone.join(", ")));
        }
        let mut written = 0;
        for Group { principals, parts } in groups {
            for part in parts {
                written += 1;
                let narrower = part != *statement;
                let part = for_principals(part, &principals, statement, written);
                if narrower {
                    let who: Vec<&str> = principals.iter().map(|principal| text(principal)).collect();
                    draft.narrowed(
                        part,
                        format!("only what was seen in {days} days of {}", who.join(", ")),
                        Vec::new(),
                    );
                } else {
                    draft.statements.push(part);
                }
            }
        }
    }

    /// Why nothing may be said of the roles of a statement.
    fn why_not(&self, statement: &Statement) -> Option<String> {
        let (days, asked) = (self.ground.evidence.coverage.days, self.ground.rules.min_days);
        if days == 0 || days < asked {
            return Some(format!("the logs span {days} days, and {asked} are asked for before a role's use is cut"));
        }
        let manages = self.on.service() == "kms" && super::roles::allows(statement, "kms:PutKeyPolicy");
        manages.then(|| "who may change a key's policy stays: a key that none may change is lost".into())
    }

    fn why_other_stays(&self, other: &PrincipalPattern, statement: &Statement) -> Option<String> {
        let name = text(other);
        let bound = !statement.conditions.is_empty();
        match other {
            PrincipalPattern::Everyone if bound => None,
            PrincipalPattern::Everyone => Some("everyone stays: name who is meant, by hand".into()),
            PrincipalPattern::Service(_) if bound => None,
            _ => match whole_account(other) {
                // The account itself: its identity policies decide.
                Some(account) if account == *self.account => None,
                Some(account) => Some(format!("the whole account {account} stays: its calls are not known by role")),
                None => Some(format!("{name} stays: it is no role of the snapshot, so its calls are not known")),
            },
        }
    }
}

/// Principals that keep the same statements.
struct Group<'p> {
    principals: Vec<&'p PrincipalPattern>,
    parts: Vec<Statement>,
}

/// A part of a statement, for some of its principals; further parts get a `Sid` of their own.
fn for_principals(mut part: Statement, principals: &[&PrincipalPattern], old: &Statement, number: usize) -> Statement {
    if let Some(PrincipalElement::Principal(all)) = &old.principal {
        let own = all.iter().filter(|principal| principals.contains(&&principal.value)).cloned().collect();
        part.principal = Some(PrincipalElement::Principal(own));
    }
    if number > 1 {
        part.sid = old.sid.as_ref().map(|sid| format!("{sid}{number}"));
    }
    part
}

/// Whether a resource policy stands on a function, or on a version or alias of one.
pub(super) fn is_function(arn: &Arn) -> bool {
    arn.service() == "lambda" && arn.resource().starts_with("function:")
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
