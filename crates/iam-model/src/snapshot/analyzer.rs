//! What IAM Access Analyzer found in an account: a second source, kept apart from what the snapshot itself shows.
//!
//! Values only. AWS decided what they say; what it means beside our own findings is for other rooms.

use crate::action::{Action, ActionPattern};
use crate::arn::{AccountId, Arn};
use crate::condition::ConditionKey;
use crate::time::Timestamp;

/// The analyzers of an account, and what they found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessAnalyzer {
    /// The analyzers, of all regions that were asked.
    pub analyzers: Vec<Analyzer>,
    /// Their findings, settled ones too.
    pub findings: Vec<AnalyzerFinding>,
}

/// An analyzer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Analyzer {
    /// Its ARN, which tells account and region.
    pub arn: Arn,
    /// What it looks for.
    pub looks_for: LooksFor,
    /// Whether it trusts, and looks at, the whole organisation instead of one account.
    pub organization: bool,
    /// Whether it is at work.
    pub active: bool,
    /// Whether its findings are all here: only then does none mean none.
    pub findings_read: bool,
}

/// What an analyzer looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LooksFor {
    /// Whom policies let in from outside.
    External,
    /// Who within can use resources that are named to it.
    Internal,
    /// What is granted and not used.
    Unused,
    /// A kind this version does not know.
    Unknown,
}

/// What became of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AnalyzerStatus {
    /// It stands.
    Active,
    /// Somebody, or a rule, accepted it.
    Archived,
    /// It is no longer so.
    Resolved,
    /// A word this version does not know; it counts as standing.
    Unknown,
}

/// One finding of an analyzer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnalyzerFinding {
    /// AWS's id of it.
    pub id: String,
    /// Whose it is.
    pub analyzer: Option<Arn>,
    /// Whether it stands.
    pub status: AnalyzerStatus,
    /// The resource, role or user it is about.
    pub resource: Option<Arn>,
    /// The account that owns it.
    pub owner: Option<AccountId>,
    /// When AWS looked last.
    pub analyzed: Option<Timestamp>,
    /// Why AWS could not analyze it.
    pub error: Option<String>,
    /// What is said.
    pub about: AnalyzerWord,
    /// What AWS recommends to do, about unused permissions.
    pub steps: Vec<RecommendedStep>,
}

/// What a finding says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnalyzerWord {
    /// Someone outside is let in.
    External(Access),
    /// Someone within can use it.
    Internal(Access),
    /// A role that nobody uses; with its last use, where there was one.
    UnusedRole(Option<Timestamp>),
    /// An access key that nobody uses.
    UnusedAccessKey(Option<Timestamp>),
    /// A password that nobody uses.
    UnusedPassword(Option<Timestamp>),
    /// Permissions that nobody uses, by service; empty where the details were not read.
    UnusedPermissions(Vec<UnusedService>),
    /// A kind this version does not know.
    Unknown(String),
}

/// Access that an analyzer saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Whether the details were read; without them only the resource is known.
    pub detailed: bool,
    /// Whether AWS calls it public.
    pub public: bool,
    /// Who, as the policy names them: its key and its text.
    pub who: Vec<Named>,
    /// What they may do.
    pub actions: Vec<ActionPattern>,
    /// The keys it hangs on.
    pub conditions: Vec<ConditionKey>,
    /// What grants it, where that is not the resource's own policy alone: `S3_ACCESS_POINT`, `BUCKET_ACL`.
    pub through: Vec<String>,
}

/// A principal as a policy names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// `AWS`, `Federated`, `CanonicalUser`, …
    pub kind: String,
    /// An account, an ARN, `*`, a provider.
    pub text: String,
}

impl Named {
    /// The account, where the text names one.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        self.text.parse::<AccountId>().ok().or_else(|| self.text.parse::<Arn>().ok()?.account())
    }
}

/// What a role or user does not use of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusedService {
    /// The service's prefix, in small letters.
    pub service: String,
    /// The last use of any of its actions.
    pub last: Option<Timestamp>,
    /// Actions that are not used, with their last use; empty where the whole service is not.
    pub unused: Vec<(Action, Option<Timestamp>)>,
}

/// A step that AWS recommends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecommendedStep {
    /// The policy it is about, by ARN or name.
    pub policy: String,
    /// Whether a narrower policy should take its place; otherwise it should go.
    pub replace: bool,
}
