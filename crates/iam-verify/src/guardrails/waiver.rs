//! Waivers: who accepts which objection, why and until when.
//!
//! Reading `waivers.toml` is the command line's; here is what a waiver does. A waiver nobody needs any more hides the
//! next problem, so an expired, an unused and a useless one are findings themselves.

use std::collections::BTreeSet;

use iam_model::diagnostic::Place;
use iam_model::time::Timestamp;

use super::name::RuleId;
use super::object::Object;
use super::pattern::covers;
use super::{Guardrails, Violation};

/// One accepted objection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// Which rule is waived.
    pub rule: RuleId,
    /// For what: a pattern with `*` and `?` over the subject (`arn:aws:iam::*:role/ops-*`) or over the whole object as
    /// reports show it (`arn:aws:iam::*:role/ops-x grant s3:* on *`).
    pub object: String,
    /// Who answers for it.
    pub owner: String,
    /// Where it was decided.
    pub ticket: String,
    /// Why.
    pub reason: String,
    /// The first moment at which it no longer holds.
    pub expires: Timestamp,
    /// Where it is written.
    pub place: Place,
}

impl Waiver {
    fn is_about(&self, object: &Object) -> bool {
        covers(&self.object, &object.subject.to_string()) || covers(&self.object, &object.to_string())
    }

    /// Whether it no longer holds.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires <= now
    }
}

/// What waivers say about one objection. The number is the waiver's place in the list that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum WaiverUse {
    /// No waiver is about it.
    #[default]
    None,
    /// A waiver covers it, and the rule accepts that.
    Waived {
        /// Which waiver.
        waiver: usize,
    },
    /// A waiver would have covered it, and has expired.
    Expired {
        /// Which waiver.
        waiver: usize,
    },
    /// A waiver covers it, but the rule does not let itself be waived.
    Refused {
        /// Which waiver.
        waiver: usize,
    },
}

impl WaiverUse {
    /// The waiver concerned, by its place in the list.
    #[must_use]
    pub const fn waiver(self) -> Option<usize> {
        match self {
            Self::None => None,
            Self::Waived { waiver } | Self::Expired { waiver } | Self::Refused { waiver } => Some(waiver),
        }
    }
}

/// The waivers about one object whose rule objected.
pub(super) struct Applicable<'a> {
    valid: Vec<(usize, &'a Waiver)>,
    expired: Vec<(usize, &'a Waiver)>,
}

impl<'a> Applicable<'a> {
    pub(super) fn new(waivers: &'a [Waiver], object: &Object, objecting: &BTreeSet<RuleId>, now: Timestamp) -> Self {
        let about = waivers
            .iter()
            .enumerate()
            .filter(|(_, waiver)| objecting.contains(&waiver.rule) && waiver.is_about(object));
        let (expired, valid) = about.partition(|(_, waiver)| waiver.has_expired(now));
        Self { valid, expired }
    }

    /// The rules that are waived for the object, if they let themselves be.
    pub(super) fn valid(&self) -> BTreeSet<RuleId> {
        self.valid.iter().map(|(_, waiver)| waiver.rule.clone()).collect()
    }

    /// What became of one rule's objection; `insists` if the rule objected although it was waived.
    pub(super) fn outcome(&self, rule: &RuleId, insists: bool) -> WaiverUse {
        let find = |list: &[(usize, &Waiver)]| list.iter().find(|(_, w)| w.rule == *rule).map(|(index, _)| *index);
        match (find(&self.valid), find(&self.expired)) {
            (Some(waiver), _) if insists => WaiverUse::Refused { waiver },
            (Some(waiver), _) => WaiverUse::Waived { waiver },
            (None, Some(waiver)) => WaiverUse::Expired { waiver },
            (None, None) => WaiverUse::None,
        }
    }
}

/// What is wrong with a waiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WaiverProblem {
    /// No rule has this id.
    UnknownRule,
    /// The rule cannot be waived.
    NotWaivable,
    /// Its time is over.
    Expired,
    /// No rule objected to anything it covers.
    Unused,
}

impl WaiverProblem {
    /// What is wrong, in a few words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownRule => "no rule has this id",
            Self::NotWaivable => "this rule cannot be waived",
            Self::Expired => "the waiver has expired",
            Self::Unused => "nothing needs this waiver",
        }
    }

    /// What to do.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::UnknownRule => "`paring rules list` shows the ids",
            Self::NotWaivable => "remove the waiver, and change what the rule objects to",
            Self::Expired => "remove it, or have its owner renew it",
            Self::Unused => "remove it",
        }
    }
}

/// A waiver that ought to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WaiverFinding {
    /// Its place in the list that was given.
    pub waiver: usize,
    /// What is wrong with it.
    pub problem: WaiverProblem,
}

/// Looks over the waivers after everything was asked: which are expired, unused or useless. At most one finding each.
///
/// `violations` is everything that [`Guardrails::ask`] returned with the same list of waivers.
#[must_use]
pub fn review_waivers(
    rules: &Guardrails,
    waivers: &[Waiver],
    violations: &[Violation],
    now: Timestamp,
) -> Vec<WaiverFinding> {
    let used: BTreeSet<usize> = violations.iter().filter_map(|violation| violation.waiver.waiver()).collect();
    let judged = waivers.iter().enumerate().filter_map(|(index, waiver)| {
        let problem = match rules.rule(&waiver.rule) {
            None => WaiverProblem::UnknownRule,
            Some(rule) if !rule.waivable => WaiverProblem::NotWaivable,
            Some(_) if waiver.has_expired(now) => WaiverProblem::Expired,
            Some(_) if !used.contains(&index) => WaiverProblem::Unused,
            Some(_) => return None,
        };
        Some(WaiverFinding { waiver: index, problem })
    });
    judged.collect()
}
