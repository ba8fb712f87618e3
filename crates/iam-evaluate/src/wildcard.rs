//! Matching `*` and `?` in time bounded by the length of pattern and text; no recursion, nothing allocated.
//!
//! Knows neither ARNs nor variables: it is given pieces, in which variables already have their values.

#[cfg(test)]
pub(crate) mod tests;

/// A piece of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'p> {
    /// This text.
    Text(&'p str),
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

/// Whether a text holds a wildcard.
pub(crate) fn has_wildcard(text: &str) -> bool {
    text.bytes().any(is_wildcard)
}

const fn is_wildcard(byte: u8) -> bool {
    matches!(byte, b'*' | b'?')
}

/// The pieces of a pattern without variables, found as they are asked for.
///
/// Wildcards in a row are told in order: first every `?`, then one `*` for all, so that `*?*?` stays cheap.
#[derive(Debug, Clone)]
pub(crate) struct Pieces<'p> {
    rest: &'p str,
    ones: usize,
    any: bool,
}

/// Splits a pattern without variables into pieces.
pub(crate) const fn pieces(pattern: &str) -> Pieces<'_> {
    Pieces { rest: pattern, ones: 0, any: false }
}

impl<'p> Pieces<'p> {
    fn split(&mut self, at: usize) -> &'p str {
        let (head, tail) = self.rest.split_at_checked(at).unwrap_or((self.rest, ""));
        self.rest = tail;
        head
    }

    fn wildcard(&mut self) -> Option<Piece<'p>> {
        if self.ones > 0 {
            self.ones -= 1;
            return Some(Piece::One);
        }
        std::mem::take(&mut self.any).then_some(Piece::Any)
    }
}

impl<'p> Iterator for Pieces<'p> {
    type Item = Piece<'p>;

    fn next(&mut self) -> Option<Piece<'p>> {
        let waiting = self.wildcard();
        if waiting.is_some() {
            return waiting;
        }
        let bytes = self.rest.as_bytes();
        let text = bytes.iter().position(|byte| is_wildcard(*byte)).unwrap_or(bytes.len());
        if text > 0 {
            return Some(Piece::Text(self.split(text)));
        }
        let run = bytes.iter().position(|byte| !is_wildcard(*byte)).unwrap_or(bytes.len());
        let wildcards = self.split(run);
        self.ones = wildcards.bytes().filter(|byte| *byte == b'?').count();
        self.any = self.ones < run;
        self.wildcard()
    }
}

/// Adds `*` or `?`; stars in a row are one star, and question marks go before it, so that `*?*?` stays cheap.
pub(crate) fn push_wildcard(pieces: &mut Vec<Piece<'_>>, piece: Piece<'static>) {
    let star_last = pieces.last() == Some(&Piece::Any);
    match piece {
        Piece::Any if star_last => {}
        Piece::One if star_last => {
            pieces.pop();
            pieces.extend([Piece::One, Piece::Any]);
        }
        _ => pieces.push(piece),
    }
}

/// Whether the whole text matches.
pub(crate) fn matches<'p, P: Iterator<Item = Piece<'p>> + Clone>(pieces: P, text: &str, case: Case) -> bool {
    let mut todo = pieces;
    let mut rest = text;
    // Where to go on from when what follows the last star does not fit: one character later.
    let mut retry: Option<(P, &str)> = None;
    loop {
        #[cfg(test)]
        tests::step();
        let fits = match todo.next() {
            Some(Piece::Any) => {
                if todo.clone().next().is_none() {
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
        let Some(next) = candidate(after_star.clone().next(), from, case) else { return false };
        todo = after_star.clone();
        rest = next;
        retry = Some((after_star, next));
    }
}

/// The next place at which what follows a star may begin: after the character that was tried.
fn candidate<'t>(after_star: Option<Piece<'_>>, from: &'t str, case: Case) -> Option<&'t str> {
    let next = after_one(from)?;
    match (after_star, case) {
        (Some(Piece::Text(text)), Case::Counts) => match text.as_bytes().first() {
            Some(first) => next.bytes().position(|byte| byte == *first).and_then(|at| next.get(at..)),
            // A variable may stand for a text without letters.
            None => Some(next),
        },
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
