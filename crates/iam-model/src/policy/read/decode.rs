//! The text of a policy inside a JSON string: plain, or URL-encoded as the IAM API returns it (RFC 3986).

use std::borrow::Cow;

/// The policy's text. Text that does not decode is returned as it is: it is no JSON either way.
pub(super) fn policy_text(text: &str) -> Cow<'_, str> {
    let plain = text.trim_start().starts_with(['{', '[']) || !text.contains('%');
    if plain { Cow::Borrowed(text) } else { percent_decoded(text).map_or(Cow::Borrowed(text), Cow::Owned) }
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let (high, low) = (hex(rest.next()?)?, hex(rest.next()?)?);
            bytes.push(high << 4 | low);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
