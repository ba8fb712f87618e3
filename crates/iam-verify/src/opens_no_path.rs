//! The claim "opens-no-path": nobody gains a way to become somebody that was not there before the change.
//!
//! Compares two access graphs; how ways are found is the graph's business.

use iam_graph::{AccessGraph, Opened};

use crate::outcome::Outcome;

/// Compares who can become whom before and after a change.
#[must_use]
pub fn check(before: &AccessGraph, after: &AccessGraph) -> Outcome {
    let opened: Vec<Opened> = iam_graph::opened(before, after);
    match opened.first() {
        None => {
            let because = format!("{} ways before, {} after, none of them new", before.edges().count(), after.edges().count());
            Outcome::Proved { because }
        }
        Some(first) => {
            Outcome::Refuted { because: format!("{} new ways; the first: {first}", opened.len()), counterexample: None }
        }
    }
}
