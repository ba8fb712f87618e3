//! What an edge gives: whether whoever takes it ends with all an administrator has.

use super::{Attempt, Search, TargetKind};
use crate::survey::{Being, Held};
use crate::technique::Gain;
use iam_model::policy::Effect;

impl<'a> Search<'_, 'a> {
    /// Whether the gain alone makes an administrator; where the target is one already, the graph knows.
    pub(super) fn gains_admin(&mut self, attempt: &Attempt<'_, 'a>) -> bool {
        let gain = attempt.step.technique.gains;
        if gain == Gain::JoinGroup {
            return self.joins_admin(attempt);
        }
        let whose = attempt.gainer();
        if let Some(&known) = self.gained.get(&(whose, gain)) {
            return known;
        }
        let found = self.gains(whose, gain);
        self.gained.insert((whose, gain), found);
        found
    }

    fn gains(&self, whose: usize, gain: Gain) -> bool {
        let Some(powers) = self.powers.get(whose) else { return false };
        let judge = self.judge;
        match gain {
            Gain::RewriteOwnPolicy | Gain::RewriteThenActAsTarget => judge.is_admin(&powers.with_everything()),
            Gain::LiftOwnBoundary | Gain::LiftBoundaryThenActAsTarget => judge.is_admin(&powers.unbounded()),
            Gain::DropOwnDeny => judge.is_admin(&powers.without(|held| held.group.is_none() && denies(held))),
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

    /// Whether the start, with the group's policies added to its own, is an administrator.
    fn joins_admin(&self, attempt: &Attempt<'_, 'a>) -> bool {
        let Some(powers) = self.powers.get(attempt.start) else { return false };
        let is_group = attempt.step.technique.target == TargetKind::Group && matches!(attempt.to.being, Being::Group);
        is_group && self.judge.is_admin(&powers.with(attempt.to.policies.iter().copied()))
    }
}

fn denies(held: &Held<'_>) -> bool {
    held.document.statements.iter().any(|statement| statement.effect == Effect::Deny)
}
