//! Condition blocks: operators, keys and values, as written.
//!
//! Follows the IAM User Guide topics "IAM JSON policy elements: Condition operators" and "Creating a condition with
//! multiple keys or values". What an operator decides lives with evaluation; an operator nobody knows is kept as
//! [`Operator::Unknown`], which evaluation answers with "unknown".

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use crate::action::case_insensitive;
use crate::text::{Span, Spanned};

/// A condition key such as `aws:SourceIp` or `s3:ExistingObjectTag/team`; compared without regard to case.
#[derive(Debug, Clone)]
pub struct ConditionKey(Box<str>);

case_insensitive!(ConditionKey);

impl ConditionKey {
    /// The key as written.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The key as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConditionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a multivalued key is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SetQualifier {
    /// `ForAllValues:`
    ForAllValues,
    /// `ForAnyValue:`
    ForAnyValue,
}

macro_rules! comparisons {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The comparisons AWS documents.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each is the operator AWS documents under the same name")]
        pub enum Comparison { $($name,)* }

        impl Comparison {
            /// Every comparison.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name as AWS writes it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }
        }
    };
}

comparisons! {
    StringEquals, StringNotEquals, StringEqualsIgnoreCase, StringNotEqualsIgnoreCase, StringLike, StringNotLike,
    NumericEquals, NumericNotEquals, NumericLessThan, NumericLessThanEquals, NumericGreaterThan, NumericGreaterThanEquals,
    DateEquals, DateNotEquals, DateLessThan, DateLessThanEquals, DateGreaterThan, DateGreaterThanEquals,
    Bool, BinaryEquals, IpAddress, NotIpAddress, ArnEquals, ArnLike, ArnNotEquals, ArnNotLike, Null,
}

impl Comparison {
    /// Whether the operator holds where no listed value compares: the `Not` operators. `Null` is none of them.
    #[must_use]
    pub const fn is_negated(self) -> bool {
        matches!(
            self,
            Self::StringNotEquals
                | Self::StringNotEqualsIgnoreCase
                | Self::StringNotLike
                | Self::NumericNotEquals
                | Self::DateNotEquals
                | Self::NotIpAddress
                | Self::ArnNotEquals
                | Self::ArnNotLike
        )
    }
}

/// An operator as it stands before a condition's keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    /// An operator AWS documents.
    Known {
        /// `ForAllValues:` or `ForAnyValue:`, where written.
        set: Option<SetQualifier>,
        /// The comparison.
        comparison: Comparison,
        /// Whether `IfExists` follows.
        if_exists: bool,
    },
    /// Anything else, as written.
    Unknown(String),
}

impl Operator {
    /// Reads an operator; names compare without regard to case.
    ///
    /// ```
    /// use iam_model::condition::Operator;
    /// assert_eq!(Operator::parse("ForAnyValue:StringLikeIfExists").to_string(), "ForAnyValue:StringLikeIfExists");
    /// assert!(matches!(Operator::parse("StringMatches"), Operator::Unknown(_)));
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (set, rest) = match text.split_once(':') {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("ForAllValues") => {
                (Some(SetQualifier::ForAllValues), rest)
            }
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("ForAnyValue") => {
                (Some(SetQualifier::ForAnyValue), rest)
            }
            Some(_) => return Self::Unknown(text.into()),
            None => (None, text),
        };
        let suffix = rest.len().checked_sub("IfExists".len()).and_then(|at| rest.split_at_checked(at));
        let (base, if_exists) = match suffix {
            Some((base, tail)) if tail.eq_ignore_ascii_case("IfExists") => (base, true),
            _ => (rest, false),
        };
        let found = Comparison::ALL.iter().find(|c| c.as_str().eq_ignore_ascii_case(base));
        match found {
            Some(Comparison::Null) if if_exists => Self::Unknown(text.into()),
            Some(&comparison) => Self::Known { set, comparison, if_exists },
            None => Self::Unknown(text.into()),
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known { set, comparison, if_exists } => {
                f.write_str(match set {
                    Some(SetQualifier::ForAllValues) => "ForAllValues:",
                    Some(SetQualifier::ForAnyValue) => "ForAnyValue:",
                    None => "",
                })?;
                f.write_str(comparison.as_str())?;
                f.write_str(if *if_exists { "IfExists" } else { "" })
            }
            Self::Unknown(text) => f.write_str(text),
        }
    }
}

/// One line of a condition block: an operator, a key and the values it is compared with.
///
/// All conditions of a statement must hold; the values of one are alternatives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The operator.
    pub operator: Operator,
    /// The key.
    pub key: ConditionKey,
    /// The values, as text; numbers and booleans keep the digits and words they were written with.
    pub values: Vec<Spanned<String>>,
    /// Where the key stands.
    pub span: Span,
}
