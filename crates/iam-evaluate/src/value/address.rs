//! IP addresses and ranges, both families; a range holds addresses of its own family only.

use core::net::IpAddr;

/// A range of addresses; one address is a range of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    bits: u128,
    mask: u128,
    v4: bool,
}

impl Range {
    /// Reads `address` or `address/prefix`. Bits of the address behind the prefix do not count.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let (bits, width, v4) = match address.parse().ok()? {
            IpAddr::V4(address) => (u128::from(u32::from(address)), 32, true),
            IpAddr::V6(address) => (u128::from(address), 128, false),
        };
        let length: u32 = match prefix {
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok()?,
            Some(_) => return None,
            None => width,
        };
        if length > width {
            return None;
        }
        let mask = u128::MAX.checked_shl(width - length).unwrap_or(0);
        Some(Self { bits: bits & mask, mask, v4 })
    }

    /// Whether this range lies within `outer`.
    pub(crate) const fn within(self, outer: Self) -> bool {
        self.v4 == outer.v4 && self.bits & outer.mask == outer.bits && self.mask & outer.mask == outer.mask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_what_they_should() {
        for (address, range, expected) in [
            ("192.0.2.7", "192.0.2.0/24", true),
            ("192.0.2.7", "192.0.2.99/24", true),
            ("192.0.3.7", "192.0.2.0/24", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("203.0.113.9", "0.0.0.0/0", true),
            ("2001:db8::1", "0.0.0.0/0", false),
            ("192.0.2.7", "::/0", false),
            ("2001:db8::1", "2001:DB8::/32", true),
            ("2001:0db8:0:0::1", "2001:db8::1/128", true),
            ("2001:db9::1", "2001:db8::/32", false),
        ] {
            let found = Range::parse(address).unwrap().within(Range::parse(range).unwrap());
            assert_eq!(found, expected, "{address} in {range}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "192.0.2", "192.0.2.256", "192.0.2.0/33", "::/129", "192.0.2.0/-1", "192.0.2.0/", "x"] {
            assert_eq!(Range::parse(text), None, "{text}");
        }
    }
}
