//! What an edge rests on: each permission it needs, and the statements that grant it, by policy and place.
//!
//! Types only. Which statements they are is found in [`crate::explain()`]; showing them is for whoever prints.

use std::borrow::Cow;

use iam_evaluate::{Layer, ResourceName};
use iam_model::action::Action;
use iam_model::arn::Arn;
use iam_model::condition::ConditionKey;
use iam_model::policy::Statement;

/// One permission an edge needs, and what grants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground<'a> {
    /// Who must be allowed it.
    pub asker: Asker,
    /// The action.
    pub action: Action,
    /// On what.
    pub on: GroundPlace,
    /// Context keys it hangs on and that a snapshot cannot know; empty where it holds whatever they are.
    pub conditional_on: Vec<ConditionKey>,
    /// The statements, in the order of their layers. Empty where no statement is needed: the start writes the policy itself.
    pub statements: Vec<Cited<'a>>,
}

/// Who must be allowed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asker {
    /// Whoever takes the edge.
    Start,
    /// The service that runs as the target.
    Service(&'static str),
}

/// What a permission is needed on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroundPlace {
    /// The start of the edge.
    Start,
    /// Its target.
    Target,
    /// What it goes through.
    Through,
    /// Something else that exists, such as a group the start is in.
    Named(Arn),
    /// Something that need not exist: the caller chooses a name the policies allow, such as this one.
    Chosen(Arn),
    /// The action has no resource of its own.
    Nothing,
}

/// A statement, and the policy it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cited<'a> {
    /// What kind of policy.
    pub layer: Layer,
    /// The policy's name. Policies without one are named by what they are.
    pub policy: Cow<'a, str>,
    /// The principal, group or resource the policy is on; the account for control policies has none.
    pub holder: Option<&'a Arn>,
    /// The managed policy's ARN, where it is one.
    pub managed: Option<&'a Arn>,
    /// The statement's index in the policy, from 0.
    pub statement: usize,
    /// The statement, with its place in the snapshot's text.
    pub text: &'a Statement,
}

impl GroundPlace {
    /// The place of a request, told by what it is to the edge.
    pub(crate) fn of(on: &ResourceName, start: Option<&Arn>, target: Option<&Arn>, through: Option<&Arn>) -> Self {
        let ResourceName::Arn(arn) = on else { return Self::Nothing };
        let is = |other: Option<&Arn>| other == Some(arn);
        if is(through) {
            Self::Through
        } else if is(target) && target != start {
            Self::Target
        } else if is(start) {
            Self::Start
        } else {
            Self::Named(arn.clone())
        }
    }
}
