//! Needs: permissions a role must keep, each with its grade and what it rests on; and the rules and evidence behind them.
//!
//! The words only: inferring needs and writing them down are next door.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::action::{Action, ActionPattern};
use iam_model::arn::{Arn, ResourcePattern};
use iam_model::catalog::{AccessLevel, Catalog};
use iam_model::condition::ConditionKey;
use iam_model::snapshot::Resource;
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
    /// Whether every use of an action on resources of a pattern would have been logged, though some were seen.
    pub every_use: &'a (dyn Fn(&Arn, &Action, &ResourcePattern) -> Visibility + Sync),
    /// Whether more than its account's trails speaks of a role, so that its visibility is its own.
    pub has_own_record: &'a (dyn Fn(&Arn) -> bool + Sync),
}

/// What a team decided once.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Days the logs must span before anything unseen is cut.
    pub min_days: u64,
    /// Days they must span before unseen actions of a level are cut, where these are more: rare admin work, quarterly
    /// jobs.
    pub min_days_of: BTreeMap<AccessLevel, u64>,
    /// Permissions that stay whatever the logs say.
    pub keep: Vec<KeepRule>,
    /// Permissions that stay because evidence beside the logs has them, or could not have shown them.
    pub told: Vec<KeepRule>,
    /// Roles that such evidence speaks of as a whole, so that they may be judged where the logs hold no call of theirs.
    pub told_whole: BTreeSet<Arn>,
    /// What templates say of the functions that run with a role, described as AWS does; a Region `*` where it is not known
    /// which of the deployed functions it is.
    pub written: BTreeMap<Arn, Vec<Resource>>,
}

impl Rules {
    /// What stays for a role whatever the logs say, and by which rule.
    pub(crate) fn kept(&self, role: &Arn) -> impl Iterator<Item = (&KeepRule, NeedRule)> {
        let team = self.keep.iter().map(|rule| (rule, NeedRule::KeepRule));
        let told = self.told.iter().map(|rule| (rule, NeedRule::Told));
        team.chain(told).filter(|(rule, _)| rule.applies_to(role))
    }

    /// Why the logs of a role's account are too short to say of an action that it is not used; nothing where they are long
    /// enough.
    ///
    /// An action that the catalogue does not know is taken for the level that asks for most.
    #[must_use]
    pub fn too_early(&self, role: &Arn, action: &Action, evidence: &Evidence<'_>) -> Option<String> {
        if self.min_days_of.is_empty() {
            return None;
        }
        let account = role.account()?;
        let days = evidence.coverage.days_of_role(role);
        let level = evidence.catalog.action(action).map(|facts| facts.level());
        let asked = match level {
            Some(level) => self.min_days_of.get(&level),
            None => self.min_days_of.values().max(),
        };
        let asked = asked.copied().filter(|asked| days < *asked)?;
        let level = level.map_or("unknown", AccessLevel::as_str);
        let days = match evidence.coverage.role_days.get(role) {
            Some(days) => format!("the logs span {days} days since the role was made"),
            None => evidence.coverage.describe_days_of(&account),
        };
        Some(format!("{days}, and {asked} are asked for before a {level} action counts as unused"))
    }
}

/// What is known of one role.
#[derive(Clone, Copy)]
pub struct Known<'k> {
    /// The role.
    pub role: &'k Arn,
    /// What the logs say of it.
    pub evidence: &'k Evidence<'k>,
    /// What a team decided.
    pub rules: &'k Rules,
}

impl Known<'_> {
    /// Whether a use of an action would have been shown, and for as long as the rules ask.
    #[must_use]
    pub fn visibility(&self, action: &Action) -> Visibility {
        match (self.evidence.visibility)(self.role, action) {
            Visibility::Visible => {
                let early = self.rules.too_early(self.role, action, self.evidence);
                early.map_or(Visibility::Visible, Visibility::Invisible)
            }
            invisible @ Visibility::Invisible(_) => invisible,
        }
    }

    /// Whether the logs could not have shown a use.
    pub(crate) fn is_invisible(&self, action: &Action) -> bool {
        matches!(self.visibility(action), Visibility::Invisible(_))
    }
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
    /// No call of its own shows it: what was seen, or what the functions are made of, asks for it.
    Implied,
    /// Granted, and the logs could not have shown its use.
    Retained,
    /// Evidence beside the logs has it, or could not have shown it.
    Told,
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
            Self::Told => "told by AWS",
            Self::Kept => "kept by rule",
        }
    }
}

/// The rule by which a permission stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NeedRule {
    /// Calls of it were seen.
    Called,
    /// It has no call of its own; calls that ask for it were seen, as those that pass a role are.
    AskedByCalls,
    /// Services ask for it on the caller's behalf in calls that were seen, and the logs could not have shown that.
    ThroughService,
    /// Lambda needs it to run a function.
    RunsFunction,
    /// Lambda needs it to read a function's event source.
    ReadsEventSource,
    /// It goes with others that were seen on the same resource.
    Siblings,
    /// It is granted, and its use could not have been seen.
    NotShown,
    /// Calls of it were seen that no statement explains by the resource they name.
    NotExplained,
    /// It is granted, and the logs are shorter than a rule asks for.
    TooEarly,
    /// Evidence beside the logs has it, or could not have shown it.
    Told,
    /// A keep rule names it.
    KeepRule,
}

impl NeedRule {
    /// Why a permission stays that is kept whatever the logs say.
    pub(crate) fn because(self, reason: &str) -> String {
        if self == Self::KeepRule { format!("a keep rule: {reason}") } else { reason.to_owned() }
    }
}

impl NeedRule {
    /// The rule's name, as reports have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Called => "called",
            Self::AskedByCalls => "asked-by-calls",
            Self::ThroughService => "through-service",
            Self::RunsFunction => "runs-function",
            Self::ReadsEventSource => "reads-event-source",
            Self::Siblings => "siblings",
            Self::NotShown => "not-shown",
            Self::NotExplained => "not-explained",
            Self::TooEarly => "too-early",
            Self::Told => "told",
            Self::KeepRule => "keep-rule",
        }
    }

    /// The grade of what stays by it.
    #[must_use]
    pub const fn grade(self) -> Grade {
        match self {
            Self::Called => Grade::Observed,
            Self::AskedByCalls
            | Self::ThroughService
            | Self::RunsFunction
            | Self::ReadsEventSource
            | Self::Siblings => Grade::Implied,
            Self::NotShown | Self::NotExplained | Self::TooEarly => Grade::Retained,
            Self::Told => Grade::Told,
            Self::KeepRule => Grade::Kept,
        }
    }
}

/// Calls behind a need.
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
    /// The rule by which it stays.
    pub rule: NeedRule,
    /// One line for people.
    pub because: String,
    /// The calls, where some were seen.
    pub seen: Option<Seen>,
    /// The functions that made the calls or need it to run, by name.
    pub functions: Vec<String>,
    /// What its calls carry without exception, for a need that stands for these calls alone.
    pub bound: Option<Bound>,
}

/// A condition that all calls behind a need meet by their nature.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bound {
    /// The key.
    pub key: ConditionKey,
    /// The values it may have, sorted.
    pub values: Vec<String>,
}

impl Need {
    /// A need that no call showed.
    pub(crate) const fn unseen(
        action: Action,
        resources: Option<Vec<ResourcePattern>>,
        rule: NeedRule,
        because: String,
    ) -> Self {
        Self { action, resources, rule, because, seen: None, functions: Vec::new(), bound: None }
    }

    /// How surely it is known.
    #[must_use]
    pub const fn grade(&self) -> Grade {
        self.rule.grade()
    }
}
