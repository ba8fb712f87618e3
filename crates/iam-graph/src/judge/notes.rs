//! Notes of decisions: which request was decided how, by which statements. Taken only while somebody asks why.
//!
//! Keeps what was decided; which of it an edge rests on is for [`crate::search`].

use std::cell::RefCell;

use iam_evaluate::{
    CompiledPolicies, Decision, Layer, Outcome, Policies, Principal, Request, ResourceName, StatementRef,
};
use iam_model::action::Action;
use iam_model::condition::ConditionKey;

use super::{Judge, Powers, letting_in};

/// A request that is allowed, or would be if some context keys were right.
#[derive(Debug, Clone)]
pub(crate) struct Noted {
    pub(crate) asker: Principal,
    pub(crate) action: Action,
    pub(crate) on: ResourceName,
    pub(crate) keys: Vec<ConditionKey>,
    pub(crate) because: Vec<StatementRef>,
}

/// Where notes are kept; closed at first.
#[derive(Debug, Default)]
pub(crate) struct Notes(RefCell<Option<Vec<Noted>>>);

impl Notes {
    /// Begins with nothing noted.
    pub(crate) fn open(&self) {
        self.0.replace(Some(Vec::new()));
    }

    /// Ends, and gives what was noted, in the order of asking.
    pub(crate) fn close(&self) -> Vec<Noted> {
        self.0.take().unwrap_or_default()
    }

    fn are_open(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Notes a decision that allows, or may.
    pub(super) fn take(&self, request: &Request, decision: &Decision) {
        let Some(notes) = &mut *self.0.borrow_mut() else { return };
        let keys = match &decision.outcome {
            Outcome::Allow => Vec::new(),
            Outcome::Unknown(unknowns) if unknowns.elements.is_empty() => unknowns.keys.clone(),
            Outcome::Unknown(_) | Outcome::ExplicitDeny | Outcome::ImplicitDeny => return,
        };
        notes.push(Noted {
            asker: request.principal.clone(),
            action: request.action.clone(),
            on: request.resource.clone(),
            keys,
            because: decision.because.clone(),
        });
    }
}

impl Judge<'_> {
    /// Notes a decision about a principal. Of an open one, a decision names what is open; whoever asks why also wants the
    /// statement that grants in the first place.
    pub(super) fn note(&self, powers: &Powers<'_>, request: &Request, decision: &Decision) {
        if !self.notes.are_open() {
            return;
        }
        let mut decision = decision.clone();
        let names_identity = |decision: &Decision| decision.because.iter().any(|at| at.layer == Layer::Identity);
        if matches!(decision.outcome, Outcome::Unknown(_)) && !names_identity(&decision) {
            let identity = powers.held.iter().map(|held| held.document).collect();
            let alone = CompiledPolicies::new(&Policies { identity, ..Policies::default() });
            // Some resources let nobody in without a policy of their own: one that leaves it to the account.
            let left = powers.account.as_ref().map(|account| letting_in(account.to_string()));
            let granted = alone.decide(request, left.as_ref(), &[&powers.context]);
            let granted = granted.because.iter().filter(|at| at.layer == Layer::Identity);
            decision.because.splice(0..0, granted.copied());
        }
        self.notes.take(request, &decision);
    }
}
