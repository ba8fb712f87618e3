//! Claims about a change, and how they come out: proved, refuted with an example, or undecided with a reason.
//!
//! Holds the words; each claim has a file of its own that decides it. Undecided is never shown as proved.

use std::collections::BTreeMap;
use std::fmt;

use iam_model::action::Action;
use iam_model::arn::ResourcePattern;
use iam_model::condition::ConditionKey;
use iam_model::policy::PrincipalPattern;

/// What is claimed about a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Claim {
    /// Every authorised call in the logs is still allowed.
    KeepsUsed,
    /// Every request that is allowed after the change was allowed before it.
    AddsNothing,
    /// No escalation path or exposure exists after the change that was not there before it.
    OpensNoPath,
    /// The organisation's rules do not object.
    ObeysGuardrails,
}

impl Claim {
    /// Every claim, in the order they are shown.
    pub const ALL: [Self; 4] = [Self::KeepsUsed, Self::AddsNothing, Self::OpensNoPath, Self::ObeysGuardrails];

    /// The name in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KeepsUsed => "keeps-used",
            Self::AddsNothing => "adds-nothing",
            Self::OpensNoPath => "opens-no-path",
            Self::ObeysGuardrails => "obeys-guardrails",
        }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a claim came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It holds for every request.
    Proved {
        /// What was compared or replayed, in one line.
        because: String,
    },
    /// It does not hold.
    Refuted {
        /// What is wrong, in one line.
        because: String,
        /// A request that shows it, where there is one.
        counterexample: Option<Counterexample>,
    },
    /// Nobody knows.
    Undecided {
        /// What stands in the way, and what would decide it.
        why: String,
    },
}

impl Outcome {
    /// Whether the claim is proved.
    #[must_use]
    pub const fn is_proved(&self) -> bool {
        matches!(self, Self::Proved { .. })
    }

    /// The word in reports.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Proved { .. } => "proved",
            Self::Refuted { .. } => "refuted",
            Self::Undecided { .. } => "undecided",
        }
    }
}

/// A request that shows that a claim does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counterexample {
    /// Who asks, as a policy would name them; nothing where the policies name nobody.
    pub principal: Option<PrincipalPattern>,
    /// The action.
    pub action: Action,
    /// The resource, or `*` for actions that take none.
    pub resource: ResourcePattern,
    /// Context values; keys that are not listed are absent.
    pub context: BTreeMap<ConditionKey, Vec<String>>,
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(principal) = &self.principal {
            let name = match principal {
                PrincipalPattern::Everyone => "anyone",
                PrincipalPattern::Aws(name)
                | PrincipalPattern::Service(name)
                | PrincipalPattern::Federated(name)
                | PrincipalPattern::CanonicalUser(name)
                | PrincipalPattern::Unknown { value: name, .. } => name,
            };
            write!(f, "{name} doing ")?;
        }
        write!(f, "{} on {}", self.action, self.resource)?;
        for (index, (key, values)) in self.context.iter().enumerate() {
            f.write_str(if index == 0 { " with " } else { ", " })?;
            write!(f, "{key}={}", values.join("|"))?;
        }
        Ok(())
    }
}
