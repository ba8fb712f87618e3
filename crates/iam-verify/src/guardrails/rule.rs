//! What is known about one rule: its annotations, its text and where it stands.
//!
//! Values only; reading and checking them is done next door.

use std::fmt;

use iam_model::diagnostic::Place;

use super::name::RuleId;

/// How much a rule's objection weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleSeverity {
    /// For the record.
    Note,
    /// Ought to be changed; stops nothing.
    Warning,
    /// A person has to look; a program must not merge it alone.
    Review,
    /// The change breaks the organisation's rules.
    Error,
    /// The change breaks a rule that protects all the others.
    Critical,
}

impl RuleSeverity {
    /// Every severity, least first.
    pub const ALL: &'static [Self] = &[Self::Note, Self::Warning, Self::Review, Self::Error, Self::Critical];

    /// The word used in `@severity` and in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Review => "review",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }

    /// The severity of a word; nothing for any other word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|severity| severity.as_str() == word)
    }

    /// Whether an objection of this weight refutes the claim that a change obeys the guardrails.
    ///
    /// Errors and critical ones do. A warning or a note is advice, and a review is an appeal to a person: both are
    /// reported, neither says the change is wrong.
    #[must_use]
    pub const fn refutes(self) -> bool {
        matches!(self, Self::Error | Self::Critical)
    }
}

impl fmt::Display for RuleSeverity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// `@id`.
    pub id: RuleId,
    /// `@title`: what it demands, in one line.
    pub title: String,
    /// `@severity`.
    pub severity: RuleSeverity,
    /// `@fix` (or `@hint`): what to do when it objects.
    pub fix: String,
    /// `@standard`: the controls elsewhere it answers to, where it names any.
    pub standard: Option<String>,
    /// Whether its text accepts a waiver.
    pub waivable: bool,
    /// Where it stands.
    pub place: Place,
    /// Its text, as written, annotations included.
    pub text: String,
}
