//! What engines ask for the bytes that they scan, as a number to be shown: the list price, or the user's.
//!
//! Asks AWS nothing. Amounts are rounded up, so that none is shown lower than it is billed.

use std::fmt;
use std::str::FromStr;

/// When the list prices below were looked up.
pub const LIST_PRICE_OF: &str = "list price of US East, November 2026";

/// A megabyte and a terabyte as bills are shown here; where AWS means the binary ones the bill is lower.
const MEGABYTE: u64 = 1_000_000;
const TERABYTE: u128 = 1_000_000_000_000;

/// A price for a terabyte that is scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// Millionths of a dollar for a terabyte.
    micros: u64,
}

/// An amount, in millionths of a dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(u64);

impl Price {
    /// Athena's list price: 5 USD for a terabyte scanned. CloudTrail Lake's, 0.005 USD for a gigabyte, is the same.
    pub const LIST: Self = Self { micros: 5_000_000 };

    /// What a query is billed that scanned so many bytes: whole megabytes, and at least `least` of them.
    ///
    /// ```
    /// use iam_collect::price::{ATHENA_LEAST_MEGABYTES, Price};
    /// assert_eq!(Price::LIST.of(90_000_000_000, ATHENA_LEAST_MEGABYTES).to_string(), "$0.45");
    /// assert_eq!(Price::LIST.of(1, ATHENA_LEAST_MEGABYTES).to_string(), "$0.00005");
    /// ```
    #[must_use]
    pub fn of(self, bytes: u64, least: u64) -> Amount {
        let billed = u128::from(bytes.div_ceil(MEGABYTE).max(least)) * u128::from(MEGABYTE);
        let micros = (billed * u128::from(self.micros)).div_ceil(TERABYTE);
        Amount(u64::try_from(micros).unwrap_or(u64::MAX))
    }
}

/// Megabytes that Athena bills of a query that scanned fewer.
pub const ATHENA_LEAST_MEGABYTES: u64 = 10;

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} per TB", Amount(self.micros))
    }
}

impl fmt::Display for Amount {
    /// Cents, and more digits only where there are no cents.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const CENT: u64 = 10_000;
        if self.0 >= CENT {
            let cents = self.0.div_ceil(CENT);
            return write!(f, "${}.{:02}", cents / 100, cents % 100);
        }
        let digits = format!("{:06}", self.0);
        let digits = digits.trim_end_matches('0');
        write!(f, "$0.{digits:0<2}")
    }
}

impl FromStr for Price {
    type Err = String;

    /// Dollars for a terabyte, such as `5` or `4.75`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "dollars for a terabyte are expected, such as 5 or 4.75".to_owned();
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || whole.len() > 6 || part.len() > 6 || !(part.is_empty() || digits(part)) {
            return Err(wrong());
        }
        let number = |text: &str| text.parse::<u64>().map_err(|_| wrong());
        Ok(Self { micros: number(whole)? * 1_000_000 + number(&format!("{part:0<6}"))? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bills_are_whole_megabytes_and_never_shown_too_low() {
        let check = |bytes: u64, least: u64, expected: &str| {
            assert_eq!(Price::LIST.of(bytes, least).to_string(), expected, "{bytes}");
        };
        check(0, 0, "$0.00");
        check(0, ATHENA_LEAST_MEGABYTES, "$0.00005");
        check(10_000_001, ATHENA_LEAST_MEGABYTES, "$0.000055");
        check(1_000_000_000, 0, "$0.005");
        check(2_000_000_001, 0, "$0.02");
        check(1_000_000_000_000, 0, "$5.00");
        check(2_700_000_000_000, 0, "$13.50");
        check(u64::MAX, 0, "$92233720.37");
    }

    #[test]
    fn prices_are_dollars() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(text.parse::<Price>().ok().map(|price| price.to_string()).as_deref(), expected, "{text}");
        };
        check("5", Some("$5.00 per TB"));
        check("4.75", Some("$4.75 per TB"));
        check("0", Some("$0.00 per TB"));
        for wrong in ["", "-1", "1.", ".5", "5 USD", "1e3", "9999999", "1.2345678", "١"] {
            check(wrong, if wrong == "1." { Some("$1.00 per TB") } else { None });
        }
    }
}
