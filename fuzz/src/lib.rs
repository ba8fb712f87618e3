//! What must hold for any input whatever: the laws behind the fuzz targets, a function for each.
//!
//! A law that is broken is a panic. The same functions run as ordinary tests over the seeds and over random mutations
//! of them (`crates/iam-evaluate/tests/laws.rs`), so that a machine without a fuzzer holds them too.

pub mod case;
pub mod condition;
pub mod decision;
pub mod pattern;
pub mod policy;
pub mod reference;
pub mod snapshot;
