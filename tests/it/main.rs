//! The end-to-end tests: the program as a user runs it, on files of its own and on the conformance folder.
//!
//! One binary; each module is one subject.

#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::print_stderr,
    reason = "a test that fails should say so at once"
)]

mod bad_input;
mod check;
mod collect;
mod cut;
mod example;
mod help;
mod run;
mod workshop;
mod write;
