//! Any pattern against any name. What must hold is in `src/pattern.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| paring_fuzz::pattern::check(text));
