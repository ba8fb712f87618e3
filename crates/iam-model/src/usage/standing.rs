//! How an action of a role stands in the light of all evidence: seen, not seen, or not to be seen.
//!
//! The words only: which of them fits is told where the evidence is weighed.

use super::Visibility;
use crate::time::Timestamp;

/// Which evidence says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Witness {
    /// CloudTrail's records.
    Logs,
    /// AWS's record of when the action was last used.
    ActionLastAccessed,
    /// AWS's record of when the service was last used.
    ServiceLastAccessed,
}

impl Witness {
    /// The word used in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::ActionLastAccessed => "action-last-accessed",
            Self::ServiceLastAccessed => "service-last-accessed",
        }
    }
}

/// How an action of a role stands. Absence is evidence in the second class only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It was used.
    Seen {
        /// The last use that is known.
        last: Timestamp,
        /// Who says so. Where it is not the logs, they do not show the use, and it must be kept all the same.
        by: Witness,
    },
    /// It was not used, and a use would have been recorded.
    NotSeen {
        /// Whose record would have held it.
        by: Witness,
    },
    /// A use would not have been recorded, or not certainly: nothing follows from there being none.
    CouldNotBeSeen {
        /// Why, in words for people.
        why: String,
    },
}

impl Standing {
    /// The key used in reports.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Seen { .. } => "seen",
            Self::NotSeen { .. } => "not_seen",
            Self::CouldNotBeSeen { .. } => "could_not_be_seen",
        }
    }

    /// The same as an answer to "would a call have been recorded?".
    #[must_use]
    pub fn visibility(self) -> Visibility {
        match self {
            Self::Seen { by: Witness::Logs, .. } | Self::NotSeen { .. } => Visibility::Visible,
            Self::Seen { last, .. } => Visibility::Invisible(format!(
                "AWS's own record has a use on {}, which the logs do not show",
                last.date()
            )),
            Self::CouldNotBeSeen { why } => Visibility::Invisible(why),
        }
    }
}
