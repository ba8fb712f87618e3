//! Inflates a gzip file in one go where it is small enough, as CloudTrail's own files are.
//!
//! It says nothing of what is wrong with a file: whatever it does not take is read as a stream, which tells.

use libdeflater::Decompressor;
use memchr::memmem;

/// Compressed bytes of a file that is inflated in one go.
pub(crate) const PACKED_LIMIT: u64 = 4 << 20;

/// Bytes it may have afterwards.
const INFLATED_LIMIT: usize = 20 << 20;

/// Inflates whole files.
pub(crate) struct Whole(Decompressor);

impl Default for Whole {
    fn default() -> Self {
        Self(Decompressor::new())
    }
}

impl Whole {
    /// Inflates `packed` into `out`, which grows as needed; the bytes written. Nothing where the file is too large, is
    /// damaged, or is more than one gzip member.
    pub(crate) fn inflate(&mut self, packed: &[u8], out: &mut Vec<u8>) -> Option<usize> {
        let trailer: &[u8; 4] = packed.last_chunk()?;
        let expected = usize::try_from(u32::from_le_bytes(*trailer)).ok()?;
        if expected > INFLATED_LIMIT || packed.len() as u64 >= PACKED_LIMIT {
            return None;
        }
        if out.len() < expected {
            out.resize(expected, 0);
        }
        let written = self.0.gzip_decompress(packed, out.get_mut(..expected)?).ok()?;
        (written == expected && !has_second_member(packed, *trailer)).then_some(written)
    }
}

/// Whether another member may follow the first, which ends in its length: the inflater would leave it out in silence.
fn has_second_member(packed: &[u8], length: [u8; 4]) -> bool {
    let [a, b, c, d] = length;
    memmem::find(packed, &[a, b, c, d, 0x1f, 0x8b]).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn check(packed: &[u8], expected: Option<&[u8]>) {
        let mut out = Vec::new();
        let written = Whole::default().inflate(packed, &mut out);
        assert_eq!(written.map(|end| &out[..end]), expected);
    }

    #[test]
    fn a_whole_file_is_inflated_and_anything_else_is_left() {
        let (one, other) = (gzip(b"one"), gzip(b"two"));
        check(&one, Some(b"one"));
        check(&gzip(b""), Some(b""));
        check(&one[..one.len() - 1], None);
        check(&[&one[..], &other].concat(), None);
        check(&[&one[..], &one].concat(), None);
        check(&[&one[..], b"rubbish"].concat(), None);
        check(b"\x1f\x8b", None);
        check(b"", None);
    }
}
