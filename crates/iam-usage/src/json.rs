//! A lazy reader of JSON: finds members and items in raw bytes, and touches nothing else.
//!
//! It checks as little as it must to find its way: text it skips may be wrong inside. It never recurses, so nesting is
//! bounded by the size of the text alone. Strings and containers are stepped over in blocks, many bytes at a time. What
//! the members mean is for others.

mod block;

use std::borrow::Cow;

use memchr::memchr;

use block::{Marks, is_odd, only_quotes, quote_or_escape, quote_or_escape_in_word};

/// Why a value has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The bytes end before the value does.
    More,
    /// The byte at this offset cannot stand where it stands.
    Bad(usize),
}

/// Offset of the first byte from `at` on that is no white space.
#[inline(always)]
pub(crate) fn space(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(byte) if !is_space(*byte) => at,
        _ => space_run(bytes, at),
    }
}

#[inline(never)]
fn space_run(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().position(|byte| !is_space(*byte)).map_or(bytes.len(), |found| at + found)
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// Offset after the string whose opening quote stands at `at`.
#[inline(always)]
pub(crate) fn skip_string(bytes: &[u8], at: usize) -> Result<usize, Stop> {
    let mut from = at + 1;
    while let Some(block) = bytes.get(from..).and_then(<[u8]>::first_chunk) {
        let marks = quote_or_escape(block);
        if marks == 0 {
            from += block.len();
            continue;
        }
        let found = from + marks.trailing_zeros() as usize;
        if bytes.get(found) == Some(&b'"') {
            return Ok(found + 1);
        }
        from = found + 2;
    }
    skip_string_tail(bytes, from)
}

/// Offset of the quote that ends a string without escapes, from any place within it; nothing where it has one, or does not
/// end with a block to spare.
#[inline(always)]
pub(crate) fn plain_string(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let block = bytes.get(at..)?.first_chunk()?;
        let marks = quote_or_escape(block);
        if marks != 0 {
            let found = at + marks.trailing_zeros() as usize;
            return (bytes.get(found) == Some(&b'"')).then_some(found);
        }
        at += block.len();
    }
}

/// [`skip_string`] in smaller steps, where no whole block is left.
#[inline(never)]
fn skip_string_tail(bytes: &[u8], mut at: usize) -> Result<usize, Stop> {
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let marks = quote_or_escape_in_word(*word);
        if marks == 0 {
            at += word.len();
            continue;
        }
        at += (marks.trailing_zeros() / 8) as usize;
        match bytes.get(at) {
            Some(b'"') => return Ok(at + 1),
            _ => at += 2,
        }
    }
    loop {
        match bytes.get(at).ok_or(Stop::More)? {
            b'"' => return Ok(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Offset after the value that starts at `at`.
#[inline(always)]
pub(crate) fn skip_value(bytes: &[u8], at: usize) -> Result<usize, Stop> {
    match bytes.get(at) {
        Some(b'"') => skip_string(bytes, at),
        _ => match bytes.get(at..).and_then(<[u8]>::first_chunk) {
            Some(b"null," | b"true,") => Ok(at + 4),
            _ => skip_other(bytes, at),
        },
    }
}

#[inline(never)]
fn skip_other(bytes: &[u8], at: usize) -> Result<usize, Stop> {
    match bytes.get(at) {
        None => Err(Stop::More),
        Some(b'{' | b'[') => Container::default().skip(bytes, at),
        Some(b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
            let rest = bytes.get(at..).unwrap_or_default();
            let end = rest.iter().position(|byte| is_space(*byte) || matches!(byte, b',' | b']' | b'}'));
            end.map(|found| at + found).ok_or(Stop::More)
        }
        Some(_) => Err(Stop::Bad(at)),
    }
}

/// Bytes of a container that is long.
const LONG: usize = 512;

/// Where a container's reader stands.
#[derive(Default)]
struct Container {
    depth: u64,
    in_string: bool,
}

impl Container {
    /// Offset after the container that starts at `at`.
    fn skip(mut self, bytes: &[u8], mut at: usize) -> Result<usize, Stop> {
        // Most containers are small: only in a long one is it worth asking whether a block holds nothing but text.
        let long = at + LONG;
        while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
            if let Some(quotes) = if at < long { None } else { only_quotes(block) } {
                self.in_string ^= is_odd(quotes);
                at += block.len();
                continue;
            }
            let marks = Marks::of(block);
            let end = at + block.len();
            if marks.escapes != 0 {
                // Rare: which quotes an escape takes away is told byte by byte.
                match self.step(bytes, &mut at, end)? {
                    Some(end) => return Ok(end),
                    None => continue,
                }
            }
            if let Some(end) = self.block(&marks) {
                return Ok(at + end);
            }
            at = end;
        }
        self.step(bytes, &mut at, usize::MAX)?.ok_or(Stop::More)
    }

    /// Steps over a block without escapes; the offset after the container, if it ends there.
    #[inline]
    fn block(&mut self, marks: &Marks) -> Option<usize> {
        let inside = marks.inside(self.in_string);
        self.in_string = inside >> 63 == 1;
        let close = marks.close & !inside;
        // One by one: there are few, and counting bits takes longer.
        let mut rest = (marks.open & !inside) | close;
        while rest != 0 {
            let at = rest.trailing_zeros();
            if (close >> at) & 1 == 0 {
                self.depth += 1;
            } else {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    return Some(at as usize + 1);
                }
            }
            rest &= rest - 1;
        }
        None
    }

    /// Steps byte by byte until `until` or just behind it; the offset after the container, if it ends there.
    fn step(&mut self, bytes: &[u8], at: &mut usize, until: usize) -> Result<Option<usize>, Stop> {
        while *at < until {
            let byte = *bytes.get(*at).ok_or(Stop::More)?;
            match byte {
                b'\\' if self.in_string => *at += 1,
                b'"' => self.in_string = !self.in_string,
                b'{' | b'[' if !self.in_string => self.depth += 1,
                b'}' | b']' if !self.in_string => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Ok(Some(*at + 1));
                    }
                }
                _ => {}
            }
            *at += 1;
        }
        Ok(None)
    }
}

/// Where an object's reader stands after a member.
pub(crate) enum After {
    /// At the key of the next member.
    Member(usize),
    /// Behind the object.
    End(usize),
}

/// What follows the member that ended at `at`.
#[inline(always)]
pub(crate) fn after_member(bytes: &[u8], at: usize) -> Result<After, Stop> {
    let at = space(bytes, at);
    match bytes.get(at).ok_or(Stop::More)? {
        b',' => Ok(After::Member(space(bytes, at + 1))),
        b'}' => Ok(After::End(at + 1)),
        _ => Err(Stop::Bad(at)),
    }
}

/// An object whose members are known by name, and mostly come in a known order.
pub(crate) trait Object<'a> {
    /// Reads members from `at` on as long as they come in the known order.
    fn in_order(&mut self, bytes: &'a [u8], at: usize) -> Result<After, Stop>;

    /// Reads the value at `at` of the member called `key`, which came out of order or is unknown; the offset after it.
    fn named(&mut self, key: &[u8], bytes: &'a [u8], at: usize) -> Result<usize, Stop>;

    /// Reads the value that starts at `at`, if it is an object, and steps over it if not; the offset after it.
    #[inline]
    fn scan(&mut self, bytes: &'a [u8], at: usize) -> Result<usize, Stop> {
        if bytes.get(at).ok_or(Stop::More)? != &b'{' {
            return skip_value(bytes, at);
        }
        let mut at = space(bytes, at + 1);
        if bytes.get(at).ok_or(Stop::More)? == &b'}' {
            return Ok(at + 1);
        }
        loop {
            at = match self.in_order(bytes, at)? {
                After::Member(next) => next,
                After::End(end) => return Ok(end),
            };
            let (key, start) = key(bytes, at)?;
            let end = self.named(key, bytes, start)?;
            at = match after_member(bytes, end)? {
                After::Member(next) => next,
                After::End(end) => return Ok(end),
            };
        }
    }
}

/// Reads members in the order written, for [`Object::in_order`]: the value of each starts at the named offset, and the
/// expression reads it and gives the offset after it.
macro_rules! in_order {
    ($bytes:ident, $at:ident; $($key:literal $start:ident => $read:expr;)*) => {{
        let mut at = $at;
        $({
            const TEXT: &[u8] = concat!("\"", $key, "\":").as_bytes();
            // An array, so that it is compared in a few words.
            const KEY: [u8; TEXT.len()] = match TEXT.first_chunk() {
                Some(key) => *key,
                None => [0; TEXT.len()],
            };
            if $bytes.get(at..).and_then(<[u8]>::first_chunk) == Some(&KEY) {
                let $start = $crate::json::space($bytes, at + KEY.len());
                let end: usize = $read?;
                match $crate::json::after_member($bytes, end)? {
                    $crate::json::After::Member(next) => at = next,
                    end => return Ok(end),
                }
            }
        })*
        Ok($crate::json::After::Member(at))
    }};
}
pub(crate) use in_order;

/// The key that starts at `at`, without its quotes, and where its value starts.
fn key(bytes: &[u8], at: usize) -> Result<(&[u8], usize), Stop> {
    if bytes.get(at).ok_or(Stop::More)? != &b'"' {
        return Err(Stop::Bad(at));
    }
    let end = skip_string(bytes, at)?;
    let colon = space(bytes, end);
    if bytes.get(colon).ok_or(Stop::More)? != &b':' {
        return Err(Stop::Bad(colon));
    }
    Ok((bytes.get(at + 1..end - 1).unwrap_or_default(), space(bytes, colon + 1)))
}

/// Steps over the value at `at` and keeps it.
#[inline(always)]
pub(crate) fn keep<'a>(bytes: &'a [u8], at: usize, into: &mut Option<Raw<'a>>) -> Result<usize, Stop> {
    let end = skip_value(bytes, at)?;
    *into = Some(Raw(bytes.get(at..end).unwrap_or_default()));
    Ok(end)
}

/// Bytes of the longest key that is read.
pub(crate) const LONGEST_KEY: usize = 24;

/// A key in small letters; nothing for one that is longer than any that is read.
pub(crate) fn small<'b>(key: &[u8], into: &'b mut [u8; LONGEST_KEY]) -> &'b [u8] {
    let Some(small) = into.get_mut(..key.len()) else { return &[] };
    small.copy_from_slice(key);
    small.make_ascii_lowercase();
    small
}

/// A member of an object, as found: the key without its quotes, the value, and the offset after the value.
pub(crate) struct Found<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) value: Raw<'a>,
    pub(crate) end: usize,
}

/// Reads the member that starts at `at`, where its key's quote stands.
pub(crate) fn member(bytes: &[u8], at: usize) -> Result<Found<'_>, Stop> {
    let (key, start) = key(bytes, at)?;
    let end = skip_value(bytes, start)?;
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
        let long = format!("{{\"a\": [{}], \"b\": \"{}\"}}", "{\"x\": \"]}\"},".repeat(40), "}".repeat(70));
        check(&format!("{long}, 1"), Ok(long.len()));
        check(long.strip_suffix('}').unwrap(), Err(Stop::More));
        let escaped = format!("[\"{}\\\"]\\\\\", {{}}]", "y".repeat(61));
        check(&format!("{escaped}{}", " ".repeat(64)), Ok(escaped.len()));
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
