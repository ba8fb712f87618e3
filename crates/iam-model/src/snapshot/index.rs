//! An index over a snapshot: which policies speak for a principal, which functions run as a role, which guardrails bind.
//!
//! Looks up and nothing more: what the policies say together is for evaluation. What is attached and not in the
//! snapshot is answered with an unknown policy, and named in a diagnostic.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::{
    Account, AccountGuardrails, Group, Identity, ManagedPolicy, Resource, ResourceKind, Role, Snapshot, User,
    VpcEndpoint,
};
use crate::arn::{AccountId, Arn};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::policy::{PolicyDocument, UnknownElement};
use crate::text::{SourceName, Span};

/// A snapshot, looked up by ARN.
#[derive(Debug)]
pub struct SnapshotIndex<'a> {
    snapshot: &'a Snapshot,
    principals: BTreeMap<&'a Arn, (&'a Account, Principal<'a>)>,
    groups: BTreeMap<(&'a AccountId, &'a str), &'a Group>,
    /// Managed policies of all accounts: AWS's own are the same everywhere, and one account may hold what another lacks.
    managed: BTreeMap<&'a Arn, &'a ManagedPolicy>,
    functions: BTreeMap<&'a Arn, Vec<&'a Resource>>,
    /// What is set of functions apart from their own description, by the function's ARN without a version.
    settings: BTreeMap<String, Vec<&'a Resource>>,
    resource_policies: BTreeMap<&'a Arn, &'a PolicyDocument>,
}

/// A policy as it is attached to a principal.
#[derive(Debug, Clone, Copy)]
pub struct AttachedPolicy<'a> {
    /// The inline policy's name, or the managed policy's.
    pub name: &'a str,
    /// How it is attached.
    pub origin: PolicyOrigin<'a>,
    /// The document; wholly unknown where the snapshot does not hold it.
    pub document: &'a PolicyDocument,
}

/// How a policy is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyOrigin<'a> {
    /// Written into the principal; its place in the list. A place past the end stands for a group the snapshot lacks.
    Inline(usize),
    /// A managed policy, by ARN.
    Managed(&'a Arn),
    /// Through a group: the group's ARN.
    Group(&'a Arn),
}

#[derive(Debug, Clone, Copy)]
enum Principal<'a> {
    User(&'a AccountId, &'a User),
    Group(&'a Group),
    Role(&'a Role),
}

impl<'a> Principal<'a> {
    const fn identity(self) -> &'a Identity {
        match self {
            Self::User(_, user) => &user.identity,
            Self::Group(group) => &group.identity,
            Self::Role(role) => &role.identity,
        }
    }
}

/// Stands in for every document the snapshot does not hold.
static MISSING: LazyLock<PolicyDocument> = LazyLock::new(|| {
    let what = "a policy that the snapshot does not hold".to_owned();
    PolicyDocument { unknown: vec![UnknownElement { span: Span::default(), what }], ..PolicyDocument::default() }
});

impl<'a> SnapshotIndex<'a> {
    /// Builds the index. Dangling references become diagnostics and unknown documents.
    ///
    /// ```
    /// use iam_model::snapshot::{self, SnapshotIndex};
    /// use iam_model::text::{SourceName, SourceText};
    /// let text = r#"{"schema": "paring-snapshot/1", "accounts": {"111122223333": {"authorization_details": {
    ///     "RoleDetailList": [{"RoleName": "R", "Arn": "arn:aws:iam::111122223333:role/R", "AssumeRolePolicyDocument": {},
    ///         "AttachedManagedPolicies": [{"PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]}]}}}}"#;
    /// let source = SourceText { name: SourceName::new("snapshot.json"), text: text.into() };
    /// let (snapshot, _) = snapshot::read(source).unwrap();
    /// let (index, diagnostics) = SnapshotIndex::new(&snapshot);
    /// let policies = index.identity_policies(&"arn:aws:iam::111122223333:role/R".parse().unwrap());
    /// assert_eq!(policies[0].name, "ReadOnlyAccess");
    /// assert!(!policies[0].document.unknown.is_empty());
    /// assert!(diagnostics[0].message.contains("arn:aws:iam::aws:policy/ReadOnlyAccess"));
    /// ```
    #[must_use]
    pub fn new(snapshot: &'a Snapshot) -> (Self, Vec<Diagnostic>) {
        let mut index = Self {
            snapshot,
            principals: BTreeMap::new(),
            groups: BTreeMap::new(),
            managed: BTreeMap::new(),
            functions: BTreeMap::new(),
            settings: BTreeMap::new(),
            resource_policies: BTreeMap::new(),
        };
        let mut diagnostics = Vec::new();
        for (id, account) in &snapshot.accounts {
            index.add_account(id, account, &mut diagnostics);
        }
        for functions in index.functions.values_mut() {
            functions.sort_by(|a, b| a.arn.cmp(&b.arn));
            functions.dedup_by(|a, b| a.arn == b.arn);
        }
        index.report_dangling(&mut diagnostics);
        (index, diagnostics)
    }

    fn add_account(&mut self, id: &'a AccountId, account: &'a Account, diagnostics: &mut Vec<Diagnostic>) {
        let users = account.users.iter().map(|user| Principal::User(id, user));
        let groups = account.groups.iter().map(Principal::Group);
        let roles = account.roles.iter().map(Principal::Role);
        for principal in users.chain(groups).chain(roles) {
            let arn = &principal.identity().arn;
            if self.principals.contains_key(arn) {
                let message = format!("`{arn}` stands twice in the snapshot; the first one counts");
                diagnostics.push(Diagnostic::warning(Code::SnapshotIncomplete, self.place(), message));
                continue;
            }
            self.principals.insert(arn, (account, principal));
            if let Principal::Group(group) = principal {
                self.groups.insert((id, &group.identity.name), group);
            }
        }
        for (arn, policy) in &account.managed_policies {
            self.managed.entry(arn).or_insert(policy);
        }
        for resource in account.resources.iter().filter(|r| r.kind == ResourceKind::LambdaFunction) {
            if let Some(role) = &resource.role {
                self.functions.entry(role).or_default().push(resource);
            }
        }
        for resource in &account.resources {
            if let Some(function) = resource.set_function() {
                self.settings.entry(function).or_default().push(resource);
            }
        }
        self.resource_policies.extend(&account.resource_policies);
    }

    /// One diagnostic for each policy, and each group, that is attached and not there.
    fn report_dangling(&self, diagnostics: &mut Vec<Diagnostic>) {
        let mut dangling: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for &(account, principal) in self.principals.values() {
            let identity = principal.identity();
            for arn in identity.attached_policies.iter().chain(&identity.boundary) {
                if self.managed_policy(account, arn).is_none() {
                    *dangling.entry(("policy", arn.as_str())).or_default() += 1;
                }
            }
            if let Principal::User(id, user) = principal {
                for name in user.groups.iter().filter(|name| !self.groups.contains_key(&(id, name.as_str()))) {
                    *dangling.entry(("group", name)).or_default() += 1;
                }
            }
        }
        for ((what, name), count) in dangling {
            let of = if count == 1 { "1 principal".to_owned() } else { format!("{count} principals") };
            let message =
                format!("the {what} `{name}` of {of} is not in the snapshot; what it grants counts as unknown");
            let hint = match what {
                "policy" => {
                    format!("collect again with its document: `aws iam get-policy-version --policy-arn {name} …`")
                }
                _ => "collect again without a filter: groups are part of `aws iam get-account-authorization-details`"
                    .into(),
            };
            diagnostics.push(Diagnostic::warning(Code::SnapshotIncomplete, self.place(), message).hint(hint));
        }
        let Some(organization) = &self.snapshot.organization else { return };
        for id in self.snapshot.accounts.keys().filter(|id| !organization.accounts.contains_key(id)) {
            let message =
                format!("the account {id} is not in the snapshot's organization; its guardrails are not known");
            diagnostics.push(Diagnostic::warning(Code::SnapshotIncomplete, self.place(), message));
        }
    }

    fn place(&self) -> Place {
        let source = self.snapshot.source.as_ref();
        Place::whole(source.map_or_else(|| SourceName::new("<snapshot>"), |source| source.name.clone()))
    }

    fn managed_policy(&self, account: &'a Account, arn: &Arn) -> Option<&'a ManagedPolicy> {
        account.managed_policies.get(arn).or_else(|| self.managed.get(arn).copied())
    }

    fn principal(&self, arn: &Arn) -> Option<(&'a Account, Principal<'a>)> {
        self.principals.get(arn).copied()
    }

    /// The snapshot itself.
    #[must_use]
    pub const fn snapshot(&self) -> &'a Snapshot {
        self.snapshot
    }

    /// A role by ARN.
    #[must_use]
    pub fn role(&self, arn: &Arn) -> Option<&'a Role> {
        if let Some((_, Principal::Role(role))) = self.principal(arn) { Some(role) } else { None }
    }

    /// A user by ARN.
    #[must_use]
    pub fn user(&self, arn: &Arn) -> Option<&'a User> {
        if let Some((_, Principal::User(_, user))) = self.principal(arn) { Some(user) } else { None }
    }

    /// A user's, group's or role's name, policies and boundary.
    #[must_use]
    pub fn identity(&self, arn: &Arn) -> Option<&'a Identity> {
        self.principal(arn).map(|(_, principal)| principal.identity())
    }

    /// Every role, by ARN.
    pub fn roles(&self) -> impl Iterator<Item = &'a Role> + '_ {
        self.principals.values().filter_map(|(_, p)| if let Principal::Role(role) = p { Some(*role) } else { None })
    }

    /// Every user, by ARN.
    pub fn users(&self) -> impl Iterator<Item = &'a User> + '_ {
        self.principals.values().filter_map(|(_, p)| if let Principal::User(_, user) = p { Some(*user) } else { None })
    }

    /// How many users, groups and roles a managed policy is attached to, or bounds, as far as the snapshot shows.
    #[must_use]
    pub fn holders_of(&self, policy: &Arn) -> usize {
        let of = |account: &'a Account| {
            let users = account.users.iter().map(|user| &user.identity);
            let groups = account.groups.iter().map(|group| &group.identity);
            users.chain(groups).chain(account.roles.iter().map(|role| &role.identity))
        };
        let identities = self.snapshot().accounts.values().flat_map(of);
        identities
            .flat_map(|held| held.attached_policies.iter().chain(&held.boundary))
            .filter(|arn| *arn == policy)
            .count()
    }

    /// Why an edit of a managed policy, which `shown` principals hold, reaches others: AWS counts more of them.
    #[must_use]
    pub fn held_elsewhere(&self, policy: &Arn, shown: usize) -> Option<String> {
        let mut accounts = self.snapshot().accounts.values();
        let told = accounts.find_map(|account| account.managed_policies.get(policy))?.holders?;
        let more = usize::try_from(told).map_or(true, |told| told > shown);
        let hold = if told == 1 { "principal holds" } else { "principals hold" };
        more.then(|| format!("{told} {hold} it, and the snapshot shows {shown}"))
    }

    /// The identity policies of a user (its groups' included), group or role, in a fixed order: inline ones, attached
    /// ones, then those of each group, all as the snapshot lists them.
    #[must_use]
    pub fn identity_policies(&self, principal: &Arn) -> Vec<AttachedPolicy<'a>> {
        let Some((account, principal)) = self.principal(principal) else { return Vec::new() };
        let mut policies = self.own_policies(account, principal.identity());
        if let Principal::User(id, user) = principal {
            for name in &user.groups {
                match self.groups.get(&(id, name.as_str())) {
                    Some(group) => {
                        let arn = &group.identity.arn;
                        let of_group = self.own_policies(account, &group.identity);
                        policies.extend(
                            of_group.into_iter().map(|p| AttachedPolicy { origin: PolicyOrigin::Group(arn), ..p }),
                        );
                    }
                    None => policies.push(AttachedPolicy {
                        name,
                        origin: PolicyOrigin::Inline(user.identity.inline_policies.len()),
                        document: &MISSING,
                    }),
                }
            }
        }
        policies
    }

    fn own_policies(&self, account: &'a Account, identity: &'a Identity) -> Vec<AttachedPolicy<'a>> {
        let inline = identity.inline_policies.iter().enumerate().map(|(place, policy)| AttachedPolicy {
            name: &policy.name,
            origin: PolicyOrigin::Inline(place),
            document: &policy.document,
        });
        let attached = identity.attached_policies.iter().map(|arn| {
            let policy = self.managed_policy(account, arn);
            AttachedPolicy {
                name: policy.map_or_else(|| arn.name(), |policy| &policy.name),
                origin: PolicyOrigin::Managed(arn),
                document: policy.map_or(&MISSING, |policy| &policy.document),
            }
        });
        inline.chain(attached).collect()
    }

    /// The permissions boundary's document; wholly unknown where the snapshot does not hold it.
    #[must_use]
    pub fn boundary(&self, principal: &Arn) -> Option<&'a PolicyDocument> {
        let (account, principal) = self.principal(principal)?;
        let arn = principal.identity().boundary.as_ref()?;
        Some(self.managed_policy(account, arn).map_or(&MISSING, |policy| &policy.document))
    }

    /// Lambda functions that run as a role, by ARN.
    #[must_use]
    pub fn functions_of(&self, role: &Arn) -> Vec<&'a Resource> {
        self.functions.get(role).cloned().unwrap_or_default()
    }

    /// What stands apart from a function's own description: where it passes on what came of it, and what it reads.
    #[must_use]
    pub fn settings_of(&self, function: &Arn) -> &[&'a Resource] {
        self.settings.get(function.as_str()).map(Vec::as_slice).unwrap_or_default()
    }

    /// The policy on a resource.
    #[must_use]
    pub fn resource_policy(&self, resource: &Arn) -> Option<&'a PolicyDocument> {
        self.resource_policies.get(resource).copied()
    }

    /// The tags of a resource; nothing where the snapshot does not hold any of it.
    #[must_use]
    pub fn tags_of(&self, resource: &Arn) -> Option<&'a BTreeMap<String, String>> {
        let tags = |account: &'a Account| account.tags.get(resource);
        self.snapshot.accounts.values().find_map(tags).filter(|tags| !tags.is_empty())
    }

    /// A VPC endpoint by ARN.
    #[must_use]
    pub fn vpc_endpoint(&self, endpoint: &Arn) -> Option<&'a VpcEndpoint> {
        self.snapshot.accounts.values().find_map(|account| account.vpc_endpoints.get(endpoint))
    }

    /// The guardrails above an account; nothing where there is no organisation.
    #[must_use]
    pub fn guardrails(&self, account: &AccountId) -> Option<&'a AccountGuardrails> {
        self.snapshot.organization.as_ref()?.accounts.get(account)
    }

    /// Whether the account is the organisation's management account.
    #[must_use]
    pub fn is_management_account(&self, account: &AccountId) -> bool {
        let organization = self.snapshot.organization.as_ref();
        organization.and_then(|o| o.management_account.as_ref()).is_some_and(|id| id == account)
    }
}

#[cfg(test)]
mod tests;
