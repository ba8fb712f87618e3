//! Who can become whom; shared roles; exposure; escalation paths.
//!
//! Builds an [`AccessGraph`] from a snapshot: nodes are principals, edges are [`technique`]s, and each edge is there because
//! evaluation said every permission it needs is allowed. Knows nothing about usage, synthesis or Cedar; it reads no file.

pub mod technique;

mod plan;

mod survey;

mod tags;

mod trust;

mod judge;

mod facts;

mod graph;

mod search;

mod exposure;

mod build;

mod findings;

mod opened;

mod grounds;

mod explain;

pub mod cut;

pub mod reach;

mod routes;

mod second_source;

pub use build::build;
pub use explain::explain;
pub use graph::{AccessGraph, Edge, Path};
pub use grounds::{Asker, Cited, Ground, GroundPlace};
pub use opened::{Opened, opened};
pub use routes::{open_routes, routes_of};
pub use second_source::{beside_access_analyzer, unused_access_of};

#[cfg(test)]
mod tests;
