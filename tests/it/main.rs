//! The end-to-end tests: the program as a user runs it, on files of its own and on the conformance folder.
//!
//! One binary; each module is one subject.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    reason = "a test that fails should say so at once"
)]

mod accounts;
mod audit;
#[cfg(feature = "aws")]
mod aws;
mod bad_input;
mod bad_policy;
mod blind;
mod browser;
mod check;
mod collect;
mod configured;
mod cut;
mod decide;
mod deployments;
mod diff;
mod document_patches;
mod documents;
mod engine;
mod evidence;
mod example;
mod explain;
mod graph;
mod graph_page;
mod guard;
mod help;
mod moto;
mod moto_server;
mod patch;
mod permissions;
mod plumbing;
mod quality;
mod quality_world;
mod query;
mod quota;
mod reach;
mod redact;
mod regions;
mod routes;
mod rules;
mod run;
mod sarif;
mod split;
mod split_quota;
mod synthesis;
mod synthesize;
mod terraform;
mod usage;
mod usage_scale;
mod verify;
mod workshop;
mod write;
