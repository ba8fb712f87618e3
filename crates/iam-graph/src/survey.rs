//! Who is in the accounts and what speaks for them: principals with their policies, after the changes under review.
//!
//! Gathers and looks up. What the policies allow together is for [`crate::judge`], what follows for [`crate::search`].

use std::collections::BTreeMap;

use iam_evaluate::glob::{Glob, Reading};
use iam_model::arn::{AccountId, Arn};
use iam_model::change::{AttachmentKind, Change, GuardTarget};
use iam_model::policy::{ActionElement, Effect, PolicyDocument, Statement};
use iam_model::snapshot::{Account, Identity, PolicyOrigin, Resource, ResourceKind, Role, SnapshotIndex, User};

/// What kind of principal it is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Being<'a> {
    User(&'a User),
    Group,
    Role(&'a Role),
}

/// A policy that speaks for a principal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held<'a> {
    pub(crate) name: &'a str,
    /// The managed policy's ARN; nothing for inline policies.
    pub(crate) managed: Option<&'a Arn>,
    /// The group it comes through.
    pub(crate) group: Option<&'a Arn>,
    pub(crate) document: &'a PolicyDocument,
}

/// A user, group or role.
#[derive(Debug, Clone)]
pub(crate) struct Person<'a> {
    pub(crate) arn: &'a Arn,
    pub(crate) being: Being<'a>,
    pub(crate) home: usize,
    pub(crate) identity: &'a Identity,
    pub(crate) policies: Vec<Held<'a>>,
    pub(crate) boundary: Option<&'a PolicyDocument>,
    /// The trust policy, of a role.
    pub(crate) trust: Option<&'a PolicyDocument>,
}

impl<'a> Person<'a> {
    pub(crate) fn is_service_linked(&self) -> bool {
        matches!(self.being, Being::Role(role) if role.is_service_linked())
    }

    /// The first statement that could grant an action: its policy and its number.
    pub(crate) fn grant(&self, action: &str) -> Option<(&'a str, usize)> {
        let names = |statement: &Statement| {
            let mut globs = statement.action.patterns().iter().map(|p| Glob::parse(p.value.as_str(), Reading::ACTION));
            statement.effect == Effect::Allow
                && globs.any(|glob| glob.matches(action)) == matches!(statement.action, ActionElement::Action(_))
        };
        self.policies.iter().find_map(|held| Some((held.name, held.document.statements.iter().position(names)?)))
    }
}

/// An account.
#[derive(Debug)]
pub(crate) struct Home<'a> {
    pub(crate) id: &'a AccountId,
    pub(crate) account: &'a Account,
    pub(crate) people: Vec<usize>,
    pub(crate) resources: BTreeMap<&'a ResourceKind, Vec<&'a Resource>>,
    /// What runs as a role, by kind.
    pub(crate) running: BTreeMap<(&'a ResourceKind, &'a Arn), Vec<&'a Resource>>,
}

/// Control policies above an account, a list per level, root first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Guards<'a> {
    pub(crate) scps: Vec<Vec<&'a PolicyDocument>>,
    pub(crate) rcps: Vec<Vec<&'a PolicyDocument>>,
}

/// All accounts, and everyone in them.
#[derive(Debug)]
pub(crate) struct Survey<'a> {
    pub(crate) index: &'a SnapshotIndex<'a>,
    pub(crate) homes: Vec<Home<'a>>,
    pub(crate) people: Vec<Person<'a>>,
    places: BTreeMap<&'a Arn, usize>,
    ids: BTreeMap<&'a AccountId, usize>,
    resource_policies: BTreeMap<&'a Arn, Option<&'a PolicyDocument>>,
    guards: BTreeMap<&'a AccountId, Guards<'a>>,
    /// Changes this room cannot apply.
    pub(crate) not_applied: Vec<String>,
}

impl<'a> Survey<'a> {
    /// Gathers everyone, then applies the changes.
    pub(crate) fn new(index: &'a SnapshotIndex<'a>, changes: &'a [Change]) -> Self {
        let mut survey = Self {
            index,
            homes: Vec::new(),
            people: Vec::new(),
            places: BTreeMap::new(),
            ids: BTreeMap::new(),
            resource_policies: BTreeMap::new(),
            guards: guards(index),
            not_applied: Vec::new(),
        };
        for (id, account) in &index.snapshot().accounts {
            survey.add_home(id, account);
        }
        for change in changes {
            survey.apply(change);
        }
        survey
    }

    fn add_home(&mut self, id: &'a AccountId, account: &'a Account) {
        let home = self.homes.len();
        let mut resources: BTreeMap<&'a ResourceKind, Vec<&'a Resource>> = BTreeMap::new();
        let mut running: BTreeMap<(&'a ResourceKind, &'a Arn), Vec<&'a Resource>> = BTreeMap::new();
        for resource in &account.resources {
            resources.entry(&resource.kind).or_default().push(resource);
            if let Some(role) = &resource.role {
                running.entry((&resource.kind, role)).or_default().push(resource);
            }
        }
        self.ids.insert(id, home);
        self.homes.push(Home { id, account, people: Vec::new(), resources, running });
        for user in &account.users {
            self.add(home, &user.identity, Being::User(user));
        }
        for group in &account.groups {
            self.add(home, &group.identity, Being::Group);
        }
        for role in &account.roles {
            self.add(home, &role.identity, Being::Role(role));
        }
    }

    fn add(&mut self, home: usize, identity: &'a Identity, being: Being<'a>) {
        let arn = &identity.arn;
        if self.places.contains_key(arn) {
            return;
        }
        let policies = self.index.identity_policies(arn).into_iter().map(|policy| {
            let (managed, group) = match policy.origin {
                PolicyOrigin::Inline(_) => (None, None),
                PolicyOrigin::Managed(arn) => (Some(arn), None),
                PolicyOrigin::Group(group) => (self.managed_by_name(home, group, policy.name), Some(group)),
            };
            Held { name: policy.name, managed, group, document: policy.document }
        });
        let policies = policies.collect();
        let trust = if let Being::Role(role) = being { Some(&role.trust) } else { None };
        let place = self.people.len();
        self.places.insert(arn, place);
        if let Some(home) = self.homes.get_mut(home) {
            home.people.push(place);
        }
        let boundary = self.index.boundary(arn);
        self.people.push(Person { arn, being, home, identity, policies, boundary, trust });
    }

    /// The managed policy behind a policy that came through a group, which the index gives by name alone.
    fn managed_by_name(&self, home: usize, group: &Arn, name: &str) -> Option<&'a Arn> {
        let account = self.homes.get(home)?.account;
        let identity = &account.groups.iter().find(|g| g.identity.arn == *group)?.identity;
        if identity.inline_policies.iter().any(|inline| inline.name == name) {
            return None;
        }
        identity.attached_policies.iter().find(|arn| arn.name() == name)
    }

    fn apply(&mut self, change: &'a Change) {
        let attachment = &change.attachment;
        match (attachment.kind, &attachment.principal_arn, &attachment.resource_arn) {
            (AttachmentKind::Identity, Some(arn), _) => self.apply_identity(arn, change),
            (AttachmentKind::Trust, Some(arn), _) | (AttachmentKind::Trust, None, Some(arn)) => {
                let applied = self.person_mut(arn).map(|person| person.trust = change.after.as_ref());
                self.note_unless(applied.is_some(), change);
            }
            (AttachmentKind::Boundary, Some(arn), _) => {
                let applied = self.person_mut(arn).map(|person| person.boundary = change.after.as_ref());
                self.note_unless(applied.is_some(), change);
            }
            (AttachmentKind::Resource, _, Some(arn)) => {
                self.resource_policies.insert(arn, change.after.as_ref());
            }
            (AttachmentKind::ServiceControl | AttachmentKind::ResourceControl, ..) => {
                let applied = self.apply_guard(change);
                self.note_unless(applied, change);
            }
            // It limits a way that calls come by, and nobody here has to come by it.
            (AttachmentKind::VpcEndpoint, ..) => {}
            _ => self.note_unless(false, change),
        }
    }

    /// A control policy changes wherever its old text stands in the accounts it is for; one without an old text is added
    /// at the level of what it is for, where there is one. Whether that was done everywhere.
    fn apply_guard(&mut self, change: &'a Change) -> bool {
        let target = change.guard_target();
        if matches!(target, GuardTarget::Unknown(_)) {
            return false;
        }
        let (mut applied, mut bare) = (false, false);
        for (_, guards) in self.guards.iter_mut().filter(|(id, _)| target.may_concern(id)) {
            let is_service = change.attachment.kind == AttachmentKind::ServiceControl;
            let levels = if is_service { &mut guards.scps } else { &mut guards.rcps };
            match (&change.before, &change.after) {
                (Some(before), after) => {
                    for level in levels {
                        let is_it = |document: &&PolicyDocument| document.same_text(before);
                        applied |= level.iter().any(is_it);
                        let put = |document| if is_it(&document) { after.as_ref() } else { Some(document) };
                        *level = level.iter().copied().filter_map(put).collect();
                    }
                }
                (None, Some(after)) => {
                    let level = target.new_level(levels.len()).and_then(|level| levels.get_mut(level));
                    match level {
                        Some(level) => level.push(after),
                        None => bare = true,
                    }
                    applied = true;
                }
                (None, None) => {}
            }
        }
        applied && !bare
    }

    /// A policy is named as the account knows it: by its name or its ARN. One that is not there yet is added.
    fn apply_identity(&mut self, arn: &Arn, change: &'a Change) {
        let name = change.attachment.policy_name.as_deref().unwrap_or_default();
        let Some(place) = self.place(arn) else { return self.note_unless(false, change) };
        let Some(person) = self.people.get_mut(place) else { return };
        put(person, name, change, None);
        let Being::Group = person.being else { return };
        let (group, home, name_of_group) = (person.arn, person.home, &person.identity.name);
        let is_member = |user: &User| user.groups.contains(name_of_group);
        let members = self
            .people
            .iter_mut()
            .filter(|member| member.home == home && matches!(member.being, Being::User(user) if is_member(user)));
        members.for_each(|member| put(member, name, change, Some(group)));
    }

    fn note_unless(&mut self, applied: bool, change: &Change) {
        if !applied {
            let attachment = &change.attachment;
            let arn = attachment.principal_arn.as_ref().or(attachment.resource_arn.as_ref());
            let of = arn.map_or_else(|| "nobody the snapshot knows".to_owned(), ToString::to_string);
            self.not_applied.push(format!("change: a {} policy of {of} is not applied", attachment.kind.as_str()));
        }
    }

    fn person_mut(&mut self, arn: &Arn) -> Option<&mut Person<'a>> {
        self.places.get(arn).copied().and_then(|place| self.people.get_mut(place))
    }

    /// Someone's number.
    pub(crate) fn place(&self, arn: &Arn) -> Option<usize> {
        self.places.get(arn).copied()
    }

    /// Someone by number.
    pub(crate) fn person(&self, place: usize) -> Option<&Person<'a>> {
        self.people.get(place)
    }

    /// Someone's account.
    pub(crate) fn home(&self, person: &Person<'a>) -> Option<&Home<'a>> {
        self.homes.get(person.home)
    }

    /// The control policies above an account, after the changes.
    pub(crate) fn guards(&self, account: &AccountId) -> Option<&Guards<'a>> {
        self.guards.get(account)
    }

    /// The control policies above every account, after the changes.
    pub(crate) const fn all_guards(&self) -> &BTreeMap<&'a AccountId, Guards<'a>> {
        &self.guards
    }

    /// An account by its id.
    pub(crate) fn home_of(&self, account: &AccountId) -> Option<&Home<'a>> {
        self.homes.get(*self.ids.get(account)?)
    }

    /// Whether an account has a role of this name, whatever its path.
    pub(crate) fn has_role(&self, account: &AccountId, name: &str) -> bool {
        self.home_of(account).is_some_and(|home| home.account.roles.iter().any(|role| role.identity.name == name))
    }

    /// The policy on a resource, after the changes.
    pub(crate) fn resource_policy(&self, arn: &Arn) -> Option<&'a PolicyDocument> {
        self.resource_policies.get(arn).copied().unwrap_or_else(|| self.index.resource_policy(arn))
    }
}

/// Puts a change's document in the place of one of a person's own policies, or of one held through a group.
fn put<'a>(person: &mut Person<'a>, name: &'a str, change: &'a Change, group: Option<&'a Arn>) {
    let is_named = |held: &Held<'_>| held.name == name || held.managed.is_some_and(|arn| arn.as_str() == name);
    let is_text = |held: &Held<'_>| change.before.as_ref() == Some(held.document);
    let find =
        |is_it: &dyn Fn(&Held<'_>) -> bool| person.policies.iter().position(|held| held.group == group && is_it(held));
    match (find(&is_named).or_else(|| find(&is_text)), &change.after) {
        (Some(at), Some(after)) => {
            if let Some(held) = person.policies.get_mut(at) {
                held.document = after;
            }
        }
        (Some(at), None) => {
            person.policies.remove(at);
        }
        (None, Some(after)) => person.policies.push(Held { name, managed: None, group, document: after }),
        (None, None) => {}
    }
}

fn guards<'a>(index: &SnapshotIndex<'a>) -> BTreeMap<&'a AccountId, Guards<'a>> {
    let levels = |levels: &'a [Vec<PolicyDocument>]| levels.iter().map(|level| level.iter().collect()).collect();
    let accounts = index.snapshot().organization.iter().flat_map(|organization| &organization.accounts);
    accounts.map(|(id, above)| (id, Guards { scps: levels(&above.scps), rcps: levels(&above.rcps) })).collect()
}
