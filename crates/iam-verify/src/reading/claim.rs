//! What conditions claim of a context key: what holds of an absent one, and which values pass.

use core::net::IpAddr;

use iam_model::condition::{Comparison as C, Condition, ConditionKey, Operator, SetQualifier};
use iam_model::time::days_from_civil;
use iam_model::variable::are_well_formed;

use super::pattern::{Pattern, Reading};
use super::statement::is_short;

/// A claim about the values of one key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) key: ConditionKey,
    /// Whether it holds of an absent key, where that is known.
    pub(crate) absent: Option<bool>,
    pub(crate) set: Option<SetQualifier>,
    pub(crate) test: Test,
    pub(crate) negated: bool,
}

/// A point on a line: a number, a time, or an address with its family.
pub(crate) type Point = (u8, u128);

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Test {
    Constant(bool),
    Text(Vec<Pattern>),
    /// Within one of the intervals, ends included, on the line of this kind.
    Line(Kind, Vec<[Point; 2]>),
    Unknown(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Number,
    Moment,
    Address,
}

impl Claim {
    pub(crate) fn read(condition: &Condition, variables: bool) -> Self {
        let unknown = || {
            let mut values: Vec<&str> = condition.values.iter().map(|v| v.value.as_str()).collect();
            values.sort_unstable();
            Test::Unknown(format!("{} {values:?}", condition.operator))
        };
        let key = condition.key.clone();
        let Operator::Known { set, comparison, if_exists } = condition.operator else {
            return Self { key, absent: None, set: None, test: unknown(), negated: false };
        };
        let negated = comparison.as_str().contains("Not");
        let test = test(condition, comparison, variables).unwrap_or_else(unknown);
        let absent = match (set, comparison, &test) {
            (_, C::Null, Test::Constant(_)) => Some(says(condition, "true")),
            (_, C::Null, _) => None,
            (None, ..) => Some(if_exists || negated),
            (Some(SetQualifier::ForAllValues), ..) => Some(true),
            (Some(SetQualifier::ForAnyValue), ..) => (!if_exists).then_some(false),
        };
        Self { key, absent, set, test, negated }
    }
}

fn says(condition: &Condition, word: &str) -> bool {
    condition.values.iter().any(|v| v.value.eq_ignore_ascii_case(word))
}

fn test(condition: &Condition, comparison: C, variables: bool) -> Option<Test> {
    let text = |reading: Reading| {
        let patterns: Vec<_> = condition.values.iter().map(|v| Pattern::read(&v.value, reading)).collect();
        let strange = |text: &str| reading.fold && !text.is_ascii() || reading.variables && !are_well_formed(text);
        let doubtful = reading.fold && patterns.iter().any(Pattern::has_variable)
            || condition.values.iter().any(|v| strange(&v.value))
            || reading.segments && condition.values.iter().any(|v| is_short(&v.value));
        (!doubtful).then_some(Test::Text(patterns))
    };
    let line = |kind, interval: &dyn Fn(&str) -> Option<[Point; 2]>| {
        condition.values.iter().map(|v| interval(v.value.trim())).collect::<Option<_>>().map(|i| Test::Line(kind, i))
    };
    let plain = Reading { variables, ..Reading::default() };
    let name = comparison.as_str();
    match comparison {
        C::Null => {
            let strange = !condition.values.iter().all(|v| is_boolean(&v.value));
            (!strange).then(|| Test::Constant(says(condition, "false")))
        }
        C::StringEquals | C::StringNotEquals => text(plain),
        C::StringEqualsIgnoreCase | C::StringNotEqualsIgnoreCase => text(Reading { fold: true, ..plain }),
        C::StringLike | C::StringNotLike => text(Reading { wild: true, ..plain }),
        C::ArnEquals | C::ArnLike | C::ArnNotEquals | C::ArnNotLike => {
            text(Reading { wild: true, segments: true, ..plain })
        }
        C::Bool if condition.values.iter().all(|v| is_boolean(&v.value)) => {
            text(Reading { fold: true, ..Reading::default() })
        }
        C::Bool | C::BinaryEquals => None,
        C::IpAddress | C::NotIpAddress => line(Kind::Address, &block),
        _ if name.starts_with("Numeric") => line(Kind::Number, &|v| Some(interval(name, number(v)?))),
        _ => line(Kind::Moment, &|v| Some(interval(name, moment(v)?))),
    }
}

/// Numbers are in units of 5e-10 about this middle, so that between two written ones lies a third.
const ZERO: i128 = 1 << 100;
const UNIT: i128 = 2_000_000_000;
/// The end of the line of numbers and times.
pub(crate) const MOST: u128 = 1 << 101;

fn interval(name: &str, value: i128) -> [Point; 2] {
    let at = |value: i128| (0, (ZERO + value).unsigned_abs());
    match name {
        _ if name.ends_with("LessThan") => [(0, 0), at(value - 1)],
        _ if name.ends_with("LessThanEquals") => [(0, 0), at(value)],
        _ if name.ends_with("GreaterThan") => [at(value + 1), (0, MOST)],
        _ if name.ends_with("GreaterThanEquals") => [at(value), (0, MOST)],
        _ => [at(value); 2],
    }
}

fn number(text: &str) -> Option<i128> {
    let digits = text.trim_start_matches(['-', '+']);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |t: &str| !t.is_empty() && t.len() <= 18 && t.bytes().all(|b| b.is_ascii_digit());
    if digits.len() + 1 < text.len() || !plain(whole) || !plain(fraction) || fraction.len() > 9 {
        return None;
    }
    let value = whole.parse::<i128>().ok()? * UNIT + format!("{fraction:0<9}").parse::<i128>().ok()? * 2;
    Some(if text.starts_with('-') { -value } else { value })
}

fn is_boolean(text: &str) -> bool {
    ["true", "false"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn moment(text: &str) -> Option<i128> {
    // Four digits are a year.
    if text.len() == 4 {
        return None;
    }
    if let Some(seconds) = number(text) {
        return Some(seconds);
    }
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00Z"));
    let part = |t: Option<&str>| t?.parse::<u16>().ok().map(i64::from);
    let mut date = date.splitn(3, '-');
    let days = days_from_civil(part(date.next())?, part(date.next())?, part(date.next())?)?;
    let at = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at_checked(at)?;
    let offset = match zone.trim_start_matches(['+', '-']) {
        "" | "Z" => 0,
        zone => {
            let (hours, minutes) = zone.split_once(':')?;
            part(Some(hours))? * 3_600 + part(Some(minutes))? * 60
        }
    };
    let mut clock = clock.splitn(3, ':');
    let minutes = part(clock.next())? * 60 + part(clock.next())?;
    let seconds = number(clock.next().unwrap_or("0"))?;
    let offset = if zone.starts_with('-') { -offset } else { offset };
    Some(i128::from(days * 86_400 + minutes * 60 - offset) * UNIT + seconds)
}

fn block(text: &str) -> Option<[Point; 2]> {
    let (address, length) = text.split_once('/').map_or((text, None), |(a, l)| (a, Some(l)));
    let (family, bits, width) = match address.parse::<IpAddr>().ok()? {
        IpAddr::V4(v4) => (0, u128::from(v4.to_bits()), 32_u32),
        IpAddr::V6(v6) => (1, v6.to_bits(), 128),
    };
    let length = length.map_or(Some(width), |l| l.parse().ok())?;
    let host = 1_u128.checked_shl(width.checked_sub(length)?).map_or(u128::MAX, |n| n - 1);
    Some([(family, bits & !host), (family, bits | host)])
}
