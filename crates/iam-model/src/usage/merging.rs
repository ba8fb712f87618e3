//! What a usage log says of itself so that it can be put together with others: which logs it was read from, what was left
//! out, and how far it was folded.
//!
//! Holds facts only; putting logs together lives in the room that reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use crate::arn::Arn;
use crate::time::{Timestamp, days_from_civil};

/// What putting logs together takes beyond what was seen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Merging {
    /// The logs that were read, in order; one that was read twice stands here twice.
    pub sources: Vec<SourceDigest>,
    /// What the reader was told to leave out, in words; nothing where everything counted.
    pub filter: Option<String>,
    /// Whether there were too many unresolved names to tell apart.
    pub unresolved_folded: bool,
    /// Roles with too many sessions for these to be functions.
    pub functions_folded: BTreeSet<Arn>,
    /// How far observations were folded, by role and place among its observations; those folded alone.
    pub folded: BTreeMap<Arn, BTreeMap<usize, Folded>>,
}

/// How far an observation was folded: its resources, and the condition keys it is told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Folded {
    /// Separators that names of its group were cut behind; nothing where they are whole.
    pub depth: Option<u8>,
    /// Whether there were too many groups, so that a service stands for each.
    pub services: bool,
    /// Whether there were too many contexts, so that what all share stands for each.
    pub contexts: bool,
}

impl Folded {
    /// Whether anything was folded.
    #[must_use]
    pub const fn is_any(self) -> bool {
        self.depth.is_some() || self.services || self.contexts
    }
}

/// A log that was read, told by what it holds and not by its name: a copy elsewhere is the same log.
///
/// ```
/// use iam_model::usage::SourceDigest;
/// let digest: SourceDigest = "2026-11-20/4000/00c0ffee00c0ffee".parse().unwrap();
/// assert_eq!(digest.records, 4000);
/// assert_eq!(digest.to_string(), "2026-11-20/4000/00c0ffee00c0ffee");
/// assert!("4000/00c0ffee".parse::<SourceDigest>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceDigest {
    /// The day of its first event, counted from the epoch.
    pub day: i64,
    /// Its records.
    pub records: u64,
    /// The sum of what its event ids say.
    pub sum: u64,
}

impl fmt::Display for SourceDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = Timestamp::from_epoch_seconds(self.day.saturating_mul(86_400)).to_string();
        write!(f, "{}/{}/{:016x}", day.get(..10).unwrap_or_default(), self.records, self.sum)
    }
}

impl FromStr for SourceDigest {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('/');
        let (Some(day), Some(records), Some(sum), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(());
        };
        let mut date = day.split('-').map(|part| part.parse::<i64>().map_err(drop));
        let (Some(year), Some(month), Some(of_month), None) = (date.next(), date.next(), date.next(), date.next())
        else {
            return Err(());
        };
        Ok(Self {
            day: days_from_civil(year?, month?, of_month?).ok_or(())?,
            records: records.parse().map_err(drop)?,
            sum: u64::from_str_radix(sum, 16).map_err(drop)?,
        })
    }
}
