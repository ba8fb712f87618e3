//! "Did you mean": the known word that is nearest to a misspelt one.
//!
//! Knows nothing about what the words name.

/// The word with the fewest changed, added, dropped or swapped letters, where it is near enough to be meant.
#[must_use]
pub fn nearest<'w>(wrong: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    /// Longer words are nobody's slip of the pen, and cost time.
    const LONGEST: usize = 128;
    let wrong: Vec<u8> = wrong.bytes().take(LONGEST).map(|b| b.to_ascii_lowercase()).collect();
    let reach = (wrong.len() / 4).clamp(1, 4);
    let near = known.into_iter().filter(|word| word.len().abs_diff(wrong.len()) <= reach).filter_map(|word| {
        let letters: Vec<u8> = word.bytes().map(|b| b.to_ascii_lowercase()).collect();
        let far = distance(&wrong, &letters);
        (far <= reach).then_some((far, word))
    });
    near.min().map(|(_, word)| word)
}

/// Restricted Damerau-Levenshtein distance, row by row.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, &from) in a.iter().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        next.push(i + 1);
        for (j, &to) in b.iter().enumerate() {
            let at = |list: &[usize], index: usize| list.get(index).copied().unwrap_or(usize::MAX - 1);
            let mut best = (at(&row, j + 1) + 1).min(at(&next, j) + 1).min(at(&row, j) + usize::from(from != to));
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(&to) && b.get(j - 1) == Some(&from);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let known = ["GetObject", "GetObjectAcl", "ListBucket", "PutObject"];
        for (wrong, right) in [
            ("GetObjects", Some("GetObject")),
            ("getobjet", Some("GetObject")),
            ("GteObject", Some("GetObject")),
            ("ListBuckets", Some("ListBucket")),
            ("Frobnicate", None),
            ("", None),
        ] {
            assert_eq!(nearest(wrong, known), right, "{wrong}");
        }
    }
}
