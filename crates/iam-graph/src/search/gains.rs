//! What an edge gives: whether whoever takes it ends with all an administrator has.

use iam_evaluate::ResourceName;
use iam_model::arn::Arn;
use iam_model::condition::ConditionKey;

use super::holds::{action, denies};
use super::{Attempt, Search, TargetKind};
use crate::judge::{Answer, Powers, Question};
use crate::survey::{Being, Held};
use crate::technique::{Gain, Technique, admin_policy};

impl<'a> Search<'_, 'a> {
    /// Whether the gain alone makes an administrator; where the target is one already, the graph knows.
    pub(super) fn gains_admin(&mut self, attempt: &Attempt<'_, 'a>, rewritten: &[&Arn]) -> bool {
        let gain = attempt.step.technique.gains;
        if gain == Gain::JoinGroup {
            return self.joins_admin(attempt);
        }
        let whose = attempt.gainer();
        let gone = self.gone(whose, attempt.step.technique, rewritten);
        let key = (whose, gain, gone);
        if let Some(&known) = self.gained.get(&key) {
            return known;
        }
        let found = self.gains(whose, gain, &key.2);
        self.gained.insert(key, found);
        found
    }

    /// Which policies of whoever gains are gone afterwards, by number: of those with a deny, what the technique takes away
    /// or writes anew; all of a group that is left.
    fn gone(&self, whose: usize, technique: &Technique, rewritten: &[&Arn]) -> Vec<usize> {
        let Some(person) = self.survey.person(whose) else { return Vec::new() };
        let is_gone = |held: &Held<'a>| {
            let (grouped, managed) = (held.group.is_some(), held.managed.is_some());
            technique.requires.iter().any(|requirement| match requirement.action.name() {
                "PutUserPolicy" | "PutRolePolicy" | "DeleteUserPolicy" | "DeleteRolePolicy" => !grouped && !managed,
                "PutGroupPolicy" | "DeleteGroupPolicy" => grouped && !managed,
                "DetachUserPolicy" | "DetachRolePolicy" => !grouped && managed,
                "DetachGroupPolicy" => grouped && managed,
                "CreatePolicyVersion" => held.managed.is_some_and(|arn| rewritten.contains(&arn)),
                _ => false,
            })
        };
        let leaves = technique.requires.iter().any(|requirement| requirement.action.name() == "RemoveUserFromGroup");
        let denying: Vec<&Arn> = person.policies.iter().filter(|held| denies(held)).filter_map(|h| h.group).collect();
        let is_left = |held: &Held<'a>| leaves && held.group.is_some_and(|group| denying.contains(&group));
        let all = person.policies.iter().enumerate();
        all.filter(|(_, held)| denies(held) && is_gone(held) || is_left(held)).map(|(at, _)| at).collect()
    }

    fn gains(&self, whose: usize, gain: Gain, gone: &[usize]) -> bool {
        let (Some(powers), Some(person)) = (self.powers.get(whose), self.survey.person(whose)) else { return false };
        let judge = self.judge;
        let taken: Vec<&Held<'a>> = gone.iter().filter_map(|at| person.policies.get(*at)).collect();
        let is_taken = |held: &Held<'a>| {
            taken.iter().any(|gone| std::ptr::eq(gone.document, held.document) && gone.group == held.group)
        };
        match gain {
            Gain::RewriteOwnPolicy => {
                let written = powers.without(is_taken).with_everything();
                judge.is_admin(&written) || (self.lifts(whose, &written) && judge.is_admin(&written.unbounded()))
            }
            Gain::RewriteThenActAsTarget => judge.is_admin(&powers.without(is_taken).with_everything()),
            Gain::LiftOwnBoundary | Gain::LiftBoundaryThenActAsTarget => judge.is_admin(&powers.unbounded()),
            Gain::DropOwnDeny => judge.is_admin(&powers.without(is_taken)),
            Gain::CreateAdminRole => {
                let person = self.survey.person(whose);
                let home = person.and_then(|person| self.survey.home(person));
                let role = home.and_then(|home| judge.new_role(home.id, powers.partition()));
                role.is_some_and(|role| judge.is_admin(&role))
            }
            Gain::OrganizationAdmin => true,
            Gain::ActAsTarget | Gain::JoinGroup | Gain::ServiceGrants => false,
        }
    }

    /// Whether somebody who has written itself everything may take off its own boundary, or put another in its place.
    fn lifts(&self, whose: usize, powers: &Powers<'a>) -> bool {
        let Some(person) = self.survey.person(whose).filter(|_| powers.has_boundary()) else { return false };
        let (delete, put) = match person.being {
            Being::Role(_) => ("iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"),
            Being::User(_) => ("iam:DeleteUserPermissionsBoundary", "iam:PutUserPermissionsBoundary"),
            Being::Group => return false,
        };
        let key = || ConditionKey::new("iam:PermissionsBoundary");
        let now = person.identity.boundary.as_ref().map(ToString::to_string);
        let admin = admin_policy(powers.partition()).map(|arn| arn.to_string());
        [(delete, now), (put, admin)].into_iter().any(|(name, boundary)| {
            let Some(action) = action(name) else { return false };
            let mut question = Question::new(&action, ResourceName::Arn(person.arn.clone()));
            question.tags = Some(&person.identity.tags);
            question.carries = vec![(key(), boundary)];
            self.judge.may(powers, &question) == Answer::Yes
        })
    }

    /// Whether the start, with the group's policies added to its own, is an administrator.
    fn joins_admin(&self, attempt: &Attempt<'_, 'a>) -> bool {
        let Some(powers) = self.powers.get(attempt.start) else { return false };
        let is_group = attempt.step.technique.target == TargetKind::Group && matches!(attempt.to.being, Being::Group);
        is_group && self.judge.is_admin(&powers.with(attempt.to.policies.iter().copied()))
    }
}
