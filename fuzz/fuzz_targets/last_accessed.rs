//! Any text as a report of last uses. Nothing panics; what is read is about a role, and each action of the service it
//! stands under.
#![no_main]

use iam_model::text::{SourceName, SourceText};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let source = SourceText { name: SourceName::new("report.json"), text: text.into() };
    if let Ok((role, report)) = iam_usage::last_accessed(&source, &[]) {
        assert!(role.service() == "iam" && role.resource().starts_with("role/"));
        for (prefix, service) in &report.services {
            assert_eq!(*prefix, prefix.to_ascii_lowercase());
            assert!(service.actions.keys().all(|action| action.service().eq_ignore_ascii_case(prefix)));
        }
    }
});
