//! The facts of a request that a snapshot knows: who the principal is, its tags, its organisation.
//!
//! Follows the IAM User Guide topic "AWS global condition context keys". What a snapshot cannot know stays open.

use std::collections::{BTreeMap, BTreeSet};

use iam_evaluate::Context;
use iam_model::arn::{AccountId, Arn};
use iam_model::condition::{Condition, ConditionKey};
use iam_model::policy::PolicyDocument;
use iam_model::snapshot::Organization;

use super::Judge;
use crate::survey::{Being, Person, Survey};

/// Every condition of every policy that speaks for, or limits, anyone; of each document once.
pub(super) fn conditions<'a>(survey: &Survey<'a>) -> Vec<&'a Condition> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let mut add = |document: &'a PolicyDocument| {
        if seen.insert(std::ptr::from_ref(document)) {
            found.extend(document.statements.iter().flat_map(|statement| &statement.conditions));
        }
    };
    for person in &survey.people {
        person.policies.iter().for_each(|held| add(held.document));
        person.boundary.into_iter().chain(person.trust).for_each(&mut add);
    }
    for guards in survey.all_guards().values() {
        guards.scps.iter().chain(&guards.rcps).flatten().copied().for_each(&mut add);
    }
    found
}

/// The tag keys conditions ask for.
#[derive(Debug, Default)]
pub(super) struct TagKeys {
    principal: BTreeSet<ConditionKey>,
    resource: BTreeSet<ConditionKey>,
}

impl TagKeys {
    pub(super) fn of(conditions: &[&Condition]) -> Self {
        let mut keys = Self::default();
        for condition in conditions {
            let prefix = condition.key.as_str().split_once('/').map(|(prefix, _)| prefix.to_ascii_lowercase());
            match prefix.as_deref() {
                Some("aws:principaltag") => keys.principal.insert(condition.key.clone()),
                Some("aws:resourcetag" | "iam:resourcetag") => keys.resource.insert(condition.key.clone()),
                _ => false,
            };
        }
        keys
    }

    /// Says what tags a resource has, where that is known.
    pub(super) fn set_resource_tags(&self, context: &mut Context, tags: Option<&BTreeMap<String, String>>) {
        if let Some(tags) = tags {
            set_tags(context, &self.resource, tags);
        }
    }
}

fn set_tags(context: &mut Context, keys: &BTreeSet<ConditionKey>, tags: &BTreeMap<String, String>) {
    for key in keys {
        let name = key.as_str().split_once('/').map(|(_, name)| name).unwrap_or_default();
        match tags.iter().find(|(tag, _)| tag.eq_ignore_ascii_case(name)) {
            Some((_, value)) => context.set(key.clone(), vec![value.clone()]),
            None => context.set_absent(key.clone()),
        }
    }
}

impl Judge<'_> {
    /// What a principal's requests carry.
    pub(super) fn facts_about(&self, person: &Person<'_>) -> Context {
        let user = if let Being::User(user) = person.being { Some(user.identity.name.as_str()) } else { None };
        let mut context = self.facts_about_name(person.arn, user, &person.identity.tags);
        // A role's sessions add their name to the id; a user's id stands alone.
        match (&person.identity.unique_id, user) {
            (Some(id), Some(_)) => set(&mut context, "aws:userid", id),
            _ => context.set_unknown(ConditionKey::new("aws:userid")),
        }
        context
    }

    pub(super) fn facts_about_name(&self, arn: &Arn, user: Option<&str>, tags: &BTreeMap<String, String>) -> Context {
        let mut context = Context::open();
        set(&mut context, "aws:PrincipalArn", arn.as_str());
        if let Some(account) = arn.account() {
            set(&mut context, "aws:PrincipalAccount", account.as_str());
        }
        match user {
            Some(name) => {
                set(&mut context, "aws:username", name);
                set(&mut context, "aws:PrincipalType", "User");
            }
            None => {
                context.set_absent(ConditionKey::new("aws:username"));
                set(&mut context, "aws:PrincipalType", "AssumedRole");
            }
        }
        match self.organization {
            Some(organization) => set(&mut context, "aws:PrincipalOrgID", &organization.id),
            None => context.set_absent(ConditionKey::new("aws:PrincipalOrgID")),
        }
        set(&mut context, "aws:PrincipalIsAWSService", "false");
        set(&mut context, "aws:ViaAWSService", "false");
        context.set_absent(ConditionKey::new("aws:PrincipalServiceName"));
        set_tags(&mut context, &self.tag_keys.principal, tags);
        context
    }
}

/// Says whose the resource is.
pub(crate) fn set_owner(context: &mut Context, owner: Option<&AccountId>, organization: Option<&Organization>) {
    let Some(owner) = owner else { return };
    set(context, "aws:ResourceAccount", owner.as_str());
    match organization {
        Some(organization) if organization.accounts.contains_key(owner) => {
            set(context, "aws:ResourceOrgID", &organization.id);
        }
        _ => context.set_unknown(ConditionKey::new("aws:ResourceOrgID")),
    }
}

/// Gives a key one value.
pub(crate) fn set(context: &mut Context, key: &str, value: &str) {
    context.set(ConditionKey::new(key), vec![value.to_owned()]);
}
