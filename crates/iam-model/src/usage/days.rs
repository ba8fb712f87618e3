//! How many days the logs of one account show: where they miss some, these show nothing.
//!
//! A quiet account, or logs of one role alone, have days without a record. Missing are days in a row that are more than the
//! account's other days make likely. Counts days only; how many are enough is decided where something is cut.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::UsageLog;
use crate::arn::AccountId;
use crate::time::Timestamp;

/// Days in a row without a record are missing where chance leaves so many less often than this, if every day had records as
/// often as all days have on the whole.
const UNLIKELY: f64 = 1e-4;

/// What the logs of one account span.
///
/// ```
/// use iam_model::usage::AccountDays;
/// let days = AccountDays { span: 90, without: Some(20), missing: 12 };
/// assert_eq!(days.shown(), 78);
/// assert_eq!(days.to_string(), "90 days, 12 of them missing, 20 without any record");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountDays {
    /// Whole days from its first record to its last.
    pub span: u64,
    /// Days in between without any record of it; nothing where the usage log does not tell.
    pub without: Option<u64>,
    /// Those of them that are too many in a row to be quiet days.
    pub missing: u64,
}

impl AccountDays {
    /// The days that show something.
    #[must_use]
    pub const fn shown(self) -> u64 {
        self.span.saturating_sub(self.missing)
    }

    /// So many days of which nothing more is known.
    #[must_use]
    pub const fn plain(span: u64) -> Self {
        Self { span, without: None, missing: 0 }
    }

    fn of(recorded: &BTreeSet<i64>) -> Option<Self> {
        let count = |first: i64, last: i64| u64::try_from(last.saturating_sub(first)).unwrap_or_default();
        let span = count(*recorded.first()?, *recorded.last()?);
        let without = (span + 1).saturating_sub(u64::try_from(recorded.len()).unwrap_or(u64::MAX));
        let longest = longest_likely(without, span + 1);
        let gaps = recorded.iter().zip(recorded.iter().skip(1)).map(|(a, b)| count(*a, *b).saturating_sub(1));
        Some(Self { span, without: Some(without), missing: gaps.filter(|gap| *gap > longest).sum() })
    }
}

impl fmt::Display for AccountDays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = |count| if count == 1 { "day" } else { "days" };
        write!(f, "{} {}", self.span, days(self.span))?;
        let quiet = self.without.filter(|without| *without > self.missing);
        match (self.missing, quiet) {
            (0, None) => Ok(()),
            (0, Some(without)) => write!(f, ", {without} of them without any record"),
            (missing, None) => write!(f, ", {missing} of them missing"),
            (missing, Some(without)) => write!(f, ", {missing} of them missing, {without} without any record"),
        }
    }
}

/// The most days in a row without a record that are likely, where so many `of` all days are without one.
fn longest_likely(without: u64, of: u64) -> u64 {
    #[expect(clippy::cast_precision_loss, reason = "there are no so many days")]
    let share = without as f64 / of.max(1) as f64;
    let (mut days, mut chance) = (0, share);
    while chance >= UNLIKELY && days < of {
        days += 1;
        chance *= share;
    }
    days
}

/// What the logs span, account by account.
pub(super) fn by_account(usage: &UsageLog) -> BTreeMap<AccountId, AccountDays> {
    // A usage log that names no days was not made from records: its first and last calls are all there is.
    let mut all: BTreeMap<AccountId, AccountDays> = spans(usage)
        .into_iter()
        .map(|(account, (first, last))| (account, AccountDays::plain(first.days_until(last))))
        .collect();
    for (account, days) in &usage.days {
        all.extend(AccountDays::of(days).map(|days| (account.clone(), days)));
    }
    all
}

/// What the logs of an account span, region by region.
pub(super) fn by_region(usage: &UsageLog, account: &AccountId) -> BTreeMap<String, AccountDays> {
    let whole = by_account(usage).get(account).copied();
    let of = |region: &String| match usage.region_days.get(&(account.clone(), region.clone())) {
        Some(days) => AccountDays::of(days),
        None => whole,
    };
    let regions = usage.seen_in.iter().chain(usage.region_days.keys()).filter(|(seen, _)| seen == account);
    regions.filter_map(|(_, region)| Some((region.clone(), of(region)?))).collect()
}

/// The first and the last call of any role, by account.
fn spans(usage: &UsageLog) -> BTreeMap<AccountId, (Timestamp, Timestamp)> {
    let mut spans: BTreeMap<AccountId, (Timestamp, Timestamp)> = BTreeMap::new();
    for (role, used) in &usage.principals {
        let Some(account) = role.account() else { continue };
        for seen in &used.observations {
            let span = spans.entry(account.clone()).or_insert((seen.first, seen.last));
            *span = (span.0.min(seen.first), span.1.max(seen.last));
        }
    }
    spans
}

/// Days as runs, the first and the last of each: `2026-11-01/2026-11-30`.
///
/// ```
/// use iam_model::usage::{runs_of_days, days_of_run};
/// let days = [20_000, 20_001, 20_003].into();
/// assert_eq!(runs_of_days(&days), ["2024-10-04/2024-10-05", "2024-10-07/2024-10-07"]);
/// assert_eq!(days_of_run("2024-10-04/2024-10-05").unwrap(), 20_000..=20_001);
/// assert!(days_of_run("2024-10-05/2024-10-04").is_none());
/// ```
#[must_use]
pub fn runs_of_days(days: &BTreeSet<i64>) -> Vec<String> {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for day in days {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *day => *last = *day,
            _ => runs.push((*day, *day)),
        }
    }
    let date = |day: i64| Timestamp::from_epoch_seconds(day.saturating_mul(86_400)).date();
    runs.into_iter().map(|(first, last)| format!("{}/{}", date(first), date(last))).collect()
}

/// The days of a run; nothing for what is none, or lasts longer than a hundred years.
#[must_use]
pub fn days_of_run(text: &str) -> Option<std::ops::RangeInclusive<i64>> {
    const MOST: i64 = 36_525;
    let (first, last) = text.split_once('/')?;
    let day = |date: &str| Timestamp::parse(&format!("{date}T00:00:00Z")).map(Timestamp::day);
    let (first, last) = (day(first)?, day(last)?);
    (first <= last && last - first <= MOST).then_some(first..=last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(days: impl IntoIterator<Item = i64>, expected: &str) {
        let found = AccountDays::of(&days.into_iter().collect()).unwrap();
        assert_eq!(found.to_string(), expected);
    }

    #[test]
    fn days_in_a_row_are_missing_where_the_others_are_not_quiet() {
        check(0..=90, "90 days");
        check((0..=14).chain(77..=90), "90 days, 62 of them missing");
        // One or two days of a busy account may be quiet.
        check((0..=90).filter(|day| *day != 40), "90 days, 1 of them without any record");
        check((0..=90).filter(|day| !(40..44).contains(day)), "90 days, 4 of them missing");
        // Weekends.
        check((0..=90).filter(|day| day % 7 < 5), "88 days, 24 of them without any record");
        check(
            (0..=90).filter(|day| day % 7 < 5 && !(35..50).contains(day)),
            "88 days, 17 of them missing, 35 without any record",
        );
        // A role that works every third week, whose records alone were given.
        check((0..=90).step_by(21), "84 days, 80 of them without any record");
        check([0, 90], "90 days, 89 of them without any record");
        check([7], "0 days");
    }
}
