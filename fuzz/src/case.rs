//! A saved case: decided alike every time, with reasons that fit, and knowing more changes no answer.

use iam_evaluate::case::Case;
use iam_model::text::{SourceName, SourceText};

use super::decision;

/// The law.
pub fn check(line: &str) {
    let source = SourceText { name: SourceName::new("case"), text: line.into() };
    match Case::read(&source) {
        Ok((case, _)) => {
            let decision = case.evaluate();
            decision::check(&decision);
            assert!(case.evaluate() == decision, "decided twice, differently");
            decision::check_growing_knowledge(&case.request, &case.policies());
        }
        Err(error) => assert!(!error.to_string().is_empty() && error.offset <= line.len()),
    }
}
