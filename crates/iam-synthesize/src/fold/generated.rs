//! Which parts of a name were generated: days, UUIDs, long hexadecimal or decimal numbers.
//!
//! Reads text alone; what follows from it is decided next door.

/// Digits a number must have to count as generated.
const LONG_NUMBER: usize = 6;
/// Characters a hexadecimal number must have.
const LONG_HEX: usize = 8;

/// Whether any part of a text was generated.
pub(super) fn has_generated(text: &str) -> bool {
    text.split('/').any(is_generated_part) || dated_folder(text).is_some()
}

/// Where the folders of a key begin that time makes anew, if any does: `raw/` of `raw/year=2026/month=11/x.json`,
/// `raw/dt=2026-11-03/x.json` and `raw/2026/11/03/x.json`.
///
/// A year alone is no such folder: `year=2026/` may be what a person chose.
pub(super) fn dated_folder(key: &str) -> Option<usize> {
    let folders = key.get(..key.rfind('/')?)?;
    let mut start = 0;
    let mut parts = folders.split('/').peekable();
    while let Some(part) = parts.next() {
        let over_two = is_year(part) && parts.peek().is_some_and(|next| is_month(next));
        if over_two || day_in(part).is_some() {
            return Some(start);
        }
        start += part.len() + 1;
    }
    None
}

fn is_year(part: &str) -> bool {
    let digits = value(part);
    digits.len() == 4 && is_number(digits) && (digits.starts_with("19") || digits.starts_with("20"))
}

fn is_month(part: &str) -> bool {
    let digits = value(part);
    matches!(digits.len(), 1 | 2) && digits.parse().is_ok_and(|month: u8| (1..=12).contains(&month))
}

/// What stands behind `=` in a folder as Hive names it; the whole part elsewhere.
fn value(part: &str) -> &str {
    part.split_once('=').map_or(part, |(_, value)| value)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a part between two separators holds something generated.
fn is_generated_part(part: &str) -> bool {
    day_in(part).is_some()
        || part.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| is_long_number(word) || is_long_hex(word))
}

fn is_long_number(word: &str) -> bool {
    word.len() >= LONG_NUMBER && is_number(word)
}

/// Hexadecimal with both digits and letters, so that words and years are none.
fn is_long_hex(word: &str) -> bool {
    word.len() >= LONG_HEX
        && word.bytes().all(|b| b.is_ascii_hexdigit())
        && word.bytes().any(|b| b.is_ascii_digit())
        && word.bytes().any(|b| b.is_ascii_alphabetic())
}

/// Where a day or a month stands in a text: `2026-05-01`, `2026_05`, `20260501`.
fn day_in(text: &str) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let digits =
        |at: usize, n: usize| bytes.get(at..at + n).filter(|part| part.iter().all(u8::is_ascii_digit)).is_some();
    let apart = |at: usize| bytes.get(at).is_some_and(|b| matches!(b, b'-' | b'_' | b'.'));
    for start in 0..bytes.len() {
        let after_digit = start.checked_sub(1).and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
        let century = matches!(bytes.get(start..start + 2), Some(b"19" | b"20"));
        if after_digit || !century || !digits(start, 4) {
            continue;
        }
        let end = match (apart(start + 4) && digits(start + 5, 2), apart(start + 7) && digits(start + 8, 2)) {
            (true, true) => start + 10,
            (true, false) => start + 7,
            _ if digits(start, 8) => start + 8,
            _ => continue,
        };
        if !bytes.get(end).is_some_and(u8::is_ascii_digit) {
            return Some((start, end));
        }
    }
    None
}

/// An ARN with its generated parts as `*`; as it is where it has none.
///
/// The part that tells a resource from its siblings is never masked whole, and only days are masked within it: a key's
/// UUID or an instance's id is what a person chose to name.
pub(super) fn masked(arn: &str) -> String {
    let Some(at) = arn.match_indices(':').nth(4).map(|(at, _)| at + 1) else { return arn.to_owned() };
    let (head, resource) = arn.split_at(at);
    let mut written = head.to_owned();
    let mut start = 0;
    let separators = resource.char_indices().filter(|(_, c)| matches!(c, ':' | '/'));
    for (number, (end, separator)) in separators.chain([(resource.len(), ' ')]).enumerate() {
        let part = resource.get(start..end).unwrap_or_default();
        if number >= 2 && is_generated_part(part) {
            written.push('*');
        } else {
            written.push_str(&without_day(part));
        }
        if separator != ' ' || end < resource.len() {
            written.push(separator);
        }
        start = end + separator.len_utf8();
    }
    written
}

/// A part with the day in it as `*`; as it is where it is nothing but a day.
fn without_day(part: &str) -> String {
    match day_in(part) {
        Some((start, end)) if (start, end) != (0, part.len()) => {
            let (before, after) = (part.get(..start).unwrap_or_default(), part.get(end..).unwrap_or_default());
            format!("{before}*{after}")
        }
        _ => part.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_numbers_and_uuids_are_generated_and_words_are_not() {
        for text in
            ["dt=2026-05-01", "a/20260501/b", "0f8fad5b-d9cb-469f-a165-70867728950e", "x/5f1c2d3e4a5b.json", "1234567"]
        {
            assert!(has_generated(text), "{text}");
        }
        for text in ["orders", "config.json", "v2", "deadbeef", "facade", "2026", "12", "app-1.2.3.zip", "é/日本"] {
            assert!(!has_generated(text), "{text}");
        }
    }

    #[test]
    fn folders_of_days_and_months_are_made_by_time_and_a_year_is_not() {
        let check = |key: &str, above: Option<&str>| {
            assert_eq!(dated_folder(key).and_then(|at| key.get(..at)), above, "{key}");
        };
        check("raw/year=2026/month=11/day=03/x.json", Some("raw/"));
        check("raw/2026/11/03/x.json", Some("raw/"));
        check("2026/1/x.json", Some(""));
        check("a/b/dt=2026-11-03/x", Some("a/b/"));
        check("a/2026-11/x", Some("a/"));
        check("year=2026/orders/05/x", None);
        check("raw/2026/x.json", None);
        check("raw/2026/13/x.json", None);
        check("raw/2026-11-03.json", None);
        check("é/2026", None);
        check("", None);
    }

    #[test]
    fn what_names_a_resource_is_not_masked_whole() {
        let check = |arn: &str, expected: &str| assert_eq!(masked(arn), expected);
        check(
            "arn:aws:kms:r:1:key/0f8fad5b-d9cb-469f-a165-70867728950e",
            "arn:aws:kms:r:1:key/0f8fad5b-d9cb-469f-a165-70867728950e",
        );
        check("arn:aws:dynamodb:r:1:table/e_2026-05_x", "arn:aws:dynamodb:r:1:table/e_*_x");
        check("arn:aws:dynamodb:r:1:table/2026-05", "arn:aws:dynamodb:r:1:table/2026-05");
        check("arn:aws:states:r:1:execution:flow:12345678", "arn:aws:states:r:1:execution:flow:*");
        check("arn:aws:sns:r:1:topic", "arn:aws:sns:r:1:topic");
        check("*", "*");
    }
}
