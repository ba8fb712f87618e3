//! Times: a grant whose window has closed is no grant, one whose window opens later is.
//!
//! Asks no clock. Of the times from the day this version was made on, those between the dates that policies name are
//! enough: no decision changes anywhere else.

use std::collections::BTreeSet;

use iam_model::condition::{Condition, ConditionKey};
use iam_model::time::Timestamp;

/// Keys that hold a time.
const KEYS: &[&str] = &["aws:CurrentTime", "aws:EpochTime", "aws:TokenIssueTime"];
/// 2026-01-01: nobody makes a request before this.
const EARLIEST: i64 = 1_767_225_600;
/// 2200-01-01.
const LATEST: i64 = 7_258_118_400;
/// More dates than this are not tried.
const MOST: usize = 64;

/// The keys among these that hold a time.
pub(super) fn among(keys: &BTreeSet<ConditionKey>) -> Vec<&ConditionKey> {
    keys.iter().filter(|key| is_time(key)).collect()
}

fn is_time(key: &ConditionKey) -> bool {
    KEYS.iter().any(|known| known.eq_ignore_ascii_case(key.as_str()))
}

/// Times to try: the first, the last, and the moment before, at and after each date a policy names. Nothing where there
/// are too many dates, or one that cannot be read: then every window counts as one that may open.
pub(super) fn instants(conditions: &[&Condition]) -> Vec<String> {
    let values = conditions.iter().filter(|condition| is_time(&condition.key)).flat_map(|condition| &condition.values);
    let Some(named) = values.map(|value| seconds(&value.value)).collect::<Option<BTreeSet<i64>>>() else {
        return Vec::new();
    };
    if named.len() > MOST {
        return Vec::new();
    }
    let later = named.into_iter().filter(|at| (EARLIEST..LATEST).contains(at));
    let times: BTreeSet<i64> = later.flat_map(|at| [at - 1, at, at + 1]).chain([EARLIEST, LATEST]).collect();
    times.into_iter().map(|at| at.to_string()).collect()
}

/// Dates as conditions write them: seconds, a day, or a moment in UTC.
fn seconds(text: &str) -> Option<i64> {
    let moment = Timestamp::parse(text).or_else(|| Timestamp::parse(&format!("{text}T00:00:00Z")));
    text.parse().ok().or_else(|| moment.map(Timestamp::epoch_seconds))
}
