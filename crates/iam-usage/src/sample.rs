//! An event's id in little room: nearly all are UUIDs, 36 characters that say 16 bytes. Knows nothing of events.

use std::cmp::Ordering;
use std::fmt;

/// An event id, as it stands in the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sample {
    /// A UUID in small letters.
    Uuid([u8; 16]),
    Other(Box<str>),
}

/// Characters of a UUID, and where its dashes stand.
const LENGTH: usize = 36;
const DASHES: [usize; 4] = [8, 13, 18, 23];

type Text = [u8; LENGTH];

impl Sample {
    /// Nothing for what is no text.
    pub(crate) fn of(id: &[u8]) -> Option<Self> {
        let uuid = id.try_into().ok().and_then(packed).map(Self::Uuid);
        uuid.or_else(|| std::str::from_utf8(id).ok().map(|text| Self::Other(text.into())))
    }

    /// Compares with an id, as texts.
    #[inline]
    pub(crate) fn compare(&self, id: &[u8]) -> Ordering {
        match self {
            Self::Uuid(bytes) => {
                // Mostly the first two characters tell.
                let [first, ..] = *bytes;
                let own = [digit(first >> 4), digit(first & 15)];
                match id.first_chunk() {
                    Some(other) if own != *other => own.cmp(other),
                    _ => unpacked(bytes).as_slice().cmp(id),
                }
            }
            Self::Other(text) => text.as_bytes().cmp(id),
        }
    }
}

impl Ord for Sample {
    /// As texts.
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            // Digits in their order, dashes at the same places.
            (Self::Uuid(own), Self::Uuid(other)) => own.cmp(other),
            (_, Self::Other(text)) => self.compare(text.as_bytes()),
            (Self::Other(text), Self::Uuid(_)) => other.compare(text.as_bytes()).reverse(),
        }
    }
}

impl PartialOrd for Sample {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uuid(bytes) => f.write_str(std::str::from_utf8(&unpacked(bytes)).unwrap_or_default()),
            Self::Other(text) => f.write_str(text),
        }
    }
}

/// The bytes of a UUID in small letters.
fn packed(text: &Text) -> Option<[u8; 16]> {
    let mut bytes = [0_u8; 16];
    let mut wrong = 0;
    let parts = [text.get(..8)?, text.get(9..13)?, text.get(14..18)?, text.get(19..23)?, text.get(24..)?];
    for (byte, [high, low]) in bytes.iter_mut().zip(parts.iter().flat_map(|part| part.as_chunks().0)) {
        let (high, low) = (worth(*high), worth(*low));
        wrong |= high | low;
        *byte = high << 4 | low & 15;
    }
    let dashed = DASHES.iter().all(|at| text.get(*at) == Some(&b'-'));
    (wrong < 16 && dashed).then_some(bytes)
}

/// What a digit is worth; more than 15 for what is none, or a capital one.
const fn worth(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => u8::MAX,
    }
}

fn unpacked(bytes: &[u8; 16]) -> Text {
    let mut digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    std::array::from_fn(|at| {
        if DASHES.contains(&at) {
            return b'-';
        }
        digit(digits.next().unwrap_or_default())
    })
}

/// The character of four bits.
const fn digit(bits: u8) -> u8 {
    if bits < 10 { b'0' + bits } else { b'a' + bits - 10 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_comes_back_as_it_was() {
        let check = |id: &str, packed: bool| {
            let sample = Sample::of(id.as_bytes()).unwrap();
            assert_eq!(sample.to_string(), id);
            assert_eq!(matches!(sample, Sample::Uuid(_)), packed, "{id}");
            assert_eq!(sample.compare(id.as_bytes()), Ordering::Equal);
        };
        check("0123abcd-4567-89ef-0123-456789abcdef", true);
        check("0123ABCD-4567-89EF-0123-456789ABCDEF", false);
        check("0123abcd-4567-89ef-0123-456789abcdeg", false);
        check("0123abcd04567-89ef-0123-456789abcdef", false);
        check("-0123abc-4567-89ef-0123-456789abcdef", false);
        check("event-1", false);
        check("", false);
        assert_eq!(Sample::of(b"\xff"), None);
    }

    #[test]
    fn ids_are_ordered_as_texts() {
        let low = Sample::of(b"0123abcd-4567-89ef-0123-456789abcdef").unwrap();
        assert_eq!(low.compare(b"0123abcd-4567-89ef-0123-456789abcdf0"), Ordering::Less);
        assert_eq!(low.compare(b"0123"), Ordering::Greater);
        assert_eq!(Sample::of(b"b").unwrap().compare(b"a"), Ordering::Greater);
        let ids = ["0123", "0123abcd-4567-89ef-0123-456789abcdef", "0123abcd-4567-89ef-0123-456789abcdf0", "1"];
        let samples = ids.map(|id| Sample::of(id.as_bytes()).unwrap());
        for (a, own) in samples.iter().enumerate() {
            for (b, other) in samples.iter().enumerate() {
                assert_eq!(own.cmp(other), a.cmp(&b));
            }
        }
    }
}
