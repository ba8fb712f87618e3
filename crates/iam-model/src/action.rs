//! IAM actions and the patterns policies use for them.
//!
//! Follows the IAM User Guide topic "IAM JSON policy elements: Action". Actions compare without regard to case, as
//! AWS compares them, and print as they were written. Matching a pattern lives with evaluation.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// One concrete action, `service:Name`.
///
/// ```
/// use iam_model::action::Action;
/// let a: Action = "s3:GetObject".parse().unwrap();
/// assert_eq!(a, "S3:getobject".parse().unwrap());
/// assert_eq!((a.service(), a.name()), ("s3", "GetObject"));
/// assert!("s3:Get*".parse::<Action>().is_err());
/// ```
#[derive(Debug, Clone)]
pub struct Action(Box<str>);

impl Action {
    /// An action from parts a table of ours already holds in their proper form.
    pub(crate) fn from_parts(service: &str, name: &str) -> Self {
        Self([service, ":", name].concat().into())
    }

    /// The action as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The service prefix, as written.
    #[must_use]
    pub fn service(&self) -> &str {
        self.0.split_once(':').map_or("", |(service, _)| service)
    }

    /// The name after the colon, as written.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, name)| name)
    }
}

impl FromStr for Action {
    type Err = ActionError;

    fn from_str(text: &str) -> Result<Self, ActionError> {
        let valid =
            |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        match text.split_once(':') {
            Some((service, name)) if valid(service) && valid(name) => Ok(Self(text.into())),
            _ => Err(ActionError { text: text.into() }),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a policy's `Action` element may hold: `*`, `service:*`, `service:Get*`, `service:Name`.
#[derive(Debug, Clone)]
pub struct ActionPattern(Box<str>);

impl ActionPattern {
    /// The pattern as written. Any text is kept: whether it can match anything is for evaluation to say.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the pattern has a form AWS takes: `*`, or a service and a name, where a wildcard may stand for the whole
    /// service but not for a part of it. Any other text matches no action.
    ///
    /// ```
    /// use iam_model::action::ActionPattern;
    /// assert!(["*", "s3:Get*", "*:*"].iter().all(|text| ActionPattern::new(text).is_well_formed()));
    /// assert!(["s*:Get*", "s3", "**"].iter().all(|text| !ActionPattern::new(text).is_well_formed()));
    /// ```
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        match self.0.split_once(':') {
            Some((service, _)) => service == "*" || !service.contains(['*', '?']),
            None => &*self.0 == "*",
        }
    }

    /// Whether the pattern holds a wildcard.
    #[must_use]
    pub fn has_wildcard(&self) -> bool {
        self.0.contains(['*', '?'])
    }
}

impl From<&Action> for ActionPattern {
    fn from(action: &Action) -> Self {
        Self::new(action.as_str())
    }
}

impl fmt::Display for ActionPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an action (service:Name)")]
pub struct ActionError {
    text: String,
}

/// Compares two ASCII texts without regard to case; the one rule for actions and condition keys.
#[must_use]
pub fn compare_ignoring_case(a: &str, b: &str) -> Ordering {
    a.bytes().map(|b| b.to_ascii_lowercase()).cmp(b.bytes().map(|b| b.to_ascii_lowercase()))
}

/// Hashes a text so that texts differing only in case hash alike.
pub fn hash_ignoring_case<H: Hasher>(text: &str, state: &mut H) {
    for byte in text.bytes() {
        state.write_u8(byte.to_ascii_lowercase());
    }
}

macro_rules! case_insensitive {
    ($($name:ty),*) => {$(
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool { self.0.eq_ignore_ascii_case(&other.0) }
        }
        impl Eq for $name {}
        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> { Some(self.cmp(other)) }
        }
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering { $crate::action::compare_ignoring_case(&self.0, &other.0) }
        }
        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) { $crate::action::hash_ignoring_case(&self.0, state); }
        }
    )*};
}
pub(crate) use case_insensitive;

case_insensitive!(Action, ActionPattern);
