//! Any text as a policy. What must hold is in `src/policy.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| paring_fuzz::policy::check(text));
