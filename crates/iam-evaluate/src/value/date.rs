//! Dates as conditions write them: ISO 8601 in the forms of the W3C note, or epoch seconds.

use iam_model::time::days_from_civil;

/// A point in time: seconds since the epoch, then nanoseconds.
pub(crate) type Instant = (i64, u32);

/// Reads a date. Text of four digits is a year; any other number is epoch seconds. No offset means UTC.
pub(crate) fn parse(text: &str) -> Option<Instant> {
    let text = text.trim();
    let number = text.strip_prefix('-').unwrap_or(text);
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    let is_epoch = digits > 0 && digits != 4 && number.bytes().skip(digits).all(|b| b == b'.' || b.is_ascii_digit());
    if is_epoch || text.starts_with('-') { epoch(text) } else { iso(text) }
}

fn epoch(text: &str) -> Option<Instant> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let (seconds, nanos): (i64, u32) = (whole.parse().ok()?, nanos(fraction)?);
    // Nanoseconds count forward, so half a second before the epoch is a second before it and half one after that.
    match text.starts_with('-') && nanos > 0 {
        true => Some((seconds.checked_sub(1)?, 1_000_000_000 - nanos)),
        false => Some((seconds, nanos)),
    }
}

/// `YYYY`, `YYYY-MM`, `YYYY-MM-DD`, and with `Thh:mm`, `:ss`, `.fraction` and an offset.
fn iso(text: &str) -> Option<Instant> {
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let year = number(parts.next()?, 4)?;
    let month = parts.next().map_or(Some(1), |month| number(month, 2))?;
    let day = parts.next().map_or(Some(1), |day| number(day, 2))?;
    if parts.next().is_some() {
        return None;
    }
    let days = days_from_civil(year, month, day)?;
    let (seconds, nanos) = time.map_or(Some((0, 0)), clock)?;
    Some((days * 86_400 + seconds, nanos))
}

/// Seconds of the day in UTC, and nanoseconds.
fn clock(text: &str) -> Option<Instant> {
    let (clock, offset) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => text.split_at_checked(at)?,
        None => (text, ""),
    };
    let mut parts = clock.split(':');
    let hour = number(parts.next()?, 2)?;
    let minute = number(parts.next()?, 2)?;
    let (second, fraction) = match parts.next() {
        Some(second) => second.split_once('.').unwrap_or((second, "0")),
        None => ("00", "0"),
    };
    let second = number(second, 2)?;
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some((hour * 3600 + minute * 60 + second - offset_seconds(offset)?, nanos(fraction)?))
}

/// `Z`, `+hh:mm`, `+hhmm`, `+hh`; none is UTC.
fn offset_seconds(text: &str) -> Option<i64> {
    if matches!(text, "" | "Z" | "z") {
        return Some(0);
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+')?),
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "00"),
    };
    let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn number(text: &str, width: usize) -> Option<i64> {
    let valid = text.len() == width && text.bytes().all(|b| b.is_ascii_digit());
    if valid { text.parse().ok() } else { None }
}

/// A decimal fraction of a second; digits beyond nanoseconds are dropped.
fn nanos(fraction: &str) -> Option<u32> {
    if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits: String = fraction.chars().chain(std::iter::repeat('0')).take(9).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_documented_forms_are_read() {
        for (text, expected) in [
            ("1970-01-02", (86_400, 0)),
            ("1970", (0, 0)),
            ("1970-02", (31 * 86_400, 0)),
            ("1970-01-01T00:01Z", (60, 0)),
            ("1970-01-01T01:00:00+01:00", (0, 0)),
            ("1970-01-01T00:00:00-0130", (5400, 0)),
            ("1970-01-01T00:00:01.5Z", (1, 500_000_000)),
            ("1970-01-01T00:00:10", (10, 0)),
            ("86400", (86_400, 0)),
            ("0", (0, 0)),
            ("-5", (-5, 0)),
            ("-5.25", (-6, 750_000_000)),
            ("-0.5", (-1, 500_000_000)),
            ("1700000000.25", (1_700_000_000, 250_000_000)),
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "today",
            "1970-13-01",
            "1970-1-1",
            "1970-01-01T25:00Z",
            "1970-01-01T00Z",
            "1970-01-01T00:00+1",
            "1.2.3",
            "19700",
            "-",
        ] {
            let seconds = text == "19700";
            assert_eq!(parse(text).is_some(), seconds, "{text}");
        }
    }
}
