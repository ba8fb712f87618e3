//! Bytes and what they cost, for people.

use iam_collect::price::{ATHENA_LEAST_MEGABYTES, LIST_PRICE_OF, Price};

use crate::cli::{Query, QueryEngine};

/// What bytes cost.
pub(super) struct Cost {
    pub(super) price: Price,
    /// Megabytes that are billed at least.
    least: u64,
    /// Whose price it is.
    pub(super) whose: &'static str,
}

impl Cost {
    pub(super) fn new(engine: QueryEngine, query: &Query) -> Self {
        let least = if engine == QueryEngine::Athena { ATHENA_LEAST_MEGABYTES } else { 0 };
        let whose = if query.price_per_tb.is_some() { "your price" } else { LIST_PRICE_OF };
        Self { price: query.price_per_tb.unwrap_or(Price::LIST), least, whose }
    }

    pub(super) fn of(&self, bytes: u64) -> String {
        format!("{} at {} ({})", self.price.of(bytes, self.least), self.price, self.whose)
    }
}

/// A number of bytes for people.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 4] = [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)];
    let exact = grouped(bytes);
    match UNITS.iter().find(|(_, size)| bytes >= *size) {
        Some((unit, size)) => {
            let tenths = u128::from(bytes) * 10 / u128::from(*size);
            format!("{}.{} {unit} ({exact} bytes)", tenths / 10, tenths % 10)
        }
        None => format!("{exact} bytes"),
    }
}

/// A number with its digits in threes.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_shown_in_both_ways() {
        assert_eq!(size(0), "0 bytes");
        assert_eq!(size(999), "999 bytes");
        assert_eq!(size(1_234_567), "1.2 MB (1,234,567 bytes)");
        assert_eq!(size(93_512_334_112), "93.5 GB (93,512,334,112 bytes)");
    }
}
