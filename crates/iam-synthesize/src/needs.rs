//! Needs: permissions a role must keep, each with its grade and what it rests on.
//!
//! Says what must stay, not how it is written down; that is for narrowing.

use iam_model::action::{Action, ActionPattern};
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::catalog::Catalog;
use iam_model::snapshot::{Resource, SnapshotIndex};
use iam_model::time::Timestamp;
use iam_model::usage::{Coverage, UsageLog, Visibility};

use crate::plumbing;

/// What the logs say, and what they could have said.
pub struct Evidence<'a> {
    /// What was seen.
    pub usage: &'a UsageLog,
    /// What the trails record.
    pub coverage: &'a Coverage,
    /// What AWS publishes about its actions.
    pub catalog: &'a Catalog,
    /// Whether a role's call of an action would have been logged.
    pub visibility: &'a dyn Fn(&Arn, &Action) -> Visibility,
}

/// What a team decided once.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Days the logs must span before anything unseen is cut.
    pub min_days: u64,
    /// Permissions that stay whatever the logs say.
    pub keep: Vec<KeepRule>,
}

/// A permission that stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeepRule {
    /// Which role, by name or ARN; nothing means every role.
    pub role: Option<String>,
    /// Which actions.
    pub actions: Vec<ActionPattern>,
    /// Why, for the report.
    pub reason: String,
}

impl KeepRule {
    /// Whether the rule speaks of a role.
    #[must_use]
    pub fn applies_to(&self, role: &Arn) -> bool {
        self.role.as_deref().is_none_or(|text| text == role.as_str() || text == role.name())
    }
}

/// Why a permission stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// Seen in the logs.
    Observed,
    /// What Lambda needs to run the function itself.
    Implied,
    /// Granted by name, and the logs could not have shown its use.
    Retained,
    /// A keep rule names it.
    Kept,
}

impl Grade {
    /// The word used in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Implied => "implied",
            Self::Retained => "retained",
            Self::Kept => "kept by rule",
        }
    }
}

/// Calls behind an observed need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Authorised calls.
    pub count: u64,
    /// The first.
    pub first: Timestamp,
    /// The last.
    pub last: Timestamp,
    /// A few event ids.
    pub event_ids: Vec<String>,
}

impl Seen {
    /// The calls behind two needs together.
    fn join(&mut self, other: &Self) {
        const SAMPLES: usize = 3;
        self.count += other.count;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.event_ids.extend(other.event_ids.iter().cloned());
        self.event_ids.sort();
        self.event_ids.dedup();
        self.event_ids.truncate(SAMPLES);
    }
}

/// One permission a role must keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The action.
    pub action: Action,
    /// On which resources; nothing where the evidence does not tell, so that the old grant's resources stay.
    pub resources: Option<Vec<ResourcePattern>>,
    /// Why it stays.
    pub grade: Grade,
    /// One line for people.
    pub because: String,
    /// The calls, for an observed need.
    pub seen: Option<Seen>,
    /// The functions that made the calls, by name.
    pub functions: Vec<String>,
}

impl Need {
    /// A need that no call showed.
    pub(crate) fn unseen(
        action: Action,
        resources: Option<Vec<ResourcePattern>>,
        grade: Grade,
        because: String,
    ) -> Self {
        Self { action, resources, grade, because, seen: None, functions: Vec::new() }
    }
}

/// What a role was seen to do and what its functions need to run, in a fixed order.
pub(crate) fn infer(role: &Arn, index: &SnapshotIndex<'_>, evidence: &Evidence<'_>) -> Vec<Need> {
    let functions = index.functions_of(role);
    let mut needs = observed(role, evidence);
    needs.extend(plumbing::needs(&functions));
    needs
}

/// Whether the logs hold an authorised call of the role.
pub(crate) fn was_seen(role: &Arn, usage: &UsageLog) -> bool {
    usage.principals.get(role).is_some_and(|seen| seen.observations.iter().any(|o| o.count > 0))
}

/// One need per action seen with the same knowledge of resources; denied calls are evidence of want, never of need.
fn observed(role: &Arn, evidence: &Evidence<'_>) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    let observations = evidence.usage.principals.get(role).map(|u| u.observations.as_slice()).unwrap_or_default();
    for observation in observations.iter().filter(|o| o.count > 0) {
        let seen = Seen {
            count: observation.count,
            first: observation.first,
            last: observation.last,
            event_ids: observation.sample_event_ids.clone(),
        };
        let resources = observation.resource_known.then(|| observation.resources.clone());
        let known =
            |need: &&mut Need| need.action == observation.action && need.resources.is_some() == resources.is_some();
        if let Some(need) = needs.iter_mut().find(known) {
            if let (Some(all), Some(more)) = (&mut need.resources, resources) {
                all.extend(more);
            }
            need.functions.extend(observation.function.clone());
            if let Some(total) = &mut need.seen {
                total.join(&seen);
            }
        } else {
            needs.push(Need {
                action: observation.action.clone(),
                resources,
                grade: Grade::Observed,
                because: String::new(),
                seen: Some(seen),
                functions: observation.function.iter().cloned().collect(),
            });
        }
    }
    for need in &mut needs {
        if let Some(resources) = &mut need.resources {
            resources.sort();
            resources.dedup();
        }
        need.functions.sort();
        need.functions.dedup();
        need.because = describe(need);
    }
    needs
}

fn describe(need: &Need) -> String {
    let Some(seen) = &need.seen else { return String::new() };
    let calls = if seen.count == 1 { "call" } else { "calls" };
    let date = |time: Timestamp| time.to_string().chars().take(10).collect::<String>();
    let told =
        if need.resources.is_some() { "" } else { "; the events do not tell the resource, so the old grant's stays" };
    format!("{} {calls}, {} to {}{told}", seen.count, date(seen.first), date(seen.last))
}

/// The name of a function, from its description or its ARN.
pub(crate) fn function_name(function: &Resource) -> &str {
    function.api.get("FunctionName").and_then(|name| name.as_str()).unwrap_or_else(|| function.arn.name())
}
