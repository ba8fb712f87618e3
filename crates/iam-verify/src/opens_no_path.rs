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
        None if !after.not_applied().is_empty() => {
            let first = after.not_applied().first().map(String::as_str).unwrap_or_default();
            Outcome::Undecided { why: format!("what it would open was not looked at: {first}") }
        }
        None => {
            let because = format!(
                "nothing new; with all changes, administrators {} → {}, ways to become another {} → {}",
                before.admins().count(),
                after.admins().count(),
                before.edges().count(),
                after.edges().count()
            );
            Outcome::Proved { because }
        }
        Some(first) => {
            Outcome::Refuted { because: format!("{} new; {}", opened.len(), describe(first)), counterexample: None }
        }
    }
}

fn describe(opened: &Opened) -> String {
    match opened {
        Opened::Administrator(subject) => format!("{subject} becomes an administrator"),
        Opened::Path(path) => {
            let hops: Vec<String> =
                path.hops.iter().map(|hop| format!("{} becomes {} by {}", hop.from, hop.to, hop.technique)).collect();
            hops.join(", then ")
        }
    }
}
