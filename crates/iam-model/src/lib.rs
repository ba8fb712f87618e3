//! The nouns every room shares: ARNs, actions, policies, snapshots, usage, the catalogue and changes.
//!
//! This crate parses and prints. It does not know how AWS evaluates a policy, how CloudTrail is laid out, what a
//! template looks like, or that a terminal exists; it opens no file and asks no clock.
//!
//! Bad input never panics and never disappears: readers return a value and a list of [`diagnostic::Diagnostic`]s,
//! and what they could not understand stays in the value as an `Unknown` that evaluation has to answer.

pub mod text;

pub mod diagnostic;

pub mod time;

pub mod json;

pub mod arn;

pub mod action;

pub mod condition;

pub mod variable;

pub mod policy;

pub mod control;

pub mod quota;

pub(crate) mod reading;

pub mod catalog;

pub mod snapshot;

pub mod usage;

pub mod placing;

pub mod change;

pub mod certificate;

pub mod route;

pub mod finding;
