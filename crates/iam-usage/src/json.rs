//! A lazy reader of JSON: finds members and items in raw bytes, and touches nothing else.
//!
//! It checks as little as it must to find its way: text it skips may be wrong inside. It never recurses, so nesting is
//! bounded by the size of the text alone. What the members mean is for others.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// Why a value has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The bytes end before the value does.
    More,
    /// The byte at this offset cannot stand where it stands.
    Bad(usize),
}

/// Offset of the first byte from `at` on that is no white space.
pub(crate) fn space(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().position(|byte| !is_space(*byte)).map_or(bytes.len(), |found| at + found)
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// Offset after the string whose opening quote stands at `at`.
pub(crate) fn skip_string(bytes: &[u8], at: usize) -> Result<usize, Stop> {
    let mut from = at + 1;
    loop {
        let rest = bytes.get(from..).ok_or(Stop::More)?;
        let found = from + memchr2(b'"', b'\\', rest).ok_or(Stop::More)?;
        match bytes.get(found) {
            Some(b'"') => return Ok(found + 1),
            _ => from = found + 2,
        }
    }
}

/// Offset after the value that starts at `at`.
pub(crate) fn skip_value(bytes: &[u8], at: usize) -> Result<usize, Stop> {
    match bytes.get(at) {
        None => Err(Stop::More),
        Some(b'"') => skip_string(bytes, at),
        Some(b'{' | b'[') => skip_container(bytes, at),
        Some(b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
            let rest = bytes.get(at..).unwrap_or_default();
            let end = rest.iter().position(|byte| is_space(*byte) || matches!(byte, b',' | b']' | b'}'));
            end.map(|found| at + found).ok_or(Stop::More)
        }
        Some(_) => Err(Stop::Bad(at)),
    }
}

fn skip_container(bytes: &[u8], start: usize) -> Result<usize, Stop> {
    let mut at = start;
    let mut depth = 0_usize;
    loop {
        match bytes.get(at).ok_or(Stop::More)? {
            b'"' => {
                at = skip_string(bytes, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Ok(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// A member of an object, as found: the key without its quotes, the value, and the offset after the value.
pub(crate) struct Found<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) value: Raw<'a>,
    pub(crate) end: usize,
}

/// Reads the member that starts at `at`, where its key's quote stands.
pub(crate) fn member(bytes: &[u8], at: usize) -> Result<Found<'_>, Stop> {
    if bytes.get(at).ok_or(Stop::More)? != &b'"' {
        return Err(Stop::Bad(at));
    }
    let key_end = skip_string(bytes, at)?;
    let colon = space(bytes, key_end);
    if bytes.get(colon).ok_or(Stop::More)? != &b':' {
        return Err(Stop::Bad(colon));
    }
    let start = space(bytes, colon + 1);
    let end = skip_value(bytes, start)?;
    let key = bytes.get(at + 1..key_end - 1).unwrap_or_default();
    Ok(Found { key, value: Raw(bytes.get(start..end).unwrap_or_default()), end })
}

/// One whole value, as it stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Raw<'a>(pub(crate) &'a [u8]);

impl<'a> Raw<'a> {
    /// The text of a string, unescaped; nothing for other values, wrong escapes and bytes that are not UTF-8.
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        let inner = self.0.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        let text = std::str::from_utf8(inner).ok()?;
        if memchr(b'\\', inner).is_none() { Some(Cow::Borrowed(text)) } else { unescape(text).map(Cow::Owned) }
    }

    /// The text of a string, or of a number or boolean as written.
    pub(crate) fn scalar(self) -> Option<Cow<'a, str>> {
        match self.0.first()? {
            b'"' => self.text(),
            b'{' | b'[' | b'n' => None,
            _ => std::str::from_utf8(self.0).ok().map(Cow::Borrowed),
        }
    }

    pub(crate) fn is_object(self) -> bool {
        self.0.first() == Some(&b'{')
    }

    pub(crate) fn is_array(self) -> bool {
        self.0.first() == Some(&b'[')
    }

    pub(crate) fn is_true(self) -> bool {
        matches!(self.0, b"true" | b"\"true\"")
    }

    /// Whether the value says nothing: `null`, `""`, `[]`, `{}`.
    pub(crate) fn is_empty(self) -> bool {
        matches!(self.0, b"" | b"null" | b"\"\"" | b"[]" | b"{}")
    }

    /// The members of an object, up to the first thing that is none.
    pub(crate) fn members(self) -> impl Iterator<Item = (&'a [u8], Self)> {
        let bytes = if self.is_object() { self.0 } else { &[] };
        let mut at = 1;
        std::iter::from_fn(move || {
            let start = space(bytes, at);
            let start = if bytes.get(start) == Some(&b',') { space(bytes, start + 1) } else { start };
            let found = member(bytes, start).ok()?;
            at = found.end;
            Some((found.key, found.value))
        })
    }

    /// The items of an array, up to the first thing that is none.
    pub(crate) fn items(self) -> impl Iterator<Item = Self> {
        let bytes = if self.is_array() { self.0 } else { &[] };
        let mut at = 1;
        std::iter::from_fn(move || {
            let start = space(bytes, at);
            let start = if bytes.get(start) == Some(&b',') { space(bytes, start + 1) } else { start };
            let end = skip_value(bytes, start).ok()?;
            at = end;
            bytes.get(start..end).map(Raw)
        })
    }

    /// The value of a member.
    pub(crate) fn get(self, key: &str) -> Option<Self> {
        self.members().find(|(name, _)| *name == key.as_bytes()).map(|(_, value)| value)
    }
}

/// Replaces the escapes of a JSON string.
fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let mut chars = after.chars();
        match chars.next()? {
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'u' => {
                let (c, tail) = unicode(chars.as_str())?;
                out.push(c);
                rest = tail;
                continue;
            }
            c @ ('"' | '\\' | '/') => out.push(c),
            _ => return None,
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    Some(out)
}

/// The character of `XXXX` or of a surrogate pair `XXXX\uXXXX`, and what follows.
fn unicode(text: &str) -> Option<(char, &str)> {
    let (high, rest) = hex4(text)?;
    if !(0xd800..0xdc00).contains(&high) {
        return char::from_u32(high).map(|c| (c, rest));
    }
    let (low, rest) = hex4(rest.strip_prefix("\\u")?)?;
    let low = low.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
    char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + low).map(|c| (c, rest))
}

fn hex4(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    let valid = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if valid { u32::from_str_radix(digits, 16).ok().map(|value| (value, rest)) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_items_are_found_and_the_rest_is_skipped() {
        let raw =
            Raw(br#"{"a": {"x": [1, {"y": "}"}]}, "b\"": 2 , "c": "te\u0041\ud83d\ude00\n", "d": [ "p" , null,3]}"#);
        assert_eq!(raw.get("c").unwrap().text().unwrap(), "teA\u{1f600}\n");
        assert_eq!(raw.get("a").unwrap().get("x").unwrap().items().count(), 2);
        let items: Vec<&[u8]> = raw.get("d").unwrap().items().map(|item| item.0).collect();
        assert_eq!(items, [&b"\"p\""[..], b"null", b"3"]);
        assert!(raw.get("y").is_none());
    }

    #[test]
    fn values_that_end_too_early_ask_for_more_and_wrong_bytes_are_named() {
        let check =
            |text: &str, expected: Result<usize, Stop>| assert_eq!(skip_value(text.as_bytes(), 0), expected, "{text}");
        check("{\"a\": [1, 2", Err(Stop::More));
        check("\"abc\\\"", Err(Stop::More));
        check("12", Err(Stop::More));
        check("12,", Ok(2));
        check("[[]]x", Ok(4));
        check("<html>", Err(Stop::Bad(0)));
        check("", Err(Stop::More));
    }

    #[test]
    fn wrong_escapes_and_encodings_are_no_text() {
        for text in [&b"\"\\x\""[..], b"\"\\u12\"", b"\"\\ud800\"", b"\"\xff\"", b"1", b"\"", b""] {
            assert_eq!(Raw(text).text(), None, "{text:?}");
        }
    }
}
