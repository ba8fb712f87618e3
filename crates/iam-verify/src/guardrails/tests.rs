//! What the shipped rules decide, and what becomes of sets that are broken.

use super::*;

fn source(name: &str, text: &str) -> SourceText {
    SourceText { name: SourceName::new(name), text: text.to_owned() }
}

#[test]
fn every_shipped_rule_is_decided_by_its_cases() {
    let rules = Guardrails::embedded().unwrap_or_else(|error| panic!("{error:#?}"));
    assert_eq!(rules.rules().count(), 23, "23 rules and the baseline");
    let report = rules.run_cases(&embedded_cases()).unwrap();
    assert!(report.is_clean(), "{:#?}\n{:#?}", report.failures().collect::<Vec<_>>(), report.undecided);
}
