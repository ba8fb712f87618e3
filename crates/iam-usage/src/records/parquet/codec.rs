//! Undoes the compression of a page.
//!
//! The size that a page claims is trusted only as far as the bytes that are there can bear it: room grows with what was
//! really written, and nothing is larger than [`PAGE_LIMIT`].

use std::io::Read;

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use super::fault::Why;

/// Bytes of the largest page that is read. DuckDB ends a page at 100 MB, others at 1 MiB.
pub(super) const PAGE_LIMIT: usize = 128 << 20;

/// How many bytes a byte of Snappy can stand for: 64 in three, and some.
const MOST_OF_SNAPPY: usize = 32;

const CODECS: [&str; 8] = ["none", "Snappy", "gzip", "LZO", "Brotli", "LZ4", "Zstandard", "LZ4"];

/// Appends the bytes behind `packed`, which must be `size`, to `out`.
pub(super) fn unpack(codec: i64, packed: &[u8], size: usize, out: &mut Vec<u8>) -> Result<(), Why> {
    const BROKEN: Why = Why::Damaged("what is compressed in a page cannot be read");
    if size > PAGE_LIMIT {
        return Err(Why::TooLarge("a page of the Parquet file is larger than 128 MiB"));
    }
    // Pages without values are left empty by some writers, whatever the compression.
    if packed.is_empty() && size == 0 {
        return Ok(());
    }
    let before = out.len();
    match codec {
        0 => out.extend_from_slice(packed),
        1 => {
            let claimed = snap::raw::decompress_len(packed).map_err(|_| BROKEN)?;
            if claimed != size || size > packed.len().saturating_mul(MOST_OF_SNAPPY) {
                return Err(BROKEN);
            }
            out.resize(before + size, 0);
            let room = out.get_mut(before..).unwrap_or_default();
            snap::raw::Decoder::new().decompress(packed, room).map_err(|_| BROKEN)?;
        }
        2 => {
            MultiGzDecoder::new(packed).take(size as u64 + 1).read_to_end(out).map_err(|_| BROKEN)?;
        }
        6 => {
            let mut decoder = FrameDecoder::new();
            // A window larger than all there is would be room for nothing.
            decoder.set_max_window_size((size as u64).max(8 << 20));
            let stream = StreamingDecoder::new_with_decoder(packed, decoder).map_err(|_| BROKEN)?;
            stream.take(size as u64 + 1).read_to_end(out).map_err(|_| BROKEN)?;
        }
        other => {
            let name = usize::try_from(other).ok().and_then(|other| CODECS.get(other)).copied();
            let name = name.map_or_else(|| format!("in the way number {other}"), |name| format!("with {name}"));
            return Err(Why::NotRead(format!("the Parquet file is compressed {name}, which is not read")));
        }
    }
    if out.len() - before == size { Ok(()) } else { Err(Why::Damaged("a page is not of the size it says")) }
}
