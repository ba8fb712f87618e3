//! What a role reaches, for ranking: what the snapshot holds, and beside it what the role's own statements name.
//!
//! A table or a secret that stands elsewhere is reached too where a statement names it or allows everything.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::action::Action;
use iam_model::arn::{AccountId, Arn};
use iam_model::condition::ConditionKey;
use iam_model::finding::FindingSeverity;
use iam_model::policy::Effect;
use iam_model::snapshot::SnapshotIndex;

use super::{Asker, Sensitivity};
use crate::graph::AccessGraph;
use crate::judge::fill;

/// How many names of a role's statements are asked for.
const ASKED: usize = 256;

/// What is asked of a name that a statement gives: service, what stands for any of its things, actions.
const NAMED: &[(&str, &str, Sensitivity, &[&str])] = &[
    ("secretsmanager", "secret:new-AbCdEf", Sensitivity::Secret, &["secretsmanager:GetSecretValue"]),
    ("ssm", "parameter/new", Sensitivity::Secret, &["ssm:GetParameter"]),
    (
        "cognito-idp",
        "userpool/new",
        Sensitivity::Secret,
        &["cognito-idp:AdminSetUserPassword", "cognito-idp:ListUsers"],
    ),
    ("rds-db", "dbuser:new/new", Sensitivity::Data, &["rds-db:connect"]),
    ("dynamodb", "table/new", Sensitivity::Data, &["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"]),
    ("s3", "new/new", Sensitivity::Data, &["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]),
];

/// What a role may do to one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Thing {
    pub(crate) sensitivity: Sensitivity,
    /// An ARN, or a statement's own pattern.
    pub(crate) on: String,
    pub(crate) may: Vec<Action>,
    /// Context keys all of it hangs on.
    pub(crate) conditional_on: BTreeSet<ConditionKey>,
}

/// How far a role reaches.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    pub(crate) is_admin: bool,
    pub(crate) becomes_admin: bool,
    /// The worst first.
    pub(crate) reaches: Vec<Thing>,
}

impl Standing {
    /// How bad it is if a stranger makes the role's code run.
    pub(crate) fn severity(&self) -> FindingSeverity {
        let worst = self.reaches.iter().filter(|thing| thing.conditional_on.is_empty()).map(|t| t.sensitivity).min();
        match (self.is_admin || self.becomes_admin, worst) {
            (true, _) => FindingSeverity::Critical,
            (false, Some(Sensitivity::Secret)) => FindingSeverity::High,
            (false, Some(Sensitivity::Data)) => FindingSeverity::Medium,
            (false, _) => FindingSeverity::Low,
        }
    }
}

/// How far roles reach, each asked once.
pub(crate) struct Standings<'s> {
    ask: Asker<'s>,
    graph: &'s AccessGraph,
    known: BTreeMap<Arn, Standing>,
}

impl<'s> Standings<'s> {
    pub(crate) fn new(index: &'s SnapshotIndex<'s>, graph: &'s AccessGraph) -> Self {
        Self { ask: Asker::new(index), graph, known: BTreeMap::new() }
    }

    /// How far a role reaches by itself.
    pub(crate) fn of(&mut self, role: &Arn) -> &Standing {
        let (ask, graph) = (&self.ask, self.graph);
        self.known.entry(role.clone()).or_insert_with(|| standing(ask, graph, role))
    }
}

fn standing(ask: &Asker<'_>, graph: &AccessGraph, role: &Arn) -> Standing {
    let (is_admin, becomes_admin) = (graph.is_admin(role), graph.reaches_admin(role));
    let mut reaches: Vec<Thing> = Vec::new();
    for found in ask.reached(role, None, &BTreeSet::new()) {
        let on = found.resource.to_string();
        let may = found.may;
        reaches.push(Thing { sensitivity: found.sensitivity, on, may, conditional_on: found.conditional_on });
    }
    if let Some(owner) = role.account() {
        reaches.extend(named(ask, role, &owner));
    }
    reaches.sort_by(|a, b| (a.sensitivity, &a.on).cmp(&(b.sensitivity, &b.on)));
    // What lies below something that is reached, such as a table's index, is no further thing.
    reaches.dedup_by(|later, kept| later.on == kept.on || later.on.starts_with(&format!("{}/", kept.on)));
    Standing { is_admin, becomes_admin, reaches }
}

/// What the role may do to things its statements name.
fn named(ask: &Asker<'_>, role: &Arn, owner: &AccountId) -> Vec<Thing> {
    let policies = ask.index.identity_policies(role);
    let statements = policies.iter().flat_map(|policy| &policy.document.statements);
    let allowing = statements.filter(|statement| statement.effect == Effect::Allow);
    let patterns: BTreeSet<&str> =
        allowing.flat_map(|s| s.resource.patterns()).map(|pattern| pattern.value.as_str()).collect();
    let mut asked: BTreeMap<String, String> = BTreeMap::new();
    for (service, any, ..) in NAMED {
        asked.insert(sample(role, service, owner, any), format!("any of {service}"));
    }
    for pattern in patterns.iter().take(ASKED) {
        let filled = fill(pattern, owner.as_str()).filter(|_| pattern.starts_with("arn:"));
        if let Some(filled) = filled {
            asked.entry(filled).or_insert_with(|| (*pattern).to_owned());
        }
    }
    let mut found = Vec::new();
    for (on, words) in asked {
        let Ok(on) = on.parse::<Arn>() else { continue };
        let Some((.., sensitivity, actions)) = NAMED.iter().find(|(service, ..)| *service == on.service()) else {
            continue;
        };
        let may: Vec<_> = actions.iter().filter_map(|action| ask.may(role, action, &on, owner)).collect();
        if may.is_empty() {
            continue;
        }
        let free = may.iter().any(|(_, keys)| keys.is_empty());
        let keys = may.iter().flat_map(|(_, keys)| keys.iter().cloned()).filter(|_| !free);
        found.push(Thing {
            sensitivity: *sensitivity,
            on: words,
            conditional_on: keys.collect(),
            may: may.into_iter().map(|(action, _)| action).collect(),
        });
    }
    // What is true of any of a service needs no single things beside it.
    let whole: BTreeSet<String> =
        found.iter().filter_map(|thing| thing.on.strip_prefix("any of ")).map(Into::into).collect();
    let is_single = |thing: &Thing| thing.on.parse::<Arn>().is_ok_and(|arn| whole.contains(arn.service()));
    found.retain(|thing| !is_single(thing));
    found
}

fn sample(role: &Arn, service: &str, owner: &AccountId, any: &str) -> String {
    match service {
        "s3" => format!("arn:{}:s3:::{any}", role.partition()),
        _ => format!("arn:{}:{service}:us-east-1:{owner}:{any}", role.partition()),
    }
}
