//! Any line as a case of `paring simulate --cases`. What must hold is in `src/case.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| paring_fuzz::case::check(text));
