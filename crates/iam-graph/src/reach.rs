//! The blast radius of a function: what it reaches with its role, what it reaches by becoming others, and who reaches it.
//!
//! Every answer is a decision by evaluation about a telling action on a resource of the snapshot. What those actions are
//! stands in one table, by kind; a kind without a row is listed as not checked, never taken for out of reach.

mod standing;

use std::collections::{BTreeMap, BTreeSet};

use iam_evaluate::{Context, Evaluator, Outcome, Principal, Request, ResourceName};
use iam_model::action::Action;
use iam_model::arn::{AccountId, Arn};
use iam_model::condition::ConditionKey;
use iam_model::finding::Subject;
use iam_model::policy::{Effect, PrincipalElement, PrincipalPattern};
use iam_model::snapshot::{Resource, ResourceKind, SnapshotIndex};

use crate::graph::{AccessGraph, Path};

pub(crate) use standing::{Standing, Standings};

/// How much harm lies in reaching something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sensitivity {
    /// Secrets, keys, and directories of people.
    Secret,
    /// Stored data.
    Data,
    /// Messages on their way.
    Messages,
    /// Code that runs.
    Compute,
}

impl Sensitivity {
    /// The word used in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Data => "data",
            Self::Messages => "messages",
            Self::Compute => "compute",
        }
    }
}

/// A resource that is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// How much harm lies in it.
    pub sensitivity: Sensitivity,
    /// The resource.
    pub resource: Arn,
    /// What may be done to it.
    pub may: Vec<Action>,
    /// Context keys all of it hangs on, and that a snapshot cannot know; empty where some of it hangs on none.
    pub conditional_on: BTreeSet<ConditionKey>,
    /// The way to whoever may; nothing where the role itself may.
    pub by: Option<Path>,
}

/// Someone who reaches a function.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reacher {
    /// A principal, and what it may do to the function.
    Principal(Arn, Vec<Action>),
    /// A service the function's policy names.
    Service(String),
    /// Someone who can become the role it runs as, in so many hops.
    Role(Subject, usize),
}

/// The blast radius of one function.
#[derive(Debug, Clone)]
pub struct Reach {
    /// The role it runs as.
    pub role: Arn,
    /// Whether the role is an administrator, or can become one.
    pub is_admin: bool,
    /// The same, over others.
    pub becomes_admin: bool,
    /// Whom the role can become.
    pub becomes: BTreeSet<Subject>,
    /// What it reaches, the worst first, what its role reaches before what others do.
    pub reaches: Vec<Reached>,
    /// Who reaches it.
    pub reached_by: Vec<Reacher>,
    /// What was not checked.
    pub not_checked: Vec<String>,
}

/// What tells of reach, by kind: actions on the resource, or on what lies below it.
const TELLING: &[(ResourceKind, Sensitivity, &str, &[&str])] = &[
    (
        ResourceKind::SecretsmanagerSecret,
        Sensitivity::Secret,
        "",
        &["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"],
    ),
    (ResourceKind::KmsKey, Sensitivity::Secret, "", &["kms:Decrypt", "kms:PutKeyPolicy"]),
    (
        ResourceKind::CognitoUserPool,
        Sensitivity::Secret,
        "",
        &["cognito-idp:AdminGetUser", "cognito-idp:AdminSetUserPassword", "cognito-idp:ListUsers"],
    ),
    (ResourceKind::S3Bucket, Sensitivity::Data, "/new", &["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]),
    (
        ResourceKind::DynamodbTable,
        Sensitivity::Data,
        "",
        &[
            "dynamodb:GetItem",
            "dynamodb:Query",
            "dynamodb:Scan",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
            "dynamodb:DeleteTable",
        ],
    ),
    (
        ResourceKind::SqsQueue,
        Sensitivity::Messages,
        "",
        &["sqs:ReceiveMessage", "sqs:SendMessage", "sqs:DeleteMessage"],
    ),
    (ResourceKind::SnsTopic, Sensitivity::Messages, "", &["sns:Publish", "sns:Subscribe"]),
    (
        ResourceKind::LambdaFunction,
        Sensitivity::Compute,
        "",
        &["lambda:InvokeFunction", "lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"],
    ),
    (
        ResourceKind::StepfunctionsStateMachine,
        Sensitivity::Compute,
        "",
        &["states:StartExecution", "states:UpdateStateMachine"],
    ),
    (ResourceKind::CodebuildProject, Sensitivity::Compute, "", &["codebuild:StartBuild", "codebuild:UpdateProject"]),
    (ResourceKind::EcsCluster, Sensitivity::Compute, "", &["ecs:DeleteCluster"]),
    (
        ResourceKind::Ec2Instance,
        Sensitivity::Compute,
        "",
        &["ssm:StartSession", "ssm:SendCommand", "ec2:TerminateInstances"],
    ),
    (ResourceKind::GlueJob, Sensitivity::Compute, "", &["glue:StartJobRun", "glue:UpdateJob"]),
    (
        ResourceKind::CloudformationStack,
        Sensitivity::Compute,
        "",
        &["cloudformation:UpdateStack", "cloudformation:DeleteStack"],
    ),
];

/// What reaches a function.
const ON_FUNCTION: &[&str] =
    &["lambda:InvokeFunction", "lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"];

/// The blast radius of a function of the snapshot; nothing where it is not there or runs as nobody.
///
/// ```
/// use iam_model::snapshot::{Snapshot, SnapshotIndex};
/// let snapshot = Snapshot::default();
/// let (index, _) = SnapshotIndex::new(&snapshot);
/// let graph = iam_graph::build(&index, &[]);
/// let function = "arn:aws:lambda:us-east-1:111122223333:function:f".parse().unwrap();
/// assert!(iam_graph::reach::reach(&index, &graph, &function).is_none());
/// ```
#[must_use]
pub fn reach(index: &SnapshotIndex<'_>, graph: &AccessGraph, function: &Arn) -> Option<Reach> {
    let mut resources =
        index.snapshot().accounts.iter().flat_map(|(id, account)| account.resources.iter().map(move |r| (id, r)));
    let (owner, found) = resources.find(|(_, r)| r.kind == ResourceKind::LambdaFunction && r.arn == *function)?;
    let role = found.role.clone()?;
    let ask = Asker::new(index);
    let becomes = graph.reachable_from(&role);
    let mut not_checked = graph.not_checked();
    not_checked.extend(ask.not_asked());
    let mut reaches = ask.reached(&role, None, &BTreeSet::new());
    for subject in &becomes {
        let Some(arn) = subject.arn().filter(|arn| **arn != role) else { continue };
        let known: BTreeSet<Arn> = reaches.iter().map(|reached| reached.resource.clone()).collect();
        reaches.extend(ask.reached(arn, graph.path_between(&role, subject).as_ref(), &known));
    }
    reaches.retain(|reached| reached.resource != *function || reached.by.is_some());
    reaches.sort_by(|a, b| {
        let order = |r: &Reached| (r.by.as_ref().map_or(0, |path| path.hops.len()), r.sensitivity, r.resource.clone());
        order(a).cmp(&order(b))
    });
    Some(Reach {
        is_admin: graph.is_admin(&role),
        becomes_admin: graph.reaches_admin(&role),
        reached_by: ask.reached_by(graph, owner, found, &role),
        role,
        becomes,
        reaches,
        not_checked,
    })
}

struct Asker<'s> {
    index: &'s SnapshotIndex<'s>,
    evaluator: Evaluator<'s>,
}

impl<'s> Asker<'s> {
    fn new(index: &'s SnapshotIndex<'s>) -> Self {
        Self { index, evaluator: Evaluator::new(index) }
    }

    fn resources(&self) -> impl Iterator<Item = (&'s AccountId, &'s Resource)> + use<'s> {
        let accounts = &self.index.snapshot().accounts;
        accounts.iter().flat_map(|(id, account)| account.resources.iter().map(move |resource| (id, resource)))
    }

    /// Kinds the table has no row for.
    fn not_asked(&self) -> Vec<String> {
        let mut kinds: BTreeMap<&ResourceKind, usize> = BTreeMap::new();
        for (_, resource) in self.resources() {
            if !TELLING.iter().any(|(kind, ..)| *kind == resource.kind) {
                *kinds.entry(&resource.kind).or_default() += 1;
            }
        }
        let of = |n: usize| iam_model::text::counted(n as u64, "resource");
        kinds.into_iter().map(|(kind, n)| format!("reach of {} of the kind `{}`", of(n), kind.as_str())).collect()
    }

    /// Whether someone may, and on which keys that hangs; nothing where not.
    fn may(&self, who: &Arn, action: &str, on: &Arn, owner: &AccountId) -> Option<(Action, Vec<ConditionKey>)> {
        let action: Action = action.parse().ok()?;
        let request = Request {
            principal: Principal::parse(who.as_str()).ok()?,
            action: action.clone(),
            resource: ResourceName::Arn(on.clone()),
            resource_account: Some(owner.clone()),
            context: Context::open(),
        };
        match self.evaluator.decide(who, &request).outcome {
            Outcome::Allow => Some((action, Vec::new())),
            // What is not understood counts as reached: a radius is never drawn too small.
            Outcome::Unknown(unknowns) => Some((action, unknowns.keys)),
            Outcome::ExplicitDeny | Outcome::ImplicitDeny => None,
        }
    }

    /// What someone reaches, besides what is known.
    fn reached(&self, who: &Arn, by: Option<&Path>, known: &BTreeSet<Arn>) -> Vec<Reached> {
        let mut found = Vec::new();
        for (owner, resource) in self.resources().filter(|(_, resource)| !known.contains(&resource.arn)) {
            let Some((_, sensitivity, below, actions)) = TELLING.iter().find(|(kind, ..)| *kind == resource.kind)
            else {
                continue;
            };
            let Ok(on) = format!("{}{below}", resource.arn).parse::<Arn>() else { continue };
            let may: Vec<_> = actions.iter().filter_map(|action| self.may(who, action, &on, owner)).collect();
            if may.is_empty() {
                continue;
            }
            let free = may.iter().any(|(_, keys)| keys.is_empty());
            let keys = may.iter().flat_map(|(_, keys)| keys.iter().cloned()).filter(|_| !free);
            found.push(Reached {
                sensitivity: *sensitivity,
                resource: resource.arn.clone(),
                conditional_on: keys.collect(),
                may: may.into_iter().map(|(action, _)| action).collect(),
                by: by.cloned(),
            });
        }
        found
    }

    fn reached_by(&self, graph: &AccessGraph, owner: &AccountId, function: &Resource, role: &Arn) -> Vec<Reacher> {
        let mut found: Vec<Reacher> = Vec::new();
        for who in self.evaluator.principals().filter(|who| *who != role) {
            let may = ON_FUNCTION.iter().filter_map(|action| self.may(who, action, &function.arn, owner));
            let may: Vec<Action> = may.map(|(action, _)| action).collect();
            if !may.is_empty() {
                found.push(Reacher::Principal(who.clone(), may));
            }
        }
        found.extend(self.services(&function.arn).into_iter().map(Reacher::Service));
        found.extend(graph.who_can_become(role).into_iter().map(|(who, hops)| Reacher::Role(who, hops)));
        found
    }

    /// Services a function's policy names, and everyone where it names everyone.
    fn services(&self, function: &Arn) -> BTreeSet<String> {
        let statements = self.index.resource_policy(function).into_iter().flat_map(|policy| &policy.statements);
        let mut found = BTreeSet::new();
        for statement in statements.filter(|statement| statement.effect != Effect::Deny) {
            let Some(PrincipalElement::Principal(patterns)) = &statement.principal else { continue };
            for pattern in patterns {
                match &pattern.value {
                    PrincipalPattern::Service(name) => found.insert(name.clone()),
                    PrincipalPattern::Everyone => found.insert("everyone".into()),
                    _ => false,
                };
            }
        }
        found
    }
}

#[cfg(test)]
mod tests;
