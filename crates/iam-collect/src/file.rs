//! Bytes to text, once: size, gzip and UTF-8 are judged here. What the text says is for others.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use iam_model::json::Limits;
use iam_model::text::{SourceName, SourceText};

use crate::error::CollectError;

/// Reads a file whole.
pub(crate) fn open(path: &Path) -> Result<SourceText, CollectError> {
    let name = path.display().to_string();
    let mut file = File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => CollectError::Missing { name: name.clone() },
        kind => CollectError::Unreadable { name: name.clone(), reason: kind.to_string() },
    })?;
    read(SourceName::new(&name), &mut file)
}

/// Reads a stream whole, up to the largest file that is read at all.
pub(crate) fn read(name: SourceName, reader: &mut impl Read) -> Result<SourceText, CollectError> {
    let most = u64::try_from(Limits::FILE.bytes).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    reader
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(|error| CollectError::Unreadable { name: name.as_str().into(), reason: error.kind().to_string() })?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return Err(CollectError::Compressed { name: name.as_str().into() });
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(SourceText { name, text }),
        Err(error) => {
            let offset = error.utf8_error().valid_up_to();
            Err(CollectError::NotUtf8 { name: name.as_str().into(), offset })
        }
    }
}
