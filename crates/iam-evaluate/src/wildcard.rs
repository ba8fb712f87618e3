//! Matching `*` and `?` in time bounded by the length of pattern and text; no recursion, nothing allocated.
//!
//! Knows neither ARNs nor variables: it is given pieces, in which variables already have their values.

#[cfg(test)]
pub(crate) mod tests;

use std::borrow::Cow;

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece<'p> {
    /// This text.
    Text(Cow<'p, str>),
    /// `?`: exactly one character.
    One,
    /// `*`: any text, also none.
    Any,
}

/// Whether letter case counts. Folding is ASCII's: actions hold no other letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Counts,
    Folds,
}

/// Splits a pattern without variables into pieces.
pub(crate) fn pieces(pattern: &str) -> Vec<Piece<'static>> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    for c in pattern.chars() {
        if !matches!(c, '*' | '?') {
            text.push(c);
            continue;
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(Cow::Owned(std::mem::take(&mut text))));
        }
        push_wildcard(&mut pieces, c);
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(Cow::Owned(text)));
    }
    pieces
}

/// Adds `*` or `?`; stars in a row are one star, and question marks go before it, so that `*?*?` stays cheap.
pub(crate) fn push_wildcard(pieces: &mut Vec<Piece<'_>>, c: char) {
    let star_last = pieces.last() == Some(&Piece::Any);
    match c {
        '*' if star_last => {}
        '*' => pieces.push(Piece::Any),
        _ if star_last => {
            pieces.pop();
            pieces.push(Piece::One);
            pieces.push(Piece::Any);
        }
        _ => pieces.push(Piece::One),
    }
}

/// Whether the whole text matches.
pub(crate) fn matches(pieces: &[Piece<'_>], text: &str, case: Case) -> bool {
    let mut todo = pieces.iter();
    let mut rest = text;
    // Where to go on from when what follows the last star does not fit: one character later.
    let mut retry: Option<(std::slice::Iter<'_, Piece<'_>>, &str)> = None;
    loop {
        #[cfg(test)]
        tests::step();
        let fits = match todo.next() {
            Some(Piece::Any) => {
                if todo.as_slice().is_empty() {
                    return true;
                }
                retry = Some((todo.clone(), rest));
                Some(rest)
            }
            Some(Piece::One) => after_one(rest),
            Some(Piece::Text(expected)) => after_text(rest, expected, case),
            None if rest.is_empty() => return true,
            None => None,
        };
        if let Some(after) = fits {
            rest = after;
            continue;
        }
        let Some((after_star, from)) = retry.take() else { return false };
        let Some(next) = candidate(&after_star, from, case) else { return false };
        todo = after_star.clone();
        rest = next;
        retry = Some((after_star, next));
    }
}

/// The next place at which what follows a star may begin: after the character that was tried.
fn candidate<'t>(after_star: &std::slice::Iter<'_, Piece<'_>>, from: &'t str, case: Case) -> Option<&'t str> {
    let next = after_one(from)?;
    match (after_star.as_slice().first(), case) {
        (Some(Piece::Text(text)), Case::Counts) => next.find(text.as_ref()).and_then(|at| next.get(at..)),
        _ => Some(next),
    }
}

fn after_one(text: &str) -> Option<&str> {
    let mut chars = text.chars();
    chars.next().map(|_| chars.as_str())
}

fn after_text<'t>(text: &'t str, expected: &str, case: Case) -> Option<&'t str> {
    match case {
        Case::Counts => text.strip_prefix(expected),
        Case::Folds => {
            let (head, tail) = text.split_at_checked(expected.len())?;
            head.eq_ignore_ascii_case(expected).then_some(tail)
        }
    }
}
