//! The proof that one set of policies is inside another: which statement covers what, and why nothing is left over.
//!
//! A proof is found by a search and checked without one; the two live in different rooms and share only these nouns.
//! Printing is deterministic. Nothing here decides anything.

use std::fmt;

use crate::condition::ConditionKey;

/// What one step of a proof speaks of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dimension {
    /// The action.
    Action,
    /// The resource.
    Resource,
    /// The principal.
    Principal,
    /// The values of a context key.
    Key(ConditionKey),
}

/// Which of the two sets of policies a statement is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The policies before.
    Old,
    /// The policies after.
    New,
}

/// A statement, counted from zero through all documents of its side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StatementRef {
    /// The side.
    pub side: Side,
    /// Its number.
    pub index: u32,
}

/// Why no request is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The demands on this dimension contradict one another.
    Empty(Dimension),
    /// The request must not match this statement, and each way not to match it leads nowhere: by its action, its
    /// resource, its principal, or by one of its conditions, in this order.
    Avoid {
        /// The statement.
        statement: StatementRef,
        /// One step for each way.
        ways: Vec<Self>,
    },
    /// The request matches some pattern of the new allow's action or resource, and for each there is a reason.
    Split {
        /// Action or resource.
        dimension: Dimension,
        /// Parts that between them hold every pattern of the element.
        parts: Vec<Part>,
    },
}

/// Some patterns of an element, and why no request is left that matches one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The patterns, by their number in the element, ascending.
    pub patterns: Vec<u32>,
    /// Why.
    pub step: Step,
}

/// One way in which the new policies could allow more: a new allow no old allow covers, or that an old deny forbids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    /// The new allow.
    pub allow: u32,
    /// The old deny that would forbid it; nothing for the goal that no old allow covers it.
    pub deny: Option<u32>,
    /// Why there is no such request.
    pub step: Step,
}

/// A proof of inclusion: every goal, each with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proof {
    /// For each new allow, in order: the goal without a deny, then one for each old deny.
    pub goals: Vec<Goal>,
}

/// A proof together with what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// SHA-256 of the old documents, in hexadecimal.
    pub old: Box<str>,
    /// SHA-256 of the new documents, in hexadecimal.
    pub new: Box<str>,
    /// The proof.
    pub proof: Proof,
}

/// The first line of a printed certificate.
pub const SCHEMA: &str = "paring-proof/2";

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{SCHEMA}\nold sha256:{}\nnew sha256:{}", self.old, self.new)?;
        self.proof.goals.iter().try_for_each(|goal| writeln!(f, "{goal}"))
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.deny {
            None => write!(f, "new {}:", self.allow)?,
            Some(deny) => write!(f, "new {} under old deny {deny}:", self.allow)?,
        }
        write!(f, " {}", self.step)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.patterns.iter().copied().peekable();
        let mut separator = "";
        while let Some(first) = rest.next() {
            let mut last = first;
            while rest.next_if(|next| last.checked_add(1) == Some(*next)).is_some() {
                last += 1;
            }
            write!(f, "{separator}{first}")?;
            if last > first {
                write!(f, "-{last}")?;
            }
            separator = ",";
        }
        write!(f, ": {}", self.step)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty(dimension) => write!(f, "{dimension}"),
            Self::Avoid { statement, ways } => {
                write!(f, "{statement}")?;
                if ways.iter().all(|w| matches!(w, Self::Empty(_))) {
                    return Ok(());
                }
                f.write_str("(")?;
                for (number, way) in ways.iter().enumerate() {
                    f.write_str(if number == 0 { "" } else { " | " })?;
                    write!(f, "{way}")?;
                }
                f.write_str(")")
            }
            Self::Split { dimension, parts } => {
                write!(f, "by {dimension} (")?;
                for (number, part) in parts.iter().enumerate() {
                    f.write_str(if number == 0 { "" } else { "; " })?;
                    write!(f, "{part}")?;
                }
                f.write_str(")")
            }
        }
    }
}

impl fmt::Display for StatementRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Old => "old",
            Side::New => "new",
        };
        write!(f, "{side} {}", self.index)
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Action => f.write_str("action"),
            Self::Resource => f.write_str("resource"),
            Self::Principal => f.write_str("principal"),
            Self::Key(key) => write!(f, "key {key}"),
        }
    }
}
