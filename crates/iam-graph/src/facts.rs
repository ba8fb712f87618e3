//! What the graph keeps of the accounts beside its edges: functions and their roles, and what was not judged.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::arn::Arn;
use iam_model::finding::{Finding, Subject};

/// Facts findings are made of.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) not_checked: BTreeSet<String>,
    /// Changes that could not be applied.
    pub(crate) not_applied: Vec<String>,
    /// Lambda functions by role.
    pub(crate) functions: BTreeMap<Arn, BTreeSet<Arn>>,
    pub(crate) wildcards: Vec<Wildcard>,
    /// The CloudFormation stacks functions belong to, as their tags say.
    pub(crate) stacks: BTreeMap<Arn, String>,
    /// What is exposed, as it is found.
    pub(crate) exposed: Vec<Finding>,
    /// Where the first permission of a way stands, by start and technique.
    pub(crate) places: BTreeMap<(Subject, &'static str), String>,
}

/// A statement that grants by wildcard to a role functions run as.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wildcard {
    pub(crate) principal: Arn,
    pub(crate) policy: String,
    pub(crate) statement: usize,
    pub(crate) what: String,
}
