//! JSON with the place of every value: a small, strict reader over a borrowed text.
//!
//! Strict as RFC 8259 is: no comments, no trailing commas, no duplicate keys, no byte order mark, bounded depth and
//! size. It gives values only; what they mean is for the readers of policies, snapshots and changes.

mod parse;
mod value;

pub use parse::{JsonError, JsonErrorKind, Limits, parse};
pub use value::{Arena, Member, Node, NodeKind, Value, write_string};
