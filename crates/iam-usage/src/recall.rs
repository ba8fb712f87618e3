//! Callers seen before, told again by comparing bytes: most records of a session differ in a key id and a time alone.
//!
//! A remembered identity is the text of a `userIdentity`, taken apart at the values that tell nothing about the caller.
//! A text that fits it, whatever stands in those strings, is the same caller; any other is read as usual.

use crate::hash::hash;
use crate::identity::Identity;
use crate::json::plain_string;

/// Identities remembered at once: so many that share a slot, which who comes later takes over.
const SLOTS: usize = 1 << 10;
const WAYS: usize = 2;

/// Bytes an identity may have to be remembered.
const LONGEST: usize = 2048;

/// Where in an identity the bytes stand that tell its slot: within the ids of usual ones.
const TELLING: std::ops::Range<usize> = 40..56;

/// Keys of strings that tell nothing about the caller, each with its colon and opening quote.
const HOLES: [&[u8]; 2] = [b"\"accessKeyId\":\"", b"\"creationDate\":\""];

/// A caller's number, good as long as numbers are not given anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) round: u32,
    pub(crate) number: u32,
}

/// An identity that was recognised: all of its text, and whose it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recalled<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) ticket: Ticket,
}

/// Identities by their slot.
pub(crate) struct Memory {
    slots: Vec<Option<Remembered>>,
}

/// An identity's text between the strings that tell nothing.
struct Remembered {
    /// All parts, one behind the other; a hole is between each two.
    text: Box<[u8]>,
    /// Where each part but the last ends.
    cuts: [usize; HOLES.len()],
    ticket: Ticket,
}

impl Default for Memory {
    fn default() -> Self {
        Self { slots: std::iter::repeat_with(|| None).take(SLOTS * WAYS).collect() }
    }
}

impl Memory {
    /// Recognises the identity that starts at `at`; the offset after it.
    #[inline]
    pub(crate) fn recall<'a>(&self, bytes: &'a [u8], at: usize) -> Option<(Recalled<'a>, usize)> {
        let rest = bytes.get(at..)?;
        let first = first_way(rest)?;
        let ways = self.slots.get(first..first + WAYS)?;
        let (known, end) = ways.iter().flatten().find_map(|known| Some((known, known.fit(rest)?)))?;
        Some((Recalled { bytes: rest.get(..end)?, ticket: known.ticket }, at + end))
    }

    /// Remembers whose an identity is.
    pub(crate) fn remember(&mut self, identity: &Identity<'_>, ticket: Ticket) {
        let bytes = identity.bytes();
        let ways = first_way(bytes).and_then(|first| self.slots.get_mut(first..first + WAYS));
        let Some(ways) = ways.filter(|_| bytes.len() <= LONGEST) else { return };
        let mut cuts = [0; HOLES.len()];
        let mut text = Vec::with_capacity(bytes.len());
        let mut from = 0;
        for (cut, hole) in cuts.iter_mut().zip(HOLES) {
            let found =
                bytes.get(from..).and_then(|rest| memchr::memmem::find(rest, hole)).map(|at| from + at + hole.len());
            let value = found.and_then(|start| Some((start, plain_string(bytes, start)?)));
            // What the caller is told by is no hole.
            if let Some((start, end)) = value.filter(|(start, _)| !identity.tells(*start)) {
                text.extend_from_slice(bytes.get(from..start).unwrap_or_default());
                from = end;
            }
            *cut = text.len();
        }
        text.extend_from_slice(bytes.get(from..).unwrap_or_default());
        ways.rotate_right(1);
        ways.iter_mut().take(1).for_each(|slot| {
            *slot = Some(Remembered { text: std::mem::take(&mut text).into(), cuts, ticket });
        });
    }
}

impl Remembered {
    /// Whether the text that starts here is this identity; where it ends.
    #[inline]
    fn fit(&self, rest: &[u8]) -> Option<usize> {
        let mut part_start = 0;
        let mut from = 0;
        for cut in self.cuts {
            let part = self.text.get(part_start..cut)?;
            if !part.is_empty() {
                if !rest.get(from..)?.starts_with(part) {
                    return None;
                }
                from = plain_string(rest, from + part.len())?;
            }
            part_start = cut;
        }
        let last = self.text.get(part_start..)?;
        rest.get(from..)?.starts_with(last).then_some(from + last.len())
    }
}

/// The first of the places of an identity.
fn first_way(identity: &[u8]) -> Option<usize> {
    let telling: &[u8; 16] = identity.get(TELLING)?.first_chunk()?;
    Some(usize::try_from(hash(0, telling) % SLOTS as u64).ok()? * WAYS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICKET: Ticket = Ticket { round: 0, number: 7 };

    fn identity(principal: &str, key: &str, date: &str) -> String {
        format!(
            r#"{{"type":"AssumedRole","principalId":"AROA0123456789ABCDEF:{principal}","arn":"arn:aws:sts::111122223333:assumed-role/r/{principal}","accessKeyId":"{key}","sessionContext":{{"sessionIssuer":{{"type":"Role","arn":"arn:aws:iam::111122223333:role/r"}},"attributes":{{"creationDate":"{date}","mfaAuthenticated":"false"}}}}}}"#
        )
    }

    fn remembering(text: &str) -> Memory {
        let mut kept = None;
        Identity::keep(text.as_bytes(), 0, &mut kept).unwrap();
        let mut memory = Memory::default();
        memory.remember(&kept.unwrap(), TICKET);
        memory
    }

    /// Whether `text` is taken for the identity that is remembered.
    fn check(memory: &Memory, text: &str, expected: bool) {
        let after = format!(" {text}, 1");
        let found = memory.recall(after.as_bytes(), 1);
        assert_eq!(
            found.map(|(recalled, end)| (recalled.ticket, recalled.bytes.len(), end)),
            expected.then_some((TICKET, text.len(), text.len() + 1)),
            "{text}"
        );
        assert!(memory.recall(&text.as_bytes()[..text.len() - 1], 0).is_none());
    }

    #[test]
    fn a_caller_is_recognised_whatever_the_key_and_the_time() {
        let memory = remembering(&identity("a", "ASIA1", "2026-11-20"));
        check(&memory, &identity("a", "ASIA1", "2026-11-20"), true);
        check(&memory, &identity("a", "ASIA22222222222222222222222222222222222222222222222222", ""), true);
        check(&memory, &identity("b", "ASIA1", "2026-11-20"), false);
        check(&memory, &identity("a", "ASIA\\\"1", "2026-11-20"), false);
        check(&memory, &identity("a", "ASIA1", "2026-11-20").replace("false", "true"), false);
        check(&memory, "{}", false);
    }

    #[test]
    fn what_tells_the_caller_is_compared_wherever_it_stands() {
        // A key of that name within the issuer is a part of what the caller is told by.
        let text =
            identity("a", "ASIA1", "x").replace(r#""sessionIssuer":{"#, r#""sessionIssuer":{"creationDate":"y","#);
        let memory = remembering(&text);
        check(&memory, &text, true);
        check(&memory, &text.replace(r#""y""#, r#""z""#), false);
    }

    #[test]
    fn an_identity_without_holes_is_compared_whole() {
        let text = r#"{"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/r/session-name"}"#;
        let memory = remembering(text);
        check(&memory, text, true);
        check(&memory, &text.replace("session", "sessiom"), false);
    }
}
