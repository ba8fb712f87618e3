//! SHA-256 in hexadecimal digits, whole or its beginning.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// Bytes of a whole digest.
pub(crate) const WHOLE: usize = 32;

/// The first `bytes` bytes of the digest, two digits each.
pub(crate) fn sha256(text: &[u8], bytes: usize) -> String {
    let digest = Sha256::digest(text);
    digest.iter().take(bytes).fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
