//! What a question is about, by name: shown in reports, matched by waivers, compared before and after a change.

use std::fmt;

use iam_model::action::ActionPattern;
use iam_model::arn::{AccountId, Arn, ResourcePattern};

use super::facts::{Caller, Question, QuestionKind};
use super::name::{GuardrailName, ProviderName, PullRequestName, ServicePrincipal};
use super::pattern::covers;

/// Whom a question is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A role, by ARN.
    Role(Arn),
    /// A function, by ARN.
    Function(Arn),
    /// A pull request.
    PullRequest(PullRequestName),
    /// A guardrail policy.
    Guardrail(GuardrailName),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(arn) | Self::Function(arn) => arn.fmt(f),
            Self::PullRequest(name) => name.fmt(f),
            Self::Guardrail(name) => name.fmt(f),
        }
    }
}

/// The other side of a question, where it has one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counterpart {
    /// An action on a resource.
    Permission {
        /// The action, as the statement writes it.
        action: ActionPattern,
        /// The resource, as the statement writes it.
        resource: ResourcePattern,
    },
    /// A function that runs as the role.
    Function(Arn),
    /// A role, passed or calling.
    Role(Arn),
    /// A calling account.
    Account(AccountId),
    /// A calling service.
    Service(ServicePrincipal),
    /// A calling identity provider.
    Provider(ProviderName),
    /// Every caller.
    Anyone,
}

impl fmt::Display for Counterpart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Permission { action, resource } => write!(f, "{action} on {resource}"),
            Self::Function(arn) | Self::Role(arn) => arn.fmt(f),
            Self::Account(id) => id.fmt(f),
            Self::Service(name) => name.fmt(f),
            Self::Provider(name) => name.fmt(f),
            Self::Anyone => f.write_str("anyone"),
        }
    }
}

/// What a rule objects to: `<subject> <question> <counterpart>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// Whom it is about.
    pub subject: Subject,
    /// Which question was asked.
    pub question: QuestionKind,
    /// The other side.
    pub counterpart: Option<Counterpart>,
}

impl Object {
    /// Whether this object contains another: the same subject and question, and nothing on the other side that this
    /// one does not match. `s3:*` on `*` contains `s3:GetObject` on one bucket.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        if self.subject != other.subject || self.question != other.question {
            return false;
        }
        match (&self.counterpart, &other.counterpart) {
            (
                Some(Counterpart::Permission { action: wide, resource: wide_on }),
                Some(Counterpart::Permission { action, resource }),
            ) => covers_permission((wide, wide_on), (action, resource)),
            (mine, theirs) => mine == theirs,
        }
    }
}

/// Whether one action pattern on one resource pattern includes another.
#[must_use]
pub fn covers_permission(
    (wide, wide_on): (&ActionPattern, &ResourcePattern),
    (action, resource): (&ActionPattern, &ResourcePattern),
) -> bool {
    let fold = |action: &ActionPattern| action.as_str().to_ascii_lowercase();
    covers(&fold(wide), &fold(action)) && covers(wide_on.as_str(), resource.as_str())
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.subject, self.question.as_str())?;
        self.counterpart.as_ref().map_or(Ok(()), |counterpart| write!(f, " {counterpart}"))
    }
}

impl Object {
    /// The object as a sentence for people. Waivers match the other form, of [`fmt::Display`].
    #[must_use]
    pub fn in_words(&self) -> String {
        let subject = &self.subject;
        let other = self.counterpart.as_ref().map(Counterpart::in_words).unwrap_or_default();
        match self.question {
            QuestionKind::Grant => format!("{subject} is granted {other}"),
            QuestionKind::Keep => format!("{subject} keeps {other}"),
            QuestionKind::Remove => format!("{subject} loses {other}"),
            QuestionKind::Share => format!("{subject} is the role of {other}, and of another function"),
            QuestionKind::Pass => format!("{subject} may pass {other}"),
            QuestionKind::Assume => format!("{subject} can be assumed by {other}"),
            QuestionKind::Invoke => format!("{subject} can be invoked by {other}"),
            QuestionKind::Merge => format!("merging {subject}"),
            QuestionKind::Attach => format!("attaching {subject}"),
        }
    }
}

impl Counterpart {
    fn in_words(&self) -> String {
        match self {
            Self::Permission { action, resource } => {
                let action = if action.as_str() == "*" { "every action" } else { action.as_str() };
                let resource = if resource.as_str() == "*" { "every resource" } else { resource.as_str() };
                format!("{action} on {resource}")
            }
            Self::Account(id) => format!("account {id}"),
            Self::Function(_) | Self::Role(_) | Self::Service(_) | Self::Provider(_) | Self::Anyone => self.to_string(),
        }
    }
}

impl Question<'_> {
    /// What the question is about.
    #[must_use]
    pub fn object(&self) -> Object {
        let (subject, counterpart) = match self {
            Self::Grant(grant) | Self::Keep(grant) | Self::Remove(grant) => {
                let action = grant.permission.action.clone();
                let resource = grant.target.pattern.clone();
                (Subject::Role(grant.role.arn.clone()), Some(Counterpart::Permission { action, resource }))
            }
            Self::Share(share) => {
                (Subject::Role(share.role.arn.clone()), Some(Counterpart::Function(share.function.arn.clone())))
            }
            Self::Pass(pass) => {
                (Subject::Role(pass.role.arn.clone()), Some(Counterpart::Role(pass.passed.arn.clone())))
            }
            Self::Assume(assume) => (Subject::Role(assume.role.arn.clone()), Some(caller(&assume.caller))),
            Self::Invoke(invoke) => (Subject::Function(invoke.function.arn.clone()), Some(caller(&invoke.caller))),
            Self::Merge(merge) => (Subject::PullRequest(merge.name.clone()), None),
            Self::Attach(attach) => (Subject::Guardrail(attach.name.clone()), None),
        };
        Object { subject, question: self.kind(), counterpart }
    }
}

fn caller(caller: &Caller<'_>) -> Counterpart {
    match caller {
        Caller::Role(role) => Counterpart::Role(role.arn.clone()),
        Caller::Account(account) => Counterpart::Account(account.id.clone()),
        Caller::Service(name) => Counterpart::Service(name.clone()),
        Caller::Provider(name) => Counterpart::Provider(name.clone()),
        Caller::Anyone => Counterpart::Anyone,
    }
}
