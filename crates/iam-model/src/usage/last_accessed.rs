//! What AWS itself records about the last use of services and actions: a second kind of evidence beside the logs.
//!
//! Follows the IAM User Guide topic "Things to know about last accessed information". Values only: reading the reports
//! and weighing them against the logs lives with the logs.

use std::collections::BTreeMap;

use crate::action::Action;
use crate::arn::Arn;
use crate::time::Timestamp;

/// Days AWS looks back; it may keep more, never fewer, once it tracks a service.
pub const TRACKED_DAYS: u64 = 400;

/// Last uses by role.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LastAccessed {
    /// By role ARN. A role without an entry has no report.
    pub roles: BTreeMap<Arn, RoleReport>,
}

/// What the reports about one role say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoleReport {
    /// Services the role's policies allow, by prefix in small letters. One that is missing is not reported on.
    pub services: BTreeMap<String, ServiceReport>,
    /// Whether a report ends before its last service: of one that is missing AWS may have recorded any use.
    pub cut_off: bool,
}

/// What is said about one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceReport {
    /// When the report was made; it says nothing about later calls.
    pub made: Timestamp,
    /// The last call of any of the service's actions, allowed or denied; nothing: none within [`TRACKED_DAYS`].
    pub last: Option<Timestamp>,
    /// The actions AWS tracks one by one, where the report was asked for them. AWS tracks management actions of some
    /// services only, and never `iam:PassRole`; an action that is missing is not reported on.
    pub actions: BTreeMap<Action, Option<Timestamp>>,
}

impl LastAccessed {
    /// Puts another report beside those that are there; of two about the same, the later use counts.
    pub fn add(&mut self, role: Arn, report: RoleReport) {
        let own = self.roles.entry(role).or_default();
        own.cut_off |= report.cut_off;
        for (service, theirs) in report.services {
            match own.services.get_mut(&service) {
                None => drop(own.services.insert(service, theirs)),
                Some(known) => {
                    known.made = known.made.max(theirs.made);
                    known.last = known.last.max(theirs.last);
                    for (action, last) in theirs.actions {
                        let slot = known.actions.entry(action).or_default();
                        *slot = (*slot).max(last);
                    }
                }
            }
        }
    }

    /// What is said about a role's use of a service.
    #[must_use]
    pub fn service(&self, role: &Arn, prefix: &str) -> Option<&ServiceReport> {
        self.roles.get(role)?.services.get(&prefix.to_ascii_lowercase())
    }
}
