//! Decimal numbers, compared exactly: `10` equals `10.0`, and no digit is lost to floating point.

use std::cmp::Ordering;

/// A decimal number: sign, digits before and after the point, without zeros that say nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    whole: String,
    fraction: String,
}

/// Digits a number may have, exponent applied; AWS's own are far shorter.
const MOST_DIGITS: usize = 400;

impl Decimal {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
            return None;
        }
        let (whole, fraction) = shifted(whole, fraction, exponent)?;
        let whole = String::from(whole.trim_start_matches('0'));
        let fraction = String::from(fraction.trim_end_matches('0'));
        let negative = negative && !(whole.is_empty() && fraction.is_empty());
        Some(Self { negative, whole, fraction })
    }
}

/// Moves the point by `exponent` places.
fn shifted(whole: &str, fraction: &str, exponent: i32) -> Option<(String, String)> {
    let places = usize::try_from(exponent.unsigned_abs()).ok()?;
    if whole.len() + fraction.len() + places > MOST_DIGITS {
        return None;
    }
    let (mut whole, mut fraction) = (String::from(whole), String::from(fraction));
    for _ in 0..places {
        if exponent > 0 {
            let first = if fraction.is_empty() { '0' } else { fraction.remove(0) };
            whole.push(first);
        } else {
            fraction.insert(0, whole.pop().unwrap_or('0'));
        }
    }
    Some((whole, fraction))
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let size = |a: &Self, b: &Self| {
            a.whole
                .len()
                .cmp(&b.whole.len())
                .then_with(|| a.whole.cmp(&b.whole))
                .then_with(|| a.fraction.cmp(&b.fraction))
        };
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => size(self, other),
            (true, true) => size(other, self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value() {
        let rising = ["-10", "-9.5", "-0.1", "0", "0.05", "0.1", "1", "1.5", "9", "10", "9007199254740993", "1e20"];
        for (i, a) in rising.iter().enumerate() {
            for (j, b) in rising.iter().enumerate() {
                assert_eq!(Decimal::parse(a).cmp(&Decimal::parse(b)), i.cmp(&j), "{a} {b}");
            }
        }
        for (a, b) in [("10", "10.0"), ("007", "7"), ("1.5e1", "15"), ("15e-1", "1.50"), ("-0", "0"), (".5", "0.5")] {
            assert_eq!(Decimal::parse(a), Decimal::parse(b), "{a} {b}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "ten", "1,5", "1.2.3", "0x10", "1e", "1e999999999", "NaN", ".", "--1"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }
}
