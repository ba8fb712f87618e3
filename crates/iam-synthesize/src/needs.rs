//! Needs: permissions a role must keep, each with its grade and what it rests on; and the rules and evidence behind them.
//!
//! The words only: inferring needs and writing them down are next door.

use iam_model::action::{Action, ActionPattern};
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::catalog::Catalog;
use iam_model::time::Timestamp;
use iam_model::usage::{Coverage, UsageLog, Visibility};

/// What the logs say, and what they could have said.
pub struct Evidence<'a> {
    /// What was seen.
    pub usage: &'a UsageLog,
    /// What the trails record.
    pub coverage: &'a Coverage,
    /// What AWS publishes about its actions.
    pub catalog: &'a Catalog,
    /// Whether a role's call of an action would have been logged.
    pub visibility: &'a (dyn Fn(&Arn, &Action) -> Visibility + Sync),
    /// Whether more than its account's trails speaks of a role, so that its visibility is its own.
    pub has_own_record: &'a (dyn Fn(&Arn) -> bool + Sync),
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
    pub(crate) fn join(&mut self, other: &Self) {
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
