//! Any text as Terraform. What must hold is in `src/template.rs`.
#![no_main]

#[path = "../src/template.rs"]
mod template;

libfuzzer_sys::fuzz_target!(|text: &str| template::check("main.tf", text));
