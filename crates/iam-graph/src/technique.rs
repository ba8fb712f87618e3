//! The technique catalogue: ways to gain another's permissions, as data.
//!
//! One entry of `data/techniques.json` each: what must be allowed, on what, what must be true of the account, and what is
//! gained. Says nothing about any account; whether an entry applies is found out in [`crate::search`].

mod read;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use iam_model::action::Action;
use iam_model::arn::Arn;
use iam_model::condition::ConditionKey;
use iam_model::snapshot::ResourceKind;

/// The entries, and what of the data could not be understood.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    techniques: Vec<Technique>,
    places: BTreeMap<String, usize>,
    not_understood: Vec<String>,
}

impl Catalogue {
    /// The entries, in the order of the data.
    #[must_use]
    pub fn techniques(&self) -> &[Technique] {
        &self.techniques
    }

    /// The entry with this public id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Technique> {
        self.techniques.get(*self.places.get(id)?)
    }

    /// Entries, or parts of them, in words this version does not know: such an entry is not searched for.
    #[must_use]
    pub fn not_understood(&self) -> &[String] {
        &self.not_understood
    }
}

/// The catalogue this version was built with.
///
/// ```
/// let code = iam_graph::technique::catalogue().find("lambda-003").unwrap();
/// assert_eq!(code.requires[0].action.as_str(), "lambda:UpdateFunctionCode");
/// ```
#[must_use]
pub fn catalogue() -> &'static Catalogue {
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| read::read(include_str!("../data/techniques.json")));
    &CATALOGUE
}

/// One way to gain permissions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Technique {
    /// The public id, such as `iam-001`.
    pub id: String,
    /// What kind of way it is.
    pub category: Category,
    /// Whose permissions are gained.
    pub target: TargetKind,
    /// What the start must be allowed, all of it.
    pub requires: Vec<Requirement>,
    /// Services of which the target must trust at least one; empty where none is needed.
    pub trusts: Vec<String>,
    /// A resource that must exist.
    pub resource: Option<ExistingResource>,
    /// What else must be true, and can be seen in a snapshot.
    pub when: Vec<Prerequisite>,
    /// What else must be true, cannot be seen, and is taken as given.
    pub assumes: Vec<String>,
    /// What is gained.
    pub gains: Gain,
    /// The technique this one is a longer form of.
    pub variant_of: Option<String>,
    /// A remark.
    pub note: Option<String>,
    /// Other tools that know it.
    pub known_by: Vec<String>,
}

/// Where a technique belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// The start changes what it may do itself.
    SelfEscalation,
    /// The start takes over another principal.
    PrincipalAccess,
    /// The start runs something new as the target.
    NewPassrole,
    /// The start changes something that already runs as the target.
    ExistingPassrole,
}

impl Category {
    /// The word used in the data.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SelfEscalation => "self-escalation",
            Self::PrincipalAccess => "principal-access",
            Self::NewPassrole => "new-passrole",
            Self::ExistingPassrole => "existing-passrole",
        }
    }
}

/// What kind of principal is gained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TargetKind {
    /// The start itself.
    Start,
    /// A user.
    User,
    /// A group.
    Group,
    /// A role.
    Role,
}

/// One permission a technique needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The action.
    pub action: Action,
    /// On what.
    pub on: Place,
    /// What the request carries.
    pub with: Vec<(ConditionKey, Carried)>,
    /// The trust policy it is asked under, for assuming a role.
    pub trust: TrustAsked,
}

/// The trust policy a requirement is asked under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum TrustAsked {
    /// The one that is there.
    #[default]
    AsItIs,
    /// One the start has written, naming the account: the start's own policies must allow it.
    NamingAccount,
    /// One the start has written, naming the start: it must not be denied.
    NamingStart,
}

/// What a requirement's resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The start.
    Start,
    /// The target: user, group or role.
    Target,
    /// A customer managed policy attached to whoever gains.
    Policy,
    /// The start's boundary, a customer managed policy.
    Boundary,
    /// The resource that must exist.
    Resource,
    /// Anything the caller names.
    Any,
    /// One new thing the caller names, the same for all requirements of the technique that say so.
    New,
    /// The action has no resource of its own.
    Star,
}

/// What a context key holds in the request a technique makes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Carried {
    /// A policy that allows everything.
    AdminPolicy,
    /// The managed policy with the deny.
    DenyPolicy,
    /// The request does not carry the key.
    Nothing,
    /// This text.
    Text(String),
}

/// A resource that must exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExistingResource {
    /// Its kind.
    pub kind: ResourceKind,
    /// Whether it must run as the target.
    pub runs_as_target: bool,
}

/// What must be true of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prerequisite {
    /// The start is a role.
    StartIsRole,
    /// The start is a user.
    StartIsUser,
    /// The start is a member of the group.
    StartInGroup,
    /// The start is no member of the group.
    StartNotInGroup,
    /// The start has a boundary that takes something away.
    StartBounded,
    /// The target has a boundary that takes something away.
    TargetBounded,
    /// The target's trust policy lets the start in.
    TargetTrustsStart,
    /// The target trusts an account outside the snapshot, without asking for an external id.
    TrustsOutsideAccount,
    /// The target trusts everyone.
    TrustsEveryone,
    /// The user has room for another access key.
    TargetKeySlot,
    /// The user has two access keys.
    TargetKeysFull,
    /// The user has no console password.
    TargetWithoutPassword,
    /// The user has a console password.
    TargetWithPassword,
    /// The policy has fewer than five versions, or the start may delete one.
    VersionSlot,
    /// A version of the policy that is not in force grants more.
    OlderVersion,
    /// A managed policy with a deny is attached to the start.
    ManagedDeny,
    /// An inline policy with a deny is on the start.
    InlineDeny,
    /// A managed policy with a deny is attached to a group of the start's.
    GroupManagedDeny,
    /// An inline policy with a deny is on a group of the start's.
    GroupInlineDeny,
    /// Either of the two.
    GroupDeny,
    /// The start's account is the organisation's management account.
    ManagementAccount,
    /// An instance profile holds the target.
    InstanceProfile,
    /// The resource's description has this member, and it is not false. Taken as given where it is not described.
    Api(String),
}

/// What a technique gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gain {
    /// The start writes its own permissions.
    RewriteOwnPolicy,
    /// The start is a member of the group.
    JoinGroup,
    /// The start acts as the target.
    ActAsTarget,
    /// The start writes the target's permissions, then acts as it.
    RewriteThenActAsTarget,
    /// The start removes its boundary.
    LiftOwnBoundary,
    /// The start removes the target's boundary, then acts as it.
    LiftBoundaryThenActAsTarget,
    /// The start removes a deny from itself, or from a group it is in.
    DropOwnDeny,
    /// The start makes a role that may do everything.
    CreateAdminRole,
    /// The start gives itself an organisation-wide permission set.
    OrganizationAdmin,
    /// A service gives the start more.
    ServiceGrants,
}

/// A policy that allows everything, which AWS keeps in every account.
pub(crate) fn admin_policy(partition: &str) -> Option<Arn> {
    format!("arn:{partition}:iam::aws:policy/AdministratorAccess").parse().ok()
}

#[cfg(test)]
mod tests;
