//! Points in time, in whole seconds, without a clock and without a time zone database.

use std::fmt;

/// Seconds since 1970-01-01T00:00:00Z; shown and read as ISO 8601 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

const SECONDS_PER_DAY: i64 = 86_400;

impl Timestamp {
    /// A point in time from epoch seconds.
    #[must_use]
    pub const fn from_epoch_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn epoch_seconds(self) -> i64 {
        self.0
    }

    /// The UTC day, counted from the epoch.
    #[must_use]
    pub const fn day(self) -> i64 {
        self.0.div_euclid(SECONDS_PER_DAY)
    }

    /// Whole days from this point in time to a later one; none to an earlier one.
    ///
    /// ```
    /// use iam_model::time::Timestamp;
    /// let at = Timestamp::from_epoch_seconds;
    /// assert_eq!(at(0).days_until(at(2 * 86_400 - 1)), 1);
    /// assert_eq!(at(86_400).days_until(at(0)), 0);
    /// ```
    #[must_use]
    pub fn days_until(self, later: Self) -> u64 {
        u64::try_from(later.0.saturating_sub(self.0) / SECONDS_PER_DAY).unwrap_or_default()
    }

    /// The date alone, `2026-11-20`.
    #[must_use]
    pub fn date(self) -> String {
        let (year, month, day) = civil_from_days(self.day());
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// Reads the form CloudTrail writes, `2026-11-20T08:15:30Z`, and nothing else.
    ///
    /// Conditions accept more forms; their reader lives with evaluation.
    ///
    /// ```
    /// use iam_model::time::Timestamp;
    /// let t = Timestamp::parse("1970-01-02T00:00:01Z").unwrap();
    /// assert_eq!(t.epoch_seconds(), 86_401);
    /// assert_eq!(t.to_string(), "1970-01-02T00:00:01Z");
    /// assert!(Timestamp::parse("yesterday").is_none());
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: &[u8; 20] = text.as_bytes().try_into().ok()?;
        let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', n0, n1, b':', s0, s1, b'Z'] = *bytes
        else {
            return None;
        };
        let mut digits = Digits::default();
        let year = digits.two(y0, y1) * 100 + digits.two(y2, y3);
        let (month, day) = (digits.two(m0, m1), digits.two(d0, d1));
        let (hour, minute, second) = (digits.two(h0, h1), digits.two(n0, n1), digits.two(s0, s1));
        if digits.wrong || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let days = days_from_civil(year, month, day)?;
        Some(Self(days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second))
    }

    /// Reads the forms AWS's interfaces and its command line print: fractions of a second, which are dropped, and an offset
    /// from UTC.
    ///
    /// ```
    /// use iam_model::time::Timestamp;
    /// let of = |text| Timestamp::parse_printed(text).map(|time| time.to_string());
    /// assert_eq!(of("2026-11-20T08:15:30.123000+00:00").as_deref(), Some("2026-11-20T08:15:30Z"));
    /// assert_eq!(of("2026-11-20T08:15:30+01:30").as_deref(), Some("2026-11-20T06:45:30Z"));
    /// assert_eq!(of("2026-11-20T08:15:30Z").as_deref(), Some("2026-11-20T08:15:30Z"));
    /// assert_eq!(of("2026-11-20T08:15:30.250Z").as_deref(), Some("2026-11-20T08:15:30Z"));
    /// assert_eq!(of("2026-11-20T08:15:30"), None);
    /// assert_eq!(of("yesterday"), None);
    /// ```
    #[must_use]
    pub fn parse_printed(text: &str) -> Option<Self> {
        let (whole, rest) = text.split_at_checked(19)?;
        let zone = match rest.strip_prefix('.') {
            Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
            None => rest,
        };
        let local = Self::parse(&format!("{whole}Z"))?;
        let ahead = match zone.as_bytes() {
            b"Z" => 0,
            [sign @ (b'+' | b'-'), h0, h1, b':', m0, m1] => {
                let mut digits = Digits::default();
                let offset = digits.two(*h0, *h1) * 3600 + digits.two(*m0, *m1) * 60;
                if digits.wrong {
                    return None;
                }
                if *sign == b'-' { -offset } else { offset }
            }
            _ => return None,
        };
        Some(Self(local.0 - ahead))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.day());
        let second = self.0.rem_euclid(SECONDS_PER_DAY);
        write!(f, "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
    }
}

/// Days since the epoch of a proleptic Gregorian date; nothing for a date that does not exist.
#[must_use]
pub fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let length = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if day < 1 || day > length {
        return None;
    }
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// The date of a day counted from the epoch.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// Reads digits, and remembers whether one was none: a log has a time in each record.
#[derive(Default)]
struct Digits {
    wrong: bool,
}

impl Digits {
    fn two(&mut self, tens: u8, ones: u8) -> i64 {
        let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
        self.wrong |= tens > 9 || ones > 9;
        i64::from(tens) * 10 + i64::from(ones)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_five_centuries_round_trips() {
        let start = days_from_civil(1600, 3, 1).unwrap();
        for day in start..start + 190_000 {
            let (y, m, d) = civil_from_days(day);
            assert_eq!(days_from_civil(y, m, d), Some(day), "{y}-{m}-{d}");
        }
    }

    #[test]
    fn dates_that_do_not_exist_are_refused() {
        for text in [
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-10T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-1-1T00:00:00Z",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }
}
