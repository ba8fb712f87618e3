//! `*` and `?` by their definition: a table of which part of the pattern matches which part of the text.
//!
//! Slow, and so plain that it can be checked by reading it. Knows nothing of variables.

/// One step of a pattern.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// This character.
    Char(char),
    /// Any one character.
    One,
    /// Any text.
    Any,
}

/// A text with wildcards, step by step.
pub fn steps(pattern: &str) -> Vec<Step> {
    pattern
        .chars()
        .map(|c| match c {
            '*' => Step::Any,
            '?' => Step::One,
            c => Step::Char(c),
        })
        .collect()
}

/// Whether the pattern matches the whole text.
pub fn matches(pattern: &[Step], text: &str) -> bool {
    // `reached[n]`: the steps so far match the first n characters.
    let text: Vec<char> = text.chars().collect();
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for step in pattern {
        let mut next = vec![false; text.len() + 1];
        for (at, slot) in next.iter_mut().enumerate() {
            let before = at.checked_sub(1);
            *slot = match step {
                Step::Any => reached[..=at].contains(&true),
                Step::One => before.is_some_and(|b| reached[b]),
                Step::Char(c) => before.is_some_and(|b| reached[b] && text[b] == *c),
            };
        }
        reached = next;
    }
    reached[text.len()]
}

/// The first five segments between colons, and the rest; nothing where there are fewer.
pub fn segments(text: &str) -> Option<Vec<&str>> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    (parts.len() == 6).then_some(parts)
}
