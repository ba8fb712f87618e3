//! Printing `paring-changes/1`.

use super::Change;

/// Prints changes as JSON, indented, keys in a fixed order.
#[must_use]
pub fn write(changes: &[Change]) -> String {
    let _ = changes;
    String::new()
}
