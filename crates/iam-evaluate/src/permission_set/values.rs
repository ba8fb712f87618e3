//! Condition values that have an order: numbers, points in time and IP addresses, exactly and without floating point.
//!
//! A set of such values is decided by trying its end points and what lies just beside them. Follows the IAM User
//! Guide topic "IAM JSON policy elements: Condition operators".

use core::net::IpAddr;

use iam_model::time::Timestamp;

use crate::value::date;

/// A number or a point in time (seconds), in units of 5e-10, so that between two written values lies a third.
pub(crate) type Point = i128;

const UNITS: Point = 2_000_000_000;
const FRACTION_DIGITS: usize = 9;

/// Reads a decimal number of at most 18 integer and nine fraction digits.
pub(crate) fn number(text: &str) -> Option<Point> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    if whole.len() > 18 || fraction.len() > FRACTION_DIGITS {
        return None;
    }
    let units = |t: &str| if t.is_empty() { Some(0) } else { t.parse::<Point>().ok() };
    let scale = 10_i128.pow(u32::try_from(FRACTION_DIGITS - fraction.len()).ok()?) * 2;
    let value = units(whole)? * UNITS + units(fraction)? * scale;
    Some(if negative { -value } else { value })
}

/// Reads a date in any form that the evaluation of requests reads.
pub(crate) fn moment(text: &str) -> Option<Point> {
    let (seconds, nanos) = date::parse(text)?;
    Some(Point::from(seconds) * UNITS + Point::from(nanos) * (UNITS / 1_000_000_000))
}

fn digits(text: &str) -> Option<i64> {
    (!text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// How a value is compared with a written one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Relation {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Relation {
    pub(crate) const fn holds(self, value: Point, written: Point) -> bool {
        match self {
            Self::Equal => value == written,
            Self::Less => value < written,
            Self::LessOrEqual => value <= written,
            Self::Greater => value > written,
            Self::GreaterOrEqual => value >= written,
        }
    }
}

/// Points that between them meet every set bounded by `written`: the values, whole steps beside them, and half ways.
pub(crate) fn candidates(written: impl Iterator<Item = Point>) -> Vec<Point> {
    let mut bounds: Vec<Point> = written.collect();
    bounds.sort_unstable();
    bounds.dedup();
    let mut found = Vec::new();
    for (index, bound) in bounds.iter().enumerate() {
        found.push(*bound);
        found.push(bound - UNITS);
        found.push(bound + UNITS);
        if let Some(next) = bounds.get(index + 1) {
            found.push((bound + next).div_euclid(2));
        }
    }
    found
}

/// A point as a decimal number.
pub(crate) fn show_number(point: Point) -> String {
    let sign = if point < 0 { "-" } else { "" };
    let (whole, rest) = (point.abs() / UNITS, point.abs() % UNITS);
    if rest == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{:010}", rest * 5).trim_end_matches('0').into()
}

/// A point in time as ISO 8601, or as epoch seconds where it falls between two seconds.
pub(crate) fn show_moment(point: Point) -> String {
    match i64::try_from(point.div_euclid(UNITS)) {
        Ok(seconds) if point.rem_euclid(UNITS) == 0 && (-62_135_596_800..253_402_300_800).contains(&seconds) => {
            Timestamp::from_epoch_seconds(seconds).to_string()
        }
        _ => show_number(point),
    }
}

/// A block of addresses of one family, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Block {
    v6: bool,
    first: u128,
    last: u128,
}

impl Block {
    /// Reads an address or a CIDR block; host bits are masked away.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let (v6, bits, width) = match address.parse::<IpAddr>().ok()? {
            IpAddr::V4(v4) => (false, u128::from(v4.to_bits()), 32),
            IpAddr::V6(v6) => (true, v6.to_bits(), 128),
        };
        let length: u32 = match length {
            Some(text) => digits(text).and_then(|n| u32::try_from(n).ok()).filter(|n| *n <= width)?,
            None => width,
        };
        let host = 1_u128.checked_shl(width - length).map_or(u128::MAX, |n| n - 1);
        Some(Self { v6, first: bits & !host, last: bits | host })
    }

    pub(crate) const fn holds(self, address: Address) -> bool {
        self.v6 == address.v6 && self.first <= address.bits && address.bits <= self.last
    }

    /// Addresses at the ends of the block and beside them.
    pub(crate) fn candidates(self) -> [Address; 4] {
        let at = |bits| Address { v6: self.v6, bits };
        let most = Address::most(self.v6);
        [at(self.first), at(self.last), at(self.first.saturating_sub(1)), at(self.last.saturating_add(1).min(most))]
    }
}

/// One address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address {
    v6: bool,
    bits: u128,
}

impl Address {
    /// The lowest and the highest address of both families.
    pub(crate) const EXTREMES: [Self; 4] = [
        Self { v6: false, bits: 0 },
        Self { v6: false, bits: Self::most(false) },
        Self { v6: true, bits: 0 },
        Self { v6: true, bits: Self::most(true) },
    ];

    const fn most(v6: bool) -> u128 {
        if v6 { u128::MAX } else { u32::MAX as u128 }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.trim().parse::<IpAddr>().ok()? {
            IpAddr::V4(v4) => Some(Self { v6: false, bits: u128::from(v4.to_bits()) }),
            IpAddr::V6(v6) => Some(Self { v6: true, bits: v6.to_bits() }),
        }
    }

    pub(crate) fn show(self) -> String {
        match u32::try_from(self.bits) {
            Ok(bits) if !self.v6 => core::net::Ipv4Addr::from_bits(bits).to_string(),
            _ => core::net::Ipv6Addr::from_bits(self.bits).to_string(),
        }
    }
}
