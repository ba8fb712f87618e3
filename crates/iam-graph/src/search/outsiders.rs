//! Edges that start outside: roles that everyone may assume, or everyone of an account nobody here answers for.

use iam_evaluate::{Principal, ResourceName};
use iam_model::arn::{AccountId, Arn};
use iam_model::condition::ConditionKey;
use iam_model::finding::Subject;

use super::Search;
use crate::graph::Edge;
use crate::judge::{Answer, Question};
use crate::plan::Step;
use crate::technique::Prerequisite;

/// An account that cannot exist: the account of someone nobody knows.
pub(super) const NOBODYS: &str = "000000000000";

impl<'a> Search<'_, 'a> {
    /// Tries everyone from outside.
    pub(super) fn outsiders(&mut self, edges: &mut Vec<Edge>) {
        let steps = std::mem::take(&mut self.plan.steps);
        let Ok(nobodys) = NOBODYS.parse::<AccountId>() else { return };
        for step in &steps {
            if step.has(&Prerequisite::TrustsEveryone) {
                for &role in self.trusts.everyone().to_vec().iter() {
                    self.try_outsider(step, &Subject::Anyone, &nobodys, role, edges);
                }
            }
            if step.has(&Prerequisite::TrustsOutsideAccount) {
                for account in self.outside_accounts() {
                    for &role in self.trusts.of_account(&account).to_vec().iter() {
                        let Some(root) = self.root_of(&account, role) else { continue };
                        self.try_outsider(step, &Subject::Arn(root), &account, role, edges);
                    }
                }
            }
        }
        self.plan.steps = steps;
    }

    /// Accounts that are trusted and neither in the snapshot nor in its organisation.
    fn outside_accounts(&mut self) -> Vec<AccountId> {
        let snapshot = self.survey.index.snapshot();
        let organization = snapshot.organization.as_ref();
        let trusted: Vec<AccountId> = self.trusts.accounts().into_iter().cloned().collect();
        let mut outside = Vec::new();
        for account in trusted.into_iter().filter(|account| !snapshot.accounts.contains_key(account)) {
            if organization.is_some_and(|o| o.accounts.contains_key(&account)) {
                self.not_checked.insert(format!("account {account}: trusted here, and not in the snapshot"));
            } else {
                outside.push(account);
            }
        }
        outside
    }

    fn root_of(&self, account: &AccountId, role: usize) -> Option<Arn> {
        let partition = self.survey.person(role)?.arn.partition();
        format!("arn:{partition}:iam::{account}:root").parse().ok()
    }

    pub(super) fn try_outsider(
        &mut self,
        step: &Step,
        from: &Subject,
        account: &AccountId,
        role: usize,
        edges: &mut Vec<Edge>,
    ) {
        let Some(person) = self.survey.person(role) else { return };
        let Ok(user) = format!("arn:{}:iam::{account}:user/anyone", person.arn.partition()).parse::<Arn>() else {
            return;
        };
        let powers = self.judge.stranger(Principal::User(user), account.clone());
        let mut answer = Answer::Yes;
        for need in &step.needs {
            let mut question = Question::new(&need.requirement.action, ResourceName::Arn(person.arn.clone()));
            question.policy = person.trust;
            question.owner = self.survey.home(person).map(|home| home.id);
            // A secret the outsider would have to know.
            question.carries.push((ConditionKey::new("sts:ExternalId"), None));
            answer = answer.and(self.judge.may(&powers, &question));
        }
        let conditional_on = match answer {
            Answer::Yes => Vec::new(),
            Answer::If(keys) => keys.into_iter().collect(),
            Answer::No => return,
            Answer::Unknown(why) => return self.note(person.arn, &why),
        };
        edges.push(Edge {
            from: from.clone(),
            to: Subject::Arn(person.arn.clone()),
            technique: &step.technique.id,
            conditional_on,
            gains_admin: false,
            through: None,
        });
    }
}
