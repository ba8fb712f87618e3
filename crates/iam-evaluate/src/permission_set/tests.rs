//! Inclusion of whole policies: recorded and documented verdicts, named traps, and brute force over small worlds.

mod brute;
mod budget;
mod conformance;
mod traps;

use iam_model::policy::{PolicyDocument, parse};
use iam_model::text::{SourceName, SourceText};

fn document(text: &str) -> PolicyDocument {
    parse(&SourceText { name: SourceName::new("test"), text: text.into() }).0
}
