//! Any text as a snapshot. What must hold is in `src/snapshot.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| paring_fuzz::snapshot::check(text));
