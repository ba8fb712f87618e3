//! All evidence about roles weighed together: what the logs show, what they would have shown, and what AWS itself
//! recorded as last used.
//!
//! The rule throughout: absence counts only where a use would have been recorded, and a use that any evidence has counts
//! whatever the others say. What is made of it, keep or cut, is not decided here.

use iam_model::action::Action;
use iam_model::arn::{AccountId, Arn, ResourcePattern};
use iam_model::catalog::{Catalog, Trigger};
use iam_model::time::Timestamp;
use iam_model::usage::{Coverage, LastAccessed, Observation, ServiceReport, Standing, UsageLog, Visibility, Witness};

use crate::actors::is_of_others;
use crate::coverage::{Blind, Spot, behind, blind, is_hidden, recorded_in_part};

const SECONDS_PER_DAY: i64 = 86_400;

/// Everything that is known about what roles did.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// What the logs show.
    pub usage: &'a UsageLog,
    /// What they could have shown.
    pub coverage: &'a Coverage,
    /// AWS's own record of last uses.
    pub last_accessed: &'a LastAccessed,
    /// What AWS publishes about its actions.
    pub catalog: &'a Catalog,
    /// Days the logs must span before absence counts; 0 asks for none.
    pub min_days: u64,
}

/// A use that AWS recorded and the logs do not show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unshown {
    /// The action.
    pub action: Action,
    /// Its last use.
    pub last: Timestamp,
}

impl Evidence<'_> {
    /// Whether anything was read of what a role did. Of a role without records nothing may be said.
    #[must_use]
    pub fn has_records(&self, role: &Arn) -> bool {
        self.usage.principals.get(role).is_some_and(|used| !used.observations.is_empty())
            || self.last_accessed.roles.contains_key(role)
    }

    /// How an action of a role stands.
    #[must_use]
    pub fn standing(&self, role: &Arn, action: &Action) -> Standing {
        let report = self.last_accessed.service(role, action.service());
        let recorded = report.and_then(|report| report.actions.get(action).copied());
        let shown =
            self.calls(role).filter(|seen| seen.action == *action && seen.count > 0).map(|seen| seen.last).max();
        if let Some(last) = shown {
            return Standing::Seen { last: last.max(recorded.flatten().unwrap_or(last)), by: Witness::Logs };
        }
        if let Some(last) = recorded.flatten() {
            return Standing::Seen { last, by: Witness::ActionLastAccessed };
        }
        match (self.unseen_by_logs(role, action), report) {
            (Ok(()), None) if self.is_cut_off(role) => Standing::CouldNotBeSeen {
                why: format!("AWS's report of last uses is cut off and may have more to say of {}", action.service()),
            },
            (Ok(()), None) => Standing::NotSeen { by: Witness::Logs },
            (Ok(()), Some(report)) => match self.contradicted(role, action, report) {
                Some(why) => Standing::CouldNotBeSeen { why },
                None => Standing::NotSeen { by: Witness::Logs },
            },
            (Err(why), Some(report)) => self.told_by_report(action, report, recorded, why),
            (Err(why), None) => Standing::CouldNotBeSeen { why },
        }
    }

    /// Whether every use of an action by a role would be on record; a use that only AWS's own record has counts as one
    /// the logs could not show.
    ///
    /// An action that was seen on what the trails record may be used on what they do not.
    #[must_use]
    pub fn visibility(&self, role: &Arn, action: &Action) -> Visibility {
        match self.standing(role, action) {
            Standing::Seen { by: Witness::Logs, .. } => {
                self.seen_in_part(role, action).map_or(Visibility::Visible, Visibility::Invisible)
            }
            standing => standing.visibility(),
        }
    }

    /// Why there may be calls of an action beside those that were seen.
    fn seen_in_part(&self, role: &Arn, action: &Action) -> Option<String> {
        let account = role.account()?;
        recorded_in_part(self.coverage, self.catalog, &account, action).or_else(|| {
            // Which roles are passed is what matters, and a call that was seen tells one of them.
            let mut calls = if is_pass_role(action) { self.hidden_in(action) } else { Vec::new() };
            calls.retain(|wanted| self.calls(role).any(|seen| seen.action == *wanted && seen.count > 0));
            (!calls.is_empty()).then(|| behind(&calls))
        })
    }

    /// Whether what could have been seen of a role is not what its account's trails tell of any role.
    #[must_use]
    pub fn has_own_record(&self, role: &Arn) -> bool {
        let trail = role.account().and_then(|account| self.coverage.accounts.get(&account));
        self.last_accessed.roles.contains_key(role)
            || self.coverage.role_days.contains_key(role)
            || trail.is_some_and(|trail| trail.unread_regions.contains_key(role))
    }

    /// Whether every use of an action on resources of a pattern would be in the logs, whether or not one is: what was seen of
    /// an action tells nothing of uses that trails do not record.
    ///
    /// A use that the records of other calls do not show is not asked about: where some were seen, they count as all. Nor
    /// is one that AWS's own record, which is of every region, says there was none of.
    #[must_use]
    pub fn every_use(&self, role: &Arn, action: &Action, on: &ResourcePattern) -> Visibility {
        let told = matches!(self.standing(role, action), Standing::NotSeen { by } if by != Witness::Logs);
        if told || self.is_of_others(role, action) {
            return Visibility::Visible;
        }
        let recorded = self.logged_account(role).and_then(|account| {
            if let Blind::Whole(why) = blind(self.coverage, self.catalog, &account, Spot::of(on), action) {
                return Err(why);
            }
            let regions = self.coverage.regions.get(&account);
            regions.and_then(|regions| regions.gap(action.service(), on, self.min_days)).map_or(Ok(()), Err)
        });
        recorded.map_or_else(Visibility::Invisible, |()| Visibility::Visible)
    }

    /// Whether only services use an action, with roles that trust them, and the role is none of those.
    #[must_use]
    pub fn is_of_others(&self, role: &Arn, action: &Action) -> bool {
        is_of_others(self.coverage.acted.as_ref(), role, action)
    }

    /// Uses that AWS recorded and the logs do not show: to be kept, whatever the logs could have shown.
    #[must_use]
    pub fn unshown(&self, role: &Arn) -> Vec<Unshown> {
        let report = self.last_accessed.roles.get(role);
        let actions =
            report.into_iter().flat_map(|report| report.services.values()).flat_map(|service| &service.actions);
        actions
            .filter_map(|(action, last)| Some((action, (*last)?)))
            .filter(|(action, _)| !self.calls(role).any(|seen| seen.action == **action && seen.count > 0))
            .map(|(action, last)| Unshown { action: action.clone(), last })
            .collect()
    }

    fn calls(&self, role: &Arn) -> impl Iterator<Item = &Observation> {
        self.usage.principals.get(role).into_iter().flat_map(|used| &used.observations)
    }

    /// Whether AWS's report about a role ends before its last service.
    fn is_cut_off(&self, role: &Arn) -> bool {
        self.last_accessed.roles.get(role).is_some_and(|report| report.cut_off)
    }

    /// Whether the logs would have shown a use, or why not.
    fn unseen_by_logs(&self, role: &Arn, action: &Action) -> Result<(), String> {
        let account = self.logged_account(role)?;
        if self.coverage.days_of(&account) < self.min_days {
            let days = self.coverage.describe_days_of(&account);
            return Err(format!("{days}, and {} are asked for", self.min_days));
        }
        let called = |wanted: &Action| self.calls(role).any(|seen| seen.action == *wanted && seen.count > 0);
        match blind(self.coverage, self.catalog, &account, Spot::default(), action) {
            Blind::Whole(_) if self.is_of_others(role, action) => Ok(()),
            Blind::Whole(why) => Err(why),
            Blind::Behind(mut calls) => {
                calls.retain(called);
                if calls.is_empty() { Ok(()) } else { Err(behind(&calls)) }
            }
            Blind::Not => {
                let mut calls = self.hidden_in(action);
                calls.retain(called);
                if calls.is_empty() { Ok(()) } else { Err(behind(&calls)) }
            }
        }
    }

    /// The account of a role, logs of which were read.
    fn logged_account(&self, role: &Arn) -> Result<AccountId, String> {
        let account = role.account().ok_or("the role's ARN names no account")?;
        if !self.holds_logs_of(&account) {
            return Err(format!("no log of account {account} was read"));
        }
        let trail = self.coverage.accounts.get(&account);
        if let Some(why) = trail.and_then(|trail| trail.unread_regions.get(role)) {
            return Err(why.clone());
        }
        Ok(account)
    }

    /// Whether any log of an account was read; unknown where nothing says where the events came from.
    fn holds_logs_of(&self, account: &AccountId) -> bool {
        let seen_in = &self.usage.seen_in;
        seen_in.is_empty() || seen_in.iter().any(|(seen, _)| seen == account)
    }

    /// Calls of other actions of the service that may ask for this one without showing it. A call that a service makes
    /// at another is recorded there, so only the service's own count, and those that pass a role which stands elsewhere.
    fn hidden_in(&self, action: &Action) -> Vec<Action> {
        let found = self.catalog.operations_authorised_by(action);
        let hidden = found.into_iter().filter_map(|(operation, pair)| {
            let main = operation.authorized().next()?.action();
            let own = operation.service().eq_ignore_ascii_case(action.service());
            let hidden = match pair.trigger() {
                Trigger::PassesRole { unnamed } => unnamed,
                trigger => own && is_hidden(action, &trigger),
            };
            hidden.then_some(main)
        });
        hidden.collect()
    }

    /// Whether AWS's record of the service says that the logs are incomplete: it was used within the time they span, and
    /// they hold no call of it.
    fn contradicted(&self, role: &Arn, action: &Action, report: &ServiceReport) -> Option<String> {
        let (first, last) = self.usage.window?;
        let used = report.last.filter(|used| (first..=last).contains(used))?;
        let explained = self.calls(role).any(|seen| seen.action.service().eq_ignore_ascii_case(action.service()));
        // A service whose actions are reported one by one tells which it was.
        let told = report.actions.values().flatten().any(|seen| *seen == used);
        (!explained && !told).then(|| {
            format!(
                "AWS's own record has a use of {} on {}, and the logs hold no call of it: they are not complete",
                action.service(),
                used.date()
            )
        })
    }

    /// What AWS's record says of an action whose use the logs could not have shown.
    fn told_by_report(
        &self,
        action: &Action,
        report: &ServiceReport,
        recorded: Option<Option<Timestamp>>,
        why: String,
    ) -> Standing {
        let current = self
            .usage
            .window
            .is_none_or(|(_, last)| report.made.epoch_seconds() + SECONDS_PER_DAY >= last.epoch_seconds());
        if !current {
            return Standing::CouldNotBeSeen { why };
        }
        if recorded == Some(None) && !is_pass_role(action) {
            return Standing::NotSeen { by: Witness::ActionLastAccessed };
        }
        match report.last {
            // Any call of the service would have been recorded, whatever it was; but what a call of another service asks
            // for is recorded there.
            None if self.is_of_its_service_alone(action) => Standing::NotSeen { by: Witness::ServiceLastAccessed },
            None => Standing::CouldNotBeSeen { why },
            Some(used) => Standing::CouldNotBeSeen {
                why: format!("{why}; AWS last recorded a use of {} on {}", action.service(), used.date()),
            },
        }
    }

    /// Whether only calls of the action's own service ask for it.
    fn is_of_its_service_alone(&self, action: &Action) -> bool {
        let operations = self.catalog.operations_authorised_by(action);
        !is_pass_role(action)
            && !operations.is_empty()
            && operations.iter().all(|(operation, _)| operation.service().eq_ignore_ascii_case(action.service()))
    }
}

/// AWS does not track it, and no call of IAM asks for it.
fn is_pass_role(action: &Action) -> bool {
    action.as_str().eq_ignore_ascii_case("iam:PassRole")
}

#[cfg(test)]
mod tests;
