//! The texts that ship inside the program: schema, rules, cases and groups, from the folder `policies/`.
//!
//! Texts only. The folder is listed when the program is built, so a new rule is a new file and nothing else.

use iam_model::text::{SourceName, SourceText};

include!(concat!(env!("OUT_DIR"), "/policies.rs"));

/// The shipped rules, one per file, in the order of their names.
#[must_use]
pub fn embedded_rules() -> Vec<SourceText> {
    RULES.iter().map(|(name, text)| source(name, text)).collect()
}

/// The cases of the shipped rules, one file per rule.
#[must_use]
pub fn embedded_cases() -> Vec<SourceText> {
    CASES.iter().map(|(name, text)| source(name, text)).collect()
}

/// The schema: what a rule may talk about.
#[must_use]
pub fn embedded_schema() -> SourceText {
    source("policies/schema.cedarschema", include_str!("../../../../policies/schema.cedarschema"))
}

/// The shipped groups of actions.
#[must_use]
pub fn embedded_groups() -> SourceText {
    source("policies/groups.json", include_str!("../../../../policies/groups.json"))
}

fn source(name: &str, text: &str) -> SourceText {
    SourceText { name: SourceName::new(name), text: text.to_owned() }
}
