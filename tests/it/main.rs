//! The end-to-end tests: the program as a user runs it, on files of its own and on the conformance folder.
//!
//! One binary; each module is one subject.

mod bad_input;
mod example;
mod help;
mod run;
mod workshop;
