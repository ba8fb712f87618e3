//! What a requirement is asked on: the start, the target, a policy, a resource, or something the caller names.

use std::collections::BTreeSet;

use iam_evaluate::ResourceName;
use iam_model::arn::Arn;
use iam_model::condition::ConditionKey;
use iam_model::policy::PolicyDocument;
use iam_model::snapshot::Resource;

use super::holds::{action, describes, group_denies, own_denies};
use super::{Attempt, Memory, Search, Thing, Works};
use crate::judge::{Answer, Question};
use crate::plan::Need;
use crate::survey::Person;
use crate::technique::{Carried, Place, Prerequisite, TargetKind, TrustAsked, admin_policy};

/// Versions a managed policy may have.
const MOST_VERSIONS: usize = 5;

impl<'a> Search<'_, 'a> {
    /// Whether all requirements on one kind of place are met, and on which keys that hangs; nothing where they are not.
    pub(super) fn requirements(
        &mut self,
        attempt: &Attempt<'_, 'a>,
        place: Place,
        memory: &mut Memory<'a>,
        works: &mut Works<'a>,
    ) -> Option<BTreeSet<ConditionKey>> {
        let needs: Vec<Need> = attempt.step.needs.iter().filter(|need| need.requirement.on == place).copied().collect();
        if needs.is_empty() {
            return Some(BTreeSet::new());
        }
        let answer = match place {
            Place::Star => self.all(attempt, &needs, Thing::None, memory),
            Place::Any => self.all(attempt, &needs, Thing::Any, memory),
            Place::New => self.on_new(attempt, &needs, memory),
            Place::Start => self.on_start(attempt, &needs, memory),
            Place::Target => self.on_target(attempt, &needs, memory),
            Place::Policy => self.on_policy(attempt, &needs, memory, works),
            Place::Boundary => self.on_boundary(attempt, &needs, memory, works),
            Place::Resource => self.on_resource(attempt, &needs, memory, works),
        };
        match answer {
            Answer::Yes => Some(BTreeSet::new()),
            Answer::If(keys) => Some(keys),
            Answer::No => None,
            Answer::Unknown(why) => {
                self.note(attempt.from.arn, &why);
                None
            }
        }
    }

    fn all(&self, attempt: &Attempt<'_, 'a>, needs: &[Need], thing: Thing<'a>, memory: &mut Memory<'a>) -> Answer {
        let mut answer = Answer::Yes;
        for need in needs {
            answer = answer.and(self.ask(attempt, need, thing, memory));
            if answer == Answer::No {
                break;
            }
        }
        answer
    }

    /// One requirement on one thing, remembered.
    fn ask(&self, attempt: &Attempt<'_, 'a>, need: &Need, thing: Thing<'a>, memory: &mut Memory<'a>) -> Answer {
        let key = (need.action, thing, need.with);
        if let Some(known) = memory.get(&key) {
            return known.clone();
        }
        let answer = self.ask_anew(attempt, need, thing);
        memory.insert(key, answer.clone());
        answer
    }

    fn ask_anew(&self, attempt: &Attempt<'_, 'a>, need: &Need, thing: Thing<'a>) -> Answer {
        let Some(powers) = self.powers.get(attempt.start) else { return Answer::No };
        let requirement = need.requirement;
        let mut question = Question::new(&requirement.action, ResourceName::None);
        question.carries = self.carried(attempt, need);
        match thing {
            Thing::None => self.judge.may(powers, &question),
            Thing::Any => self.judge.may_on_any(powers, &[question]),
            Thing::Named(arn) => {
                question.resource = ResourceName::Arn(arn.clone());
                question.policy = self.survey.resource_policy(arn);
                let person = self.survey.place(arn).and_then(|place| self.survey.person(place));
                if person.is_none() {
                    question.owner = arn.account().and_then(|id| self.survey.home_of(&id)).map(|home| home.id);
                }
                if let Some(person) = person {
                    question.tags = Some(&person.identity.tags);
                    question.owner = self.survey.home(person).map(|home| home.id);
                    if requirement.action.service() == "sts" {
                        question.policy = person.trust;
                    }
                    question.carries.push((ConditionKey::new("iam:PermissionsBoundary"), boundary_name(person)));
                }
                match requirement.trust {
                    TrustAsked::AsItIs => self.judge.may(powers, &question),
                    TrustAsked::NamingAccount => self.judge.may_where_account_is_trusted(powers, question),
                    TrustAsked::NamingStart => self.judge.may_where_named(powers, question),
                }
            }
        }
    }

    /// What the request carries, the words of the catalogue replaced by what they stand for.
    fn carried(&self, attempt: &Attempt<'_, 'a>, need: &Need) -> Vec<(ConditionKey, Option<String>)> {
        let admin = self.powers.get(attempt.start).and_then(|powers| admin_policy(powers.partition()));
        let value = |carried: &Carried| match carried {
            Carried::AdminPolicy => admin.as_ref().map(ToString::to_string),
            Carried::Text(text) => Some(text.clone()),
            Carried::DenyPolicy | Carried::Nothing => None,
        };
        need.requirement.with.iter().map(|(key, carried)| (key.clone(), value(carried))).collect()
    }

    /// All requirements on one and the same new thing.
    fn on_new(&self, attempt: &Attempt<'_, 'a>, needs: &[Need], memory: &mut Memory<'a>) -> Answer {
        let Some(powers) = self.powers.get(attempt.start) else { return Answer::No };
        // Remembered under the first of them and one past every context, which no single requirement uses.
        let key = needs.iter().fold((0, Thing::Any, usize::MAX), |(sum, thing, with), need| {
            (sum * crate::plan::Actions::ROOM + need.action + 1, thing, with)
        });
        if let Some(known) = memory.get(&key) {
            return known.clone();
        }
        let ask = |need: &Need| Question {
            carries: self.carried(attempt, need),
            ..Question::new(&need.requirement.action, ResourceName::None)
        };
        let questions: Vec<Question<'_>> = needs.iter().map(ask).collect();
        let answer = self.judge.may_on_any(powers, &questions);
        memory.insert(key, answer.clone());
        answer
    }

    fn on_start(&self, attempt: &Attempt<'_, 'a>, needs: &[Need], memory: &mut Memory<'a>) -> Answer {
        if !is_taking_off(needs) {
            return self.all(attempt, needs, Thing::Named(attempt.from.arn), memory);
        }
        let managed = own_denies(&attempt.from.policies).filter_map(|held| held.managed);
        self.taking_off(attempt, attempt.from, managed, needs)
    }

    /// Which policy is taken off someone is part of the request: each one with a deny is tried.
    fn taking_off<'m>(
        &self,
        attempt: &Attempt<'_, 'a>,
        whom: &Person<'a>,
        policies: impl Iterator<Item = &'m Arn>,
        needs: &[Need],
    ) -> Answer {
        let Some(powers) = self.powers.get(attempt.start) else { return Answer::No };
        let mut best = Answer::No;
        for managed in policies {
            let mut answer = Answer::Yes;
            for need in needs {
                let mut question = Question::new(&need.requirement.action, ResourceName::Arn(whom.arn.clone()));
                question.tags = Some(&whom.identity.tags);
                let value = |c: &Carried| (*c == Carried::DenyPolicy).then(|| managed.to_string());
                question.carries = need.requirement.with.iter().map(|(key, c)| (key.clone(), value(c))).collect();
                answer = answer.and(self.judge.may(powers, &question));
            }
            best = best.or(answer);
        }
        best
    }

    fn on_target(&self, attempt: &Attempt<'_, 'a>, needs: &[Need], memory: &mut Memory<'a>) -> Answer {
        // The group whose policies are written is one the start is in: any of them will do.
        if attempt.step.technique.target == TargetKind::Start {
            return self.on_own_groups(attempt, needs, memory);
        }
        self.all(attempt, needs, Thing::Named(attempt.to.arn), memory)
    }

    fn on_own_groups(&self, attempt: &Attempt<'_, 'a>, needs: &[Need], memory: &mut Memory<'a>) -> Answer {
        let crate::survey::Being::User(user) = attempt.from.being else { return Answer::No };
        let Some(home) = self.survey.home(attempt.from) else { return Answer::No };
        let groups = home.people.iter().filter_map(|&place| self.survey.person(place));
        let groups = groups.filter(|p| matches!(p.being, crate::survey::Being::Group));
        let own = groups.filter(|group| user.groups.contains(&group.identity.name));
        own.fold(Answer::No, |best, group| best.or(self.on_own_group(attempt, group, needs, memory)))
    }

    /// A group that the start is in; of those that must have a deny, one that has.
    fn on_own_group(
        &self,
        attempt: &Attempt<'_, 'a>,
        group: &Person<'a>,
        needs: &[Need],
        memory: &mut Memory<'a>,
    ) -> Answer {
        let mut denies = group_denies(&attempt.from.policies).filter(|held| held.group == Some(group.arn));
        if is_taking_off(needs) {
            return self.taking_off(attempt, group, denies.filter_map(|held| held.managed), needs);
        }
        let lacks = (attempt.step.has(&Prerequisite::GroupInlineDeny) && denies.all(|held| held.managed.is_some()))
            || (attempt.step.has(&Prerequisite::GroupDeny) && denies.next().is_none());
        if lacks { Answer::No } else { self.all(attempt, needs, Thing::Named(group.arn), memory) }
    }

    /// The start's boundary, where it is a policy of the account's own.
    fn on_boundary(
        &self,
        attempt: &Attempt<'_, 'a>,
        needs: &[Need],
        memory: &mut Memory<'a>,
        works: &mut Works<'a>,
    ) -> Answer {
        let bounded = attempt.from.identity.boundary.as_ref().filter(|arn| arn.account().is_some());
        let (Some(policy), Some(now)) = (bounded, attempt.from.boundary) else { return Answer::No };
        if attempt.step.has(&Prerequisite::OlderVersion) && !self.has_wider_version(policy, now) {
            return Answer::No;
        }
        let mut answer = self.all(attempt, needs, Thing::Named(policy), memory);
        if answer != Answer::No && attempt.step.has(&Prerequisite::VersionSlot) {
            answer = answer.and(self.version_slot(attempt, policy));
        }
        if answer != Answer::No {
            works.through = Some(policy);
        }
        answer
    }

    /// A customer managed policy that speaks for whoever gains.
    fn on_policy(
        &self,
        attempt: &Attempt<'_, 'a>,
        needs: &[Need],
        memory: &mut Memory<'a>,
        works: &mut Works<'a>,
    ) -> Answer {
        let Some(gainer) = self.survey.person(attempt.gainer()) else { return Answer::No };
        let mut best = Answer::No;
        let mut seen = BTreeSet::new();
        for held in &gainer.policies {
            let Some(policy) = held.managed.filter(|arn| arn.account().is_some() && seen.insert(*arn)) else {
                continue;
            };
            let mut answer = self.all(attempt, needs, Thing::Named(policy), memory);
            if answer != Answer::No && attempt.step.has(&Prerequisite::VersionSlot) {
                answer = answer.and(self.version_slot(attempt, policy));
            }
            if attempt.step.has(&Prerequisite::OlderVersion) && !self.has_wider_version(policy, held.document) {
                answer = Answer::No;
            }
            if answer != Answer::No {
                works.through.get_or_insert(policy);
                works.rewritten.push(policy);
            }
            best = best.or(answer);
        }
        best
    }

    /// Whether the policy has room for a version, or the start can make some.
    fn version_slot(&self, attempt: &Attempt<'_, 'a>, policy: &'a Arn) -> Answer {
        let others = self.other_versions(policy).len();
        if others + 1 < MOST_VERSIONS {
            return Answer::Yes;
        }
        let (Some(powers), Some(delete)) = (self.powers.get(attempt.start), action("iam:DeletePolicyVersion")) else {
            return Answer::No;
        };
        self.judge.may(powers, &Question::new(&delete, ResourceName::Arn(policy.clone())))
    }

    fn other_versions(&self, policy: &Arn) -> &'a [PolicyDocument] {
        let accounts = self.survey.homes.iter().map(|home| home.account);
        let found = accounts.into_iter().find_map(|account| account.managed_policies.get(policy));
        found.map(|policy| policy.other_versions.as_slice()).unwrap_or_default()
    }

    /// Whether a version that is not in force allows something the one in force does not.
    fn has_wider_version(&self, policy: &Arn, now: &PolicyDocument) -> bool {
        self.other_versions(policy).iter().any(|other| crate::judge::allows_more(other, now))
    }

    /// A resource that exists, and runs as the target where the technique asks for that.
    fn on_resource(
        &self,
        attempt: &Attempt<'_, 'a>,
        needs: &[Need],
        memory: &mut Memory<'a>,
        works: &mut Works<'a>,
    ) -> Answer {
        let mut best = Answer::No;
        for resource in self.resources(attempt) {
            let answer = self.all(attempt, needs, Thing::Named(&resource.arn), memory);
            if answer != Answer::No {
                works.through = Some(&resource.arn);
            }
            best = best.or(answer);
            if best == Answer::Yes {
                break;
            }
        }
        best
    }

    /// Resources that fit the technique and the target.
    pub(super) fn resources(&self, attempt: &Attempt<'_, 'a>) -> Vec<&'a Resource> {
        let (Some(wanted), Some(home)) = (&attempt.step.technique.resource, self.survey.home(attempt.to)) else {
            return Vec::new();
        };
        let of_kind = if wanted.runs_as_target {
            home.running.get(&(&wanted.kind, attempt.to.arn))
        } else {
            home.resources.get(&wanted.kind)
        };
        let fits = |resource: &&&Resource| {
            attempt.step.technique.when.iter().all(|prerequisite| match prerequisite {
                Prerequisite::Api(member) => describes(resource, member),
                _ => true,
            })
        };
        of_kind.map(Vec::as_slice).unwrap_or_default().iter().filter(fits).copied().collect()
    }
}

/// Whether a policy with a deny is taken off.
fn is_taking_off(needs: &[Need]) -> bool {
    needs.iter().any(|need| need.requirement.with.iter().any(|(_, carried)| *carried == Carried::DenyPolicy))
}

/// The name of someone's boundary, as requests to change them carry it.
fn boundary_name(person: &Person<'_>) -> Option<String> {
    person.boundary?;
    person.identity.boundary.as_ref().map(ToString::to_string)
}
