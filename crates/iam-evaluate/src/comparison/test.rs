//! The tests behind the operators: one value of the request against the values a policy lists.
//!
//! A listed value that cannot be read as the operator's type compares with nothing; so does a request's.

use std::cmp::Ordering;

use iam_model::condition::{Comparison, ConditionKey};
use iam_model::policy::PolicyVersion;
use iam_model::text::Spanned;

use crate::arn_pattern::{ArnPattern, Position};
use crate::context::Facts;
use crate::template::{Template, Wildcards};
use crate::truth::Truth;
use crate::value::address::Range;
use crate::value::bytes;
use crate::value::date::{self, Instant};
use crate::value::number::Decimal;

/// Which orderings of (request's value, listed value) count.
type Wanted = &'static [Ordering];

const EQUAL: Wanted = &[Ordering::Equal];
const LESS: Wanted = &[Ordering::Less];
const AT_MOST: Wanted = &[Ordering::Less, Ordering::Equal];
const MORE: Wanted = &[Ordering::Greater];
const AT_LEAST: Wanted = &[Ordering::Greater, Ordering::Equal];

#[derive(Debug, Clone)]
pub(super) enum Test {
    Text(Vec<Template>),
    TextIgnoringCase(Vec<Template>),
    Arn(Vec<ArnPattern>),
    Number(Wanted, Vec<Decimal>),
    Date(Wanted, Vec<Instant>),
    Bool(Vec<bool>),
    Bytes(Vec<Vec<u8>>),
    Address(Vec<Range>),
    /// Whether the key may be there: the wanted answers to "is it absent".
    Null(Vec<bool>),
    /// An operator nobody knows.
    Unknown(Box<str>),
}

impl Test {
    pub(super) fn new(comparison: Comparison, values: &[Spanned<String>], version: PolicyVersion) -> Self {
        use Comparison as C;
        let texts = values.iter().map(|value| value.value.as_str());
        let templates = |wildcards| values.iter().map(|v| Template::new(&v.value, version, wildcards)).collect();
        match comparison {
            C::StringEquals | C::StringNotEquals => Self::Text(templates(Wildcards::Literal)),
            C::StringEqualsIgnoreCase | C::StringNotEqualsIgnoreCase => {
                Self::TextIgnoringCase(templates(Wildcards::Literal))
            }
            C::StringLike | C::StringNotLike => Self::Text(templates(Wildcards::Match)),
            C::ArnEquals | C::ArnLike | C::ArnNotEquals | C::ArnNotLike => {
                Self::Arn(texts.map(|text| ArnPattern::new(text, version, Position::ConditionValue)).collect())
            }
            C::NumericEquals | C::NumericNotEquals => Self::Number(EQUAL, texts.filter_map(Decimal::parse).collect()),
            C::NumericLessThan => Self::Number(LESS, texts.filter_map(Decimal::parse).collect()),
            C::NumericLessThanEquals => Self::Number(AT_MOST, texts.filter_map(Decimal::parse).collect()),
            C::NumericGreaterThan => Self::Number(MORE, texts.filter_map(Decimal::parse).collect()),
            C::NumericGreaterThanEquals => Self::Number(AT_LEAST, texts.filter_map(Decimal::parse).collect()),
            C::DateEquals | C::DateNotEquals => Self::Date(EQUAL, texts.filter_map(date::parse).collect()),
            C::DateLessThan => Self::Date(LESS, texts.filter_map(date::parse).collect()),
            C::DateLessThanEquals => Self::Date(AT_MOST, texts.filter_map(date::parse).collect()),
            C::DateGreaterThan => Self::Date(MORE, texts.filter_map(date::parse).collect()),
            C::DateGreaterThanEquals => Self::Date(AT_LEAST, texts.filter_map(date::parse).collect()),
            C::Bool => Self::Bool(texts.filter_map(boolean).collect()),
            C::BinaryEquals => Self::Bytes(texts.filter_map(bytes::decode).collect()),
            C::IpAddress | C::NotIpAddress => Self::Address(texts.filter_map(Range::parse).collect()),
            C::Null => Self::Null(texts.filter_map(boolean).collect()),
        }
    }

    /// Whether the value compares with any of the listed.
    pub(super) fn any(&self, value: &str, facts: &Facts<'_>) -> Truth {
        match self {
            Self::Text(listed) => Truth::any(listed.iter().map(|template| template.matches(value, facts))),
            Self::TextIgnoringCase(listed) => {
                Truth::any(listed.iter().map(|template| template.equals_ignoring_case(value, facts)))
            }
            Self::Arn(listed) => Truth::any(listed.iter().map(|pattern| pattern.matches_text(value, facts))),
            Self::Number(wanted, listed) => ordered(Decimal::parse(value).as_ref(), listed, wanted),
            Self::Date(wanted, listed) => ordered(date::parse(value).as_ref(), listed, wanted),
            Self::Bool(listed) => boolean(value).is_some_and(|value| listed.contains(&value)).into(),
            Self::Bytes(listed) => bytes::decode(value).is_some_and(|value| listed.contains(&value)).into(),
            Self::Address(listed) => {
                Range::parse(value).is_some_and(|value| listed.iter().any(|range| value.within(*range))).into()
            }
            Self::Null(_) => Truth::No,
            Self::Unknown(_) => Truth::Maybe,
        }
    }

    /// The variables in the listed values whose own values are not known.
    pub(super) fn unknown_keys<'t>(&'t self, facts: &'t Facts<'_>) -> Vec<&'t ConditionKey> {
        match self {
            Self::Text(listed) | Self::TextIgnoringCase(listed) => {
                listed.iter().flat_map(|template| template.unknown_keys(facts)).collect()
            }
            Self::Arn(listed) => listed.iter().flat_map(|pattern| pattern.unknown_keys(facts)).collect(),
            _ => Vec::new(),
        }
    }
}

fn ordered<T: Ord>(value: Option<&T>, listed: &[T], wanted: Wanted) -> Truth {
    value.is_some_and(|value| listed.iter().any(|other| wanted.contains(&value.cmp(other)))).into()
}

const fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}
