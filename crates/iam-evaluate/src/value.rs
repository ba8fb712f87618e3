//! Values that conditions compare: numbers, dates, addresses, bytes.
//!
//! Each reads text and compares; a text that is no such value compares with nothing. Follows the IAM User Guide topic
//! "IAM JSON policy elements: Condition operators".

pub(crate) mod address;
pub(crate) mod bytes;
pub(crate) mod date;
pub(crate) mod number;
