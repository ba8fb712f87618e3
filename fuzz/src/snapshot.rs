//! A snapshot: whatever was read of it can be indexed, compiled and asked.

use iam_evaluate::Evaluator;
use iam_model::snapshot::{SnapshotIndex, read};
use iam_model::text::{SourceName, SourceText};

use super::decision;

/// The law.
pub fn check(text: &str) {
    let source = || SourceText { name: SourceName::new("snapshot"), text: text.into() };
    let Ok((snapshot, diagnostics)) = read(source()) else { return };
    let (index, more) = SnapshotIndex::new(&snapshot);
    for diagnostic in diagnostics.iter().chain(&more) {
        assert!(!diagnostic.message.is_empty());
    }
    let again = read(source()).map(|(_, same)| same).ok();
    assert!(again.as_ref() == Some(&diagnostics), "reading is not deterministic");
    if text.len() < 16_384 {
        decision::check_evaluator(&Evaluator::new(&index));
    }
}
