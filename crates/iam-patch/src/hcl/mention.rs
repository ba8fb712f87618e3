//! Whether an expression speaks of a resource by its address.

use crate::tree::Node;

/// Whether an expression at or below a node speaks of a resource.
pub(super) fn refers_to(node: &Node, reference: &str) -> bool {
    let mut found = false;
    node.walk(&mut |node| {
        if let (true, Some(text)) = (node.tag.is_some(), node.raw_text()) {
            found |= mentions(text, reference);
        }
    });
    found
}

/// Whether a text names a resource as a whole word.
pub(super) fn mentions(text: &str, reference: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    text.match_indices(reference).any(|(at, _)| {
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let after = text.get(at + reference.len()..).and_then(|t| t.chars().next());
        !before.is_some_and(|c| word(c) || c == '.') && !after.is_some_and(word)
    })
}
