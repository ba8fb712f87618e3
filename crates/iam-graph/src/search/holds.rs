//! Whether a technique works for one start and one target: every prerequisite true, every requirement allowed.

use iam_model::action::Action;
use iam_model::arn::Arn;
use iam_model::condition::ConditionKey;
use iam_model::json::Value;
use iam_model::policy::Effect;
use iam_model::snapshot::Resource;

use super::{Attempt, Memory, Search, Works};
use crate::judge::Answer;
use crate::survey::{Being, Held};
use crate::technique::{Place, Prerequisite};

impl<'a> Search<'_, 'a> {
    /// Why and through what the attempt works; nothing where it does not.
    pub(super) fn works(&mut self, attempt: &Attempt<'_, 'a>, memory: &mut Memory<'a>) -> Option<Works<'a>> {
        // What does not hang on the target first: most attempts end there, and the answer is remembered.
        const ORDER: [Place; 8] = [
            Place::Star,
            Place::Any,
            Place::New,
            Place::Start,
            Place::Target,
            Place::Policy,
            Place::Boundary,
            Place::Resource,
        ];
        let technique = attempt.step.technique;
        if attempt.to.is_service_linked() || !technique.when.iter().all(|when| self.is_met(attempt, when)) {
            return None;
        }
        let mut works = Works::default();
        if technique.resource.is_some() {
            works.through = self.resources(attempt).first().map(|resource| &resource.arn);
            works.through?;
        }
        for place in ORDER {
            let keys = self.requirements(attempt, place, memory, &mut works)?;
            works.keys.extend(keys);
        }
        if !technique.trusts.is_empty() {
            works.keys.extend(self.trusts_service(attempt)?);
        }
        Some(works)
    }

    /// The prerequisites that do not hang on a resource or a policy.
    fn is_met(&self, attempt: &Attempt<'_, 'a>, prerequisite: &Prerequisite) -> bool {
        let (from, to) = (attempt.from, attempt.to);
        let account = self.survey.home(to).map(|home| home.account);
        let keys = || account.and_then(|a| a.access_keys.get(&to.identity.name)).copied().unwrap_or_default();
        let has_password = || account.is_some_and(|account| account.login_profiles.contains(&to.identity.name));
        let is_member = |group: &str| matches!(from.being, Being::User(user) if user.groups.iter().any(|g| g == group));
        match prerequisite {
            Prerequisite::StartIsRole => matches!(from.being, Being::Role(_)),
            Prerequisite::StartIsUser => matches!(from.being, Being::User(_)),
            Prerequisite::StartInGroup => matches!(from.being, Being::User(user) if !user.groups.is_empty()),
            Prerequisite::StartNotInGroup => !is_member(&to.identity.name),
            Prerequisite::StartBounded => self.is_bounded(attempt.start),
            Prerequisite::TargetBounded => self.is_bounded(attempt.target),
            Prerequisite::TargetKeySlot => keys() < 2,
            Prerequisite::TargetKeysFull => keys() >= 2,
            Prerequisite::TargetWithoutPassword => !has_password(),
            Prerequisite::TargetWithPassword => has_password(),
            Prerequisite::ManagedDeny => own_denies(&from.policies).any(|held| held.managed.is_some()),
            Prerequisite::InlineDeny => own_denies(&from.policies).any(|held| held.managed.is_none()),
            Prerequisite::GroupManagedDeny => group_denies(&from.policies).any(|held| held.managed.is_some()),
            Prerequisite::GroupInlineDeny => group_denies(&from.policies).any(|held| held.managed.is_none()),
            Prerequisite::GroupDeny => group_denies(&from.policies).next().is_some(),
            Prerequisite::ManagementAccount => {
                from.arn.account().is_some_and(|id| self.survey.index.is_management_account(&id))
            }
            Prerequisite::InstanceProfile => {
                matches!(to.being, Being::Role(role) if !role.instance_profiles.is_empty())
            }
            // Settled where targets are chosen, or with the requirement they belong to.
            Prerequisite::TrustsEveryone
            | Prerequisite::TrustsOutsideAccount
            | Prerequisite::TargetTrustsStart
            | Prerequisite::VersionSlot
            | Prerequisite::OlderVersion
            | Prerequisite::Api(_) => true,
        }
    }

    /// Whether the boundary takes away something the policies grant.
    fn is_bounded(&self, place: usize) -> bool {
        let powers = self.powers.get(place);
        powers.is_some_and(|powers| self.judge.is_bounded(powers))
    }

    /// Whether the target lets in one of the services.
    fn trusts_service(&mut self, attempt: &Attempt<'_, 'a>) -> Option<Vec<ConditionKey>> {
        let mut best = None;
        for service in &attempt.step.technique.trusts {
            let key = (attempt.target, service.as_str());
            let answer = match self.lets_in.get(&key) {
                Some(answer) => answer.clone(),
                None => {
                    let answer = self.judge.lets_service_in(attempt.to, service);
                    self.lets_in.insert(key, answer.clone());
                    answer
                }
            };
            match answer {
                Answer::Yes => return Some(Vec::new()),
                Answer::If(keys) => best = Some(keys.into_iter().collect()),
                Answer::No => {}
                Answer::Unknown(why) => self.note(attempt.to.arn, &why),
            }
        }
        best
    }

    /// Remembers that something about a principal could not be judged.
    pub(super) fn note(&mut self, arn: &Arn, why: &str) {
        self.not_checked.insert(format!("{arn}: {why}"));
    }
}

/// Policies with a deny that sit on the principal itself.
pub(super) fn own_denies<'p, 'a>(policies: &'p [Held<'a>]) -> impl Iterator<Item = &'p Held<'a>> {
    policies.iter().filter(|held| held.group.is_none() && denies(held))
}

/// Policies with a deny that come through a group.
pub(super) fn group_denies<'p, 'a>(policies: &'p [Held<'a>]) -> impl Iterator<Item = &'p Held<'a>> {
    policies.iter().filter(|held| held.group.is_some() && denies(held))
}

/// Whether a policy holds a deny.
pub(super) fn denies(held: &Held<'_>) -> bool {
    held.document.statements.iter().any(|statement| statement.effect == Effect::Deny)
}

/// Whether a resource's description has a member, and it says nothing against it. Taken as given where there is none.
pub(super) fn describes(resource: &Resource, member: &str) -> bool {
    let Value::Object(members) = &resource.api else { return true };
    let found = members.iter().find(|(key, _)| key == member).map(|(_, value)| value);
    !matches!(found, Some(Value::Bool(false) | Value::Null))
}

/// An action by name; the names are ours, so one that does not parse is never asked for.
pub(super) fn action(text: &str) -> Option<Action> {
    text.parse().ok()
}
