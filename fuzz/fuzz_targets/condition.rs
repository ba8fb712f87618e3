//! Any operator with any values against any values of the request. What must hold is in `src/condition.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| paring_fuzz::condition::check(text));
