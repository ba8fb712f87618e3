//! What principals were seen to do, what the evidence could not have shown, and what could not be read.
//!
//! Holds results only; reading CloudTrail lives in its own room, and nothing here decides what a role needs.

mod days;
mod last_accessed;
mod merging;
mod read;
mod regions;
mod standing;

use std::collections::{BTreeMap, BTreeSet};

pub use days::{AccountDays, days_of_run, runs_of_days};
pub use last_accessed::{LastAccessed, RoleReport, ServiceReport, TRACKED_DAYS};
pub use merging::{Folded, Merging, SourceDigest};
pub use read::{SCHEMA, UsageError, read};
pub use regions::{Regions, is_global};
pub use standing::{Standing, Witness};

use crate::action::Action;
use crate::arn::{AccountId, Arn, ResourcePattern};
use crate::catalog::Catalog;
use crate::condition::ConditionKey;
use crate::text::grouped;
use crate::time::Timestamp;

/// One distinct (action, resources, context, function) of a principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The action that was authorised.
    pub action: Action,
    /// The resources it was authorised on; `*` where the action takes none or none could be told (see `resource_known`).
    pub resources: Vec<ResourcePattern>,
    /// Whether the resources are what AWS checked. `false`: the event did not tell, and `*` stands in.
    pub resource_known: bool,
    /// Condition keys whose values the event proves.
    pub context: BTreeMap<ConditionKey, Vec<String>>,
    /// The session's name, where it may be a Lambda function's: Lambda names sessions after functions. Whether there is
    /// such a function is for the snapshot to say.
    pub function: Option<String>,
    /// Calls that were authorised (also those that failed later for other reasons).
    pub count: u64,
    /// Calls that were denied; evidence of want, never of need.
    pub denied: u64,
    /// First call.
    pub first: Timestamp,
    /// Last call.
    pub last: Timestamp,
    /// A few event ids, smallest first, so that a person can look one up.
    pub sample_event_ids: Vec<String>,
}

/// Everything one principal was seen to do, in a fixed order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PrincipalUsage {
    /// Observations, ordered by action, resources, context and function.
    pub observations: Vec<Observation>,
}

/// An API event no catalogue entry explains.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnresolvedEvent {
    /// `eventSource`, such as `dynamodb.amazonaws.com`.
    pub event_source: String,
    /// `eventName`.
    pub event_name: String,
    /// How many authorised or denied calls. Source and name are empty where too many were made up to tell apart.
    pub count: u64,
    /// Who made them.
    pub principals: BTreeSet<Arn>,
    /// What is known of the event all the same.
    pub kind: UnresolvedKind,
}

impl UnresolvedEvent {
    /// Principals named; of more, only these.
    pub const MOST_PRINCIPALS: usize = 20;

    /// Whether a role made such a call, or may have: where many did, not all are named.
    #[must_use]
    pub fn may_be_of(&self, role: &Arn) -> bool {
        self.principals.contains(role) || self.principals.len() >= Self::MOST_PRINCIPALS
    }

    /// The prefixes of the services whose permissions it may have asked for; nothing where that may be any: the catalogue
    /// does not know whose its source is.
    ///
    /// ```
    /// use iam_model::{catalog::Catalog, usage::{UnresolvedEvent, UnresolvedKind}};
    /// let catalog = Catalog::embedded().unwrap();
    /// let of = |source: &str| UnresolvedEvent {
    ///     event_source: source.into(),
    ///     event_name: "NewThing".into(),
    ///     count: 1,
    ///     principals: [].into(),
    ///     kind: UnresolvedKind::Unknown,
    /// };
    /// assert_eq!(of("monitoring.amazonaws.com").services(&catalog).unwrap(), ["cloudwatch"]);
    /// assert_eq!(of("brandnew.amazonaws.com").services(&catalog), None);
    /// ```
    #[must_use]
    pub fn services<'a>(&'a self, catalog: &'a Catalog) -> Option<Vec<&'a str>> {
        let prefixes = catalog.prefixes(&self.event_source);
        let known = !prefixes.is_empty() && prefixes.iter().all(|prefix| catalog.knows_service(prefix));
        known.then_some(prefixes)
    }

    /// The call in words.
    #[must_use]
    pub fn describe(&self) -> String {
        if self.event_name.is_empty() {
            return "calls of too many unknown names to tell apart".into();
        }
        format!(
            "calls of `{}` at `{}`, which no entry of the action catalogue explains",
            self.event_name, self.event_source
        )
    }
}

/// What is known of an event that no catalogue entry explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum UnresolvedKind {
    /// Nothing: an operation newer than the catalogue, or one AWS does not publish.
    #[default]
    Unknown,
    /// A call of AWS's own consoles and agents, which no policy names.
    Internal,
}

impl UnresolvedKind {
    /// The key used in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Internal => "internal",
        }
    }
}

/// Why a record gave no observation. Closed, so that every record read is counted somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkipReason {
    /// The same `eventID` was read before.
    Duplicate,
    /// An AWS service acting for itself.
    ServiceEvent,
    /// Not an API call (console sign-in, insight, service event).
    NotAnApiCall,
    /// The call needs no permission.
    NoPermissionNeeded,
    /// The caller is a user, root, or someone outside (only roles are judged).
    NotARole,
    /// The record lacks a field needed to place it.
    Incomplete,
    /// Outside the asked window, role or account.
    FilteredOut,
    /// A digest or Insight file, by its name or its shape; counts files, not records.
    NotALog,
}

impl SkipReason {
    /// Every reason.
    pub const ALL: &'static [Self] = &[
        Self::Duplicate,
        Self::ServiceEvent,
        Self::NotAnApiCall,
        Self::NoPermissionNeeded,
        Self::NotARole,
        Self::Incomplete,
        Self::FilteredOut,
        Self::NotALog,
    ];

    /// What was passed over, in words that follow a count.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Duplicate => "delivered twice",
            Self::ServiceEvent => "by AWS services for themselves",
            Self::NotAnApiCall => "not an API call",
            Self::NoPermissionNeeded => "that need no permission",
            Self::NotARole => "not by roles",
            Self::Incomplete => "incomplete",
            Self::FilteredOut => "filtered out",
            Self::NotALog => "not a log file",
        }
    }

    /// The key used in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::ServiceEvent => "service_event",
            Self::NotAnApiCall => "not_an_api_call",
            Self::NoPermissionNeeded => "no_permission_needed",
            Self::NotARole => "not_a_role",
            Self::Incomplete => "incomplete",
            Self::FilteredOut => "filtered_out",
            Self::NotALog => "not_a_log",
        }
    }

    /// Whether it counts files, and not records.
    #[must_use]
    pub const fn counts_files(self) -> bool {
        matches!(self, Self::NotALog)
    }
}

/// What was read from the logs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UsageLog {
    /// Usage by role ARN (with its path).
    pub principals: BTreeMap<Arn, PrincipalUsage>,
    /// First and last event of any principal: the window the evidence spans.
    pub window: Option<(Timestamp, Timestamp)>,
    /// UTC days with any record of an account, whoever made it, counted from the epoch; an account of which nothing is told
    /// is missing.
    pub days: BTreeMap<AccountId, BTreeSet<i64>>,
    /// The same by account and region. Of a region of `seen_in` that is missing here, no days are told.
    pub region_days: BTreeMap<(AccountId, String), BTreeSet<i64>>,
    /// Accounts and regions events came from.
    pub seen_in: BTreeSet<(AccountId, String)>,
    /// Events that did not resolve, never dropped.
    pub unresolved: Vec<UnresolvedEvent>,
    /// Records that gave no observation, by reason.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// Records read, whatever became of them: those observed, skipped (digest and Insight files apart) and unresolved.
    pub records: u64,
    /// Records that gave observations.
    pub observed: u64,
    /// Files read to their end.
    pub files: u64,
    /// Files, links and folders that could not be read, or only in part.
    pub unread_files: u64,
    /// What putting it together with others takes.
    pub merging: Merging,
}

impl UsageLog {
    /// What the logs of each region of an account span. A region whose days nobody tells has those of the account.
    #[must_use]
    pub fn days_by_region(&self, account: &AccountId) -> BTreeMap<String, AccountDays> {
        days::by_region(self, account)
    }

    /// What was given as evidence and could not be read, in words; nothing where all of it was. Absence of a call from such
    /// logs shows nothing by itself.
    ///
    /// ```
    /// use iam_model::usage::{SkipReason, UsageLog};
    /// let mut log = UsageLog { unread_files: 1, ..UsageLog::default() };
    /// log.skipped.insert(SkipReason::Incomplete, 2);
    /// assert_eq!(log.unread().unwrap(), "1 file and 2 records could not be read");
    /// assert_eq!(UsageLog::default().unread(), None);
    /// ```
    #[must_use]
    pub fn unread(&self) -> Option<String> {
        let records = self.skipped.get(&SkipReason::Incomplete).copied().unwrap_or_default();
        let of = |count: u64, one: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            some => Some(format!("{} {one}s", grouped(some))),
        };
        let parts: Vec<String> = [of(self.unread_files, "file"), of(records, "record")].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| format!("{} could not be read", parts.join(" and ")))
    }
}

/// Which calls the evidence could have shown, from the trails' event selectors.
///
/// Absence is evidence only for a call that would have been logged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    /// Per account; an account that is missing has no trail that we know of.
    pub accounts: BTreeMap<AccountId, AccountCoverage>,
    /// Whole days between the first and the last event read, of all accounts together.
    pub days: u64,
    /// What the logs of each account span; an account that is missing has none.
    pub by_account: BTreeMap<AccountId, AccountDays>,
    /// Days from when a role was made to the end of the logs, of roles younger than these.
    pub role_days: BTreeMap<Arn, u64>,
    /// What is known of each account's regions; nothing of an account that is missing.
    pub regions: BTreeMap<AccountId, Regions>,
    /// The roles of the snapshot, under an empty name, and with each service that they trust and that uses what nobody else
    /// can; absent where nobody asked.
    pub acted: Option<BTreeSet<(Arn, String)>>,
}

impl Coverage {
    /// What trails that record so, by account, and these logs could have shown.
    #[must_use]
    pub fn of(accounts: BTreeMap<AccountId, AccountCoverage>, usage: &UsageLog) -> Self {
        let days = usage.window.map_or(0, |(first, last)| first.days_until(last));
        Self { accounts, days, by_account: days::by_account(usage), ..Self::default() }
    }

    /// How many days the logs of an account show, those without any record left out.
    #[must_use]
    pub fn days_of(&self, account: &AccountId) -> u64 {
        self.by_account.get(account).map_or(0, |days| days.shown())
    }

    /// How many days they show of a role of the account: none from before it was made.
    #[must_use]
    pub fn days_of_role(&self, role: &Arn) -> u64 {
        let own = role.account().map_or(0, |account| self.days_of(&account));
        self.role_days.get(role).map_or(own, |days| own.min(*days))
    }

    /// The same in words, for a sentence that says it is not enough.
    #[must_use]
    pub fn describe_days_of(&self, account: &AccountId) -> String {
        match self.by_account.get(account) {
            Some(days) => format!("the logs of account {account} span {days}"),
            None => format!("no log of account {account} was read"),
        }
    }
}

/// What the trails of one account record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountCoverage {
    /// Management events that read.
    pub management_read: bool,
    /// Management events that write.
    pub management_write: bool,
    /// `eventSource`s left out of management events (`kms.amazonaws.com`, `rdsdata.amazonaws.com`).
    pub excluded_sources: BTreeSet<String>,
    /// Data event resource types (`AWS::S3::Object`, …) recorded for every resource, reads and writes.
    pub data_types: BTreeSet<String>,
    /// Data event resource types recorded only in part (some resources, or only reads or writes).
    pub partial_data_types: BTreeSet<String>,
    /// Of types recorded in part, the resources whose data events are recorded all the same, reads and writes: an ARN, or
    /// the start of one and `*`.
    pub recorded_parts: BTreeMap<String, BTreeSet<String>>,
    /// Whether all trails deliver to one place, so that whoever read some of what they hold could read it all.
    pub one_place: bool,
    /// Data event resource types that the trails record, as they say, and of which the logs hold no event: their logs may lie
    /// elsewhere.
    pub silent_data_types: BTreeSet<String>,
    /// Roles that functions run as in a region of which no record was read, each with why nothing is known of it.
    pub unread_regions: BTreeMap<Arn, String>,
    /// Whether events of global services (IAM, STS, CloudFront) are left out, or some of those that are recorded elsewhere.
    pub no_global_services: bool,
    /// Regions recorded; nothing means all of them (a multi-region trail).
    pub regions: Option<BTreeSet<String>>,
}

/// Whether the evidence could have shown a call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Visibility {
    /// It would have been logged: not seen means not made, within the window.
    Visible,
    /// It would not have been logged, and why, in words for people.
    Invisible(String),
}
