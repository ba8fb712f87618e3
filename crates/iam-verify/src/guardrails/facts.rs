//! The facts a rule may judge, as plain values that the engine fills in: nothing here is computed from policies.
//!
//! The schema in `policies/schema.cedarschema` says the same in Cedar; field by field they agree. Days are whole days,
//! counts are plain counts, and `None` always means that nobody could say.

use std::collections::{BTreeMap, BTreeSet};

use iam_model::action::{Action, ActionPattern};
use iam_model::arn::{AccountId, Arn, ResourcePattern};
use iam_model::catalog::{AccessLevel, ActionFacts, Catalog};
use iam_model::condition::ConditionKey;
use iam_model::control::ControlId;

use super::groups::PermissionGroups;
use super::name::{
    BotName, GroupName, GuardrailName, PersonName, ProviderName, PullRequestName, ServicePrincipal, UnitName,
};
use super::pattern::covers;

/// What an account is for; stated by configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Environment {
    /// Serves customers.
    Production,
    /// Rehearses production.
    Staging,
    /// For building.
    Development,
    /// For trying.
    Sandbox,
}

impl Environment {
    /// Every environment.
    pub const ALL: &'static [Self] = &[Self::Production, Self::Staging, Self::Development, Self::Sandbox];

    /// The word used in configuration and rules.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Staging => "staging",
            Self::Development => "development",
            Self::Sandbox => "sandbox",
        }
    }

    /// The environment of a word; nothing for any other word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|environment| environment.as_str() == word)
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountFacts {
    /// Its id.
    pub id: AccountId,
    /// What it is for, where stated.
    pub environment: Option<Environment>,
    /// Every organisational unit it lies in, nested ones included.
    pub units: Vec<UnitName>,
    /// Whether it is the organisation's management account.
    pub management: bool,
}

impl AccountFacts {
    /// An account about which only its id is known.
    #[must_use]
    pub const fn new(id: AccountId) -> Self {
        Self { id, environment: None, units: Vec::new(), management: false }
    }
}

/// A role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleFacts {
    /// Its ARN, path included.
    pub arn: Arn,
    /// The account it lives in.
    pub account: AccountFacts,
    /// The permissions boundary attached to it.
    pub boundary: Option<Arn>,
    /// Whether AWS made it for a service.
    pub service_linked: bool,
    /// Whether a template declares it; `None` where no template was given.
    pub managed_by_code: Option<bool>,
    /// How many Lambda functions run as it.
    pub function_count: u64,
    /// Whether it is an administrator in effect, before the change.
    pub admin: bool,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl RoleFacts {
    /// A role about which only its name and account are known.
    #[must_use]
    pub const fn new(arn: Arn, account: AccountFacts) -> Self {
        Self {
            arn,
            account,
            boundary: None,
            service_linked: false,
            managed_by_code: None,
            function_count: 0,
            admin: false,
            tags: BTreeMap::new(),
        }
    }

    /// The path, from slash to slash.
    #[must_use]
    pub fn path(&self) -> &str {
        let rest = self.arn.resource().strip_prefix("role").unwrap_or("/");
        rest.rfind('/').and_then(|last| rest.get(..=last)).unwrap_or("/")
    }
}

/// A Lambda function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionFacts {
    /// Its ARN.
    pub arn: Arn,
    /// The account it lives in.
    pub account: AccountFacts,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// An action or action pattern, and what it matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionFacts {
    /// As the statement writes it.
    pub action: ActionPattern,
    /// The access levels of everything it matches; empty where AWS publishes no action that it matches.
    pub levels: BTreeSet<AccessLevel>,
    /// The groups of everything it matches.
    pub groups: BTreeSet<GroupName>,
    /// Whether anything it matches can be limited to resources; `None` where AWS publishes no action that it matches.
    pub supports_resource_level: Option<bool>,
}

impl PermissionFacts {
    /// The facts of a pattern, from everything AWS publishes and the groups of the organisation.
    ///
    /// A service prefix takes no wildcard in IAM, so `*:Get*` matches nothing; a bare `*` matches everything.
    ///
    /// ```
    /// use iam_model::{action::ActionPattern, catalog::{AccessLevel, Catalog}};
    /// use iam_verify::guardrails::{PermissionFacts, PermissionGroups};
    /// let (catalog, groups) = (Catalog::embedded().unwrap(), PermissionGroups::embedded().unwrap());
    /// let facts = PermissionFacts::of(ActionPattern::new("dynamodb:Put*"), &catalog, &groups);
    /// assert!(facts.levels.contains(&AccessLevel::Write));
    /// assert!(!facts.levels.contains(&AccessLevel::Read));
    /// ```
    #[must_use]
    pub fn of(action: ActionPattern, catalog: &Catalog, groups: &PermissionGroups) -> Self {
        let lower = action.as_str().to_ascii_lowercase();
        let candidates: Vec<ActionFacts<'_>> = match lower.split_once(':') {
            Some((service, _)) => catalog.service_actions(service).collect(),
            None if lower == "*" => catalog.actions().collect(),
            None => Vec::new(),
        };
        // The pattern's own text counts too: it may name an action that is in a group and in no catalogue.
        let mut named: BTreeSet<GroupName> =
            lower.parse::<Action>().iter().flat_map(|a| groups.of(a)).cloned().collect();
        let (mut levels, mut supports_resource_level) = (BTreeSet::new(), None);
        for facts in candidates {
            let found = facts.action();
            if covers(&lower, &found.as_str().to_ascii_lowercase()) {
                levels.insert(facts.level());
                supports_resource_level = Some(supports_resource_level == Some(true) || facts.takes_resource());
                named.extend(groups.of(&found).cloned());
            }
        }
        Self { action, levels, groups: named, supports_resource_level }
    }
}

/// On what a permission is granted: one entry of a statement's `Resource`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// As the statement writes it.
    pub pattern: ResourcePattern,
    /// Whether it is known to lie in another account than the role.
    pub external: bool,
}

/// What the logs say about a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Days of logs that were read.
    pub window_days: u64,
    /// Calls seen.
    pub calls: u64,
    /// Days since the last call.
    pub last_used_days_ago: Option<u64>,
    /// Whether a call would have left a trace: data events on, and not one of the actions that are never logged.
    pub observable: bool,
}

/// What the access graph says about a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Escalation {
    /// Paths that the permission opens.
    pub new_paths: u64,
    /// Whether one of them ends at an administrator.
    pub reaches_admin: bool,
    /// Steps of the shortest.
    pub shortest_hops: Option<u64>,
}

/// A permission of a role: one action entry on one resource entry of one statement.
#[derive(Debug, Clone)]
pub struct Grant<'a> {
    /// Who holds it.
    pub role: &'a RoleFacts,
    /// What is permitted.
    pub permission: &'a PermissionFacts,
    /// On what.
    pub target: Target,
    /// Keys of the statement's conditions.
    pub condition_keys: BTreeSet<ConditionKey>,
    /// What the logs say.
    pub usage: Usage,
    /// What the graph says.
    pub escalation: Escalation,
}

/// A role is the execution role of a function.
#[derive(Debug, Clone)]
pub struct Share<'a> {
    /// The role.
    pub role: &'a RoleFacts,
    /// One of its functions.
    pub function: &'a FunctionFacts,
}

/// A role may hand a role to a service. Ask once per role that the statement's pattern matches.
#[derive(Debug, Clone)]
pub struct Pass<'a> {
    /// Who passes.
    pub role: &'a RoleFacts,
    /// Who is passed.
    pub passed: &'a RoleFacts,
    /// The entry of `Resource` that matches the passed role.
    pub pattern: ResourcePattern,
    /// The service that `iam:PassedToService` demands.
    pub passed_to_service: Option<ServicePrincipal>,
}

/// Who calls a role or a function.
#[derive(Debug, Clone)]
pub enum Caller<'a> {
    /// A role.
    Role(&'a RoleFacts),
    /// Everything an account lets in.
    Account(&'a AccountFacts),
    /// An AWS service.
    Service(ServicePrincipal),
    /// Users of an identity provider.
    Provider(ProviderName),
    /// Everyone, `*`.
    Anyone,
}

/// A trust policy lets a caller assume a role.
#[derive(Debug, Clone)]
pub struct Assume<'a> {
    /// Who may.
    pub caller: Caller<'a>,
    /// The role assumed.
    pub role: &'a RoleFacts,
    /// Whether the caller is neither of this account nor of this organisation.
    pub third_party: bool,
    /// Whether `sts:ExternalId` is demanded.
    pub external_id: bool,
    /// Whether `aws:PrincipalOrgID` or a like key is demanded.
    pub organization_bound: bool,
}

/// A resource policy lets a caller invoke a function.
#[derive(Debug, Clone)]
pub struct Invoke<'a> {
    /// Who may.
    pub caller: Caller<'a>,
    /// What is invoked.
    pub function: &'a FunctionFacts,
    /// Whether it is a function URL with `AuthType` `NONE`.
    pub anonymous_url: bool,
    /// Whether a condition names the source: `aws:SourceArn`, `aws:SourceAccount`, `aws:PrincipalOrgID` and the like.
    pub source_bound: bool,
}

/// Who brings a change in.
#[derive(Debug, Clone)]
pub enum Author {
    /// A program.
    Bot(BotName),
    /// A person.
    Person(PersonName),
}

/// A pull request that changes permissions.
#[derive(Debug, Clone)]
pub struct Merge {
    /// Who would merge it.
    pub by: Author,
    /// Its name.
    pub name: PullRequestName,
    /// Every account it touches.
    pub accounts: Vec<AccountFacts>,
    /// Whether it changes who may assume a role.
    pub touches_trust: bool,
    /// Permissions added.
    pub adds: u64,
    /// Permissions removed.
    pub removes: u64,
    /// Permissions whose resources or conditions grew.
    pub widens: u64,
    /// Escalation paths that it opens.
    pub new_escalation_paths: u64,
    /// The thinnest evidence behind a removal.
    pub usage: Usage,
    /// Calls replayed.
    pub replayed_calls: u64,
    /// Calls that would be denied.
    pub replay_denied: u64,
    /// Whether every check passed.
    pub checks_green: bool,
    /// Who approved.
    pub approvals: BTreeSet<PersonName>,
}

/// The two kinds of guardrail policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GuardrailKind {
    /// A service control policy.
    ServiceControl,
    /// A resource control policy.
    ResourceControl,
}

/// A guardrail policy that would be attached.
#[derive(Debug, Clone)]
pub struct Attach {
    /// Who would attach it.
    pub by: Author,
    /// Its name.
    pub name: GuardrailName,
    /// Its kind.
    pub kind: GuardrailKind,
    /// Its size in characters, as AWS counts them.
    pub characters: u64,
    /// AWS Control Tower's controls in its text before the change.
    pub controls: Vec<ControlId>,
    /// Accounts below the target.
    pub accounts_affected: u64,
    /// Calls replayed.
    pub replayed_calls: u64,
    /// Calls that would be denied; `None` where nothing was replayed, or not all of it could be decided.
    pub replay_denied: Option<u64>,
    /// Free slots at the target; `None` where the policies there are not known.
    pub slots_free: Option<u64>,
    /// Statements that match nothing.
    pub dead_statements: u64,
    /// Requests that test it; `None` where nobody said.
    pub test_vectors: Option<u64>,
    /// Whether the break-glass role survives it; `None` where none is named.
    pub break_glass: Option<bool>,
}

/// What the rules are asked.
#[derive(Debug, Clone)]
pub enum Question<'a> {
    /// May the role be given this permission? For every statement of a policy as it is proposed.
    Grant(Grant<'a>),
    /// May the role go on holding it?
    Keep(Grant<'a>),
    /// May it be taken away?
    Remove(Grant<'a>),
    /// May the function run as the role?
    Share(Share<'a>),
    /// May the role be passed?
    Pass(Pass<'a>),
    /// May the caller assume the role?
    Assume(Assume<'a>),
    /// May the caller invoke the function?
    Invoke(Invoke<'a>),
    /// May the pull request be merged?
    Merge(Merge),
    /// May the guardrail be attached?
    Attach(Attach),
}

/// Which question, without its facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each variant is the question of the same name")]
pub enum QuestionKind {
    Grant,
    Keep,
    Remove,
    Share,
    Pass,
    Assume,
    Invoke,
    Merge,
    Attach,
}

impl QuestionKind {
    /// Every question.
    pub const ALL: &'static [Self] = &[
        Self::Grant,
        Self::Keep,
        Self::Remove,
        Self::Share,
        Self::Pass,
        Self::Assume,
        Self::Invoke,
        Self::Merge,
        Self::Attach,
    ];

    /// The name of the Cedar action.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Keep => "keep",
            Self::Remove => "remove",
            Self::Share => "share",
            Self::Pass => "pass",
            Self::Assume => "assume",
            Self::Invoke => "invoke",
            Self::Merge => "merge",
            Self::Attach => "attach",
        }
    }
}

impl Question<'_> {
    /// Which question it is.
    #[must_use]
    pub const fn kind(&self) -> QuestionKind {
        match self {
            Self::Grant(_) => QuestionKind::Grant,
            Self::Keep(_) => QuestionKind::Keep,
            Self::Remove(_) => QuestionKind::Remove,
            Self::Share(_) => QuestionKind::Share,
            Self::Pass(_) => QuestionKind::Pass,
            Self::Assume(_) => QuestionKind::Assume,
            Self::Invoke(_) => QuestionKind::Invoke,
            Self::Merge(_) => QuestionKind::Merge,
            Self::Attach(_) => QuestionKind::Attach,
        }
    }
}
